-- Hold: the gate stands still because a person says so, or because the database is not the one it was.

-- Whether the gate holds, and why. A restored database before a pause. No row: it works.
-- Called by the push loop before each pass, by a run to the end of all work, by `resume`, and by status.
create or replace function gate.current_hold()
returns table (kind text, since timestamptz, set_by text, note text)
language sql
stable
as $$
  select hold.kind, hold.since, hold.set_by, hold.note
  from gate.hold
  order by hold.kind desc
  limit 1
$$;

-- Holds the gate until gate.lift_hold. False: it was paused already. Called by `pause`.
create or replace function gate.pause(p_note text)
returns boolean
language sql
as $$
  with paused as (
    insert into gate.hold (kind, note)
    values ('paused', p_note)
    on conflict do nothing
    returning 1
  ), noted as (
    insert into audit.steward_action (command, note)
    select 'pause', p_note
    from paused
  )
  select exists (select from paused)
$$;

-- Lifts holds of a kind. After a restored database every write of the last day is put in doubt: its contact is read again.
-- False: there was none. Called by `resume`.
create or replace function gate.lift_hold(p_kind text, p_note text)
returns boolean
language plpgsql
as $$
begin
  delete from gate.hold
  where kind = p_kind;
  if not found then
    return false;
  end if;
  insert into audit.steward_action (command, note)
  values ('resume', p_note);
  if p_kind = 'restored' then
    perform gate.doubt_since(clock_timestamp() - interval '24 hours', p_note);
  end if;
  perform pg_notify('gatekeeper_lead', '');
  return true;
end
$$;

-- What tells one course of a database's life from another: the cluster, its timeline, which grows when a standby is promoted
-- or a backup is recovered, and the number of the database. Null where the server does not tell.
create or replace function gate.history_now()
returns text
language plpgsql
stable
as $$
begin
  return concat_ws(
    '/',
    (select system_identifier from pg_catalog.pg_control_system()),
    left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8),
    (select oid from pg_catalog.pg_database where datname = current_database())
  );
exception
  when insufficient_privilege or undefined_function or object_not_in_prerequisite_state then
    return null;
end
$$;

-- Compares the database with what a replica saw last, and notes it. Only the timeline is another one, and that was seen less than ten
-- minutes ago: a failover. What its last commits had sent may be in the CRM without our knowing: writes of the last hour are
-- put in doubt. Anything else, and it is a restored backup or a copy: the gate holds until a person says that it may go on, for what
-- it believes to be waiting was perhaps written long ago.
-- Called at the start of a replica and at each heartbeat. Locks the site's row when there is something to note.
create or replace function gate.note_history()
returns void
language plpgsql
as $$
declare
  v_now text := gate.history_now();
  v_site gate.site;
begin
  select *
  into strict v_site
  from gate.site;
  if v_now is null or (v_site.history = v_now and v_site.history_noted_at > clock_timestamp() - interval '5 seconds') then
    return;
  end if;

  select *
  into strict v_site
  from gate.site
  for update;
  if v_site.history <> v_now then
    if split_part(v_site.history, '/', 1) = split_part(v_now, '/', 1)
      and split_part(v_site.history, '/', 3) = split_part(v_now, '/', 3)
      and v_site.history_noted_at > clock_timestamp() - interval '10 minutes'
    then
      perform gate.doubt_since(clock_timestamp() - interval '1 hour', format('timeline %s follows %s', v_now, v_site.history));
      insert into audit.steward_action (command, note)
      values ('failover', format('timeline %s follows %s', v_now, v_site.history));
    else
      insert into gate.hold (kind, note)
      values ('restored', format('the database was %s at %s, and is %s now', v_site.history, v_site.history_noted_at, v_now))
      on conflict do nothing;
      insert into audit.steward_action (command, note)
      values ('restored', format('the database was %s at %s, and is %s now', v_site.history, v_site.history_noted_at, v_now));
    end if;
  end if;

  update gate.site
  set history = v_now,
      history_noted_at = clock_timestamp();
end
$$;

-- Ends the lease of a replica, so that others take over what it held: for one that is known to be dead, or must not work any
-- more. One that lives ends by itself at its next heartbeat, and what it reports is refused. False: it had no lease.
-- Called by `replica release`.
create or replace function gate.release_replica(p_replica uuid, p_note text)
returns boolean
language sql
as $$
  with released as (
    update gate.replica
    set lease_until = clock_timestamp()
    where replica_id = p_replica
      and stopped_at is null
      and lease_until > clock_timestamp()
    returning replica_id
  ), noted as (
    insert into audit.steward_action (command, note)
    select 'replica release', format('%s: %s', replica_id, p_note)
    from released
  )
  select exists (select from released)
$$;

-- The replicas that have not said goodbye, with what is in their hands; those that are dead for a day are left out.
-- Called by `replica list`.
create or replace function gate.list_replicas()
returns table (
  replica_id uuid, host_id text, process_id integer, version text, started_at timestamptz, lease_seconds bigint,
  claims bigint, open_intents bigint
)
language sql
stable
as $$
  select
    replica.replica_id,
    replica.host_id,
    replica.process_id,
    replica.version,
    replica.started_at,
    extract(epoch from replica.lease_until - clock_timestamp())::bigint,
    (select count(*) from gate.work where work.replica_id = replica.replica_id and work.state = 'claimed'),
    (
      select count(*)
      from gate.intent
      where intent.replica_id = replica.replica_id
        and intent.state in ('open', 'unknown')
    )
  from gate.replica
  where replica.stopped_at is null
    and replica.lease_until > clock_timestamp() - interval '1 day'
  order by replica.started_at
$$;
