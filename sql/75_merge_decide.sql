-- Merge, decided: what stewards say of plans, by a command or by an update of merge.plan.

-- What a person sets a plan to: approved, rejected or held, as long as it is not begun. An approval is of the digest that is there.
-- By its own trigger on merge.plan, with the rights of whoever updates.
create or replace function gate.decide_plan()
returns trigger
language plpgsql
as $$
declare
  v_decision boolean := old.state in ('proposed', 'held', 'rejected', 'approved')
    and new.state in ('rejected', 'approved', 'held')
    and new.held_for = old.held_for;
begin
  if new.state = old.state then
    return new;
  end if;
  if not v_decision then
    if not has_column_privilege(current_user, 'merge.plan', 'epoch', 'update') then
      raise exception 'plan % is %, and cannot be set to %', old.plan_id, old.state, new.state
        using hint = 'A plan that is not begun can be set to approved, rejected or held.';
    end if;
    return new;
  end if;
  if new.state = 'approved' then
    if (select merge_option.four_eyes from rules.merge_option) and old.planned_by = session_user then
      raise exception 'plan % was planned by %, who may not approve it', old.plan_id, session_user
        using hint = 'rules.merge_option.four_eyes is on: somebody else approves it.';
    end if;
    if exists (select from merge.chosen_master where group_id = old.group_id and chosen_at > old.planned_at)
      or exists (select from merge.chosen_value where group_id = old.group_id and chosen_at > old.planned_at)
    then
      raise exception 'something was chosen for plan % since it was made', old.plan_id
        using hint = 'Run `gatekeeper merge plan`, and look at the plan again.';
    end if;
    new.approved_digest := old.digest;
  else
    new.approved_digest := null;
  end if;
  if new.state = 'held' and new.held_for = '{}' then
    new.held_for := '{by_hand}';
  end if;
  new.decided_at := clock_timestamp();
  new.decided_by := session_user;
  return new;
end
$$;

-- Notes what a person has said of a plan. By its own trigger on merge.plan; stewards have no right to write the audit.
create or replace function gate.note_plan_decision()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, audit, pg_temp
as $$
begin
  insert into audit.merge_event (plan_id, event, details)
  values (
    new.plan_id, new.state,
    jsonb_strip_nulls(jsonb_build_object('digest', new.digest, 'note', new.note, 'held_for', nullif(to_jsonb(new.held_for), '[]')))
  );
  return null;
end
$$;

create or replace trigger decide before update of state on merge.plan
for each row execute function gate.decide_plan();

create or replace trigger note_decision after update of state on merge.plan
for each row when (
  old.state in ('proposed', 'held', 'rejected', 'approved')
  and new.state in ('approved', 'rejected', 'held')
  and new.state <> old.state
) execute function gate.note_plan_decision();

-- Sets plans to approved, rejected or held: those of p_plans, or all that the filters let through. p_digests, if given, go with
-- p_plans: a plan that is another one by now is left alone. Without p_plans only what is proposed or held is looked at, and what is held
-- only where p_held_for names the reason. Returns what was set. Called by `merge approve`, `merge reject`, `merge hold` and
-- `merge import`. With p_dry_run nothing is set.
create or replace function gate.decide_plans(
  p_state text, p_plans bigint[], p_digests text[], p_rule text, p_most_contacts integer, p_no_losses boolean, p_held_for text,
  p_limit bigint, p_note text, p_dry_run boolean
)
returns table (plan_id bigint)
language plpgsql
as $$
#variable_conflict use_column
declare
  v_chosen bigint[];
begin
  select coalesce(array_agg(chosen.plan_id), '{}')
  into v_chosen
  from (
    select plan.plan_id
    from merge.plan
    left join unnest(p_plans, p_digests) as named (plan_id, digest) on named.plan_id = plan.plan_id
    where plan.state in ('proposed', 'held', 'rejected', 'approved')
      and plan.state <> p_state
      and (
        case
          when p_plans is not null then named.plan_id is not null and (named.digest is null or named.digest = plan.digest)
          when p_held_for is not null then plan.state = 'held' and p_held_for = any (plan.held_for)
          when p_state = 'approved' then plan.state = 'proposed'
          else plan.state in ('proposed', 'approved')
        end
      )
      and (p_rule is null or plan.master_rule = p_rule)
      and (p_most_contacts is null or plan.contacts <= p_most_contacts)
      and (
        not p_no_losses
        or not exists (
          select
          from merge.survivor
          where survivor.plan_id = plan.plan_id
            and jsonb_array_length(survivor.lost) > 0
        )
      )
    order by plan.plan_id
    limit p_limit
  ) as chosen;
  if not p_dry_run then
    update merge.plan
    set state = p_state,
        note = coalesce(p_note, plan.note)
    where plan.plan_id = any (v_chosen);
  end if;
  return query
  select unnest(v_chosen);
end
$$;

-- Notes what a person wants of a plan's group: which contact stays, by its id in the CRM, and which values survive. False: there is no such
-- plan that is not begun, or the contact is none of it. Called by `merge approve`, which plans the group anew before it approves.
create or replace function gate.choose_for_plan(p_plan bigint, p_master text, p_values jsonb)
returns boolean
language plpgsql
as $$
declare
  v_group bigint;
begin
  select plan.group_id
  into v_group
  from merge.plan
  where plan.plan_id = p_plan
    and plan.state in ('proposed', 'held', 'rejected', 'approved')
    and (p_master is null or exists (select from merge.member where member.plan_id = p_plan and member.crm_id = p_master));
  if v_group is null then
    return false;
  end if;
  insert into merge.chosen_master (group_id, crm_id)
  select v_group, p_master
  where p_master is not null
  on conflict (group_id) do update
  set (crm_id, chosen_by, chosen_at) = (excluded.crm_id, session_user, clock_timestamp());
  insert into merge.chosen_value (group_id, field, value)
  select v_group, chosen.key, chosen.value
  from jsonb_each_text(p_values) as chosen
  on conflict (group_id, field) do update
  set (value, chosen_by, chosen_at) = (excluded.value, session_user, clock_timestamp());
  return true;
end
$$;

-- The groups of plans. Called by `merge approve`.
create or replace function gate.groups_of_plans(p_plans bigint[])
returns setof bigint
language sql
stable
as $$
  select plan.group_id
  from merge.plan
  where plan.plan_id = any (p_plans)
$$;
