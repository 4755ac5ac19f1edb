-- pg_trgm and fuzzystrmatch may have been installed in any schema; this gives what we use of them names of ours.
-- gate.alike: similarity by trigrams, from 0 to 1.
-- gate.slip: whether two words differ by a slip of the pen or two: one in words of four letters, two in words of seven (Damerau,
-- 1964, found four of five misspellings to be one letter wrong, left out, too many, or two that changed places).

do $similarity$
declare
  v_schema constant jsonb := (
    select jsonb_object_agg(extname, quote_ident(nspname))
    from pg_catalog.pg_extension
    join pg_catalog.pg_namespace on pg_namespace.oid = extnamespace
    where extname in ('pg_trgm', 'fuzzystrmatch')
  );
begin
  execute format(
    'create or replace function gate.alike(p_left text, p_right text) returns real '
    'language sql immutable parallel safe as $body$ select %s.similarity(p_left, p_right) $body$',
    v_schema ->> 'pg_trgm');

  execute format(
    'create or replace function gate.slip(p_left text, p_right text) returns boolean '
    'language sql immutable parallel safe as $body$ '
    'select case '
    'when abs(length(p_left) - length(p_right)) > 2 or greatest(length(p_left), length(p_right)) > 60 then false '
    'else %s.levenshtein_less_equal(p_left, p_right, 2) '
    '<= case when greatest(length(p_left), length(p_right)) >= 7 then 2 when least(length(p_left), length(p_right)) >= 4 then 1 else 0 end '
    'end $body$',
    v_schema ->> 'fuzzystrmatch');
end
$similarity$;
