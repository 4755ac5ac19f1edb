//! A database for each test: a copy of a template that has all of our tables, functions and views.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use gatekeeper::config::{Config, Database};
use gatekeeper::store::install::Content;
use gatekeeper::store::{Client, Store};

use super::cluster;

/// A database that belongs to one test and is dropped with this value.
pub(crate) struct TestDb {
    name: String,
    config: Config,
    store: Store,
    /// It stands in a cluster of its own, which goes as a whole.
    elsewhere: bool,
}

impl TestDb {
    /// A database with everything installed.
    pub(crate) async fn new() -> TestDb {
        LazyLock::force(&TEMPLATE);
        TestDb::copy_of(&template_name()).await
    }

    /// A database with nothing in it.
    pub(crate) async fn empty() -> TestDb {
        LazyLock::force(&TEMPLATE);
        TestDb::copy_of("template0").await
    }

    async fn copy_of(template: &str) -> TestDb {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        admin(format!("create database {name} template {template}")).await;
        let config = config_for(&name);
        TestDb::opened(name, config, false).await
    }

    /// The database at this address, in a cluster of its own.
    pub(crate) async fn elsewhere(url: String) -> TestDb {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut config = Config::default();
        config.database.url = url;
        let name = format!("elsewhere_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        TestDb::opened(name, config, true).await
    }

    async fn opened(name: String, config: Config, elsewhere: bool) -> TestDb {
        let store = Store::open(&config)
            .await
            .unwrap_or_else(|error| panic!("{}", gatekeeper::fault::chain(&error)));
        TestDb {
            name,
            config,
            store,
            elsewhere,
        }
    }

    /// The name of the database.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The `database.url` with which another process, such as the real binary, works on this database.
    pub(crate) fn url(&self) -> &str {
        &self.config.database.url
    }

    /// Settings that name this database; everything else has its default.
    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    /// The store of this database.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// A connection of the store's pool.
    pub(crate) async fn client(&self) -> Client {
        self.store
            .client()
            .await
            .unwrap_or_else(|error| panic!("{}", gatekeeper::fault::chain(&error)))
    }

    /// Runs statements, as a fixture.
    pub(crate) async fn run(&self, sql: &str) {
        self.client()
            .await
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// Settings of a store with small changes, for a test that needs its own.
    pub(crate) fn config_with(&self, change: impl FnOnce(&mut Config)) -> Config {
        let mut config = self.config();
        change(&mut config);
        config
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        // What a panicking test leaves is dropped at the next start, when somebody has had time to look at it.
        if !self.elsewhere && !std::thread::panicking() {
            on_a_thread(admin(format!("drop database if exists {} with (force)", self.name)));
        }
    }
}

/// Settings that name a database of the test cluster.
pub(crate) fn config_for(name: &str) -> Config {
    let database = Database {
        url: cluster().url(name),
        ..Database::default()
    };
    Config {
        database,
        ..Config::default()
    }
}

/// Made once for each state of `migrations/` and `sql/`, by whichever test process comes first.
static TEMPLATE: LazyLock<()> = LazyLock::new(|| {
    on_a_thread(async {
        let (client, connection) = cluster()
            .connection("postgres")
            .connect(tokio_postgres::NoTls)
            .await
            .expect("the test cluster");
        tokio::spawn(connection);
        client
            .batch_execute("select pg_advisory_lock(1)")
            .await
            .expect("the lock");
        drop_leftovers(&client).await;
        let name = template_name();
        let known = "select from pg_database where datname = $1";
        if client.query_opt(known, &[&name]).await.expect("an answer").is_some() {
            return;
        }
        let part = format!("{name}_part");
        for sql in [
            format!("drop database if exists {part} with (force)"),
            format!("create database {part}"),
        ] {
            client.batch_execute(&sql).await.expect("a new database");
        }
        let store = Store::open(&config_for(&part)).await.expect("a connection");
        if let Err(error) = store.install().await {
            panic!("{}", gatekeeper::fault::chain(&error));
        }
        store.close().await;
        drop(store);
        // A copy can be made only while nobody is connected; the server takes a moment to see that we left.
        let leave = format!("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{part}'");
        client.batch_execute(&leave).await.expect("an answer");
        client
            .batch_execute(&format!("alter database {part} rename to {name}"))
            .await
            .expect("renamed");
    });
});

fn template_name() -> String {
    format!("template_{}", &Content::embedded().full_hash()[..16])
}

/// Databases of test processes that are no more, and templates of other states.
async fn drop_leftovers(client: &tokio_postgres::Client) {
    let rows = client
        .query("select datname::text from pg_database where not datistemplate", &[])
        .await
        .expect("names");
    for name in rows.iter().map(|row| row.get::<_, String>(0)) {
        let dead = match name
            .strip_prefix("test_")
            .and_then(|rest| rest.split('_').next()?.parse().ok())
        {
            Some(pid) => {
                rustix::process::Pid::from_raw(pid).is_none_or(|pid| rustix::process::test_kill_process(pid).is_err())
            }
            None => name.starts_with("template_") && name != template_name(),
        };
        if dead {
            client
                .batch_execute(&format!("drop database if exists {name} with (force)"))
                .await
                .expect("dropped");
        }
    }
}

async fn admin(sql: String) {
    let (client, connection) = cluster()
        .connection("postgres")
        .connect(tokio_postgres::NoTls)
        .await
        .expect("the test cluster");
    tokio::spawn(connection);
    client
        .batch_execute(&sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Runs a future to its end on a thread of its own, from wherever we are.
fn on_a_thread(work: impl Future<Output = ()> + Send) {
    std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(work);
        };
        if let Err(panic) = scope.spawn(run).join() {
            std::panic::resume_unwind(panic);
        }
    });
}
