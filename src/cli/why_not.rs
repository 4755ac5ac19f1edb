//! `why-not`: what keeps a lead and a contact apart, down to "no blocking key in common".

use serde_json::{Value, json};

use super::{CliError, explain, output, tell};
use crate::config::Config;
use crate::domain::{CANONICAL, Field, MatchKeys, Record};
use crate::normalize::Normalizer;
use crate::rulebook::normalizer_of;
use crate::store::ask::{Compared, Meeting};
use crate::store::rules::{read_lists, read_policy};
use crate::store::{Client, Store, ask};

pub(super) async fn why_not(config: &Config, lead: String, contact: String, json: bool) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let lead_id = explain::find(&client, &lead).await?;
    let story = ask::story(&client, lead_id).await?;
    let contact = contact_of(&client, &contact).await?;
    let country = (!config.gate.default_country.is_empty()).then_some(config.gate.default_country.as_str());
    let lists = read_lists(&client).await?;
    let normalizer = normalizer_of(country, &lists).map_err(crate::rulebook::RulebookError::from)?;
    let (left, right) = (keys_of_lead(&story, &normalizer), keys_of_row(&contact, &normalizer));
    let compared = ask::compare_pair(&client, &left, &right).await?;
    let policy = read_policy(&client).await?;
    let score: f32 = compared.iter().map(|field| field.weight).sum();
    let shared = shared(&left, &right);
    let meeting = ask::meet(&client, &left, &right, &shared.blocks).await?;
    if json {
        output::json(&json!({
            "lead_id": lead_id,
            "contact_id": contact["contact_id"],
            "shared_identifiers": shared.identifiers,
            "shared_blocks": shared.blocks,
            "smallest_shared_block": meeting.contacts,
            "compared_for_a_block": meeting.compared,
            "fields": compared,
            "score": score,
            "match_from": policy.thresholds.same,
            "review_from": policy.thresholds.review,
            "decided": story["decisions"].as_array().and_then(|decisions| decisions.last()),
        }))?;
    } else {
        print(lead_id, &story, &contact, (&shared, meeting), &compared, score, &policy)?;
    }
    drop(client);
    store.close().await;
    Ok(())
}

async fn contact_of(client: &Client, name: &str) -> Result<Value, CliError> {
    let contact = match (name.strip_prefix("crm:"), name.parse::<i64>()) {
        (Some(crm_id), _) => ask::find_contact(client, None, Some(crm_id)).await?,
        (None, Ok(contact_id)) => ask::find_contact(client, Some(contact_id), None).await?,
        (None, Err(_)) => Value::Null,
    };
    if contact.is_null() {
        return Err(CliError::NotFound(format!(
            "there is no contact {name:?} in the mirror; name it by crm.contact.contact_id, or as crm:ID"
        )));
    }
    Ok(contact)
}

struct Shared {
    identifiers: Vec<String>,
    blocks: Vec<String>,
}

fn shared(left: &MatchKeys, right: &MatchKeys) -> Shared {
    let identifiers = |keys: &MatchKeys| {
        let id = keys.external_id.iter().map(|id| format!("external_id {id}"));
        let emails = keys
            .emails
            .iter()
            .chain(&keys.loose_emails)
            .map(|email| format!("email {email}"));
        let phones = keys.phones.iter().map(|phone| format!("phone {phone}"));
        id.chain(emails).chain(phones).collect::<Vec<_>>()
    };
    let theirs = identifiers(right);
    Shared {
        identifiers: identifiers(left)
            .into_iter()
            .filter(|identifier| theirs.contains(identifier))
            .collect(),
        blocks: left
            .blocks
            .iter()
            .filter(|block| right.blocks.contains(block))
            .cloned()
            .collect(),
    }
}

fn keys_of_lead(story: &Value, normalizer: &Normalizer) -> MatchKeys {
    let decided = story["decisions"].as_array().and_then(|decisions| decisions.last());
    let stored = decided.map(|decision| decision["evidence"]["normalized"]["keys"].clone());
    stored
        .and_then(|keys| serde_json::from_value(keys).ok())
        .unwrap_or_else(|| keys_of_row(&story["lead"], normalizer))
}

fn keys_of_row(row: &Value, normalizer: &Normalizer) -> MatchKeys {
    let text = |field: &Field| {
        row[field.name()]
            .as_str()
            .map(|value| (field.clone(), value.to_owned()))
    };
    let additional = row["additional_emails"].as_array().into_iter().flatten();
    let record = Record {
        values: CANONICAL.iter().filter_map(text).collect(),
        additional_emails: additional
            .filter_map(|email| email.as_str().map(str::to_owned))
            .collect(),
        ..Record::default()
    };
    normalizer.record(&record).keys
}

fn print(
    lead_id: i64,
    story: &Value,
    contact: &Value,
    (shared, meeting): (&Shared, Meeting),
    compared: &[Compared],
    score: f32,
    policy: &crate::decide::Policy,
) -> Result<(), CliError> {
    let contact_id = tell::text(&contact["contact_id"]);
    output::line(&format!(
        "Lead {lead_id} against contact {contact_id} (CRM id {}):",
        tell::or_dash(&contact["crm_id"])
    ))?;
    let rows = compared.iter().map(|field| {
        vec![
            field.field.clone(),
            field.level.clone(),
            format!("{:+.1}", field.weight),
        ]
    });
    output::table(&["field", "agreement", "weight"], rows.collect())?;
    let thresholds = policy.thresholds;
    output::line(&format!(
        "sum {score:.1}; a match from {:.1} on, a question from {:.1} on",
        thresholds.same, thresholds.review
    ))?;
    let list = |words: &[String]| {
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(", ")
        }
    };
    output::line(&format!("identifiers in common: {}", list(&shared.identifiers)))?;
    output::line(&format!("blocking keys in common: {}", list(&shared.blocks)))?;
    output::line(&verdict(story, contact, (shared, meeting), score, thresholds.review))?;
    Ok(())
}

fn verdict(story: &Value, contact: &Value, (shared, meeting): (&Shared, Meeting), score: f32, review: f32) -> String {
    let decided = story["decisions"].as_array().and_then(|decisions| decisions.last());
    let same = decided.is_some_and(|decision| decision["contact_id"] == contact["contact_id"]);
    if same {
        return "It is this contact: see `gatekeeper explain`.".into();
    }
    if !contact["archived_at"].is_null() {
        return format!(
            "The contact is gone ({}); a tombstone is never matched.",
            tell::text(&contact["gone_reason"])
        );
    }
    if shared.identifiers.is_empty() && shared.blocks.is_empty() {
        return "They never met: no identifier and no blocking key in common.".into();
    }
    if shared.identifiers.is_empty() && !meeting.compared {
        return match meeting.contacts {
            None => "They never met: more than 100 contacts are in each block that they share, and such a block tells nothing."
                .into(),
            Some(contacts) => format!(
                "They share a block of {contacts}, and were not compared: at a glance too little agrees beside the names."
            ),
        };
    }
    if shared.identifiers.is_empty() && score < review {
        return "They met in the fuzzy tier, and agree too little.".into();
    }
    match decided.and_then(|decision| decision["tier"].as_str()) {
        Some(tier) => format!("The lead was settled by {tier} with another contact before this one could count."),
        None => "They share an identifier or a block; the names or the score kept them apart, see the weights.".into(),
    }
}
