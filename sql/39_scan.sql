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
  if tg_op = 'DELETE' then
    insert into gate.unscanned (contact_id)
    select contact_id
    from removed;
  else
    insert into gate.unscanned (contact_id)
    select contact_id
    from written;
  end if;
  return null;
end
$$;

create or replace trigger note_unscanned_insert
after insert on gate.contact_keys
referencing new table as written
for each statement
execute function gate.note_unscanned();

create or replace trigger note_unscanned_update
after update on gate.contact_keys
referencing new table as written
for each statement
execute function gate.note_unscanned();

create or replace trigger note_unscanned_delete
after delete on gate.contact_keys
referencing old table as removed
for each statement
execute function gate.note_unscanned();

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
    truncate gate.card, gate.candidate_pair, gate.found_pair;
  end if;
  return query
    insert into gate.scan (kind, rules_hash, contacts)
    values (case when v_full then 'full' else 'changed' end, v_hash, case when v_full then v_contacts else v_changed end)
    returning scan.scan_id, scan.kind, scan.contacts;
end
$$;

-- Finds the pairs of all contacts that share a block of at most 100 contacts, or an address of at most 50. A block with more
-- tells nothing, and would cost the square of its size. Called once in a scan of all contacts; how many pairs.
create or replace function gate.find_pairs()
returns bigint
language plpgsql
as $$
declare
  v_pairs bigint;
begin
  with together as (
    select array_agg(contact_id) as contact_ids
    from gate.block_key
    group by block
    having count(*) between 2 and 100
    union all
    select array_agg(distinct contact_id)
    from gate.identifier
    where kind <> 'phone'
    group by value
    having count(*) between 2 and 50
  )
  insert into gate.candidate_pair (left_id, right_id)
  select distinct one.contact_id, other.contact_id
  from together
  cross join lateral unnest(contact_ids) as one (contact_id)
  cross join lateral unnest(contact_ids) as other (contact_id)
  where one.contact_id < other.contact_id;
  get diagnostics v_pairs = row_count;
  analyze gate.candidate_pair;
  return v_pairs;
end
$$;

-- Of weighed pairs, those that are to be kept. Called by gate.compare_cards and gate.scan_changed.
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
      when (agreement).phone in ('exact', 'extension', 'one_extension') then 'phone'
      else 'fuzzy'
    end,
    gate.evidence(agreement, parts)
  from gate.weigh(p_agreements) as weighed
  where weighed.score >= coalesce((select match_threshold.score from rules.match_threshold where name = 'possible'), 0)
$$;

-- Compares the candidate pairs of some pages of gate.candidate_pair, from p_first to before p_last. Called for one part after
-- the other, on several connections at once.
create or replace function gate.compare_cards(p_first bigint, p_last bigint)
returns void
language plpgsql
set plan_cache_mode = force_custom_plan
as $$
declare
  v_agreements gate.agreement[];
begin
  v_agreements := array(
    select agreement
    from gate.candidate_pair
    join gate.card as one on one.contact_id = candidate_pair.left_id
    join gate.card as other on other.contact_id = candidate_pair.right_id
    cross join lateral gate.agree(one, other) as agreement
    where candidate_pair.ctid >= format('(%s,0)', p_first)::tid
      and candidate_pair.ctid < format('(%s,0)', p_last)::tid
      and gate.worth_weighing(agreement.first_name, one, other)
  );
  insert into gate.found_pair (left_id, right_id, score, tier, evidence)
  select *
  from gate.worth_keeping(v_agreements);
end
$$;

-- Where the pages of gate.candidate_pair end.
create or replace function gate.candidate_pages()
returns bigint
language sql
stable
as $$
  select pg_relation_size('gate.candidate_pair') / current_setting('block_size')::bigint
$$;

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
  truncate gate.card, gate.candidate_pair, gate.found_pair;
end
$$;

-- The pairs that these contacts make with others that share a block of at most 100 contacts, or an address of at most 50.
-- Called by gate.scan_changed.
create or replace function gate.pairs_of(p_contacts bigint[])
returns table (left_id bigint, right_id bigint)
language sql
stable
as $$
  with subject as materialized (
    select contact_id, blocks, emails, loose_emails, external_id
    from gate.contact_keys
    where contact_id = any (p_contacts)
  ), found as (
    select subject.contact_id, few.contact_id as other_id
    from subject
    cross join lateral unnest(blocks) as own (block)
    cross join lateral gate.sharing_block(own.block) as few
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
