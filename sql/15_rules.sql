-- Rules: every change is a new policy version.

-- Notes what a statement changed in a table of rules. One row for a statement, also for a bulk edit.
-- Called by the triggers below.
create or replace function gate.note_rule_change()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, rules, pg_temp
as $$
declare
  v_before jsonb;
  v_after jsonb;
begin
  if tg_op in ('UPDATE', 'DELETE') then
    select jsonb_agg(to_jsonb(rows_before)) into v_before from rows_before;
  end if;
  if tg_op in ('INSERT', 'UPDATE') then
    select jsonb_agg(to_jsonb(rows_after)) into v_after from rows_after;
  end if;
  if v_before is null and v_after is null and tg_op <> 'TRUNCATE' then
    return null;
  end if;
  insert into rules.policy_version (rule_table, operation, rows_before, rows_after)
  values (tg_table_name, lower(tg_op), v_before, v_after);
  perform pg_notify('gatekeeper_rules', '');
  return null;
end
$$;

do $triggers$
declare
  v_table text;
begin
  foreach v_table in array array[
    'source', 'field', 'nickname', 'company_suffix', 'shared_mailbox', 'shared_phone', 'junk_value', 'match_weight',
    'match_threshold', 'not_duplicate', 'brake', 'merge_master', 'merge_option'
  ]
  loop
    execute format(
      'create or replace trigger note_insert after insert on rules.%I referencing new table as rows_after '
      'for each statement execute function gate.note_rule_change()', v_table);
    execute format(
      'create or replace trigger note_update after update on rules.%I '
      'referencing old table as rows_before new table as rows_after '
      'for each statement execute function gate.note_rule_change()', v_table);
    execute format(
      'create or replace trigger note_delete after delete on rules.%I referencing old table as rows_before '
      'for each statement execute function gate.note_rule_change()', v_table);
    execute format(
      'create or replace trigger note_truncate after truncate on rules.%I '
      'for each statement execute function gate.note_rule_change()', v_table);
  end loop;
end
$triggers$;

-- The version of the rules that is in force; 0 before the first change. Read with every decision.
create or replace function gate.policy_version()
returns bigint
language sql
stable
as $$
  select coalesce(max(policy_version), 0)
  from rules.policy_version
$$;

-- All that the decision needs of the rules, in one document. Read by the push loop when the version has changed.
create or replace function gate.read_policy()
returns jsonb
language sql
stable
as $$
  select jsonb_build_object(
    'version', gate.policy_version(),
    'sources', (select coalesce(jsonb_object_agg(source, rank), '{}') from rules.source),
    'expires_days', (
      select coalesce(jsonb_object_agg(source, expires_days), '{}')
      from rules.source
      where expires_days is not null
    ),
    'shadow', (
      select coalesce(jsonb_agg(source order by source), '[]')
      from rules.source
      where shadow
    ),
    'fields', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'field', field, 'source', source, 'policy', policy, 'rank', rank, 'expires_days', expires_days, 'scale', scale
        )
        order by field, source
      ), '[]')
      from rules.field
    ),
    'thresholds', (select coalesce(jsonb_object_agg(name, score), '{}') from rules.match_threshold)
  )
$$;

-- Sources that have brought leads and are not entered: those leads wait among the dead letters. Called by `rules check`.
create or replace function gate.unranked_sources()
returns table (source text, leads bigint)
language sql
stable
as $$
  select left(lead.source, 200), count(*)
  from gate.dead_letter
  join staging.lead using (lead_id)
  where dead_letter.reason = 'unknown_source'
    and dead_letter.state = 'waiting'
    and not exists (select from rules.source where source.source = lead.source)
  group by 1
  order by 2 desc, 1
$$;

-- The lists that the normalizer works with. Read at the start and when the rules change.
create or replace function gate.read_lists()
returns jsonb
language sql
stable
as $$
  select jsonb_build_object(
    'company_suffixes', (select coalesce(jsonb_agg(suffix order by suffix), '[]') from rules.company_suffix),
    'junk_values', (select coalesce(jsonb_agg(value order by value), '[]') from rules.junk_value),
    'shared_mailboxes', (select coalesce(jsonb_agg(address order by address), '[]') from rules.shared_mailbox)
  )
$$;

-- Fills lists that are empty with the built-in ones; a list that a steward has touched is left alone.
-- Called once after an installation.
create or replace function gate.fill_lists(p_company_suffixes text[], p_junk_values text[])
returns void
language sql
as $$
  insert into rules.company_suffix (suffix)
  select distinct suffix
  from unnest(p_company_suffixes) as suffix
  where not exists (select from rules.company_suffix)
    and not exists (select from rules.policy_version where rule_table = 'company_suffix');

  insert into rules.junk_value (value)
  select distinct value
  from unnest(p_junk_values) as value
  where not exists (select from rules.junk_value)
    and not exists (select from rules.policy_version where rule_table = 'junk_value');
$$;
