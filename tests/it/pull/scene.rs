//! A CRM account, a database, and a pull loop between them.

use std::sync::Arc;
use std::time::Duration;

use gatekeeper::crm::hubspot::{HubSpot, Settings, Token};
use gatekeeper::domain::{Field, ReplicaId};
use gatekeeper::governor::{Governor, Limits, Priority};
use gatekeeper::line::Line;
use gatekeeper::pull::{Pull, PullSettings};
use gatekeeper::rulebook::Rulebook;
use gatekeeper::sandbox::{Entry, Options, Rule, Running, start};
use serde_json::{Map, Value, json};

use crate::support::TestDb;

/// A moment long ago in which the CRM's people did nothing else.
pub(super) const LONG_AGO: &str = "2024-05-01T12:00:00.000Z";

/// An account, a database and a loop.
pub(super) struct Scene {
    pub(super) db: TestDb,
    pub(super) crm: Running,
    pub(super) pull: Arc<Pull<HubSpot>>,
}

/// Passes up to this very moment, without reaching back: what a window holds is then exact.
pub(super) fn sharp() -> PullSettings {
    PullSettings {
        poll_every: Duration::from_secs(1),
        lag: Duration::ZERO,
        overlap: Duration::ZERO,
        slow_lag: Duration::from_secs(3_600),
        slow_every: Duration::from_secs(1_800),
        full_every: Duration::from_secs(86_400),
        archived_every: Duration::from_secs(21_600),
        lease: Duration::from_secs(60),
    }
}

impl Scene {
    pub(super) async fn new(options: Options) -> Scene {
        Scene::with(options, sharp()).await
    }

    pub(super) async fn with(options: Options, settings: PullSettings) -> Scene {
        let db = TestDb::new().await;
        let crm = account(options).await;
        let pull = loop_on(&db, &crm, settings, Vec::new()).await;
        Scene {
            db,
            crm,
            pull: Arc::new(pull),
        }
    }

    /// Another replica's loop on the same database and account.
    pub(super) async fn another(&self, settings: PullSettings, extra: Vec<Field>) -> Arc<Pull<HubSpot>> {
        Arc::new(loop_on(&self.db, &self.crm, settings, extra).await)
    }

    /// Puts contacts into the account; their ids.
    pub(super) fn seed(&self, contacts: impl IntoIterator<Item = Value>) -> Vec<String> {
        seed(&self.crm, contacts)
    }

    /// Reads all contacts.
    pub(super) async fn load(&self) {
        self.pull.full_load(|_| ()).await.unwrap();
    }

    /// Somebody changes a contact in the CRM.
    pub(super) fn edit(&self, id: &str, properties: Value) {
        let Value::Object(properties) = properties else {
            panic!("an object")
        };
        self.crm.sandbox().human_edit(id, &properties).unwrap();
    }

    /// Somebody merges two contacts in the CRM; the id that comes out.
    pub(super) fn merge(&self, primary: &str, other: &str) -> String {
        let body = json!({"primaryObjectId": primary, "objectIdToMerge": other});
        let merged = self.crm.sandbox().human_merge(&body).unwrap();
        merged["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn faults(&self, rules: Vec<Rule>) {
        self.crm.sandbox().add_faults(rules);
    }

    /// How many requests of this operation the CRM had.
    pub(super) fn calls(&self, operation: &str) -> usize {
        let journal = self.crm.sandbox().journal_after(0);
        journal
            .iter()
            .filter(|entry| matches!(entry, Entry::Request(request) if request.operation == operation))
            .count()
    }

    /// One value of one row, as text.
    pub(super) async fn ask(&self, sql: &str) -> String {
        ask(&self.db, sql).await
    }

    /// Ids of the contacts that the gate may match, in the order of their numbers.
    pub(super) async fn alive(&self) -> Vec<String> {
        let sql = "select coalesce(string_agg(crm_id, ' ' order by crm_id::bigint), '') from crm.contact
                   where archived_at is null";
        self.ask(sql).await.split_whitespace().map(str::to_owned).collect()
    }

    /// A contact in a few words: number of the person, first name, town, and why it is gone.
    pub(super) async fn row(&self, crm_id: &str) -> String {
        let sql = format!(
            "select coalesce((select concat_ws(' ', first_name, city, gone_reason) from crm.contact where crm_id = '{crm_id}'), 'none')"
        );
        self.ask(&sql).await
    }

    /// The person's number.
    pub(super) async fn person(&self, crm_id: &str) -> String {
        self.ask(&format!(
            "select contact_id::text from crm.contact where crm_id = '{crm_id}'"
        ))
        .await
    }
}

/// An account with our properties.
pub(super) async fn account(mut options: Options) -> Running {
    options.unique = vec!["gatekeeper_key".to_owned(), "ext_id".to_owned()];
    start(options).await.expect("the sandbox starts")
}

/// Puts contacts into an account; their ids.
pub(super) fn seed(crm: &Running, contacts: impl IntoIterator<Item = Value>) -> Vec<String> {
    let contacts = contacts.into_iter().map(|contact| match contact {
        Value::Object(contact) => contact,
        other => panic!("{other}"),
    });
    let contacts: Vec<Map<String, Value>> = contacts.collect();
    crm.sandbox().seed(contacts).unwrap()
}

/// A person of the account, changed long ago.
pub(super) fn person(number: usize) -> Value {
    json!({
        "email": format!("p{number}@example.org"), "firstname": format!("First{number}"), "lastname": "Last",
        "city": "Riga", "lastmodifieddate": LONG_AGO, "createdate": LONG_AGO,
    })
}

/// A loop with a replica, a line and a rulebook of its own.
pub(super) async fn loop_on(db: &TestDb, crm: &Running, settings: PullSettings, extra: Vec<Field>) -> Pull<HubSpot> {
    let replica = ReplicaId::new();
    let line = Arc::new(line(db, crm, replica));
    let schema = line.schema(Priority::Mirror).await.unwrap();
    let rulebook = Rulebook::read(&db.client().await, Some("US"), extra, schema)
        .await
        .unwrap();
    Pull::new(db.store().clone(), line, rulebook, replica, settings)
}

/// The connector of our app.
pub(super) fn connector(crm: &Running) -> HubSpot {
    HubSpot::new(Settings {
        base_url: crm.base_url(),
        external_id_property: Some("ext_id".to_owned()),
        ..Settings::new(Token::fixed("sandbox-token"))
    })
    .unwrap()
}

fn line(db: &TestDb, crm: &Running, replica: ReplicaId) -> Line<HubSpot> {
    let unlimited = Limits {
        general_calls: 0,
        general_window: Duration::from_secs(10),
        search_calls: 0,
        search_window: Duration::from_secs(1),
        daily_calls: 0,
        margin: Duration::ZERO,
    };
    let governor = Governor::new(db.store().clone(), unlimited);
    Line::new(
        connector(crm),
        governor,
        db.store().clone(),
        replica,
        Default::default(),
    )
}

/// One value of one row, as text.
pub(super) async fn ask(db: &TestDb, sql: &str) -> String {
    let row = db
        .client()
        .await
        .query_one(sql, &[])
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

/// A call of somebody else; the status.
pub(super) async fn post(scene: &Scene, path: &str, body: &Value) -> u16 {
    let url = format!("{}{path}", scene.crm.base_url());
    let answer = plain_http()
        .post(url)
        .bearer_auth("sandbox-token")
        .json(body)
        .send()
        .await
        .unwrap();
    answer.status().as_u16()
}

/// A change by somebody else; the answer.
pub(super) async fn patch(scene: &Scene, path: &str, body: &Value) -> Value {
    let url = format!("{}{path}", scene.crm.base_url());
    let answer = plain_http()
        .patch(url)
        .bearer_auth("sandbox-token")
        .json(body)
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}

fn plain_http() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
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
