//! The line to the database, which can fall silent: nothing passes, and neither end is told.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// A line on loopback to the server behind a socket. Ends when it is dropped.
pub(super) struct Line {
    port: u16,
    open: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

impl Line {
    pub(super) async fn to(server: &Config) -> Line {
        let Some(Host::Unix(directory)) = server.get_hosts().first() else {
            panic!("the test cluster has a unix socket");
        };
        let socket = directory.join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, is_open) = watch::channel(true);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = UnixStream::connect(&socket).await else {
                    continue;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                connections.spawn(pass_on(from_client, to_server, is_open.clone()));
                connections.spawn(pass_on(from_server, to_client, is_open.clone()));
            }
        });
        Line {
            port,
            open,
            _serving: serving,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn fall_silent(&self) {
        self.open.send_replace(false);
    }

    pub(super) fn speak_again(&self) {
        self.open.send_replace(true);
    }
}

async fn pass_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut is_open: watch::Receiver<bool>,
) {
    let mut piece = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        if is_open.wait_for(|open| *open).await.is_err() || to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
