-- A block of a given name and an employer says of each of its contacts by which family name it may be known. Which blocks these are
-- is told by the last but one bit of their number, which was a bit of the hash before: until the keys are derived anew, which the
-- sweep does by itself, a contact stands in both.

create function gate.both_blocks(p_blocks integer[])
returns integer[]
language sql
immutable
as $$
  select coalesce(array_agg(distinct case when block & 1 = 1 then block else block & -4 | bit end), '{}')
  from unnest(p_blocks) as block
  cross join unnest(array[0, 2]) as bit
$$;

alter table gate.contact_keys
  alter blocks type integer[] using gate.both_blocks(blocks);

drop function gate.both_blocks(integer[]);

comment on column gate.contact_keys.blocks is 'Hashes of the blocking keys, whose last bits tell what they are made of: those of names alone are odd, and of the others those of a given name have the bit before.';
comment on column gate.block_key.block is 'Hash of the blocking key; odd when it is of names alone, else with the bit before when it is of a given name and an employer.';
comment on column gate.block_key.glance is 'In a block of names alone, what else is known of the contact (gate.glance); in one of a given name and an employer, by which family name it may be known (gate.family_glance); in any other, by which given name (gate.given_glance). 0: to be looked at in any case.';

truncate gate.block_key;

-- During a first load the contacts above indexed_until stand in no index yet.
insert into gate.block_key (block, contact_id)
select unnest(blocks), contact_id
from gate.contact_keys
where contact_id <= coalesce(
  (
    select case when watermark is null then indexed_until end
    from gate.mirror_progress
    where pass = 'full'
  ),
  9223372036854775807
);
