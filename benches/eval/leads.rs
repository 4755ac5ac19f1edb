//! Labelled leads at the gate: the real push loop decides them in the order of their arrival, against a mirror of labelled
//! contacts. Each write that it intends is settled as applied before the next leads come; nothing goes over HTTP.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatekeeper::config::{Config, SecretRef};
use gatekeeper::daemon::connect_crm;
use gatekeeper::domain::ReplicaId;
use gatekeeper::pull::{Pull, PullSettings};
use gatekeeper::push::sender::{Sender, SenderSettings};
use gatekeeper::push::{Push, PushSettings};
use gatekeeper::sandbox::{Options, start};
use gatekeeper::store::Store;
use gatekeeper::store::duplicates::count_in_time;
use gatekeeper::store::replica::{ReplicaIdentity, start_replica};
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::ground::Ground;
use crate::labelled::{noted, read, rows_of, write_mirror};

/// Corruptions that are told.
const MOST: usize = 16;

/// Leads that come at once.
const WAVE: usize = 250;

/// A lead, as `../shared/data/README.md` describes it.
#[derive(Debug, Deserialize)]
struct LabelledLead {
    lead_id: String,
    first_name: String,
    last_name: String,
    company: String,
    email: String,
    phone: String,
    mobile: String,
    title: String,
    street: String,
    city: String,
    state: String,
    postal_code: String,
    country: String,
    /// Equal for one person. No matcher sees it.
    entity_id: String,
    /// The contacts that it is, apart by semicolons; empty for a new person.
    truth_contact_ids: String,
    /// An earlier lead of the same new person.
    truth_first_lead_id: String,
    /// What was done to it.
    note: String,
}

/// What became of a lead.
struct Said {
    /// Why a person is asked.
    review: Option<String>,
    /// The contact of the file that it was attached to.
    contact: Option<String>,
    /// The person of the earlier lead to whose contact it was attached.
    earlier: Option<String>,
    /// Contacts, or people of earlier leads, among whom a person is to choose.
    choice: BTreeSet<String>,
}

/// Decides all leads, and tells what came of it.
pub(crate) async fn judge(ground: &Ground, contacts: &Path, leads: &Path) -> Outcome<Vec<String>> {
    let contacts = read(contacts)?;
    let leads: Vec<LabelledLead> = rows_of(leads)?;
    let admin = ground.connect("postgres").await?;
    admin.batch_execute("create database gate").await?;
    let crm = start(Options {
        limits: None,
        unique: vec!["gatekeeper_key".to_owned(), "ext_id".to_owned()],
        ..Options::default()
    })
    .await?;
    let token = ground.directory().join("token");
    std::fs::write(&token, Options::default().token)?;
    let mut config = Config::default();
    config.database.url = ground.url("gate");
    config.crm.base_url = crm.base_url();
    config.crm.token = SecretRef::new(format!("file:{}", token.display()));
    config.crm.external_id_property = "ext_id".to_owned();
    config.limits.general_calls = 0;
    config.limits.search_calls = 0;
    config.limits.daily_calls = 0;
    let store = Store::open(&config).await?;
    store.install().await?;
    let mut client = store.client().await?;
    client
        .batch_execute("insert into rules.source (source, rank) values ('eval', 10)")
        .await?;
    let replica = ReplicaId::new();
    let me = ReplicaIdentity {
        replica_id: replica,
        host_id: "eval".to_owned(),
        process_id: 1,
        process_started: String::new(),
    };
    start_replica(&client, &me, Duration::from_secs(3_600), &[]).await?;
    let stop = CancellationToken::new();
    let (line, rulebook) = connect_crm(&config, &store, replica, &stop).await?;
    let settings = PullSettings::new(&config.mirror, Duration::from_secs(60));
    Pull::new(store.clone(), Arc::clone(&line), rulebook.clone(), replica, settings)
        .full_load(|_| ())
        .await?;
    let normalizer = rulebook.rules().normalizer.clone();
    write_mirror(&client, &contacts, &normalizer).await?;
    count_in_time(&mut client).await?;
    client.batch_execute("vacuum analyze").await?;

    let (_sender, handle) = Sender::new(
        Arc::clone(&line),
        store.clone(),
        rulebook.clone(),
        SenderSettings {
            calls_in_flight: 1,
            linger: Duration::ZERO,
            queue_limit: usize::MAX,
            settle_seconds: 10,
            max_attempts: 8,
        },
        || false,
    );
    let settings = PushSettings {
        batch_leads: WAVE,
        suspect_claims: 1_000,
        max_claims: 1_000,
        max_mirror_age: Duration::from_secs(36_000),
        shadow: false,
    };
    let push = Push::new(store.clone(), line, rulebook, replica, settings, handle);
    let begun = Instant::now();
    for wave in leads.chunks(WAVE) {
        deliver(&client, wave).await?;
        loop {
            let report = push.pass().await?;
            if let Some(held) = report.held {
                return Err(format!("the gate holds: {held:?}").into());
            }
            let settled = settle(&client, normalizer.version()).await?;
            if report.claimed == 0 && settled == 0 {
                break;
            }
        }
    }
    let took = begun.elapsed();
    let said = outcomes(&client, &leads).await?;
    let figures = tell(&leads, &said, took);
    drop(client);
    store.close().await;
    Ok(figures)
}

async fn deliver(client: &tokio_postgres::Client, leads: &[LabelledLead]) -> Outcome<()> {
    let rows: Vec<_> = leads
        .iter()
        .map(|lead| {
            let given = |value: &str| (!value.is_empty()).then(|| value.to_owned());
            json!({
                "source": "eval", "source_key": lead.lead_id, "first_name": given(&lead.first_name),
                "last_name": given(&lead.last_name), "company": given(&lead.company), "email": given(&lead.email),
                "phone": given(&lead.phone), "mobile_phone": given(&lead.mobile), "job_title": given(&lead.title),
                "street": given(&lead.street), "city": given(&lead.city), "state": given(&lead.state),
                "postal_code": given(&lead.postal_code), "country": given(&lead.country),
            })
        })
        .collect();
    let columns =
        "source, source_key, first_name, last_name, company, email, phone, mobile_phone, job_title, street, city,
         state, postal_code, country";
    let sql = format!(
        "insert into staging.lead ({columns})
         select {columns} from jsonb_populate_recordset(null::staging.lead, $1::text::jsonb)"
    );
    client
        .execute(&sql, &[&serde_json::Value::from(rows).to_string()])
        .await?;
    Ok(())
}

/// All open writes as applied; how many.
async fn settle(client: &tokio_postgres::Client, normalizer: &str) -> Outcome<i64> {
    let sql = "with open as (
           select jsonb_agg(jsonb_build_object('intent_id', intent_id, 'epoch', epoch, 'outcome', 'applied', 'crm_id',
             coalesce(crm_id, 'made-' || contact_id))) as rows, count(*) as writes
           from gate.intent
           where state = 'open'
         )
         select writes, case when writes > 0 then gate.settle(rows, null, 10, 8, $1) end
         from open";
    Ok(client.query_one(sql, &[&normalizer]).await?.get(0))
}

async fn outcomes(client: &tokio_postgres::Client, leads: &[LabelledLead]) -> Outcome<HashMap<String, Said>> {
    let person_of: HashMap<&str, &str> = leads
        .iter()
        .map(|lead| (lead.lead_id.as_str(), lead.entity_id.as_str()))
        .collect();
    // Who made a contact: the first lead that was decided so.
    let made = "select contact.crm_id, lead.source_key
         from audit.entry
         join staging.lead using (lead_id)
         join crm.contact using (contact_id)
         where entry.action = 'create'
         order by entry.decision_id desc";
    let maker: HashMap<String, String> = client
        .query(made, &[])
        .await?
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let last = "select distinct on (lead.lead_id) lead.source_key, entry.action, contact.crm_id, entry.reason,
           coalesce((
             select array_agg(coalesce(candidate.crm_id, ''))
             from gate.review
             cross join lateral jsonb_array_elements(review.candidates) as found
             join crm.contact as candidate on candidate.contact_id = (found ->> 'contact_id')::bigint
             where review.lead_id = lead.lead_id
           ), '{}')
         from staging.lead
         join audit.entry using (lead_id)
         left join crm.contact using (contact_id)
         order by lead.lead_id, entry.decision_id desc";
    let mut said = HashMap::new();
    for row in client.query(last, &[]).await? {
        let (lead, action, crm_id): (String, String, Option<String>) = (row.get(0), row.get(1), row.get(2));
        let reason: Option<String> = row.get(3);
        let candidates: Vec<String> = row.get(4);
        // A contact that an earlier lead made is that lead's person.
        let person = |crm_id: &String| {
            maker
                .get(crm_id)
                .map(|maker| format!("person {}", person_of[maker.as_str()]))
        };
        let attached = crm_id.filter(|crm_id| action != "review" && maker.get(crm_id) != Some(&lead));
        said.insert(
            lead,
            Said {
                review: (action == "review").then(|| reason.unwrap_or_default()),
                earlier: attached.as_ref().and_then(person),
                contact: attached.filter(|crm_id| !maker.contains_key(crm_id)),
                choice: candidates
                    .iter()
                    .map(|id| person(id).unwrap_or_else(|| id.clone()))
                    .collect(),
            },
        );
    }
    Ok(said)
}

/// Prints what came of the leads; the same as a table.
fn tell(leads: &[LabelledLead], said: &HashMap<String, Said>, took: Duration) -> Vec<String> {
    let (mut known, mut fresh, mut attached, mut right, mut shown, mut in_review, mut wrong_fresh) =
        (0, 0, 0, 0, 0, 0, 0);
    let mut missed: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for lead in leads {
        let Some(said) = said.get(&lead.lead_id) else {
            continue;
        };
        let contacts: BTreeSet<&str> = lead.truth_contact_ids.split(';').filter(|id| !id.is_empty()).collect();
        let own = format!("person {}", lead.entity_id);
        let is_known = !contacts.is_empty() || !lead.truth_first_lead_id.is_empty();
        let is_right =
            said.contact.as_deref().is_some_and(|id| contacts.contains(id)) || said.earlier.as_ref() == Some(&own);
        let is_attached = said.contact.is_some() || said.earlier.is_some();
        known += u32::from(is_known);
        fresh += u32::from(!is_known);
        attached += u32::from(is_attached);
        right += u32::from(is_right);
        in_review += u32::from(said.review.is_some());
        wrong_fresh += u32::from(!is_known && is_attached && !is_right);
        let chosen = said.choice.contains(&own) || contacts.iter().any(|id| said.choice.contains(*id));
        let is_shown = is_right || said.review.is_some() && chosen;
        shown += u32::from(is_known && is_shown);
        for corruption in noted(&lead.note, "ops=").into_iter().filter(|_| is_known) {
            let (lost, all) = missed.entry(corruption).or_default();
            *lost += u32::from(!is_shown);
            *all += 1;
        }
    }
    let mut reasons: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for lead in leads {
        if let Some(reason) = said.get(&lead.lead_id).and_then(|said| said.review.as_deref()) {
            let fresh = lead.truth_contact_ids.is_empty() && lead.truth_first_lead_id.is_empty();
            *reasons
                .entry((reason, if fresh { "new" } else { "known" }))
                .or_default() += 1;
        }
    }
    let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
    let figures = [
        (
            "attached to the right person, of all attached",
            share(right, attached),
            "≥ 0.995",
        ),
        ("attached rightly, of known people", share(right, known), "≥ 0.93"),
        (
            "the same, or in review with the right one to choose",
            share(shown, known),
            "≥ 0.98",
        ),
        (
            "in review, of all leads",
            share(in_review, leads.len() as u32),
            "≤ 0.03",
        ),
        ("wrongly attached, of new people", share(wrong_fresh, fresh), "≤ 0.003"),
    ];
    let mut table = vec!["| leads at the gate | goal | measured |\n|---|---|---|".to_owned()];
    table.extend(figures.map(|(what, measured, goal)| format!("| {what} | {goal} | {measured:.4} |")));
    println!("{}\n  {} leads in {took:?}", table.join("\n"), leads.len());
    let reasons = reasons
        .iter()
        .map(|((reason, who), leads)| format!("{reason} {leads} {who}"));
    println!("  reviews: {}", reasons.collect::<Vec<_>>().join(", "));
    let mut missed: Vec<_> = missed.into_iter().filter(|(_, (lost, _))| *lost > 0).collect();
    missed.sort_by_key(|(_, (lost, _))| std::cmp::Reverse(*lost));
    let missed = missed
        .iter()
        .take(MOST)
        .map(|(corruption, (lost, all))| format!("{corruption} {lost} of {all}"));
    println!(
        "  known people neither found nor shown, by corruption: {}",
        missed.collect::<Vec<_>>().join(", ")
    );
    table
}
