//! A CRM account, a database, and the daemon between them: what a test of the whole way of a lead stands on.

use std::time::Duration;

use gatekeeper::config::{Config, SecretRef};
use gatekeeper::daemon::{self, RunOptions, connect_crm};
use gatekeeper::domain::ReplicaId;
use gatekeeper::fault::chain;
use gatekeeper::pull::{Pull, PullSettings};
use gatekeeper::sandbox::{Effect, Entry, Kind, Options, Received, Rule, Running, start};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::invariants;
use crate::support::{Directory, TestDb};

/// Longest that a run to the end of all work may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An account, a database, settings that fit both.
pub(crate) struct World {
    pub(crate) db: TestDb,
    pub(crate) crm: Running,
    pub(crate) config: Config,
    pub(crate) directory: Directory,
}

/// What was decided about a lead at last, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) action: String,
    pub(crate) tier: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) contact_id: Option<i64>,
    pub(crate) crm_id: Option<String>,
}

impl World {
    /// A healthy, unlimited CRM.
    pub(crate) async fn new() -> World {
        World::with(Options::default(), |_| ()).await
    }

    /// A CRM as it is told to be, and settings with changes. Sources: `payments` 90, `sales` 60, `crm` 50, `webinar` 20,
    /// `fair` 20.
    pub(crate) async fn with(options: Options, change: impl FnOnce(&mut Config)) -> World {
        World::on(TestDb::new().await, options, change).await
    }

    /// The same on this database.
    pub(crate) async fn on(db: TestDb, mut options: Options, change: impl FnOnce(&mut Config)) -> World {
        if let Ok(filter) = std::env::var("GATEKEEPER_TEST_LOG") {
            gatekeeper::observe::start(&gatekeeper::config::Daemon {
                log_filter: filter,
                ..Config::default().daemon
            });
        }
        let directory = Directory::new(&format!("world-{}", db.name()));
        if options.unique.is_empty() {
            options.unique = vec!["gatekeeper_key".to_owned(), "ext_id".to_owned()];
        }
        let token = directory.path().join("crm-token");
        std::fs::write(&token, &options.token).unwrap();
        let crm = start(options).await.expect("the sandbox starts");
        let mut config = db.config();
        config.crm.base_url = crm.base_url();
        config.crm.token = SecretRef::new(format!("file:{}", token.display()));
        config.crm.external_id_property = "ext_id".to_owned();
        config.limits.general_calls = 0;
        config.limits.search_calls = 0;
        config.limits.daily_calls = 0;
        config.gate.settle_seconds = 1;
        config.gate.poll_milliseconds = 100;
        config.gate.linger_milliseconds = 100;
        change(&mut config);
        db.run(
            "update rules.source set rank = 50 where source = 'crm';
             insert into rules.source (source, rank)
             values ('payments', 90), ('sales', 60), ('webinar', 20), ('fair', 20)",
        )
        .await;
        World {
            db,
            crm,
            config,
            directory,
        }
    }

    /// Replaces the token in its file.
    pub(crate) fn set_token(&self, token: &str) {
        std::fs::write(self.directory.path().join("crm-token"), token).unwrap();
    }

    /// Delivers leads in one statement; their numbers.
    pub(crate) async fn leads(&self, leads: Value) -> Vec<i64> {
        let columns = "source, source_key, external_id, email, phone, mobile_phone, first_name, last_name, full_name,
             company, job_title, street, city, state, postal_code, country, properties, occurred_at";
        let sql = format!(
            "insert into staging.lead ({columns})
             select {columns} from jsonb_populate_recordset(null::staging.lead, $1::text::jsonb)
             returning lead_id"
        );
        let rows = self.db.client().await.query(&sql, &[&leads.to_string()]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Delivers one lead.
    pub(crate) async fn lead(&self, lead: Value) -> i64 {
        self.leads(json!([lead])).await[0]
    }

    /// Delivers one lead and works until nothing waits.
    pub(crate) async fn settled(&self, lead: Value) -> i64 {
        let lead_id = self.lead(lead).await;
        self.settle().await;
        lead_id
    }

    /// Works until nothing waits, and looks whether all that must hold does.
    pub(crate) async fn settle(&self) {
        self.run().await;
        invariants::check(self).await;
    }

    /// Works until nothing waits.
    pub(crate) async fn run(&self) {
        let options = RunOptions {
            until_idle: true,
            ..RunOptions::default()
        };
        let running = daemon::run(self.config.clone(), options, CancellationToken::new());
        let ended = tokio::time::timeout(PATIENCE, running).await;
        let waiting = "select coalesce(string_agg(format('%s %s until %s', lead_id, state, next_at), '; '), 'nothing')
             from (select * from gate.work where state not in ('done', 'dead', 'review') order by lead_id limit 20) as few";
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("the daemon ended: {}", chain(&error)),
            Err(_) => panic!("after {PATIENCE:?} there is still work: {}", self.ask(waiting).await),
        }
    }

    /// Works until `done`.
    pub(crate) async fn run_until(&self, done: impl AsyncFn() -> bool) {
        let stop = CancellationToken::new();
        let watching = async {
            crate::support::eventually(PATIENCE, "it is done", async || match done().await {
                true => Ok(()),
                false => Err(()),
            })
            .await;
            stop.cancel();
        };
        let (ended, ()) = tokio::join!(
            daemon::run(self.config.clone(), RunOptions::default(), stop.clone()),
            watching
        );
        ended.unwrap_or_else(|error| panic!("the daemon ended: {}", chain(&error)));
    }

    /// Reads the whole CRM into the mirror, as `gatekeeper mirror --full` does.
    pub(crate) async fn mirror(&self) {
        let replica = ReplicaId::new();
        let stop = CancellationToken::new();
        let (line, rulebook) = connect_crm(&self.config, self.db.store(), replica, &stop)
            .await
            .unwrap();
        let settings = PullSettings::new(&self.config.mirror, Duration::from_secs(60));
        let pull = Pull::new(self.db.store().clone(), line, rulebook, replica, settings);
        pull.full_load(|_| ()).await.unwrap();
    }

    /// Contacts that are there already, before the mirror is loaded; their ids.
    pub(crate) fn seed(&self, contacts: Value) -> Vec<String> {
        let Value::Array(contacts) = contacts else {
            panic!("an array")
        };
        let contacts: Vec<Map<String, Value>> = contacts
            .into_iter()
            .map(|contact| serde_json::from_value(contact).unwrap())
            .collect();
        self.crm.sandbox().seed(contacts).unwrap()
    }

    /// Somebody changes a contact in the CRM.
    pub(crate) fn edit(&self, id: &str, properties: Value) {
        let properties: Map<String, Value> = serde_json::from_value(properties).unwrap();
        self.crm.sandbox().human_edit(id, &properties).unwrap();
    }

    /// Another app of the account changes a contact in the CRM.
    pub(crate) fn edit_by_app(&self, id: &str, properties: Value) {
        let properties: Map<String, Value> = serde_json::from_value(properties).unwrap();
        self.crm.sandbox().other_edit(id, &properties).unwrap();
    }

    pub(crate) fn faults(&self, rules: Vec<Rule>) {
        self.crm.sandbox().add_faults(rules);
    }

    /// The last decision about a lead.
    pub(crate) async fn decision(&self, lead_id: i64) -> Decision {
        let sql = "select action, tier, reason, outcome, contact_id, crm_id from audit.decision
             where lead_id = $1 order by decision_id desc limit 1";
        let row = self.db.client().await.query_opt(sql, &[&lead_id]).await.unwrap();
        let row = row.unwrap_or_else(|| panic!("lead {lead_id} was never decided"));
        Decision {
            action: row.get(0),
            tier: row.get(1),
            reason: row.get(2),
            outcome: row.get(3),
            contact_id: row.get(4),
            crm_id: row.get(5),
        }
    }

    /// In which state a lead is, and why: `dead invalid_email`, `done`, `review tiers_disagree`.
    pub(crate) async fn state(&self, lead_id: i64) -> String {
        self.ask(&format!(
            "select concat_ws(' ', work.state, dead_letter.reason, review.reason)
             from gate.work
             left join gate.dead_letter on work.state = 'dead' and dead_letter.lead_id = work.lead_id
             left join gate.review on work.state = 'review' and review.lead_id = work.lead_id
             where work.lead_id = {lead_id}"
        ))
        .await
    }

    /// What was ruled on a field of a lead, in its last decision: `written only_if_blank: blank`.
    pub(crate) async fn ruling(&self, lead_id: i64, field: &str) -> String {
        self.ask(&format!(
            "select coalesce((
               select change.verdict || ' ' || change.rule
               from audit.change
               join audit.entry using (decision_id)
               where entry.lead_id = {lead_id} and change.field = '{field}'
               order by decision_id desc
               limit 1
             ), 'not asked')"
        ))
        .await
    }

    /// One value of one row, as text.
    pub(crate) async fn ask(&self, sql: &str) -> String {
        let client = self.db.client().await;
        let row = client
            .query_one(sql, &[])
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    /// How many leads are in no terminal state yet.
    pub(crate) async fn unfinished(&self) -> i64 {
        self.count("select count(*) from gate.work where state not in ('done', 'dead', 'review')")
            .await
    }

    /// A count.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let client = self.db.client().await;
        let row = client
            .query_one(sql, &[])
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        row.get(0)
    }

    /// The live contacts of the CRM: their properties, with `hs_object_id`.
    pub(crate) fn contacts(&self) -> Vec<Value> {
        let all = self.crm.sandbox().contacts();
        let live = all.into_iter().filter(|contact| contact["archived"] != json!(true));
        live.map(|contact| contact["properties"].clone()).collect()
    }

    /// The one contact that there is.
    #[track_caller]
    pub(crate) fn only_contact(&self) -> Value {
        let contacts = self.contacts();
        assert_eq!(contacts.len(), 1, "{contacts:#?}");
        contacts[0].clone()
    }

    /// A live contact by its id.
    #[track_caller]
    pub(crate) fn contact(&self, id: &str) -> Value {
        let found = self
            .contacts()
            .into_iter()
            .find(|contact| contact["hs_object_id"] == json!(id));
        found.unwrap_or_else(|| panic!("no contact {id}"))
    }

    /// All that happened to contacts, in order.
    pub(crate) fn effects(&self, kind: Kind) -> Vec<Effect> {
        let journal = self.crm.sandbox().journal_after(0);
        journal
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Effect(effect) if effect.kind == kind => Some(effect),
                _ => None,
            })
            .collect()
    }

    /// How many contacts were made and how many changes were made by us.
    pub(crate) fn writes(&self) -> (usize, usize) {
        (self.effects(Kind::Create).len(), self.effects(Kind::Update).len())
    }

    /// The requests of one operation.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Received> {
        let journal = self.crm.sandbox().journal_after(0);
        journal
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Request(request) if request.operation == operation => Some(request),
                _ => None,
            })
            .collect()
    }

    /// Enters a rule of `rules.field`.
    pub(crate) async fn rule(&self, field: &str, source: &str, policy: &str) {
        self.db
            .run(&format!(
                "insert into rules.field (field, source, policy) values ('{field}', '{source}', '{policy}')
                 on conflict (field, source) do update set policy = excluded.policy"
            ))
            .await;
    }
}

/// A lead of a person with all four kinds of identifiers.
pub(crate) fn robert() -> Value {
    json!({
        "source": "sales", "source_key": "R-1", "external_id": "P-4711", "email": "robert.smith@acme.example",
        "phone": "+1 415 555 2671", "first_name": "Robert", "last_name": "Smith", "company": "Acme Inc.",
        "city": "Springfield", "occurred_at": "2025-01-10T10:00:00Z",
    })
}

/// A lead with some values more or other than another one; `null` takes a value away.
pub(crate) fn but(mut lead: Value, changes: Value) -> Value {
    let (Some(values), Value::Object(changes)) = (lead.as_object_mut(), changes) else {
        panic!("objects")
    };
    values.extend(changes);
    lead
}
