-- Keys: by what a contact is found. Derived by the normalizer, stored here, looked up by the matcher. In plpgsql, which keeps
-- the plans of its statements, where a function of SQL is planned at each call.

-- Serializes whoever changes what is known of people: decisions, settlements, the mirror. Held to the end of the
-- transaction only, and no transaction is open during a call to the CRM. Two of these never deadlock, and what a
-- decision reads does not move under it.
create or replace function gate.lock_people()
returns void
language sql
as $$
  select pg_advisory_xact_lock(7305801)
$$;

-- The identifiers in a row of keys.
create or replace function gate.identifiers_of(p_keys gate.contact_keys)
returns table (kind text, value text)
language sql
immutable
as $$
  select 'external_id', p_keys.external_id where p_keys.external_id is not null
  union all
  select 'email', unnest(p_keys.emails)
  union all
  select 'loose_email', unnest(p_keys.loose_emails)
  union all
  select 'phone', unnest(p_keys.phones)
$$;

-- Takes contacts out of the indexes by which they are found. Called for tombstones and withdrawn provisional contacts.
create or replace function gate.drop_keys(p_contacts bigint[])
returns void
language plpgsql
as $$
begin
  delete from gate.identifier
  using gate.contact_keys as keys
  cross join lateral gate.identifiers_of(keys) as own
  where keys.contact_id = any (p_contacts)
    and identifier.kind = own.kind
    and identifier.value = own.value
    and identifier.contact_id = keys.contact_id;

  delete from gate.block_key
  using gate.contact_keys as keys
  where keys.contact_id = any (p_contacts)
    and block_key.block = any (keys.blocks)
    and block_key.contact_id = keys.contact_id;

  delete from gate.contact_keys
  where contact_id = any (p_contacts);
end
$$;

-- Makes contacts findable by the keys that are stored for them. Not `on conflict do nothing`, which looks each row up
-- once more: a fifth of a full load. Called by gate.put_keys, for contacts of which nothing is in these tables.
create or replace function gate.index_keys(p_contacts bigint[])
returns void
language plpgsql
as $$
begin
  insert into gate.identifier (kind, value, contact_id)
  select distinct own.kind, own.value, keys.contact_id
  from gate.contact_keys as keys
  cross join lateral gate.identifiers_of(keys) as own
  where keys.contact_id = any (p_contacts);

  insert into gate.block_key (block, glance, contact_id)
  select distinct own.block, own.glance, keys.contact_id
  from gate.contact_keys as keys
  cross join lateral gate.blocks_of(keys) as own
  where keys.contact_id = any (p_contacts);
end
$$;

-- Makes contacts findable by what unsettled leads bring as well: a lead that comes while a write is under way, and shares
-- only what that write brings, or what a waiting lead brings, is the same person. The blocks that are added hold no
-- glance: whoever is in motion is looked at in any case. p_keys: rows of gate.contact_keys, some for one contact perhaps. What
-- was added goes when nothing about the contact is in motion any more: see gate.put_keys. Called by gate.intend under
-- gate.lock_people.
create or replace function gate.add_keys(p_keys jsonb)
returns void
language plpgsql
as $$
begin
  with brought as materialized (
    select keys.*
    from jsonb_populate_recordset(null::gate.contact_keys, p_keys) as keys
    join gate.contact_keys as stored using (contact_id)
    where not (
      keys.emails <@ stored.emails
      and keys.loose_emails <@ stored.loose_emails
      and keys.phones <@ stored.phones
      and keys.blocks <@ stored.blocks
      and (keys.external_id is null or stored.external_id is not null)
    )
  ), gathered as (
    select
      contact_id,
      min(external_id) as external_id,
      min(first_name) as first_name,
      min(last_name) as last_name,
      min(company) as company,
      min(email_domain) as email_domain,
      min(email_local) as email_local,
      min(email_fit) as email_fit,
      min(city) as city,
      min(country) as country,
      min(street) as street,
      min(postal_code) as postal_code,
      min(job_title) as job_title,
      min(generation) as generation,
      min(address_first) as address_first,
      min(address_last) as address_last
    from brought
    group by contact_id
  ), more_identifiers as materialized (
    select brought.contact_id, own.kind, own.value
    from brought
    cross join lateral gate.identifiers_of(brought) as own
    where own.kind <> 'external_id'
    union
    select gathered.contact_id, 'external_id', gathered.external_id
    from gathered
    join gate.contact_keys as stored using (contact_id)
    where stored.external_id is null
      and gathered.external_id is not null
    except
    select stored.contact_id, own.kind, own.value
    from gathered
    join gate.contact_keys as stored using (contact_id)
    cross join lateral gate.identifiers_of(stored) as own
  ), more_blocks as materialized (
    select contact_id, unnest(blocks) as block
    from brought
    except
    select stored.contact_id, unnest(stored.blocks)
    from gathered
    join gate.contact_keys as stored using (contact_id)
  ), identified as (
    insert into gate.identifier (kind, value, contact_id)
    select kind, value, contact_id
    from more_identifiers
    on conflict do nothing
  ), blocked as (
    insert into gate.block_key (block, contact_id)
    select block, contact_id
    from more_blocks
    on conflict do nothing
  ), lists as (
    select
      gathered.*,
      array(select value from more_identifiers as more where more.contact_id = gathered.contact_id and kind = 'email') as emails,
      array(select value from more_identifiers as more where more.contact_id = gathered.contact_id and kind = 'loose_email') as loose_emails,
      array(select value from more_identifiers as more where more.contact_id = gathered.contact_id and kind = 'phone') as phones,
      array(select block from more_blocks as more where more.contact_id = gathered.contact_id) as blocks,
      array(
        select distinct tail
        from brought
        cross join lateral unnest(brought.phone_tails) as tail
        where brought.contact_id = gathered.contact_id
      ) as phone_tails,
      array(
        select distinct extension
        from brought
        cross join lateral unnest(brought.extensions) as extension
        where brought.contact_id = gathered.contact_id
      ) as extensions
    from gathered
  )
  update gate.contact_keys as stored
  set external_id = coalesce(stored.external_id, lists.external_id),
      first_name = coalesce(stored.first_name, lists.first_name),
      last_name = coalesce(stored.last_name, lists.last_name),
      company = coalesce(stored.company, lists.company),
      email_domain = coalesce(stored.email_domain, lists.email_domain),
      email_local = coalesce(stored.email_local, lists.email_local),
      email_fit = coalesce(stored.email_fit, lists.email_fit),
      city = coalesce(stored.city, lists.city),
      country = coalesce(stored.country, lists.country),
      street = coalesce(stored.street, lists.street),
      postal_code = coalesce(stored.postal_code, lists.postal_code),
      job_title = coalesce(stored.job_title, lists.job_title),
      generation = coalesce(stored.generation, lists.generation),
      address_first = coalesce(stored.address_first, lists.address_first),
      address_last = coalesce(stored.address_last, lists.address_last),
      phone_tails = stored.phone_tails || array(select unnest(lists.phone_tails) except select unnest(stored.phone_tails)),
      extensions = stored.extensions || array(select unnest(lists.extensions) except select unnest(stored.extensions)),
      emails = stored.emails || lists.emails,
      loose_emails = stored.loose_emails || lists.loose_emails,
      phones = stored.phones || lists.phones,
      blocks = stored.blocks || lists.blocks,
      normalizer = ''
  from lists
  where stored.contact_id = lists.contact_id;
end
$$;

-- Up to which contact the keys are in the indexes by which people are found: all, except during the first load, when the gate
-- holds and nobody is looked up.
create or replace function gate.indexed_until()
returns bigint
language sql
stable
as $$
  select coalesce(
    (
      select case when watermark is null then indexed_until end
      from gate.mirror_progress
      where pass = 'full'
    ),
    9223372036854775807
  )
$$;

-- Changes the keys of contacts that have some: only what differs is taken out of the indexes and put in, and of contacts
-- above p_indexed_until nothing is in them. Called by gate.put_keys.
create or replace function gate.change_keys(p_keys jsonb, p_contacts bigint[], p_normalizer text, p_indexed_until bigint)
returns void
language plpgsql
as $$
begin
  with incoming as materialized (
    select keys.*
    from jsonb_populate_recordset(null::gate.contact_keys, p_keys) as keys
    where keys.contact_id = any (p_contacts)
  ), stored as materialized (
    select keys.*
    from gate.contact_keys as keys
    where keys.contact_id = any (p_contacts)
  ), identifiers_now as materialized (
    select distinct own.kind, own.value, incoming.contact_id
    from incoming
    cross join lateral gate.identifiers_of(incoming) as own
    where incoming.contact_id <= p_indexed_until
  ), identifiers_before as materialized (
    select distinct own.kind, own.value, stored.contact_id
    from stored
    cross join lateral gate.identifiers_of(stored) as own
    where stored.contact_id <= p_indexed_until
  ), blocks_now as materialized (
    select distinct own.block, own.glance, incoming.contact_id
    from incoming
    cross join lateral gate.blocks_of(incoming) as own
    where incoming.contact_id <= p_indexed_until
  ), blocks_before as materialized (
    select distinct unnest(blocks) as block, contact_id
    from stored
    where contact_id <= p_indexed_until
  ), identifiers_out as (
    delete from gate.identifier
    using (table identifiers_before except table identifiers_now) as gone
    where identifier.kind = gone.kind
      and identifier.value = gone.value
      and identifier.contact_id = gone.contact_id
  ), blocks_out as (
    delete from gate.block_key
    using (table blocks_before except select block, contact_id from blocks_now) as gone
    where block_key.block = gone.block
      and block_key.contact_id = gone.contact_id
  ), identifiers_in as (
    insert into gate.identifier (kind, value, contact_id)
    (table identifiers_now except table identifiers_before)
    on conflict do nothing
  ), blocks_in as (
    insert into gate.block_key (block, glance, contact_id)
    select block, glance, contact_id
    from blocks_now
    on conflict (block, contact_id) do update
    set glance = excluded.glance
    where block_key.glance <> excluded.glance
  )
  update gate.contact_keys as keys
  set external_id = incoming.external_id,
      emails = incoming.emails,
      loose_emails = incoming.loose_emails,
      phones = incoming.phones,
      first_name = incoming.first_name,
      last_name = incoming.last_name,
      company = incoming.company,
      email_domain = incoming.email_domain,
      email_local = incoming.email_local,
      city = incoming.city,
      country = incoming.country,
      blocks = incoming.blocks,
      phone_tails = coalesce(incoming.phone_tails, '{}'),
      extensions = coalesce(incoming.extensions, '{}'),
      address_first = incoming.address_first,
      address_last = incoming.address_last,
      generation = incoming.generation,
      email_fit = incoming.email_fit,
      street = incoming.street,
      postal_code = incoming.postal_code,
      job_title = incoming.job_title,
      normalizer = p_normalizer
  from incoming
  where keys.contact_id = incoming.contact_id;
end
$$;

-- Stores the keys of contacts: [{contact_id, external_id, emails, …, blocks}]. Rows that are as they were cost nothing, and
-- rows to which gate.add_keys added are left alone as long as something about the contact is in motion. During the first
-- load nobody is made findable yet: gate.index_first_load does it for all at once.
-- Called by gate.mirror_write, gate.intend and gate.settle under gate.lock_people, and by the sweep.
create or replace function gate.put_keys(p_keys jsonb, p_normalizer text)
returns void
language plpgsql
as $$
declare
  v_new bigint[];
  v_changed bigint[];
  v_indexed_until bigint := gate.indexed_until();
begin
  select
    coalesce(array_agg(incoming.contact_id) filter (where stored.contact_id is null), '{}'),
    coalesce(array_agg(incoming.contact_id) filter (where stored.contact_id is not null), '{}')
  into v_new, v_changed
  from jsonb_populate_recordset(null::gate.contact_keys, p_keys) as incoming
  left join gate.contact_keys as stored using (contact_id)
  where stored.contact_id is null
    or case
      when stored.normalizer = '' then not gate.in_motion(contact_id)
      else stored.normalizer <> p_normalizer
        or (stored.external_id, stored.emails, stored.loose_emails, stored.phones, stored.first_name, stored.last_name,
            stored.company, stored.email_domain, stored.email_local, stored.city, stored.country, stored.blocks,
            stored.phone_tails, stored.extensions, stored.address_first, stored.address_last, stored.generation,
            stored.email_fit, stored.street, stored.postal_code, stored.job_title)
          is distinct from
           (incoming.external_id, incoming.emails, incoming.loose_emails, incoming.phones, incoming.first_name,
            incoming.last_name, incoming.company, incoming.email_domain, incoming.email_local, incoming.city,
            incoming.country, incoming.blocks, coalesce(incoming.phone_tails, '{}'), coalesce(incoming.extensions, '{}'),
            incoming.address_first, incoming.address_last, incoming.generation, incoming.email_fit, incoming.street,
            incoming.postal_code, incoming.job_title)
    end;

  if v_changed <> '{}' then
    perform gate.change_keys(p_keys, v_changed, p_normalizer, v_indexed_until);
  end if;
  if v_new = '{}' then
    return;
  end if;

  insert into gate.contact_keys (
    contact_id, external_id, emails, loose_emails, phones, first_name, last_name, company, email_domain, email_local,
    city, country, blocks, phone_tails, extensions, address_first, address_last, generation, email_fit, street,
    postal_code, job_title, normalizer
  )
  select
    contact_id, external_id, emails, loose_emails, phones, first_name, last_name, company, email_domain, email_local,
    city, country, blocks, coalesce(phone_tails, '{}'), coalesce(extensions, '{}'), address_first, address_last,
    generation, email_fit, street, postal_code, job_title, p_normalizer
  from jsonb_populate_recordset(null::gate.contact_keys, p_keys)
  where contact_id = any (v_new);
  v_new := array(
    select contact_id
    from unnest(v_new) as contact_id
    where contact_id <= v_indexed_until
  );
  if v_new = '{}' then
    return;
  end if;

  begin
    perform gate.index_keys(v_new);
  exception when unique_violation then
    -- Somebody took rows out of gate.contact_keys by hand and left these behind.
    delete from gate.identifier
    where contact_id = any (v_new);
    delete from gate.block_key
    where contact_id = any (v_new);
    perform gate.index_keys(v_new);
  end;
end
$$;
