//! `explain`: the whole story of a lead, from the delivered row to the CRM's answer.

use serde_json::Value;

use super::tell::{self, LeadName};
use super::{CliError, output};
use crate::config::Config;
use crate::domain::CANONICAL;
use crate::store::{Client, Store, ask};

pub(super) async fn explain(config: &Config, name: String, json: bool) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let client = store.client().await?;
    let lead = find(&client, &name).await?;
    show(&client, lead, json).await?;
    drop(client);
    store.close().await;
    Ok(())
}

/// The number of the lead that a person names.
pub(super) async fn find(client: &Client, name: &str) -> Result<i64, CliError> {
    let found = match tell::lead_name(name) {
        Some(LeadName::Number(number)) => Some(number),
        Some(LeadName::Row(source, key)) => ask::find_lead(client, source, key).await?,
        None => None,
    };
    found.ok_or_else(|| {
        CliError::NotFound(format!(
            "there is no lead {name:?}; name it by staging.lead.lead_id, or as SOURCE:SOURCE_KEY"
        ))
    })
}

/// Prints the story of a lead. Used by `dead show` and `review show` as well, and by the demo.
pub(crate) async fn show(client: &Client, lead: i64, json: bool) -> Result<(), CliError> {
    let story = ask::story(client, lead).await?;
    if story.is_null() {
        return Err(CliError::NotFound(format!("there is no lead {lead} in staging.lead")));
    }
    if json {
        return Ok(output::json(&story)?);
    }
    for line in tell_story(&story) {
        output::told(&line)?;
    }
    Ok(())
}

fn tell_story(story: &Value) -> Vec<String> {
    let mut lines = delivered(&story["lead"]);
    let decisions = story["decisions"].as_array().map_or(&[][..], Vec::as_slice);
    if decisions.is_empty() {
        lines.push(String::new());
        lines.push(undecided(&story["work"]));
    }
    for (place, decision) in decisions.iter().enumerate() {
        lines.push(String::new());
        lines.push(heading(decision, place, decisions.len()));
        if decision["action"] != "rewrite" && decision["action"] != "undo" {
            lines.extend(normalized(&decision["evidence"]["normalized"]));
            if decision["action"] != "dead" && decision["action"] != "coalesced" || !decision["contact_id"].is_null() {
                lines.extend(candidates(decision, &story["contacts"]));
            }
        }
        lines.extend(fields(decision));
        lines.extend(sent(decision));
    }
    lines.extend(by_a_person(story));
    lines
}

fn delivered(lead: &Value) -> Vec<String> {
    let mut lines = vec![format!(
        "Lead {} of {} ({}), received {}",
        tell::text(&lead["lead_id"]),
        tell::or_dash(&lead["source"]),
        tell::shown(&lead["source_key"]),
        tell::time(&lead["received_at"]),
    )];
    lines.push("  came in as".into());
    let names = CANONICAL
        .iter()
        .map(crate::domain::Field::name)
        .chain(["full_name", "properties", "occurred_at"]);
    for name in names {
        if !lead[name].is_null() {
            lines.push(format!("    {name:<14} {}", tell::shown(&lead[name])));
        }
    }
    lines
}

fn undecided(work: &Value) -> String {
    match work["state"].as_str() {
        Some("ready") if !work["waits_for"].is_null() => format!(
            "It waits: a write about contact {} is under way, and must be settled first.",
            tell::text(&work["waits_for"])
        ),
        Some("ready") => "It is not decided yet. Is the daemon running? See `gatekeeper status`.".into(),
        Some("claimed") => "It is being decided right now.".into(),
        _ => "It is not decided yet, and no work is noted for it; the sweep of a running daemon will adopt it.".into(),
    }
}

fn heading(decision: &Value, place: usize, of: usize) -> String {
    let number = if of > 1 {
        format!("{}. decision", place + 1)
    } else {
        "decision".to_owned()
    };
    let mut text = format!(
        "{number} {} at {}: {}",
        tell::text(&decision["decision_id"]),
        tell::time(&decision["decided_at"]),
        tell::text(&decision["action"]).to_uppercase(),
    );
    if !decision["tier"].is_null() {
        text += &format!(", identified by {}", tell::text(&decision["tier"]));
    }
    if !decision["contact_id"].is_null() {
        text += &format!(
            ", contact {} (CRM id {})",
            tell::text(&decision["contact_id"]),
            tell::or_dash(&decision["crm_id"])
        );
    }
    if !decision["reason"].is_null() {
        text += &format!(", because: {}", tell::text(&decision["reason"]));
    }
    text + &format!(
        "   [rules version {}, mirror age {}]",
        tell::text(&decision["policy_version"]),
        tell::or_dash(&decision["mirror_age"])
            .split('.')
            .next()
            .unwrap_or_default(),
    )
}

fn normalized(normalized: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let keys = &normalized["keys"];
    for name in [
        "external_id",
        "emails",
        "loose_emails",
        "phones",
        "first_name",
        "last_name",
        "company",
        "email_domain",
        "city",
        "country",
    ] {
        let value = &keys[name];
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            let text = value.as_array().map_or_else(
                || tell::shown(value),
                |list| list.iter().map(tell::shown).collect::<Vec<_>>().join(", "),
            );
            lines.push(format!("    {name:<14} {text}"));
        }
    }
    for refused in normalized["refused"].as_array().into_iter().flatten() {
        lines.push(format!(
            "    {:<14} not usable: {}",
            tell::text(&refused["field"]),
            tell::text(&refused["reason"])
        ));
    }
    let heading = if lines.is_empty() {
        "  nothing in it identifies anybody"
    } else {
        "  was compared as"
    };
    lines.insert(0, heading.to_owned());
    lines
}

fn candidates(decision: &Value, contacts: &Value) -> Vec<String> {
    let evidence = &decision["evidence"];
    let found = evidence["candidates"].as_array().map_or(&[][..], Vec::as_slice);
    let asked = if found.iter().any(|candidate| candidate["tier"] == "fuzzy") || found.is_empty() {
        "external id, e-mail, phone, fuzzy"
    } else {
        "external id, e-mail, phone (the fuzzy tier was not needed)"
    };
    let mut lines = vec![format!("  tiers asked: {asked}")];
    if found.is_empty() {
        lines.push("    nobody known shares an identifier or a blocking key: a new person".into());
        return lines;
    }
    let thresholds = &evidence["thresholds"];
    for candidate in found {
        let id = tell::or_dash(&candidate["contact_id"]);
        let contact = &contacts[&id];
        let who = [&contact["first_name"], &contact["last_name"], &contact["company"]]
            .map(tell::shown)
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let chosen = !decision["contact_id"].is_null() && candidate["contact_id"] == decision["contact_id"];
        let place = if candidate["in_batch"] == true {
            ", came in the same batch"
        } else {
            ""
        };
        lines.push(format!(
            "    {} contact {id} {who}: found by {}, names {}, score {} (match from {}, review from {}){place}",
            if chosen { "=>" } else { "  " },
            tell::text(&candidate["tier"]),
            tell::text(&candidate["names"]),
            tell::score(&candidate["score"]),
            tell::score(&thresholds["match"]),
            tell::score(&thresholds["review"]),
        ));
        lines.extend(waterfall(&candidate["levels"]));
    }
    lines
}

/// How each field agrees and what that was worth when it was decided, the weightiest first; the score is their sum.
fn waterfall(levels: &Value) -> Vec<String> {
    let weights = levels["weights"].as_object();
    let weight = |field: &str| {
        weights
            .and_then(|weights| weights.get(field)?.as_f64())
            .unwrap_or_default()
    };
    let mut parts: Vec<(f64, String)> = levels
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(field, level)| *field != "by" && level.is_string() && *level != "missing")
        .map(|(field, level)| (weight(field), format!("{field} {}", tell::text(level))))
        .collect();
    // These two have a weight and no level of their own.
    for (field, words) in [("full_name", "both names"), ("base", "before anything is compared")] {
        if weight(field) != 0.0 {
            parts.push((weight(field), words.to_owned()));
        }
    }
    if weights.is_none() {
        let levels: Vec<String> = parts.into_iter().map(|(_, level)| level).collect();
        return vec![format!("         {}", levels.join(", "))];
    }
    parts.sort_by(|(one, _), (other, _)| other.abs().total_cmp(&one.abs()));
    let sum: f64 = parts.iter().map(|(weight, _)| weight).sum();
    let mut lines: Vec<String> = parts
        .into_iter()
        .map(|(weight, level)| format!("         {weight:+6.1}  {level}"))
        .collect();
    lines.push(format!("         {sum:+6.1}  sum"));
    lines
}

fn fields(decision: &Value) -> Vec<String> {
    let changes = decision["changes"].as_array().map_or(&[][..], Vec::as_slice);
    let same = decision["evidence"]["same"].as_array().map_or(&[][..], Vec::as_slice);
    if changes.is_empty() && same.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["  field by field".to_owned()];
    for change in changes {
        let old = match change["old_source"].as_str() {
            Some(source) => format!("{:?} of {source}", tell::shown(&change["old_value"])),
            None if change["old_value"].is_null() => "blank".to_owned(),
            None => format!("{:?}", tell::shown(&change["old_value"])),
        };
        lines.push(format!(
            "    {:<14} {:<8} {:?} against {old}: {}",
            tell::text(&change["field"]),
            tell::text(&change["verdict"]).to_uppercase(),
            tell::shown(&change["new_value"]),
            tell::text(&change["rule"]),
        ));
    }
    if !same.is_empty() {
        let same: Vec<String> = same.iter().map(tell::text).collect();
        lines.push(format!("    the same       {}", same.join(", ")));
    }
    lines
}

fn sent(decision: &Value) -> Vec<String> {
    let intent = &decision["intent"];
    if intent.is_null() {
        return if decision["intent_id"].is_null() {
            vec!["  nothing was sent".into()]
        } else {
            vec![format!(
                "  sent with write {}, whose working row is deleted by now; outcome {}",
                tell::text(&decision["intent_id"]),
                tell::or_dash(&decision["outcome"])
            )]
        };
    }
    let body = intent["body"]
        .as_object()
        .map_or_else(Vec::new, |body| body.keys().cloned().collect());
    let mut lines = vec![format!(
        "  sent: {} of {} (write {})",
        tell::text(&intent["operation"]),
        body.join(", "),
        tell::text(&intent["intent_id"]),
    )];
    let settlement = &decision["settlement"];
    if settlement.is_null() {
        lines.push(format!("  not settled yet: {}", tell::text(&intent["state"])));
        return lines;
    }
    let call = &decision["call"];
    let answer = if call.is_null() {
        String::new()
    } else {
        format!(
            ", status {} in {} ms, correlation id {}",
            tell::or_dash(&call["status"]),
            tell::text(&call["duration_ms"]),
            tell::or_dash(&call["correlation_id"]),
        )
    };
    lines.push(format!(
        "  the CRM answered: {}{}{answer}",
        tell::text(&settlement["outcome"]),
        if settlement["reason"].is_null() {
            String::new()
        } else {
            format!(" ({})", tell::text(&settlement["reason"]))
        },
    ));
    if !settlement["message"].is_null() {
        lines.push(format!("    {}", tell::shown(&settlement["message"])));
    }
    lines
}

fn by_a_person(story: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let (dead, review) = (&story["dead_letter"], &story["review"]);
    if !dead.is_null() {
        lines.push(String::new());
        lines.push(format!(
            "Dead letter since {}: {}, {}.",
            tell::time(&dead["died_at"]),
            tell::text(&dead["reason"]),
            tell::text(&dead["state"])
        ));
        if dead["state"] == "waiting" {
            let lead = tell::text(&dead["lead_id"]);
            lines.push(format!("  mend the cause, then: gatekeeper dead replay {lead}"));
        }
    }
    if !review.is_null() {
        let lead = tell::text(&review["lead_id"]);
        lines.push(String::new());
        lines.push(format!(
            "Review: {}, {}.",
            tell::text(&review["reason"]),
            tell::text(&review["state"])
        ));
        if review["state"] == "open" {
            lines.push(format!(
                "  decide it: gatekeeper review accept {lead} CONTACT | review create {lead} | review reject {lead}"
            ));
        }
    }
    lines
}
