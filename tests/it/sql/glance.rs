//! Which of those that share a block are worth comparing.

use serde_json::{Value, json};

use super::value;
use crate::support::TestDb;

/// How many share the block, the two, and whether they are worth comparing, in either order.
fn cases() -> Vec<(i64, Value, Value, bool)> {
    let named = |first: &str, last: &str| json!({"first_name": first, "last_name": last});
    let of =
        |first: &str, last: &str, company: &str| json!({"first_name": first, "last_name": last, "company": company});
    let at = |first: &str, last: &str, company: &str, city: &str| json!({"first_name": first, "last_name": last, "company": company, "city": city});
    vec![
        // Nothing beside the names is known of one of them: the given names must be near.
        (
            50,
            named("martha", "lindgren"),
            of("martha", "lindgren", "fjordbyte"),
            true,
        ),
        (
            50,
            named("mart", "lindgren"),
            of("martha", "lindgren", "fjordbyte"),
            true,
        ),
        (50, named("m", "lindgren"), of("martha", "lindgren", "fjordbyte"), true),
        (
            50,
            named("marianne", "lindgren"),
            of("martha", "lindgren", "fjordbyte"),
            false,
        ),
        (
            50,
            named("lindgren", "martha"),
            of("martha", "lindgren", "fjordbyte"),
            true,
        ),
        // A wrong second letter.
        (50, named("nkna", "lindgren"), of("nina", "lindgren", "fjordbyte"), true),
        (
            50,
            named("mortha", "lindgren"),
            of("martha", "lindgren", "fjordbyte"),
            true,
        ),
        // One employer: the first two letters of the given name do.
        (
            50,
            of("marianne", "lindgren", "fjordbyte"),
            of("martha", "lindgren", "fjordbyte"),
            true,
        ),
        (
            50,
            of("karin", "lindgren", "fjordbyte"),
            of("martha", "lindgren", "fjordbyte"),
            false,
        ),
        (
            3,
            of("karin", "lindgren", "fjordbyte"),
            of("martha", "lindgren", "fjordbyte"),
            true,
        ),
        // One of whose two given names the other's is short for.
        (
            50,
            of("pepe", "lindgren", "fjordbyte"),
            of("jose luis", "lindgren", "fjordbyte"),
            true,
        ),
        // Written in one word, with a slip in it.
        (
            50,
            of("mei xin", "lindgren", "fjordbyte"),
            of("meixnn", "lindgren", "fjordbyte"),
            true,
        ),
        // No more than the first letters of the employer, in two towns: the family name must be the same.
        (
            50,
            at("martha", "lindgren", "fjordbyte", "oslo"),
            at("martha", "lindgren", "fjordbank", "bergen"),
            true,
        ),
        (
            50,
            at("martha", "lindgren", "fjordbyte", "oslo"),
            at("martha", "lindgran", "fjordbank", "bergen"),
            false,
        ),
        (
            50,
            at("martha", "lindgren", "fjordbyte", "oslo"),
            at("martha", "lindgran", "fjordbyte", "bergen"),
            true,
        ),
        // The same name, and an employer that may be misspelt at its beginning.
        (
            10,
            of("martha", "lindgren", "jfordbyte"),
            of("martha", "lindgren", "fjordbyte"),
            true,
        ),
        (
            11,
            of("martha", "lindgren", "jfordbyte"),
            of("martha", "lindgren", "fjordbyte"),
            false,
        ),
        (
            10,
            of("martha", "lindgren", "umbra"),
            of("martha", "lindgren", "fjordbyte"),
            false,
        ),
        (
            10,
            at("martha", "lindgren", "jfordbyte", "oslo"),
            at("martha", "lindgren", "fjordbyte", "bergen"),
            false,
        ),
        // A number makes up for all but the given name.
        (
            50,
            json!({"first_name": "martha", "last_name": "berg", "company": "umbra", "phone_tails": ["12345678"]}),
            json!({"first_name": "martha", "last_name": "lindgren", "company": "fjordbyte", "phone_tails": ["12345678"]}),
            true,
        ),
    ]
}

#[tokio::test]
async fn what_agrees_less_beside_the_names_asks_for_nearer_names() {
    let db = TestDb::new().await;
    for (contacts, one, other, expected) in cases() {
        for (left, right) in [(&one, &other), (&other, &one)] {
            let asked = "select exists (
                select from gate.worth_comparing_among(array[-1], array[-2], array[$1::bigint], gate.two_leads($2, $3))
            )";
            let worth: bool = value(&db, asked, &[&contacts, left, right]).await;
            assert_eq!(worth, expected, "{left} and {right}, a block of {contacts}");
        }
    }
}
