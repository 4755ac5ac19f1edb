-- Noted: what somebody changes in the CRM itself is noted with its provenance, as what a source brings is.

-- All values of a contact that are not blank, by field name. Not immutable, as what it calls is not: so the planner puts it in
-- place of the call. Called by gate.known_contacts, gate.mirror_write and gate.note_changes.
create or replace function gate.values_of(p_contact crm.contact)
returns jsonb
language sql
stable
as $$
  select p_contact.properties || jsonb_strip_nulls(jsonb_build_object(
    'external_id', p_contact.external_id, 'email', p_contact.email, 'phone', p_contact.phone,
    'mobile_phone', p_contact.mobile_phone, 'first_name', p_contact.first_name, 'last_name', p_contact.last_name,
    'company', p_contact.company, 'job_title', p_contact.job_title, 'street', p_contact.street, 'city', p_contact.city,
    'state', p_contact.state, 'postal_code', p_contact.postal_code, 'country', p_contact.country
  ))
$$;

-- Whether two values of a field say the same, as far as SQL can tell: a CRM changes case, outer blanks, and how a number is
-- written. Called by gate.note_changes.
create or replace function gate.says_same(p_field text, p_left text, p_right text)
returns boolean
language sql
immutable
as $$
  select lower(btrim(coalesce(p_left, ''))) = lower(btrim(coalesce(p_right, '')))
    or coalesce(
      p_field in ('phone', 'mobile_phone')
        and nullif(right(regexp_replace(p_left, '[^0-9]', '', 'g'), 8), '')
          = nullif(right(regexp_replace(p_right, '[^0-9]', '', 'g'), 8), ''),
      false
    )
$$;

-- Notes in crm.contact_field what somebody changed or cleared since the mirror last looked. What we write ourselves is
-- none of that: neither what is on its way, nor what an old request of ours has brought back. A value that came by a merge
-- keeps the provenance that it had with the contact that was absorbed. Nothing is noted before the mirror has once been
-- loaded, and nothing of a field that it did not hold then: p_fields are those that it holds. p_records as for
-- gate.mirror_write, which calls this before it writes them, under gate.lock_people.
create or replace function gate.note_changes(p_records jsonb, p_fields text[])
returns void
language plpgsql
as $$
begin
  if p_fields = '{}' then
    return;
  end if;

  with compared as materialized (
    select
      former.contact_id, former.crm_id, incoming.updated_at,
      gate.values_of(former) as old_values, gate.values_of(incoming) as new_values
    from jsonb_array_elements(p_records) as record
    cross join lateral jsonb_populate_record(null::crm.contact, record) as incoming
    join crm.contact as former on former.crm_id = incoming.crm_id
    where former.archived_at is null
      and not coalesce((record ->> 'archived')::boolean, false)
      and (former.updated_at is null or incoming.updated_at >= former.updated_at)
  ), changed as materialized (
    select
      compared.contact_id, compared.crm_id, compared.updated_at, field.name as field,
      compared.old_values ->> field.name as old_value,
      nullif(btrim(compared.new_values ->> field.name), '') as new_value
    from compared
    cross join unnest(p_fields) as field (name)
    where compared.old_values <> compared.new_values
      and not gate.says_same(field.name, compared.old_values ->> field.name, compared.new_values ->> field.name)
  ), by_others as (
    select changed.*, noted.removed
    from changed
    left join crm.contact_field as noted on noted.contact_id = changed.contact_id and noted.field = changed.field
    where not (noted.contact_id is not null and gate.says_same(changed.field, noted.value, changed.new_value))
      and not exists (
        select
        from gate.intent
        where intent.contact_id = changed.contact_id
          and intent.state in ('open', 'unknown')
          and intent.body ? changed.field
          and gate.says_same(changed.field, intent.body ->> changed.field, changed.new_value)
      )
      and not exists (
        select
        from gate.doubted_values(changed.contact_id) as doubted
        where doubted.field = changed.field
          and gate.says_same(changed.field, doubted.value, changed.new_value)
      )
  ), explained as (
    select by_others.*, inherited.source, inherited.lead_id, inherited.occurred_at, inherited.rule
    from by_others
    left join lateral (
      select absorbed.*
      from crm.contact_alias
      join crm.contact on contact.crm_id = contact_alias.absorbed_crm_id
      join crm.contact_field as absorbed on absorbed.contact_id = contact.contact_id
      where contact_alias.crm_id = by_others.crm_id
        and absorbed.field = by_others.field
        and by_others.new_value is not null
        and gate.says_same(absorbed.field, absorbed.value, by_others.new_value)
      order by absorbed.occurred_at desc
      limit 1
    ) as inherited on true
  )
  insert into crm.contact_field (contact_id, field, value, source, lead_id, occurred_at, rule, edited_at, cleared, removed)
  select
    contact_id, field, new_value, coalesce(source, 'crm'), lead_id, coalesce(occurred_at, updated_at, now()),
    coalesce(rule, case when new_value is null then 'cleared in the CRM' else 'changed in the CRM' end),
    case when source is null then coalesce(updated_at, now()) end,
    source is null and new_value is null,
    case
      when gate.is_appended(field) then array(
        select btrim(value)
        from unnest(removed || string_to_array(old_value, ';')) as value
        where btrim(value) <> ''
        except
        select btrim(value)
        from unnest(string_to_array(new_value, ';')) as value
      )
    end
  from explained
  on conflict (contact_id, field) do update
  set (value, source, lead_id, occurred_at, written_at, rule, edited_at, cleared, removed, author) = (
    excluded.value, excluded.source, excluded.lead_id, excluded.occurred_at, now(), excluded.rule, excluded.edited_at,
    excluded.cleared, excluded.removed, null
  );
end
$$;

-- Whether a field has several values, to which leads add. Called by gate.note_changes.
create or replace function gate.is_appended(p_field text)
returns boolean
language sql
stable
as $$
  select exists (
    select
    from rules.field
    where field.field = p_field
      and field.policy = 'append'
  )
$$;

-- Changes in the CRM of which nobody has asked yet who made them: contacts with their fields. Called by the sweep.
create or replace function gate.unasked_changes(p_limit integer)
returns table (crm_id text, fields text[])
language sql
stable
as $$
  select contact.crm_id, array_agg(contact_field.field order by contact_field.field)
  from crm.contact_field
  join crm.contact using (contact_id)
  where contact_field.source = 'crm'
    and contact_field.author is null
    and contact.archived_at is null
    and contact.crm_id is not null
  group by contact.crm_id
  limit p_limit
$$;

-- Notes who made changes in the CRM, and when. p_asked: the contacts that were asked about, with their fields as
-- gate.unasked_changes returned them. p_told: [{crm_id, field, value, changed_at, author}]. What the history does not tell is
-- unknown and counts as a person's; so is what it tells of another value than the mirror holds: then it is ahead, the next page of
-- changes brings that value, and it is asked again. Called by the sweep. Takes gate.lock_people.
create or replace function gate.note_authors(p_asked jsonb, p_told jsonb)
returns void
language plpgsql
as $$
begin
  perform gate.lock_people();

  with answered as (
    select noted.contact_id, noted.field, told.author, told.changed_at
    from jsonb_to_recordset(p_asked) as asked (crm_id text, fields text[])
    join crm.contact on contact.crm_id = asked.crm_id
    cross join unnest(asked.fields) as field (name)
    join crm.contact_field as noted on noted.contact_id = contact.contact_id and noted.field = field.name
    left join jsonb_to_recordset(p_told) as told (crm_id text, field text, value text, changed_at timestamptz, author text)
      on told.crm_id = asked.crm_id
      and told.field = field.name
      and gate.says_same(told.field, noted.value, told.value)
    where noted.source = 'crm'
      and noted.author is null
  )
  update crm.contact_field
  set author = coalesce(answered.author, 'unknown'),
      source = case when answered.author = 'integration' then 'crm_integration' else contact_field.source end,
      occurred_at = coalesce(answered.changed_at, contact_field.occurred_at),
      edited_at = coalesce(answered.changed_at, contact_field.edited_at)
  from answered
  where contact_field.contact_id = answered.contact_id
    and contact_field.field = answered.field;
end
$$;
