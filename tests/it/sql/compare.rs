//! How well two values agree, level by level.

use super::value;
use crate::support::TestDb;

/// A function of two texts, the two, what it says of them in either order.
const SAID: [(&str, &str, &str, &str); 22] = [
    ("last_name_level", "smith", "smith", "exact"),
    ("last_name_level", "garcia lopez", "lopez", "part"),
    // One slip of the pen: a letter too many, wrong, left out at either end, two that changed places.
    ("last_name_level", "chesterworth", "chessterworth", "similar"),
    ("last_name_level", "chesterworth", "chestarworth", "similar"),
    ("last_name_level", "chesterworth", "hesterworth", "similar"),
    ("last_name_level", "chesterworth", "chesterwort", "similar"),
    ("last_name_level", "chesterworth", "chestreworth", "similar"),
    ("last_name_level", "chesterworth", "chesterson", "alike"),
    ("last_name_level", "smith", "miller", "different"),
    ("company_level", "acme", "acme", "exact"),
    ("company_level", "acme steel works", "acme steelworks", "exact"),
    ("company_level", "acme steel works", "acme stele works", "similar"),
    (
        "company_level",
        "westcraft consulting",
        "westcraft consulting milano",
        "similar",
    ),
    ("company_level", "aguayo construction", "aguayo const", "similar"),
    (
        "company_level",
        "weston fjord consulting",
        "marlow fjord consulting",
        "related",
    ),
    ("company_level", "acme", "umbrella", "different"),
    ("numbered_apart", "jane.doe", "jane.doe2", "true"),
    ("numbered_apart", "jane.doe1", "jane.doe27", "true"),
    ("numbered_apart", "jane.doe", "jane.doe", "false"),
    ("numbered_apart", "jane.doe", "j.doe2", "false"),
    ("numbered_apart", "1", "2", "false"),
    ("numbered_apart", "jane2doe", "jane3doe", "false"),
];

#[tokio::test]
async fn what_tells_people_and_firms_apart_is_told_from_a_slip_of_the_pen() {
    let db = TestDb::new().await;
    for (function, left, right, said) in SAID {
        let sql = format!("select gate.{function}($1, $2)::text");
        for (left, right) in [(left, right), (right, left)] {
            let level: String = value(&db, &sql, &[&left, &right]).await;
            assert_eq!(level, said, "{function}({left}, {right})");
        }
    }
}
