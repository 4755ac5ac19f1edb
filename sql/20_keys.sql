-- Keys: by what a contact is found. Derived by the normalizer, stored here, looked up by the matcher.

-- Serializes whoever changes what is known of people: decisions, settlements, the mirror. Held to the end of the
-- transaction only, and no transaction is open during a call to the CRM. Two of these never deadlock, and what a
-- decision reads does not move under it.
create or replace function gate.lock_people()
returns void
language sql
as $$
  select pg_advisory_xact_lock(7305801)
$$;

-- Takes contacts out of the indexes by which they are found. Called for tombstones and withdrawn provisional contacts.
create or replace function gate.drop_keys(p_contacts bigint[])
returns void
language sql
as $$
  delete from gate.identifier
  using gate.contact_keys as keys
  cross join lateral (
    select 'external_id' as kind, keys.external_id as value where keys.external_id is not null
    union all select 'email', unnest(keys.emails)
    union all select 'loose_email', unnest(keys.loose_emails)
    union all select 'phone', unnest(keys.phones)
  ) as carried
  where keys.contact_id = any (p_contacts)
    and identifier.kind = carried.kind
    and identifier.value = carried.value
    and identifier.contact_id = keys.contact_id;

  delete from gate.block_key
  using gate.contact_keys as keys
  where keys.contact_id = any (p_contacts)
    and block_key.block = any (keys.blocks)
    and block_key.contact_id = keys.contact_id;

  delete from gate.contact_keys
  where contact_id = any (p_contacts);
$$;

-- Makes contacts findable by the keys that are stored for them. Not `on conflict do nothing`, which looks each row up
-- once more: a fifth of a full load. Called by gate.put_keys, for contacts of which nothing is in these tables.
create or replace function gate.index_keys(p_contacts bigint[])
returns void
language sql
as $$
  insert into gate.identifier (kind, value, contact_id)
  select distinct carried.kind, carried.value, keys.contact_id
  from gate.contact_keys as keys
  cross join lateral (
    select 'external_id' as kind, keys.external_id as value where keys.external_id is not null
    union all select 'email', unnest(keys.emails)
    union all select 'loose_email', unnest(keys.loose_emails)
    union all select 'phone', unnest(keys.phones)
  ) as carried
  where keys.contact_id = any (p_contacts);

  insert into gate.block_key (block, contact_id)
  select distinct unnest(keys.blocks), keys.contact_id
  from gate.contact_keys as keys
  where keys.contact_id = any (p_contacts);
$$;

-- Stores the keys of contacts: [{contact_id, external_id, emails, …, blocks}]. Rows that are as they were cost nothing.
-- Called by gate.mirror_write, gate.intend and gate.settle under gate.lock_people.
create or replace function gate.put_keys(p_keys jsonb, p_normalizer text)
returns void
language plpgsql
as $$
declare
  v_changed bigint[];
  v_known bigint[];
begin
  select
    coalesce(array_agg(incoming.contact_id), '{}'),
    coalesce(array_agg(incoming.contact_id) filter (where stored.contact_id is not null), '{}')
  into v_changed, v_known
  from jsonb_populate_recordset(null::gate.contact_keys, p_keys) as incoming
  left join gate.contact_keys as stored using (contact_id)
  where stored.contact_id is null
    or stored.normalizer <> p_normalizer
    or (stored.external_id, stored.emails, stored.loose_emails, stored.phones, stored.first_name, stored.last_name,
        stored.company, stored.email_domain, stored.email_local, stored.city, stored.country, stored.blocks)
      is distinct from
       (incoming.external_id, incoming.emails, incoming.loose_emails, incoming.phones, incoming.first_name,
        incoming.last_name, incoming.company, incoming.email_domain, incoming.email_local, incoming.city,
        incoming.country, incoming.blocks);

  if v_changed = '{}' then
    return;
  end if;
  if v_known <> '{}' then
    perform gate.drop_keys(v_known);
  end if;

  insert into gate.contact_keys
  select
    contact_id, external_id, emails, loose_emails, phones, first_name, last_name, company, email_domain, email_local,
    city, country, blocks, p_normalizer
  from jsonb_populate_recordset(null::gate.contact_keys, p_keys)
  where contact_id = any (v_changed);

  begin
    perform gate.index_keys(v_changed);
  exception when unique_violation then
    -- Somebody took rows out of gate.contact_keys by hand and left these behind.
    delete from gate.identifier
    where contact_id = any (v_changed);
    delete from gate.block_key
    where contact_id = any (v_changed);
    perform gate.index_keys(v_changed);
  end;
end
$$;
