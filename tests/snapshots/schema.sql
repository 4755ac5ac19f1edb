-- Written by `make schema` from migrations/ and sql/; a test compares. For reading, not for running.

create schema audit
grant usage on schema audit to gatekeeper_analyst
grant usage on schema audit to gatekeeper_daemon
grant usage on schema audit to gatekeeper_steward

create schema crm
grant usage on schema crm to gatekeeper_analyst
grant usage on schema crm to gatekeeper_daemon
grant usage on schema crm to gatekeeper_steward

create schema gate
grant usage on schema gate to gatekeeper_daemon
grant usage on schema gate to gatekeeper_steward

create schema merge
grant usage on schema merge to gatekeeper_analyst
grant usage on schema merge to gatekeeper_daemon
grant usage on schema merge to gatekeeper_steward

create schema report
grant usage on schema report to gatekeeper_analyst
grant usage on schema report to gatekeeper_daemon
grant usage on schema report to gatekeeper_steward

create schema rules
grant usage on schema rules to gatekeeper_analyst
grant usage on schema rules to gatekeeper_daemon
grant usage on schema rules to gatekeeper_steward

create schema staging
grant usage on schema staging to gatekeeper_analyst
grant usage on schema staging to gatekeeper_daemon
grant usage on schema staging to gatekeeper_etl
grant usage on schema staging to gatekeeper_steward

create table audit.change -- One row for each field in which a lead differed from the contact: written, or kept as it was, and by which rule.
  decision_id bigint not null -- The decision.
  field text not null -- Canonical name, or the CRM's own name of the property.
  old_value text -- What the contact held.
  new_value text -- What the lead brought.
  verdict text not null -- written, kept (a rule protects the old value), refused (the value cannot be used).
  rule text not null -- The rule: policy and ranks, or the reason of the refusal.
  old_source text -- Who had set the old value.
  old_seen_at timestamp with time zone -- When its source had seen the old value.
  old_edited_at timestamp with time zone -- When a person had last set or cleared the field in the CRM.
  old_cleared boolean -- That was clearing it. Null: nobody had.
  constraint change_pkey PRIMARY KEY (decision_id, field)
  constraint change_verdict CHECK ((verdict = ANY (ARRAY['written'::text, 'kept'::text, 'refused'::text])))
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant select to gatekeeper_steward

create table audit.crm_call -- One row for each call to the CRM.
  call_id bigint not null generated always as identity -- Number of the call.
  called_at timestamp with time zone not null -- When it was begun.
  operation text not null -- list, search, batch_read, batch_create, batch_update, …
  priority text not null -- For whom: recovery, live, merge, mirror, backfill.
  rows_sent integer not null -- Rows sent, or values asked for.
  applied integer not null default 0 -- Rows the CRM confirmed.
  rejected integer not null default 0 -- Rows the CRM refused.
  conflict integer not null default 0 -- Rows for which the CRM knew a contact that we did not, or knew none where we did.
  unknown integer not null default 0 -- Rows of which it is not known.
  status integer -- HTTP status. Null: no answer.
  failure text -- Why it failed as a whole: a code.
  duration_ms integer not null -- From the first byte sent to the last byte read.
  correlation_id text -- The CRM's own id of the request.
  replica_id uuid -- Who called.
  constraint crm_call_pkey PRIMARY KEY (call_id)
  CREATE INDEX crm_call_called_at ON audit.crm_call USING brin (called_at)
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant select to gatekeeper_steward

create table audit.entry -- One row for each time a lead was decided. Read it through audit.decision, which adds the outcome.
  decision_id bigint not null generated always as identity -- Number of the decision.
  lead_id bigint not null -- The lead.
  source text -- Its source.
  decided_at timestamp with time zone not null default clock_timestamp() -- When.
  action text not null -- create, update, unchanged (the CRM holds it all), coalesced (folded into another lead's write, or delivered before), review, dead, rewrite (an earlier request of ours landed late over what this lead had brought: written again), undo (what this lead had brought is taken back).
  tier text -- What identified the person: external_id, email, phone, fuzzy, or a steward. Null for a new person.
  score real -- Score of the best candidate of the fuzzy tier.
  contact_id bigint -- The person.
  crm_id text -- Its id in the CRM when this was decided.
  reason text -- Reason code.
  evidence jsonb not null -- What it was normalized to, the candidates, what agreed and what did not.
  policy_version bigint not null -- The rules that were in force.
  mirror_age interval -- How old the mirror was.
  intent_id uuid -- The write it went into. Of a decision in shadow: the write that it would have gone into.
  replica_id uuid -- Who decided.
  normalizer text -- Version of the normalizer.
  constraint entry_action CHECK ((action = ANY (ARRAY['create'::text, 'update'::text, 'unchanged'::text, 'coalesced'::text, 'review'::text, 'dead'::text, 'rewrite'::text, 'undo'::text])))
  constraint entry_pkey PRIMARY KEY (decision_id)
  constraint entry_reason CHECK (((action <> ALL (ARRAY['review'::text, 'dead'::text])) OR (reason IS NOT NULL)))
  constraint entry_tier CHECK ((tier = ANY (ARRAY['external_id'::text, 'email'::text, 'phone'::text, 'fuzzy'::text, 'steward'::text])))
  CREATE INDEX entry_contact ON audit.entry USING btree (contact_id) WHERE (contact_id IS NOT NULL)
  CREATE INDEX entry_decided_at ON audit.entry USING brin (decided_at)
  CREATE INDEX entry_lead ON audit.entry USING btree (lead_id)
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant select to gatekeeper_steward

create table audit.late_report -- What a replica reported about a write after another one had taken it over: an effect that may have happened, and that changed nothing here.
  late_report_id bigint not null generated always as identity -- Number of the report.
  reported_at timestamp with time zone not null default clock_timestamp() -- When.
  intent_id uuid not null -- The write.
  epoch bigint not null -- The epoch that the reporter held; the write was in a later one, or settled.
  outcome text not null -- What the CRM had answered: applied, rejected, conflict, missing, unknown; withdrawn: it was not sent.
  crm_id text -- The contact that the CRM named.
  reason text -- Reason code.
  call_id bigint -- The call that brought it.
  constraint late_report_outcome CHECK ((outcome = ANY (ARRAY['applied'::text, 'rejected'::text, 'conflict'::text, 'missing'::text, 'unknown'::text, 'withdrawn'::text])))
  constraint late_report_pkey PRIMARY KEY (late_report_id)
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant select to gatekeeper_steward

create table audit.merge_event -- What happened to plans of merges, in order. Rows are only added.
  event_id bigint not null generated always as identity -- Number of the event.
  plan_id bigint not null -- merge.plan.plan_id.
  happened_at timestamp with time zone not null default clock_timestamp() -- When.
  event text not null -- approved, rejected, held, approval_lost (planned anew it is another plan), begun, taken_over (by another run), released (not begun after all), absorbed (two contacts became one), merged, failed, stale, undo_begun, recreated, undo_given_up (the contact that stayed is gone), undone.
  acted_by text not null default SESSION_USER -- The database user.
  replica_id uuid -- The run.
  call_id bigint -- The call to the CRM, for absorbed.
  details jsonb not null default '{}'::jsonb -- Ids, digests, reasons: never a value of a contact.
  constraint merge_event_details CHECK ((jsonb_typeof(details) = 'object'::text))
  constraint merge_event_event CHECK ((event = ANY (ARRAY['approved'::text, 'rejected'::text, 'held'::text, 'approval_lost'::text, 'begun'::text, 'taken_over'::text, 'released'::text, 'absorbed'::text, 'merged'::text, 'failed'::text, 'stale'::text, 'undo_begun'::text, 'recreated'::text, 'undo_given_up'::text, 'undone'::text])))
  constraint merge_event_pkey PRIMARY KEY (event_id)
  CREATE INDEX merge_event_plan ON audit.merge_event USING btree (plan_id)
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant select to gatekeeper_steward

create table audit.settlement -- What came of a decision that led to a write.
  decision_id bigint not null -- The decision.
  outcome text not null -- applied, rejected, unknown (never found out), shadow (decided for show: not written), none (not sent: decided anew).
  settled_at timestamp with time zone not null default clock_timestamp() -- When it was known.
  crm_id text -- The contact's id in the CRM.
  reason text -- Reason code; recovered when it was found out after a crash or a lost answer.
  message text -- The CRM's own words, where it refused.
  call_id bigint -- The call that brought it.
  constraint settlement_outcome CHECK ((outcome = ANY (ARRAY['applied'::text, 'rejected'::text, 'unknown'::text, 'shadow'::text, 'none'::text])))
  constraint settlement_pkey PRIMARY KEY (decision_id)
  CREATE INDEX settlement_shadow ON audit.settlement USING btree (decision_id) WHERE (outcome = 'shadow'::text)
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant select to gatekeeper_steward

create table audit.steward_action -- What people did: replays, discards, reviews, holds; and what was noted of the database itself (failover, restored).
  action_id bigint not null generated always as identity -- Number of the action.
  acted_at timestamp with time zone not null default now() -- When.
  acted_by text not null default SESSION_USER -- The database user.
  command text not null -- dead replay, dead discard, review accept, review create, review reject, review replay, reconcile, pause, resume, replica release, shadow replay, undo, brake release, brake reject; failover, restored, brake tripped.
  lead_id bigint -- The lead.
  contact_id bigint -- The contact.
  note text -- Why.
  constraint steward_action_pkey PRIMARY KEY (action_id)
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant select to gatekeeper_steward

create table crm.contact -- The mirror: one row for each contact of the CRM, also those that are gone (tombstones), and provisional ones that are being created.
  contact_id bigint not null generated always as identity -- The person, as Gatekeeper numbers it; stays the same when the CRM gives a new id.
  crm_id text -- The CRM's id. Null while the contact is provisional: its creation is under way.
  gatekeeper_key text -- The person key: our unique property in the CRM. Only contacts that Gatekeeper created have one.
  external_id text -- The id of the person in the leading system.
  email text -- Primary e-mail address.
  phone text -- Phone number as the CRM holds it.
  mobile_phone text -- Mobile number as the CRM holds it.
  first_name text -- Given name.
  last_name text -- Family name.
  company text -- Name of the company as text.
  job_title text -- Position at the company.
  street text -- Street and number.
  city text -- Town.
  state text -- State, province or region.
  postal_code text -- Postal code.
  country text -- Country as the CRM holds it.
  additional_emails text[] not null default '{}'::text[] -- Secondary addresses. They belong to the person as much as the primary one.
  properties jsonb not null default '{}'::jsonb -- Other mirrored properties by their CRM name; blank ones are absent.
  created_at timestamp with time zone -- When the CRM made the contact.
  updated_at timestamp with time zone -- When the CRM last changed it. An older version never overwrites a newer one.
  archived_at timestamp with time zone -- When it was found to be gone. A tombstone is never matched.
  gone_reason text -- archived (in the bin), merged (see crm.contact_alias), erased (nowhere: values and provenance are dropped, see gate.erased_key), or missing (nowhere, but somebody holds an address of theirs).
  seen_at timestamp with time zone not null default now() -- When this row was last read from the CRM or confirmed by our own write.
  noted_since timestamp with time zone -- What was changed in the CRM since then is noted in crm.contact_field; a value that is not noted there is older. Null: Gatekeeper made the contact.
  constraint contact_crm_id_key UNIQUE (crm_id)
  constraint contact_gone CHECK (((archived_at IS NULL) = (gone_reason IS NULL)))
  constraint contact_gone_reason CHECK ((gone_reason = ANY (ARRAY['archived'::text, 'merged'::text, 'erased'::text, 'missing'::text])))
  constraint contact_pkey PRIMARY KEY (contact_id)
  constraint contact_properties_object CHECK ((jsonb_typeof(properties) = 'object'::text))
  constraint contact_provisional_or_known CHECK (((crm_id IS NOT NULL) OR ((archived_at IS NULL) AND (gatekeeper_key IS NOT NULL))))
  CREATE INDEX contact_gatekeeper_key ON crm.contact USING btree (gatekeeper_key) WHERE (gatekeeper_key IS NOT NULL)
  CREATE INDEX contact_gone ON crm.contact USING btree (contact_id) WHERE (archived_at IS NOT NULL)
  CREATE UNIQUE INDEX contact_provisional ON crm.contact USING btree (gatekeeper_key) WHERE (crm_id IS NULL)
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select to gatekeeper_steward

create table crm.contact_alias -- Ids that the CRM absorbed in a merge, and the contact that they lead to now. Always one step: chains are shortened.
  absorbed_crm_id text not null -- The id that is gone.
  crm_id text not null -- The id that took its place.
  gatekeeper_key text -- The person key of the absorbed contact, which the CRM drops in a merge.
  reason text not null default 'merge'::text -- How it was learned.
  noted_at timestamp with time zone not null default now() -- When it was learned.
  constraint alias_is_another CHECK ((absorbed_crm_id <> crm_id))
  constraint contact_alias_pkey PRIMARY KEY (absorbed_crm_id)
  CREATE INDEX contact_alias_crm_id ON crm.contact_alias USING btree (crm_id)
  CREATE INDEX contact_alias_gatekeeper_key ON crm.contact_alias USING btree (gatekeeper_key) WHERE (gatekeeper_key IS NOT NULL)
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select to gatekeeper_steward

create table crm.contact_field -- Provenance: who set which value of which contact, also in the CRM as far as the mirror has seen it happen. A value in crm.contact that differs from the one here was changed in the CRM since.
  contact_id bigint not null -- The person.
  field text not null -- Canonical name, or the CRM's own name of the property.
  value text -- The value that was set. Null: it was cleared.
  source text not null -- The source that set it; crm for somebody in the CRM itself, crm_integration for another integration.
  lead_id bigint -- The lead that brought it. Null: no lead.
  occurred_at timestamp with time zone not null -- When the source saw it; for the CRM, when the contact was changed.
  written_at timestamp with time zone not null default now() -- When the CRM confirmed it, or when the mirror saw it.
  rule text not null -- The rule that let it through.
  edited_at timestamp with time zone -- When a person last set or cleared the field in the CRM, as far as the mirror has seen it. Stands on when a source has written it since.
  cleared boolean not null default false -- That was clearing it: what a source below the rank of the CRM brings does not fill it again.
  removed text[] -- Where the policy is append: the values that somebody took out in the CRM.
  author text -- Of a change made in the CRM: person, integration (another app, an import, a workflow), or unknown (the CRM's history does not tell). Null: nobody has asked yet, or a source set it.
  constraint contact_field_author CHECK ((author = ANY (ARRAY['person'::text, 'integration'::text, 'unknown'::text])))
  constraint contact_field_cleared CHECK (((NOT cleared) OR (edited_at IS NOT NULL)))
  constraint contact_field_pkey PRIMARY KEY (contact_id, field)
  CREATE INDEX contact_field_unasked ON crm.contact_field USING btree (contact_id) WHERE ((source = 'crm'::text) AND (author IS NULL))
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select to gatekeeper_steward

create table gate.block_key -- From a blocking key to the contacts that share it: only these are compared by the fuzzy tier.
  block integer not null -- Hash of the blocking key; odd when it is of names alone, else with the bit before when it is of a given name and an employer.
  glance integer not null default 0 -- In a block of names alone, what else is known of the contact (gate.glance); in one of a given name and an employer, by which family name it may be known (gate.family_glance); in any other, by which given name (gate.given_glance). 0: to be looked at in any case.
  contact_id bigint not null -- Who shares it.
  constraint block_key_pkey PRIMARY KEY (block, contact_id) INCLUDE (glance)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.brake -- Sources whose leads are decided for show and held. Read report.brake.
  source text not null -- The source.
  state text not null -- rehearsing: it is being found out how much its leads would write. tripped: too much; a person must speak.
  since timestamp with time zone not null default clock_timestamp() -- Since when.
  creates bigint -- Contacts that its held leads would create.
  updates bigint -- Contacts that they would change.
  reason text -- Which limit that goes beyond.
  constraint brake_pkey PRIMARY KEY (source)
  constraint brake_state CHECK ((state = ANY (ARRAY['rehearsing'::text, 'tripped'::text])))
  constraint brake_tripped CHECK (((state = 'tripped'::text) = (reason IS NOT NULL)))
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.brake_use -- What each source has created and changed, by minute, for a day. Kept while there are brakes.
  source text not null -- The source.
  minute timestamp with time zone not null -- Which minute.
  creates bigint not null default 0 -- Contacts created.
  updates bigint not null default 0 -- Contacts changed.
  let_go bigint not null default 0 -- Leads that were let go on without a rehearsal, for even if each of them wrote, it would not be too much.
  constraint brake_use_pkey PRIMARY KEY (source, minute)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.breaker -- Whether the CRM fails, as all replicas together see it.
  only_row boolean not null default true -- True: there is one row.
  failures integer not null default 0 -- Calls in a row that the CRM failed: 5xx, 423, no answer, no connection. What fails while the breaker is open is not counted.
  open_until timestamp with time zone -- Nobody calls before; then one does, the probe. Null: closed, everybody may call.
  probe_until timestamp with time zone -- A probe is under way; it has until then to be answered, then another may go.
  constraint breaker_failures CHECK ((failures >= 0))
  constraint breaker_only_row CHECK (only_row)
  constraint breaker_pkey PRIMARY KEY (only_row)
  constraint breaker_probe CHECK (((probe_until IS NULL) OR (open_until IS NOT NULL)))
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.candidate_pair -- Pairs that share a block or an address, while all contacts are scanned; empty otherwise. Unlogged, for it can be made anew at any time.
  left_id bigint not null -- The contact with the smaller number.
  right_id bigint not null -- The other one.
  grant delete, insert, select, truncate, update to gatekeeper_daemon

create table gate.card -- What a contact is compared by, complete: its keys, its other names, and how rare its values are. Filled while all contacts are scanned for duplicates, empty otherwise; unlogged, for it can be made anew at any time. As a type it is what gate.compare takes.
  contact_id bigint not null -- The contact; of a lead, -1 less its place in the batch.
  external_id text -- As in gate.contact_keys, as are those below without a comment of their own.
  emails text[] -- All addresses.
  loose_emails text[] -- Addresses without plus-tag and gmail dots, where that differs.
  phone_tails text[] -- Last eight digits of each number.
  extensions text[] -- tail/extension of each number that has one.
  first_name text -- Given name.
  last_name text -- Family name.
  generation text -- junior, senior, third or fourth.
  company text -- Company without suffixes.
  firm text -- The same without spaces.
  firm_word text -- The first word of the company, of three letters or more.
  email_domain text -- Domain of the primary address unless public.
  site text -- The name in that domain: acme of acme.co.uk.
  email_local text -- Local part of the primary address.
  email_fit text -- How it fits the name.
  city text -- Town.
  country text -- ISO code.
  street text -- Street and number.
  postal_code text -- Postal code.
  job_title text -- Job title.
  given_word text -- The first word of the given name.
  address_first text -- The given name that the address says.
  given_words text[] -- The words of the given name, where it has several.
  given text[] -- The given name by which somebody is called, and the one that the address says.
  formal text[] -- Full forms of those, from rules.nickname; null where there are none.
  family text[] -- The words of the family name, and the one that the address says.
  first_bits real -- How rare the given name is, in bits.
  last_bits real -- How rare the family name is.
  full_bits real -- How rare both together are.
  company_bits real -- How rare the company is.
  city_bits real -- How rare the town is.
  email_people real -- log2 of how many people carry an address of it.
  phone_people real -- log2 of how many people carry a number of it.
  contact_bits real -- log2 of how many contacts there are.
  street_bits real -- How rare the street is.
  postal_bits real -- How rare the postal code is.
  grant delete, insert, select, truncate, update to gatekeeper_daemon

create table gate.changed_keys -- Contacts whose keys changed within the last hour or two, a row for each statement that changed some: what a match that was made before did not see.
  changed_by xid8 not null default pg_current_xact_id() -- The transaction.
  changed_at timestamp with time zone not null default clock_timestamp() -- When.
  contact_ids bigint[] not null -- The contacts, which may be gone.
  CREATE INDEX changed_keys_changed_by ON gate.changed_keys USING btree (changed_by)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.contact_keys -- What each contact is compared by: derived from crm.contact by the normalizer, never edited. No foreign key, for speed: a fifth of a full load; whoever deletes a contact calls gate.drop_keys.
  contact_id bigint not null -- The person.
  external_id text -- External id, trimmed.
  emails text[] not null -- All addresses.
  loose_emails text[] not null -- Addresses without plus-tag and gmail dots, where that differs.
  phones text[] not null -- All valid numbers in E.164.
  first_name text -- Given name, folded.
  last_name text -- Family name, folded.
  company text -- Company without suffixes, folded.
  email_domain text -- Domain of the primary address unless public.
  email_local text -- Local part of the primary address.
  city text -- Town, folded.
  country text -- ISO code.
  blocks integer[] not null -- Hashes of the blocking keys, whose last bits tell what they are made of: those of names alone are odd, and of the others those of a given name have the bit before.
  normalizer text not null -- Version of the normalizer that derived the row. Empty: it holds more than the contact does, brought by leads that are not settled; derived anew when they are.
  phone_tails text[] not null default '{}'::text[] -- Last eight digits of each number, also of those that are not valid or whose country is not known.
  extensions text[] not null default '{}'::text[] -- tail/extension of each number that has one.
  address_first text -- Another given name, which the primary address says: luky of luky.novak@ beside Lukas Novak.
  address_last text -- Another family name, which the primary address says.
  generation text -- Which of several people of one name: junior, senior, third or fourth.
  email_fit text -- How the primary address fits the name: name (made of it), numbered (and one digit, as a firm gives it to the second person of a name), other. Null for roles.
  street text -- Street and number, folded.
  postal_code text -- Postal code, letters and digits only.
  job_title text -- Job title, folded.
  constraint contact_keys_email_fit CHECK ((email_fit = ANY (ARRAY['name'::text, 'numbered'::text, 'other'::text])))
  constraint contact_keys_generation CHECK ((generation = ANY (ARRAY['junior'::text, 'senior'::text, 'third'::text, 'fourth'::text])))
  constraint contact_keys_pkey PRIMARY KEY (contact_id)
  CREATE INDEX contact_keys_added ON gate.contact_keys USING btree (contact_id) WHERE (normalizer = ''::text)
  CREATE TRIGGER note_changed_keys_delete AFTER DELETE ON gate.contact_keys REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION gate.note_changed_keys()
  CREATE TRIGGER note_changed_keys_insert AFTER INSERT ON gate.contact_keys REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION gate.note_changed_keys()
  CREATE TRIGGER note_changed_keys_update AFTER UPDATE ON gate.contact_keys REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION gate.note_changed_keys()
  CREATE TRIGGER note_unscanned_delete AFTER DELETE ON gate.contact_keys REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION gate.note_unscanned()
  CREATE TRIGGER note_unscanned_insert AFTER INSERT ON gate.contact_keys REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION gate.note_unscanned()
  CREATE TRIGGER note_unscanned_update AFTER UPDATE ON gate.contact_keys REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION gate.note_unscanned()
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.dead_letter -- Leads that could not be processed, with the reason. The lead itself stays in staging.
  lead_id bigint not null -- The lead.
  decision_id bigint -- The decision that gave up.
  reason text not null -- Reason code.
  message text -- The CRM's own words, where it refused.
  died_at timestamp with time zone not null default now() -- When.
  state text not null default 'waiting'::text -- waiting for a person, replayed (decided anew) or discarded.
  resolved_at timestamp with time zone -- When a person replayed or discarded it.
  resolved_by text -- Who.
  note text -- Why.
  constraint dead_letter_pkey PRIMARY KEY (lead_id)
  constraint dead_letter_resolved CHECK (((state = 'waiting'::text) = (resolved_at IS NULL)))
  constraint dead_letter_state CHECK ((state = ANY (ARRAY['waiting'::text, 'replayed'::text, 'discarded'::text])))
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.duplicate_group -- Contacts that are one person, as far as the last scan knows. Read report.duplicate_group.
  group_id bigint not null generated always as identity -- Number; a group that grows or shrinks keeps it.
  flags text[] not null default '{}'::text[] -- Why a person must look at it: chain (some members are tied to the others by one pair alone), large, told_apart (somebody has said that two of its members are two people).
  changed_at timestamp with time zone not null default clock_timestamp() -- When its members or flags last changed.
  constraint duplicate_group_flags CHECK ((flags <@ ARRAY['chain'::text, 'large'::text, 'told_apart'::text]))
  constraint duplicate_group_pkey PRIMARY KEY (group_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.duplicate_member -- Who is in which group; contacts may be gone since.
  contact_id bigint not null -- The contact.
  group_id bigint not null -- Its group.
  constraint duplicate_member_group_id_fkey FOREIGN KEY (group_id) REFERENCES gate.duplicate_group(group_id) ON DELETE CASCADE
  constraint duplicate_member_pkey PRIMARY KEY (contact_id)
  CREATE INDEX duplicate_member_group ON gate.duplicate_member USING btree (group_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.duplicate_pair -- Pairs of contacts that may be one person, as the last scan found them; contacts may be gone since. Read report.duplicate_pair.
  left_id bigint not null -- The contact with the smaller number.
  right_id bigint not null -- The other one.
  score real not null -- Sum of the match weights, in bits; not below `possible`.
  tier text not null -- The strongest identifier that both carry; fuzzy: none.
  evidence jsonb not null -- The level of each field that both have.
  found_at timestamp with time zone not null default clock_timestamp() -- When it was found or confirmed.
  constraint duplicate_pair_order CHECK ((left_id < right_id))
  constraint duplicate_pair_pkey PRIMARY KEY (left_id, right_id)
  constraint duplicate_pair_tier CHECK ((tier = ANY (ARRAY['external_id'::text, 'email'::text, 'phone'::text, 'fuzzy'::text])))
  CREATE INDEX duplicate_pair_right ON gate.duplicate_pair USING btree (right_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.erased_key -- Person keys of people who were erased in the CRM, one for each identifier that they had. A lead that would be a new person and founds one of them ends in the dead letters as erased_in_crm.
  person_key text not null -- Keyed hash (HMAC-SHA-256) of an external id, an address, or a number with the name. The identifier itself is not kept.
  contact_id bigint not null -- The tombstone in crm.contact, which holds no value any more.
  erased_at timestamp with time zone not null default now() -- When Gatekeeper found out.
  constraint erased_key_form CHECK ((person_key ~ '^v[0-9]+[.][a-z2-7]+$'::text))
  constraint erased_key_pkey PRIMARY KEY (person_key)
  CREATE INDEX erased_key_contact ON gate.erased_key USING btree (contact_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.found_pair -- What a scan of all contacts has found so far; takes the place of gate.duplicate_pair at its end.
  left_id bigint not null -- As in gate.duplicate_pair.
  right_id bigint not null -- As in gate.duplicate_pair.
  score real not null -- As in gate.duplicate_pair.
  tier text not null -- As in gate.duplicate_pair.
  evidence jsonb not null -- As in gate.duplicate_pair.
  found_at timestamp with time zone not null default clock_timestamp() -- As in gate.duplicate_pair.
  constraint duplicate_pair_order CHECK ((left_id < right_id))
  constraint duplicate_pair_tier CHECK ((tier = ANY (ARRAY['external_id'::text, 'email'::text, 'phone'::text, 'fuzzy'::text])))
  grant delete, insert, select, truncate, update to gatekeeper_daemon

create table gate.governor -- The CRM's limits, shared by all replicas: one row for each.
  bucket text not null -- general, search or daily.
  grants timestamp with time zone[] not null default '{}'::timestamp with time zone[] -- When the permits of the rolling window were given.
  paused_until timestamp with time zone -- Nobody calls before.
  pause_reason text -- Why.
  day date -- The day in the account's time zone that day_used counts.
  day_used bigint not null default 0 -- Calls of that day.
  constraint governor_bucket CHECK ((bucket = ANY (ARRAY['general'::text, 'search'::text, 'daily'::text])))
  constraint governor_pkey PRIMARY KEY (bucket)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.hold -- Why the gate holds: nothing is claimed, and no call to the CRM is made but those for the mirror. Empty: it works.
  kind text not null -- paused: a person said so. restored: the database is not the one it was, and a person must say that it may go on.
  since timestamp with time zone not null default clock_timestamp() -- Since when.
  set_by text not null default SESSION_USER -- The database user.
  note text not null -- Why.
  constraint hold_kind CHECK ((kind = ANY (ARRAY['paused'::text, 'restored'::text])))
  constraint hold_pkey PRIMARY KEY (kind)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.identifier -- From an identifier to the contacts that carry it. Kept with gate.contact_keys by gate.put_keys; no foreign key, for speed.
  kind text not null -- external_id, email, loose_email or phone.
  value text not null -- The normalized value.
  contact_id bigint not null -- Who carries it.
  constraint identifier_kind CHECK ((kind = ANY (ARRAY['external_id'::text, 'email'::text, 'loose_email'::text, 'phone'::text])))
  constraint identifier_pkey PRIMARY KEY (kind, value, contact_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.installed -- Which functions and views are installed.
  singleton boolean not null default true -- Always true: there is one row.
  sql_hash text not null -- Hash of all files of sql/.
  version text not null -- Version of the program that installed them.
  installed_at timestamp with time zone not null default now() -- When.
  constraint installed_pkey PRIMARY KEY (singleton)
  constraint installed_singleton_check CHECK (singleton)
  grant select to gatekeeper_daemon

create table gate.intent -- A write that may be sent from now on. Committed before anything is sent; one open one for a person.
  intent_id uuid not null -- Made by the sender; also trace id and idempotency key of the row sent.
  contact_id bigint not null -- The person.
  operation text not null -- create or update.
  crm_id text -- The contact to change.
  gatekeeper_key text -- The person key of the contact to make.
  body jsonb not null -- The values to write, by field name; an empty text clears.
  origin jsonb not null -- Provenance of each value, by field name: source, lead_id, occurred_at, rule.
  keys jsonb -- The keys that the contact will have when this is applied.
  state text not null default 'open'::text -- open (may have been sent), unknown (sent, outcome not known), then applied, rejected, conflict (the CRM knew better: decided anew), missing (contact gone: decided anew), withdrawn (never sent).
  replica_id uuid not null -- Who sends it.
  epoch bigint not null default 1 -- Grows when another replica takes it over; what the former one reports is refused.
  attempts integer not null default 0 -- How often it was sent again after an unknown outcome.
  reason text -- Why it ended or is unknown: a code.
  created_at timestamp with time zone not null default now() -- When it was committed.
  recover_at timestamp with time zone -- When to look in the CRM what became of it.
  settled_at timestamp with time zone -- When it ended.
  doubted_at timestamp with time zone -- When it came into doubt whether a request of it may still land: an answer was lost, another replica took it over, or a report came too late.
  verify_at timestamp with time zone -- When the contact is to be read again for it, to see whether such a request has landed over a newer value.
  in_doubt_at timestamp with time zone -- Since when nothing is tried any more, because the outcome stayed unknown again and again for a day: `gatekeeper in-doubt` lists it, a person resolves it. Leads of this person wait.
  constraint intent_in_doubt CHECK (((in_doubt_at IS NULL) OR (state = 'unknown'::text)))
  constraint intent_key CHECK (((operation = 'update'::text) OR (gatekeeper_key IS NOT NULL)))
  constraint intent_operation CHECK ((operation = ANY (ARRAY['create'::text, 'update'::text])))
  constraint intent_pkey PRIMARY KEY (intent_id)
  constraint intent_recover CHECK ((((state = 'unknown'::text) AND (in_doubt_at IS NULL)) = (recover_at IS NOT NULL)))
  constraint intent_settled CHECK (((state = ANY (ARRAY['open'::text, 'unknown'::text])) = (settled_at IS NULL)))
  constraint intent_state CHECK ((state = ANY (ARRAY['open'::text, 'unknown'::text, 'applied'::text, 'rejected'::text, 'conflict'::text, 'missing'::text, 'withdrawn'::text])))
  constraint intent_target CHECK (((operation = 'update'::text) = (crm_id IS NOT NULL)))
  constraint intent_verify CHECK (((verify_at IS NULL) OR (doubted_at IS NOT NULL)))
  CREATE INDEX intent_created_at ON gate.intent USING brin (created_at)
  CREATE INDEX intent_doubted ON gate.intent USING btree (contact_id) WHERE (doubted_at IS NOT NULL)
  CREATE INDEX intent_in_doubt ON gate.intent USING btree (in_doubt_at) WHERE (in_doubt_at IS NOT NULL)
  CREATE UNIQUE INDEX intent_one_open ON gate.intent USING btree (contact_id) WHERE (state = ANY (ARRAY['open'::text, 'unknown'::text]))
  CREATE INDEX intent_open_by_replica ON gate.intent USING btree (replica_id) WHERE (state = ANY (ARRAY['open'::text, 'unknown'::text]))
  CREATE INDEX intent_verify_at ON gate.intent USING btree (verify_at) WHERE (verify_at IS NOT NULL)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.intent_lead -- Which leads are folded into which write.
  intent_id uuid not null -- The write.
  lead_id bigint not null -- The lead.
  decision_id bigint not null -- The decision that put it there.
  constraint intent_lead_pkey PRIMARY KEY (intent_id, lead_id)
  CREATE INDEX intent_lead_lead ON gate.intent_lead USING btree (lead_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.learned_weight -- What `rules learn` made of the mirror; in force only when somebody says so. Read report.learned_weight.
  field text not null -- As in rules.match_weight.
  level text not null -- As in rules.match_weight.
  weight real not null -- What it found, in bits.
  pairs real not null -- Pairs that agree so, of those it looked at.
  same real not null -- Of them, those of one person, as far as the weights can tell.
  rules_hash text not null -- Stands for the rules from which it set out.
  learned_at timestamp with time zone not null default clock_timestamp() -- When.
  constraint learned_weight_pkey PRIMARY KEY (field, level)
  constraint learned_weight_range CHECK (((weight >= ('-50'::integer)::double precision) AND (weight <= (50)::double precision)))
  constraint learned_weight_same CHECK (((same >= (0)::double precision) AND (same <= pairs)))
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.mirror_drift -- What each full comparison of the mirror with the CRM found and repaired.
  compared_at timestamp with time zone not null default now() -- When it ended.
  contacts bigint not null -- Contacts the CRM has.
  missing bigint not null -- Were in the CRM and not in the mirror. What changed after the last poll does not count, here and in stale: it was not due yet.
  stale bigint not null -- Were older in the mirror, or different.
  ghost bigint not null -- Were in the mirror and no more in the CRM.
  constraint mirror_drift_pkey PRIMARY KEY (compared_at)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.mirror_progress -- How far each pass over the CRM has come; a stopped pass goes on where it was.
  pass text not null -- full (all contacts), changes (what changed lately), slow (the same, an hour behind, for what the CRM's index showed late), archived (the bin).
  cursor text -- Where the pass goes on: the CRM's page cursor, or the last id of the window.
  window_lo timestamp with time zone -- From, for a pass over a window that is under way.
  window_hi timestamp with time zone -- To.
  started_at timestamp with time zone -- When the pass under way, or the last one, began.
  listed_at timestamp with time zone -- When the last page of this pass was written. What remains is to look for ghosts and to end it.
  finished_at timestamp with time zone -- When the last pass ended. Null: never, or one is under way.
  rows_read bigint not null default 0 -- Contacts read in this pass.
  expected bigint -- How many contacts the CRM said that it has, at the beginning of a full pass.
  missing bigint not null default 0 -- Found in this pass: in the CRM and not in the mirror, although the mirror should have had them.
  stale bigint not null default 0 -- Found in this pass: not in the mirror as the CRM has them, although they should have been.
  ghost bigint not null default 0 -- Found in this pass: in the mirror and no more in the CRM.
  reading text[] not null default '{}'::text[] -- For the full pass: the fields that it reads.
  fields text[] not null default '{}'::text[] -- For the full pass: the fields that the mirror holds since the last complete one.
  watermark timestamp with time zone -- All changes up to then are in the mirror, as far as this pass knows.
  replica_id uuid -- Who is at it.
  lease_until timestamp with time zone -- Until then it is nobody else's. Prolonged with every page; when it has lapsed, another replica goes on from the cursor.
  indexed_until bigint not null default 0 -- For the first full pass: up to which contact_id the keys are in gate.identifier and gate.block_key, once all pages are written.
  constraint mirror_progress_lease CHECK (((replica_id IS NULL) = (lease_until IS NULL)))
  constraint mirror_progress_pass CHECK ((pass = ANY (ARRAY['full'::text, 'changes'::text, 'slow'::text, 'archived'::text])))
  constraint mirror_progress_pkey PRIMARY KEY (pass)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.replica -- One row for each run of the daemon: the only heartbeat there is.
  replica_id uuid not null -- New at every start.
  host_id text not null -- Boot and process namespace of the machine, so that a daemon started again on it can tell that its forerunner is dead.
  process_id integer not null -- Number of the process.
  process_started text not null -- Start time of the process in the kernel's ticks, since process numbers are used again.
  version text not null -- Version of the program.
  started_at timestamp with time zone not null default now() -- When it started.
  lease_until timestamp with time zone not null -- Until then its claims and intents are its own. By the database's clock.
  stopped_at timestamp with time zone -- When it said that it was done. Null if it runs or died.
  constraint replica_pkey PRIMARY KEY (replica_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.retry_budget -- What retries of calls may still cost, for all replicas together. First tries cost nothing.
  only_row boolean not null default true -- True: there is one row.
  tokens double precision not null default 500 -- 500 at the most. A retry takes 5, after a call that was not answered 10; a call that worked gives 1 back, and so does each second.
  counted_at timestamp with time zone not null default now() -- Until when the seconds are counted.
  constraint retry_budget_only_row CHECK (only_row)
  constraint retry_budget_pkey PRIMARY KEY (only_row)
  constraint retry_budget_tokens CHECK (((tokens >= (0)::double precision) AND (tokens <= (500)::double precision)))
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.review -- Leads about which a person must decide, and what the person decided.
  lead_id bigint not null -- The lead.
  decision_id bigint not null -- The decision that asked.
  reason text not null -- Why: a code.
  candidates jsonb not null -- The contacts in question with their evidence.
  opened_at timestamp with time zone not null default now() -- When it was asked.
  state text not null default 'open'::text -- open; accepted (it is contact_id), created (it is a new person), rejected (the lead is not wanted), replayed (decided anew).
  contact_id bigint -- Whom the person named.
  resolved_at timestamp with time zone -- When.
  resolved_by text -- Who.
  note text -- Why.
  constraint review_accepted CHECK (((state = 'accepted'::text) = (contact_id IS NOT NULL)))
  constraint review_pkey PRIMARY KEY (lead_id)
  constraint review_resolved CHECK (((state = 'open'::text) = (resolved_at IS NULL)))
  constraint review_state CHECK ((state = ANY (ARRAY['open'::text, 'accepted'::text, 'created'::text, 'rejected'::text, 'replayed'::text])))
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.scan -- Runs of `duplicates scan`.
  scan_id bigint not null generated always as identity -- Number.
  kind text not null -- full: all contacts against all; changed: those that changed since the last one.
  started_at timestamp with time zone not null default clock_timestamp() -- When it began; from then on changes of contacts are noted for the next one.
  finished_at timestamp with time zone -- When it ended; null while it runs, and for ever when it was stopped.
  rules_hash text not null -- Stands for the rules it worked by; when they change, all are compared anew.
  contacts bigint not null -- Contacts that it looked at.
  compared bigint -- Pairs that were compared.
  found bigint -- Of them, those whose score is not below `possible`.
  constraint scan_finished CHECK ((((finished_at IS NULL) = (found IS NULL)) AND ((finished_at IS NULL) = (compared IS NULL))))
  constraint scan_kind CHECK ((kind = ANY (ARRAY['full'::text, 'changed'::text])))
  constraint scan_pkey PRIMARY KEY (scan_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.signature -- What tells at a glance that two contacts are not worth comparing: hashes of their values, for they are compared millions of times. Filled while all contacts are scanned for duplicates, empty otherwise; unlogged, for it can be made anew at any time. As a type it is what gate.worth_comparing takes.
  contact_id bigint not null -- The contact; of a lead, -1 less its place in the batch.
  block bigint -- A block in which it is, while pairs are sought.
  contacts bigint -- How many contacts are in that block.
  name_bits bigint not null -- A bit of 64 for each word in names: without a common one, no word is common.
  family_bits bigint not null -- The same of families.
  employed boolean not null -- Whether a company or the domain of one is known.
  email_local integer -- Local part of the primary address.
  phone integer -- Last eight digits of a number.
  other_phone integer -- Of another number.
  street integer -- Street and number.
  firm integer -- The first three letters of the company.
  site integer -- The first three letters of the name of the domain; hashed as those of a company.
  whole_firm integer -- The whole company.
  whole_site integer -- The whole name of the domain; hashed as a company.
  firm_tail integer -- The last four letters of the company.
  site_tail integer -- The last four letters of the name of the domain; hashed as those of a company.
  city integer -- Town.
  postal_code integer -- Postal code.
  family_initial integer -- First letter of the family name.
  initial integer -- First letter of the given name.
  given_head integer -- Its first two letters; the first one, where there is no more.
  given_start integer -- The first four letters of the given name, all its words in one; the first three, where it has no more than four.
  given integer -- The first word of the given name.
  given_rest integer -- The same without its first letter.
  given_tail integer -- The first letter of the first word of the given name and its last three, or two where it has no more than four: a wrong second letter changes neither.
  names text[] -- The words of the given name, the name that the address says, and full forms.
  families text[] -- The words of the family name, and the one that the address says.
  grant delete, insert, select, truncate, update to gatekeeper_daemon

create table gate.site -- What belongs to this installation alone.
  singleton boolean not null default true -- Always true: there is one row.
  person_key bytea not null -- Secret with which person keys are made. Never changed: another one would make other keys for the same people.
  account_id text -- The CRM account that the mirror was filled from. Another one is refused.
  time_zone text -- The account's time zone; its daily quota begins anew at midnight there.
  has_unique_key boolean not null default false -- The CRM enforces the person key: guarantee class A.
  history text -- System identifier, timeline and database number of the server, as a replica last saw them. Another one: a failover or a restored backup.
  history_noted_at timestamp with time zone -- When a replica last saw it.
  constraint site_pkey PRIMARY KEY (singleton)
  constraint site_singleton_check CHECK (singleton)
  grant select, update (account_id, has_unique_key, history, history_noted_at, time_zone) to gatekeeper_daemon

create table gate.term -- How many contacts carry a value, where it is more than one; of an e-mail address and the end of a phone number, how many people. Counted by gate.count_terms; what stands here may be a little old.
  kind text not null -- first_name (its first word), last_name, full_name (first word|last name), company (without spaces), city, street, postal_code, email, phone (last eight digits); contact: one row, all contacts.
  value text not null -- The value, folded.
  carriers bigint not null -- Contacts; of email and phone, different family names.
  counted_at timestamp with time zone not null default clock_timestamp() -- When it was counted.
  term_key bigint not null generated always as (hashtextextended(value, (hashtext(kind))::bigint)) -- Hash of kind and value (gate.term_key), by which it is looked up.
  constraint term_carriers CHECK ((carriers >= 0))
  constraint term_kind CHECK ((kind = ANY (ARRAY['contact'::text, 'first_name'::text, 'last_name'::text, 'full_name'::text, 'company'::text, 'city'::text, 'street'::text, 'postal_code'::text, 'email'::text, 'phone'::text])))
  constraint term_pkey PRIMARY KEY (term_key)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.undo -- Values that a person wants to have restored. A running daemon does it, as soon as no other write about the contact is under way.
  undo_id bigint not null generated always as identity -- Number of the row.
  contact_id bigint not null -- The person.
  field text not null -- Which field.
  lead_id bigint not null -- The lead whose value is taken back.
  decisions bigint[] not null -- The decisions that are undone by this.
  written_value text not null -- What we wrote: only while the CRM holds it is anything restored.
  restored_value text -- What was there before. Null: it was blank.
  restored_source text not null -- Who had set that.
  restored_lead_id bigint -- The lead that had brought it, if one did.
  restored_occurred_at timestamp with time zone not null -- When its source had seen it.
  requested_at timestamp with time zone not null default clock_timestamp() -- When the person said so.
  requested_by text not null default SESSION_USER -- The database user.
  note text -- Why, for people.
  state text not null default 'waiting'::text -- waiting, intended (a write is made of it), kept (nothing was restored, see reason).
  reason text -- Why nothing was restored: changed_since, contact_gone, in_doubt.
  done_at timestamp with time zone -- When that was found, or the write was made.
  constraint undo_done CHECK (((state = 'waiting'::text) = (done_at IS NULL)))
  constraint undo_kept CHECK (((state = 'kept'::text) = (reason IS NOT NULL)))
  constraint undo_pkey PRIMARY KEY (undo_id)
  constraint undo_state CHECK ((state = ANY (ARRAY['waiting'::text, 'intended'::text, 'kept'::text])))
  CREATE UNIQUE INDEX undo_waiting ON gate.undo USING btree (contact_id, field) WHERE (state = 'waiting'::text)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.unscanned -- Contacts whose keys have changed since the last scan for duplicates, some of them several times.
  unscanned_id bigint not null generated always as identity -- Number: a scan removes the rows that it has seen.
  contact_id bigint not null -- The contact, which may be gone.
  constraint unscanned_pkey PRIMARY KEY (unscanned_id)
  grant delete, insert, select, update to gatekeeper_daemon

create table gate.work -- State of each lead. One narrow row, changed only by the functions of this schema.
  lead_id bigint not null -- The lead.
  state text not null default 'ready'::text -- ready, claimed by a replica, intended (a write is under way), done, dead (see gate.dead_letter), review (see gate.review), held (a brake has tripped, see gate.brake).
  replica_id uuid -- Who has claimed it.
  epoch bigint not null default 0 -- Grows at every claim; what an older claimer reports is refused.
  claims integer not null default 0 -- How often it was claimed and not handed back clean: a lead that kills the process is found by this. Below zero: to be taken alone.
  attempts integer not null default 0 -- How often it was decided anew after the CRM contradicted the mirror.
  next_at timestamp with time zone not null default now() -- Not before.
  waits_for bigint -- The person whose open intent had to be settled first. Stands until the lead is decided.
  brake text -- Where there are brakes: free (it may be written), rehearse (it is decided for show, and held). Null: nobody has looked yet.
  constraint work_brake CHECK ((brake = ANY (ARRAY['free'::text, 'rehearse'::text])))
  constraint work_claimed CHECK (((state = 'claimed'::text) = (replica_id IS NOT NULL)))
  constraint work_held CHECK (((state <> 'held'::text) OR (NOT (brake IS DISTINCT FROM 'rehearse'::text))))
  constraint work_pkey PRIMARY KEY (lead_id)
  constraint work_state CHECK ((state = ANY (ARRAY['ready'::text, 'claimed'::text, 'intended'::text, 'done'::text, 'dead'::text, 'review'::text, 'held'::text])))
  constraint work_waits CHECK (((waits_for IS NULL) OR (state = ANY (ARRAY['ready'::text, 'claimed'::text]))))
  CREATE INDEX work_claimed ON gate.work USING btree (replica_id) WHERE (state = 'claimed'::text)
  CREATE INDEX work_dead ON gate.work USING btree (lead_id) WHERE (state = 'dead'::text)
  CREATE INDEX work_held ON gate.work USING btree (lead_id) WHERE (state = 'held'::text)
  CREATE INDEX work_intended ON gate.work USING btree (lead_id) WHERE (state = 'intended'::text)
  CREATE INDEX work_ready ON gate.work USING btree (next_at, lead_id) WHERE (state = 'ready'::text)
  CREATE INDEX work_review ON gate.work USING btree (lead_id) WHERE (state = 'review'::text)
  CREATE INDEX work_waits_for ON gate.work USING btree (waits_for) WHERE (waits_for IS NOT NULL)
  grant delete, insert, select, update to gatekeeper_daemon

create table merge.chosen_master -- Which contact of a group a person wants to stay, whatever rules.merge_master says. Heeded by the next `merge plan`.
  group_id bigint not null -- The group.
  crm_id text not null -- The contact that is to stay, by its id in the CRM.
  chosen_by text not null default SESSION_USER -- The database user.
  chosen_at timestamp with time zone not null default clock_timestamp() -- When.
  constraint chosen_master_pkey PRIMARY KEY (group_id)
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table merge.chosen_value -- Which value of a field a person wants to survive, whatever the rules of precedence say. Heeded by the next `merge plan`.
  group_id bigint not null -- The group.
  field text not null -- Canonical name, or the CRM's own name of the property.
  value text not null -- The value that is to survive.
  chosen_by text not null default SESSION_USER -- The database user.
  chosen_at timestamp with time zone not null default clock_timestamp() -- When.
  constraint chosen_value_filled CHECK ((btrim(value) <> ''::text))
  constraint chosen_value_pkey PRIMARY KEY (group_id, field)
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table merge.member -- The contacts of a plan.
  plan_id bigint not null -- The plan.
  place integer not null -- 0: the contact that stays. The others in the order in which they are merged into it.
  contact_id bigint not null -- The contact.
  crm_id text not null -- Its id in the CRM.
  updated_at timestamp with time zone -- The version of it that was planned with.
  fingerprint text not null default ''::text -- Stands for all that the mirror held of it when it was planned with.
  recreated_crm_id text -- The contact that an undo made of it.
  constraint member_pkey PRIMARY KEY (plan_id, place)
  constraint member_place CHECK ((place >= 0))
  constraint member_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES merge.plan(plan_id) ON DELETE CASCADE
  CREATE INDEX member_contact ON merge.member USING btree (contact_id)
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select to gatekeeper_steward

create table merge.plan -- One row for each group of duplicates: what a merge would do, who approved it, and what was done. Plans that are not begun are made anew by each `merge plan`; the others are the ledger.
  plan_id bigint not null generated always as identity -- Number of the plan.
  group_id bigint not null -- The group, as in report.duplicate_group.
  state text not null -- proposed, held (a person must look at it first, see held_for), rejected, approved, running, merged, failed and stale (see reason; plan the group again), undoing, undone. A steward sets approved, rejected or held, also by an update.
  held_for text[] not null default '{}'::text[] -- Why it is, or was, held: chain, large, told_apart (as in report.duplicate_group), contradiction (names, generation, country or external ids of two of them differ), different_external_ids (the leading system knows them as different people), by_hand.
  master_id bigint not null -- The contact that stays.
  master_rule text not null -- Which criterion of rules.merge_master made it that.
  contacts integer not null -- How many contacts there are in the group.
  merge_calls integer not null -- Merges that it takes: two contacts at a time.
  write_needed boolean not null -- Whether a value of another contact survives, which has to be written after the merges.
  digest text not null -- Stands for all of this plan and what its contacts hold: another digest is another plan.
  policy_version bigint not null -- The rules by which it was made.
  planned_at timestamp with time zone not null default clock_timestamp() -- When.
  planned_by text not null default SESSION_USER -- The database user.
  approved_digest text -- The digest that was approved: nothing else is run.
  decided_at timestamp with time zone -- When it was approved, rejected or held by a person.
  decided_by text -- By which database user.
  note text -- Why, for people.
  replica_id uuid -- The run that has it in hand, or had it last.
  epoch bigint not null default 0 -- Grows when another run takes it over; what an older epoch reports is refused.
  begun_at timestamp with time zone -- When the first merge was about to be sent.
  ended_at timestamp with time zone -- When it ended.
  reason text -- Why it failed or is stale: contact_changed, contact_gone, plan_changed, told_apart, group_gone, too_many_merges, or the CRM's own code.
  survivor_crm_id text -- The id of the contact that stays, as the CRM returned it last: a merge may make a new one.
  evidence jsonb -- The pairs of the group as the scan had found them when the merge began: contacts, tier, score, agreement.
  not_kept jsonb not null default '{}'::jsonb -- Fields of which the chosen value is not in the CRM, each with why.
  doubted_at timestamp with time zone -- When a write of its values got no answer: it may land late, and what it overwrites then is written again (gate.rewrite_overwritten).
  after jsonb -- What the survivor held when it was read back, by field.
  undo_note text -- Why it was undone.
  not_restored jsonb -- What an undo could not bring back.
  constraint plan_approved CHECK (((state <> ALL (ARRAY['approved'::text, 'running'::text, 'merged'::text, 'undoing'::text, 'undone'::text])) OR (approved_digest IS NOT NULL)))
  constraint plan_contacts CHECK (((contacts >= 2) AND (merge_calls = (contacts - 1))))
  constraint plan_ended CHECK (((state = ANY (ARRAY['merged'::text, 'failed'::text, 'stale'::text, 'undoing'::text, 'undone'::text])) = (ended_at IS NOT NULL)))
  constraint plan_held CHECK ((((state <> 'proposed'::text) OR (held_for = '{}'::text[])) AND ((state <> 'held'::text) OR (held_for <> '{}'::text[]))))
  constraint plan_in_hand CHECK (((state <> ALL (ARRAY['running'::text, 'undoing'::text])) OR (replica_id IS NOT NULL)))
  constraint plan_not_kept CHECK ((jsonb_typeof(not_kept) = 'object'::text))
  constraint plan_pkey PRIMARY KEY (plan_id)
  constraint plan_reason CHECK (((state = ANY (ARRAY['failed'::text, 'stale'::text])) = (reason IS NOT NULL)))
  constraint plan_state CHECK ((state = ANY (ARRAY['proposed'::text, 'held'::text, 'rejected'::text, 'approved'::text, 'running'::text, 'merged'::text, 'failed'::text, 'stale'::text, 'undoing'::text, 'undone'::text])))
  CREATE INDEX plan_at_work ON merge.plan USING btree (state, plan_id) WHERE (state = ANY (ARRAY['approved'::text, 'running'::text, 'undoing'::text]))
  CREATE INDEX plan_doubted ON merge.plan USING btree (master_id) WHERE (doubted_at IS NOT NULL)
  CREATE UNIQUE INDEX plan_open ON merge.plan USING btree (group_id) WHERE (state = ANY (ARRAY['proposed'::text, 'held'::text, 'rejected'::text, 'approved'::text, 'running'::text]))
  CREATE TRIGGER decide BEFORE UPDATE OF state ON merge.plan FOR EACH ROW EXECUTE FUNCTION gate.decide_plan()
  CREATE TRIGGER note_decision AFTER UPDATE OF state ON merge.plan FOR EACH ROW WHEN (((old.state = ANY (ARRAY['proposed'::text, 'held'::text, 'rejected'::text, 'approved'::text])) AND (new.state = ANY (ARRAY['approved'::text, 'rejected'::text, 'held'::text])) AND (new.state <> old.state))) EXECUTE FUNCTION gate.note_plan_decision()
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select, update (note, state) to gatekeeper_steward

create table merge.snapshot -- Each contact of a plan as it was before the first merge: all properties that the CRM has.
  plan_id bigint not null -- The plan.
  place integer not null -- As in merge.member.
  taken_at timestamp with time zone not null default clock_timestamp() -- When.
  record jsonb not null -- crm_id, values by field, additional_emails, gatekeeper_key, created_at, updated_at, absorbed_ids.
  provenance jsonb not null -- Its rows of crm.contact_field, by field.
  associations jsonb -- What it was tied to, by kind of object: ids. Null: not read.
  constraint snapshot_pkey PRIMARY KEY (plan_id, place)
  constraint snapshot_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES merge.plan(plan_id) ON DELETE CASCADE
  constraint snapshot_plan_id_place_fkey FOREIGN KEY (plan_id, place) REFERENCES merge.member(plan_id, place) ON DELETE CASCADE
  constraint snapshot_provenance CHECK ((jsonb_typeof(provenance) = 'object'::text))
  constraint snapshot_record CHECK ((jsonb_typeof(record) = 'object'::text))
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select to gatekeeper_steward

create table merge.step -- The merges of a plan, one after another: two contacts become one.
  plan_id bigint not null -- The plan.
  place integer not null -- As in merge.member: who is absorbed.
  absorbed_crm_id text not null -- Its id.
  primary_crm_id text -- The id of the contact that stays, before this merge.
  result_crm_id text -- Its id after it, as the CRM returned it.
  call_id bigint -- audit.crm_call. Null: the answer was lost, and the CRM was asked what had become of it.
  done_at timestamp with time zone -- When it was known to be done. Null: not yet.
  constraint step_done CHECK ((((done_at IS NULL) = (result_crm_id IS NULL)) AND ((done_at IS NULL) = (primary_crm_id IS NULL))))
  constraint step_pkey PRIMARY KEY (plan_id, place)
  constraint step_place CHECK ((place >= 1))
  constraint step_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES merge.plan(plan_id) ON DELETE CASCADE
  constraint step_plan_id_place_fkey FOREIGN KEY (plan_id, place) REFERENCES merge.member(plan_id, place) ON DELETE CASCADE
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select to gatekeeper_steward

create table merge.survivor -- Fields in which the contacts of a plan differ, or which the contact that stays lacks: the value that survives, and those that would be lost.
  plan_id bigint not null -- The plan.
  field text not null -- Canonical name, or the CRM's own name of the property.
  value text not null -- The value that survives.
  contact_id bigint not null -- Whose it is.
  source text -- Who had set it.
  rule text not null -- The rule of precedence that let it survive.
  lost jsonb not null -- What would be lost: contact_id, value and source of each.
  constraint survivor_lost CHECK ((jsonb_typeof(lost) = 'array'::text))
  constraint survivor_pkey PRIMARY KEY (plan_id, field)
  constraint survivor_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES merge.plan(plan_id) ON DELETE CASCADE
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select to gatekeeper_steward

create table merge.under_way -- Contacts that are being merged, or unmerged: nothing else is written to them, and leads for them wait.
  contact_id bigint not null -- The contact.
  plan_id bigint not null -- The plan.
  constraint under_way_pkey PRIMARY KEY (contact_id)
  constraint under_way_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES merge.plan(plan_id) ON DELETE CASCADE
  CREATE INDEX under_way_plan ON merge.under_way USING btree (plan_id)
  grant select to gatekeeper_analyst
  grant delete, insert, select, update to gatekeeper_daemon
  grant select to gatekeeper_steward

create table rules.brake -- How many contacts a source may create and change within an hour. What would go beyond that is rehearsed and held, until a person says that it may go on.
  source text not null -- As in rules.source; '*' for each source that has no row of its own.
  creates_per_hour integer -- Contacts created within an hour. Null: any number.
  updates_per_hour integer -- Contacts changed within an hour. Null: any number.
  creates_percent real -- The same as a share of the living contacts in the mirror. The lower of the two counts.
  updates_percent real -- The same for changes.
  note text -- Why, for people.
  constraint brake_creates CHECK (((creates_per_hour >= 0) AND ((creates_percent IS NULL) OR (creates_percent >= (0)::double precision))))
  constraint brake_pkey PRIMARY KEY (source)
  constraint brake_says_something CHECK ((COALESCE((creates_per_hour)::real, (updates_per_hour)::real, creates_percent, updates_percent) IS NOT NULL))
  constraint brake_updates CHECK (((updates_per_hour >= 0) AND ((updates_percent IS NULL) OR (updates_percent >= (0)::double precision))))
  CREATE TRIGGER note_delete AFTER DELETE ON rules.brake REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.brake REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.brake FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.brake REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.company_suffix -- Words that do not tell companies apart: gmbh, inc, ltd. Filled with the built-in list at the first start.
  suffix text not null -- Lower case, without dots.
  constraint company_suffix_pkey PRIMARY KEY (suffix)
  CREATE TRIGGER note_delete AFTER DELETE ON rules.company_suffix REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.company_suffix REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.company_suffix FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.company_suffix REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.field -- Which policy holds for a field and a source. The most exact row that says something counts, for policy, rank and expires_days each by itself: field and source, then field for all, then source for all fields, then all for all. A row for the source crm says how values stand that were set in the CRM itself.
  field text not null -- Canonical name or CRM name of the property; '*' for all fields.
  source text not null default '*'::text -- Name of the source; '*' for all.
  policy text -- highest_rank: the better source wins, the newer value within one rank. newest: the newer value wins, whoever brings it. longest, min, max: the longer, smaller, greater value wins. tighten: only towards the end of the scale. append: added to what a field of several values holds. only_if_blank: fills, never replaces. never: this source may not write the field. Null: as the less exact rows say.
  note text -- Why, for people.
  rank integer -- Rank of this source in this field, instead of the one in rules.source.
  expires_days integer -- So many days after the source saw a value of this field its rank is 0.
  scale text[] -- For tighten: the values from the loosest to the tightest, such as {false,true} for an opt-out.
  constraint field_append CHECK (((policy <> 'append'::text) OR (field <> '*'::text)))
  constraint field_expires CHECK (((expires_days >= 1) AND (expires_days <= 36500)))
  constraint field_pkey PRIMARY KEY (field, source)
  constraint field_policy CHECK ((policy = ANY (ARRAY['highest_rank'::text, 'newest'::text, 'only_if_blank'::text, 'never'::text, 'append'::text, 'longest'::text, 'min'::text, 'max'::text, 'tighten'::text])))
  constraint field_rank CHECK (((rank IS NULL) OR (((rank >= 0) AND (rank <= 1000)) AND (source <> '*'::text))))
  constraint field_says_something CHECK ((COALESCE(policy, (rank)::text, (expires_days)::text) IS NOT NULL))
  constraint field_scale CHECK ((((NOT (policy IS DISTINCT FROM 'tighten'::text)) = (scale IS NOT NULL)) AND ((scale IS NULL) OR ((cardinality(scale) >= 2) AND (field <> '*'::text)))))
  CREATE TRIGGER note_delete AFTER DELETE ON rules.field REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.field REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.field FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.field REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.junk_value -- Texts that stand for no value: test, n/a, asdf. Filled with the built-in list at the first start.
  value text not null -- Lower case.
  constraint junk_value_pkey PRIMARY KEY (value)
  CREATE TRIGGER note_delete AFTER DELETE ON rules.junk_value REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.junk_value REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.junk_value FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.junk_value REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant insert, select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.match_threshold -- From which score on two records are one person, and from which a person is asked.
  name text not null -- match, review, margin: of a lead and a contact. duplicate, possible: of two contacts.
  score real not null -- In units of match weight.
  note text not null -- What it does.
  constraint match_threshold_name CHECK ((name = ANY (ARRAY['match'::text, 'review'::text, 'margin'::text, 'duplicate'::text, 'possible'::text])))
  constraint match_threshold_pkey PRIMARY KEY (name)
  CREATE TRIGGER note_delete AFTER DELETE ON rules.match_threshold REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.match_threshold REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.match_threshold FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.match_threshold REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.match_weight -- Match weights after Fellegi and Sunter, in bits: log2 of how much more often two records of one person agree so than two of different people. The score of a pair is the sum over its fields of weight + rarity × how rare the value is.
  field text not null -- What is compared: first_name, last_name, full_name, company, email, phone, place, job_title, generation, country, external_id; base stands once in every pair.
  level text not null -- How well it agrees: exact, nickname, initial, slip, different, …; docs/MATCHING.md explains each. Of phone and place, those that end in _office are of two who seem to work for one employer.
  weight real not null -- Added to the score.
  rarity real not null default 0 -- Added for each bit of how rare the value is that both have: a name that one in 1,024 contacts carries has 10 bits. For e-mail and phone: for each doubling of the people who carry the value. For base: for each doubling of the contacts.
  constraint match_weight_pkey PRIMARY KEY (field, level)
  constraint match_weight_range CHECK (((weight >= ('-50'::integer)::double precision) AND (weight <= (50)::double precision)))
  constraint match_weight_rarity CHECK (((rarity >= ('-2'::integer)::double precision) AND (rarity <= (2)::double precision)))
  CREATE TRIGGER note_delete AFTER DELETE ON rules.match_weight REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.match_weight REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.match_weight FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.match_weight REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select, update (weight) to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.merge_master -- Which contact of a group stays: the first criterion by which one stands before all others decides; the lowest contact_id if none does.
  place integer not null -- In this order.
  criterion text not null -- has: it holds a value in the field. highest: it holds the highest number there, or the latest time. most_complete: it holds most values. oldest, newest: it was made first, or last. recently_changed: it was changed last.
  field text -- For has and highest: canonical name, or the CRM's own name of the property, such as its owner. It is mirrored from then on.
  note text -- Why, for people.
  constraint merge_master_criterion CHECK ((criterion = ANY (ARRAY['has'::text, 'highest'::text, 'most_complete'::text, 'oldest'::text, 'newest'::text, 'recently_changed'::text])))
  constraint merge_master_field CHECK (((criterion = ANY (ARRAY['has'::text, 'highest'::text])) = (field IS NOT NULL)))
  constraint merge_master_pkey PRIMARY KEY (place)
  constraint merge_master_place CHECK (((place >= 1) AND (place <= 100)))
  CREATE TRIGGER note_delete AFTER DELETE ON rules.merge_master REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.merge_master REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.merge_master FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.merge_master REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.merge_option -- How merges are approved. One row.
  single boolean not null default true -- There is one row.
  four_eyes boolean not null default false -- Whoever planned a merge may not approve it.
  constraint merge_option_pkey PRIMARY KEY (single)
  constraint merge_option_single CHECK (single)
  CREATE TRIGGER note_delete AFTER DELETE ON rules.merge_option REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.merge_option REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.merge_option FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.merge_option REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select, update (four_eyes) to gatekeeper_steward

create table rules.nickname -- Short forms of given names: bob is robert. Two names meet when one is a short form of the other or both are of a third.
  nickname text not null -- Short form, lower case, without diacritics.
  name text not null -- Full form, lower case, without diacritics.
  constraint nickname_lower CHECK (((nickname = lower(nickname)) AND (name = lower(name))))
  constraint nickname_pkey PRIMARY KEY (nickname, name)
  CREATE INDEX nickname_name ON rules.nickname USING btree (name)
  CREATE TRIGGER note_delete AFTER DELETE ON rules.nickname REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.nickname REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.nickname FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.nickname REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.not_duplicate -- Pairs of contacts that a person has said are two people.
  crm_id_low text not null -- The CRM id that sorts first as text.
  crm_id_high text not null -- The other one.
  note text -- Why, for people.
  noted_by text not null default SESSION_USER -- Who said so.
  noted_at timestamp with time zone not null default now() -- When.
  constraint not_duplicate_order CHECK ((crm_id_low < crm_id_high))
  constraint not_duplicate_pkey PRIMARY KEY (crm_id_low, crm_id_high)
  CREATE TRIGGER look_again_delete AFTER DELETE ON rules.not_duplicate REFERENCING OLD TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION gate.look_again()
  CREATE TRIGGER look_again_insert AFTER INSERT ON rules.not_duplicate REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION gate.look_again()
  CREATE TRIGGER note_delete AFTER DELETE ON rules.not_duplicate REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.not_duplicate REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.not_duplicate FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.not_duplicate REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant insert, select, update to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.policy_version -- One row for each statement that changed a rule: what stood there before and after.
  policy_version bigint not null generated always as identity -- The number that decisions carry. The highest one is in force.
  changed_at timestamp with time zone not null default now() -- When.
  changed_by text not null default SESSION_USER -- The database user.
  rule_table text not null -- Which table of this schema.
  operation text not null -- insert, update, delete or truncate.
  rows_before jsonb -- The rows as they were.
  rows_after jsonb -- The rows as they are.
  constraint policy_version_pkey PRIMARY KEY (policy_version)
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create table rules.shared_mailbox -- Addresses that do not identify one person. A local part alone (info) holds for every domain, a whole address for itself, @domain for all of a domain.
  address text not null -- info, sales@acme.example or @lists.example, lower case.
  note text -- Why, for people.
  constraint shared_mailbox_lower CHECK ((address = lower(address)))
  constraint shared_mailbox_pkey PRIMARY KEY (address)
  CREATE TRIGGER note_delete AFTER DELETE ON rules.shared_mailbox REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.shared_mailbox REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.shared_mailbox FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.shared_mailbox REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.shared_phone -- Numbers that do not identify one person, such as switchboards.
  phone text not null -- E.164: +49301234567.
  note text -- Why, for people.
  constraint shared_phone_e164 CHECK ((phone ~ '^\+[0-9]{6,15}$'::text))
  constraint shared_phone_pkey PRIMARY KEY (phone)
  CREATE INDEX shared_phone_tail ON rules.shared_phone USING btree ("right"(ltrim(phone, '+'::text), 8))
  CREATE TRIGGER note_delete AFTER DELETE ON rules.shared_phone REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.shared_phone REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.shared_phone FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.shared_phone REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table rules.source -- The sources, and how far each is trusted. The row 'crm' stands for values that were set in the CRM itself. A row 'crm_integration' sets apart what other integrations set there; without it they count as people.
  source text not null -- Name, as in staging.lead.source.
  rank integer not null -- 0 to 1000. A value of a lower rank never replaces one of a higher rank where the policy is highest_rank. A row of rules.field may set another rank for a field.
  description text -- What it is, for people.
  expires_days integer -- So many days after the source saw a value its rank is 0: whoever comes then may replace it. Null: never. A row of rules.field may set another number for a field.
  shadow boolean not null default false -- What this source brings is decided and audited, and nothing of it is written: see report.shadow_diff.
  constraint source_expires CHECK (((expires_days >= 1) AND (expires_days <= 36500)))
  constraint source_name CHECK (((source <> ''::text) AND (source <> '*'::text)))
  constraint source_pkey PRIMARY KEY (source)
  constraint source_rank_range CHECK (((rank >= 0) AND (rank <= 1000)))
  CREATE TRIGGER note_delete AFTER DELETE ON rules.source REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_insert AFTER INSERT ON rules.source REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_truncate AFTER TRUNCATE ON rules.source FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  CREATE TRIGGER note_update AFTER UPDATE ON rules.source REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION gate.note_rule_change()
  grant select to gatekeeper_analyst
  grant select, update (shadow) to gatekeeper_daemon
  grant delete, insert, select, update to gatekeeper_steward

create table staging.lead -- One row for each lead as the source delivered it. ETL jobs insert; nobody updates.
  lead_id bigint not null generated always as identity -- Number of the delivered row, given by the database.
  source text -- Name of the source as in rules.source. A lead of an unknown source becomes a dead letter until the source is entered.
  source_key text -- The source's own id of the row. The same row delivered twice has one effect.
  external_id text -- The id that the leading system gives the person. The first key of the hierarchy.
  email text -- E-mail address in any spelling. The second key.
  phone text -- Phone number in any spelling. The third key.
  mobile_phone text -- Mobile number in any spelling. The third key as well.
  first_name text -- Given name.
  last_name text -- Family name.
  full_name text -- Whole name, for sources that do not keep the two apart. Used only to fill first_name and last_name.
  company text -- Name of the company.
  job_title text -- Position at the company.
  street text -- Street and number.
  city text -- Town.
  state text -- State, province or region.
  postal_code text -- Postal code.
  country text -- Country by name or code. Also says how to read a phone number without country code.
  properties jsonb -- Any other CRM property by its CRM name: {"lifecyclestage": "lead"}.
  occurred_at timestamp with time zone -- When the source saw these values. Decides where the newest value wins. Absent, or in the future: received_at counts.
  received_at timestamp with time zone default now() -- When the row arrived.
  delivered_by text default SESSION_USER -- The database user that delivered it; may read its state in staging.lead_status.
  constraint lead_pkey PRIMARY KEY (lead_id)
  CREATE INDEX lead_delivery ON staging.lead USING btree (hashtextextended(source_key, hashtextextended(source, (0)::bigint)), lead_id) WHERE ((source IS NOT NULL) AND (source_key IS NOT NULL))
  CREATE TRIGGER lead_arrived AFTER INSERT ON staging.lead REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION gate.lead_arrived()
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant insert (city, company, country, email, external_id, first_name, full_name, job_title, last_name, mobile_phone, occurred_at, phone, postal_code, properties, source, source_key, state, street), select (lead_id) to gatekeeper_etl
  grant select to gatekeeper_steward

create view audit.decision -- One row for each time a lead was decided, with the outcome: applied, rejected, shadow (decided for show), none; null while the write is under way.
  decision_id bigint
  lead_id bigint
  source text
  decided_at timestamp with time zone
  action text
  tier text
  score real
  contact_id bigint
  crm_id text
  reason text
  evidence jsonb
  policy_version bigint
  mirror_age interval
  outcome text
  settled_at timestamp with time zone
  intent_id uuid
  replica_id uuid
  normalizer text
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view gate.lead_text -- Leads as the daemon reads them.
  lead_id bigint
  source text
  source_key text
  external_id text
  email text
  phone text
  mobile_phone text
  first_name text
  last_name text
  full_name text
  company text
  job_title text
  street text
  city text
  state text
  postal_code text
  country text
  properties text
  occurred_at timestamp with time zone
  grant delete, insert, select, update to gatekeeper_daemon

create view gate.shadow_decision -- Decisions in shadow that are the last ones of their leads.
  decision_id bigint
  lead_id bigint
  source text
  decided_at timestamp with time zone
  action text
  tier text
  score real
  contact_id bigint
  crm_id text
  reason text
  evidence jsonb
  policy_version bigint
  mirror_age interval
  intent_id uuid
  replica_id uuid
  normalizer text
  person text
  grant delete, insert, select, update to gatekeeper_daemon

create view report.api_usage -- Calls to the CRM by hour, operation and priority.
  hour timestamp with time zone
  operation text
  priority text
  calls bigint
  rows_sent bigint
  throttled bigint
  failed bigint
  average_ms numeric
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.backlog -- Leads that are not done yet, by state.
  state text
  leads bigint
  oldest timestamp with time zone
  most_claims integer
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.brake -- How much each source may create and change within an hour, what it did, and what a brake holds: free, rehearsing, or tripped with the reason.
  source text
  state text
  since timestamp with time zone
  reason text
  held_leads bigint
  would_create bigint
  would_change bigint
  created_last_hour bigint
  changed_last_hour bigint
  creates_allowed bigint
  updates_allowed bigint
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.daily -- Decisions by day, source, action and tier.
  day date
  source text
  action text
  tier text
  decisions bigint
  applied bigint
  rejected bigint
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.dead_letter -- Leads that could not be processed: reason code, the CRM's words, and which row of staging.lead it was.
  lead_id bigint
  source text
  source_key text
  reason text
  message text
  died_at timestamp with time zone
  state text
  decision_id bigint
  resolved_at timestamp with time zone
  resolved_by text
  note text
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.decision_count -- Leads by action and by the tier that identified the person; no tier: nobody known.
  action text
  tier text
  leads bigint
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.duplicate_group -- Groups of contacts that are one person. flags says why a person must look at it: chain (a member is tied to the others by one pair alone), large, told_apart (somebody has said of two who hang together by it that they are two people). lowest_score: of the pairs within.
  group_id bigint
  contacts bigint
  flags text[]
  contact_ids bigint[]
  crm_ids text[]
  lowest_score real
  changed_at timestamp with time zone
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.duplicate_member -- The contacts of each group of duplicates, one row each.
  group_id bigint
  contact_id bigint
  crm_id text
  first_name text
  last_name text
  company text
  email text
  phone text
  city text
  external_id text
  created_at timestamp with time zone
  updated_at timestamp with time zone
  flags text[]
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.duplicate_pair -- Pairs of contacts that may be one person: tier (the strongest identifier that both carry), score in bits, verdict (duplicate or possible, by rules.match_threshold), evidence (how each field agrees), and their group, if both are in one.
  left_contact_id bigint
  left_crm_id text
  right_contact_id bigint
  right_crm_id text
  tier text
  score real
  verdict text
  evidence jsonb
  group_id bigint
  found_at timestamp with time zone
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.in_doubt -- Writes whose outcome stayed unknown for a day: the person, the leads that they are for, and how many leads wait. A person resolves them with `gatekeeper in-doubt resolve`.
  intent_id uuid
  contact_id bigint
  operation text
  crm_id text
  created_at timestamp with time zone
  in_doubt_at timestamp with time zone
  attempts integer
  reason text
  leads bigint[]
  waiting bigint
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.learned_weight -- What `rules learn` made of the mirror, beside the weights in force.
  field text -- What is compared.
  level text -- How well it agrees.
  weight_in_force real -- In bits.
  learned_weight real -- In bits.
  pairs real -- Pairs that agree so, of those it looked at.
  pairs_of_one_person real -- Of them, those of one person, as far as the weights can tell.
  rarity real -- Added for each bit of how rare the value is; not learned.
  learned_at timestamp with time zone -- When.
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.merge_ledger -- Each merge that was begun: who stays and who was absorbed, by which rule and evidence, who approved it, the values of both before and of the survivor after, and the call to the CRM.
  plan_id bigint
  group_id bigint
  state text
  place integer
  winner_contact_id bigint
  winner_crm_id text
  loser_contact_id bigint
  loser_crm_id text
  master_rule text
  evidence jsonb
  planned_by text
  approved_by text
  approved_at timestamp with time zone
  primary_crm_id text
  result_crm_id text
  done_at timestamp with time zone
  call_id bigint
  called_at timestamp with time zone
  duration_ms integer
  winner_before jsonb
  loser_before jsonb
  winner_after jsonb
  not_kept jsonb
  recreated_crm_id text
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.merge_plan -- What a merge of each group of duplicates does: who stays and why, who is merged into it, in how many fields values are lost (merge.survivor), who approved it, and what came of it.
  plan_id bigint
  group_id bigint
  state text
  held_for text[]
  contacts integer
  master_crm_id text
  master_rule text
  merged_crm_ids text[]
  merge_calls integer
  write_needed boolean
  fields_with_losses bigint
  planned_at timestamp with time zone
  planned_by text
  digest text
  decided_at timestamp with time zone
  decided_by text
  note text
  begun_at timestamp with time zone
  ended_at timestamp with time zone
  reason text
  survivor_crm_id text
  fields_not_kept text[]
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.merge_summary -- Groups of duplicates by month (of their end, or of their plan), by the rule that chose who stays, and by state: how many, the contacts in them, merges done, and by how many contacts the CRM is smaller for it.
  month date
  master_rule text
  state text
  groups bigint
  contacts bigint
  merge_calls bigint
  contacts_saved bigint
  groups_with_values_not_kept bigint
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.one_by_one -- What searching for each lead by e-mail and then writing it would have cost in calls, and how many contacts it would have made.
  leads bigint
  searches bigint
  writes bigint
  calls bigint
  contacts_made bigint
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.purge -- All plans of merges together: how many groups are planned, held for a person and merged, how many merges were made, and the merged plan with most contacts, for an example.
  planned bigint
  held bigint
  merged bigint
  merges bigint
  example bigint
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.review -- Leads about which a person must decide: the reason and the contacts in question with their evidence.
  lead_id bigint
  source text
  source_key text
  reason text
  candidates jsonb
  opened_at timestamp with time zone
  state text
  contact_id bigint
  decision_id bigint
  resolved_at timestamp with time zone
  resolved_by text
  note text
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.shadow_diff -- What leads in shadow would have written: contact, field, old and new value, rule. A new person has no contact yet; person tells them apart.
  decision_id bigint
  decided_at timestamp with time zone
  source text
  lead_id bigint
  action text
  tier text
  contact_id bigint
  crm_id text
  person text
  field text
  old_value text
  new_value text
  rule text
  old_source text
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.shadow_summary -- Leads in shadow by source: how many people they would have created and how many contacts changed. A person that comes again in a later batch under another identifier counts twice.
  source text
  leads bigint
  would_create bigint
  would_change bigint
  unchanged bigint
  first_decided_at timestamp with time zone
  last_decided_at timestamp with time zone
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.source_quality -- Leads by source and what became of them; trouble_percent is the share that needed a person.
  source text
  leads bigint
  created bigint
  updated bigint
  unchanged bigint
  coalesced bigint
  review bigint
  dead bigint
  trouble_percent numeric
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view report.undone -- Values that a person wanted to have restored: what became of each. The write itself is in audit.decision, action undo.
  undo_id bigint
  contact_id bigint
  crm_id text
  field text
  lead_id bigint
  decisions bigint[]
  written_value text
  restored_value text
  restored_source text
  state text
  reason text
  requested_at timestamp with time zone
  requested_by text
  note text
  done_at timestamp with time zone
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_steward

create view staging.lead_status -- What became of your leads: waiting, writing, done, review, dead, or held by a brake.
  lead_id bigint
  source text
  source_key text
  received_at timestamp with time zone
  state text
  action text
  outcome text
  reason text
  crm_id text
  decided_at timestamp with time zone
  settled_at timestamp with time zone
  grant select to gatekeeper_analyst
  grant select to gatekeeper_daemon
  grant select to gatekeeper_etl
  grant select to gatekeeper_steward

create function gate.add_keys(p_keys jsonb) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.addresses_of(p_crm_ids text[]) returns TABLE(crm_id text, emails text[]) stable
  grant execute to gatekeeper_daemon

create function gate.adopt_leads(p_after bigint, p_limit integer) returns TABLE(adopted bigint, looked_until bigint) volatile
  grant execute to gatekeeper_daemon

create function gate.agree(p_left gate.card, p_right gate.card) returns SETOF gate.agreement immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.agreements(p_left bigint[], p_right bigint[], p_leads gate.contact_keys[], p_all boolean) returns SETOF gate.agreement stable
  grant execute to gatekeeper_daemon

create function gate.agreements_among(p_left bigint[], p_right bigint[], p_cards gate.card[], p_all boolean) returns SETOF gate.agreement stable set plan_cache_mode=force_generic_plan set enable_nestloop=off set enable_hashjoin=on
  grant execute to gatekeeper_daemon

create function gate.alike(p_left text, p_right text) returns real immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.analyze_signatures() returns void volatile
  grant execute to gatekeeper_daemon

create function gate.approved_merges(p_after bigint, p_contacts integer, p_plans bigint[]) returns SETOF bigint stable
  grant execute to gatekeeper_daemon

create function gate.back_to_work(p_leads bigint[], p_state text, p_command text, p_note text) returns integer volatile
  grant execute to gatekeeper_daemon

create function gate.beat(p_replica uuid, p_lease_seconds integer) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.begin_merges(p_replica uuid, p_groups jsonb) returns TABLE(plan_id bigint, epoch bigint, refused text) volatile
  grant execute to gatekeeper_daemon

create function gate.begin_pass(p_pass text, p_replica uuid, p_lease_seconds integer, p_lag_seconds double precision, p_overlap_seconds double precision, p_fields text[]) returns TABLE(standing text, cursor text, window_lo timestamp with time zone, window_hi timestamp with time zone, started_at timestamp with time zone, listed_at timestamp with time zone, rows_read bigint, expected bigint, same_fields boolean) volatile
  grant execute to gatekeeper_daemon

create function gate.begin_scan(p_full boolean) returns TABLE(scan_id bigint, kind text, contacts bigint) volatile
  grant execute to gatekeeper_daemon

create function gate.begin_undo(p_replica uuid, p_plan bigint, p_note text) returns text volatile
  grant execute to gatekeeper_daemon

create function gate.block_shows(p_block integer, p_contacts bigint, p_glance integer, p_asked_glance integer, p_asked_given_glance integer, p_asked_family_glance integer) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.blocks_of(p_keys gate.contact_keys) returns TABLE(block integer, glance integer) immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.brake_limit(p_source text) returns TABLE(creates bigint, updates bigint) stable security definer set search_path=pg_catalog, pg_temp
  grant execute to gatekeeper_analyst
  grant execute to gatekeeper_daemon
  grant execute to gatekeeper_steward

create function gate.brake_used(p_source text) returns TABLE(creates bigint, updates bigint, let_go bigint) stable security definer set search_path=pg_catalog, pg_temp
  grant execute to gatekeeper_analyst
  grant execute to gatekeeper_daemon
  grant execute to gatekeeper_steward

create function gate.bury_contacts(p_crm_ids text[], p_reason text) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.bury_erased(p_people jsonb) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.canonical_fields() returns text[] immutable
  grant execute to gatekeeper_daemon

create function gate.card_with(p_keys gate.contact_keys, p_contacts bigint, p_first_name bigint, p_last_name bigint, p_full_name bigint, p_company bigint, p_city bigint, p_street bigint, p_postal_code bigint, p_email_people bigint, p_phone_people bigint) returns SETOF gate.card stable
  grant execute to gatekeeper_daemon

create function gate.cards_of(p_records bigint[], p_leads gate.contact_keys[]) returns gate.card[] stable set plan_cache_mode=force_generic_plan set enable_hashjoin=off set enable_mergejoin=off
  grant execute to gatekeeper_daemon

create function gate.carriers_of_listed() returns integer immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.change_keys(p_keys jsonb, p_contacts bigint[], p_normalizer text, p_indexed_until bigint) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.changed_places(p_left text, p_right text) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.checkup() returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.choose_for_plan(p_plan bigint, p_master text, p_values jsonb) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.claim_leads(p_replica uuid, p_limit integer, p_bytes bigint, p_suspect integer) returns TABLE(lead_id bigint, epoch bigint, claims integer, is_there boolean, source text, source_key text, external_id text, email text, phone text, mobile_phone text, first_name text, last_name text, full_name text, company text, job_title text, street text, city text, state text, postal_code text, country text, properties text, occurred_at timestamp with time zone, rehearse boolean) volatile
  grant execute to gatekeeper_daemon

create function gate.clear_pairs() returns void volatile
  grant execute to gatekeeper_daemon

create function gate.compare_cards(p_step integer, p_steps integer) returns bigint volatile set plan_cache_mode=force_custom_plan set enable_nestloop=off set enable_mergejoin=off
  grant execute to gatekeeper_daemon

create function gate.compare_pair(p_left jsonb, p_right jsonb) returns TABLE(field text, level text, weight real) stable
  grant execute to gatekeeper_daemon

create function gate.contacts_to_erase(p_crm_ids text[]) returns TABLE(contact_id bigint, contact jsonb) stable
  grant execute to gatekeeper_daemon

create function gate.contradicts(p_contacts bigint[]) returns boolean stable
  grant execute to gatekeeper_daemon

create function gate.count_approved(p_plans bigint[]) returns TABLE(plans bigint, merges bigint) stable
  grant execute to gatekeeper_daemon

create function gate.count_groups() returns bigint stable
  grant execute to gatekeeper_daemon

create function gate.count_terms(p_unless_fresh boolean) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.crosses(p_left gate.card, p_right gate.card) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.current_hold() returns TABLE(kind text, since timestamp with time zone, set_by text, note text) stable
  grant execute to gatekeeper_daemon

create function gate.database_time() returns timestamp with time zone volatile
  grant execute to gatekeeper_daemon

create function gate.decide_plan() returns trigger volatile
  grant execute to gatekeeper_daemon

create function gate.decide_plans(p_state text, p_plans bigint[], p_digests text[], p_rule text, p_most_contacts integer, p_no_losses boolean, p_held_for text, p_limit bigint, p_note text, p_dry_run boolean) returns TABLE(plan_id bigint) volatile
  grant execute to gatekeeper_daemon

create function gate.delivered(p_lead staging.lead) returns jsonb immutable
  grant execute to gatekeeper_daemon

create function gate.discard_dead(p_leads bigint[], p_note text) returns integer volatile
  grant execute to gatekeeper_daemon

create function gate.doubt_since(p_since timestamp with time zone, p_note text) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.doubted_values(p_contact bigint) returns TABLE(intent_id uuid, created_at timestamp with time zone, doubted_at timestamp with time zone, field text, value text, origin jsonb) stable
  grant execute to gatekeeper_daemon

create function gate.drop_keys(p_contacts bigint[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.duplicate_threshold() returns real stable
  grant execute to gatekeeper_daemon

create function gate.end_full_scan(p_scan bigint, p_compared bigint) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.end_merges(p_replica uuid, p_ends jsonb) returns SETOF bigint volatile
  grant execute to gatekeeper_daemon

create function gate.end_pass(p_pass text, p_replica uuid, p_started_at timestamp with time zone, p_watermark timestamp with time zone) returns TABLE(rows_read bigint, missing bigint, stale bigint, ghost bigint) volatile
  grant execute to gatekeeper_daemon

create function gate.end_undo(p_replica uuid, p_plan bigint, p_epoch bigint, p_restored text[], p_not_restored jsonb) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.end_verifications(p_intents uuid[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.erased_keys(p_keys text[]) returns TABLE(person_key text) stable
  grant execute to gatekeeper_daemon

create function gate.evidence(p_agreement gate.agreement, p_parts real[]) returns jsonb stable parallel safe
  grant execute to gatekeeper_daemon

create function gate.evidence_of_plan(p_plan bigint) returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.expect_contacts(p_expected bigint) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.export_plans(p_states text[]) returns TABLE(plan jsonb, names text, survives text) stable
  grant execute to gatekeeper_daemon

create function gate.family_glance(p_last_name text, p_address_last text) returns integer immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.family_near(p_left gate.signature, p_right gate.signature) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.fill_cards(p_part integer, p_parts integer) returns void volatile set enable_nestloop=off set enable_mergejoin=off
  grant execute to gatekeeper_daemon

create function gate.fill_lists(p_company_suffixes text[], p_junk_values text[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.fill_signatures(p_part integer, p_parts integer) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.find_contact(p_contact_id bigint, p_crm_id text) returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.find_lead(p_source text, p_source_key text) returns bigint stable
  grant execute to gatekeeper_daemon

create function gate.find_pairs(p_part integer, p_parts integer) returns bigint volatile set plan_cache_mode=force_custom_plan set enable_nestloop=off set enable_mergejoin=off
  grant execute to gatekeeper_daemon

create function gate.forget_old(p_days integer, p_limit integer) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.ghosts(p_started_at timestamp with time zone, p_after bigint, p_limit integer) returns TABLE(contact_id bigint, crm_id text) stable
  grant execute to gatekeeper_daemon

create function gate.give_up_undo(p_replica uuid, p_plan bigint) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.given_far(p_left gate.signature, p_right gate.signature) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.given_glance(p_first_name text, p_address_first text) returns integer immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.given_glances_asked(p_first_names text[], p_address_firsts text[]) returns TABLE(place bigint, glance integer) stable
  grant execute to gatekeeper_daemon

create function gate.given_glances_meet(p_one integer, p_other integer) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.given_near(p_left gate.signature, p_right gate.signature) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.glance(p_company text, p_email_domain text, p_city text, p_postal_code text) returns integer immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.glances_meet(p_one integer, p_other integer) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.governor_state(p_window_ms integer) returns TABLE(bucket text, used_now bigint, day_used bigint, paused_seconds double precision, pause_reason text) stable
  grant execute to gatekeeper_daemon

create function gate.group_region(p_contacts bigint[]) returns SETOF bigint stable
  grant execute to gatekeeper_daemon

create function gate.groups_of_plans(p_plans bigint[]) returns SETOF bigint stable
  grant execute to gatekeeper_daemon

create function gate.groups_to_plan(p_after bigint, p_limit integer, p_groups bigint[]) returns TABLE(group_id bigint, flags text[], contact_ids bigint[], created_at timestamp with time zone[], chosen_master text, chosen_values jsonb) stable
  grant execute to gatekeeper_daemon

create function gate.grown_keys(p_limit integer) returns TABLE(contact_id bigint, contact jsonb) stable
  grant execute to gatekeeper_daemon

create function gate.history_now() returns text stable
  grant execute to gatekeeper_daemon

create function gate.holders_of_emails(p_emails text[]) returns TABLE(email text, contact_id bigint, shared boolean) stable
  grant execute to gatekeeper_daemon

create function gate.holders_of_keys(p_keys text[]) returns TABLE(gatekeeper_key text, contact_id bigint, provisional boolean) stable
  grant execute to gatekeeper_daemon

create function gate.identifiers_of(p_keys gate.contact_keys) returns TABLE(kind text, value text) immutable
  grant execute to gatekeeper_daemon

create function gate.in_motion(p_contact bigint) returns boolean stable
  grant execute to gatekeeper_daemon

create function gate.index_first_load(p_replica uuid, p_started_at timestamp with time zone, p_lease_seconds integer, p_limit integer) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.index_keys(p_contacts bigint[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.indexed_until() returns bigint stable
  grant execute to gatekeeper_daemon

create function gate.intend(p_replica uuid, p_batch jsonb) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.intend_undo(p_replica uuid, p_limit integer) returns TABLE(intent_id uuid, epoch bigint, contact_id bigint, operation text, crm_id text, gatekeeper_key text, body jsonb, attempts integer) volatile
  grant execute to gatekeeper_daemon

create function gate.intents_stored(p_intents uuid[]) returns bigint stable
  grant execute to gatekeeper_daemon

create function gate.is_appended(p_field text) returns boolean stable
  grant execute to gatekeeper_daemon

create function gate.is_idle() returns boolean stable
  grant execute to gatekeeper_daemon

create function gate.is_one_employer(p_level text) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.is_past_asking(p_created_at timestamp with time zone, p_attempts integer) returns boolean stable
  grant execute to gatekeeper_daemon

create function gate.is_relative(p_agreement gate.agreement) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.is_under_way(p_contact bigint) returns boolean stable
  grant execute to gatekeeper_daemon

create function gate.judge_rehearsals() returns TABLE(source text, reason text) volatile
  grant execute to gatekeeper_daemon

create function gate.keys_changed_since(p_sight jsonb) returns TABLE(contact_id bigint, identifiers text[], blocks integer[]) stable
  grant execute to gatekeeper_daemon

create function gate.known_contacts(p_contacts bigint[]) returns TABLE(contact_id bigint, crm_id text, known_values jsonb, provenance jsonb, doubted jsonb, additional_emails text[], updated_at timestamp with time zone, noted_since timestamp with time zone, has_open_intent boolean) stable
  grant execute to gatekeeper_daemon

create function gate.last_scan() returns timestamp with time zone stable
  grant execute to gatekeeper_daemon

create function gate.lead_arrived() returns trigger volatile security definer set search_path=pg_catalog, gate, pg_temp
  grant execute to gatekeeper_daemon

create function gate.leads_by_state() returns TABLE(state text, leads bigint) stable
  grant execute to gatekeeper_daemon

create function gate.learn_usage(p_bucket text, p_window_used integer, p_window_ms integer, p_day_used bigint) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.learned_weights() returns TABLE(field text, level text, weight_in_force real, learned_weight real, pairs real, pairs_of_one_person real) stable
  grant execute to gatekeeper_daemon

create function gate.let_held_go(p_source text) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.lift_hold(p_kind text, p_note text) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.links_among(p_region bigint[]) returns TABLE(left_id bigint, right_id bigint, score real) stable
  grant execute to gatekeeper_daemon

create function gate.list_dead(p_reason text, p_source text, p_since timestamp with time zone, p_until timestamp with time zone, p_limit bigint, p_all boolean) returns SETOF report.dead_letter stable
  grant execute to gatekeeper_daemon

create function gate.list_members(p_flagged boolean, p_limit bigint) returns SETOF report.duplicate_member stable
  grant execute to gatekeeper_daemon

create function gate.list_pairs(p_verdict text, p_limit bigint) returns SETOF report.duplicate_pair stable
  grant execute to gatekeeper_daemon

create function gate.list_plans(p_states text[], p_limit bigint) returns SETOF report.merge_plan stable
  grant execute to gatekeeper_daemon

create function gate.list_replicas() returns TABLE(replica_id uuid, host_id text, process_id integer, version text, started_at timestamp with time zone, lease_seconds bigint, claims bigint, open_intents bigint) stable
  grant execute to gatekeeper_daemon

create function gate.list_review(p_reason text, p_source text, p_since timestamp with time zone, p_until timestamp with time zone, p_limit bigint, p_all boolean) returns SETOF report.review stable
  grant execute to gatekeeper_daemon

create function gate.lock_people() returns void volatile
  grant execute to gatekeeper_daemon

create function gate.lock_scan() returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.longest_travel() returns interval immutable
  grant execute to gatekeeper_daemon

create function gate.look_again() returns trigger volatile security definer set search_path=pg_catalog, pg_temp
  grant execute to gatekeeper_daemon

create function gate.look_at_leads() returns void volatile
  grant execute to gatekeeper_daemon

create function gate.match_leads(p_leads jsonb, p_asked integer[]) returns TABLE(ord integer, contact_id bigint, peer integer, tier text, names text, score real, person integer, settled boolean, evidence jsonb) stable set plan_cache_mode=force_generic_plan
  grant execute to gatekeeper_daemon

create function gate.match_rules_hash() returns text stable
  grant execute to gatekeeper_daemon

create function gate.match_weights() returns TABLE(field text, level text, weight real, rarity real) stable
  grant execute to gatekeeper_daemon

create function gate.meet(p_left jsonb, p_right jsonb, p_blocks integer[]) returns TABLE(contacts bigint, compared boolean) stable
  grant execute to gatekeeper_daemon

create function gate.members_among(p_region bigint[]) returns TABLE(contact_id bigint, group_id bigint) stable
  grant execute to gatekeeper_daemon

create function gate.merges_of_others(p_replica uuid) returns TABLE(alive bigint, dead bigint) stable
  grant execute to gatekeeper_daemon

create function gate.mind_brakes() returns TABLE(source text, reason text) volatile
  grant execute to gatekeeper_daemon

create function gate.mirror_age() returns interval stable
  grant execute to gatekeeper_daemon

create function gate.mirror_age_seconds() returns double precision stable
  grant execute to gatekeeper_daemon

create function gate.mirror_write(p_records jsonb, p_normalizer text) returns TABLE(missing bigint, stale bigint, differing bigint) volatile set plan_cache_mode=force_custom_plan
  grant execute to gatekeeper_daemon

create function gate.mirrored_fields() returns text[] stable
  grant execute to gatekeeper_daemon

create function gate.names_crossed(p_left gate.signature, p_right gate.signature) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.names_verdict(p_agreement gate.agreement, p_identified boolean) returns text immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.new_group_ids(p_count integer) returns SETOF bigint volatile
  grant execute to gatekeeper_daemon

create function gate.next_due() returns double precision stable
  grant execute to gatekeeper_daemon

create function gate.next_recovery(p_settle_seconds integer) returns double precision stable
  grant execute to gatekeeper_daemon

create function gate.note_absorbed(p_replica uuid, p_plan bigint, p_epoch bigint, p_place integer, p_crm_id text, p_call bigint) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.note_account(p_account_id text, p_time_zone text, p_has_unique_key boolean) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.note_authors(p_asked jsonb, p_told jsonb) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.note_call(p_call jsonb) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.note_changed_keys() returns trigger volatile
  grant execute to gatekeeper_daemon

create function gate.note_changes(p_records jsonb, p_fields text[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.note_decisions(p_replica uuid, p_decided jsonb) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.note_health(p_failed boolean) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.note_history() returns void volatile
  grant execute to gatekeeper_daemon

create function gate.note_merges(p_merges jsonb) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.note_plan_decision() returns trigger volatile security definer set search_path=pg_catalog, audit, pg_temp
  grant execute to gatekeeper_daemon

create function gate.note_recreated(p_replica uuid, p_plan bigint, p_epoch bigint, p_place integer, p_crm_id text) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.note_rule_change() returns trigger volatile security definer set search_path=pg_catalog, rules, pg_temp
  grant execute to gatekeeper_daemon

create function gate.note_unscanned() returns trigger volatile
  grant execute to gatekeeper_daemon

create function gate.office(p_left gate.card, p_right gate.card) returns text immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.open_batch(p_replica uuid, p_leads bigint[], p_epochs bigint[]) returns TABLE(lead_id bigint, attempts integer, repeat_of bigint, verdict text, verdict_contact_id bigint) volatile
  grant execute to gatekeeper_daemon

create function gate.outdated_keys(p_normalizer text, p_limit integer) returns TABLE(contact_id bigint, contact jsonb) stable
  grant execute to gatekeeper_daemon

create function gate.pair_patterns(p_every integer) returns TABLE(levels text[], bits real[], pairs bigint) stable set plan_cache_mode=force_custom_plan set enable_nestloop=off set enable_mergejoin=off
  grant execute to gatekeeper_daemon

create function gate.pairs_of(p_contacts bigint[]) returns TABLE(left_id bigint, right_id bigint) stable
  grant execute to gatekeeper_daemon

create function gate.passes() returns TABLE(pass text, started_at timestamp with time zone, finished_at timestamp with time zone, rows_read bigint, expected bigint, watermark timestamp with time zone, replica_id uuid, lease_until timestamp with time zone) stable
  grant execute to gatekeeper_daemon

create function gate.past_decisions(p_after bigint, p_until bigint, p_source text, p_limit integer) returns TABLE(decision_id bigint, lead_id bigint, source text, action text, tier text, contact_id bigint, reason text, decided_at timestamp with time zone, seen_at timestamp with time zone, nameless boolean, candidates jsonb, changes jsonb, superseded boolean) stable
  grant execute to gatekeeper_daemon

create function gate.past_range(p_since timestamp with time zone, p_until timestamp with time zone) returns TABLE(after_id bigint, until_id bigint, decisions bigint) stable
  grant execute to gatekeeper_daemon

create function gate.pause(p_note text) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.pause_bucket(p_bucket text, p_seconds double precision, p_reason text) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.people_bits(p_people bigint) returns real immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.plan_in_hand(p_replica uuid, p_plan bigint, p_epoch bigint, p_state text) returns SETOF merge.plan stable
  grant execute to gatekeeper_daemon

create function gate.policy_version() returns bigint stable
  grant execute to gatekeeper_daemon

create function gate.put_groups(p_region bigint[], p_groups bigint[], p_flags text[], p_contacts bigint[], p_memberships bigint[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.put_keys(p_keys jsonb, p_normalizer text) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.put_learned(p_rules_hash text, p_fields text[], p_levels text[], p_weights real[], p_pairs real[], p_same real[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.put_plans(p_plans jsonb) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.rarity_bits(p_contacts bigint, p_carriers bigint) returns real immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.read_leads(p_leads bigint[]) returns TABLE(lead_id bigint, epoch bigint, claims integer, is_there boolean, source text, source_key text, external_id text, email text, phone text, mobile_phone text, first_name text, last_name text, full_name text, company text, job_title text, street text, city text, state text, postal_code text, country text, properties text, occurred_at timestamp with time zone, rehearse boolean) stable
  grant execute to gatekeeper_daemon

create function gate.read_lists() returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.read_merge_master() returns TABLE(criterion text, field text) stable
  grant execute to gatekeeper_daemon

create function gate.read_merges(p_plans bigint[]) returns SETOF jsonb stable
  grant execute to gatekeeper_daemon

create function gate.read_policy() returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.rederive_keys(p_keys jsonb, p_normalizer text) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.refund_retry() returns void volatile
  grant execute to gatekeeper_daemon

create function gate.rehearsed(p_source text) returns TABLE(leads bigint, creates bigint, updates bigint) stable security definer set search_path=pg_catalog, pg_temp
  grant execute to gatekeeper_analyst
  grant execute to gatekeeper_daemon
  grant execute to gatekeeper_steward

create function gate.reject_brake(p_source text, p_note text) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.release_brake(p_source text, p_note text) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.release_claims(p_replica uuid) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.release_leads(p_replica uuid, p_leads bigint[], p_delay_seconds double precision, p_charged boolean) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.release_merges(p_replica uuid, p_plans bigint[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.release_pass(p_pass text, p_replica uuid) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.release_replica(p_replica uuid, p_note text) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.repeats(p_leads bigint[]) returns TABLE(lead_id bigint, repeat_of bigint) stable
  grant execute to gatekeeper_daemon

create function gate.replay_dead(p_leads bigint[], p_note text) returns integer volatile
  grant execute to gatekeeper_daemon

create function gate.replay_review(p_leads bigint[], p_note text) returns integer volatile
  grant execute to gatekeeper_daemon

create function gate.replay_shadow(p_source text, p_limit bigint, p_note text, p_dry_run boolean) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.replica_is_dead(p_replica uuid) returns boolean stable
  grant execute to gatekeeper_daemon

create function gate.replicas_of_host(p_host_id text) returns TABLE(process_id integer, process_started text) stable
  grant execute to gatekeeper_daemon

create function gate.request_undo(p_decisions bigint[], p_run uuid, p_source text, p_since timestamp with time zone, p_note text) returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.rescue_claims() returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.reserve_ids(p_contacts integer, p_decisions integer) returns TABLE(contact_ids bigint[], decision_ids bigint[]) volatile
  grant execute to gatekeeper_daemon

create function gate.resolve_in_doubt(p_intent uuid, p_as text, p_crm_id text, p_note text, p_max_attempts integer) returns text volatile
  grant execute to gatekeeper_daemon

create function gate.resolve_review(p_lead bigint, p_state text, p_contact bigint, p_note text) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.retire_plans() returns void volatile
  grant execute to gatekeeper_daemon

create function gate.retry_tokens(p_budget gate.retry_budget) returns double precision stable
  grant execute to gatekeeper_daemon

create function gate.rewrite_overwritten(p_replica uuid, p_limit integer) returns TABLE(intent_id uuid, epoch bigint, contact_id bigint, operation text, crm_id text, gatekeeper_key text, body jsonb, attempts integer) volatile
  grant execute to gatekeeper_daemon

create function gate.says_same(p_field text, p_left text, p_right text) returns boolean immutable
  grant execute to gatekeeper_daemon

create function gate.scan_changed(p_scan bigint) returns bigint[] volatile set plan_cache_mode=force_custom_plan
  grant execute to gatekeeper_daemon

create function gate.seconds_to_midnight() returns double precision stable
  grant execute to gatekeeper_daemon

create function gate.set_shadow(p_sources text[], p_shadow boolean) returns SETOF text volatile
  grant execute to gatekeeper_daemon

create function gate.settle(p_rows jsonb, p_call_id bigint, p_settle_seconds integer, p_max_attempts integer, p_normalizer text) returns integer volatile
  grant execute to gatekeeper_daemon

create function gate.shadow_diff(p_source text, p_limit bigint) returns SETOF report.shadow_diff stable
  grant execute to gatekeeper_daemon

create function gate.share_word(p_left_bits bigint, p_left text[], p_right_bits bigint, p_right text[]) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.sharing_block(p_block integer, p_glance integer, p_given_glance integer, p_family_glance integer) returns TABLE(contact_id bigint, contacts bigint) stable
  grant execute to gatekeeper_daemon

create function gate.show_plan(p_plan bigint) returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.shows(p_contact crm.contact, p_field text, p_value text) returns boolean immutable
  grant execute to gatekeeper_daemon

create function gate.sight_now() returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.signatures(p_contacts bigint[], p_leads gate.contact_keys[], p_part integer, p_parts integer) returns SETOF gate.signature stable
  grant execute to gatekeeper_daemon

create function gate.signatures_of(p_contacts bigint[], p_leads gate.contact_keys[]) returns SETOF gate.signature stable set plan_cache_mode=force_generic_plan set enable_hashjoin=off set enable_mergejoin=off set max_parallel_workers_per_gather=0
  grant execute to gatekeeper_daemon

create function gate.slip(p_left text, p_right text) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.start_replica(p_replica uuid, p_host_id text, p_process_id integer, p_process_started text, p_version text, p_lease_seconds integer, p_gone text[]) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.status(p_window_ms integer) returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.step_pass(p_pass text, p_replica uuid, p_started_at timestamp with time zone, p_lease_seconds integer, p_cursor text, p_listed boolean, p_found jsonb) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.still_open(p_intents uuid[], p_epochs bigint[]) returns SETOF uuid stable
  grant execute to gatekeeper_daemon

create function gate.stop_replica(p_replica uuid) returns void volatile
  grant execute to gatekeeper_daemon

create function gate.story(p_lead bigint) returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.survivor_of(p_plan bigint) returns text stable
  grant execute to gatekeeper_daemon

create function gate.swapped(p_left gate.card, p_right gate.card) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.take_merges(p_replica uuid, p_state text, p_settle_seconds integer, p_limit integer) returns SETOF bigint volatile
  grant execute to gatekeeper_daemon

create function gate.take_permit(p_bucket text, p_limit integer, p_window_ms integer, p_daily_limit bigint, p_share real, p_for_leads boolean, p_retry_cost integer) returns TABLE(wait_ms bigint, why text) volatile
  grant execute to gatekeeper_daemon

create function gate.take_recoverable(p_replica uuid, p_settle_seconds integer, p_limit integer, p_held uuid[]) returns TABLE(intent_id uuid, epoch bigint, contact_id bigint, operation text, crm_id text, gatekeeper_key text, body jsonb, attempts integer) volatile
  grant execute to gatekeeper_daemon

create function gate.take_time() returns void volatile
  grant execute to gatekeeper_daemon

create function gate.take_verifications(p_limit integer) returns TABLE(intent_id uuid, crm_id text) volatile
  grant execute to gatekeeper_daemon

create function gate.tell_apart(p_one text, p_other text, p_note text) returns boolean volatile
  grant execute to gatekeeper_daemon

create function gate.term_key(p_kind text, p_value text) returns bigint immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.told_apart() returns TABLE(left_id bigint, right_id bigint) stable
  grant execute to gatekeeper_daemon

create function gate.two_leads(p_left jsonb, p_right jsonb) returns gate.contact_keys[] stable
  grant execute to gatekeeper_daemon

create function gate.unasked_changes(p_limit integer) returns TABLE(crm_id text, fields text[]) stable
  grant execute to gatekeeper_daemon

create function gate.under_way(p_contact bigint) returns TABLE(is_under_way boolean) stable
  grant execute to gatekeeper_daemon

create function gate.undoable(p_decisions bigint[], p_run uuid, p_source text, p_since timestamp with time zone) returns TABLE(contact_id bigint, crm_id text, field text, lead_id bigint, source text, decisions bigint[], written_value text, restored_value text, restored_source text, restored_lead_id bigint, restored_occurred_at timestamp with time zone, verdict text, reason text) stable
  grant execute to gatekeeper_daemon

create function gate.unranked_sources() returns TABLE(source text, leads bigint) stable
  grant execute to gatekeeper_daemon

create function gate.use_learned() returns bigint volatile
  grant execute to gatekeeper_daemon

create function gate.values_of(p_contact crm.contact) returns jsonb stable
  grant execute to gatekeeper_daemon

create function gate.was_merged(p_plan bigint, p_contact bigint) returns boolean stable
  grant execute to gatekeeper_daemon

create function gate.weigh(p_agreements gate.agreement[]) returns TABLE(left_id bigint, right_id bigint, score real, parts real[], agreement gate.agreement) stable set plan_cache_mode=force_generic_plan set enable_nestloop=off set enable_hashjoin=on
  grant execute to gatekeeper_daemon

create function gate.word_bits(p_name text) returns bigint immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.words_replaced(p_left text, p_right text) returns boolean immutable
  grant execute to gatekeeper_daemon

create function gate.worth_comparing(p_contacts bigint, p_left gate.signature, p_right gate.signature) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.worth_comparing_among(p_left bigint[], p_right bigint[], p_contacts bigint[], p_leads gate.contact_keys[]) returns TABLE(left_id bigint, right_id bigint) stable set plan_cache_mode=force_generic_plan set enable_nestloop=off set enable_mergejoin=off
  grant execute to gatekeeper_daemon

create function gate.worth_keeping(p_agreements gate.agreement[]) returns TABLE(left_id bigint, right_id bigint, score real, tier text, evidence jsonb) stable
  grant execute to gatekeeper_daemon

create function gate.worth_weighing(p_first_name text, p_left gate.card, p_right gate.card) returns boolean immutable parallel safe
  grant execute to gatekeeper_daemon

create function gate.write_again(p_replica uuid, p_action text, p_reason text, p_because text, p_fields jsonb) returns TABLE(intent_id uuid, epoch bigint, contact_id bigint, operation text, crm_id text, gatekeeper_key text, body jsonb, attempts integer) volatile
  grant execute to gatekeeper_daemon
