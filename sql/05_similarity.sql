-- pg_trgm and fuzzystrmatch may have been installed in any schema; this gives what we use of them names of ours.
-- gate.alike: similarity by trigrams, from 0 to 1.
-- gate.slip: whether two words differ by a slip of the pen or two: one in words of four letters, two in words of seven (Damerau,
-- 1964, found four of five misspellings to be one letter wrong, left out, too many, or two that changed places).

-- Whether two words of the same letters differ by two neighbours that changed places: Lusi, Luis. To an edit distance that is
-- two slips. Called by gate.slip.
create or replace function gate.changed_places(p_left text, p_right text)
returns boolean
language plpgsql
immutable
parallel safe
as $$
declare
  v_at integer := 1;
begin
  while substr(p_left, v_at, 1) = substr(p_right, v_at, 1) and v_at < length(p_left) loop
    v_at := v_at + 1;
  end loop;
  return substr(p_left, v_at, 2) = reverse(substr(p_right, v_at, 2))
    and substr(p_left, v_at + 2) = substr(p_right, v_at + 2);
end
$$;

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
    'or length(p_left) = length(p_right) and length(p_left) between 3 and 6 '
    'and translate(p_left, p_right, '''') = '''' and gate.changed_places(p_left, p_right) '
    'end $body$',
    v_schema ->> 'fuzzystrmatch');
end
$similarity$;
