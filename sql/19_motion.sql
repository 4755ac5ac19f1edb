-- Motion: whether something about a contact is under way.

-- Whether something is being written to a contact, or it is being merged: nothing else may be written to it now. One row, which the
-- planner puts in place of the call. Called by gate.known_contacts and gate.is_under_way.
create or replace function gate.under_way(p_contact bigint)
returns table (is_under_way boolean)
language sql
stable
as $$
  select
    exists (select from gate.intent where contact_id = p_contact and state in ('open', 'unknown'))
    or exists (select from merge.under_way where contact_id = p_contact)
$$;

-- The same as one value. Called by gate.rewrite_overwritten, gate.intend_undo, gate.in_motion and gate.begin_merges.
create or replace function gate.is_under_way(p_contact bigint)
returns boolean
language sql
stable
as $$
  select is_under_way
  from gate.under_way(p_contact)
$$;

-- Whether a write about a contact is open, or leads wait for the end of one.
create or replace function gate.in_motion(p_contact bigint)
returns boolean
language sql
stable
as $$
  select gate.is_under_way(p_contact)
    or exists (select from gate.work where waits_for = p_contact)
$$;
