-- Compare: how well two values agree, as a level whose weight stands in rules.match_weight. All of these are plain
-- expressions that the planner puts in place of the call.

-- Given names. p_left_names and p_right_names are the full forms that each may stand for, itself included.
create or replace function gate.first_name_level(p_left text, p_right text, p_left_names text[], p_right_names text[])
returns text
language sql
immutable
as $$
  select case
    when p_left is null or p_right is null then 'missing'
    when p_left = p_right then 'exact'
    when p_left_names && p_right_names then 'nickname'
    when length(p_left) = 1 or length(p_right) = 1 then
      case when left(p_left, 1) = left(p_right, 1) then 'initial' else 'different' end
    when split_part(p_left, ' ', 1) = split_part(p_right, ' ', 1) then 'similar'
    when gate.alike(p_left, p_right) >= 0.4 then 'similar'
    else 'different'
  end
$$;

-- Family names. A double name agrees in part with one of its halves.
create or replace function gate.last_name_level(p_left text, p_right text)
returns text
language sql
immutable
as $$
  select case
    when p_left is null or p_right is null then 'missing'
    when p_left = p_right then 'exact'
    when string_to_array(p_left, ' ') && string_to_array(p_right, ' ') then 'part'
    when gate.alike(p_left, p_right) >= 0.4 then 'similar'
    else 'different'
  end
$$;

-- Companies, without their legal suffixes.
create or replace function gate.company_level(p_left text, p_right text)
returns text
language sql
immutable
as $$
  select case
    when p_left is null or p_right is null then 'missing'
    when p_left = p_right then 'exact'
    when replace(p_left, ' ', '') = replace(p_right, ' ', '') then 'exact'
    when gate.alike(p_left, p_right) >= 0.5 then 'similar'
    else 'different'
  end
$$;

-- Values that agree or do not: town, domain, external id.
create or replace function gate.plain_level(p_left text, p_right text)
returns text
language sql
immutable
as $$
  select case
    when p_left is null or p_right is null then 'missing'
    when p_left = p_right then 'exact'
    else 'different'
  end
$$;

-- What the names as a whole say: agree, conflict (this is somebody else) or unknown (too little to tell).
create or replace function gate.names_verdict(p_first text, p_last text)
returns text
language sql
immutable
as $$
  select case
    when p_first = 'different' then 'conflict'
    when p_first = 'missing' and p_last = 'different' then 'conflict'
    when p_first in ('exact', 'nickname', 'initial', 'similar', 'swapped')
      and p_last in ('exact', 'part', 'similar', 'swapped') then 'agree'
    else 'unknown'
  end
$$;
