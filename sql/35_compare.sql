-- Compare: how well two values agree, as a level whose weight stands in rules.match_weight. All of these are plain
-- expressions that the planner puts in place of the call, but gate.one_slip and gate.words_replaced, which are asked of
-- few pairs.

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

-- Whether one slip of the pen makes one word of the other: a letter wrong, left out, too many, or two that changed places
-- (Damerau, 1964, found four of five misspellings to be one of these).
create or replace function gate.one_slip(p_left text, p_right text)
returns boolean
language plpgsql
immutable
as $$
declare
  v_head integer := 0;
begin
  while v_head < least(length(p_left), length(p_right))
    and substr(p_left, v_head + 1, 1) = substr(p_right, v_head + 1, 1)
  loop
    v_head := v_head + 1;
  end loop;
  return substr(p_left, v_head + 2) = substr(p_right, v_head + 2)
    or substr(p_left, v_head + 1) = substr(p_right, v_head + 2)
    or substr(p_left, v_head + 2) = substr(p_right, v_head + 1)
    or (
      substr(p_left, v_head + 3) = substr(p_right, v_head + 3)
      and substr(p_left, v_head + 1, 2) = reverse(substr(p_right, v_head + 1, 2))
    );
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
    when gate.alike(p_left, p_right) >= 0.4 then
      case when gate.one_slip(p_left, p_right) then 'similar' else 'alike' end
    else 'different'
  end
$$;

-- Whether each of two names has a word that resembles none of the other's: Weston Fjord Consulting and Marlow Fjord
-- Consulting share most of their letters and are two firms. A word misspelt, cut short or left out on one side is not that.
create or replace function gate.words_replaced(p_left text, p_right text)
returns boolean
language sql
immutable
as $$
  with spelled as (
    select string_to_array(p_left, ' ') as mine, string_to_array(p_right, ' ') as theirs
    union all
    select string_to_array(p_right, ' '), string_to_array(p_left, ' ')
  )
  select bool_and(
    exists (
      select
      from unnest(mine) as own
      where not exists (
        select
        from unnest(theirs) as other
        where starts_with(other, own)
          or starts_with(own, other)
          or gate.alike(own, other) >= 0.3
      )
    )
  )
  from spelled
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
    when gate.alike(p_left, p_right) >= 0.5 then
      case
        when p_left like '% %' and p_right like '% %' and gate.words_replaced(p_left, p_right) then 'related'
        else 'similar'
      end
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

-- Whether two addresses of one firm tell two people of one name apart, as firms do it: by a number. jane.doe@firm and
-- jane.doe2@firm, and jane.doe1@firm and jane.doe2@firm, are two people more often than one. p_left and p_right are the
-- parts before the @.
create or replace function gate.numbered_apart(p_left text, p_right text)
returns boolean
language sql
immutable
as $$
  select coalesce(
    p_left <> p_right
      and rtrim(p_left, '0123456789') = rtrim(p_right, '0123456789')
      and rtrim(p_left, '0123456789') <> '',
    false
  )
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
      and p_last in ('exact', 'part', 'similar', 'alike', 'swapped') then 'agree'
    else 'unknown'
  end
$$;
