//! A sandbox account, the connector on it, and what other people do in that account meanwhile.

use gatekeeper::crm::hubspot::{HubSpot, Token};
use gatekeeper::crm::{BatchAnswer, CreateRow, ReadAnswer, ReadKey, Reader, RowOutcome, Writer};
use gatekeeper::domain::{CrmId, Field};
use gatekeeper::sandbox::{Options, Rule, Running, start};
use serde_json::{Value, json};

use super::{canonical, permit, person, settings};

/// A running account.
pub(super) struct Account {
    pub(super) running: Running,
    pub(super) hubspot: HubSpot,
    http: reqwest::Client,
}

impl Account {
    /// An account with our unique property and one for the external id, spoken to in the default version.
    pub(super) async fn open(options: Options) -> Self {
        Self::open_in("2026-09", options).await
    }

    pub(super) async fn open_in(version: &str, mut options: Options) -> Self {
        options.unique = vec!["gatekeeper_key".to_owned(), "ext_id".to_owned()];
        Self::bare(version, options).await
    }

    /// An account with fault rules in force from the start.
    pub(super) async fn faulty(faults: Vec<Rule>) -> Self {
        Self::open(Options {
            faults,
            ..Options::default()
        })
        .await
    }

    /// An account without any property of ours.
    pub(super) async fn bare(version: &str, options: Options) -> Self {
        let running = start(options).await.expect("the sandbox starts");
        let mut settings = settings(&running.base_url());
        settings.version = version.to_owned();
        let hubspot = HubSpot::new(settings).expect("good settings");
        Self {
            running,
            hubspot,
            http: plain_http(),
        }
    }

    /// The connector of another app or time, with another token.
    pub(super) fn with_token(&self, token: &str) -> HubSpot {
        let mut settings = settings(&self.running.base_url());
        settings.token = Token::fixed(token);
        HubSpot::new(settings).expect("good settings")
    }

    /// Makes contacts, all of which must succeed; their ids in the order of the rows.
    pub(super) async fn make(&self, rows: &[CreateRow]) -> Vec<String> {
        let answer = self.hubspot.create(permit(), rows).await;
        rows.iter().map(|row| applied(&answer, row).to_owned()).collect()
    }

    /// Makes one contact with this key and address.
    pub(super) async fn make_one(&self, key: &str, email: &str) -> String {
        self.make(&[person(key, &[(Field::Email, email)])]).await.remove(0)
    }

    /// Reads by a key; the read must succeed.
    pub(super) async fn read(&self, key: ReadKey, values: &[&str]) -> ReadAnswer {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        self.hubspot
            .read(permit(), &canonical(), key, &values)
            .await
            .result
            .expect("an answer")
    }

    /// Somebody else merges two contacts; the id that comes out.
    pub(super) async fn merge(&self, primary: &str, other: &str) -> String {
        let body = json!({"primaryObjectId": primary, "objectIdToMerge": other});
        let (status, answer) = self.post("/crm/objects/2026-09/contacts/merge", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// Somebody else moves a contact to the recycle bin.
    pub(super) async fn archive(&self, id: &str) {
        let body = json!({"inputs": [{"id": id}]});
        let (status, _) = self.post("/crm/objects/2026-09/contacts/batch/archive", &body).await;
        assert_eq!(status, 204);
    }

    /// A call that does not go through the connector.
    pub(super) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.running.base_url());
        let answer = self
            .http
            .post(url)
            .bearer_auth("sandbox-token")
            .json(body)
            .send()
            .await
            .expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }
}

/// The id that a row was given; panics when it was not applied.
pub(super) fn applied<'a>(answer: &'a BatchAnswer, row: &CreateRow) -> &'a str {
    match &answer.rows[&row.intent_id] {
        RowOutcome::Applied { crm_id: CrmId(id), .. } => id,
        other => panic!("{other:?}"),
    }
}

/// The id of the record that answers a value, if any does.
pub(super) fn found<'a>(answer: &'a ReadAnswer, value: &str) -> Option<&'a str> {
    answer.found.get(value).map(|at| answer.records[*at].crm_id.as_str())
}

fn plain_http() -> reqwest::Client {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()
        .expect("a client")
}
