-- Rights of the audiences. Roles that do not exist are left out; `gatekeeper check` prints how to make them.

revoke all on all functions in schema gate from public;

do $grants$
begin
  if exists (select from pg_roles where rolname = 'gatekeeper_etl') then
    grant usage on schema staging to gatekeeper_etl;
    grant insert (
      source, source_key, external_id, email, phone, mobile_phone, first_name, last_name, full_name, company, job_title,
      street, city, state, postal_code, country, properties, occurred_at
    ) on staging.lead to gatekeeper_etl;
    grant select (lead_id) on staging.lead to gatekeeper_etl;
    grant select on staging.lead_status to gatekeeper_etl;
  end if;

  if exists (select from pg_roles where rolname = 'gatekeeper_analyst') then
    grant usage on schema staging, crm, rules, audit, merge, report to gatekeeper_analyst;
    grant select on all tables in schema staging, crm, rules, audit, merge, report to gatekeeper_analyst;
    grant execute on function gate.brake_limit(text), gate.brake_used(text), gate.rehearsed(text) to gatekeeper_analyst;
  end if;

  if exists (select from pg_roles where rolname = 'gatekeeper_steward') then
    grant usage on schema staging, crm, rules, audit, merge, report, gate to gatekeeper_steward;
    grant select on all tables in schema staging, crm, rules, audit, merge, report to gatekeeper_steward;
    grant execute on function gate.brake_limit(text), gate.brake_used(text), gate.rehearsed(text) to gatekeeper_steward;
    grant insert, update, delete on
      rules.source, rules.field, rules.nickname, rules.company_suffix, rules.shared_mailbox, rules.shared_phone,
      rules.junk_value, rules.match_weight, rules.match_threshold, rules.not_duplicate, rules.brake, rules.merge_master
      to gatekeeper_steward;
    grant update (four_eyes) on rules.merge_option to gatekeeper_steward;
    grant update (state, note) on merge.plan to gatekeeper_steward;
    grant insert, update, delete on merge.chosen_master, merge.chosen_value to gatekeeper_steward;
  end if;

  if exists (select from pg_roles where rolname = 'gatekeeper_daemon') then
    grant usage on schema staging, crm, rules, audit, merge, report, gate to gatekeeper_daemon;
    grant select on all tables in schema staging, crm, rules, audit, merge, report, gate to gatekeeper_daemon;
    -- By which a start sees that nothing is to be installed.
    grant select on public.gatekeeper_migration to gatekeeper_daemon;
    grant execute on all functions in schema gate to gatekeeper_daemon;
    grant insert, update, delete on all tables in schema crm, merge, gate to gatekeeper_daemon;
    grant truncate on gate.signature, gate.card, gate.candidate_pair, gate.found_pair to gatekeeper_daemon;
    -- `shadow on`, `shadow off`.
    grant update (shadow) on rules.source to gatekeeper_daemon;
    -- `rules learn --use`.
    grant update (weight) on rules.match_weight to gatekeeper_daemon;
    revoke insert, update, delete on gate.installed from gatekeeper_daemon;
    revoke insert, delete on gate.site from gatekeeper_daemon;
    revoke update on gate.site from gatekeeper_daemon;
    grant update (account_id, time_zone, has_unique_key, history, history_noted_at) on gate.site to gatekeeper_daemon;
    grant insert on audit.entry, audit.settlement, audit.change, audit.crm_call, audit.steward_action, audit.late_report, audit.merge_event
      to gatekeeper_daemon;
    grant insert on rules.company_suffix, rules.junk_value to gatekeeper_daemon;
    grant insert, update on rules.not_duplicate to gatekeeper_daemon;
    grant usage on all sequences in schema crm, merge, audit, gate to gatekeeper_daemon;
  end if;
end
$grants$;
