//! The journal, the counts, seeding, people's edits and the reset.

use std::collections::BTreeMap;

use gatekeeper::sandbox::{End, Entry, JournalMode, Kind, Limits, Options};
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};

async fn control(crm: &Caller, method: Method, path: &str, body: Option<&Value>) -> Answer {
    // No token: the control routes need none.
    let request = crm
        .http
        .request(method, format!("{}/_sandbox/{path}", crm.running.base_url()));
    crm.send(if let Some(body) = body {
        request.json(body)
    } else {
        request
    })
    .await
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn the_journal_holds_every_request_and_every_effect_in_order() {
    let crm = Caller::plain().await;
    let rows = [
        json!({"email": "a@x.com", "city": "Rome"}),
        json!({"email": "b@x.com"}),
        json!({"email": "no"}),
    ];
    crm.create_traced(&rows).await;
    crm.patch("/a@x.com?idProperty=email", json!({"city": "", "phone": "1"}))
        .await;
    crm.get("?limit=1").await;
    let requests = crm.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|one| (one.operation.as_str(), one.rows, one.status, one.end))
        .collect();
    let answered = |status| (Some(status), End::Answered);
    let expected = [
        ("batch_create", 3, answered(207)),
        ("update", 1, answered(200)),
        ("list", 1, answered(200)),
    ];
    assert_eq!(
        seen,
        expected.map(|(operation, rows, (status, end))| (operation, rows, status, end))
    );
    assert_eq!(requests[0].path, "POST /crm/objects/2026-09/contacts/batch/create");
    let effects = crm.effects();
    let kinds: Vec<Kind> = effects.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [Kind::Create, Kind::Create, Kind::Update]);
    assert_eq!(effects[0].trace_id.as_deref(), Some("t0"));
    assert_eq!(effects[0].request, Some(requests[0].seq));
    let changed = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    assert_eq!(effects[0].changed, changed(&[("email", "a@x.com"), ("city", "Rome")]));
    assert_eq!(effects[2].changed, changed(&[("city", ""), ("phone", "1")]));
    assert_eq!(effects[2].id, effects[0].id);
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_an_effect_without_changes() {
    let crm = Caller::plain().await;
    let id = crm.create(json!({"email": "a@x.com"})).await;
    crm.patch(&format!("/{id}"), json!({"email": "A@x.com"})).await;
    assert!(crm.effects()[1].changed.is_empty());
}

#[tokio::test]
async fn the_journal_is_read_on_from_a_place_over_http() {
    let crm = Caller::plain().await;
    crm.create(json!({"email": "a@x.com"})).await;
    let first = lines(&control(&crm, Method::GET, "journal", None).await);
    assert_eq!(
        first
            .iter()
            .map(|one| one["entry"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["request", "effect"]
    );
    crm.get("").await;
    let place = first[1]["seq"].as_u64().unwrap();
    let rest = lines(&control(&crm, Method::GET, &format!("journal?after={place}"), None).await);
    assert_eq!((rest.len(), &rest[0]["operation"]), (1, &json!("list")));
}

#[tokio::test]
async fn contacts_are_seeded_as_a_list_or_as_lines_and_dumped_so_that_they_can_be_seeded_again() {
    let crm = Caller::plain().await;
    let list = json!([{"email": "a@x.com", "hs_additional_emails": "a2@x.com"}, {"email": "b@x.com"}]);
    assert_eq!(
        control(&crm, Method::POST, "contacts", Some(&list)).await.body["ids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let url = format!("{}/_sandbox/contacts", crm.running.base_url());
    let text = "{\"email\": \"c@x.com\"}\n{\"email\": \"d@x.com\"}\n";
    assert_eq!(crm.send(crm.http.post(&url).body(text)).await.status, 200);
    crm.delete(&crm.get("/d@x.com?idProperty=email").await.id()).await;
    assert!(
        crm.effects()[..4]
            .iter()
            .all(|effect| effect.kind == Kind::Seed && effect.request.is_none())
    );
    let dump = control(&crm, Method::GET, "contacts", None).await;
    assert_eq!(lines(&dump).len(), 4);
    let other = Caller::plain().await;
    let url = format!("{}/_sandbox/contacts", other.running.base_url());
    assert_eq!(
        other.send(other.http.post(&url).body(dump.text.clone())).await.status,
        200
    );
    let strip = |text: &str| text.replace("CRM_UI", "").replace("INTEGRATION", "");
    assert_eq!(
        strip(&control(&other, Method::GET, "contacts", None).await.text),
        strip(&dump.text)
    );
    assert_eq!(other.get("/a2@x.com?idProperty=email").await.status, 200);
}

#[tokio::test]
async fn a_seed_with_a_taken_address_or_an_unknown_property_is_refused() {
    let crm = Caller::plain().await;
    for bad in [
        json!([{"email": "a@x.com"}, {"email": "A@x.com"}]),
        json!([{"nonsense": "1"}]),
        json!({"email": 1}),
    ] {
        let before = crm.running.sandbox().contacts().len();
        let refused = control(&crm, Method::POST, "contacts", Some(&bad)).await;
        if bad.is_array() {
            assert_eq!(refused.status, 400, "{bad}");
        }
        assert!(crm.running.sandbox().contacts().len() <= before + 1);
    }
    assert_eq!(crm.running.sandbox().index_faults(), Vec::<String>::new());
}

#[tokio::test]
async fn what_a_person_does_is_marked_as_such() {
    let crm = Caller::plain().await;
    let ids = crm.seed(vec![
        json!({"email": "a@x.com"}),
        json!({"email": "b@x.com"}),
        json!({"email": "c@x.com"}),
    ]);
    let edit = json!({"id": ids[0], "properties": {"city": "Rome"}});
    assert_eq!(
        control(&crm, Method::POST, "human-edit", Some(&edit)).await.body["properties"]["city"],
        "Rome"
    );
    let merge = json!({"primaryObjectId": ids[0], "objectIdToMerge": ids[1]});
    assert_eq!(
        control(&crm, Method::POST, "human-merge", Some(&merge)).await.status,
        200
    );
    control(&crm, Method::POST, "human-archive", Some(&json!({"id": ids[2]}))).await;
    let done: Vec<_> = crm
        .effects()
        .into_iter()
        .skip(3)
        .map(|one| (one.kind, one.what))
        .collect();
    assert_eq!(
        done,
        [Kind::Update, Kind::Merge, Kind::Archive].map(|what| (Kind::Human, Some(what)))
    );
    assert_eq!(
        control(
            &crm,
            Method::POST,
            "human-edit",
            Some(&json!({"id": "1", "properties": {}}))
        )
        .await
        .status,
        400
    );
}

#[tokio::test]
async fn control_routes_count_against_no_limit_and_stand_in_no_journal() {
    let crm = Caller::new(Options {
        limits: Some(Limits {
            general: 1,
            ..Limits::PROFESSIONAL
        }),
        ..Options::default()
    })
    .await;
    for _ in 0..5 {
        assert_eq!(control(&crm, Method::GET, "counts", None).await.status, 200);
    }
    assert_eq!(crm.get("").await.status, 200);
    assert_eq!(crm.requests().len(), 1);
    let counts = control(&crm, Method::GET, "counts", None).await.body;
    assert_eq!(
        (&counts["requests"]["list"]["200"], &counts["most_in_10s"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_reset_makes_all_as_at_the_start() {
    let rule = gatekeeper::sandbox::Rule {
        status: Some(500),
        nth: Some(1),
        ..Default::default()
    };
    let crm = Caller::new(Options {
        faults: vec![rule],
        ..Options::default()
    })
    .await;
    assert_eq!(crm.get("").await.status, 500);
    crm.create(json!({"email": "a@x.com"})).await;
    assert_eq!(control(&crm, Method::POST, "reset", None).await.status, 204);
    assert!(crm.running.sandbox().contacts().is_empty() && crm.running.sandbox().journal_after(0).is_empty());
    assert_eq!(
        crm.get("").await.status,
        500,
        "the rules of the start are in force again"
    );
    assert_eq!(crm.get("").await.status, 200);
}

#[tokio::test]
async fn a_bounded_journal_keeps_sums_alone() {
    for (mode, effects) in [(JournalMode::Counts, 1), (JournalMode::Off, 0)] {
        let crm = Caller::new(Options {
            journal: mode,
            ..Options::default()
        })
        .await;
        crm.create(json!({"email": "a@x.com"})).await;
        assert!(crm.running.sandbox().journal_after(0).is_empty());
        assert_eq!(crm.counts().effects.get(&Kind::Create).copied().unwrap_or(0), effects);
    }
}

#[tokio::test]
async fn the_journal_file_has_the_same_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let crm = Caller::new(Options {
        journal_file: Some(path.clone()),
        ..Options::default()
    })
    .await;
    crm.create(json!({"email": "a@x.com"})).await;
    crm.get("").await;
    let mut kept = crm.running.sandbox().journal_after(0);
    crm.running.stop().await.unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let mut written: Vec<Entry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let place = |entry: &Entry| match entry {
        Entry::Request(request) => request.seq,
        Entry::Effect(effect) => effect.seq,
    };
    written.sort_by_key(place);
    kept.sort_by_key(place);
    assert_eq!(written, kept);
}
