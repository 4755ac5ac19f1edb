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
--
-- Right after a large delivery the planner has no statistics, and must not be led astray: the leads are read apart, by their
-- numbers; the delivery before is bounded from two sides in the first column of the index lead_delivery, which is the first to
-- order by too, for an equality would let a plan walk back through all leads by their numbers.
-- Called by gate.open_batch.
create or replace function gate.repeats(p_leads bigint[])
returns table (lead_id bigint, repeat_of bigint)
language plpgsql
stable
as $$
begin
  return query
  with asked as materialized (
    select
      lead.lead_id as number,
      lead.source,
      lead.source_key,
      hashtextextended(lead.source_key, hashtextextended(lead.source, 0)) as hash,
      lead as whole
    from staging.lead
    where lead.lead_id = any (p_leads)
  )
  select
    asked.number,
    coalesce(
      (
        select substring((array_agg(entry.reason order by entry.decision_id desc))[1] from '^repeat_delivery of lead ([0-9]+)$')::bigint
        from audit.entry
        where entry.lead_id = before.number
          and entry.action = 'coalesced'
      ),
      before.number
    )
  from asked
  cross join lateral (
    select earlier.lead_id as number, gate.delivered(earlier) as content
    from staging.lead as earlier
    where hashtextextended(earlier.source_key, hashtextextended(earlier.source, 0)) >= asked.hash
      and hashtextextended(earlier.source_key, hashtextextended(earlier.source, 0)) <= asked.hash
      and earlier.source = asked.source
      and earlier.source_key = asked.source_key
      and earlier.lead_id < asked.number
    order by hashtextextended(earlier.source_key, hashtextextended(earlier.source, 0)) desc, earlier.lead_id desc
    limit 1
  ) as before
  where before.content = gate.delivered(asked.whole)
    -- What was only decided for show was never delivered.
    and not exists (select from gate.shadow_decision where shadow_decision.lead_id = before.number);
end
$$;

drop function if exists gate.content_hash(staging.lead);
