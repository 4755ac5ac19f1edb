//! Contradictions: rules that cannot do what they say, found before they are used.

use crate::crm::{Property, Schema};
use crate::decide::{CRM_SOURCE, FieldPolicy, FieldRule, Policy};
use crate::domain::{CANONICAL, Field};

/// Everything that is wrong with the rules, each with its place and with what to do.
pub fn contradictions(policy: &Policy, schema: &Schema) -> Vec<String> {
    let mut found = Vec::new();
    if policy.sources.keys().all(|source| source == CRM_SOURCE) {
        found
            .push("no source is entered in rules.source: every lead becomes a dead letter (unknown_source)".to_owned());
    }
    for rule in &policy.fields {
        let place = format!("rules.field ({}, {})", rule.field, rule.source);
        let said = about_source(rule, policy)
            .into_iter()
            .chain(about_property(rule, schema))
            .chain(about_policy(rule, policy));
        found.extend(said.map(|problem| format!("{place}: {problem}")));
    }
    let thresholds = policy.thresholds;
    if thresholds.review > thresholds.same {
        found.push("rules.match_threshold: review is above match, so nothing is ever asked; lower review".to_owned());
    }
    found
}

fn about_source(rule: &FieldRule, policy: &Policy) -> Option<String> {
    if rule.source == CRM_SOURCE && matches!(rule.policy, Some(FieldPolicy::Never)) {
        return Some("people write in the CRM as they like, the rule can never apply; delete it".to_owned());
    }
    let unknown = rule.source != "*" && rule.source != CRM_SOURCE && !policy.sources.contains_key(&rule.source);
    unknown.then(|| {
        "the source is not in rules.source, so the rule can never apply; enter it or delete the rule".to_owned()
    })
}

fn about_property(rule: &FieldRule, schema: &Schema) -> Option<String> {
    if rule.field == "*" {
        return None;
    }
    let field = Field::from_name(&rule.field);
    let Some(property) = schema.properties.get(&field) else {
        return Some("the CRM has no such property; correct the name, or make the property".to_owned());
    };
    if property.read_only {
        return Some("the CRM sets this property itself, nothing can be written; delete the rule".to_owned());
    }
    match rule.policy {
        Some(FieldPolicy::Append) if !property.multiple => {
            Some("the CRM keeps one value in this property, nothing can be appended; take another policy".to_owned())
        }
        Some(FieldPolicy::Min | FieldPolicy::Max) if CANONICAL.contains(&field) => {
            Some("min and max compare numbers and dates, and this field is a text; take another policy".to_owned())
        }
        _ => not_an_option(rule, property),
    }
}

fn not_an_option(rule: &FieldRule, property: &Property) -> Option<String> {
    let strange = rule
        .scale
        .iter()
        .flatten()
        .find(|step| !property.options.is_empty() && !property.options.contains(step))?;
    Some(format!(
        "{strange:?} of the scale is none of the property's options; correct it"
    ))
}

fn about_policy(rule: &FieldRule, policy: &Policy) -> Vec<String> {
    let mut found = Vec::new();
    let in_force = policy.field_policy(&rule.field, &rule.source);
    if let Some(own) = rule.policy
        && own != in_force
        && own != FieldPolicy::Never
    {
        found.push(format!(
            "{} never applies: another rule makes the field {}, for all that write it; delete one of them",
            own.name(),
            in_force.name()
        ));
    }
    if in_force == FieldPolicy::Never && (rule.rank.is_some() || rule.expires_days.is_some()) {
        found.push("a rank of a source that may not write the field has no effect; delete it".to_owned());
    }
    let looks_at_no_rank = matches!(
        in_force,
        FieldPolicy::Newest | FieldPolicy::Longest | FieldPolicy::Min | FieldPolicy::Max
    );
    let for_one = rule.source != "*" && rule.source != CRM_SOURCE;
    if for_one
        && rule.policy.is_some()
        && looks_at_no_rank
        && policy.standing_policy(&rule.field, CRM_SOURCE) == FieldPolicy::HighestRank
    {
        found.push(format!(
            "{} replaces nothing that the CRM or a source under highest_rank has set, for highest_rank stands above it; \
             write the rule for all sources (*) if that is meant",
            in_force.name()
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn property(name: &str) -> Property {
        Property {
            name: name.to_owned(),
            read_only: name == "closed",
            unique: false,
            options: match name {
                "stage" => vec!["lead".to_owned(), "customer".to_owned()],
                _ => Vec::new(),
            },
            multiple: name == "topics",
            number: false,
        }
    }

    fn rule(field: &str, source: &str, policy: Option<FieldPolicy>) -> FieldRule {
        FieldRule {
            field: field.to_owned(),
            source: source.to_owned(),
            policy,
            ..FieldRule::default()
        }
    }

    #[track_caller]
    fn check(rules: Vec<FieldRule>, words: &str) {
        let names = ["city", "topics", "stage", "closed"];
        let schema = Schema {
            properties: names.map(|name| (Field::from_name(name), property(name))).into(),
            has_unique_key: true,
        };
        let policy = Policy {
            sources: BTreeMap::from([("crm".to_owned(), 500), ("webinar".to_owned(), 200)]),
            fields: rules,
            ..Policy::default()
        };
        let found = contradictions(&policy, &schema);
        match words {
            "" => assert_eq!(found, Vec::<String>::new()),
            words => assert!(
                found.iter().any(|problem| problem.contains(words)),
                "{found:?} should say {words:?}"
            ),
        }
    }

    #[test]
    fn each_contradiction_is_found_and_rules_without_one_pass() {
        use FieldPolicy::*;
        check(
            vec![rule("city", "webinar", Some(Never)), rule("topics", "*", Some(Append))],
            "",
        );
        check(
            vec![rule("city", "crm", Some(OnlyIfBlank)), rule("city", "*", Some(Newest))],
            "",
        );
        check(
            vec![rule("city", "fair", Some(Never))],
            "(city, fair): the source is not in rules.source",
        );
        check(vec![rule("town", "*", Some(Newest))], "no such property");
        check(vec![rule("closed", "*", Some(Newest))], "sets this property itself");
        check(vec![rule("city", "*", Some(Append))], "nothing can be appended");
        check(vec![rule("city", "*", Some(Max))], "this field is a text");
        check(vec![rule("city", "crm", Some(Never))], "can never apply");
        let scale = |steps: [&str; 2]| FieldRule {
            scale: Some(steps.map(str::to_owned).into()),
            ..rule("stage", "*", Some(Tighten))
        };
        check(vec![scale(["lead", "customer"])], "");
        check(vec![scale(["lead", "client"])], "\"client\" of the scale is none");
        check(
            vec![scale(["lead", "customer"]), rule("stage", "webinar", Some(Newest))],
            "newest never applies",
        );
        check(vec![rule("city", "webinar", Some(Newest))], "stands above it");
        let ranked = FieldRule {
            rank: Some(10),
            ..rule("city", "webinar", Some(Never))
        };
        check(vec![ranked], "has no effect");
    }
}
