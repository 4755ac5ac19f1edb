//! The HubSpot connector over real HTTP.

mod account;
mod broken_answers;
mod connection;
mod merging;
mod mishaps;
mod naive_assumptions;
mod refusals;
mod script;

use std::collections::BTreeMap;
use std::time::Duration;

use gatekeeper::crm::hubspot::{HubSpot, Settings, Token};
use gatekeeper::crm::{CreateRow, FieldSet, RowOutcome, UpdateRow};
use gatekeeper::domain::{CANONICAL, CrmId, Field, IntentId};
use gatekeeper::governor::{Bucket, Permit, Priority, Unlimited};

/// Settings for a CRM on this machine, with a short deadline: what does not answer here never will.
fn settings(base_url: &str) -> Settings {
    Settings {
        base_url: base_url.to_owned(),
        request_deadline: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(2),
        external_id_property: Some("ext_id".to_owned()),
        ..Settings::new(Token::fixed("sandbox-token"))
    }
}

fn connect(base_url: &str) -> HubSpot {
    HubSpot::new(settings(base_url)).expect("the settings are good")
}

fn permit() -> Permit {
    Unlimited.permit(Bucket::General, Priority::Live)
}

fn search_permit() -> Permit {
    Unlimited.permit(Bucket::Search, Priority::Mirror)
}

fn canonical() -> FieldSet {
    CANONICAL.iter().cloned().collect()
}

fn values(pairs: &[(Field, &str)]) -> BTreeMap<Field, String> {
    pairs
        .iter()
        .map(|(field, value)| (field.clone(), (*value).to_owned()))
        .collect()
}

/// A new person with this key and these values.
fn person(key: &str, pairs: &[(Field, &str)]) -> CreateRow {
    CreateRow {
        intent_id: IntentId::new(),
        gatekeeper_key: key.to_owned(),
        values: values(pairs),
    }
}

fn change(crm_id: &str, pairs: &[(Field, &str)]) -> UpdateRow {
    UpdateRow {
        intent_id: IntentId::new(),
        crm_id: CrmId(crm_id.to_owned()),
        values: values(pairs),
    }
}

/// An outcome in a few words.
fn brief(outcome: &RowOutcome) -> String {
    match outcome {
        RowOutcome::Applied { .. } => "applied".to_owned(),
        RowOutcome::Rejected { code, .. } => format!("rejected {code}"),
        RowOutcome::Conflict { crm_id: Some(id), .. } => format!("conflict {id}"),
        RowOutcome::Conflict { crm_id: None, .. } => "conflict".to_owned(),
        RowOutcome::Missing { .. } => "missing".to_owned(),
        RowOutcome::Unknown { reason } => format!("unknown {reason}"),
        RowOutcome::NotSent => "not sent".to_owned(),
    }
}
