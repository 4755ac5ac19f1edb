-- pg_trgm may have been installed in any schema; this gives its similarity a name of ours.

do $similarity$
declare
  v_schema text;
begin
  select quote_ident(nspname)
  into strict v_schema
  from pg_catalog.pg_extension
  join pg_catalog.pg_namespace on pg_namespace.oid = extnamespace
  where extname = 'pg_trgm';

  execute format(
    'create or replace function gate.alike(p_left text, p_right text) returns real '
    'language sql immutable parallel safe as $body$ select %s.similarity(p_left, p_right) $body$', v_schema);
end
$similarity$;
