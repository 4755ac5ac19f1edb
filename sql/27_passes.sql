-- Passes: how the mirror is kept, who is at it, how far it has come, and how old that makes the mirror.

-- How old the mirror is: time since the end of the last window that was read whole. Null before the first full load.
-- Read with every decision.
create or replace function gate.mirror_age()
returns interval
language sql
stable
as $$
  select clock_timestamp() - max(watermark)
  from gate.mirror_progress
  where pass in ('full', 'changes')
    and exists (select from gate.mirror_progress as loaded where loaded.pass = 'full' and loaded.watermark is not null)
$$;

-- The mirror's age in seconds. Called by the push loop before it claims.
create or replace function gate.mirror_age_seconds()
returns double precision
language sql
stable
as $$
  select extract(epoch from gate.mirror_age())::double precision
$$;

-- Whether a replica has said goodbye or lost its lease. A short-lived command has no row and is taken to live.
create or replace function gate.replica_is_dead(p_replica uuid)
returns boolean
language sql
stable
as $$
  select exists (
    select
    from gate.replica
    where replica_id = p_replica
      and (stopped_at is not null or lease_until < clock_timestamp())
  )
$$;

-- Begins a pass, takes up the one under way, or says why not. standing is
--
-- begun     a new pass begins
-- resumed   the pass under way goes on from its cursor
-- held      another replica is at it
-- idle      nothing can have happened since the last window, or there was no full load yet
--
-- p_lag_seconds and p_overlap_seconds are of a pass over a window and null for a pass over all: it goes from the
-- watermark minus the overlap to now minus the lag. A full pass that does not read p_fields begins anew.
-- Called by the pull loop, which holds the pass for p_lease_seconds from here and from each page on.
create or replace function gate.begin_pass(
  p_pass text, p_replica uuid, p_lease_seconds integer, p_lag_seconds double precision,
  p_overlap_seconds double precision, p_fields text[]
)
returns table (
  standing text, cursor text, window_lo timestamptz, window_hi timestamptz, started_at timestamptz,
  listed_at timestamptz, rows_read bigint, expected bigint, same_fields boolean
)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_progress gate.mirror_progress;
  v_known timestamptz;
  v_hi timestamptz := v_now - make_interval(secs => p_lag_seconds);
  v_standing text := 'resumed';
begin
  insert into gate.mirror_progress (pass)
  values (p_pass)
  on conflict (pass) do nothing;

  select *
  into v_progress
  from gate.mirror_progress
  where pass = p_pass
  for update;

  if v_progress.replica_id <> p_replica
    and v_progress.lease_until > v_now
    and not gate.replica_is_dead(v_progress.replica_id)
  then
    v_standing := 'held';
  elsif v_progress.started_at is null
    or v_progress.finished_at is not null
    or (p_pass = 'full' and not p_fields <@ v_progress.reading)
  then
    select greatest(v_progress.watermark, max(watermark))
    into v_known
    from gate.mirror_progress
    where pass = 'full';
    v_standing := case when p_lag_seconds is null or v_hi > v_known then 'begun' else 'idle' end;
  end if;

  if v_standing = 'begun' then
    update gate.mirror_progress
    set cursor = null,
        window_lo = v_known - make_interval(secs => p_overlap_seconds),
        window_hi = v_hi,
        started_at = v_now,
        listed_at = null,
        finished_at = null,
        rows_read = 0,
        expected = null,
        indexed_until = 0,
        missing = 0,
        stale = 0,
        ghost = 0,
        reading = p_fields
    where pass = p_pass;
  end if;
  if v_standing in ('begun', 'resumed') then
    update gate.mirror_progress
    set replica_id = p_replica, lease_until = v_now + make_interval(secs => p_lease_seconds)
    where pass = p_pass;
  end if;

  return query
  select
    v_standing, cursor, window_lo, window_hi, started_at, listed_at, rows_read, expected,
    reading <@ fields and fields <@ reading
  from gate.mirror_progress
  where pass = p_pass;
end
$$;

-- Notes how many contacts the CRM says that it has. Called once, at the beginning of a full pass.
create or replace function gate.expect_contacts(p_expected bigint)
returns void
language sql
as $$
  update gate.mirror_progress
  set expected = p_expected
  where pass = 'full'
$$;

-- Notes how far a pass has come and prolongs the lease. p_found: {rows, missing, stale, ghost}, what this step adds.
-- False: the pass is in other hands now, and the caller rolls back what it wrote. Called after each page, in the
-- transaction that wrote the page; p_listed with the last one.
create or replace function gate.step_pass(
  p_pass text, p_replica uuid, p_started_at timestamptz, p_lease_seconds integer, p_cursor text, p_listed boolean,
  p_found jsonb
)
returns boolean
language sql
as $$
  with stepped as (
    update gate.mirror_progress
    set cursor = p_cursor,
        listed_at = case when p_listed then coalesce(listed_at, clock_timestamp()) end,
        rows_read = rows_read + (p_found ->> 'rows')::bigint,
        missing = missing + (p_found ->> 'missing')::bigint,
        stale = stale + (p_found ->> 'stale')::bigint,
        ghost = ghost + (p_found ->> 'ghost')::bigint,
        lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
    where pass = p_pass
      and replica_id = p_replica
      and started_at = p_started_at
      and finished_at is null
    returning pass
  )
  select exists (select from stepped)
$$;

-- At the end of the first load: makes the next p_limit contacts findable, in the order of the indexes, which is faster than
-- page by page. Returns whether there are more. Null: the pass is in other hands now. Called by the pull loop until there
-- are no more, right before gate.end_pass. Takes gate.lock_people.
create or replace function gate.index_first_load(p_replica uuid, p_started_at timestamptz, p_lease_seconds integer, p_limit integer)
returns boolean
language plpgsql
as $$
declare
  v_after bigint;
  v_until bigint;
  v_count bigint;
begin
  perform gate.lock_people();
  select indexed_until
  into v_after
  from gate.mirror_progress
  where pass = 'full'
    and replica_id = p_replica
    and started_at = p_started_at
    and finished_at is null
  for update;
  if not found then
    return null;
  end if;

  select max(contact_id), count(*)
  into v_until, v_count
  from (
    select contact_id
    from gate.contact_keys
    where contact_id > v_after
    order by contact_id
    limit p_limit
  ) as slice;

  insert into gate.identifier (kind, value, contact_id)
  select distinct own.kind, own.value, keys.contact_id
  from gate.contact_keys as keys
  cross join lateral gate.identifiers_of(keys) as own
  where keys.contact_id > v_after
    and keys.contact_id <= v_until
    and octet_length(own.value) <= 2000
  order by own.kind, own.value, keys.contact_id;

  insert into gate.block_key (block, glance, contact_id)
  select distinct own.block, own.glance, keys.contact_id
  from gate.contact_keys as keys
  cross join lateral gate.blocks_of(keys) as own
  where keys.contact_id > v_after
    and keys.contact_id <= v_until
  order by own.block, keys.contact_id;

  update gate.mirror_progress
  set indexed_until = coalesce(v_until, v_after),
      lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where pass = 'full';
  return v_count = p_limit;
end
$$;

-- Lets others have a pass that is under way. Called when a pass stops before its end.
create or replace function gate.release_pass(p_pass text, p_replica uuid)
returns void
language sql
as $$
  update gate.mirror_progress
  set replica_id = null, lease_until = null
  where pass = p_pass
    and replica_id = p_replica
$$;

-- Ends a pass: p_watermark is up to when all is now in the mirror. A full pass records which fields the mirror holds
-- since then, and, unless it was the first, how far the mirror had drifted. Null: the pass is in other hands now.
create or replace function gate.end_pass(p_pass text, p_replica uuid, p_started_at timestamptz, p_watermark timestamptz)
returns table (rows_read bigint, missing bigint, stale bigint, ghost bigint)
language sql
as $$
  with former as (
    select watermark
    from gate.mirror_progress
    where pass = p_pass
  ), ended as (
    update gate.mirror_progress
    set finished_at = clock_timestamp(),
        cursor = null,
        watermark = greatest(watermark, p_watermark),
        fields = reading,
        replica_id = null,
        lease_until = null
    where pass = p_pass
      and replica_id = p_replica
      and started_at = p_started_at
      and finished_at is null
    returning rows_read, missing, stale, ghost, finished_at
  ), noted as (
    insert into gate.mirror_drift (compared_at, contacts, missing, stale, ghost)
    select ended.finished_at, ended.rows_read, ended.missing, ended.stale, ended.ghost
    from ended
    cross join former
    where p_pass = 'full'
      and former.watermark is not null
  )
  select rows_read, missing, stale, ghost
  from ended
$$;

-- The fields that the mirror holds. A value of another field is not known here, so it is never written.
create or replace function gate.mirrored_fields()
returns text[]
language sql
stable
as $$
  select coalesce((select fields from gate.mirror_progress where pass = 'full'), '{}')
$$;

-- All passes, for status and for the pull loop's timetable. Without the lease of a replica that is dead.
create or replace function gate.passes()
returns table (
  pass text, started_at timestamptz, finished_at timestamptz, rows_read bigint, expected bigint,
  watermark timestamptz, replica_id uuid, lease_until timestamptz
)
language sql
stable
as $$
  select
    pass, started_at, finished_at, rows_read, expected, watermark,
    case when not gate.replica_is_dead(replica_id) then replica_id end,
    case when not gate.replica_is_dead(replica_id) then lease_until end
  from gate.mirror_progress
$$;

-- The time by which all windows and leases are reckoned.
create or replace function gate.database_time()
returns timestamptz
language sql
volatile
as $$
  select clock_timestamp()
$$;
