//! The bodies of refusals that come before the request is looked at: token, scopes, limits, and injected statuses.

use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::{Body, Rule};
use super::limits::Refusal;
use super::wire::Problem;

/// A refusal as it is sent.
pub(super) struct Sent {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    pub(super) retry_after_s: Option<u64>,
}

impl Sent {
    /// A JSON body.
    pub(super) fn json(status: u16, body: &Value) -> Sent {
        Sent {
            status,
            content_type: "application/json;charset=utf-8",
            body: body.to_string(),
            retry_after_s: None,
        }
    }

    /// Text of a proxy.
    fn proxy(status: u16, content_type: &'static str, body: String) -> Sent {
        Sent {
            status,
            content_type,
            body,
            retry_after_s: None,
        }
    }
}

/// 401.
pub(super) fn unauthenticated() -> Problem {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find \
                   more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
    Problem::new(401, Some("INVALID_AUTHENTICATION"), message)
}

/// 403: any one of the scopes would do.
pub(super) fn missing_scopes(scopes: &[&str]) -> Problem {
    let message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes \
                   here: https://developers.hubspot.com/scopes.";
    let context = json!({"requiredGranularScopes": scopes});
    Problem::new(403, Some("MISSING_SCOPES"), message)
        .with_error(json!({"message": "One or more of the following scopes are required.", "context": context}))
        .with_field("links", json!({"scopes": "https://developers.hubspot.com/scopes"}))
}

/// 414 of the server in front, which is not JSON.
pub(super) fn url_too_long() -> Sent {
    Sent::proxy(
        414,
        "text/html",
        "<html><head><title>414 Request-URI Too Large</title></head></html>".to_owned(),
    )
}

/// 429 of a limit.
pub(super) fn too_many(refusal: Refusal, correlation_id: Uuid) -> Value {
    let policy = match refusal {
        Refusal::Daily => "DAILY",
        Refusal::TenSecondly => "TEN_SECONDLY_ROLLING",
        Refusal::Secondly => "SECONDLY",
    };
    throttled(policy, correlation_id)
}

fn throttled(policy: &str, correlation_id: Uuid) -> Value {
    let id = correlation_id.to_string();
    if policy == "SECONDLY" {
        let message = "You have reached your secondly limit.";
        return json!({"status": "error", "message": message, "correlationId": id, "category": "RATE_LIMITS"});
    }
    json!({
        "status": "error",
        "message": format!("You have reached your {} limit.", policy.to_lowercase()),
        "errorType": "RATE_LIMIT",
        "correlationId": id,
        "policyName": policy,
        "requestId": id.replace('-', ""),
    })
}

/// The answer of a fault rule that names a status.
pub(super) fn injected(status: u16, rule: &Rule, correlation_id: Uuid) -> Sent {
    let by_proxy = matches!(status, 502..=504 | 521..=526);
    let plain = rule.body.map_or(by_proxy, |body| body == Body::Plain);
    let mut sent = match status {
        429 if plain => Sent::proxy(429, "text/plain", "error code: 1015".to_owned()),
        _ if plain => Sent::proxy(
            status,
            "text/html",
            format!("<html><head><title>{status}</title></head><body>{status}</body></html>"),
        ),
        429 => Sent::json(
            429,
            &throttled(rule.policy.as_deref().unwrap_or("TEN_SECONDLY_ROLLING"), correlation_id),
        ),
        _ => Sent::json(status, &known(status).into_body(correlation_id)),
    };
    sent.retry_after_s = rule.retry_after_s.or((status == 477).then_some(60));
    sent
}

fn known(status: u16) -> Problem {
    match status {
        401 => unauthenticated(),
        403 => missing_scopes(&["crm.objects.contacts.write"]),
        404 => Problem::new(404, Some("OBJECT_NOT_FOUND"), "resource not found"),
        423 => Problem::new(
            423,
            None,
            "The records are locked by another request. Try again in 2 seconds.",
        ),
        477 => Problem::new(477, None, "Migration in progress"),
        500.. => Problem::new(status, None, "internal error"),
        _ => Problem::new(status, Some("VALIDATION_ERROR"), "The request is refused"),
    }
}
