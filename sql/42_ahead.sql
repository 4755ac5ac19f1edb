-- Ahead: the leads of the next batch are matched while the batch before it is decided, without the people's lock. Whom somebody
-- has changed since is told by the lists that are kept here, and the leads that may be one of them are matched again.

-- Notes whose keys change. A row for each statement, for a batch changes hundreds of contacts. Not during the first load, when the
-- gate holds and nobody is matched.
create or replace function gate.note_changed_keys()
returns trigger
language plpgsql
as $$
begin
  if gate.indexed_until() < 9223372036854775807 then
    return null;
  end if;
  insert into gate.changed_keys (contact_ids)
  select array_agg(contact_id)
  from changed
  having count(*) > 0;
  return null;
end
$$;

create or replace trigger note_changed_keys_insert
after insert on gate.contact_keys
referencing new table as changed
for each statement
execute function gate.note_changed_keys();

create or replace trigger note_changed_keys_update
after update on gate.contact_keys
referencing new table as changed
for each statement
execute function gate.note_changed_keys();

create or replace trigger note_changed_keys_delete
after delete on gate.contact_keys
referencing old table as changed
for each statement
execute function gate.note_changed_keys();

-- What a statement sees that begins now: which transactions, of which run of the server, and when. Called by the push loop before
-- it matches ahead.
create or replace function gate.sight_now()
returns jsonb
language sql
stable
as $$
  select jsonb_build_object(
    'snapshot', pg_current_snapshot(), 'server_started_at', pg_postmaster_start_time(), 'seen_at', clock_timestamp()
  )
$$;

-- The contacts whose keys changed since p_sight was taken, with the identifiers and the blocks by which they are found now: none for
-- those that are gone. One row without contact_id when nobody can tell: that is too long ago, or another server answers
-- now, a standby perhaps that has lost transactions which were seen. Lists are kept for half an hour at least (gate.forget_old), and no
-- transaction that changes keys lasts for twenty minutes. Called by the push loop under gate.lock_people.
create or replace function gate.keys_changed_since(p_sight jsonb)
returns table (contact_id bigint, identifiers text[], blocks integer[])
language plpgsql
stable
as $$
begin
  if (p_sight ->> 'server_started_at')::timestamptz <> pg_postmaster_start_time()
    or (p_sight ->> 'seen_at')::timestamptz < clock_timestamp() - interval '5 minutes'
  then
    return query select null::bigint, null::text[], null::integer[];
    return;
  end if;
  return query
  select
    changed.contact_id,
    coalesce(array_remove(keys.emails || keys.loose_emails || keys.phones || keys.external_id, null), '{}'),
    coalesce(keys.blocks, '{}')
  from (
    select distinct unnest(changed_keys.contact_ids) as contact_id
    from gate.changed_keys
    where changed_keys.changed_by >= pg_snapshot_xmin((p_sight ->> 'snapshot')::pg_snapshot)
      and not pg_visible_in_snapshot(changed_keys.changed_by, (p_sight ->> 'snapshot')::pg_snapshot)
  ) as changed
  left join gate.contact_keys as keys using (contact_id);
end
$$;
