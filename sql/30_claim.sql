-- Claim: which leads a replica works on, for how long, and how they are handed back.

-- Starts a replica: writes its heartbeat row, and declares dead at once the runs of this machine whose process is gone.
-- p_gone lists 'process_id:process_started' of those: what started since the daemon looked is not among them. Called once by
-- the daemon.
drop function if exists gate.start_replica(uuid, text, integer, text, text, integer, text[]);
create or replace function gate.start_replica(
  p_replica uuid,
  p_host_id text,
  p_process_id integer,
  p_process_started text,
  p_version text,
  p_lease_seconds integer,
  p_gone text[]
)
returns void
language sql
as $$
  select gate.note_history();

  update gate.replica
  set lease_until = clock_timestamp()
  where host_id = p_host_id
    and stopped_at is null
    and lease_until > clock_timestamp()
    and process_id || ':' || process_started = any (p_gone);

  insert into gate.replica (replica_id, host_id, process_id, process_started, version, lease_until)
  values (
    p_replica, p_host_id, p_process_id, p_process_started, p_version,
    clock_timestamp() + make_interval(secs => p_lease_seconds)
  );
$$;

-- The runs of a machine that have not said goodbye, so that the daemon can look which processes still live.
create or replace function gate.replicas_of_host(p_host_id text)
returns table (process_id integer, process_started text)
language sql
stable
as $$
  select process_id, process_started
  from gate.replica
  where host_id = p_host_id
    and stopped_at is null
$$;

-- Prolongs the lease. False: the lease had run out, others may have taken over; stop working and start anew.
-- Called by the heartbeat. Locks the replica's own row.
create or replace function gate.beat(p_replica uuid, p_lease_seconds integer)
returns boolean
language sql
as $$
  select gate.note_history();

  with beaten as (
    update gate.replica
    set lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
    where replica_id = p_replica
      and stopped_at is null
      and lease_until > clock_timestamp()
    returning 1
  )
  select exists (select from beaten)
$$;

-- Says goodbye: hands back claims clean, and ends the lease so that nothing waits for it. Called at a clean stop.
create or replace function gate.stop_replica(p_replica uuid)
returns void
language sql
as $$
  update gate.work
  set state = 'ready', replica_id = null, claims = greatest(claims - 1, 0)
  where state = 'claimed'
    and replica_id = p_replica;

  update gate.replica
  set stopped_at = clock_timestamp(), lease_until = least(lease_until, clock_timestamp())
  where replica_id = p_replica;
$$;

-- Leads as they are read: texts cut where nobody could use more, and a time that can be. One that cannot counts as the time of
-- arrival. Read by gate.claim_leads and gate.read_leads.
create or replace view gate.lead_text as
select
  lead.lead_id, lead.source, lead.source_key,
  left(lead.external_id, 65537) as external_id,
  left(lead.email, 65537) as email,
  left(lead.phone, 65537) as phone,
  left(lead.mobile_phone, 65537) as mobile_phone,
  left(lead.first_name, 65537) as first_name,
  left(lead.last_name, 65537) as last_name,
  left(lead.full_name, 65537) as full_name,
  left(lead.company, 65537) as company,
  left(lead.job_title, 65537) as job_title,
  left(lead.street, 65537) as street,
  left(lead.city, 65537) as city,
  left(lead.state, 65537) as state,
  left(lead.postal_code, 65537) as postal_code,
  left(lead.country, 65537) as country,
  left(lead.properties::text, 262145) as properties,
  case
    when lead.occurred_at between '1900-01-01' and now() + interval '5 minutes' then lead.occurred_at
    else least(greatest(coalesce(lead.received_at, now()), '1900-01-01'), now())
  end as occurred_at
from staging.lead;

comment on view gate.lead_text is 'Leads as the daemon reads them.';

-- Takes up to p_limit leads that are due, at most p_bytes of text (one lead at least), oldest first. A lead that has
-- been claimed p_suspect times or more without being handed back is taken alone: it may be what kills the process. So is
-- one with less than no claims: it was folded into a write that the CRM refused, and may be to blame for that.
-- Where there are brakes, a lead is taken only once gate.mind_brakes has looked at it.
-- Called by the push loop. Locks the rows it takes, skips those that others hold.
-- The CTE is materialized: the planner must not evaluate a locking limit twice.
drop function if exists gate.claim_leads(uuid, integer, bigint, integer);
create or replace function gate.claim_leads(p_replica uuid, p_limit integer, p_bytes bigint, p_suspect integer)
returns table (
  lead_id bigint, epoch bigint, claims integer, is_there boolean, source text, source_key text, external_id text,
  email text, phone text, mobile_phone text, first_name text, last_name text, full_name text, company text,
  job_title text, street text, city text, state text, postal_code text, country text, properties text,
  occurred_at timestamptz, rehearse boolean
)
language sql
as $$
  with due as materialized (
    select work.lead_id, work.next_at, work.claims
    from gate.work
    where work.state = 'ready'
      and work.next_at <= clock_timestamp()
      and (work.brake is not null or not exists (select from rules.brake))
    order by work.next_at, work.lead_id
    limit p_limit
    for update skip locked
  ), sized as (
    select
      due.lead_id,
      row_number() over oldest_first as place,
      sum(octet_length(lead::text)) over oldest_first as bytes_so_far,
      bool_or(due.claims >= p_suspect or due.claims < 0) over oldest_first as suspect_so_far
    from due
    left join staging.lead using (lead_id)
    window oldest_first as (order by due.next_at, due.lead_id)
  ), taken as (
    update gate.work
    set state = 'claimed',
        replica_id = p_replica,
        epoch = work.epoch + 1,
        claims = work.claims + 1
    from sized
    where work.lead_id = sized.lead_id
      and (sized.place = 1 or (coalesce(sized.bytes_so_far, 0) <= p_bytes and not sized.suspect_so_far))
    returning work.lead_id, work.epoch, work.claims, work.brake
  )
  select
    taken.lead_id, taken.epoch, taken.claims, lead.lead_id is not null, lead.source, lead.source_key, lead.external_id,
    lead.email, lead.phone, lead.mobile_phone, lead.first_name, lead.last_name, lead.full_name, lead.company,
    lead.job_title, lead.street, lead.city, lead.state, lead.postal_code, lead.country, lead.properties,
    coalesce(lead.occurred_at, now()), taken.brake is not distinct from 'rehearse'
  from taken
  left join gate.lead_text as lead using (lead_id)
  order by taken.lead_id
$$;

-- Leads as they would be claimed, without being claimed. Called by the replays' dry runs.
create or replace function gate.read_leads(p_leads bigint[])
returns table (
  lead_id bigint, epoch bigint, claims integer, is_there boolean, source text, source_key text, external_id text,
  email text, phone text, mobile_phone text, first_name text, last_name text, full_name text, company text,
  job_title text, street text, city text, state text, postal_code text, country text, properties text,
  occurred_at timestamptz, rehearse boolean
)
language sql
stable
as $$
  select
    lead.lead_id, 0, 0, true, lead.source, lead.source_key, lead.external_id, lead.email, lead.phone, lead.mobile_phone,
    lead.first_name, lead.last_name, lead.full_name, lead.company, lead.job_title, lead.street, lead.city, lead.state,
    lead.postal_code, lead.country, lead.properties, lead.occurred_at, false
  from gate.lead_text as lead
  where lead.lead_id = any (p_leads)
  order by lead.lead_id
$$;

-- Hands back claims whose replica is dead. What it had claimed keeps its count: a lead that kills is found by it.
-- Called by the sweep.
create or replace function gate.rescue_claims()
returns bigint
language sql
as $$
  with rescued as (
    update gate.work
    set state = 'ready', replica_id = null
    from gate.replica
    where work.state = 'claimed'
      and replica.replica_id = work.replica_id
      and replica.lease_until < clock_timestamp()
    returning 1
  )
  select count(*)
  from rescued
$$;

-- Hands back claims after a pass that failed as a whole. After trouble of the database or the CRM no lead is charged.
-- Where the database refused what one of them brought, which nobody can name, all keep their count: the next passes take
-- them alone, and the one that is refused again ends as a dead letter. Called by the push loop.
drop function if exists gate.release_leads(uuid, bigint[], double precision);
create or replace function gate.release_leads(
  p_replica uuid,
  p_leads bigint[],
  p_delay_seconds double precision,
  p_charged boolean default false
)
returns void
language sql
as $$
  update gate.work
  set state = 'ready',
      replica_id = null,
      claims = case when p_charged then claims else greatest(claims - 1, 0) end,
      next_at = clock_timestamp() + make_interval(secs => p_delay_seconds)
  where lead_id = any (p_leads)
    and state = 'claimed'
    and replica_id = p_replica
$$;

-- Hands back clean all that a living replica still has claimed. Called by the push loop before it claims again, when it
-- could not be told what it had claimed or could not hand it back: nobody else would, as long as the replica lives.
create or replace function gate.release_claims(p_replica uuid)
returns bigint
language sql
as $$
  with released as (
    update gate.work
    set state = 'ready', replica_id = null, claims = greatest(claims - 1, 0)
    where state = 'claimed'
      and replica_id = p_replica
    returning 1
  )
  select count(*)
  from released
$$;

-- How long until the next lead is due; null when none waits. Called by the push loop before it sleeps.
create or replace function gate.next_due()
returns double precision
language sql
stable
as $$
  select extract(epoch from next_at - clock_timestamp())::double precision
  from gate.work
  where state = 'ready'
  order by next_at, lead_id
  limit 1
$$;

-- Whether nothing waits: no lead is ready, claimed or being written, nothing is to be restored, and no
-- rehearsal is under way. What a brake holds waits for a person. What waits for a person who must speak about a write in
-- doubt does not count. One question for each state, for each has an index; all in one would read every lead there ever
-- was. Called by `run --until-idle`.
create or replace function gate.is_idle()
returns boolean
language sql
stable
as $$
  select
    not exists (
      select
      from gate.work
      where state = 'ready'
        and (
          waits_for is null
          or not exists (select from gate.intent where contact_id = waits_for and in_doubt_at is not null)
        )
    )
    and not exists (select from gate.work where state = 'claimed')
    and not exists (
      select
      from gate.work
      where state = 'intended'
        and not exists (
          select
          from gate.intent_lead
          join gate.intent using (intent_id)
          where intent_lead.lead_id = work.lead_id
            and intent.in_doubt_at is not null
        )
    )
    and not exists (select from gate.brake where state = 'rehearsing')
    and not exists (select from gate.undo where state = 'waiting')
    and not exists (
      select
      from gate.undo
      join gate.intent using (contact_id)
      where undo.state = 'intended'
        and undo.done_at > clock_timestamp() - interval '1 hour'
        and intent.state in ('open', 'unknown')
        and intent.in_doubt_at is null
    )
$$;
