-- Ask: what the commands show. All read only.

-- Dead letters, newest first; what is null does not narrow the choice. Called by `dead list`, `dead replay` and `dead discard` to
-- pick them.
drop function if exists gate.list_dead(text, bigint, boolean);
create or replace function gate.list_dead(
  p_reason text, p_source text, p_since timestamptz, p_until timestamptz, p_limit bigint, p_all boolean
)
returns setof report.dead_letter
language sql
stable
as $$
  select *
  from report.dead_letter
  where (p_reason is null or reason = p_reason)
    and (p_source is null or source = p_source)
    and (p_since is null or died_at >= p_since)
    and (p_until is null or died_at < p_until)
    and (p_all or state = 'waiting')
  order by died_at desc, lead_id desc
  limit p_limit
$$;

-- Reviews, oldest first; what is null does not narrow the choice. Called by `review list` and `review replay`.
drop function if exists gate.list_review(bigint, boolean);
create or replace function gate.list_review(
  p_reason text, p_source text, p_since timestamptz, p_until timestamptz, p_limit bigint, p_all boolean
)
returns setof report.review
language sql
stable
as $$
  select *
  from report.review
  where (p_reason is null or reason = p_reason)
    and (p_source is null or source = p_source)
    and (p_since is null or opened_at >= p_since)
    and (p_until is null or opened_at < p_until)
    and (p_all or state = 'open')
  order by opened_at, lead_id
  limit p_limit
$$;

-- The lead of a source's row; the latest, if it was delivered several times. Called by `explain` and `why-not`.
create or replace function gate.find_lead(p_source text, p_source_key text)
returns bigint
language sql
stable
as $$
  select max(lead_id)
  from staging.lead
  where source = p_source
    and source_key = p_source_key
$$;

-- All that is known of a lead, in one document: the delivered row, its state, every decision with its fields, what was
-- sent and answered, the contacts that were considered. Called by `explain`, `dead show` and `review show`.
create or replace function gate.story(p_lead bigint)
returns jsonb
language sql
stable
as $$
  select jsonb_build_object(
    'lead', to_jsonb(lead),
    'work', to_jsonb(work),
    'dead_letter', (select to_jsonb(dead_letter) from gate.dead_letter where dead_letter.lead_id = lead.lead_id),
    'review', (select to_jsonb(review) from gate.review where review.lead_id = lead.lead_id),
    'decisions', (
      select coalesce(jsonb_agg(
        to_jsonb(decision) || jsonb_build_object(
          'changes', (
            select coalesce(jsonb_agg(to_jsonb(change) order by change.field), '[]')
            from audit.change
            where change.decision_id = decision.decision_id
          ),
          'settlement', (
            select to_jsonb(settlement)
            from audit.settlement
            where settlement.decision_id = decision.decision_id
          ),
          'intent', (
            select to_jsonb(intent) - 'keys'
            from gate.intent
            where intent.intent_id = decision.intent_id
          ),
          'call', (
            select to_jsonb(crm_call)
            from audit.settlement
            join audit.crm_call using (call_id)
            where settlement.decision_id = decision.decision_id
          )
        )
        order by decision.decision_id
      ), '[]')
      from audit.decision
      where decision.lead_id = lead.lead_id
    ),
    'contacts', (
      select coalesce(jsonb_object_agg(contact.contact_id, to_jsonb(contact)), '{}')
      from crm.contact
      where contact.contact_id in (
        select (candidate ->> 'contact_id')::bigint
        from audit.entry
        cross join lateral jsonb_array_elements(entry.evidence -> 'candidates') as candidate
        where entry.lead_id = lead.lead_id
        union
        select entry.contact_id
        from audit.entry
        where entry.lead_id = lead.lead_id
      )
    )
  )
  from staging.lead
  left join gate.work using (lead_id)
  where lead.lead_id = p_lead
$$;

-- A contact by its own number or by the CRM's id, an absorbed id included. Called by `why-not`.
create or replace function gate.find_contact(p_contact_id bigint, p_crm_id text)
returns jsonb
language sql
stable
as $$
  select to_jsonb(contact)
  from crm.contact
  where contact.contact_id = p_contact_id
    or contact.crm_id = coalesce(
      (select contact_alias.crm_id from crm.contact_alias where contact_alias.absorbed_crm_id = p_crm_id),
      p_crm_id
    )
  limit 1
$$;

-- Two sets of keys as leads that have the numbers -1 and -2, without their blocks, which `why-not` has as texts. Called by
-- gate.compare_pair and gate.meet.
create or replace function gate.two_leads(p_left jsonb, p_right jsonb)
returns gate.contact_keys[]
language sql
stable
as $$
  select array_agg(keys order by keys.contact_id desc)
  from jsonb_populate_recordset(
    null::gate.contact_keys,
    jsonb_build_array(p_left - 'blocks' || '{"contact_id": -1}', p_right - 'blocks' || '{"contact_id": -2}')
  ) as keys
$$;

-- How well two sets of keys agree, field by field, and what that is worth: what gate.match_leads would make of the pair if it
-- had met. Without their blocks, which `why-not` has as texts. Called by `why-not`.
create or replace function gate.compare_pair(p_left jsonb, p_right jsonb)
returns table (field text, level text, weight real)
language sql
stable
as $$
  select compared.field, compared.level, compared.weight
  from gate.weigh(array(
    select agreement
    from gate.agreements(
      array[-1::bigint],
      array[-2::bigint],
      gate.two_leads(p_left, p_right),
      true
    ) as agreement
  )) as weighed
  cross join lateral unnest(
    array['base', 'first_name', 'last_name', 'full_name', 'company', 'email', 'phone', 'place', 'job_title', 'generation',
      'country', 'external_id'],
    array['pair', (agreement).first_name, (agreement).last_name,
      case when (agreement).first_name = 'exact' and (agreement).last_name = 'exact' then 'exact' else 'other' end,
      (agreement).company, (agreement).email, (agreement).phone, (agreement).place, (agreement).job_title,
      (agreement).generation, (agreement).country, (agreement).external_id],
    parts
  ) as compared (field, level, weight)
$$;

-- Whether two sets of keys that share the blocks p_blocks would be compared by them: how many contacts the smallest of these
-- blocks has (null: each has more than 100), and whether so much agrees at a glance. Called by `why-not`.
drop function if exists gate.meet(jsonb, jsonb, bigint[]);
create or replace function gate.meet(p_left jsonb, p_right jsonb, p_blocks integer[])
returns table (contacts bigint, compared boolean)
language sql
stable
as $$
  with known as (
    select
      gate.glance(p_left ->> 'company', p_left ->> 'email_domain', p_left ->> 'city', p_left ->> 'postal_code') as mine,
      (
        select glance
        from gate.given_glances_asked(array[p_left ->> 'first_name'], array[p_left ->> 'address_first'])
      ) as my_given,
      gate.family_glance(p_left ->> 'last_name', p_left ->> 'address_last') as my_family
  ), theirs as (
    select own.block, own.glance
    from jsonb_populate_record(null::gate.contact_keys, p_right - 'blocks' || jsonb_build_object('blocks', p_blocks)) as keys
    cross join lateral gate.blocks_of(keys) as own
  ), sized as (
    select theirs.block, theirs.glance, max(shared.contacts) as contacts
    from theirs
    cross join lateral gate.sharing_block(theirs.block, 0, 0, 0) as shared
    group by theirs.block, theirs.glance
  ), smallest as (
    select
      min(sized.contacts) as contacts,
      bool_or(
        gate.block_shows(sized.block, sized.contacts, sized.glance, known.mine, known.my_given, known.my_family)
      ) as in_sight
    from sized
    cross join known
  )
  select
    smallest.contacts,
    smallest.in_sight is true and exists (
      select
      from gate.worth_comparing_among(
        array[-1::bigint],
        array[-2::bigint],
        array[smallest.contacts],
        gate.two_leads(p_left, p_right)
      )
    )
  from smallest
$$;

-- Leads by state. The unfinished ones and those that wait for a person are counted, each state by its index. Those that
-- are done are reckoned from the table's size by its last analysis where it is large: counting them would read them all.
create or replace function gate.leads_by_state()
returns table (state text, leads bigint)
language sql
stable
as $$
  with counted as (
    select 'ready' as state, count(*) as leads from gate.work where state = 'ready'
    union all select 'claimed', count(*) from gate.work where state = 'claimed'
    union all select 'intended', count(*) from gate.work where state = 'intended'
    union all select 'dead', count(*) from gate.work where state = 'dead'
    union all select 'review', count(*) from gate.work where state = 'review'
    union all select 'held', count(*) from gate.work where state = 'held'
  ), size as (
    select reltuples::bigint as leads
    from pg_catalog.pg_class
    where oid = 'gate.work'::regclass
  )
  select state, leads
  from counted
  union all
  select
    'done',
    case
      when size.leads < 1000000 then (select count(*) from gate.work where state = 'done')
      else greatest(size.leads - (select sum(leads) from counted), 0)::bigint
    end
  from size
$$;

-- The state of the whole, in one document. Called by `status`.
create or replace function gate.status(p_window_ms integer)
returns jsonb
language sql
stable
as $$
  select jsonb_build_object(
    'leads', (
      select jsonb_object_agg(state, leads)
      from gate.leads_by_state()
    ),
    'oldest_waiting_seconds', (
      select extract(epoch from now() - min(lead.received_at))::bigint
      from (
        select lead_id from gate.work where state = 'ready'
        union all select lead_id from gate.work where state = 'claimed'
        union all select lead_id from gate.work where state = 'intended'
      ) as unfinished
      join staging.lead using (lead_id)
    ),
    'dead_letters_waiting', (select count(*) from gate.dead_letter where state = 'waiting'),
    'reviews_open', (select count(*) from gate.review where state = 'open'),
    'merges', (
      select jsonb_build_object(
        'approved', count(*) filter (where state = 'approved'),
        'under_way', count(*) filter (where state <> 'approved')
      )
      from merge.plan
      where state in ('approved', 'running', 'undoing')
    ),
    'hold', (select to_jsonb(hold) from gate.current_hold() as hold),
    'doubted_intents', (select count(*) from gate.intent where doubted_at > clock_timestamp() - gate.longest_travel()),
    'open_intents', (select count(*) from gate.intent where state = 'open'),
    'unknown_intents', (select count(*) from gate.intent where state = 'unknown' and in_doubt_at is null),
    'in_doubt_intents', (select count(*) from gate.intent where in_doubt_at is not null),
    'mirror', jsonb_build_object(
      'contacts', (select count(*) from crm.contact)
        - (select count(*) from crm.contact where crm_id is null)
        - (select count(*) from crm.contact where archived_at is not null),
      'provisional', (select count(*) from crm.contact where crm_id is null),
      'tombstones', (select count(*) from crm.contact where archived_at is not null),
      'age_seconds', (select extract(epoch from gate.mirror_age())::bigint),
      'passes', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'pass', pass, 'started_at', started_at, 'finished_at', finished_at, 'rows_read', rows_read,
          'watermark', watermark
        ) order by pass), '[]')
        from gate.mirror_progress
      ),
      'last_drift', (select to_jsonb(drift) from gate.mirror_drift as drift order by compared_at desc limit 1)
    ),
    'replicas', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'replica_id', replica_id, 'version', version, 'process_id', process_id, 'started_at', started_at,
        'lease_seconds', extract(epoch from lease_until - clock_timestamp())::bigint
      ) order by started_at), '[]')
      from gate.replica
      where stopped_at is null
        and lease_until > clock_timestamp() - interval '1 hour'
    ),
    'governor', (select coalesce(jsonb_agg(to_jsonb(state)), '[]') from gate.governor_state(p_window_ms) as state),
    'retry_tokens', (select floor(gate.retry_tokens(retry_budget)) from gate.retry_budget),
    'breaker', (
      select jsonb_build_object(
        'failures', failures,
        'state', case when open_until is null then 'closed' when probe_until is null then 'open' else 'probing' end,
        'open_seconds', greatest(extract(epoch from open_until - clock_timestamp()), 0)
      )
      from gate.breaker
    ),
    'account_id', (select account_id from gate.site),
    'guarantee_class', (select case when has_unique_key then 'A' end from gate.site),
    'policy_version', gate.policy_version(),
    'shadow', (select coalesce(jsonb_agg(source order by source), '[]') from rules.source where shadow)
  )
$$;

-- What `check` looks at in the database, in one document.
create or replace function gate.checkup()
returns jsonb
language sql
stable
as $$
  select jsonb_build_object(
    'version', current_setting('server_version'),
    'fsync', current_setting('fsync'),
    'full_page_writes', current_setting('full_page_writes'),
    'synchronous_commit', current_setting('synchronous_commit'),
    'now', clock_timestamp(),
    'user', session_user,
    'superuser', (select rolsuper from pg_catalog.pg_roles where rolname = session_user),
    'roles', (
      select coalesce(jsonb_agg(rolname order by rolname), '[]')
      from pg_catalog.pg_roles
      where rolname in ('gatekeeper_daemon', 'gatekeeper_etl', 'gatekeeper_analyst', 'gatekeeper_steward')
    ),
    'owned_tables', (
      select count(*)
      from pg_catalog.pg_class
      join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
      where nspname in ('staging', 'crm', 'rules', 'audit', 'merge', 'report', 'gate')
        and pg_get_userbyid(relowner) = session_user
    ),
    'sources', (select count(*) from rules.source where source <> 'crm'),
    'mirror_loaded', gate.mirror_age() is not null
  )
$$;
