//! TLS and passwords against a real server: only the right certificate, for the right host, from the right authority.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use gatekeeper::config::{Config, SecretRef, SslMode};
use gatekeeper::fault::{Classify, Fault, chain};
use gatekeeper::store::embedded::Embedded;
use gatekeeper::store::{Store, StoreError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::support::{Directory, plan};

/// Who may come in: the role `app` with its password, over TCP.
const HBA: &str = "local all all trust\nhost all app 127.0.0.1/32 scram-sha-256\n";

/// A server on loopback, with or without TLS; its certificate is made out to `localhost`.
struct Server {
    embedded: Embedded,
    port: u16,
}

impl Server {
    async fn start(data: &Path, tls: bool) -> Server {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut plan = plan(data);
        let file = |name: &str| data.join(name).display().to_string();
        for (name, value) in [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", port.to_string()),
            ("hba_file", file("hba.conf")),
            ("ssl", if tls { "on" } else { "off" }.to_owned()),
            ("ssl_cert_file", file("server.pem")),
            ("ssl_key_file", file("server.key")),
        ] {
            plan.server_settings.push((name.to_owned(), value));
        }
        Server {
            embedded: Embedded::open(&plan).await.unwrap(),
            port,
        }
    }

    /// Settings for a connection over TCP.
    fn config(&self, host: &str, roots: &Path) -> Config {
        let mut config = Config::default();
        config.database.url = format!("postgresql://app@{host}:{}/postgres", self.port);
        config.database.ssl_mode = SslMode::VerifyFull;
        config.database.ssl_root_certificate_file = roots.display().to_string();
        config.database.password = SecretRef::new(format!("file:{}", roots.with_file_name("password").display()));
        config
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes what the server needs into its data directory, and what the client needs beside it.
async fn prepare(directory: &Path) {
    let data = directory.join("data");
    let embedded = Embedded::open(&plan(&data)).await.unwrap();
    let (client, connection) = embedded
        .connection("postgres")
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
        .batch_execute("create role app login password 'right'")
        .await
        .unwrap();
    drop(client);
    embedded.close().await;

    let (ours, theirs) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &ours)
        .unwrap();
    let is = std::fs::metadata(&data).unwrap();
    for (name, text) in [
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
        ("hba.conf", HBA.into()),
    ] {
        let path = data.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(is.uid()), Some(is.gid())).unwrap();
    }
    std::fs::write(directory.join("roots.pem"), ours.pem()).unwrap();
    std::fs::write(directory.join("other.pem"), theirs.pem()).unwrap();
    std::fs::write(directory.join("password"), "right\n").unwrap();
}

#[tokio::test]
async fn only_a_verified_server_and_a_right_password_will_do() {
    let directory = Directory::new("tls");
    let (roots, other) = (directory.path().join("roots.pem"), directory.path().join("other.pem"));
    prepare(directory.path()).await;

    let server = Server::start(&directory.path().join("data"), true).await;
    let store = Store::open(&server.config("localhost", &roots))
        .await
        .unwrap_or_else(|error| panic!("{}", chain(&error)));
    let encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    assert!(
        store
            .client()
            .await
            .unwrap()
            .query_one(encrypted, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
    );
    drop(store);

    // The right certificate under another name, and a certificate of somebody else.
    for (what, config) in [
        ("host", server.config("127.0.0.1", &roots)),
        ("authority", server.config("localhost", &other)),
    ] {
        let error = Store::open(&config).await.expect_err(what);
        assert!(
            matches!(error, StoreError::Tls { certificate: true, .. }),
            "wrong {what}: {error:?}"
        );
        assert_eq!(error.fault(), Fault::Broken);
        assert!(chain(&error).contains("ssl_root_certificate_file"), "{}", chain(&error));
    }

    let mut config = server.config("localhost", &roots);
    std::fs::write(directory.path().join("password"), "wr0ng\n").unwrap();
    let error = Store::open(&config).await.expect_err("a wrong password");
    assert!(matches!(error, StoreError::Login { .. }), "{error:?}");
    let said = chain(&error);
    assert!(
        said.contains("database.password") && said.contains("app") && !said.contains("wr0ng"),
        "{said}"
    );
    config.database.password = SecretRef::default();
    let error = Store::open(&config).await.expect_err("no password");
    assert!(matches!(error, StoreError::Login { .. }), "{error:?}");
    std::fs::write(directory.path().join("password"), "right\n").unwrap();

    // On loopback nobody listens, so by default there is no TLS.
    let mut config = server.config("localhost", &roots);
    config.database.ssl_mode = SslMode::Auto;
    let store = Store::open(&config).await.unwrap();
    assert!(
        !store
            .client()
            .await
            .unwrap()
            .query_one(encrypted, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
    );
    drop(store);
    server.embedded.close().await;

    let server = Server::start(&directory.path().join("data"), false).await;
    let error = Store::open(&server.config("localhost", &roots))
        .await
        .expect_err("no TLS");
    assert!(matches!(error, StoreError::Tls { .. }), "{error:?}");
    assert!(chain(&error).contains("does not support TLS"), "{}", chain(&error));
    server.embedded.close().await;
}

#[tokio::test]
async fn a_root_certificate_file_without_a_certificate_is_named() {
    let directory = Directory::new("tls-roots");
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for file in [empty.as_path(), Path::new("/nowhere/roots.pem")] {
        let mut config = Config::default();
        config.database.url = "postgresql://gate@db.example/crm".to_owned();
        config.database.ssl_root_certificate_file = file.display().to_string();
        let error = Store::open(&config).await.expect_err("no roots");
        assert!(matches!(error, StoreError::Roots { .. }), "{error:?}");
        assert!(chain(&error).contains(&*file.to_string_lossy()), "{}", chain(&error));
    }
}
