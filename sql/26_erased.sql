-- Erased: people who were deleted for good in the CRM. Their values leave the mirror, and they are never made anew.

-- The addresses that the mirror knows of these contacts, by which the line looks for who holds them now. Called by the
-- sender, by recovery and at the end of a full pass.
create or replace function gate.addresses_of(p_crm_ids text[])
returns table (crm_id text, emails text[])
language sql
stable
as $$
  select asked.crm_id, array_remove(contact.email || contact.additional_emails, null)
  from unnest(p_crm_ids) as asked (crm_id)
  left join crm.contact on contact.crm_id = asked.crm_id
$$;

-- Contacts that are about to become tombstones of erased people, with all it takes to derive their person keys.
-- Called by the sender, by recovery and at the end of a full pass.
create or replace function gate.contacts_to_erase(p_crm_ids text[])
returns table (contact_id bigint, contact jsonb)
language sql
stable
as $$
  select contact.contact_id, to_jsonb(contact)
  from crm.contact
  where contact.crm_id = any (p_crm_ids)
    and contact.gone_reason is distinct from 'merged'
    and contact.gone_reason is distinct from 'erased'
$$;

-- The person was erased in the CRM: keeps the keys by which a later lead is known again, drops every value and where it
-- came from, also of the contacts that were merged into that one. p_people: [{contact_id, person_keys: […]}]. The keys that the
-- contact itself and those merged into it carried
-- are kept too. Returns how many had been taken for living. Called after gate.contacts_to_erase. Takes gate.lock_people.
create or replace function gate.bury_erased(p_people jsonb)
returns bigint
language plpgsql
as $$
declare
  v_contacts bigint[];
  v_absorbed bigint[];
  v_living bigint;
begin
  perform gate.lock_people();

  select coalesce(array_agg(contact.contact_id), '{}'), count(*) filter (where contact.archived_at is null)
  into v_contacts, v_living
  from jsonb_to_recordset(p_people) as person (contact_id bigint)
  join crm.contact using (contact_id);

  select coalesce(array_agg(absorbed.contact_id), '{}')
  into v_absorbed
  from crm.contact
  join crm.contact_alias using (crm_id)
  join crm.contact as absorbed on absorbed.crm_id = contact_alias.absorbed_crm_id
  where contact.contact_id = any (v_contacts)
    and absorbed.gone_reason = 'merged';

  insert into gate.erased_key (person_key, contact_id)
  select carried.person_key, min(carried.contact_id)
  from (
    select person_key, person.contact_id
    from jsonb_to_recordset(p_people) as person (contact_id bigint, person_keys jsonb)
    cross join lateral jsonb_array_elements_text(person.person_keys) as person_key
    union all
    select contact.gatekeeper_key, contact.contact_id
    from crm.contact
    where contact.contact_id = any (v_contacts)
      and contact.gatekeeper_key is not null
    union all
    select contact_alias.gatekeeper_key, contact.contact_id
    from crm.contact
    join crm.contact_alias using (crm_id)
    where contact.contact_id = any (v_contacts)
      and contact_alias.gatekeeper_key is not null
  ) as carried
  group by carried.person_key
  on conflict (person_key) do nothing;

  update crm.contact_alias
  set gatekeeper_key = null
  from crm.contact
  where contact.contact_id = any (v_contacts)
    and contact_alias.crm_id = contact.crm_id
    and contact_alias.gatekeeper_key is not null;

  delete from crm.contact_field
  where contact_id = any (v_contacts || v_absorbed);

  delete from merge.chosen_value
  using merge.plan
  join merge.member using (plan_id)
  where chosen_value.group_id = plan.group_id
    and member.contact_id = any (v_contacts || v_absorbed);

  delete from merge.plan
  using merge.member
  where member.plan_id = plan.plan_id
    and member.contact_id = any (v_contacts || v_absorbed);

  delete from gate.undo
  where contact_id = any (v_contacts || v_absorbed);

  -- Other contacts may carry the same; their count is made anew by the next scan.
  delete from gate.term
  using gate.contact_keys as keys
  where keys.contact_id = any (v_contacts)
    and (
      term.kind = 'email' and term.value = any (keys.emails)
      or term.kind = 'phone' and term.value = any (keys.phone_tails)
      or term.kind = 'full_name' and term.value = split_part(keys.first_name, ' ', 1) || '|' || keys.last_name
    );

  perform gate.drop_keys(v_contacts);

  update crm.contact
  set gatekeeper_key = null, external_id = null, email = null, phone = null, mobile_phone = null, first_name = null,
      last_name = null, company = null, job_title = null, street = null, city = null, state = null,
      postal_code = null, country = null, additional_emails = '{}', noted_since = null,
      properties = '{}',
      archived_at = coalesce(archived_at, now()),
      gone_reason = case when contact_id = any (v_absorbed) then gone_reason else 'erased' end
  where contact_id = any (v_contacts || v_absorbed);

  return v_living;
end
$$;

-- Which of these person keys belong to people who were erased. Called by the push loop. One look into the index for each.
create or replace function gate.erased_keys(p_keys text[])
returns table (person_key text)
language sql
stable
as $$
  select erased_key.person_key
  from gate.erased_key
  where erased_key.person_key = any (p_keys)
$$;
