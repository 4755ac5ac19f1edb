-- Delivery: what makes two deliveries the same.

-- All that a source delivered in a row; what the database added does not count.
create or replace function gate.delivered(p_lead staging.lead)
returns jsonb
language sql
immutable
as $$
  select jsonb_strip_nulls(to_jsonb(p_lead) - 'lead_id' - 'received_at' - 'delivered_by')
$$;

-- The leads that repeat one, and which: the delivery of the source's row just before it, if that had the same content. A row
-- that changed and changed back is no repeat. Only numbers of leads count, so the answer does not depend on the order in
-- which leads are worked off. If the one before was a repeat itself, the first of them.
-- Called by gate.open_batch. Reads staging.lead by its index.
create or replace function gate.repeats(p_leads bigint[])
returns table (lead_id bigint, repeat_of bigint)
language sql
stable
as $$
  select
    lead.lead_id,
    coalesce(
      (
        select substring(entry.reason from '^repeat_delivery of lead ([0-9]+)$')::bigint
        from audit.entry
        where entry.lead_id = before.lead_id
          and entry.action = 'coalesced'
        order by entry.decision_id desc
        limit 1
      ),
      before.lead_id
    )
  from staging.lead
  cross join lateral (
    select earlier.lead_id, gate.delivered(earlier) as content
    from staging.lead as earlier
    where hashtextextended(earlier.source_key, hashtextextended(earlier.source, 0))
        = hashtextextended(lead.source_key, hashtextextended(lead.source, 0))
      and earlier.source = lead.source
      and earlier.source_key = lead.source_key
      and earlier.lead_id < lead.lead_id
    order by earlier.lead_id desc
    limit 1
  ) as before
  where lead.lead_id = any (p_leads)
    and lead.source is not null
    and lead.source_key is not null
    and before.content = gate.delivered(lead)
$$;

drop function if exists gate.content_hash(staging.lead);
