//! From 10,000 to 1,000,000 contacts: what deciding and looking for duplicates costs as the mirror grows.
//!
//! The mirror is written by the pull loop's own functions, without a CRM in between; nine of ten contacts are people, the tenth
//! is somebody's second record. One in fifty bears the same name.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gatekeeper::domain::{CANONICAL, Field, Record, ReplicaId};
use gatekeeper::duplicates::scan;
use gatekeeper::rulebook::{lists_in_force, normalizer_of};
use gatekeeper::store::Store;
use gatekeeper::store::duplicates::count_in_time;
use gatekeeper::store::mirror::MirrorRows;
use gatekeeper::store::passes::{Holder, Pass, Standing, begin_pass, end_pass, index_first_load};

use crate::Outcome;
use crate::decider::Decider;
use crate::figures::{Figure, Figures, number, rate, seconds};
use crate::ground::Ground;
use crate::large::NO_LIMITS;
use crate::leads::{LeadRow, deliver, mixed};
use crate::machine::Watch;
use crate::people::Person;
use crate::world::{Plot, World};

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];

/// Contacts of one page, as the pull loop writes them.
const PAGE: u64 = 500;

/// Leads decided in batches.
const LEADS: u64 = 20_000;

/// Leads decided one by one.
const SINGLE: u64 = 400;

/// Contacts that change between two scans.
const CHANGED: u64 = 1_000;

/// What one mirror took.
struct Cost {
    contacts: u64,
    decided_per_second: f64,
    single: Duration,
    table_scans: i64,
    scan: Duration,
    pairs: i64,
    changed_scan: Duration,
    keys_share: f64,
    others: String,
}

/// Measures with so many contacts each, or with all that belong to the curve; keeps the databases when that is asked for.
pub(crate) async fn measure(ground: &Ground, figures: &mut Figures, sizes: &[u64], keep: bool) -> Outcome<()> {
    let sizes: &[u64] = if sizes.is_empty() { &SIZES } else { sizes };
    let mut curve = Vec::new();
    for &contacts in sizes {
        let cost = measure_one(ground, contacts, keep).await?;
        figures.note(format!(
            "{} contacts: {} leads decided, one in {:.1} ms (95th percentile); scan {}, {} pairs compared; after 1,000 changes {:.2} s; keys take {:.2} times the contacts' own space; {}",
            number(contacts as usize),
            rate(cost.decided_per_second),
            cost.single.as_secs_f64() * 1_000.0,
            seconds(cost.scan),
            number(cost.pairs.unsigned_abs() as usize),
            cost.changed_scan.as_secs_f64(),
            cost.keys_share,
            cost.others,
        ));
        curve.push(cost);
    }
    for cost in curve.iter().filter(|cost| cost.contacts >= 100_000) {
        tell(cost, figures);
    }
    Ok(())
}

fn tell(cost: &Cost, figures: &mut Figures) {
    let at = number(cost.contacts as usize);
    let none = "has no mirror: searches for each".to_owned();
    let scan_goal = cost.contacts as f64 * 60.0 / 1_000_000.0;
    let scanned = cost.scan.as_secs_f64();
    figures.add(
        Figure::new(
            format!("scan for duplicates, {at} contacts"),
            format!("≤ {scan_goal:.0} s"),
        )
        .measured(seconds(cost.scan), scanned <= scan_goal)
        .naive(none.clone()),
    );
    if cost.contacts < 1_000_000 {
        return;
    }
    figures.add(
        Figure::new(format!("the same after 1,000 changes, {at} contacts"), "≤ 3 s")
            .measured(
                format!("{:.2} s", cost.changed_scan.as_secs_f64()),
                cost.changed_scan.as_secs_f64() <= 3.0,
            )
            .naive(none.clone()),
    );
    figures.add(
        Figure::new(
            format!("decisions with {at} contacts mirrored, in batches"),
            "≥ 3,000/s",
        )
        .measured(
            format!("{}; {}", rate(cost.decided_per_second), cost.others),
            cost.decided_per_second >= 3_000.0,
        )
        .naive(none.clone()),
    );
    let single = cost.single.as_secs_f64() * 1_000.0;
    figures.add(
        Figure::new(
            format!("a single lead decided, {at} contacts, 95th percentile"),
            "≤ 15 ms",
        )
        .measured(format!("{single:.1} ms"), single <= 15.0)
        .naive(none.clone()),
    );
    figures.add(
        Figure::new(
            format!("scans of a whole table of keys while {at} contacts are searched"),
            "0",
        )
        .measured(cost.table_scans.to_string(), cost.table_scans == 0)
        .naive(none.clone()),
    );
    figures.add(
        Figure::new(format!("disk for keys, {at} contacts"), "≤ 1.5 × the contacts' own")
            .measured(format!("{:.2} ×", cost.keys_share), cost.keys_share <= 1.5)
            .naive(none),
    );
}

async fn measure_one(ground: &Ground, contacts: u64, keep: bool) -> Outcome<Cost> {
    let name = format!("scale_{contacts}");
    let plot = Plot {
        name: &name,
        people: 0,
        sandbox: &["--unlimited"],
        settings: NO_LIMITS,
    };
    let world = World::make(ground, plot).await?;
    let store = Store::open(&world.config()?).await?;
    let begun = Instant::now();
    load(&store, contacts).await?;
    println!(
        "        {} contacts written in {}",
        number(contacts as usize),
        seconds(begun.elapsed())
    );
    world.client.batch_execute("vacuum analyze").await?;
    let keys_share = keys_share(&world).await?;

    let begun = Instant::now();
    let report = scan(&store, true, 10, |_| ()).await?;
    let scan_time = begun.elapsed();
    let pairs: i64 = world
        .client
        .query_one("select compared from gate.scan order by scan_id desc limit 1", &[])
        .await?
        .try_get(0)?;
    println!("        scanned in {}: {report:?}", seconds(scan_time));
    change(&store, contacts).await?;
    let begun = Instant::now();
    let report = scan(&store, false, 10, |_| ()).await?;
    let changed_scan = begun.elapsed();
    if report.full {
        return Err("the second scan looked at all contacts".into());
    }
    world.client.batch_execute("vacuum analyze").await?;

    let known = people_among(contacts);
    // Nobody comes twice: nothing is written, so a second lead would wait for the first one.
    let leads = LEADS.min(known / 3);
    deliver(&world.client, &mixed(known, 0, leads)).await?;
    let scans_before = table_scans(&world).await?;
    let decider = Decider::start(&world).await?;
    let watch = Watch::start();
    let decided = decider.decide_all().await?;
    let decided_per_second = decided as f64 / watch.elapsed().as_secs_f64();
    let others = watch.others();
    let mut single = Vec::new();
    for lead in mixed(known, leads, SINGLE) {
        deliver(&world.client, &[lead]).await?;
        single.extend(decider.decide_one().await?);
    }
    single.sort_unstable();
    decider.end().await?;
    let table_scans = table_scans(&world).await? - scans_before;
    store.close().await;
    world.end()?;
    if !keep {
        ground
            .connect("postgres")
            .await?
            .batch_execute(&format!("drop database {name} with (force)"))
            .await?;
    }
    Ok(Cost {
        contacts,
        decided_per_second,
        single: single[single.len() * 95 / 100],
        table_scans,
        scan: scan_time,
        pairs,
        changed_scan,
        keys_share,
        others,
    })
}

/// Of so many contacts, those that are people of their own: the others are second records.
fn people_among(contacts: u64) -> u64 {
    contacts / 10 * 9
}

/// Contact `number` of so many.
fn contact(number: u64, contacts: u64) -> LeadRow {
    let people = people_among(contacts);
    if number >= people {
        let person = Person::new((number - people) * 7 % people);
        return match number % 3 {
            0 => LeadRow::by_email(&person),
            1 => LeadRow::by_phone(&person),
            _ => LeadRow::by_name(&person),
        };
    }
    let mut person = LeadRow::complete(&Person::new(number));
    if number % 50 == 7 {
        person.first_name = "Maria".to_owned();
        person.last_name = "Garcia".to_owned();
        let domain = person.email.split_once('@').map_or("", |(_, domain)| domain);
        person.email = format!("maria.garcia.{number}@{domain}");
    }
    person
}

fn record(number: u64, row: LeadRow, version: u64) -> Record {
    let values = [
        ("email", row.email),
        ("phone", row.phone),
        ("first_name", row.first_name),
        ("last_name", row.last_name),
        ("company", row.company),
        ("job_title", row.job_title),
        ("city", row.city),
        ("country", row.country),
    ];
    let made = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(1_700_000_000 + (version * 3_600) as i64);
    Record {
        crm_id: (number + 1).to_string(),
        values: values
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (Field::from_name(name), value))
            .collect::<BTreeMap<_, _>>(),
        additional_emails: Vec::new(),
        gatekeeper_key: None,
        absorbed_ids: Vec::new(),
        created_at: Some(made),
        updated_at: Some(made),
        archived: false,
    }
}

/// Writes the mirror as the first pass over a CRM does.
async fn load(store: &Store, contacts: u64) -> Outcome<()> {
    let mut client = store.client().await?;
    let normalizer = normalizer_of(None, &lists_in_force(&client).await?)?;
    let holder = Holder {
        replica: ReplicaId::new(),
        lease: Duration::from_secs(3_600),
    };
    // A value of a field that the mirror does not hold is refused, and nothing would be written.
    let fields: Vec<String> = CANONICAL.iter().map(|field| field.name().to_owned()).collect();
    let Standing::Ours { state, .. } = begin_pass(&client, Pass::Full, holder, None, &fields).await? else {
        return Err("the first pass is not ours".into());
    };
    for first in (0..contacts).step_by(PAGE as usize) {
        let records: Vec<Record> = (first..contacts.min(first + PAGE))
            .map(|number| record(number, contact(number, contacts), 0))
            .collect();
        MirrorRows::new(&records, &normalizer).write(&client).await?;
    }
    while index_first_load(&client, holder, state.started_at, 50_000).await? == Some(true) {}
    count_in_time(&mut client).await?;
    end_pass(
        &client,
        Pass::Full,
        holder.replica,
        state.started_at,
        Some(chrono::Utc::now()),
    )
    .await?;
    Ok(())
}

/// A thousand people have changed their number and their employer.
async fn change(store: &Store, contacts: u64) -> Outcome<()> {
    let client = store.client().await?;
    let normalizer = normalizer_of(None, &lists_in_force(&client).await?)?;
    let people = people_among(contacts);
    let records: Vec<Record> = (0..CHANGED)
        .map(|place| {
            let (number, other) = (place * 8 % people, Person::new((place * 8 + 1_001) % people));
            let mut row = contact(number, contacts);
            row.company = other.company;
            row.phone = other.phone;
            record(number, row, 1)
        })
        .collect();
    for page in records.chunks(PAGE as usize) {
        MirrorRows::new(page, &normalizer).write(&client).await?;
    }
    Ok(())
}

/// How often a table of keys was read from end to end.
async fn table_scans(world: &World) -> Outcome<i64> {
    let counted = "select coalesce(sum(seq_scan), 0)::bigint from pg_stat_user_tables
        where schemaname = 'gate' and relname in ('contact_keys', 'identifier', 'block_key')";
    Ok(world.client.query_one(counted, &[]).await?.try_get(0)?)
}

/// Disk for keys and their indexes, as a share of what the contacts take.
async fn keys_share(world: &World) -> Outcome<f64> {
    let asked = "select (pg_total_relation_size('gate.contact_keys') + pg_total_relation_size('gate.identifier')
        + pg_total_relation_size('gate.block_key') + pg_total_relation_size('gate.term'))::float8
        / pg_total_relation_size('crm.contact')";
    Ok(world.client.query_one(asked, &[]).await?.try_get(0)?)
}
