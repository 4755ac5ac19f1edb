//! Answers in every order, with gaps, repeats, strangers and contradictions.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::crm::hubspot::wire::{Names, told};
use crate::domain::Field;

/// What the CRM does with one row, and how it tells.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    DoneByTrace,
    DoneByKeyOrId,
    DoneAfterMerge,
    DoneTwiceTold,
    DoneWithoutId,
    RefusedByTrace,
    RefusedById,
    Conflict,
    DoneAndRefused,
    LeftOut,
}

const FATES: [Fate; 10] = [
    Fate::DoneByTrace,
    Fate::DoneByKeyOrId,
    Fate::DoneAfterMerge,
    Fate::DoneTwiceTold,
    Fate::DoneWithoutId,
    Fate::RefusedByTrace,
    Fate::RefusedById,
    Fate::Conflict,
    Fate::DoneAndRefused,
    Fate::LeftOut,
];

struct Row {
    fate: Fate,
    intent_id: IntentId,
    key: String,
    crm_id: CrmId,
}

/// The entries that an answer holds about a row: results, errors.
fn entries(operation: Operation, row: &Row) -> (Vec<Value>, Vec<Value>) {
    let creates = operation == Operation::BatchCreate;
    let trace = row.intent_id.to_string();
    let done = json!({"id": row.crm_id.0, "objectWriteTraceId": trace, "properties": {"gatekeeper_key": row.key}});
    let anonymous = json!({"id": row.crm_id.0, "properties": {"gatekeeper_key": row.key}});
    let merged_id = format!("9{}", row.crm_id.0);
    let merged = match creates {
        true => json!({"id": merged_id, "properties": {"gatekeeper_key": row.key}}),
        false => json!({"id": merged_id, "properties": {"hs_merged_object_ids": format!("1;{}", row.crm_id.0)}}),
    };
    let invalid = json!({"category": "VALIDATION_ERROR", "message": "no", "context": {"objectWriteTraceId": [trace]}});
    let conflict = json!({"category": "CONFLICT", "message": "Contact already exists. Existing ID: 5",
        "context": {"objectWriteTraceId": [trace]}});
    let gone = json!({"category": "OBJECT_NOT_FOUND", "message": "gone", "context": {"ids": [row.crm_id.0]}});
    match row.fate {
        Fate::DoneByTrace => (vec![done], vec![]),
        Fate::DoneByKeyOrId => (vec![anonymous], vec![]),
        Fate::DoneAfterMerge => (vec![merged], vec![]),
        Fate::DoneTwiceTold => (vec![done, anonymous], vec![]),
        Fate::DoneWithoutId => (vec![json!({"objectWriteTraceId": trace})], vec![]),
        Fate::RefusedByTrace => (vec![], vec![invalid.clone(), invalid]),
        Fate::RefusedById => (vec![], vec![gone]),
        Fate::Conflict => (vec![], vec![conflict]),
        Fate::DoneAndRefused => (vec![done], vec![invalid]),
        Fate::LeftOut => (vec![], vec![]),
    }
}

fn expected(operation: Operation, fate: Fate) -> &'static str {
    match fate {
        Fate::DoneByTrace | Fate::DoneByKeyOrId | Fate::DoneAfterMerge | Fate::DoneTwiceTold => "applied",
        Fate::DoneWithoutId => "unknown no_id_in_answer",
        Fate::RefusedByTrace => "rejected",
        // A contact that is yet to be made has no id by which it could be named.
        Fate::RefusedById if operation == Operation::BatchCreate => "unknown missing_from_answer",
        Fate::RefusedById => "missing",
        Fate::Conflict => "conflict",
        Fate::DoneAndRefused => "unknown contradictory_answer",
        Fate::LeftOut => "unknown missing_from_answer",
    }
}

fn brief(outcome: &RowOutcome) -> String {
    match outcome {
        RowOutcome::Applied { .. } => "applied".to_owned(),
        RowOutcome::Rejected { .. } => "rejected".to_owned(),
        RowOutcome::Conflict { .. } => "conflict".to_owned(),
        RowOutcome::Missing { .. } => "missing".to_owned(),
        RowOutcome::Unknown { reason } => format!("unknown {reason}"),
        RowOutcome::NotSent => "not sent".to_owned(),
    }
}

fn rows(fates: &[Fate]) -> Vec<Row> {
    let row = |(at, fate): (usize, &Fate)| Row {
        fate: *fate,
        intent_id: IntentId::new(),
        key: format!("v1.{at}"),
        crm_id: CrmId((1_000 + at).to_string()),
    };
    fates.iter().enumerate().map(row).collect()
}

/// Reconciles through the traits' own row types and HubSpot's own JSON.
fn run(operation: Operation, rows: &[Row], body: &Value) -> Outcomes {
    let values = || BTreeMap::from([(Field::FirstName, "Ana".to_owned())]);
    let create = |row: &Row| CreateRow {
        intent_id: row.intent_id,
        gatekeeper_key: row.key.clone(),
        values: values(),
    };
    let update = |row: &Row| UpdateRow {
        intent_id: row.intent_id,
        crm_id: row.crm_id.clone(),
        values: values(),
    };
    let told = told(body, &Names::new(None).unwrap(), &|_| true);
    if operation == Operation::BatchCreate {
        let rows: Vec<CreateRow> = rows.iter().map(create).collect();
        reconcile(operation, &rows.iter().map(Sent::from).collect::<Vec<_>>(), told)
    } else {
        let rows: Vec<UpdateRow> = rows.iter().map(update).collect();
        reconcile(operation, &rows.iter().map(Sent::from).collect::<Vec<_>>(), told)
    }
}

fn strangers() -> (Vec<Value>, Vec<Value>) {
    let result = json!({"id": "77", "objectWriteTraceId": IntentId::new().to_string(),
        "properties": {"gatekeeper_key": "v1.stranger", "hs_merged_object_ids": "78"}});
    let error = json!({"category": "VALIDATION_ERROR", "message": "no",
        "context": {"objectWriteTraceId": [IntentId::new().to_string()], "ids": ["79"]}});
    (vec![result, json!("text"), json!({})], vec![error, json!(7), json!({})])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_row_sent_has_the_outcome_that_the_answer_proves_in_any_order(
        fates in prop::collection::vec(prop::sample::select(FATES.to_vec()), 2..30),
        creates in any::<bool>(),
        with_strangers in any::<bool>(),
        order in any::<u64>(),
    ) {
        let operation = if creates { Operation::BatchCreate } else { Operation::BatchUpdate };
        let rows = rows(&fates);
        let (mut results, mut errors) = if with_strangers { strangers() } else { (vec![], vec![]) };
        for row in &rows {
            let (more_results, more_errors) = entries(operation, row);
            results.extend(more_results);
            errors.extend(more_errors);
        }
        // Any order at all, from one number: each entry goes where the number says.
        let shuffle = |list: &mut Vec<Value>| {
            let mut state = order;
            for at in (1..list.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                list.swap(at, (state >> 33) as usize % (at + 1));
            }
        };
        shuffle(&mut results);
        shuffle(&mut errors);
        let outcomes = run(operation, &rows, &json!({"status": "COMPLETE", "results": results, "errors": errors}));
        prop_assert_eq!(outcomes.len(), rows.len());
        for row in &rows {
            prop_assert_eq!(brief(&outcomes[&row.intent_id]), expected(operation, row.fate), "{:?}", row.fate);
        }
    }
}

#[test]
fn what_an_unfinished_batch_does_not_account_for_is_unknown() {
    let rows = rows(&[Fate::DoneByTrace, Fate::LeftOut]);
    let (results, _) = entries(Operation::BatchCreate, &rows[0]);
    let outcomes = run(
        Operation::BatchCreate,
        &rows,
        &json!({"status": "PROCESSING", "results": results}),
    );
    assert_eq!(brief(&outcomes[&rows[0].intent_id]), "applied");
    assert_eq!(brief(&outcomes[&rows[1].intent_id]), "unknown status_processing");
}

#[test]
fn an_answer_without_the_shape_of_a_batch_accounts_for_nothing() {
    for body in [
        json!({}),
        json!([]),
        json!(null),
        json!({"status": "COMPLETE", "results": {}}),
        json!({"results": null}),
    ] {
        let rows = rows(&[Fate::DoneByTrace, Fate::LeftOut]);
        for outcome in run(Operation::BatchCreate, &rows, &body).values() {
            assert_eq!(brief(outcome), "unknown missing_from_answer", "{body}");
        }
    }
}

#[test]
fn a_nameless_error_is_about_the_row_only_when_it_stands_alone() {
    let body = json!({"errors": [{"category": "VALIDATION_ERROR", "message": "no"}]});
    let one = rows(&[Fate::LeftOut]);
    assert_eq!(
        brief(&run(Operation::BatchCreate, &one, &body)[&one[0].intent_id]),
        "rejected"
    );
    let two = rows(&[Fate::LeftOut, Fate::LeftOut]);
    for outcome in run(Operation::BatchCreate, &two, &body).values() {
        assert_eq!(brief(outcome), "unknown missing_from_answer");
    }
}

#[test]
fn a_trace_id_with_the_key_of_another_row_is_not_believed() {
    let rows = rows(&[Fate::DoneByTrace, Fate::LeftOut]);
    let body = json!({"results": [{"id": "1", "objectWriteTraceId": rows[0].intent_id.to_string(),
        "properties": {"gatekeeper_key": rows[1].key}}]});
    let outcomes = run(Operation::BatchCreate, &rows, &body);
    assert_eq!(brief(&outcomes[&rows[0].intent_id]), "unknown contradictory_answer");
}

#[test]
fn two_new_rows_never_are_one_contact() {
    let rows = rows(&[Fate::DoneByTrace, Fate::DoneByTrace]);
    let result = |row: &Row| json!({"id": "1", "objectWriteTraceId": row.intent_id.to_string()});
    let body = json!({"results": [result(&rows[0]), result(&rows[1])]});
    for outcome in run(Operation::BatchCreate, &rows, &body).values() {
        assert_eq!(brief(outcome), "unknown contradictory_answer");
    }
    let updated = run(Operation::BatchUpdate, &rows, &body);
    assert!(
        updated.values().all(|outcome| brief(outcome) == "applied"),
        "two ids may have been merged into one"
    );
}

#[test]
fn a_whole_refusal_is_the_row_s_only_when_it_names_it_or_it_stands_alone() {
    let rows = rows(&[Fate::LeftOut, Fate::LeftOut]);
    let creates: Vec<CreateRow> = rows
        .iter()
        .map(|row| CreateRow {
            intent_id: row.intent_id,
            gatekeeper_key: row.key.clone(),
            values: BTreeMap::new(),
        })
        .collect();
    let sent: Vec<Sent<'_>> = creates.iter().map(Sent::from).collect();
    let of = |sent: &[Sent<'_>], status: u16, body: Value| -> Vec<String> {
        let outcomes = refused(Operation::BatchCreate, sent, status, Complaint::of(&body));
        sent.iter().map(|row| brief(&outcomes[&row.intent_id])).collect()
    };
    let taken = json!({"message": "Contact already exists. Existing ID: 5", "category": "CONFLICT"});
    let named = json!({"category": "VALIDATION_ERROR", "errors": [{"code": "INVALID_EMAIL",
        "context": {"objectWriteTraceId": [rows[1].intent_id.to_string()]}}]});
    let twice = json!({"message": "Duplicate IDs found in batch input: [x]. IDs must be unique",
        "context": {"ids": ["1000"]}, "category": "VALIDATION_ERROR"});
    assert_eq!(of(&sent, 409, taken.clone()), ["not sent", "not sent"]);
    assert_eq!(of(&sent, 400, named), ["not sent", "rejected"]);
    assert_eq!(of(&sent, 400, twice), ["not sent", "not sent"]);
    assert_eq!(of(&sent[..1], 409, taken), ["conflict"]);
    assert_eq!(
        of(&sent[..1], 409, json!({})),
        ["conflict"],
        "the body may never have arrived"
    );
    assert_eq!(of(&sent[..1], 400, json!({})), ["rejected"]);
    assert_eq!(of(&sent[..1], 413, json!({})), ["rejected"]);
}
