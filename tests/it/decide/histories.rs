//! Order independence: any permutation, repetition and batching of the same leads gives the same contact, with people who
//! edit it in the CRM meanwhile.
//!
//! Two things are left as they are in the world: the edits of people come in their order, and no lead comes before an edit
//! that was made before the lead was seen. And people rank above all sources here: of a source above them it counts when it
//! speaks, for nobody takes back an edit for what was heard before it.

use std::collections::BTreeMap;

use gatekeeper::decide::{FieldPolicy, FieldRule, Policy};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::person::{Event, Person};

/// The last day of a history, on which all is decided.
const TODAY: i64 = 40;
/// Days after which the rank of `payments` fades in the field `last_name`.
const FADES: i32 = 20;

/// Policies of every kind, alone and side by side.
fn policy() -> Policy {
    let rule = |field: &str, source: &str, policy: FieldPolicy| FieldRule {
        field: field.to_owned(),
        source: source.to_owned(),
        policy: Some(policy),
        ..FieldRule::default()
    };
    let ranks = [
        ("crm", 95),
        ("payments", 90),
        ("sales", 60),
        ("webinar", 20),
        ("fair", 20),
    ];
    Policy {
        sources: ranks.map(|(source, rank)| (source.to_owned(), rank)).into(),
        fields: vec![
            rule("*", "*", FieldPolicy::HighestRank),
            FieldRule {
                policy: None,
                rank: Some(70),
                ..rule("city", "webinar", FieldPolicy::HighestRank)
            },
            rule("street", "*", FieldPolicy::Newest),
            rule("job_title", "*", FieldPolicy::OnlyIfBlank),
            rule("company", "*", FieldPolicy::Longest),
            rule("state", "*", FieldPolicy::Newest),
            rule("state", "payments", FieldPolicy::HighestRank),
            rule("state", "fair", FieldPolicy::OnlyIfBlank),
            rule("score", "*", FieldPolicy::Max),
            rule("first_seen", "*", FieldPolicy::Min),
            rule("first_seen", "webinar", FieldPolicy::Never),
            rule("topics", "*", FieldPolicy::Append),
            rule("labels", "*", FieldPolicy::Append),
            rule("labels", "fair", FieldPolicy::OnlyIfBlank),
            FieldRule {
                scale: Some(vec!["no".to_owned(), "partly".to_owned(), "yes".to_owned()]),
                ..rule("opted_out", "*", FieldPolicy::Tighten)
            },
            FieldRule {
                expires_days: Some(FADES),
                ..rule("last_name", "payments", FieldPolicy::HighestRank)
            },
        ],
        ..Policy::default()
    }
}

/// What is there before anybody looks. Not `job_title` and `labels`: they are blank.
const BEFORE: [(&str, &str); 8] = [
    ("city", "Oslo"),
    ("street", "Old Rd 9"),
    ("company", "Acme"),
    ("state", "Ohio"),
    ("score", "3"),
    ("first_seen", "2020-05-05"),
    ("topics", "a;b"),
    ("opted_out", "no"),
];

fn value_of(field: &'static str) -> BoxedStrategy<String> {
    let one_of = |values: &[&'static str]| select(values.to_vec()).prop_map(str::to_owned).boxed();
    match field {
        "company" => one_of(&["A", "Acme Inc", "Acme Ltd", "Acme International"]),
        "score" => one_of(&["1", "7", "7.0", "12", "none"]),
        "first_seen" => one_of(&["2019-01-01", "2021-01-01", "2019-06-01T00:00:00Z", "soon"]),
        "topics" | "labels" => one_of(&["a", "c", "b;c", "d;e", "a;e"]),
        "opted_out" => one_of(&["no", "partly", "yes", "perhaps"]),
        _ => one_of(&["Kiel", "Riga", "Bonn", "Rome"]),
    }
}

fn lead() -> impl Strategy<Value = Event> {
    let fields = [
        "city",
        "street",
        "job_title",
        "company",
        "state",
        "score",
        "first_seen",
        "topics",
        "labels",
        "opted_out",
        "last_name",
    ];
    let value = select(fields.to_vec()).prop_flat_map(|field| (Just(field), value_of(field)));
    let values = prop::collection::vec(value, 1..5).prop_map(BTreeMap::from_iter);
    (select(vec!["payments", "sales", "webinar", "fair"]), 1..TODAY, values)
        .prop_map(|(source, day, values)| Event::Lead { source, day, values })
}

/// Edits that are edits whatever came before: to a value that no source brings, or a clearing of what was there from the
/// first.
fn edit() -> impl Strategy<Value = Event> {
    let set = (
        select(vec!["city", "street", "job_title", "company", "state", "last_name"]),
        1..TODAY,
    )
        .prop_map(|(field, day)| (field, day, Some(format!("by hand on {day}"))));
    let cleared = (
        select(vec!["city", "street", "company", "state", "score", "first_seen"]),
        1..TODAY,
    )
        .prop_map(|(field, day)| (field, day, None));
    let taken_out = (select(vec!["-a", "-b"]), 1..TODAY).prop_map(|(out, day)| ("topics", day, Some(out.to_owned())));
    prop_oneof![3 => set, 2 => cleared, 1 => taken_out].prop_map(|(field, day, value)| Event::Edit {
        field,
        day,
        value,
    })
}

fn day_of(event: &Event) -> i64 {
    match event {
        Event::Lead { day, .. } | Event::Edit { day, .. } => *day,
    }
}

/// One order in which a history may come: `places` says how long after it was seen each lead comes, and in which order
/// among its neighbours.
fn order(leads: &[Event], edits: &[Event], places: &[u32]) -> Vec<Event> {
    let mut coming: Vec<(usize, u32, Event)> = leads
        .iter()
        .zip(places)
        .map(|(lead, place)| {
            let earliest = edits.iter().filter(|edit| day_of(edit) < day_of(lead)).count();
            let room = edits.len() - earliest + 1;
            let after = earliest + usize::try_from(*place).unwrap_or_default() % room;
            (after, place / 7, lead.clone())
        })
        .collect();
    coming.sort_by_key(|(after, place, _)| (*after, *place));
    let mut events = Vec::new();
    for after in 0..=edits.len() {
        events.extend(
            coming
                .iter()
                .filter(|(slot, ..)| *slot == after)
                .map(|(.., lead)| lead.clone()),
        );
        events.extend(edits.get(after).cloned());
    }
    events
}

#[test]
fn any_permutation_repetition_and_batching_of_random_histories_gives_the_same_contact() {
    let seed = std::env::var("GATEKEEPER_TEST_SEED").unwrap_or_default();
    let seed: [u8; 32] = std::array::from_fn(|place| seed.as_bytes().get(place).copied().unwrap_or(7));
    let config = Config {
        cases: 5000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let history = (
        prop::collection::vec(lead(), 1..9),
        prop::collection::vec(edit(), 0..4),
        prop::collection::vec(any::<u32>(), 30),
        1_usize..5,
    );
    let policy = policy();
    let outcome = runner.run(&history, |(leads, mut edits, places, batch)| {
        edits.sort_by_key(day_of);
        let as_seen = order(&leads, &edits, &places[..leads.len()]);
        let mut one = Person::with(&BEFORE);
        one.go_through(&as_seen, 1, &policy, TODAY);
        // Another order, some of it twice, several at a time.
        let repeated: Vec<Event> = leads.iter().cloned().chain(leads.iter().take(batch).cloned()).collect();
        let otherwise = order(&repeated, &edits, &places[leads.len()..]);
        let mut other = Person::with(&BEFORE);
        other.go_through(&otherwise, batch, &policy, TODAY);
        prop_assert_eq!(one.values(), other.values(), "\n{:#?}\n{:#?}", as_seen, otherwise);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
