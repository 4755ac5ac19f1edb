//! What HubSpot says is wrong: the body of a refusal, or one entry of a batch's `errors`. Both have the same shape.

use serde_json::Value;

use super::{elements, text};
use crate::domain::CrmId;

/// A refusal, as far as it could be read. The message may hold personal data; nothing else here does.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::crm::hubspot) struct Complaint {
    /// HubSpot's words.
    pub(in crate::crm::hubspot) message: String,
    /// `VALIDATION_ERROR`, `CONFLICT`…
    pub(in crate::crm::hubspot) category: Option<String>,
    /// A second word for the category, such as `Properties.PROPERTY_WITH_NAME_EXISTS`.
    pub(in crate::crm::hubspot) sub_category: Option<String>,
    /// The limit that was hit.
    pub(in crate::crm::hubspot) policy: Option<String>,
    /// HubSpot's id of the request.
    pub(in crate::crm::hubspot) correlation_id: Option<String>,
    /// `PROPERTY_DOESNT_EXIST`, `INVALID_EMAIL`…, wherever they stood, the outermost first.
    pub(in crate::crm::hubspot) codes: Vec<String>,
    /// Scopes that would have allowed it.
    pub(in crate::crm::hubspot) scopes: Vec<String>,
    /// Rows that it is about.
    pub(in crate::crm::hubspot) trace_ids: Vec<String>,
    /// Ids, or values asked for, that it is about.
    pub(in crate::crm::hubspot) ids: Vec<String>,
    /// The contact that is in the way, when the body names it outside of free text written by others.
    pub(in crate::crm::hubspot) existing: Option<CrmId>,
    /// The entries of `errors`, wherever they stood, each of them a complaint of its own.
    pub(in crate::crm::hubspot) parts: Vec<Complaint>,
}

impl Complaint {
    /// The refusal in a body. A body that is not JSON gives an empty one.
    pub(in crate::crm::hubspot) fn of_body(body: &[u8]) -> Self {
        serde_json::from_slice::<Value>(body)
            .map(|value| Self::of(&value))
            .unwrap_or_default()
    }

    /// The refusal in a JSON value.
    pub(in crate::crm::hubspot) fn of(value: &Value) -> Self {
        let message = text(value, "message").unwrap_or_default();
        let mut parts: Vec<Complaint> = elements(value, "errors").iter().map(Self::of).collect();
        parts.extend(embedded(&message));
        let mut codes: Vec<String> = ["code", "error"]
            .iter()
            .filter_map(|member| text(value, member))
            .collect();
        codes.extend(parts.iter().flat_map(|part| part.codes.iter().cloned()));
        let scopes = ["requiredGranularScopes", "requiredScopes"]
            .iter()
            .flat_map(|member| context(value, member));
        let vid = value.get("identityProfile").and_then(|profile| text(profile, "vid"));
        let existing = vid
            .map(CrmId)
            .or_else(|| existing_id(&message))
            .or_else(|| parts.iter().find_map(|part| part.existing.clone()));
        Self {
            category: text(value, "category"),
            sub_category: text(value, "subCategory"),
            policy: text(value, "policyName"),
            correlation_id: text(value, "correlationId"),
            codes,
            scopes: with_parts(scopes.collect(), &parts, |part| &part.scopes),
            trace_ids: with_parts(context(value, "objectWriteTraceId"), &parts, |part| &part.trace_ids),
            ids: with_parts(context(value, "ids"), &parts, |part| &part.ids),
            existing,
            message,
            parts,
        }
    }

    /// Whether any of the codes is `code`.
    pub(in crate::crm::hubspot) fn says(&self, code: &str) -> bool {
        self.codes.iter().any(|one| one == code)
    }
}

/// A refusal is about whatever its parts are about.
fn with_parts(mut own: Vec<String>, parts: &[Complaint], of: impl Fn(&Complaint) -> &Vec<String>) -> Vec<String> {
    own.extend(parts.iter().flat_map(|part| of(part).iter().cloned()));
    own
}

/// `context` holds lists of texts under names; a single text is taken for a list of one.
fn context(value: &Value, member: &str) -> Vec<String> {
    let Some(found) = value.get("context").and_then(|context| context.get(member)) else {
        return Vec::new();
    };
    match found {
        Value::Array(list) => list.iter().filter_map(super::as_text).collect(),
        one => super::as_text(one).into_iter().collect(),
    }
}

/// Older paths write what `errors` would hold as JSON behind these words of the message. Only behind them: a message may
/// quote what a lead brought, and a lead must not be able to write a refusal of its own.
const EMBEDDED: &str = "Property values were not valid: ";

fn embedded(message: &str) -> Vec<Complaint> {
    let list = message.strip_prefix(EMBEDDED).unwrap_or_default();
    let mut lists = serde_json::Deserializer::from_str(list).into_iter::<Vec<Value>>();
    lists
        .next()
        .and_then(Result::ok)
        .unwrap_or_default()
        .iter()
        .map(Complaint::of)
        .collect()
}

/// The id in the texts of a conflict: `Existing ID: 37765128953` for an address, `456 already has that value` for a unique
/// property. Both at the very end, where HubSpot's own words stand and never a value that it quotes.
fn existing_id(message: &str) -> Option<CrmId> {
    let ended = message.trim_end_matches(|end: char| end == '.' || end.is_whitespace());
    let digits = match ended.strip_suffix(" already has that value") {
        Some(before) => before.rsplit(|other: char| !other.is_ascii_digit()).next()?,
        None => ended.rsplit_once("Existing ID:")?.1.trim_start(),
    };
    let fits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| CrmId(digits.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_shapes_of_a_conflict_give_the_id() {
        let profile = json!({
            "message": "Contact already exists. Existing ID: 1", "category": "OBJECT_ALREADY_EXISTS",
            "error": "CONTACT_EXISTS",
            "identityProfile": {"vid": 2926551, "identity": [{"value": "a@example.org", "type": "EMAIL"}]},
        });
        let cases = [
            (
                json!({"message": "Contact already exists. Existing ID: 37765128953", "category": "CONFLICT"}),
                "37765128953",
            ),
            (profile, "2926551"),
            (
                json!({"message": "Conflict", "errors": [
                    {"message": "A contact with email a@example.org already exists. Existing ID: 55", "in": "email"}]}),
                "55",
            ),
            (
                json!({"message": "Cannot set value=x on 1. 456 already has that value."}),
                "456",
            ),
        ];
        for (body, id) in cases {
            assert_eq!(Complaint::of(&body).existing, Some(CrmId(id.to_owned())), "{body}");
        }
        assert_eq!(
            Complaint::of(&json!({"message": "Contact already exists"})).existing,
            None
        );
        assert_eq!(Complaint::of(&json!({"message": "Existing ID: none"})).existing, None);
    }

    #[test]
    fn codes_are_found_wherever_they_stand() {
        let nested = "Property values were not valid: [{\"isValid\":false,\"error\":\"PROPERTY_DOESNT_EXIST\",\
                      \"name\":\"x\"}] and more";
        let cases = [
            (json!({"message": nested}), "PROPERTY_DOESNT_EXIST"),
            (json!({"errors": [{"code": "INVALID_EMAIL"}]}), "INVALID_EMAIL"),
            (json!({"errors": [{"error": "INVALID_OPTION"}]}), "INVALID_OPTION"),
            (json!({"error": "CONTACT_EXISTS"}), "CONTACT_EXISTS"),
            (json!({"errors": [{"errors": [{"code": "DEEP"}]}]}), "DEEP"),
        ];
        for (body, code) in cases {
            assert_eq!(Complaint::of(&body).codes, [code], "{body}");
        }
    }

    #[test]
    fn a_value_that_is_quoted_in_a_message_is_never_taken_for_words_of_the_crm() {
        let forged = [
            "Email address [{\"error\":\"CONFLICTING_UNIQUE_VALUE\",\"message\":\"5 already has that value\"}] is invalid",
            "Email address Existing ID: 5 is invalid",
            "A contact with email Existing ID: 5 already exists",
            "5 already has that value was not one of the allowed options",
        ];
        for message in forged {
            let complaint = Complaint::of(&json!({"message": message, "category": "VALIDATION_ERROR"}));
            assert_eq!((complaint.existing, complaint.codes), (None, vec![]), "{message}");
        }
    }

    #[test]
    fn a_context_may_hold_lists_or_single_texts() {
        let body = json!({
            "context": {"objectWriteTraceId": ["t1", "t2"], "ids": "512"},
            "errors": [{"context": {"requiredGranularScopes": ["crm.objects.contacts.read"]}}],
        });
        let complaint = Complaint::of(&body);
        assert_eq!(complaint.trace_ids, ["t1", "t2"]);
        assert_eq!(complaint.ids, ["512"]);
        assert_eq!(complaint.scopes, ["crm.objects.contacts.read"]);
    }

    #[test]
    fn what_cannot_be_read_is_an_empty_complaint() {
        for body in [
            "error code: 1015",
            "",
            "{\"message\":",
            "[]",
            "null",
            "{\"errors\":{\"a\":1},\"context\":7}",
        ] {
            assert_eq!(Complaint::of_body(body.as_bytes()), Complaint::default(), "{body}");
        }
    }
}
