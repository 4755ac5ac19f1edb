-- What a steward of this company would enter, beside the ranks of the sources.

-- What stands in the CRM was typed by people. It is worth more than a lead list, and less than a paid invoice.
update rules.source
set rank = 70
where source = 'crm';

insert into rules.field (field, source, policy, note)
values
  ('*', 'newsletter', 'only_if_blank', 'A sign-up form fills gaps; it corrects nobody.'),
  ('mobile_phone', '*', 'newest', 'Numbers change: the latest word counts, whoever brings it.'),
  ('street', 'webinar', 'never', 'A webinar form once overwrote a billing address.');

-- HubSpot moves a contact only forward; of two contacts that are merged the one who bought is a customer.
insert into rules.field (field, source, policy, scale, note)
values (
  'lifecyclestage', '*', 'tighten',
  '{subscriber,lead,marketingqualifiedlead,salesqualifiedlead,opportunity,customer,evangelist}', 'Only forward, as HubSpot does it.'
);
