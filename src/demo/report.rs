//! The report: what was decided, what it cost, what waits for a person, and three stories.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::DemoError;
use super::print::{Cell, heading, line, number, table};
use super::process::Gatekeeper;
use crate::sandbox::{Limits, Running};
use crate::store::ask::Pick;
use crate::store::{Client, Store, StoreError, ask};

/// Columns of the first table, by the names of `audit.decision.tier`.
const TIERS: [(&str, &str); 4] = [
    ("external_id", "external id"),
    ("email", "e-mail"),
    ("phone", "phone"),
    ("fuzzy", "fuzzy"),
];

/// Its rows, by the names of `audit.decision.action`.
const ACTIONS: [(&str, &str); 6] = [
    ("create", "a new contact"),
    ("update", "a known contact, changed"),
    ("unchanged", "a known contact; nothing to write"),
    ("coalesced", "went into another lead's write"),
    ("review", "a person decides"),
    ("dead", "cannot be processed"),
];

/// Calls by the names of `audit.crm_call.operation`, in the order in which they are needed.
const OPERATIONS: [(&str, &str); 9] = [
    ("account", "who are we?"),
    ("schema", "which properties are there?"),
    ("create_property", "the unique property, once"),
    ("list", "the mirror: all contacts, 100 a call"),
    ("list_archived", "the mirror: the recycle bin"),
    ("search", "the mirror: what changed since"),
    ("batch_read", "search before create, 100 leads a call"),
    ("batch_create", "100 new contacts a call"),
    ("batch_update", "100 changed contacts a call"),
];

/// Those that the leads cause. The others are needed once, or by the clock.
const OF_LEADS: [&str; 3] = ["batch_read", "batch_create", "batch_update"];

/// The stories, as `demo/README.md` tells them.
const STORIES: [(&str, &str); 3] = [
    (
        "A nickname, a typo and a new address: who is Bob Fairwether?",
        "sales:00Q9001",
    ),
    (
        "Two sources disagree about a company: the better one wins",
        "webinar:W9002",
    ),
    (
        "The e-mail is Oskar's, the phone is Paula's: nobody guesses",
        "sales:00Q9003",
    ),
];

/// More than anybody will have: all of them.
const ALL: i64 = 1_000_000;

/// Contacts that the CRM has.
pub(super) fn contacts(crm: &Running) -> u64 {
    let contacts = crm.sandbox().contacts();
    contacts.iter().filter(|contact| contact["archived"] != true).count() as u64
}

/// Prints the tables.
pub(super) async fn show(store: &Store, crm: &Running, before: u64) -> Result<(), DemoError> {
    let client = store.client().await?;
    decided(&client).await?;
    let alone = OneByOne::read(&client).await?;
    calls(&client, crm, &alone).await?;
    let all = Pick {
        limit: ALL,
        ..Pick::default()
    };
    let review = ask::list_review(&client, &all).await?;
    made(before, contacts(crm), review.len(), &alone)?;
    let dead = ask::list_dead(&client, &all).await?;
    waiting("Dead letters: kept, with the reason, to be mended and replayed", &dead)?;
    waiting("Reviews: a person decides, nobody guesses", &review)
}

/// Prints the stories, each by the command that a user would give.
pub(super) async fn stories(gatekeeper: &Gatekeeper, stop: &CancellationToken) -> Result<(), DemoError> {
    for (title, lead) in STORIES {
        heading(title)?;
        line(&format!("$ gatekeeper explain {lead}"))?;
        line("")?;
        gatekeeper.show(&["explain", lead], stop).await?;
    }
    Ok(())
}

async fn decided(client: &Client) -> Result<(), DemoError> {
    let rows = client
        .query("select action, tier, leads from report.decision_count", &[])
        .await
        .map_err(StoreError::from)?;
    let mut counts: BTreeMap<(String, Option<String>), u64> = BTreeMap::new();
    for row in rows {
        let get = || Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get(1)?, row.try_get::<_, i64>(2)?));
        let (action, tier, leads) = get().map_err(StoreError::from)?;
        *counts.entry((action, tier)).or_default() += leads.unsigned_abs();
    }
    let count = |action: &str, tier: Option<&str>| {
        let same =
            |key: &&(String, Option<String>)| key.0 == action && tier.is_none_or(|tier| key.1.as_deref() == Some(tier));
        counts.keys().filter(same).map(|key| counts[key]).sum::<u64>()
    };
    heading("What was decided")?;
    let mut rows = Vec::new();
    let mut sums = [0; TIERS.len()];
    for (action, meaning) in ACTIONS {
        let mut row = vec![Cell::text(action)];
        for (place, (tier, _)) in TIERS.iter().enumerate() {
            let leads = count(action, Some(tier));
            sums[place] += leads;
            row.push(Cell::count(leads));
        }
        row.extend([Cell::count(count(action, None)), Cell::text(meaning)]);
        rows.push(row);
    }
    let mut total = vec![Cell::text("together")];
    total.extend(sums.map(Cell::count));
    total.extend([
        Cell::count(counts.values().sum()),
        Cell::text("every lead exactly once"),
    ]);
    rows.push(total);
    let mut header = vec!["", "external id", "e-mail", "phone", "fuzzy", "leads", ""];
    debug_assert_eq!(header.len(), TIERS.len() + 3);
    for (place, (_, name)) in TIERS.iter().enumerate() {
        header[place + 1] = name;
    }
    table(&header, rows)?;
    line("\nThe columns say what identified the person. Leads without: nobody known, or nobody certain.")
}

/// `report.one_by_one`.
struct OneByOne {
    leads: u64,
    calls: u64,
    contacts: u64,
}

impl OneByOne {
    async fn read(client: &Client) -> Result<OneByOne, DemoError> {
        let row = client
            .query_one("select leads, calls, contacts_made from report.one_by_one", &[])
            .await
            .map_err(StoreError::from)?;
        let number = |place| Ok::<u64, StoreError>(row.try_get::<_, i64>(place)?.unsigned_abs());
        Ok(OneByOne {
            leads: number(0)?,
            calls: number(1)?,
            contacts: number(2)?,
        })
    }
}

async fn calls(client: &Client, crm: &Running, alone: &OneByOne) -> Result<(), DemoError> {
    let rows = client
        .query("select operation, calls, rows_sent from report.api_usage", &[])
        .await
        .map_err(StoreError::from)?;
    let mut used: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let get =
            || Ok::<_, tokio_postgres::Error>((row.try_get(0)?, row.try_get::<_, i64>(1)?, row.try_get::<_, i64>(2)?));
        let (operation, calls, sent): (String, _, _) = get().map_err(StoreError::from)?;
        let sum = used.entry(operation).or_default();
        *sum = (sum.0 + calls.unsigned_abs(), sum.1 + sent.unsigned_abs());
    }
    heading("Calls to the CRM")?;
    let place = |operation: &String| OPERATIONS.iter().position(|known| known.0 == operation);
    let mut operations: Vec<&String> = used.keys().collect();
    operations.sort_by_key(|operation| place(operation).unwrap_or(OPERATIONS.len()));
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for operation in operations {
        let (calls, sent) = used[operation];
        let meaning = place(operation).map_or("", |place| OPERATIONS[place].1);
        rows.push(vec![
            Cell::text(operation),
            Cell::count(calls),
            Cell::count(sent),
            Cell::text(meaning),
        ]);
    }
    let all: u64 = used.values().map(|used| used.0).sum();
    let of_leads: u64 = OF_LEADS
        .iter()
        .filter_map(|name| used.get(*name))
        .map(|used| used.0)
        .sum();
    rows.push(vec![
        Cell::text("together"),
        Cell::count(all),
        Cell::text(""),
        Cell::text(""),
    ]);
    table(&["", "calls", "rows sent", ""], rows)?;
    let counts = crm.sandbox().counts();
    let refused: u64 = counts
        .requests
        .values()
        .filter_map(|by_status| by_status.get("429"))
        .sum();
    line(&format!(
        "\n{} of them were caused by the leads. One by one it would have been {}: a search and then a write",
        number(of_leads),
        number(alone.calls)
    ))?;
    line(&format!(
        "for each of the {} leads that are not dead letters.",
        number(alone.leads)
    ))?;
    line(&format!(
        "The CRM allows {} calls in 10 s. It saw at most {} in any 10 s, and refused {refused} for going too fast.",
        Limits::PROFESSIONAL.general,
        counts.most_in_10s
    ))
}

fn made(before: u64, after: u64, reviews: usize, alone: &OneByOne) -> Result<(), DemoError> {
    heading("Contacts in the CRM")?;
    let row = |name: &str, made: u64, meaning: &str| {
        let cells = [
            Cell::text(name),
            Cell::count(made),
            Cell::count(before + made),
            Cell::text(meaning),
        ];
        cells.into()
    };
    let made = after.saturating_sub(before);
    let rows = vec![
        row("before", 0, ""),
        row(
            "now",
            made,
            &format!("and at most {reviews} more, when the reviews are decided"),
        ),
        row(
            "one by one",
            alone.contacts,
            "found by e-mail address alone, else created",
        ),
    ];
    table(&["", "made", "contacts", ""], rows)
}

/// Leads that wait for a person, by reason, each with one for an example.
fn waiting(title: &str, leads: &[Value]) -> Result<(), DemoError> {
    let mut by_reason: BTreeMap<&str, (u64, String)> = BTreeMap::new();
    for lead in leads {
        let text = |name: &str| lead[name].as_str().unwrap_or_default();
        let example = format!("{}:{}", text("source"), text("source_key"));
        let entry = by_reason.entry(text("reason")).or_insert((0, example));
        entry.0 += 1;
    }
    let mut by_reason: Vec<_> = by_reason.into_iter().collect();
    by_reason.sort_by_key(|(reason, (leads, _))| (std::cmp::Reverse(*leads), *reason));
    heading(title)?;
    let rows = by_reason
        .into_iter()
        .map(|(reason, (leads, example))| vec![Cell::text(reason), Cell::count(leads), Cell::text(&example)])
        .collect();
    table(&["reason", "leads", "for example"], rows)
}
