-- Mirror: what the CRM returned becomes rows of crm.contact.

-- Notes merges: the absorbed ids lead to the survivor, chains are shortened, the absorbed contacts become tombstones.
-- p_merges: [{crm_id, absorbed_ids: […]}]. If the survivor's id is new to the mirror (HubSpot mints a third one), the
-- oldest absorbed contact goes on under it, so that the person keeps its number and its provenance: one that is alive
-- if there is one, else one that was found to be gone before the merge was heard of. Of a merge of ours it is the one that stays.
-- Who was told apart from an absorbed contact is told apart from the survivor.
-- Called by gate.mirror_write under gate.lock_people.
create or replace function gate.note_merges(p_merges jsonb)
returns void
language plpgsql
as $$
declare
  v_absorbed_ids text[];
  v_absorbed bigint[];
begin
  select coalesce(array_agg(distinct absorbed_id), '{}')
  into v_absorbed_ids
  from jsonb_to_recordset(p_merges) as merge (absorbed_ids text[])
  cross join lateral unnest(merge.absorbed_ids) as absorbed_id;

  -- What is returned now lives: if it was once noted as absorbed by one that it has absorbed itself, that is over.
  delete from crm.contact_alias
  using jsonb_to_recordset(p_merges) as merge (crm_id text, absorbed_ids text[])
  where contact_alias.absorbed_crm_id = merge.crm_id
    and contact_alias.crm_id = any (merge.absorbed_ids);

  insert into crm.contact_alias (absorbed_crm_id, crm_id, gatekeeper_key)
  select distinct on (absorbed_id) absorbed_id, merge.crm_id, contact.gatekeeper_key
  from jsonb_to_recordset(p_merges) as merge (crm_id text, absorbed_ids text[])
  cross join lateral unnest(merge.absorbed_ids) as absorbed_id
  left join crm.contact on contact.crm_id = absorbed_id
  where absorbed_id <> merge.crm_id
  on conflict (absorbed_crm_id) do update
  set crm_id = excluded.crm_id,
      gatekeeper_key = coalesce(contact_alias.gatekeeper_key, excluded.gatekeeper_key);

  update crm.contact_alias
  set crm_id = further.crm_id
  from crm.contact_alias as further
  where further.absorbed_crm_id = contact_alias.crm_id
    and further.crm_id <> contact_alias.absorbed_crm_id
    and contact_alias.absorbed_crm_id in (
      select absorbed_id
      from unnest(v_absorbed_ids) as absorbed_id
      union
      select earlier.absorbed_crm_id
      from crm.contact_alias as earlier
      where earlier.crm_id = any (v_absorbed_ids)
    );

  with heir as (
    select distinct on (merge.crm_id) merge.crm_id, contact.contact_id
    from jsonb_to_recordset(p_merges) as merge (crm_id text, absorbed_ids text[])
    join crm.contact on contact.crm_id = any (merge.absorbed_ids)
    where contact.crm_id <> merge.crm_id
      and (contact.archived_at is null or contact.gone_reason in ('archived', 'missing'))
      and not exists (select from crm.contact as survivor where survivor.crm_id = merge.crm_id)
    order by
      merge.crm_id,
      contact.archived_at is not null,
      not exists (select from merge.plan where plan.state = 'running' and plan.master_id = contact.contact_id),
      contact.contact_id
  )
  update crm.contact
  set crm_id = heir.crm_id, updated_at = null
  from heir
  where contact.contact_id = heir.contact_id;

  with gone as (
    update crm.contact
    set archived_at = now(), gone_reason = 'merged'
    from jsonb_to_recordset(p_merges) as merge (crm_id text, absorbed_ids text[])
    where contact.crm_id = any (merge.absorbed_ids)
      and contact.crm_id <> merge.crm_id
      and contact.gone_reason is distinct from 'merged'
    returning contact.contact_id
  )
  select array_agg(contact_id)
  into v_absorbed
  from gone;

  if v_absorbed is not null then
    perform gate.drop_keys(v_absorbed);
  end if;

  if exists (select from rules.not_duplicate) then
    insert into rules.not_duplicate (crm_id_low, crm_id_high, note)
    select distinct on (1, 2) least(merge.crm_id, told.other), greatest(merge.crm_id, told.other), told.note
    from jsonb_to_recordset(p_merges) as merge (crm_id text, absorbed_ids text[])
    cross join lateral (
      select not_duplicate.crm_id_high as other, not_duplicate.note
      from rules.not_duplicate
      where not_duplicate.crm_id_low = any (merge.absorbed_ids)
      union all
      select not_duplicate.crm_id_low, not_duplicate.note
      from rules.not_duplicate
      where not_duplicate.crm_id_high = any (merge.absorbed_ids)
    ) as told
    where told.other <> merge.crm_id
      and told.other <> all (merge.absorbed_ids)
    on conflict do nothing;
  end if;
end
$$;

-- Writes what the CRM returned. p_records: [{crm_id, canonical columns…, additional_emails, properties, created_at,
-- updated_at, archived, absorbed_ids, keys: {…}}], each contact once. An older version never overwrites a newer one. Returns how many
-- contacts the mirror lacked, how many had been older there, and how many were of the same version and yet different.
-- Of the first two only those count that the mirror should have had: what changed after the last window was not due.
-- Called by the pull loop, by the sender for what a probe found, and by recovery. Takes gate.lock_people. Planned anew
-- for each call: a plan made while the mirror was empty would read all of it for each page of the first load.
create or replace function gate.mirror_write(p_records jsonb, p_normalizer text)
returns table (missing bigint, stale bigint, differing bigint)
language plpgsql
set plan_cache_mode to force_custom_plan
as $$
declare
  v_merges jsonb;
  v_written jsonb;
  v_gone bigint[];
  v_absorbed text[];
  v_known_until timestamptz;
  v_noted_fields text[];
begin
  perform gate.lock_people();

  select fields
  into v_noted_fields
  from gate.mirror_progress
  where pass = 'full';
  v_noted_fields := coalesce(v_noted_fields, '{}');

  select max(watermark)
  into v_known_until
  from gate.mirror_progress
  where pass in ('full', 'changes');

  select jsonb_agg(jsonb_build_object('crm_id', record ->> 'crm_id', 'absorbed_ids', record -> 'absorbed_ids'))
  into v_merges
  from jsonb_array_elements(p_records) as record
  where jsonb_array_length(coalesce(record -> 'absorbed_ids', '[]')) > 0;
  if v_merges is not null then
    perform gate.note_merges(v_merges);
  end if;

  -- A provisional contact whose creation has landed is found again by its person key. Of two with one key the first.
  with landed as (
    select distinct on (record ->> 'crm_id') contact.contact_id, record ->> 'crm_id' as crm_id
    from jsonb_array_elements(p_records) as record
    join crm.contact on contact.gatekeeper_key = record ->> 'gatekeeper_key'
    where contact.crm_id is null
      and not exists (select from crm.contact as known where known.crm_id = record ->> 'crm_id')
    order by record ->> 'crm_id', contact.contact_id
  )
  update crm.contact
  set crm_id = landed.crm_id
  from landed
  where contact.contact_id = landed.contact_id;

  perform gate.note_changes(p_records, v_noted_fields);

  select coalesce(array_agg(absorbed_crm_id), '{}')
  into v_absorbed
  from crm.contact_alias
  where absorbed_crm_id = any (array(select record ->> 'crm_id' from jsonb_array_elements(p_records) as record));

  with incoming as materialized (
    select contact.*, extra.archived, extra.keys
    from jsonb_array_elements(p_records) as record
    cross join lateral jsonb_populate_record(null::crm.contact, record) as contact
    cross join lateral jsonb_to_record(record) as extra (archived boolean, keys jsonb)
    where contact.crm_id <> all (v_absorbed)
  ), before as (
    select contact.contact_id, contact.crm_id, contact.updated_at
    from crm.contact
    join incoming using (crm_id)
  ), written as (
    insert into crm.contact as contact (
      crm_id, gatekeeper_key, external_id, email, phone, mobile_phone, first_name, last_name, company, job_title,
      street, city, state, postal_code, country, additional_emails, properties, created_at, updated_at, noted_since,
      archived_at, gone_reason, seen_at
    )
    select
      crm_id, gatekeeper_key, external_id, email, phone, mobile_phone, first_name, last_name, company, job_title,
      street, city, state, postal_code, country, coalesce(additional_emails, '{}'), coalesce(properties, '{}'),
      created_at, updated_at, updated_at, case when archived then now() end, case when archived then 'archived' end, now()
    from incoming
    on conflict (crm_id) do update
    set gatekeeper_key = coalesce(excluded.gatekeeper_key, contact.gatekeeper_key),
        external_id = excluded.external_id,
        email = excluded.email,
        phone = excluded.phone,
        mobile_phone = excluded.mobile_phone,
        first_name = excluded.first_name,
        last_name = excluded.last_name,
        company = excluded.company,
        job_title = excluded.job_title,
        street = excluded.street,
        city = excluded.city,
        state = excluded.state,
        postal_code = excluded.postal_code,
        country = excluded.country,
        additional_emails = excluded.additional_emails,
        properties = excluded.properties,
        created_at = coalesce(excluded.created_at, contact.created_at),
        updated_at = excluded.updated_at,
        noted_since = case
          when exists (
            select
            from jsonb_object_keys(excluded.properties) as field
            where not contact.properties ? field
              and field <> all (v_noted_fields)
          )
          then excluded.updated_at
          else contact.noted_since
        end,
        archived_at = case when excluded.archived_at is null then null else coalesce(contact.archived_at, excluded.archived_at) end,
        gone_reason = excluded.gone_reason,
        seen_at = excluded.seen_at
    where (contact.updated_at is null or excluded.updated_at >= contact.updated_at)
      and (
        contact.external_id, contact.email, contact.phone, contact.mobile_phone, contact.first_name, contact.last_name,
        contact.company, contact.job_title, contact.street, contact.city, contact.state, contact.postal_code,
        contact.country, contact.additional_emails, contact.properties, contact.updated_at, contact.gone_reason
      ) is distinct from (
        excluded.external_id, excluded.email, excluded.phone, excluded.mobile_phone, excluded.first_name,
        excluded.last_name, excluded.company, excluded.job_title, excluded.street, excluded.city, excluded.state,
        excluded.postal_code, excluded.country, excluded.additional_emails, excluded.properties, excluded.updated_at,
        excluded.gone_reason
      )
    returning contact.contact_id, contact.crm_id, contact.archived_at
  ), seen as (
    update crm.contact
    set seen_at = now()
    from before
    where contact.contact_id = before.contact_id
      and not exists (select from written where written.contact_id = before.contact_id)
    returning contact.contact_id
  )
  select
    count(*) filter (where before.contact_id is null and incoming.updated_at <= v_known_until),
    count(*) filter (
      where before.contact_id is not null
        and before.updated_at is distinct from incoming.updated_at
        and incoming.updated_at <= v_known_until
    ),
    count(*) filter (where before.updated_at = incoming.updated_at),
    jsonb_agg(incoming.keys || jsonb_build_object('contact_id', written.contact_id))
      filter (where written.archived_at is null),
    array_agg(written.contact_id) filter (where written.archived_at is not null and before.contact_id is not null)
  into missing, stale, differing, v_written, v_gone
  from written
  join incoming using (crm_id)
  left join before on before.contact_id = written.contact_id;

  if v_gone is not null then
    perform gate.drop_keys(v_gone);
  end if;
  if v_written is not null then
    perform gate.put_keys(v_written, p_normalizer);
  end if;
  return next;
end
$$;

-- Contacts that a complete pass over the CRM did not see, by number above p_after. A list is fuzzy while people work: the
-- pull loop asks the CRM about each of them before it buries one. p_started_at is the beginning of the pass.
create or replace function gate.ghosts(p_started_at timestamptz, p_after bigint, p_limit integer)
returns table (contact_id bigint, crm_id text)
language sql
stable
as $$
  select contact_id, crm_id
  from crm.contact
  where crm_id is not null
    and archived_at is null
    and seen_at < p_started_at
    and contact_id > p_after
  order by contact_id
  limit p_limit
$$;

-- The contact is not in the CRM any more: a write or a read by its id found nothing. Returns how many were known.
-- Called by the sender, by recovery, and at the end of a full pass. Takes gate.lock_people.
create or replace function gate.bury_contacts(p_crm_ids text[], p_reason text)
returns bigint
language plpgsql
as $$
declare
  v_gone bigint[];
begin
  perform gate.lock_people();
  with buried as (
    update crm.contact
    set archived_at = now(), gone_reason = p_reason
    where crm_id = any (p_crm_ids)
      and archived_at is null
    returning contact_id
  )
  select coalesce(array_agg(contact_id), '{}')
  into v_gone
  from buried;
  perform gate.drop_keys(v_gone);
  return cardinality(v_gone);
end
$$;

-- Contacts whose keys an older normalizer derived, with all it takes to derive them again. Called by the sweep. Reads all
-- keys.
create or replace function gate.outdated_keys(p_normalizer text, p_limit integer)
returns table (contact_id bigint, contact jsonb)
language sql
stable
as $$
  select contact.contact_id, to_jsonb(contact)
  from gate.contact_keys
  join crm.contact using (contact_id)
  where contact_keys.normalizer <> p_normalizer
    and contact_keys.normalizer <> ''
  limit p_limit
$$;

-- Contacts to whose keys unsettled leads had added, now that nothing about them is in motion. Called by the sweep.
create or replace function gate.grown_keys(p_limit integer)
returns table (contact_id bigint, contact jsonb)
language sql
stable
as $$
  select contact.contact_id, to_jsonb(contact)
  from gate.contact_keys
  join crm.contact using (contact_id)
  where contact_keys.normalizer = ''
    and not gate.in_motion(contact_keys.contact_id)
  limit p_limit
$$;

-- Stores keys that were derived from contacts as they were read. One that has changed since, by its seen_at, is left to the
-- write that changed it. Called by the sweep. Takes gate.lock_people.
create or replace function gate.rederive_keys(p_keys jsonb, p_normalizer text)
returns void
language plpgsql
as $$
begin
  perform gate.lock_people();
  perform gate.put_keys(
    (
      select coalesce(jsonb_agg(keys), '[]')
      from jsonb_array_elements(p_keys) as keys
      join gate.contact_keys as stored on stored.contact_id = (keys ->> 'contact_id')::bigint
      join crm.contact on contact.contact_id = stored.contact_id
      where stored.normalizer <> p_normalizer
        and contact.seen_at = (keys ->> 'seen_at')::timestamptz
    ),
    p_normalizer
  );
end
$$;
