//! How well two records agree, level by level.

use serde_json::{Value, json};

use super::value;
use crate::support::TestDb;

/// A field, what the two records have, and the level that it is in either order.
fn cases() -> Vec<(&'static str, Value, Value, &'static str)> {
    let first = |name: &str| json!({"first_name": name});
    let last = |name: &str| json!({"last_name": name});
    let firm = |name: &str| json!({"company": name});
    let mail = |address: &str, fit: &str| {
        let (local, domain) = address.split_once('@').unwrap();
        json!({"emails": [address], "email_local": local, "email_domain": domain, "email_fit": fit})
    };
    let phone = |tail: &str, extensions: &[&str]| json!({"phone_tails": [tail], "extensions": extensions});
    vec![
        ("first_name", first("robert"), first("robert"), "exact"),
        ("first_name", first("robert"), first("robert james"), "part"),
        ("first_name", first("robert"), first("bob"), "nickname"),
        ("first_name", first("bob"), first("rob"), "kindred"),
        ("first_name", first("robert"), first("r"), "initial"),
        ("first_name", first("robert"), first("r j"), "initial"),
        ("first_name", first("robert james"), first("k m"), "different"),
        ("first_name", first("robert"), first("j robert"), "part"),
        ("first_name", first("robert"), first("robrt"), "slip"),
        ("first_name", first("robert"), first("rolf"), "same_initial"),
        ("first_name", first("robert"), first("anna"), "different"),
        ("first_name", first("robert"), json!({}), "missing"),
        ("last_name", last("smith"), last("smith"), "exact"),
        ("last_name", last("garcia lopez"), last("lopez"), "part"),
        // A slip of the pen: a letter too many, wrong, left out at either end, two that changed places.
        ("last_name", last("chesterworth"), last("chessterworth"), "slip"),
        ("last_name", last("chesterworth"), last("chestarworth"), "slip"),
        ("last_name", last("chesterworth"), last("hesterworth"), "slip"),
        ("last_name", last("chesterworth"), last("chesterwort"), "slip"),
        ("last_name", last("chesterworth"), last("chestreworth"), "slip"),
        ("first_name", first("luis"), first("lusi"), "slip"),
        ("first_name", first("mira"), first("rima"), "different"),
        ("first_name", first("chang rui"), first("chagnrui"), "slip"),
        ("last_name", last("chesterworth"), last("chesterson"), "alike"),
        ("last_name", last("smith"), last("miller"), "different"),
        (
            "last_name",
            json!({"first_name": "robert", "last_name": "tavistock"}),
            json!({"first_name": "tavistock", "last_name": "robert"}),
            "swapped",
        ),
        // In each other's place, and one of them misspelt, an initial, a short form, or not all of the family name.
        (
            "last_name",
            json!({"first_name": "robert", "last_name": "tavistock"}),
            json!({"first_name": "tavistock", "last_name": "robetr"}),
            "swapped",
        ),
        (
            "first_name",
            json!({"first_name": "robert", "last_name": "tavistock"}),
            json!({"first_name": "tavistock", "last_name": "r"}),
            "swapped",
        ),
        (
            "first_name",
            json!({"first_name": "bob", "last_name": "tavistock"}),
            json!({"first_name": "tavistock", "last_name": "robert"}),
            "swapped",
        ),
        (
            "first_name",
            json!({"first_name": "nguyen ngoc", "last_name": "chau"}),
            json!({"first_name": "ngoc chau", "last_name": "nguyen"}),
            "swapped",
        ),
        (
            "first_name",
            json!({"first_name": "robert", "last_name": "tavistock"}),
            json!({"first_name": "tavistock", "last_name": "anna"}),
            "different",
        ),
        (
            "last_name",
            json!({"first_name": "nayra", "last_name": "romero"}),
            json!({"first_name": "nayra romero", "last_name": "alvarez"}),
            "part",
        ),
        ("company", firm("acme"), firm("acme"), "exact"),
        ("company", firm("acme steel works"), firm("acme steelworks"), "exact"),
        ("company", firm("acme steel works"), firm("acme stele works"), "similar"),
        (
            "company",
            firm("westcraft consulting"),
            firm("westcraft consulting milano"),
            "prefix",
        ),
        (
            "company",
            firm("weston fjord consulting"),
            firm("marlow fjord consulting"),
            "related",
        ),
        ("company", firm("acme"), firm("umbrella"), "different"),
        (
            "company",
            firm("umbrella"),
            json!({"email_domain": "umbrella.co.uk"}),
            "site",
        ),
        (
            "email",
            mail("jane.doe@acme.com", "name"),
            mail("jane.doe@acme.com", "name"),
            "exact",
        ),
        (
            "email",
            mail("jane.doe@acme.com", "name"),
            mail("jane.doe2@acme.com", "numbered"),
            "numbered",
        ),
        (
            "email",
            mail("jane.doe@acme.com", "name"),
            mail("j.doe@acme.com", "name"),
            "domain_name",
        ),
        // A role says nothing about who writes from it.
        (
            "email",
            mail("jane.doe@acme.com", "name"),
            json!({"emails": ["info@umbrella.com"], "email_local": "info", "email_domain": "umbrella.com"}),
            "missing",
        ),
        ("phone", phone("49600123", &[]), phone("49600123", &[]), "exact"),
        // Colleagues.
        (
            "phone",
            json!({"phone_tails": ["49600123"], "company": "acme"}),
            json!({"phone_tails": ["49600123"], "company": "acme"}),
            "exact_office",
        ),
        (
            "place",
            json!({"city": "lyon", "company": "acme"}),
            json!({"city": "lyon", "email_domain": "acme.com"}),
            "city_office",
        ),
        (
            "place",
            json!({"city": "lyon", "company": "acme"}),
            json!({"city": "lyon", "company": "umbrella"}),
            "city",
        ),
        (
            "place",
            json!({"city": "lyon", "company": "acme"}),
            json!({"company": "acme"}),
            "missing",
        ),
        (
            "phone",
            phone("49600123", &["49600123/7"]),
            phone("49600123", &["49600123/7"]),
            "extension",
        ),
        (
            "phone",
            phone("49600123", &["49600123/7"]),
            phone("49600123", &["49600123/8"]),
            "other_extension",
        ),
        (
            "phone",
            phone("49600123", &["49600123/7"]),
            phone("49600123", &[]),
            "one_extension",
        ),
        (
            "generation",
            json!({"generation": "junior"}),
            json!({"generation": "senior"}),
            "different",
        ),
        ("generation", json!({"generation": "junior"}), json!({}), "one"),
    ]
}

#[tokio::test]
async fn what_tells_people_and_firms_apart_is_told_from_a_slip_of_the_pen() {
    let db = TestDb::new().await;
    let sql = "select level from gate.compare_pair($1::text::jsonb, $2::text::jsonb) where field = $3";
    for (field, left, right, said) in cases() {
        let empty = json!({"emails": [], "loose_emails": [], "phones": [], "blocks": []});
        let document = |keys: &Value| {
            let mut document = empty.clone();
            for (name, value) in keys.as_object().unwrap() {
                document[name] = value.clone();
            }
            document.to_string()
        };
        for (left, right) in [(&left, &right), (&right, &left)] {
            let level: String = value(&db, sql, &[&document(left), &document(right), &field]).await;
            assert_eq!(level, said, "{field} of {left} and {right}");
        }
    }
}

#[tokio::test]
async fn a_rare_name_says_more_than_a_common_one() {
    let db = TestDb::new().await;
    db.run(
        "insert into gate.term (kind, value, carriers) values ('contact', '', 100000), ('last_name', 'smith', 2000)",
    )
    .await;
    let sql = "select weight from gate.compare_pair($1::text::jsonb, $1::text::jsonb) where field = 'last_name'";
    let mut weights = Vec::new();
    for name in ["smith", "featherstonehaugh"] {
        let keys = json!({"last_name": name, "emails": [], "loose_emails": [], "phones": [], "blocks": []});
        let weight: f32 = value(&db, sql, &[&keys.to_string()]).await;
        weights.push(weight);
    }
    assert!(weights[1] > weights[0] + 3.0, "{weights:?}");
}

#[tokio::test]
async fn a_private_number_that_both_have_is_no_switchboards_because_one_has_the_switchboards_too() {
    let db = TestDb::new().await;
    db.run("insert into gate.term (kind, value, carriers) values ('contact', '', 100000), ('phone', '30123456', 64)")
        .await;
    let keys = |tails: &[&str]| {
        json!({"phone_tails": tails, "emails": [], "loose_emails": [], "phones": [], "blocks": []}).to_string()
    };
    let sql = "select weight from gate.compare_pair($1::text::jsonb, $2::text::jsonb) where field = 'phone'";
    let private = keys(&["49600123"]);
    let both: f32 = value(&db, sql, &[&keys(&["49600123", "30123456"]), &private]).await;
    let alone: f32 = value(&db, sql, &[&private, &private]).await;
    let switchboard = keys(&["30123456"]);
    let shared: f32 = value(&db, sql, &[&switchboard, &switchboard]).await;
    assert_eq!(both, alone);
    assert!(shared < alone - 3.0, "{shared} {alone}");
}

#[tokio::test]
async fn a_home_says_more_than_an_office_of_two_hundred() {
    let db = TestDb::new().await;
    db.run(
        "insert into gate.term (kind, value, carriers) values ('contact', '', 100000), ('street', '8 main st', 200),
            ('postal_code', '75320', 2), ('postal_code', '10001', 4000)",
    )
    .await;
    let keys = |street: &str, code: &str| {
        json!({"street": street, "postal_code": code, "emails": [], "loose_emails": [], "phones": [], "blocks": []})
            .to_string()
    };
    let sql = "select weight from gate.compare_pair($1::text::jsonb, $2::text::jsonb) where field = 'place'";
    let of_place = async |left: [&str; 2], right: [&str; 2]| -> f32 {
        value(&db, sql, &[&keys(left[0], left[1]), &keys(right[0], right[1])]).await
    };
    let home = of_place(["3 elm st", "75320"], ["3 elm st", "75320"]).await;
    let office = of_place(["8 main st", "10001"], ["8 main st", "10001"]).await;
    assert!(home > office + 2.0, "{home} {office}");
    let village = of_place(["3 elm st", "75320"], ["4 elm st", "75320"]).await;
    let city = of_place(["3 elm st", "10001"], ["4 elm st", "10001"]).await;
    assert!(village > city + 2.0, "{village} {city}");
}

/// Agreements by level, of which nothing else is known.
const AGREEMENT: &str = "select {} from (
    select jsonb_populate_record(null::gate.agreement, '{\"first_name\": \"exact\", \"last_name\": \"exact\", \"company\": \"missing\",
        \"email\": \"missing\", \"generation\": \"missing\"}' || $1::text::jsonb) as agreement
) as given";

#[tokio::test]
async fn a_family_and_an_office_share_much_and_are_several_people() {
    let db = TestDb::new().await;
    let sql = AGREEMENT.replace("{}", "gate.is_relative(agreement)");
    for (levels, relative) in [
        (json!({"first_name": "different"}), true),
        (json!({"first_name": "different", "email": "exact_other"}), true),
        (json!({"first_name": "different", "email": "exact"}), false),
        // A mailbox at their employer's that bears neither name.
        (
            json!({"first_name": "different", "email": "exact_other", "company": "exact"}),
            false,
        ),
        (json!({"first_name": "different", "company": "exact"}), true),
        (json!({"first_name": "same_initial"}), true),
        // A short form that nobody has told us.
        (json!({"first_name": "same_initial", "company": "exact"}), false),
        (json!({"first_name": "same_initial", "email": "exact_other"}), false),
        (json!({"first_name": "initial"}), false),
        (json!({"first_name": "slip"}), false),
    ] {
        let said: bool = value(&db, &sql, &[&levels.to_string()]).await;
        assert_eq!(said, relative, "{levels}");
    }
}

#[tokio::test]
async fn an_initial_names_somebody_at_an_employers_and_not_at_home() {
    let db = TestDb::new().await;
    let sql = AGREEMENT.replace("{}", "gate.names_verdict(agreement, $2)");
    for (levels, identified, verdict) in [
        (json!({"first_name": "initial", "place": "street"}), false, "unknown"),
        (json!({"first_name": "initial", "company": "exact"}), false, "agree"),
        (json!({"first_name": "initial"}), true, "agree"),
        (json!({"first_name": "nickname", "place": "street"}), false, "agree"),
    ] {
        let said: String = value(&db, &sql, &[&levels.to_string(), &identified]).await;
        assert_eq!(said, verdict, "{levels} {identified}");
    }
}
