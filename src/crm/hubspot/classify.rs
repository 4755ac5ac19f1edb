//! What a status and a body mean: for the call as a whole, and for one row. Pure; the table of crm-apis 1.13 and 1.14.

use std::time::Duration;

use super::operation::Operation;
use super::wire::Complaint;
use crate::crm::{CrmError, RowOutcome};

/// A lock on a record lasts two seconds.
const LOCKED: Duration = Duration::from_secs(2);
/// A portal that moves between data centres, when it does not say for how long.
const MOVING: Duration = Duration::from_secs(60);
/// The rolling window, when no header says how long it is.
const ROLLING: Duration = Duration::from_secs(10);

/// The parts of an answer that decide what it means, body apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signs {
    /// HTTP status.
    pub(super) status: u16,
    /// `Retry-After`, when there is one. Not documented for 429, so never relied on.
    pub(super) retry_after: Option<Duration>,
    /// Length of the rolling window by the headers.
    pub(super) window: Option<Duration>,
}

/// Why a call that was not answered with 2xx failed.
pub(super) fn refusal(operation: Operation, signs: Signs, complaint: &Complaint) -> CrmError {
    let refused = || CrmError::Refused {
        operation: operation.name(),
        status: signs.status,
        category: words(complaint),
    };
    let spoilt = || CrmError::BatchRefused {
        category: words(complaint),
    };
    let busy = |floor: Duration, usual: Duration| CrmError::Busy {
        status: signs.status,
        wait: signs.retry_after.unwrap_or(usual).max(floor),
    };
    match signs.status {
        401 => CrmError::Unauthorized {
            category: word(complaint.category.as_deref()),
        },
        403 => forbidden(operation, complaint),
        // A right that is missing, told as a bad request; only tokens of users meet it.
        400 if complaint.message.contains("Missing 'Edit Associations' permission") => CrmError::Forbidden {
            operation: operation.name(),
            scopes: "of the user permission to edit associations".to_owned(),
        },
        // The property asked by is not there: no halving helps.
        400 if operation == Operation::BatchRead && complaint.says("PROPERTY_DOESNT_EXIST") => refused(),
        404 if complaint.category.as_deref() != Some("OBJECT_NOT_FOUND") => refused(),
        400 | 404 | 409 | 413 | 422 if operation.is_batch() => spoilt(),
        423 => busy(LOCKED, LOCKED),
        429 => throttled(signs, complaint),
        477 => busy(Duration::from_secs(1), MOVING),
        status @ 500.. => CrmError::NoAnswer {
            reason: format!("status_{status}"),
        },
        // The edge gave up on a request that it had begun to read.
        408 => CrmError::NoAnswer {
            reason: "status_408".to_owned(),
        },
        _ => refused(),
    }
}

/// What became of the row that a complaint is about.
pub(super) fn row_outcome(operation: Operation, complaint: &Complaint) -> RowOutcome {
    let category = complaint.category.as_deref().unwrap_or_default();
    let message = complaint.message.clone();
    if is_conflict(complaint) {
        return RowOutcome::Conflict {
            crm_id: complaint.existing.clone(),
            message,
        };
    }
    match category {
        "OBJECT_NOT_FOUND" if operation == Operation::BatchUpdate => RowOutcome::Missing { message },
        "RATE_LIMITS" | "RATE_LIMIT" => RowOutcome::NotSent,
        _ if is_their_fault(category) => RowOutcome::Unknown {
            reason: format!("row_{}", word(Some(category)).to_ascii_lowercase()),
        },
        _ if *complaint == Complaint::default() => RowOutcome::Unknown {
            reason: "unexplained_error".to_owned(),
        },
        _ => RowOutcome::Rejected {
            code: code(complaint),
            message,
        },
    }
}

/// The records took part in 250 merges together: they cannot be merged, ever (crm-apis 1.8).
pub(super) fn too_many_merges(status: u16) -> bool {
    status == 414
}

/// The address or the key is taken. A unique property's conflict comes as a validation error (400), not as 409.
fn is_conflict(complaint: &Complaint) -> bool {
    matches!(
        complaint.category.as_deref(),
        Some("CONFLICT" | "OBJECT_ALREADY_EXISTS")
    ) || complaint.says("CONTACT_EXISTS")
        || complaint.says("CONFLICTING_UNIQUE_VALUE")
        || complaint.parts.iter().any(is_conflict)
}

/// The CRM failed at the row, which says nothing about the row.
fn is_their_fault(category: &str) -> bool {
    ["INTERNAL", "SERVER", "TIMEOUT", "UNAVAILABLE"]
        .iter()
        .any(|sign| category.contains(sign))
}

fn forbidden(operation: Operation, complaint: &Complaint) -> CrmError {
    let named: Vec<String> = complaint.scopes.iter().map(|scope| word(Some(scope))).collect();
    let scopes = if named.is_empty() {
        operation.scope().to_owned()
    } else {
        named.join(" or ")
    };
    CrmError::Forbidden {
        operation: operation.name(),
        scopes,
    }
}

fn throttled(signs: Signs, complaint: &Complaint) -> CrmError {
    // Search's own limit comes without a name of the policy; only the message tells.
    let message = complaint.message.to_ascii_lowercase();
    let policy = match &complaint.policy {
        Some(policy) => word(Some(policy)),
        None if message.contains("ten_secondly") => "TEN_SECONDLY_ROLLING".to_owned(),
        None if message.contains("secondly") => "SECONDLY".to_owned(),
        None if message.contains("daily") => "DAILY".to_owned(),
        None => "unnamed".to_owned(),
    };
    let usual = match policy.as_str() {
        "DAILY" => None,
        "SECONDLY" => Some(Duration::from_secs(1)),
        _ => Some(signs.window.unwrap_or(ROLLING)),
    };
    CrmError::Throttled {
        policy,
        wait: signs.retry_after.or(usual),
    }
}

/// The reason code of a rejected row: the most telling word, in lower case.
pub(super) fn code(complaint: &Complaint) -> String {
    let first = complaint
        .codes
        .first()
        .or(complaint.category.as_ref())
        .map(String::as_str);
    word(first).to_ascii_lowercase()
}

/// Category and codes for an error's text. Only words: a message may hold what a person wrote.
fn words(complaint: &Complaint) -> String {
    let mut all = vec![word(complaint.category.as_deref())];
    all.extend(complaint.sub_category.iter().map(|sub| word(Some(sub))));
    for one in &complaint.codes {
        let one = word(Some(one));
        if !all.contains(&one) && all.len() < 6 {
            all.push(one);
        }
    }
    all.join(" ")
}

/// A text that is surely a word of the vocabulary, not of a contact.
fn word(text: Option<&str>) -> String {
    let plain = |text: &&str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':');
        !text.is_empty() && text.len() <= 60 && text.bytes().all(fits)
    };
    text.filter(plain).unwrap_or("unnamed").to_owned()
}

#[cfg(test)]
mod tests;
