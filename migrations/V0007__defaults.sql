-- Rules to begin with. Stewards change them; a later release never does.

insert into rules.source (source, rank, description)
values ('crm', 500, 'Values set in the CRM itself: by people, forms and other integrations.');

insert into rules.field (field, source, policy, note)
values
  ('*', '*', 'highest_rank', 'The better source wins; within one rank the newer value.'),
  ('external_id', '*', 'only_if_blank', 'The leading system''s id of a person does not change.');

insert into rules.match_threshold (name, score, note)
values
  ('match', 12.0, 'From this score on a candidate of the fuzzy tier is the same person.'),
  ('review', 9.5, 'From this score on, and below match, a person is asked.'),
  ('margin', 2.0, 'If the second candidate is closer to the best one than this, a person is asked.');

insert into rules.match_weight (field, level, weight)
values
  ('first_name', 'exact', 4.0),
  ('first_name', 'nickname', 3.5),
  ('first_name', 'initial', 2.0),
  ('first_name', 'similar', 2.5),
  ('first_name', 'swapped', 3.5),
  ('first_name', 'missing', 0.0),
  ('first_name', 'different', -8.0),
  ('last_name', 'exact', 6.0),
  ('last_name', 'similar', 4.0),
  ('last_name', 'part', 4.0),
  ('last_name', 'swapped', 5.0),
  ('last_name', 'missing', 0.0),
  ('last_name', 'different', -6.0),
  ('company', 'exact', 5.0),
  ('company', 'similar', 4.0),
  ('company', 'missing', 0.0),
  ('company', 'different', -2.5),
  ('email_domain', 'exact', 4.0),
  ('email_domain', 'missing', 0.0),
  ('email_domain', 'different', -0.5),
  ('city', 'exact', 1.5),
  ('city', 'missing', 0.0),
  ('city', 'different', -1.0),
  ('email', 'exact', 8.0),
  ('email', 'loose', 7.0),
  ('email', 'shared', 2.0),
  ('email', 'missing', 0.0),
  ('phone', 'exact', 6.0),
  ('phone', 'shared', 2.0),
  ('phone', 'missing', 0.0),
  ('external_id', 'missing', 0.0),
  ('external_id', 'different', -8.0);

insert into rules.shared_mailbox (address, note)
select role, 'a role, not a person'
from unnest(array[
  'abuse', 'accounting', 'accounts', 'admin', 'administration', 'billing', 'booking', 'bookings', 'bookkeeping',
  'buchhaltung', 'buero', 'careers', 'compras', 'contabilidad', 'contact', 'contacto', 'customerservice', 'einkauf',
  'enquiries', 'events', 'feedback', 'finance', 'frontdesk', 'hello', 'help', 'helpdesk', 'hr', 'info', 'inquiries',
  'invoices', 'it', 'jobs', 'kontakt', 'legal', 'mail', 'marketing', 'newsletter', 'no-reply', 'noreply', 'office',
  'orders', 'post', 'postmaster', 'press', 'procurement', 'purchasing', 'rechnung', 'reception', 'recepcion',
  'recruiting', 'reservations', 'sales', 'secretary', 'sekretariat', 'service', 'shop', 'support', 'team',
  'ventas', 'vertrieb', 'verwaltung', 'web', 'webmaster', 'zentrale'
]) as role;

insert into rules.nickname (nickname, name)
select split_part(pair, ':', 1), unnest(string_to_array(split_part(pair, ':', 2), ','))
from unnest(array[
  'abby:abigail', 'al:albert,alan,alfred', 'andi:andreas,andrea', 'basti:sebastian', 'bea:beatrice,beatrix', 'guy:guillaume',
  'hannes:johannes', 'kathi:katharina', 'lisa:elisabeth,elizabeth', 'lottie:charlotte', 'pippa:philippa', 'ros:rosalind',
  'alec:alexander', 'alex:alexander,alexandra,alejandro,alessandro',
  'andy:andrew,andreas', 'angie:angela', 'ann:anna,anne', 'annie:anna,anne', 'art:arthur', 'barb:barbara',
  'bart:bartholomew', 'becky:rebecca', 'bella:isabella', 'ben:benjamin', 'benny:benjamin', 'bernie:bernard,bernhard',
  'bert:albert,herbert,robert', 'beth:elizabeth', 'betsy:elizabeth', 'betty:elizabeth', 'bill:william',
  'billy:william', 'bob:robert', 'bobby:robert', 'brad:bradley', 'cathy:catherine,katherine', 'charlie:charles',
  'chris:christopher,christian,christine,christina', 'chrissy:christine,christina', 'chuck:charles', 'cindy:cynthia',
  'claus:nikolaus', 'conny:cornelia,konstanze', 'dan:daniel', 'danny:daniel', 'dave:david', 'deb:deborah',
  'debbie:deborah', 'dick:richard', 'don:donald', 'doug:douglas', 'ed:edward,edwin,eduard', 'eddie:edward,edwin',
  'eli:elijah,elias', 'ellie:eleanor,ellen', 'eva:evelyn', 'fran:francis,frances', 'frank:francis,franklin',
  'fred:frederick,friedrich,alfred', 'fritz:friedrich', 'gabi:gabriele', 'gabby:gabriella,gabrielle', 'gene:eugene',
  'geoff:geoffrey', 'gerry:gerald,gerard', 'greg:gregory', 'gus:august,gustav', 'hal:harold,henry', 'hank:henry',
  'hans:johannes', 'harry:harold,henry', 'heinz:heinrich', 'ike:isaac', 'jack:john', 'jackie:jacqueline',
  'jake:jacob', 'jan:janet,johannes', 'jeff:jeffrey', 'jen:jennifer', 'jenny:jennifer', 'jerry:gerald,jerome,jeremy',
  'jess:jessica', 'jessie:jessica', 'jim:james', 'jimmy:james', 'jo:joanna,josephine', 'jochen:joachim', 'joe:joseph',
  'joey:joseph', 'johnny:john', 'jon:jonathan', 'josh:joshua', 'jorg:georg', 'juergen:georg', 'kate:katherine,catherine',
  'kathy:katherine,kathleen,catherine', 'katie:katherine,catherine', 'kay:katherine', 'ken:kenneth', 'kenny:kenneth',
  'kim:kimberly', 'kris:kristin,kristina,kristopher', 'larry:lawrence,laurence', 'lena:magdalena,helena',
  'len:leonard', 'leo:leonard,leonardo,leopold', 'lenny:leonard', 'lily:elizabeth,lillian', 'liz:elizabeth',
  'lizzie:elizabeth', 'lou:louis,louise', 'maggie:margaret', 'mandy:amanda', 'manny:emmanuel,manuel', 'marge:margaret',
  'margie:margaret', 'marty:martin', 'matt:matthew', 'matze:matthias', 'max:maximilian,maxwell', 'meg:margaret',
  'mel:melissa,melanie,melvin', 'micky:michael', 'mick:michael', 'mike:michael', 'mikey:michael', 'mitch:mitchell',
  'molly:mary', 'nan:nancy', 'nate:nathan,nathaniel', 'ned:edward', 'nick:nicholas,nikolaus', 'nicky:nicholas,nicole',
  'nina:antonina', 'norm:norman', 'pam:pamela', 'pat:patrick,patricia', 'patty:patricia', 'paco:francisco',
  'peg:margaret', 'peggy:margaret', 'pepe:jose', 'pete:peter', 'phil:philip,phillip', 'polly:mary', 'randy:randall',
  'ray:raymond', 'reg:reginald', 'rich:richard', 'rick:richard,frederick', 'ricky:richard', 'rob:robert',
  'robbie:robert', 'rod:rodney,roderick', 'ron:ronald', 'ronnie:ronald', 'russ:russell', 'rudi:rudolf',
  'sally:sarah', 'sam:samuel,samantha', 'sammy:samuel,samantha', 'sandy:sandra,alexander', 'sascha:alexander',
  'sepp:josef', 'shelly:michelle', 'stan:stanley', 'stefan:stephan', 'steph:stephanie', 'steve:steven,stephen',
  'stu:stuart', 'sue:susan,suzanne', 'susi:susanne', 'susie:susan,suzanne', 'tammy:tamara', 'ted:edward,theodore',
  'teddy:theodore,edward', 'terry:terence,theresa', 'tess:theresa', 'theo:theodore,theodor', 'tim:timothy',
  'timmy:timothy', 'tina:christina,martina', 'toby:tobias', 'tom:thomas', 'tommy:thomas', 'toni:anton,antonia',
  'tony:anthony,antonio', 'tori:victoria', 'trish:patricia', 'uli:ulrich,ulrike', 'val:valerie', 'vicky:victoria',
  'vince:vincent', 'walt:walter', 'wes:wesley', 'will:william', 'willi:wilhelm', 'willy:wilhelm,william', 'zach:zachary'
]) as pair;
