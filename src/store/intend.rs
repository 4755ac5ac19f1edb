//! Intend: opens a batch under the people's lock, and stores what was decided and what is to be written.

use std::collections::BTreeMap;

use deadpool_postgres::GenericClient;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use tokio_postgres::types::Json;

use super::{StoreError, call, matching};
use crate::domain::{
    Batch, CANONICAL, ChangeRow, ConfirmedRow, ContactId, CrmId, DecisionRow, Field, IntentId, LeadId, MatchKeys,
    Operation, Origin, ReplicaId,
};

/// A lead that is still ours, with what else is known about its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLead {
    /// The lead.
    pub lead_id: LeadId,
    /// The lead that delivered the same row with the same content before.
    pub repeat_of: Option<LeadId>,
    /// `accepted` or `created`, when a steward has spoken.
    pub verdict: Option<String>,
    /// The contact that the steward named.
    pub verdict_contact_id: Option<ContactId>,
}

/// Opens a batch: takes the people's lock and confirms the claims. Leads that are not returned are not ours any more.
///
/// # Errors
/// As every statement; a lock that is not free in time is transient.
pub async fn open_batch(
    client: &impl GenericClient,
    replica: ReplicaId,
    leads: &[(LeadId, i64)],
) -> Result<Vec<OpenLead>, StoreError> {
    let ids: Vec<i64> = leads.iter().map(|(lead_id, _)| lead_id.0).collect();
    let epochs: Vec<i64> = leads.iter().map(|(_, epoch)| *epoch).collect();
    let rows = call::rows(
        client,
        "select * from gate.open_batch($1, $2, $3)",
        &[&replica.0, &ids, &epochs],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(OpenLead {
                lead_id: LeadId(row.try_get("lead_id")?),
                repeat_of: row.try_get::<_, Option<i64>>("repeat_of")?.map(LeadId),
                verdict: row.try_get("verdict")?,
                verdict_contact_id: row.try_get::<_, Option<i64>>("verdict_contact_id")?.map(ContactId),
            })
        })
        .collect()
}

/// Numbers for new contacts and decisions.
///
/// # Errors
/// As every statement.
pub async fn reserve_ids(client: &impl GenericClient, count: usize) -> Result<(Vec<ContactId>, Vec<i64>), StoreError> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let row = call::row(client, "select * from gate.reserve_ids($1, $1)", &[&count]).await?;
    let contacts: Vec<i64> = row.try_get("contact_ids")?;
    Ok((
        contacts.into_iter().map(ContactId).collect(),
        row.try_get("decision_ids")?,
    ))
}

/// Stores what was decided about the leads of a batch. What is to be written, [`intend`] stores in the same transaction.
///
/// # Errors
/// As every statement.
pub async fn note_decisions(
    client: &impl GenericClient,
    replica: ReplicaId,
    batch: &Batch,
    policy_version: i64,
    normalizer: &str,
) -> Result<(), StoreError> {
    let document = Decided {
        normalizer,
        policy_version,
        decisions: &batch.decisions,
        changes: &batch.changes,
    };
    call::rows(
        client,
        "select gate.note_decisions($1, $2)",
        &[&replica.0, &Json(document)],
    )
    .await?;
    Ok(())
}

/// Stores what is to be written. `keys_of` gives the keys of each contact that is made or changed.
///
/// # Errors
/// As every statement. Nothing may be sent before the transaction is known to have committed.
pub async fn intend(
    client: &impl GenericClient,
    replica: ReplicaId,
    batch: &Batch,
    keys_of: &BTreeMap<ContactId, MatchKeys>,
    normalizer: &str,
) -> Result<(), StoreError> {
    let row_of = |contact_id: ContactId| {
        keys_of.get(&contact_id).map(|keys| KeysRow {
            contact_id,
            keys: matching::StoredKeys::of(keys),
        })
    };
    let contacts = batch.contacts.iter().map(|contact| ContactRow {
        contact_id: contact.contact_id,
        gatekeeper_key: &contact.gatekeeper_key,
        values: Columns(&contact.values),
    });
    let intents = batch.intents.iter().map(|intent| IntentDocument {
        intent_id: intent.intent_id,
        contact_id: intent.contact_id,
        operation: intent.operation,
        crm_id: intent.crm_id.as_ref(),
        gatekeeper_key: intent.gatekeeper_key.as_deref(),
        body: &intent.body,
        origin: &intent.origin,
        keys: row_of(intent.contact_id),
    });
    let carried = batch
        .decisions
        .iter()
        .filter(|decision| !decision.shadow)
        .filter_map(|decision| {
            Some(CarriedRow {
                intent_id: decision.intent_id?,
                lead_id: decision.lead_id,
                decision_id: decision.decision_id,
            })
        });
    let waiting = batch.waiting.iter().map(|waiting| WaitingDocument {
        lead_id: waiting.lead_id,
        contact_id: waiting.contact_id,
        keys: matching::StoredKeys::of(&waiting.keys),
    });
    let document = Intended {
        normalizer,
        contacts: contacts.collect(),
        intents: intents.collect(),
        carried: carried.collect(),
        confirmed: &batch.confirmed,
        waiting: waiting.collect(),
    };
    call::rows(client, "select gate.intend($1, $2)", &[&replica.0, &Json(document)]).await?;
    Ok(())
}

/// What `gate.note_decisions` reads. Written straight into the message: as a tree of values a batch would be many times as large.
#[derive(Debug, Serialize)]
struct Decided<'a> {
    normalizer: &'a str,
    policy_version: i64,
    decisions: &'a [DecisionRow],
    changes: &'a [ChangeRow],
}

/// What `gate.intend` reads, in the same way.
#[derive(Debug, Serialize)]
struct Intended<'a> {
    normalizer: &'a str,
    contacts: Vec<ContactRow<'a>>,
    intents: Vec<IntentDocument<'a>>,
    carried: Vec<CarriedRow>,
    confirmed: &'a [ConfirmedRow],
    waiting: Vec<WaitingDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct ContactRow<'a> {
    contact_id: ContactId,
    gatekeeper_key: &'a str,
    #[serde(flatten)]
    values: Columns<'a>,
}

#[derive(Debug, Serialize)]
struct IntentDocument<'a> {
    intent_id: IntentId,
    contact_id: ContactId,
    operation: Operation,
    crm_id: Option<&'a CrmId>,
    gatekeeper_key: Option<&'a str>,
    body: &'a BTreeMap<Field, String>,
    origin: &'a BTreeMap<Field, Origin>,
    keys: Option<KeysRow<'a>>,
}

/// A lead that a write carries.
#[derive(Debug, Serialize)]
struct CarriedRow {
    intent_id: IntentId,
    lead_id: LeadId,
    decision_id: i64,
}

#[derive(Debug, Serialize)]
struct WaitingDocument<'a> {
    lead_id: LeadId,
    contact_id: ContactId,
    keys: matching::StoredKeys<'a>,
}

#[derive(Debug, Serialize)]
struct KeysRow<'a> {
    contact_id: ContactId,
    #[serde(flatten)]
    keys: matching::StoredKeys<'a>,
}

/// Values as columns of `crm.contact`: the canonical ones by name, the others in `properties`.
#[derive(Debug)]
pub(super) struct Columns<'a>(pub(super) &'a BTreeMap<Field, String>);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(None)?;
        let mut properties = BTreeMap::new();
        for (field, value) in self.0 {
            if CANONICAL.contains(field) {
                row.serialize_entry(field.name(), value)?;
            } else {
                properties.insert(field.name(), value);
            }
        }
        row.serialize_entry("properties", &properties)?;
        row.end()
    }
}
