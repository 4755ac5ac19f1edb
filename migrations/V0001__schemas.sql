-- Schemas, the extension that the fuzzy tier needs, and one role for each audience.
-- Roles are made only where the migrating user may make them; `gatekeeper check` prints the statements for the others.

create extension if not exists pg_trgm;

create schema staging;
create schema crm;
create schema rules;
create schema audit;
create schema report;
create schema gate;

comment on schema staging is 'ETL jobs insert leads here and read back what became of their own.';
comment on schema crm is 'The mirror of the CRM. Analysts read it.';
comment on schema rules is 'Who may write what, and how people are compared. Stewards edit it; every change is a new policy version.';
comment on schema audit is 'Every decision, every field, every call. Rows are added, never changed.';
comment on schema report is 'Views for analysts.';
comment on schema gate is 'Working state of the daemon. Nobody else writes it.';

do $roles$
declare
  v_role text;
begin
  foreach v_role in array array['gatekeeper_daemon', 'gatekeeper_etl', 'gatekeeper_analyst', 'gatekeeper_steward']
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
      begin
        execute format('create role %I nologin', v_role);
      exception
        -- Not allowed to, or another database of the same cluster was migrated at the same moment.
        when insufficient_privilege or duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
end
$roles$;
