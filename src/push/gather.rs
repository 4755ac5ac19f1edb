//! One transaction of the push loop: confirm the claims, match, gather what is known, decide, intend.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::time::Instant;

use chrono::Utc;
use deadpool_postgres::GenericClient;

use super::ahead::Ahead;
use super::prepare::Prepared;
use super::{PushError, PushSettings};
use crate::decide::{BatchInput, Founding, LeadInput, PersonKeys, Verdict, decide_batch};
use crate::domain::{Batch, ContactId, IntentId, LeadId, MatchKeys, Normalized, Record, ReplicaId, Target, Tier};
use crate::normalize::Normalizer;
use crate::rulebook::Rules;
use crate::store::claim::Claimed;
use crate::store::intend::{OpenLead, intend, note_decisions, open_batch, reserve_ids};
use crate::store::matching::{erased_keys, holders_of_emails, holders_of_keys, known_contacts, match_leads};

/// What a batch is decided by.
#[derive(Clone, Copy)]
pub(super) struct DecidedBy<'a> {
    pub(super) rules: &'a Rules,
    pub(super) person_keys: &'a PersonKeys,
    pub(super) settings: &'a PushSettings,
}

/// Decides a batch of claimed leads and stores what was decided. The caller commits. `other` is a second connection, taken
/// before the transaction began: nobody waits for a connection while all wait for the people's lock.
pub(super) async fn decide_and_intend(
    transaction: &impl GenericClient,
    other: &impl GenericClient,
    replica: ReplicaId,
    prepared: Prepared,
    by: DecidedBy<'_>,
) -> Result<Batch, PushError> {
    let DecidedBy { rules, settings, .. } = by;
    let mut laps = Laps::start();
    let claims: Vec<(LeadId, i64)> = prepared
        .leads
        .iter()
        .map(|(claimed, _)| (claimed.lead.lead_id, claimed.lead.epoch))
        .collect();
    let open: HashMap<LeadId, OpenLead> = open_batch(transaction, replica, &claims)
        .await?
        .into_iter()
        .map(|lead| (lead.lead_id, lead))
        .collect();
    let leads: Vec<LeadInput> = prepared
        .leads
        .into_iter()
        .filter_map(|(claimed, normalized)| {
            let lead = open.get(&claimed.lead.lead_id)?;
            let source = claimed.lead.source.as_deref();
            let shadow = settings.shadow
                || claimed.rehearse
                || source.is_some_and(|source| rules.policy.shadow.contains(source));
            Some(LeadInput {
                shadow,
                ..input(claimed, normalized, lead, first_delivery(lead, &open))
            })
        })
        .collect();
    laps.lap("open");
    let batch = decide_timed(transaction, other, leads, prepared.ahead, by, &mut laps).await?;
    laps.lap("decide");
    let normalizer = &rules.normalizer;
    let noted = note_decisions(transaction, replica, &batch, rules.policy.version, normalizer.version());
    // Made while the database is busy with the decisions.
    let intended = async {
        let keys_of = keys(&batch, normalizer);
        intend(transaction, replica, &batch, &keys_of, normalizer.version()).await
    };
    tokio::try_join!(noted, intended)?;
    laps.lap("intend");
    laps.tell(batch.decisions.len());
    Ok(batch)
}

/// Where the time of a batch went, in milliseconds; for the log.
struct Laps {
    since: Instant,
    told: String,
}

impl Laps {
    fn start() -> Self {
        Self {
            since: Instant::now(),
            told: String::new(),
        }
    }

    fn lap(&mut self, step: &str) {
        let now = Instant::now();
        let _ = write!(self.told, "{step} {} ", now.duration_since(self.since).as_millis());
        self.since = now;
    }

    fn tell(&self, decided: usize) {
        tracing::debug!(
            decided,
            milliseconds = self.told.trim_end(),
            "where the time of a batch went"
        );
    }
}

/// Matches and decides, without storing anything. Called by [`super::predict()`] too, outside of any lock.
pub(super) async fn decide(
    client: &impl GenericClient,
    other: &impl GenericClient,
    leads: Vec<LeadInput>,
    by: DecidedBy<'_>,
) -> Result<Batch, PushError> {
    decide_timed(client, other, leads, None, by, &mut Laps::start()).await
}

/// The same, telling how long each step took.
async fn decide_timed(
    client: &impl GenericClient,
    other: &impl GenericClient,
    mut leads: Vec<LeadInput>,
    ahead: Option<Ahead>,
    by: DecidedBy<'_>,
    laps: &mut Laps,
) -> Result<Batch, PushError> {
    let DecidedBy {
        rules,
        person_keys,
        settings,
    } = by;
    let normalized: Vec<&Normalized> = leads.iter().map(|lead| &lead.normalized).collect();
    let found = match ahead {
        Some(ahead) => ahead.now(client, other, &normalized, rules.policy.version).await?,
        None => match_leads(client, other, &normalized).await?,
    };
    laps.lap("match");
    for (lead, found) in leads.iter_mut().zip(found) {
        lead.candidates = found.candidates;
    }
    let mut contacts: BTreeSet<ContactId> = BTreeSet::new();
    for lead in &leads {
        // A candidate of the fuzzy tier that is not even worth a question is nobody to whom anything is written.
        let likely = lead
            .candidates
            .iter()
            .filter(|candidate| candidate.tier != Tier::Fuzzy || candidate.score >= rules.policy.thresholds.review);
        contacts.extend(likely.filter_map(|candidate| match candidate.target {
            Target::Contact(contact_id) => Some(contact_id),
            Target::Peer(_) => None,
        }));
        if let Some(Verdict::Accepted(contact_id)) = lead.verdict {
            contacts.insert(contact_id);
        }
    }
    let contacts: Vec<ContactId> = contacts.into_iter().collect();
    let emails: BTreeSet<&str> = leads
        .iter()
        .flat_map(|lead| lead.normalized.keys.emails.iter().map(String::as_str))
        .collect();
    let emails: Vec<&str> = emails.into_iter().collect();
    let founding = leads.iter().filter(|lead| lead.repeat_of.is_none()).flat_map(|lead| {
        let email = lead.normalized.keys.emails.first().map(String::as_str);
        Founding::all(&lead.normalized, email)
    });
    let keys: BTreeSet<String> = founding.map(|founding| person_keys.key(&founding)).collect();
    let known_again = leads.iter().flat_map(|lead| Founding::each(&lead.normalized.keys));
    let known_again: BTreeSet<String> = known_again.map(|founding| person_keys.key(&founding)).collect();
    // The other connection answers one after the other, but nobody waits in between.
    let (known, held, key_holders, erased_keys, (contact_ids, decision_ids)) = tokio::try_join!(
        known_contacts(client, &contacts),
        holders_of_emails(other, &emails),
        holders_of_keys(other, &keys),
        erased_keys(other, &known_again),
        reserve_ids(other, leads.len()),
    )?;
    laps.lap("known");
    let intent_ids = leads.iter().map(|_| IntentId::new()).collect();
    let input = BatchInput {
        leads,
        known,
        holders: held.holders,
        shared_emails: held.shared,
        key_holders,
        erased_keys,
        policy: &rules.policy,
        person_keys,
        contact_ids,
        decision_ids,
        intent_ids,
        max_claims: settings.max_claims,
        refuse: &|field, value| rules.schema.check(field, value).err().map(|fault| fault.code()),
        mirrored: &|field| rules.mirrored.contains(field),
        same: &|field, left, right| rules.same(field, left, right),
        multiple: &|field| rules.is_multiple(field),
        now: Utc::now(),
    };
    Ok(decide_batch(input))
}

/// Which lead a repeat repeats: the first of those with the same content, some of which may stand in the same batch.
fn first_delivery(lead: &OpenLead, open: &HashMap<LeadId, OpenLead>) -> Option<LeadId> {
    let mut first = lead.repeat_of?;
    while let Some(before) = open.get(&first).and_then(|lead| lead.repeat_of) {
        first = before;
    }
    Some(first)
}

fn input(claimed: Claimed, normalized: Normalized, open: &OpenLead, repeat_of: Option<LeadId>) -> LeadInput {
    let verdict = match (open.verdict.as_deref(), open.verdict_contact_id) {
        (Some("accepted"), Some(contact_id)) => Some(Verdict::Accepted(contact_id)),
        (Some("created"), _) => Some(Verdict::Created),
        _ => None,
    };
    LeadInput {
        lead: claimed.lead,
        is_there: claimed.is_there,
        normalized,
        candidates: Vec::new(),
        repeat_of,
        verdict,
        shadow: false,
    }
}

/// The keys that each contact of the batch will be found by.
fn keys(batch: &Batch, normalizer: &Normalizer) -> BTreeMap<ContactId, MatchKeys> {
    batch
        .intents
        .iter()
        .map(|intent| {
            let record = Record {
                values: intent.desired.clone(),
                additional_emails: intent.additional_emails.clone(),
                ..Record::default()
            };
            (intent.contact_id, normalizer.record(&record).keys)
        })
        .collect()
}
