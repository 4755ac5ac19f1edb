-- Governor: the CRM's limits, held in one row for each so that all replicas share them.

-- Asks for leave to make one call now. Returns 0 when it is given, else how many milliseconds to wait before asking
-- again, and why. A permit is valid for the margin that p_window_ms already includes: the window is the CRM's own plus
-- the longest time between the grant and the arrival of the call, so no rolling window of the CRM's ever sees more than
-- p_limit. Limits of 0 mean none. p_share keeps room for those with a higher priority. p_for_leads: the call serves leads, and is
-- not made while the gate holds. p_retry_cost: the CRM failed the call before, and this one is made again: it waits while the
-- budget of all replicas is spent (gate.retry_budget). 0 for a first try.
-- Where the CRM fails, see gate.note_health, nobody is given leave but one, whose call is the probe.
-- Called by the governor before each call. Locks the rows of the day, of the bucket, of an open breaker and of the budget, always
-- in that order.
drop function if exists gate.take_permit(text, integer, integer, bigint, real, boolean);
create or replace function gate.take_permit(
  p_bucket text,
  p_limit integer,
  p_window_ms integer,
  p_daily_limit bigint,
  p_share real,
  p_for_leads boolean default false,
  p_retry_cost integer default 0
)
returns table (wait_ms bigint, why text)
language plpgsql
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_today date;
  v_window interval := make_interval(secs => p_window_ms / 1000.0);
  v_bucket gate.governor;
  v_daily gate.governor;
  v_grants timestamptz[];
  v_room integer := greatest(floor(p_limit * p_share)::integer, 1);
  v_breaker gate.breaker;
  v_tokens double precision;
begin
  if p_for_leads and exists (select from gate.hold) then
    wait_ms := 1000;
    why := 'the gate holds';
    return next;
    return;
  end if;

  -- A row that a hand has deleted took what was granted with it: nobody calls for as long as that may still count.
  if (select count(*) from gate.governor where bucket in ('daily', p_bucket)) < 2 then
    insert into gate.governor (bucket, paused_until, pause_reason)
    values
      ('daily', null, null),
      (p_bucket, clock_timestamp() + v_window, 'the row of this limit was lost')
    on conflict (bucket) do nothing;
  end if;

  select * into strict v_daily from gate.governor where bucket = 'daily' for update;
  select * into strict v_bucket from gate.governor where bucket = p_bucket for update;
  v_now := clock_timestamp();
  select (v_now at time zone coalesce(time_zone, 'UTC'))::date into v_today from gate.site;

  if greatest(v_daily.paused_until, v_bucket.paused_until) > v_now then
    wait_ms := ceil(extract(epoch from greatest(v_daily.paused_until, v_bucket.paused_until) - v_now) * 1000);
    why := case
      when v_bucket.paused_until > v_now then coalesce(v_bucket.pause_reason, 'paused')
      else coalesce(v_daily.pause_reason, 'paused')
    end;
    return next;
    return;
  end if;

  -- Read without a lock while the CRM is well.
  select * into v_breaker from gate.breaker where open_until is not null for update;
  if greatest(v_breaker.open_until, v_breaker.probe_until) > v_now then
    wait_ms := ceil(extract(epoch from greatest(v_breaker.open_until, v_breaker.probe_until) - v_now) * 1000);
    why := 'the CRM fails';
    return next;
    return;
  end if;

  if p_daily_limit > 0 and v_daily.day = v_today and v_daily.day_used >= floor(p_daily_limit * p_share) then
    select ceil(extract(epoch from ((v_today + 1)::timestamp at time zone coalesce(time_zone, 'UTC')) - v_now) * 1000)
    into wait_ms
    from gate.site;
    wait_ms := least(wait_ms, 60000);
    why := 'daily limit';
    return next;
    return;
  end if;

  if p_retry_cost > 0 then
    perform from gate.retry_budget for update;
    select gate.retry_tokens(retry_budget) into v_tokens from gate.retry_budget;
    if v_tokens < p_retry_cost then
      wait_ms := ceil((p_retry_cost - v_tokens) * 1000);
      why := 'the budget for retries is spent';
      return next;
      return;
    end if;
  end if;

  if p_limit > 0 then
    select coalesce(array_agg(granted order by granted), '{}')
    into v_grants
    from unnest(v_bucket.grants) as granted
    where granted > v_now - v_window;
    if cardinality(v_grants) >= v_room then
      wait_ms := greatest(
        ceil(extract(epoch from v_grants[cardinality(v_grants) - v_room + 1] + v_window - v_now) * 1000), 1
      );
      why := 'rolling window';
      return next;
      return;
    end if;
    update gate.governor
    set grants = v_grants || v_now
    where bucket = p_bucket;
  end if;

  update gate.governor
  set day = v_today,
      day_used = case when day = v_today then day_used + 1 else 1 end
  where bucket = 'daily';
  if v_tokens is not null then
    update gate.retry_budget
    set tokens = v_tokens - p_retry_cost,
        counted_at = v_now;
  end if;
  if v_breaker.open_until is not null then
    update gate.breaker
    set probe_until = v_now + interval '30 seconds';
  end if;
  wait_ms := 0;
  return next;
end
$$;

-- Nobody calls before p_seconds have passed: a 429, a 5xx storm, a migrating account. A pause is never shortened.
-- Called by the governor after an answer that says so.
create or replace function gate.pause_bucket(p_bucket text, p_seconds double precision, p_reason text)
returns void
language sql
as $$
  update gate.governor
  set paused_until = greatest(paused_until, clock_timestamp() + make_interval(secs => p_seconds)),
      pause_reason = p_reason
  where bucket = p_bucket
$$;

-- Seconds until the account's midnight, when its daily quota begins anew.
create or replace function gate.seconds_to_midnight()
returns double precision
language sql
stable
as $$
  select extract(epoch from
    ((clock_timestamp() at time zone coalesce(time_zone, 'UTC'))::date + 1)::timestamp
      at time zone coalesce(time_zone, 'UTC') - clock_timestamp()
  )::double precision
  from gate.site
$$;

-- Learns from the CRM's headers that others use the same limit: our count is raised to theirs, never lowered.
-- Called by the governor when an answer says that less is left than we think. Locks the day and then the bucket, as
-- gate.take_permit does.
create or replace function gate.learn_usage(p_bucket text, p_window_used integer, p_window_ms integer, p_day_used bigint)
returns void
language sql
as $$
  update gate.governor
  set day_used = p_day_used
  where bucket = 'daily'
    and day = (select (clock_timestamp() at time zone coalesce(time_zone, 'UTC'))::date from gate.site)
    and day_used < p_day_used;

  update gate.governor
  set grants = grants || array_fill(clock_timestamp(), array[p_window_used - fresh.count])
  from (
    select count(*)::integer as count
    from gate.governor as bucket
    cross join lateral unnest(bucket.grants) as granted
    where bucket.bucket = p_bucket
      and granted > clock_timestamp() - make_interval(secs => p_window_ms / 1000.0)
  ) as fresh
  where bucket = p_bucket
    and p_window_used > fresh.count;
$$;

-- The limits as they stand, for status.
create or replace function gate.governor_state(p_window_ms integer)
returns table (bucket text, used_now bigint, day_used bigint, paused_seconds double precision, pause_reason text)
language sql
stable
as $$
  select
    governor.bucket,
    (select count(*) from unnest(grants) as granted where granted > clock_timestamp() - make_interval(secs => p_window_ms / 1000.0)),
    governor.day_used,
    greatest(extract(epoch from paused_until - clock_timestamp()), 0)::double precision,
    case when paused_until > clock_timestamp() then governor.pause_reason end
  from gate.governor
$$;
