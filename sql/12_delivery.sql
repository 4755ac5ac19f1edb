-- Delivery: what makes two deliveries the same.

-- Hash of all that a source delivered in a row; what the database added does not count.
create or replace function gate.content_hash(p_lead staging.lead)
returns bytea
language sql
immutable
as $$
  select sha256(convert_to(
    jsonb_strip_nulls(
      to_jsonb(p_lead) - 'lead_id' - 'received_at' - 'delivered_by'
    )::text, 'UTF8'
  ))
$$;
