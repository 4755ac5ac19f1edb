-- Scan: finds the duplicates that are in the mirror already. All contacts against all that share a block or an address, once;
-- afterwards only those that changed. Works in steps that `src/duplicates` takes, so that a person sees how far it is, and
-- two connections can work at once. Who is found stands in gate.duplicate_pair.

-- Stands for all by which contacts are compared.
create or replace function gate.match_rules_hash()
returns text
language sql
stable
as $$
  select md5(concat_ws(
    '|',
    (select string_agg(concat_ws(',', field, level, weight, rarity), ';' order by field, level) from rules.match_weight),
    (select string_agg(concat_ws(',', name, score), ';' order by name) from rules.match_threshold),
    (select string_agg(concat_ws(',', nickname, name), ';' order by nickname, name) from rules.nickname)
  ))
$$;

-- Gives the transaction that asks the time and the memory that a step over all contacts needs. Called before each step.
create or replace function gate.take_time()
returns void
language sql
as $$
  select
    set_config('statement_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true),
    set_config('work_mem', '128MB', true),
    set_config('jit', 'off', true)
$$;

-- Whether nobody else scans: until the transaction ends, nobody else can. Called before a scan begins.
create or replace function gate.lock_scan()
returns boolean
language sql
as $$
  select pg_try_advisory_xact_lock(7305802)
$$;

-- Notes whose keys change, from the first scan of all contacts on.
create or replace function gate.note_unscanned()
returns trigger
language plpgsql
as $$
begin
  if not exists (select from gate.scan where kind = 'full') then
    return null;
  end if;
  insert into gate.unscanned (contact_id)
  select contact_id
  from changed;
  return null;
end
$$;

create or replace trigger note_unscanned_insert
after insert on gate.contact_keys
referencing new table as changed
for each statement
execute function gate.note_unscanned();

create or replace trigger note_unscanned_update
after update on gate.contact_keys
referencing new table as changed
for each statement
execute function gate.note_unscanned();

create or replace trigger note_unscanned_delete
after delete on gate.contact_keys
referencing old table as changed
for each statement
execute function gate.note_unscanned();

-- Empties the tables on which a scan of all contacts works. Called by gate.begin_scan, gate.end_full_scan and `rules learn`, which
-- works on the same pairs.
create or replace function gate.clear_pairs()
returns void
language plpgsql
as $$
begin
  truncate gate.signature, gate.card, gate.candidate_pair, gate.found_pair;
end
$$;

-- Begins a scan: of what changed, or of all contacts when that is asked for, when it was never done, when the rules have
-- changed since, or when more than a fifth of all contacts have. Called first, after gate.lock_scan.
-- A scan of all contacts waits for whoever is writing keys, and holds up writers for that moment: what is written later is
-- noted.
create or replace function gate.begin_scan(p_full boolean)
returns table (scan_id bigint, kind text, contacts bigint)
language plpgsql
as $$
declare
  v_hash text := gate.match_rules_hash();
  v_contacts bigint;
  v_changed bigint;
  v_full boolean := p_full;
begin
  select count(*) into v_contacts from gate.contact_keys;
  select count(distinct contact_id) into v_changed from gate.unscanned;
  v_full := v_full
    or v_changed * 5 > v_contacts
    or not coalesce(
      (
        select scan.rules_hash = v_hash and v_contacts < scan.contacts * 1.5
        from gate.scan
        where scan.kind = 'full'
          and scan.finished_at is not null
        order by scan.scan_id desc
        limit 1
      ),
      false
    );
  if v_full then
    lock table gate.contact_keys in share mode;
    delete from gate.unscanned;
    perform gate.clear_pairs();
  end if;
  return query
    insert into gate.scan (kind, rules_hash, contacts)
    values (case when v_full then 'full' else 'changed' end, v_hash, case when v_full then v_contacts else v_changed end)
    returning scan.scan_id, scan.kind, scan.contacts;
end
$$;

-- Finds pairs that are worth comparing: of those that share a block of at most 100 contacts, or all that share an address of at
-- most 50. A block with more tells nothing, and would cost the square of its size. Part p_part of p_parts of the blocks;
-- who shares blocks of several parts is found several times. Called for one part after the other, on several connections
-- at once; how many pairs. Hash joins only: the planner cannot see how many pairs a block makes.
drop function if exists gate.find_pairs();
create or replace function gate.find_pairs(p_part integer, p_parts integer)
returns bigint
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_nestloop = off
set enable_mergejoin = off
as $$
declare
  v_pairs bigint;
  -- Blocks are hashes, spread evenly over all numbers: a range of them is read from the index.
  v_width constant numeric := 4294967296 / p_parts::numeric;
  v_first constant integer := ceil(-2147483648 + p_part * v_width);
  v_last constant integer := least(ceil(-2147483648 + (p_part + 1) * v_width) - 1, 2147483647);
begin
  with together as (
    select block, count(*) as contacts, array_agg(contact_id) as contact_ids
    from gate.block_key
    where block between v_first and v_last
    group by block
    having count(*) between 2 and 100
  ), mate as materialized (
    select
      signature.contact_id, together.block, together.contacts, name_bits, family_bits, employed, email_local, phone, other_phone,
      street, firm, site, whole_firm, whole_site, firm_tail, site_tail, city, postal_code, family_initial, initial, given_head,
      given_start, given, given_rest, given_tail, names, families
    from together
    cross join lateral unnest(contact_ids) as own (contact_id)
    join gate.signature on signature.contact_id = own.contact_id
  ), addressed as (
    select array_agg(distinct contact_id) as contact_ids
    from gate.identifier
    where kind <> 'phone'
      and (hashtext(value) & 65535) % p_parts = p_part
    group by value
    having count(*) between 2 and 50
  )
  insert into gate.candidate_pair (left_id, right_id)
  select one.contact_id, other.contact_id
  from mate as one
  join mate as other on other.block = one.block
  where one.contact_id < other.contact_id
    and gate.worth_comparing(one.contacts, one::gate.signature, other::gate.signature)
  union all
  select one.contact_id, other.contact_id
  from addressed
  cross join lateral unnest(contact_ids) as one (contact_id)
  cross join lateral unnest(contact_ids) as other (contact_id)
  where one.contact_id < other.contact_id;
  get diagnostics v_pairs = row_count;
  return v_pairs;
end
$$;

-- Of weighed pairs, those that are to be kept; not two of a family or an office who share a number, a mailbox or a home, however
-- much else agrees. Called by gate.compare_cards and gate.scan_changed.
create or replace function gate.worth_keeping(p_agreements gate.agreement[])
returns table (left_id bigint, right_id bigint, score real, tier text, evidence jsonb)
language sql
stable
as $$
  select
    weighed.left_id,
    weighed.right_id,
    weighed.score,
    case
      when (agreement).external_id = 'exact' then 'external_id'
      when (agreement).email in ('exact', 'exact_other', 'loose') then 'email'
      when replace((agreement).phone, '_office', '') in ('exact', 'extension', 'one_extension') then 'phone'
      else 'fuzzy'
    end,
    gate.evidence(agreement, parts)
  from gate.weigh(p_agreements) as weighed
  where weighed.score >= coalesce((select match_threshold.score from rules.match_threshold where name = 'possible'), 0)
    and not gate.is_relative(agreement)
$$;

-- Compares the candidate pairs of step p_step of p_steps, each once. Called for one step after the other, on several
-- connections at once. How many pairs. Hash joins only: the cards are read once, and not one by one.
drop function if exists gate.compare_cards(bigint, bigint);
create or replace function gate.compare_cards(p_step integer, p_steps integer)
returns bigint
language plpgsql
set plan_cache_mode = force_custom_plan
set enable_nestloop = off
set enable_mergejoin = off
as $$
declare
  v_pairs bigint;
  v_agreements gate.agreement[];
begin
  with pair as materialized (
    select distinct left_id, right_id
    from gate.candidate_pair
    where left_id % p_steps = p_step
  ), agreed as (
    select array_agg(agreement) as agreements
    from pair
    join gate.card as one on one.contact_id = pair.left_id and one.contact_id % p_steps = p_step
    join gate.card as other on other.contact_id = pair.right_id
    cross join lateral gate.agree(one, other) as agreement
    where gate.worth_weighing(agreement.first_name, one, other)
  )
  select (select count(*) from pair), agreements
  into v_pairs, v_agreements
  from agreed;
  insert into gate.found_pair (left_id, right_id, score, tier, evidence)
  select *
  from gate.worth_keeping(v_agreements);
  return v_pairs;
end
$$;

drop function if exists gate.candidate_pages();

-- Ends a scan of all contacts: what it found takes the place of what was found before, in one moment.
create or replace function gate.end_full_scan(p_scan bigint, p_compared bigint)
returns void
language plpgsql
as $$
begin
  delete from gate.duplicate_pair;
  insert into gate.duplicate_pair (left_id, right_id, score, tier, evidence, found_at)
  select left_id, right_id, score, tier, evidence, found_at
  from gate.found_pair
  on conflict do nothing;
  update gate.scan
  set finished_at = clock_timestamp(),
      compared = p_compared,
      found = (select count(*) from gate.found_pair)
  where scan_id = p_scan;
  perform gate.clear_pairs();
end
$$;

-- The pairs that these contacts make with others: those that gate.find_pairs would find. Called by gate.scan_changed.
create or replace function gate.pairs_of(p_contacts bigint[])
returns table (left_id bigint, right_id bigint)
language sql
stable
as $$
  with subject as materialized (
    select contact_id, blocks, emails, loose_emails, external_id
    from gate.contact_keys
    where contact_id = any (p_contacts)
  ), blocked as materialized (
    select subject.contact_id, few.contact_id as other_id, min(few.contacts) as contacts
    from subject
    cross join lateral unnest(blocks) as own (block)
    cross join lateral gate.sharing_block(own.block, 0, 0, 0) as few
    where few.contact_id <> subject.contact_id
    group by subject.contact_id, few.contact_id
  ), found as (
    select worth.left_id as contact_id, worth.right_id as other_id
    from (
      select
        array_agg(contact_id) as left_ids, array_agg(other_id) as right_ids, array_agg(contacts) as contacts
      from blocked
    ) as paired
    cross join lateral gate.worth_comparing_among(paired.left_ids, paired.right_ids, paired.contacts, null) as worth
    union all
    select subject.contact_id, few.contact_id
    from subject
    cross join lateral unnest(emails || loose_emails || array_remove(array[external_id], null)) as own (value)
    cross join lateral (
      select near.contact_id, count(*) over () as contacts
      from (
        select identifier.contact_id
        from unnest(array['email', 'loose_email', 'external_id']) as known (kind)
        join gate.identifier using (kind)
        where identifier.value = own.value
        limit 51
      ) as near
    ) as few
    where few.contacts <= 50
  )
  select distinct least(contact_id, other_id), greatest(contact_id, other_id)
  from found
  where contact_id <> other_id
$$;

-- Compares the contacts that changed with all others, in one statement, and ends the scan. Who wrote their keys meanwhile is
-- looked at by the next one. Which contacts it looked at, those that are gone among them.
create or replace function gate.scan_changed(p_scan bigint)
returns bigint[]
language plpgsql
set plan_cache_mode = force_custom_plan
as $$
declare
  v_seen bigint[];
  v_contacts bigint[];
  v_left bigint[];
  v_right bigint[];
  v_found bigint;
begin
  select coalesce(array_agg(unscanned_id), '{}'), coalesce(array_agg(distinct contact_id), '{}')
  into v_seen, v_contacts
  from gate.unscanned;

  select coalesce(array_agg(left_id), '{}'), coalesce(array_agg(right_id), '{}')
  into v_left, v_right
  from gate.pairs_of(v_contacts);

  delete from gate.duplicate_pair
  where left_id = any (v_contacts)
    or right_id = any (v_contacts);
  insert into gate.duplicate_pair (left_id, right_id, score, tier, evidence)
  select *
  from gate.worth_keeping(array(select agreement from gate.agreements(v_left, v_right, null) as agreement));
  get diagnostics v_found = row_count;

  delete from gate.unscanned
  where unscanned_id = any (v_seen);
  update gate.scan
  set finished_at = clock_timestamp(),
      compared = cardinality(v_left),
      found = v_found
  where scan_id = p_scan;
  return v_contacts;
end
$$;
