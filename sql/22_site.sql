-- Site: which CRM account this database belongs to.

-- Notes the account that the token leads to. False: the mirror was filled from another account, and nothing was noted.
-- Called at every start.
create or replace function gate.note_account(p_account_id text, p_time_zone text, p_has_unique_key boolean)
returns boolean
language sql
as $$
  with noted as (
    update gate.site
    set account_id = p_account_id,
        time_zone = (select name from pg_catalog.pg_timezone_names where name = p_time_zone limit 1),
        has_unique_key = p_has_unique_key
    where account_id is null
      or account_id = p_account_id
    returning 1
  )
  select exists (select from noted)
$$;
