//! A line to the database that recognises the message with which a transaction ends, and stops there: before the server
//! has it, or after the server has it and before the client hears of it.
//!
//! Frontend messages as in PostgreSQL's documentation, chapter "Message Formats": a letter, a length, a body; only the first
//! message of a connection has no letter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::unix::{OwnedReadHalf as FromServer, OwnedWriteHalf as ToServer};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Which message, and on which side of the server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) what: What,
    /// The how manieth such message, from 1, of all connections together.
    pub(super) nth: usize,
    /// The server has it and the answer is on its way; else the server does not have it.
    pub(super) has_it: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// COMMIT in so many words.
    Commit,
    /// The end of a statement that is a transaction of its own.
    Sync,
}

/// Ends when it is dropped.
pub(super) struct LineToCommit {
    port: u16,
    reached: watch::Receiver<bool>,
    _serving: JoinSet<()>,
}

struct Watched {
    moment: Moment,
    seen: AtomicUsize,
    reached: watch::Sender<bool>,
}

impl LineToCommit {
    pub(super) async fn to(server: &Config, moment: Moment) -> LineToCommit {
        let Some(Host::Unix(directory)) = server.get_hosts().first() else {
            panic!("the test cluster has a unix socket");
        };
        let socket = directory.join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, reached) = watch::channel(false);
        let watched = Arc::new(Watched {
            moment,
            seen: AtomicUsize::new(0),
            reached: sender,
        });
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = UnixStream::connect(&socket).await else {
                    continue;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                connections.spawn(ask(from_client, to_server, Arc::clone(&watched)));
                connections.spawn(answer(from_server, to_client, watched.reached.subscribe()));
            }
        });
        LineToCommit {
            port,
            reached,
            _serving: serving,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Comes back when the moment is there. From then on nothing passes, but for the message itself if the server is to have it.
    pub(super) async fn reached(&self) {
        let mut reached = self.reached.clone();
        reached.wait_for(|reached| *reached).await.unwrap();
    }
}

/// Passes messages on, one by one.
async fn ask(mut client: OwnedReadHalf, mut server: ToServer, watched: Arc<Watched>) -> Option<()> {
    let first = message(&mut client, false).await?;
    server.write_all(&first).await.ok()?;
    loop {
        let message = message(&mut client, true).await?;
        if *watched.reached.borrow() {
            return std::future::pending().await;
        }
        if is(&message, watched.moment.what) && watched.seen.fetch_add(1, Ordering::SeqCst) + 1 == watched.moment.nth {
            // First the answers stop, then the server may have it.
            watched.reached.send_replace(true);
            if watched.moment.has_it {
                server.write_all(&message).await.ok()?;
            }
            return std::future::pending().await;
        }
        server.write_all(&message).await.ok()?;
    }
}

async fn answer(mut server: FromServer, mut client: OwnedWriteHalf, reached: watch::Receiver<bool>) -> Option<()> {
    let mut piece = vec![0; 65_536];
    loop {
        let length = server.read(&mut piece).await.ok().filter(|length| *length > 0)?;
        if *reached.borrow() {
            return std::future::pending().await;
        }
        client.write_all(&piece[..length]).await.ok()?;
    }
}

/// One message with its letter, if it has one, and its length.
async fn message(client: &mut OwnedReadHalf, has_letter: bool) -> Option<Vec<u8>> {
    let head = if has_letter { 5 } else { 4 };
    let mut message = vec![0; head];
    client.read_exact(&mut message).await.ok()?;
    let length = u32::from_be_bytes(message[head - 4..].try_into().ok()?) as usize;
    message.resize(head - 4 + length, 0);
    client.read_exact(&mut message[head..]).await.ok()?;
    Some(message)
}

fn is(message: &[u8], what: What) -> bool {
    match what {
        What::Commit => message.first() == Some(&b'Q') && message[5..].starts_with(b"COMMIT"),
        What::Sync => message.first() == Some(&b'S'),
    }
}
