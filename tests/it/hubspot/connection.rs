//! Where requests go, with which token, and what is certain when they never left.

use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatekeeper::crm::hubspot::{HubSpot, Token};
use gatekeeper::crm::{CrmError, RateHeaders, Reader, Writer};
use gatekeeper::domain::Field;
use gatekeeper::fault::{Classify, Fault, chain};
use serde_json::json;

use super::script::{Script, Step};
use super::{brief, canonical, connect, permit, person, settings};

/// One row sent; its outcome and the call's error.
async fn write(hubspot: &HubSpot) -> (String, Option<CrmError>) {
    let row = person("v1.a", &[(Field::FirstName, "Ana")]);
    let answer = hubspot.create(permit(), std::slice::from_ref(&row)).await;
    (brief(&answer.rows[&row.intent_id]), answer.error)
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let port = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address")
        .port();
    let (outcome, error) = write(&connect(&format!("http://127.0.0.1:{port}"))).await;
    assert_eq!(outcome, "not sent");
    let error = error.expect("an error");
    assert!(
        matches!(error, CrmError::Unreachable { .. }) && error.fault() == Fault::Transient,
        "{error:?}"
    );
    assert!(chain(&error).contains("check crm.base_url"), "{}", chain(&error));
}

#[tokio::test]
async fn an_unknown_host_name_proves_that_nothing_was_sent() {
    let (outcome, error) = write(&connect("https://no-such-host.invalid")).await;
    assert_eq!(outcome, "not sent");
    assert!(matches!(error, Some(CrmError::Unreachable { host, .. }) if host == "no-such-host.invalid"));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_the_token_is_sent() {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .expect("a server");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut connection = rustls::ServerConnection::new(Arc::new(config)).expect("a connection");
        let mut heard = Vec::new();
        let _ = rustls::Stream::new(&mut connection, &mut stream).read_to_end(&mut heard);
        heard
    });
    let (outcome, error) = write(&connect(&format!("https://localhost:{port}"))).await;
    assert_eq!(outcome, "not sent");
    assert!(matches!(error, Some(CrmError::Unreachable { .. })), "{error:?}");
    assert!(
        server.join().expect("the server ends").is_empty(),
        "not a byte of a request arrived"
    );
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_at_the_time_for_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut settings = settings(&format!("https://{}", listener.local_addr().expect("an address")));
    settings.connect_timeout = Duration::from_millis(300);
    let (outcome, error) = write(&HubSpot::new(settings).expect("good settings")).await;
    assert_eq!(outcome, "not sent");
    assert!(matches!(error, Some(CrmError::Unreachable { .. })), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Script::play([Step::json(201, &json!({}))]).await;
    let there = vec![(
        "location",
        format!("{}/crm/objects/2026-09/contacts/batch/create", elsewhere.base_url),
    )];
    let script = Script::play([Step::Answer(307, there, String::new())]).await;
    let (outcome, error) = write(&connect(&script.base_url)).await;
    assert_eq!(outcome, "not sent");
    assert!(
        matches!(error, Some(CrmError::Refused { status: 307, .. })),
        "{error:?}"
    );
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_new_token_is_used_without_a_restart_and_no_token_is_printed() {
    let account = json!({"portalId": 62515, "timeZone": "Europe/Riga"});
    let script = Script::play([
        Step::json(200, &account),
        Step::json(401, &json!({})),
        Step::json(200, &account),
    ])
    .await;
    let current = Arc::new(Mutex::new("pat-canary-1\n".to_owned()));
    let source = Arc::clone(&current);
    let mut settings = settings(&script.base_url);
    settings.token = Token::from_fn(move || source.lock().expect("a lock").clone());
    let hubspot = HubSpot::new(settings).expect("good settings");
    let first = hubspot.account(permit()).await.result.expect("an account");
    assert_eq!(
        (first.account_id.as_str(), first.time_zone.as_deref()),
        ("62515", Some("Europe/Riga"))
    );
    let refused = hubspot.account(permit()).await;
    assert!(matches!(refused.result, Err(CrmError::Unauthorized { .. })));
    *current.lock().expect("a lock") = "pat-canary-2".to_owned();
    assert!(hubspot.account(permit()).await.result.is_ok());
    let tokens: Vec<bool> = script
        .seen()
        .iter()
        .map(|seen| seen.head.contains("Bearer pat-canary-2\r\n"))
        .collect();
    assert_eq!(tokens, [false, false, true]);
    assert!(!format!("{hubspot:?} {refused:?}").contains("canary"));
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_never_sent() {
    for token in ["", "  \n", "two\nlines"] {
        let script = Script::play([]).await;
        let mut settings = settings(&script.base_url);
        settings.token = Token::fixed(token);
        let (outcome, error) = write(&HubSpot::new(settings).expect("good settings")).await;
        assert_eq!(outcome, "not sent", "{token:?}");
        assert!(matches!(error, Some(CrmError::Settings { .. })), "{error:?}");
        assert!(script.seen().is_empty());
    }
}

#[tokio::test]
async fn limits_and_the_name_of_the_request_are_read_from_the_headers() {
    let headers = vec![
        ("X-HubSpot-RateLimit-Max", "190".to_owned()),
        ("X-HubSpot-RateLimit-Remaining", "17".to_owned()),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", "10000".to_owned()),
        ("X-HubSpot-RateLimit-Daily", "625000".to_owned()),
        ("X-HubSpot-RateLimit-Daily-Remaining", "624000".to_owned()),
        ("X-HubSpot-Correlation-Id", "c-9".to_owned()),
    ];
    let second = json!({"status": "error", "message": "You have reached your secondly limit.", "correlationId": "c-10",
        "category": "RATE_LIMITS"});
    let script = Script::play([
        Step::Answer(200, headers, json!({"results": []}).to_string()),
        Step::Answer(429, vec![("Retry-After", "3".to_owned())], second.to_string()),
    ])
    .await;
    let hubspot = connect(&script.base_url);
    let call = hubspot.list(permit(), &canonical(), None, false).await.call;
    let expected = RateHeaders {
        window_max: Some(190),
        window_remaining: Some(17),
        window: Some(Duration::from_secs(10)),
        daily_max: Some(625_000),
        daily_remaining: Some(624_000),
    };
    assert_eq!(
        (call.rate, call.correlation_id.as_deref(), call.status),
        (expected, Some("c-9"), Some(200))
    );
    assert!(call.duration > Duration::ZERO && call.operation == "list");

    let answer = hubspot.list(permit(), &canonical(), None, false).await;
    assert_eq!(
        answer.call.correlation_id.as_deref(),
        Some("c-10"),
        "the body names it where the headers do not"
    );
    match answer.result {
        Err(CrmError::Throttled { policy, wait }) => {
            assert_eq!((policy.as_str(), wait), ("SECONDLY", Some(Duration::from_secs(3))));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_permit_is_one_request_to_the_path_of_the_version() {
    for (version, line) in [
        ("2026-09", "POST /crm/objects/2026-09/contacts/batch/create HTTP/1.1"),
        ("2026-03", "POST /crm/objects/2026-03/contacts/batch/create HTTP/1.1"),
        ("v3", "POST /crm/v3/objects/contacts/batch/create HTTP/1.1"),
    ] {
        let script = Script::play([Step::json(201, &json!({"status": "COMPLETE", "results": []}))]).await;
        let mut settings = settings(&script.base_url);
        settings.version = version.to_owned();
        write(&HubSpot::new(settings).expect("good settings")).await;
        let seen = script.seen();
        assert_eq!(seen.iter().map(|seen| seen.line.as_str()).collect::<Vec<_>>(), [line]);
        assert!(
            seen[0]
                .head
                .to_ascii_lowercase()
                .contains("content-type: application/json")
        );
        assert!(seen[0].body["inputs"][0]["objectWriteTraceId"].is_string());
    }
}
