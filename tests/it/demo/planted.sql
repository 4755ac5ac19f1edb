-- Every decision about every lead, in the order of delivery, with the contact as it is now and the rules that kept fields.
select jsonb_build_object(
  'lead', lead.source || ':' || lead.source_key,
  'action', decision.action,
  'tier', decision.tier,
  'reason', decision.reason,
  'contact', to_jsonb(contact),
  'kept', (
    select coalesce(jsonb_object_agg(change.field, change.rule), '{}')
    from audit.change
    where change.decision_id = decision.decision_id
      and change.verdict = 'kept'
  )
)
from audit.decision
join staging.lead using (lead_id)
left join crm.contact using (contact_id)
order by lead.lead_id, decision.decision_id;
