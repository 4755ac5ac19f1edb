//! One connection: where to, how protected, with which session settings, and what a failure means.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode as Negotiation, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{ServerError, StoreError, tls};
use crate::config::{Config, Database, SslMode};
use crate::fault::chain;

/// The oldest server that we work with, as `server_version_num` without its last four digits.
const OLDEST: u32 = 14;

/// A silent network is noticed after this long, on whichever side of a request.
const SILENCE: Duration = Duration::from_secs(30);

pub(super) type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// A database and how to connect to it.
#[derive(Clone)]
pub(super) struct Target {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    session: Session,
    place: String,
}

/// Settings made in each session before it is used, in the server's own notation.
#[derive(Debug, Clone)]
struct Session {
    statement_timeout: String,
    lock_timeout: String,
    idle_in_transaction_timeout: String,
}

impl Target {
    /// The database that the settings name.
    pub(super) fn of(config: &Config) -> Result<Target, StoreError> {
        let database = &config.database;
        let mut connection = tokio_postgres::Config::from_str(&database.url).map_err(|_| StoreError::Url)?;
        if !database.password.is_unset() {
            let password = database.password.read("database.password", &config.environment)?;
            connection.password(password.expose());
        }
        let verified = match database.ssl_mode {
            SslMode::Disable => false,
            SslMode::VerifyFull => true,
            SslMode::Auto => connection.get_hosts().iter().any(|host| !is_local(host)),
        };
        // Never `prefer`: it falls back to plain text when somebody on the way says that there is no TLS.
        connection.ssl_mode(if verified {
            Negotiation::Require
        } else {
            Negotiation::Disable
        });
        let tls = if verified {
            tls::verifying(&database.ssl_root_certificate_file)?
        } else {
            tls::unused()?
        };
        Ok(Target::new(database, connection, tls))
    }

    /// A database of the private cluster, over its unix socket.
    pub(super) fn private(config: &Config, mut connection: tokio_postgres::Config) -> Result<Target, StoreError> {
        connection.ssl_mode(Negotiation::Disable);
        Ok(Target::new(&config.database, connection, tls::unused()?))
    }

    fn new(database: &Database, mut config: tokio_postgres::Config, tls: MakeRustlsConnect) -> Target {
        config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(Duration::from_secs(database.connect_timeout_seconds))
            .keepalives_idle(SILENCE)
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .tcp_user_timeout(SILENCE);
        if config.get_application_name().is_none() {
            config.application_name("gatekeeper");
        }
        let place = place(&config);
        let seconds = |seconds: u64| format!("{seconds}s");
        let session = Session {
            statement_timeout: seconds(database.statement_timeout_seconds),
            lock_timeout: seconds(database.lock_timeout_seconds),
            idle_in_transaction_timeout: seconds(database.idle_in_transaction_timeout_seconds),
        };
        Target {
            config,
            tls,
            session,
            place,
        }
    }

    /// Where it is, without password.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn config(&self) -> &tokio_postgres::Config {
        &self.config
    }

    /// A connection with our session settings, looked at: new enough and writable.
    pub(super) async fn connect(&self) -> Result<Client, StoreError> {
        let (client, connection) = self.raw().await.map_err(|error| self.refused(error))?;
        let version = connection.parameter("server_version").unwrap_or_default().to_owned();
        #[expect(clippy::disallowed_methods, reason = "ends with its client")]
        tokio::spawn(connection);
        let major = version
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .and_then(|major| major.parse().ok());
        if major.is_none_or(|major: u32| major < OLDEST) {
            return Err(StoreError::TooOld {
                place: self.place.clone(),
                version,
            });
        }
        self.set_session(&client).await?;
        Ok(client)
    }

    /// A connection as it comes, and the other half that must be polled.
    pub(super) async fn raw(&self) -> Result<(Client, Connection<Socket, Stream>), tokio_postgres::Error> {
        #[expect(clippy::disallowed_methods, reason = "the one place that connects")]
        let connecting = self.config.connect(self.tls.clone());
        connecting.await
    }

    pub(super) async fn set_session(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let Session {
            statement_timeout,
            lock_timeout,
            idle_in_transaction_timeout,
        } = &self.session;
        client
            .query(
                include_str!("statements/session.sql"),
                &[statement_timeout, lock_timeout, idle_in_transaction_timeout],
            )
            .await?;
        Ok(())
    }

    /// What a failure to connect means.
    pub(super) fn refused(&self, error: tokio_postgres::Error) -> StoreError {
        let place = self.place.clone();
        let user = self.config.get_user().unwrap_or("the system user").to_owned();
        match error.code().cloned() {
            Some(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                return StoreError::Login {
                    place,
                    user,
                    source: ServerError::of(&error),
                };
            }
            Some(SqlState::INVALID_CATALOG_NAME) => {
                let name = self.config.get_dbname().unwrap_or(&user).to_owned();
                return StoreError::NoDatabase { place, name, user };
            }
            Some(_) => return error.into(),
            None => {}
        }
        let certificate =
            causes(&error).any(|cause| matches!(rustls_error(cause), Some(rustls::Error::InvalidCertificate(_))));
        let text = chain(&error);
        if text.contains("does not allow writes") {
            StoreError::ReadOnly { place }
        } else if certificate || text.starts_with("error performing TLS handshake") {
            let certificate = certificate || text.contains("does not support TLS");
            StoreError::Tls {
                place,
                certificate,
                source: error.into(),
            }
        } else if text.contains("password missing") || text.contains("authentication error") {
            StoreError::Login {
                place,
                user,
                source: ServerError::of(&error),
            }
        } else {
            StoreError::Unreachable {
                place,
                source: error.into(),
            }
        }
    }
}

/// An error of rustls travels inside an I/O error.
fn rustls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match cause.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref()?.downcast_ref(),
        None => cause.downcast_ref(),
    }
}

fn causes<'a>(error: &'a tokio_postgres::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| Error::source(*cause))
}

/// Unix sockets and loopback: nobody else hears what passes there.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || IpAddr::from_str(name).is_ok_and(|address| address.is_loopback()),
    }
}

fn place(config: &tokio_postgres::Config) -> String {
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(at, host)| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(path) => path.display().to_string(),
            }
        })
        .collect();
    format!("{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}
