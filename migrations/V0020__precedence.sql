-- Precedence: more policies, a rank for a field, ranks that fade, and what people have cleared or taken out.

alter table rules.source
  add column expires_days integer,
  add constraint source_expires check (expires_days between 1 and 36500);

comment on column rules.source.rank is '0 to 1000. A value of a lower rank never replaces one of a higher rank where the policy is highest_rank. A row of rules.field may set another rank for a field.';
comment on column rules.source.expires_days is 'So many days after the source saw a value its rank is 0: whoever comes then may replace it. Null: never. A row of rules.field may set another number for a field.';

alter table rules.field
  alter policy drop not null,
  add column rank integer,
  add column expires_days integer,
  add column scale text[],
  drop constraint field_policy,
  add constraint field_policy check (
    policy in ('highest_rank', 'newest', 'only_if_blank', 'never', 'append', 'longest', 'min', 'max', 'tighten')
  ),
  add constraint field_says_something check (coalesce(policy, rank::text, expires_days::text) is not null),
  add constraint field_rank check (rank is null or (rank between 0 and 1000 and source <> '*')),
  add constraint field_expires check (expires_days between 1 and 36500),
  add constraint field_append check (policy <> 'append' or field <> '*'),
  add constraint field_scale check (
    (policy is not distinct from 'tighten') = (scale is not null) and (scale is null or (cardinality(scale) >= 2 and field <> '*'))
  );

comment on table rules.field is 'Which policy holds for a field and a source. The most exact row that says something counts, for policy, rank and expires_days each by itself: field and source, then field for all, then source for all fields, then all for all. A row for the source crm says how values stand that were set in the CRM itself.';
comment on column rules.field.policy is 'highest_rank: the better source wins, the newer value within one rank. newest: the newer value wins, whoever brings it. longest, min, max: the longer, smaller, greater value wins. tighten: only towards the end of the scale. append: added to what a field of several values holds. only_if_blank: fills, never replaces. never: this source may not write the field. Null: as the less exact rows say.';
comment on column rules.field.rank is 'Rank of this source in this field, instead of the one in rules.source.';
comment on column rules.field.expires_days is 'So many days after the source saw a value of this field its rank is 0.';
comment on column rules.field.scale is 'For tighten: the values from the loosest to the tightest, such as {false,true} for an opt-out.';

alter table crm.contact_field
  add column edited_at timestamptz,
  add column cleared boolean not null default false,
  add column removed text[],
  add constraint contact_field_cleared check (not cleared or edited_at is not null);

comment on table crm.contact_field is 'Provenance: who set which value of which contact, also in the CRM as far as the mirror has seen it happen. A value in crm.contact that differs from the one here was changed in the CRM since.';
comment on column crm.contact_field.value is 'The value that was set. Null: it was cleared.';
comment on column crm.contact_field.source is 'The source that set it; crm for somebody in the CRM itself.';
comment on column crm.contact_field.lead_id is 'The lead that brought it. Null: no lead.';
comment on column crm.contact_field.occurred_at is 'When the source saw it; for the CRM, when the contact was changed.';
comment on column crm.contact_field.written_at is 'When the CRM confirmed it, or when the mirror saw it.';
comment on column crm.contact_field.edited_at is 'When a person last set or cleared the field in the CRM, as far as the mirror has seen it. Stands on when a source has written it since.';
comment on column crm.contact_field.cleared is 'That was clearing it: what a source below the rank of the CRM brings does not fill it again.';
comment on column crm.contact_field.removed is 'Where the policy is append: the values that somebody took out in the CRM.';

alter table crm.contact add column noted_since timestamptz;
comment on column crm.contact.noted_since is 'What was changed in the CRM since then is noted in crm.contact_field; a value that is not noted there is older. Null: Gatekeeper made the contact.';
