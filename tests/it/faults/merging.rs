//! The purge under faults: people who stand in the CRM several times are merged while the run dies again and again.

use std::time::Duration;

use gatekeeper::sandbox::{Kind, Rule};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::kinds::{PATIENCE, in_a_hurry, reconciled};
use super::people::{leaks, world_of};
use crate::flow::invariants;
use crate::flow::world::World;
use crate::process::{Daemon, gatekeeper};

/// People, each of whom stands in the CRM two to four times.
const PEOPLE: usize = 8;

/// The steps of a merge at which the run can be made to fail, and how often each is reached: once for a chunk, or for each merge.
const POINTS: [(&str, u32); 6] = [
    ("merges_begun", 1),
    ("merging", 8),
    ("merged", 8),
    ("absorbed_noted", 8),
    ("survivors_written", 1),
    ("merges_ended", 1),
];

/// Given name, family name, company, area of the telephone number: nobody is like anybody else.
const NAMES: [[&str; 4]; PEOPLE] = [
    ["Robert", "Fairweather", "Acme", "415"],
    ["Paula", "Lindqvist", "Borealis", "212"],
    ["Oskar", "Okonkwo", "Tessera", "312"],
    ["Marta", "Brannigan", "Quantum", "617"],
    ["Ingrid", "Castellano", "Harbour", "206"],
    ["Viktor", "Duvalier", "Juniper", "305"],
    ["Selma", "Eriksen", "Pinnacle", "713"],
    ["Anton", "Gallagher", "Zenith", "404"],
];

pub(super) async fn merging(seed: u64) -> u64 {
    let (world, mut random) = world_of(seed, in_a_hurry).await;
    let contacts: Vec<Value> = (0..PEOPLE)
        .flat_map(|person| (0..random.random_range(2..=4)).map(move |copy| contact(person, copy)))
        .collect();
    let before = contacts.len();
    world.seed(Value::Array(contacts));
    world.mirror().await;
    approve_all(&world).await;

    faults(&world, &mut random);
    let daemon = random.random_bool(0.6).then(|| Daemon::start(&world, &[]));
    let mut leads: Vec<Value> = (0..PEOPLE)
        .flat_map(|person| [lead(person, "webinar"), lead(person, "payments")])
        .collect();
    leads.shuffle(&mut random);
    let mut pieces = leads.chunks(4);
    let mut deaths = 0;
    for _ in 0..random.random_range(1..=5) {
        if let Some(piece) = pieces.next() {
            world.leads(Value::Array(piece.to_vec())).await;
        }
        let (point, most) = *POINTS.choose(&mut random).unwrap();
        let failpoint = format!("{point}:{}:kill", random.random_range(1..=most));
        let mut run = Daemon::command_to_fail(&world, &world.config, &["merge", "run"], &failpoint);
        // It dies, or all is done before the point is reached so often.
        let end = run.end(PATIENCE).await;
        assert!(matches!(end, None | Some(0)), "{failpoint}: {end:?} {}", run.log());
        deaths += u64::from(end.is_none());
    }
    for piece in pieces {
        world.leads(Value::Array(piece.to_vec())).await;
    }
    // What leads have changed meanwhile is stale: planned and approved anew, until each person is one contact.
    for round in 0.. {
        let done = gatekeeper(&world, &["merge", "run", "--json"]).await;
        assert_eq!(done.code, Some(0), "{} {}", done.stdout, done.stderr);
        if world.contacts().len() == PEOPLE {
            break;
        }
        assert!(round < 20, "still {} contacts", world.contacts().len());
        world.mirror().await;
        approve_all(&world).await;
    }
    if let Some(mut daemon) = daemon {
        daemon.signal(Signal::TERM);
        assert_eq!(daemon.end(PATIENCE).await, Some(0), "{}", daemon.log());
    }
    // What is on its way lands within this time; the mirror hears of it, and what it has overwritten is written again.
    tokio::time::sleep(Duration::from_millis(2_600)).await;
    world.mirror().await;
    reconciled(&world).await;
    judge(&world, before).await;
    deaths
        + world
            .crm
            .sandbox()
            .faults()
            .iter()
            .map(|active| active.hit)
            .sum::<u64>()
}

async fn approve_all(world: &World) {
    for words in [&["duplicates", "scan"][..], &["merge", "plan"]] {
        let done = gatekeeper(world, words).await;
        assert_eq!(done.code, Some(0), "{words:?}: {}", done.stderr);
    }
    world
        .db
        .run("update merge.plan set state = 'approved' where state in ('proposed', 'held')")
        .await;
}

/// Merges that take effect late, or whose answers are lost, and a CRM that is busy now and then.
fn faults(world: &World, random: &mut StdRng) {
    let rule = |random: &mut StdRng, probability: f64| Rule {
        probability: Some(probability),
        for_ms: Some(5_000),
        seed: random.random(),
        ..Rule::default()
    };
    for operation in ["merge", "batch_update"] {
        let late = Rule {
            operation: Some(operation.to_owned()),
            apply_late_ms: Some(random.random_range(100..2_500)),
            ..rule(random, 0.2)
        };
        let lost = Rule {
            operation: Some(operation.to_owned()),
            drop_answer_after_apply: true,
            ..rule(random, 0.2)
        };
        let busy = Rule {
            operation: Some(operation.to_owned()),
            status: Some(*[423, 502, 503].choose(random).unwrap()),
            ..rule(random, 0.1)
        };
        world.faults(vec![late, lost, busy]);
    }
}

fn contact(person: usize, copy: usize) -> Value {
    let [first, last, company, area] = NAMES[person];
    let email = match copy {
        0 => address(person),
        1 => format!("{first}{last}@canary-home{person}.example"),
        2 => format!("{}.{last}@canary-mail{person}.example", &first[..1]),
        _ => format!("{last}.{first}@canary-post{person}.example"),
    };
    json!({
        "email": email.to_lowercase(), "firstname": first, "lastname": last, "company": format!("{company} Works"),
        "phone": format!("+1 {area} 555 {:04}", 2671 + person * 731), "city": format!("town{copy}"),
        "address": format!("Canary St {copy}"), "createdate": format!("202{copy}-01-01T00:00:00Z"),
    })
}

fn address(person: usize) -> String {
    let [first, last, ..] = NAMES[person];
    format!("{first}.{last}@canary-firm{person}.example").to_lowercase()
}

fn lead(person: usize, source: &str) -> Value {
    json!({"source": source, "source_key": person.to_string(), "email": address(person), "city": source})
}

/// Nobody is lost, nobody is merged twice or left out, nothing is left half-way, and the best source has the last word.
async fn judge(world: &World, before: usize) {
    invariants::check(world).await;
    let contacts = world.contacts();
    assert_eq!(contacts.len(), PEOPLE, "each person is one contact");
    assert_eq!(world.effects(Kind::Create).len(), 0, "no lead found nobody");
    assert_eq!(
        world.effects(Kind::Merge).len(),
        before - PEOPLE,
        "each was merged once, and nobody twice"
    );
    let wrong: Vec<&Value> = contacts
        .iter()
        .filter(|contact| contact["city"] != "payments")
        .collect();
    assert!(wrong.is_empty(), "the best source has the last word: {wrong:#?}");
    for (what, sql) in [
        (
            "a plan is left half-way",
            "select count(*) from merge.plan where state not in ('merged', 'stale')",
        ),
        ("a contact is still held", "select count(*) from merge.under_way"),
        (
            "a merge has no snapshot",
            "select count(*) from merge.step left join merge.snapshot using (plan_id, place) where snapshot.plan_id is null",
        ),
        (
            "a chosen value was not kept",
            "select count(*) from merge.plan where not_kept <> '{}'",
        ),
        (
            "a lead is not done",
            "select count(*) from gate.work where state <> 'done'",
        ),
        (
            "steps and merges differ",
            &format!(
                "select count(*) - {} from merge.step where done_at is not null",
                before - PEOPLE
            ),
        ),
    ] {
        assert_eq!(world.count(sql).await, 0, "{what}");
    }
    // The mirror knows the same contacts under the same ids, and finds nothing to correct.
    world.mirror().await;
    let mut living: Vec<String> = contacts
        .iter()
        .map(|contact| contact["hs_object_id"].as_str().unwrap().to_owned())
        .collect();
    living.sort();
    let mirrored =
        "select string_agg(crm_id, ' ' order by crm_id collate \"C\") from crm.contact where archived_at is null";
    assert_eq!(world.ask(mirrored).await, living.join(" "));
    let leaks = leaks(world.directory.path());
    assert!(leaks.is_empty(), "a log holds what nobody may read there: {leaks:#?}");
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(world.count(deadlocks).await, 0, "nobody locks another out");
}
