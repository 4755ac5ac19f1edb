-- What stewards decide. Every change here is a new policy version; a decision keeps the version that it used.

create table rules.source (
  source      text primary key,
  rank        integer not null,
  description text,
  constraint source_rank_range check (rank between 0 and 1000),
  constraint source_name check (source <> '' and source <> '*')
);

comment on table rules.source is 'The sources, and how far each is trusted. The row ''crm'' stands for values that were set in the CRM itself.';
comment on column rules.source.source is 'Name, as in staging.lead.source.';
comment on column rules.source.rank is '0 to 1000. A value of a lower rank never replaces one of a higher rank where the policy is highest_rank.';
comment on column rules.source.description is 'What it is, for people.';

create table rules.field (
  field  text not null,
  source text not null default '*',
  policy text not null,
  note   text,
  primary key (field, source),
  constraint field_policy check (policy in ('highest_rank', 'newest', 'only_if_blank', 'never'))
);

comment on table rules.field is 'Which policy holds for a field and a source. The most exact row counts: field and source, then field for all, then source for all fields, then all for all.';
comment on column rules.field.field is 'Canonical name or CRM name of the property; ''*'' for all fields.';
comment on column rules.field.source is 'Name of the source; ''*'' for all.';
comment on column rules.field.policy is 'highest_rank: the better source wins, the newer value within one rank. newest: the newer value wins, whoever brings it. only_if_blank: fills, never replaces. never: this source may not write the field.';
comment on column rules.field.note is 'Why, for people.';

create table rules.nickname (
  nickname text not null,
  name     text not null,
  primary key (nickname, name),
  constraint nickname_lower check (nickname = lower(nickname) and name = lower(name))
);

comment on table rules.nickname is 'Short forms of given names: bob is robert. Two names meet when one is a short form of the other or both are of a third.';
comment on column rules.nickname.nickname is 'Short form, lower case, without diacritics.';
comment on column rules.nickname.name is 'Full form, lower case, without diacritics.';

create table rules.company_suffix (
  suffix text primary key
);

comment on table rules.company_suffix is 'Words that do not tell companies apart: gmbh, inc, ltd. Filled with the built-in list at the first start.';
comment on column rules.company_suffix.suffix is 'Lower case, without dots.';

create table rules.shared_mailbox (
  address text primary key,
  note    text,
  constraint shared_mailbox_lower check (address = lower(address))
);

comment on table rules.shared_mailbox is 'Addresses that do not identify one person. A local part alone (info) holds for every domain, a whole address for itself, @domain for all of a domain.';
comment on column rules.shared_mailbox.address is 'info, sales@acme.example or @lists.example, lower case.';
comment on column rules.shared_mailbox.note is 'Why, for people.';

create table rules.shared_phone (
  phone text primary key,
  note  text,
  constraint shared_phone_e164 check (phone ~ '^\+[0-9]{6,15}$')
);

comment on table rules.shared_phone is 'Numbers that do not identify one person, such as switchboards.';
comment on column rules.shared_phone.phone is 'E.164: +49301234567.';
comment on column rules.shared_phone.note is 'Why, for people.';

create table rules.junk_value (
  value text primary key
);

comment on table rules.junk_value is 'Texts that stand for no value: test, n/a, asdf. Filled with the built-in list at the first start.';
comment on column rules.junk_value.value is 'Lower case.';

create table rules.match_weight (
  field  text not null,
  level  text not null,
  weight real not null,
  primary key (field, level),
  constraint match_weight_range check (weight between -50 and 50)
);

comment on table rules.match_weight is 'Match weights of the fuzzy tier after Fellegi and Sunter: log2 of how much more often two records of one person agree so than two of different people.';
comment on column rules.match_weight.field is 'What is compared: first_name, last_name, company, email_domain, city, …';
comment on column rules.match_weight.level is 'How well it agrees: exact, nickname, initial, similar, swapped, different, …';
comment on column rules.match_weight.weight is 'Added to the score.';

create table rules.match_threshold (
  name  text primary key,
  score real not null,
  note  text not null,
  constraint match_threshold_name check (name in ('match', 'review', 'margin'))
);

comment on table rules.match_threshold is 'From which score on two records are one person, and from which a person is asked.';
comment on column rules.match_threshold.name is 'match, review, or margin.';
comment on column rules.match_threshold.score is 'In units of match weight.';
comment on column rules.match_threshold.note is 'What it does.';

create table rules.not_duplicate (
  crm_id_low  text not null,
  crm_id_high text not null,
  note        text,
  noted_by    text not null default session_user,
  noted_at    timestamptz not null default now(),
  primary key (crm_id_low, crm_id_high),
  constraint not_duplicate_order check (crm_id_low < crm_id_high)
);

comment on table rules.not_duplicate is 'Pairs of contacts that a person has said are two people.';
comment on column rules.not_duplicate.crm_id_low is 'The CRM id that sorts first as text.';
comment on column rules.not_duplicate.crm_id_high is 'The other one.';
comment on column rules.not_duplicate.note is 'Why, for people.';
comment on column rules.not_duplicate.noted_by is 'Who said so.';
comment on column rules.not_duplicate.noted_at is 'When.';

create table rules.policy_version (
  policy_version bigint generated always as identity primary key,
  changed_at     timestamptz not null default now(),
  changed_by     text not null default session_user,
  rule_table     text not null,
  operation      text not null,
  rows_before    jsonb,
  rows_after     jsonb
);

comment on table rules.policy_version is 'One row for each statement that changed a rule: what stood there before and after.';
comment on column rules.policy_version.policy_version is 'The number that decisions carry. The highest one is in force.';
comment on column rules.policy_version.changed_at is 'When.';
comment on column rules.policy_version.changed_by is 'The database user.';
comment on column rules.policy_version.rule_table is 'Which table of this schema.';
comment on column rules.policy_version.operation is 'insert, update, delete or truncate.';
comment on column rules.policy_version.rows_before is 'The rows as they were.';
comment on column rules.policy_version.rows_after is 'The rows as they are.';
