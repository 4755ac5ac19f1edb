-- A block says of each of its contacts what it is not made of: blocks of names what else is known of it, others by which given name it may
-- be known. So most of those who have nothing else in common are left out by a look into the index alone. To make room, blocks are numbers of 32 bits. Their last bit tells blocks of names from others, and
-- was another before: until the keys are derived anew, which the sweep does by itself, a contact stands in both.

create function gate.halved_blocks(p_blocks bigint[])
returns integer[]
language sql
immutable
as $$
  select coalesce(array_agg(distinct (block >> 32)::integer & -2 | bit), '{}')
  from unnest(p_blocks) as block
  cross join generate_series(0, 1) as bit
$$;

alter table gate.contact_keys
  alter blocks type integer[] using gate.halved_blocks(blocks);

drop function gate.halved_blocks(bigint[]);

comment on column gate.contact_keys.blocks is 'Hashes of the blocking keys; those of names alone are odd.';

drop table gate.block_key;

create table gate.block_key (
  block      integer not null,
  glance     integer not null default 0,
  contact_id bigint not null,
  primary key (block, contact_id) include (glance)
);

comment on table gate.block_key is 'From a blocking key to the contacts that share it: only these are compared by the fuzzy tier.';
comment on column gate.block_key.block is 'Hash of the blocking key; odd when it is of names alone.';
comment on column gate.block_key.glance is 'In a block of names alone, what else is known of the contact (gate.glance); in any other, by which given name it may be known (gate.given_glance). 0: to be looked at in any case.';
comment on column gate.block_key.contact_id is 'Who shares it.';

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

-- The short forms of a name.
create index nickname_name on rules.nickname (name);
