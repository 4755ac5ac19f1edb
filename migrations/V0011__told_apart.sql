-- Default weights for three things that tell people apart. A firm that has two people of one name numbers the second
-- address: jane.doe2@firm. Two firms may share all words of their names but the one that distinguishes them. And two family
-- names may be much alike, and more than one slip of the pen apart.

insert into rules.match_weight (field, level, weight)
values
  ('last_name', 'alike', 1.0),
  ('email', 'numbered', -10.0),
  ('company', 'related', 0.0)
on conflict (field, level) do nothing;
