//! The table of statuses and bodies, as data.

use serde_json::{Value, json};

use super::*;
use crate::domain::CrmId;
use crate::fault::{Classify, Fault};

fn signs(status: u16) -> Signs {
    Signs {
        status,
        ..Signs::default()
    }
}

fn refuse(operation: Operation, status: u16, body: &str) -> CrmError {
    refusal(operation, signs(status), &Complaint::of_body(body.as_bytes()))
}

/// An error by the shortest text that tells it from the others.
fn brief(error: &CrmError) -> String {
    match error {
        CrmError::Unauthorized { category } => format!("unauthorized {category}"),
        CrmError::Forbidden { scopes, .. } => format!("forbidden {scopes}"),
        CrmError::Throttled { policy, wait } => format!("throttled {policy} {wait:?}"),
        CrmError::Busy { status, wait } => format!("busy {status} {wait:?}"),
        CrmError::NoAnswer { reason } => format!("no answer {reason}"),
        CrmError::Refused { status, category, .. } => format!("refused {status} {category}"),
        CrmError::BatchRefused { category } => format!("batch {category}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_status_has_its_meaning() {
    use Operation::{BatchCreate, BatchRead, BatchUpdate, List, Search};
    let invalid = r#"{"category":"VALIDATION_ERROR","errors":[{"code":"INVALID_EMAIL","message":"bob@@ is bad"}]}"#;
    let required = r#"{"category":"VALIDATION_ERROR","errors":[{"code":"MISSING_REQUIRED_PROPERTY"}]}"#;
    let twice =
        r#"{"message":"Duplicate IDs found in batch input: [x]. IDs must be unique","category":"VALIDATION_ERROR"}"#;
    let no_property = r#"{"category":"VALIDATION_ERROR","errors":[{"code":"PROPERTY_DOESNT_EXIST"}]}"#;
    let scope =
        r#"{"category":"MISSING_SCOPES","errors":[{"context":{"requiredGranularScopes":["a.read","b.read"]}}]}"#;
    let gone = r#"{"category":"OBJECT_NOT_FOUND","message":"…"}"#;
    let second = r#"{"message":"You have reached your secondly limit.","category":"RATE_LIMITS"}"#;
    let table: &[(Operation, u16, &str, &str)] = &[
        (BatchCreate, 400, invalid, "batch VALIDATION_ERROR INVALID_EMAIL"),
        (
            BatchCreate,
            400,
            required,
            "batch VALIDATION_ERROR MISSING_REQUIRED_PROPERTY",
        ),
        (BatchUpdate, 400, twice, "batch VALIDATION_ERROR"),
        (BatchRead, 400, invalid, "batch VALIDATION_ERROR INVALID_EMAIL"),
        (
            BatchRead,
            400,
            no_property,
            "refused 400 VALIDATION_ERROR PROPERTY_DOESNT_EXIST",
        ),
        (Search, 400, invalid, "refused 400 VALIDATION_ERROR INVALID_EMAIL"),
        (BatchCreate, 400, "not json", "batch unnamed"),
        (
            BatchCreate,
            400,
            r#"{"message":"Missing 'Edit Associations' permission."}"#,
            "forbidden of the user permission to edit associations",
        ),
        (
            List,
            401,
            r#"{"category":"EXPIRED_AUTHENTICATION"}"#,
            "unauthorized EXPIRED_AUTHENTICATION",
        ),
        (List, 401, "<html>", "unauthorized unnamed"),
        (BatchCreate, 403, scope, "forbidden a.read or b.read"),
        (BatchCreate, 403, "{}", "forbidden crm.objects.contacts.write"),
        (List, 404, "{}", "refused 404 unnamed"),
        (BatchUpdate, 404, "{}", "refused 404 unnamed"),
        (BatchUpdate, 404, gone, "batch OBJECT_NOT_FOUND"),
        (BatchCreate, 409, r#"{"category":"CONFLICT"}"#, "batch CONFLICT"),
        (List, 414, "", "refused 414 unnamed"),
        (BatchCreate, 413, "", "batch unnamed"),
        (BatchUpdate, 423, "", "busy 423 2s"),
        (
            List,
            429,
            r#"{"policyName":"DAILY","errorType":"RATE_LIMIT"}"#,
            "throttled DAILY None",
        ),
        (
            List,
            429,
            r#"{"policyName":"TEN_SECONDLY_ROLLING"}"#,
            "throttled TEN_SECONDLY_ROLLING Some(10s)",
        ),
        (List, 429, r#"{"policyName":"SECONDLY"}"#, "throttled SECONDLY Some(1s)"),
        (Search, 429, second, "throttled SECONDLY Some(1s)"),
        (
            List,
            429,
            r#"{"message":"You have reached your daily limit."}"#,
            "throttled DAILY None",
        ),
        (BatchCreate, 429, "error code: 1015", "throttled unnamed Some(10s)"),
        (BatchCreate, 477, "{}", "busy 477 60s"),
        (BatchCreate, 302, "", "refused 302 unnamed"),
        (BatchCreate, 405, "", "refused 405 unnamed"),
        (BatchCreate, 408, "", "no answer status_408"),
    ];
    for (operation, status, body, expected) in table {
        assert_eq!(
            brief(&refuse(*operation, *status, body)),
            *expected,
            "{operation:?} {status} {body}"
        );
    }
    for status in [500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 599] {
        for operation in [BatchCreate, BatchUpdate, List, BatchRead] {
            let error = refuse(operation, status, "<html>bad gateway</html>");
            assert_eq!(brief(&error), format!("no answer status_{status}"));
            assert_eq!(error.fault(), Fault::Unknown);
        }
    }
}

#[test]
fn a_named_wait_is_honoured_but_a_lock_never_waits_less_than_it_lasts() {
    let with = |status, seconds| Signs {
        status,
        retry_after: Some(Duration::from_secs(seconds)),
        window: Some(Duration::from_secs(7)),
    };
    let cases = [
        (
            with(429, 3),
            r#"{"policyName":"TEN_SECONDLY_ROLLING"}"#,
            "throttled TEN_SECONDLY_ROLLING Some(3s)",
        ),
        (with(429, 30), r#"{"policyName":"DAILY"}"#, "throttled DAILY Some(30s)"),
        (with(477, 86_400), "", "busy 477 86400s"),
        (with(477, 0), "", "busy 477 1s"),
        (with(423, 1), "", "busy 423 2s"),
        (with(423, 9), "", "busy 423 9s"),
        (
            Signs {
                retry_after: None,
                ..with(429, 0)
            },
            "",
            "throttled unnamed Some(7s)",
        ),
    ];
    for (signs, body, expected) in cases {
        let error = refusal(Operation::BatchUpdate, signs, &Complaint::of_body(body.as_bytes()));
        assert_eq!(brief(&error), expected);
    }
}

#[test]
fn every_complaint_about_a_row_has_its_outcome() {
    use Operation::{BatchCreate, BatchUpdate};
    let conflict = |id: Option<&str>| format!("conflict {id:?}");
    let table: Vec<(Operation, Value, String)> = vec![
        (
            BatchCreate,
            json!({"category": "CONFLICT", "message": "Contact already exists. Existing ID: 5"}),
            conflict(Some("5")),
        ),
        (
            BatchCreate,
            json!({"category": "OBJECT_ALREADY_EXISTS", "message": "taken"}),
            conflict(None),
        ),
        (
            BatchCreate,
            json!({"error": "CONTACT_EXISTS", "identityProfile": {"vid": 6}}),
            conflict(Some("6")),
        ),
        (
            BatchCreate,
            json!({"category": "VALIDATION_ERROR", "errors": [{"code": "CONFLICTING_UNIQUE_VALUE",
            "message": "x already has that value"}]}),
            conflict(None),
        ),
        (
            BatchUpdate,
            json!({"category": "VALIDATION_ERROR",
            "message": "Property values were not valid: [{\"error\":\"CONFLICTING_UNIQUE_VALUE\"}]"}),
            conflict(None),
        ),
        (
            BatchUpdate,
            json!({"category": "OBJECT_NOT_FOUND", "message": "gone"}),
            "missing".to_owned(),
        ),
        (
            BatchCreate,
            json!({"category": "OBJECT_NOT_FOUND"}),
            "rejected object_not_found".to_owned(),
        ),
        (
            BatchCreate,
            json!({"category": "VALIDATION_ERROR", "errors": [{"code": "INVALID_EMAIL"}]}),
            "rejected invalid_email".to_owned(),
        ),
        (
            BatchCreate,
            json!({"category": "VALIDATION_ERROR", "errors": [{"code": "MISSING_REQUIRED_PROPERTY"}]}),
            "rejected missing_required_property".to_owned(),
        ),
        (
            BatchCreate,
            json!({"category": "VALIDATION_ERROR", "message": "no codes at all"}),
            "rejected validation_error".to_owned(),
        ),
        (
            BatchCreate,
            json!({"message": "only words"}),
            "rejected unnamed".to_owned(),
        ),
        (BatchCreate, json!({"category": "RATE_LIMITS"}), "not sent".to_owned()),
        (
            BatchCreate,
            json!({"category": "INTERNAL_ERROR"}),
            "unknown row_internal_error".to_owned(),
        ),
        (BatchCreate, json!({}), "unknown unexplained_error".to_owned()),
    ];
    for (operation, body, expected) in table {
        let brief = match row_outcome(operation, &Complaint::of(&body)) {
            RowOutcome::Conflict { crm_id, .. } => conflict(crm_id.as_ref().map(|id: &CrmId| id.0.as_str())),
            RowOutcome::Missing { .. } => "missing".to_owned(),
            RowOutcome::Rejected { code, .. } => format!("rejected {code}"),
            RowOutcome::Unknown { reason } => format!("unknown {reason}"),
            RowOutcome::NotSent => "not sent".to_owned(),
            RowOutcome::Applied { .. } => "applied".to_owned(),
        };
        assert_eq!(brief, expected, "{operation:?} {body}");
    }
}

#[test]
fn no_error_repeats_what_the_crm_wrote_about_a_person() {
    let canary = "ana.canary@example.org";
    let body = json!({
        "message": format!("A contact with email {canary} already exists"), "category": canary, "subCategory": canary,
        "policyName": canary, "errors": [{"code": canary, "message": canary, "context": {"requiredScopes": [canary]}}],
    });
    let complaint = Complaint::of(&body);
    for status in [400, 401, 403, 404, 409, 413, 414, 423, 429, 477, 500] {
        let error = refusal(Operation::BatchCreate, signs(status), &complaint);
        assert!(!format!("{error} {error:?}").contains("canary"), "{status}: {error:?}");
    }
    assert_eq!(code(&complaint), "unnamed");
}
