-- Back-test: decisions of the past with what they were made on.

-- How many decisions there are to go through, and the number before the first of them. Called by `rules backtest`.
create or replace function gate.past_range(p_since timestamptz, p_until timestamptz)
returns table (after_id bigint, until_id bigint, decisions bigint)
language sql
stable
as $$
  select coalesce(min(decision_id), 0) - 1, coalesce(max(decision_id), 0), count(*)
  from audit.entry
  where decided_at >= p_since
    and (p_until is null or decided_at < p_until)
$$;

-- The next p_limit decisions after p_after, the last one about each lead: what was decided, the candidates as the matcher had found
-- them, and each field in which the lead differed with what stood there. Reads only. Called by `rules backtest`, page by page.
create or replace function gate.past_decisions(p_after bigint, p_until bigint, p_source text, p_limit integer)
returns table (
  decision_id bigint, lead_id bigint, source text, action text, tier text, contact_id bigint, reason text,
  decided_at timestamptz, seen_at timestamptz, nameless boolean, candidates jsonb, changes jsonb, superseded boolean
)
language sql
stable
as $$
  with page as materialized (
    select *
    from audit.entry
    where entry.decision_id > p_after
      and entry.decision_id <= p_until
      and entry.action not in ('rewrite', 'undo')
    order by entry.decision_id
    limit p_limit
  ), ruled as (
    select
      page.decision_id,
      jsonb_agg(jsonb_build_object(
        'field', change.field, 'new_value', change.new_value, 'verdict', change.verdict, 'rule', change.rule, 'old_value', change.old_value,
        'old_source', change.old_source, 'old_seen_at', change.old_seen_at, 'old_edited_at', change.old_edited_at,
        'old_cleared', coalesce(change.old_cleared, false)
      )) as changes
    from page
    join audit.change using (decision_id)
    group by page.decision_id
  )
  select
    page.decision_id, page.lead_id, page.source, page.action, page.tier, page.contact_id, page.reason, page.decided_at,
    coalesce(lead.occurred_at, lead.received_at, page.decided_at),
    page.evidence #>> '{normalized,keys,first_name}' is null and page.evidence #>> '{normalized,keys,last_name}' is null,
    coalesce(page.evidence -> 'candidates', '[]'),
    coalesce(ruled.changes, '[]'),
    (p_source is not null and page.source is distinct from p_source)
      or exists (
        select
        from audit.entry as later
        where later.lead_id = page.lead_id
          and later.decision_id > page.decision_id
          and later.action not in ('rewrite', 'undo')
      )
  from page
  left join ruled on ruled.decision_id = page.decision_id
  left join staging.lead on lead.lead_id = page.lead_id
  order by page.decision_id
$$;
