//! What holds for any text at all.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use gatekeeper::domain::{CANONICAL, Field, Lead};
use gatekeeper::normalize::Normalizer;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{lead, normalizer, record};

static NORMALIZER: LazyLock<Normalizer> = LazyLock::new(|| normalizer(Some("DE")));

/// Any Unicode, and the characters that rules look at, mixed.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,24}",
        "[\\u{0}-\\u{ff}]{0,24}",
        "[a-zA-Z .,'\u{200b}\u{feff}\u{ad}\u{301}ÃÂ©¼âüßİŉ@<>:;+()0-9/x&-]{0,32}",
        "[0-9 +()/.x-]{0,22}",
        "(mc|van|de|dr\\.|jr|o'|mac|iii|j\\.){0,4}[A-Za-z ]{0,12}",
        any::<String>(),
    ]
}

fn values() -> impl Strategy<Value = BTreeMap<Field, String>> {
    prop::collection::btree_map(prop::sample::select(CANONICAL), text(), 0..9)
}

#[test]
fn a_letter_whose_capital_is_two_letters_stays_an_initial() {
    let once = NORMALIZER.lead(&Lead {
        full_name: Some("\u{2ebf0}a \u{1ff2}".to_owned()),
        ..lead(BTreeMap::new())
    });
    let twice = NORMALIZER.lead(&lead(once.values.clone()));
    assert_eq!(twice.values, once.values);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_clean_value_stays_as_it_is(values in values(), full in prop::option::of(text())) {
        let once = NORMALIZER.lead(&Lead { full_name: full, ..lead(values) });
        let twice = NORMALIZER.lead(&lead(once.values.clone()));
        prop_assert_eq!(&twice.values, &once.values);
        prop_assert_eq!(twice.refused, vec![]);
    }

    #[test]
    fn the_mirror_finds_by_the_same_keys_as_the_lead(values in values()) {
        let lead = NORMALIZER.lead(&lead(values.clone()));
        let record = NORMALIZER.record(&record(values));
        prop_assert_eq!(&lead.keys.emails, &record.keys.emails);
        prop_assert_eq!(&lead.keys.phones, &record.keys.phones);
        prop_assert_eq!(&lead.keys.first_name, &record.keys.first_name);
        prop_assert_eq!(&lead.keys.last_name, &record.keys.last_name);
        prop_assert_eq!(&lead.keys.company, &record.keys.company);
        prop_assert_eq!(&lead.keys.blocks, &record.keys.blocks);
        prop_assert_eq!(record.refused, vec![]);
    }

    #[test]
    fn keys_are_lower_case_ascii_and_blocks_are_few_sorted_and_unlike(values in values()) {
        let keys = NORMALIZER.lead(&lead(values)).keys;
        let single = [&keys.first_name, &keys.last_name, &keys.company, &keys.email_domain, &keys.email_local, &keys.city];
        let texts = single.into_iter().flatten().chain(&keys.emails).chain(&keys.loose_emails).chain(&keys.blocks);
        for text in texts {
            prop_assert!(!text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !byte.is_ascii_uppercase()), "{text:?}");
        }
        for phone in &keys.phones {
            prop_assert!(phone.starts_with('+') && phone[1..].bytes().all(|byte| byte.is_ascii_digit()), "{phone:?}");
        }
        prop_assert!(keys.blocks.is_sorted() && keys.blocks.len() <= 20);
        prop_assert!(keys.blocks.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn any_properties_leave_only_flat_text(names in prop::collection::vec((text(), any::<Option<i64>>(), text()), 0..12)) {
        let object: serde_json::Map<String, Value> =
            names.into_iter().map(|(name, number, text)| (name, number.map_or(json!([text, null, true]), |number| json!(number)))).collect();
        let result = NORMALIZER.lead(&Lead { properties: Some(Value::Object(object)), ..lead(BTreeMap::new()) });
        for value in result.values.values() {
            prop_assert!(!value.is_empty());
        }
    }
}

/// A chain of arrays around one text.
fn nested(depth: usize) -> Value {
    (0..depth).fold(json!("bottom"), |inner, _| Value::Array(vec![inner]))
}

#[test]
fn properties_of_any_depth_are_refused_without_harm() {
    let refused = |properties: Value| {
        let result = NORMALIZER.lead(&Lead {
            properties: Some(properties),
            ..lead(BTreeMap::new())
        });
        result
            .refused
            .into_iter()
            .map(|refusal| (refusal.field.name().to_owned(), refusal.reason))
            .collect::<Vec<_>>()
    };
    let expected = |field: &str, reason: &str| vec![(field.to_owned(), reason.to_owned())];
    assert_eq!(
        refused(Value::Object(serde_json::Map::from_iter([(
            "a".to_owned(),
            nested(2_000)
        )]))),
        expected("properties", "too_deep")
    );
    assert_eq!(refused(json!({ "a": nested(31) })), expected("a", "nested_value"));
    let many: serde_json::Map<String, Value> = (0..201).map(|number| (format!("p{number}"), json!(1))).collect();
    assert_eq!(
        refused(Value::Object(many)),
        expected("properties", "too_many_properties")
    );
}

#[test]
fn a_text_over_64_kib_is_refused_in_any_field() {
    for field in CANONICAL {
        let result = NORMALIZER.lead(&lead(BTreeMap::from([(field.clone(), "ab ".repeat(22_000))])));
        assert_eq!(
            result
                .refused
                .iter()
                .map(|refusal| refusal.reason.as_str())
                .collect::<Vec<_>>(),
            ["too_long"],
            "{field}"
        );
        assert!(result.values.is_empty() && result.keys.blocks.is_empty());
    }
}
