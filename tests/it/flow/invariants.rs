//! What must hold after every run, whatever happened in it: asked from the database and from the CRM's own journal.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use gatekeeper::sandbox::{Effect, Entry, Kind, Received};

use super::world::World;

/// Looks at everything. Call it when nothing waits any more.
pub(crate) async fn check(world: &World) {
    check_after_loss(world, DateTime::<Utc>::MIN_UTC).await;
}

/// The same for a database that lost what it had committed last before this time.
pub(crate) async fn check_after_loss(world: &World, lost_until: DateTime<Utc>) {
    let mut complaints = Vec::new();
    for (what, sql) in RULES {
        for row in world.db.client().await.query(sql, &[]).await.unwrap() {
            complaints.push(format!("{what}: {}", row.get::<_, String>(0)));
        }
    }
    complaints.extend(every_effect_was_intended(world, lost_until).await);
    complaints.extend(nobody_stands_twice(world).await);
    complaints.extend(limits_held(world));
    complaints.extend(world.crm.sandbox().index_faults());
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Each query returns what breaks the rule.
const RULES: [(&str, &str); 8] = [
    (
        "every lead ends in exactly one terminal state",
        "select format('lead %s is %s', lead_id, coalesce(work.state, 'unknown'))
         from staging.lead left join gate.work using (lead_id)
         where work.state is null or work.state not in ('done', 'dead', 'review')",
    ),
    (
        "a dead lead has a dead letter that waits, and no other lead has one",
        "select format('lead %s is %s, its dead letter %s', lead_id, work.state, dead_letter.state)
         from gate.work full join gate.dead_letter using (lead_id)
         where (coalesce(work.state, '') = 'dead') <> (coalesce(dead_letter.state, '') in ('waiting', 'discarded'))",
    ),
    (
        "a lead in review has an open review, and no other lead has one",
        "select format('lead %s is %s, its review %s', lead_id, work.state, review.state)
         from gate.work full join gate.review using (lead_id)
         where (coalesce(work.state, '') = 'review') <> (coalesce(review.state, '') = 'open')",
    ),
    (
        "no write is left open",
        "select format('intent %s is %s', intent_id, state) from gate.intent where state in ('open', 'unknown')",
    ),
    (
        "each decision that led to a write has an end",
        "select format('decision %s of lead %s', decision_id, lead_id)
         from gate.intent_lead left join audit.settlement using (decision_id)
         where settlement.decision_id is null",
    ),
    (
        "a lead that is done was decided, and its last decision was applied or needed no write",
        "select format('lead %s: %s %s', work.lead_id, decision.action, decision.outcome)
         from gate.work
         left join lateral (
           select * from audit.decision where decision.lead_id = work.lead_id order by decision_id desc limit 1
         ) as decision on true
         where work.state = 'done'
           and (
             decision.action is null
             or (decision.intent_id is not null and coalesce(decision.outcome, '') not in ('applied', 'shadow'))
             or (decision.intent_id is null and decision.action not in ('unchanged', 'coalesced', 'review'))
           )",
    ),
    (
        "no provisional contact is left",
        "select format('contact %s', contact_id) from crm.contact where crm_id is null",
    ),
    (
        "every value that was written is in the provenance",
        "select format('%s of contact %s', change.field, entry.contact_id)
         from audit.change
         join audit.entry using (decision_id)
         join audit.settlement using (decision_id)
         join crm.contact using (contact_id)
         left join crm.contact_field using (contact_id, field)
         where change.verdict = 'written' and settlement.outcome = 'applied' and contact_field.field is null
           and contact.gone_reason is distinct from 'erased'",
    ),
];

/// Each effect of ours has an intent, by its trace id, that was committed before the request arrived; or it belongs to a plan of a
/// merge that was begun before.
async fn every_effect_was_intended(world: &World, lost_until: DateTime<Utc>) -> Vec<String> {
    let since = async |sql: &str| -> HashMap<String, DateTime<Utc>> {
        let rows = world.db.client().await.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let intended = since("select intent_id::text, created_at from gate.intent").await;
    let survivors = since(
        "select result_crm_id, min(begun_at) from merge.step join merge.plan using (plan_id) where result_crm_id is not null group by 1
         union all
         select recreated_crm_id, begun_at from merge.member join merge.plan using (plan_id) where recreated_crm_id is not null",
    )
    .await;
    let mut requests: HashMap<u64, Received> = HashMap::new();
    let mut complaints = Vec::new();
    for entry in world.crm.sandbox().journal_after(0) {
        match entry {
            Entry::Request(request) => _ = requests.insert(request.seq, request),
            Entry::Effect(effect) if matches!(effect.kind, Kind::Create | Kind::Update) => {
                let Some(request) = effect.request.and_then(|seq| requests.get(&seq)) else {
                    continue;
                };
                let intended_at = effect.trace_id.as_ref().and_then(|trace_id| intended.get(trace_id));
                let intended_at = intended_at.or_else(|| survivors.get(&effect.id));
                match intended_at {
                    Some(at) if *at <= request.at => {}
                    None if request.at <= lost_until => {}
                    at => complaints.push(format!(
                        "an effect without an earlier intent: {:?} of {} at {}, intended at {at:?}",
                        effect.kind, effect.id, request.at
                    )),
                }
            }
            Entry::Effect(effect) if effect.kind == Kind::Merge => {
                let Some(request) = effect.request.and_then(|seq| requests.get(&seq)) else {
                    continue;
                };
                let begun_at = survivors.get(&effect.id);
                if begun_at.is_none_or(|at| *at > request.at) {
                    complaints.push(format!("a merge into {} that was not begun before", effect.id));
                }
            }
            Entry::Effect(_) => {}
        }
    }
    complaints
}

/// No two contacts that we made hold the same address, the same number with the same name, or the same name at one company. A
/// number that a steward has listed as shared names nobody.
async fn nobody_stands_twice(world: &World) -> Vec<String> {
    let made: BTreeSet<String> = world
        .effects(Kind::Create)
        .into_iter()
        .map(|effect: Effect| effect.id)
        .collect();
    let listed = "select phone from rules.shared_phone";
    let listed = world.db.client().await.query(listed, &[]).await.unwrap();
    let shared_phones: BTreeSet<String> = listed.iter().map(|row| row.get(0)).collect();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut complaints = Vec::new();
    for contact in world.contacts() {
        let text = |name: &str| contact[name].as_str().unwrap_or_default().to_lowercase();
        let id = text("hs_object_id");
        if !made.contains(&id) {
            continue;
        }
        let name = format!("{} {}", text("firstname"), text("lastname"));
        let keys = [
            ("email", String::new()),
            ("phone", name.clone()),
            ("company", name.clone()),
        ];
        for (property, name) in keys {
            let value = text(property);
            let names_nobody = property != "email" && name.trim().is_empty() || shared_phones.contains(&value);
            if value.is_empty() || names_nobody {
                continue;
            }
            if let Some(other) = seen.insert(format!("{property} {value} {name}"), id.clone()) {
                complaints.push(format!("contacts {other} and {id} are one person by {property}"));
            }
        }
    }
    complaints
}

/// The CRM never had to say 429, unless it was told to.
fn limits_held(world: &World) -> Vec<String> {
    let injected: BTreeSet<u64> = world
        .crm
        .sandbox()
        .faults()
        .iter()
        .filter(|active| active.rule.status == Some(429))
        .map(|active| active.number)
        .collect();
    let journal = world.crm.sandbox().journal_after(0);
    journal
        .into_iter()
        .filter_map(|entry| match entry {
            Entry::Request(request) if request.status == Some(429) => Some(request),
            _ => None,
        })
        .filter(|request| request.fault.is_none_or(|fault| !injected.contains(&fault)))
        .map(|request| format!("429 for a {}", request.operation))
        .collect()
}
