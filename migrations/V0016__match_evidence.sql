-- More that speaks for or against two records being one person, derived by the normalizer as the other keys are.

alter table gate.contact_keys
  add column phone_tails   text[] not null default '{}',
  add column extensions    text[] not null default '{}',
  add column address_first text,
  add column address_last  text,
  add column generation    text,
  add column email_fit     text,
  add column street        text,
  add column postal_code   text,
  add column job_title     text,
  add constraint contact_keys_generation check (generation in ('junior', 'senior', 'third', 'fourth')),
  add constraint contact_keys_email_fit check (email_fit in ('name', 'numbered', 'other'));

comment on column gate.contact_keys.phone_tails is 'Last eight digits of each number, also of those that are not valid or whose country is not known.';
comment on column gate.contact_keys.extensions is 'tail/extension of each number that has one.';
comment on column gate.contact_keys.address_first is 'Another given name, which the primary address says: luky of luky.novak@ beside Lukas Novak.';
comment on column gate.contact_keys.address_last is 'Another family name, which the primary address says.';
comment on column gate.contact_keys.generation is 'Which of several people of one name: junior, senior, third or fourth.';
comment on column gate.contact_keys.email_fit is 'How the primary address fits the name: name (made of it), numbered (and one digit, as a firm gives it to the second person of a name), other. Null for roles.';
comment on column gate.contact_keys.street is 'Street and number, folded.';
comment on column gate.contact_keys.postal_code is 'Postal code, letters and digits only.';
comment on column gate.contact_keys.job_title is 'Job title, folded.';
