//! Start and stop, and the state that all requests share.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::Utc;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::faults::Faults;
use super::journal::Journal;
use super::limits::{Gate, Refusal, Standing};
use super::options::{JournalMode, Options};
use super::properties::MAX_UNIQUE;
use super::routes::Version;
use super::socket::{Cut, CuttableListener, Peer};
use super::world::{Turn, World};

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address can be reached from other machines.
    #[error("the sandbox listens on loopback only, not on {address}; use 127.0.0.1 or ::1")]
    NotLoopback {
        /// What was asked for.
        address: SocketAddr,
    },
    /// The address is taken or forbidden.
    #[error("cannot listen on {address}; choose another port, or 0 for any free one")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The journal file cannot be opened.
    #[error("cannot append to the journal file {}; choose a path that can be written", path.display())]
    JournalFile {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Options that no account can have.
    #[error("{given} unique properties are asked for; an account has at most {MAX_UNIQUE}")]
    TooManyUnique {
        /// How many.
        given: usize,
    },
    /// The server ended by itself.
    #[error("the sandbox has stopped serving")]
    Serve(#[source] std::io::Error),
}

/// The state behind a running sandbox; [`Running::sandbox`] hands it out to look inside and to meddle.
pub struct Sandbox {
    pub(super) options: Options,
    pub(super) world: Mutex<World>,
    pub(super) faults: Mutex<Faults>,
    pub(super) journal: Mutex<Journal>,
    /// Cancelled when the sandbox stops: closes every connection and ends every wait.
    pub(super) all: Cut,
    gate: Mutex<Gate>,
    era: AtomicU64,
}

/// A sandbox that serves. Dropping it stops it without waiting.
pub struct Running {
    sandbox: Arc<Sandbox>,
    address: SocketAddr,
    server: Option<JoinHandle<std::io::Result<()>>>,
}

/// Starts a sandbox on the current runtime; it serves once this returns.
///
/// # Errors
/// [`SandboxError`], all of which are the caller's to mend.
pub async fn start(options: Options) -> Result<Running, SandboxError> {
    let address = SocketAddr::new(options.bind, options.port);
    if !options.bind.is_loopback() {
        return Err(SandboxError::NotLoopback { address });
    }
    if options.unique.len() > MAX_UNIQUE {
        return Err(SandboxError::TooManyUnique {
            given: options.unique.len(),
        });
    }
    let file = options
        .journal_file
        .as_deref()
        .filter(|_| options.journal == JournalMode::Full);
    let journal = Journal::open(options.journal, file).map_err(|source| SandboxError::JournalFile {
        path: options.journal_file.clone().unwrap_or_default(),
        source,
    })?;
    let bind = |source| SandboxError::Bind { address, source };
    let tcp = TcpListener::bind(address).await.map_err(bind)?;
    let address = tcp.local_addr().map_err(bind)?;
    let mut faults = Faults::default();
    faults.add(options.faults.clone());
    let sandbox = Arc::new(Sandbox {
        world: Mutex::new(World::new(&options)),
        gate: Mutex::new(gate(&options)),
        faults: Mutex::new(faults),
        journal: Mutex::new(journal),
        all: Cut::new(),
        era: AtomicU64::new(0),
        options,
    });
    let app = super::control::router()
        .fallback(super::request::handle)
        .with_state(Arc::clone(&sandbox));
    let listener = CuttableListener {
        tcp,
        all: sandbox.all.clone(),
    };
    let service = app.into_make_service_with_connect_info::<Peer>();
    let stopped = sandbox.all.clone().cancelled_owned();
    let serve = axum::serve(listener, service).with_graceful_shutdown(stopped);
    #[expect(
        clippy::disallowed_methods,
        reason = "Running holds its handle, and waits for it at the stop"
    )]
    let server = Some(tokio::spawn(async move { serve.await }));
    Ok(Running {
        sandbox,
        address,
        server,
    })
}

/// Starts a sandbox and serves until `shutdown` is ready.
///
/// # Errors
/// As [`start`], and when serving fails.
pub async fn serve(options: Options, shutdown: impl Future<Output = ()>) -> Result<(), SandboxError> {
    let running = start(options).await?;
    shutdown.await;
    running.stop().await
}

impl Running {
    /// Such as `http://127.0.0.1:40123`: what stands in the place of `https://api.hubapi.com`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The state, to look inside and to meddle.
    pub fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    /// Closes every connection at once, forgets late effects, and returns when all is down.
    ///
    /// # Errors
    /// When the server had already failed.
    pub async fn stop(mut self) -> Result<(), SandboxError> {
        self.sandbox.all.cancel();
        let ended = match self.server.take() {
            Some(server) => server.await.unwrap_or(Ok(())),
            None => Ok(()),
        };
        lock(&self.sandbox.journal).flush();
        ended.map_err(SandboxError::Serve)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.sandbox.all.cancel();
        lock(&self.sandbox.journal).flush();
    }
}

impl Sandbox {
    /// Lets someone act on the account, and journals what was done before anyone else can act.
    pub(super) fn turn<T>(
        &self,
        request: Option<u64>,
        version: Version,
        human: bool,
        act: impl FnOnce(&mut Turn<'_>) -> T,
    ) -> T {
        let mut world = lock(&self.world);
        let now_us = lock(&self.journal).now_us();
        world.book.lag.advance(now_us);
        let now_ms = world.now_ms();
        let with_values = self.options.journal == JournalMode::Full;
        let (options, effects) = (&self.options, Vec::new());
        let mut turn = Turn {
            world: &mut world,
            options,
            version,
            now_ms,
            effects,
            with_values,
            human,
            other_app: false,
        };
        let result = act(&mut turn);
        let effects = turn.effects;
        if !effects.is_empty() {
            lock(&self.journal).effects(request, effects);
        }
        result
    }

    /// Counts a request against the limits.
    pub(super) fn admit(&self, token: usize, is_search: bool) -> Result<Option<Standing>, (Refusal, Standing)> {
        // The clock is read under the lock: the windows need times in their order.
        let mut gate = lock(&self.gate);
        gate.admit(token, is_search, Instant::now(), Utc::now().timestamp_millis())
    }

    /// The number of a token that is accepted.
    pub(super) fn token_number(&self, token: &str) -> Option<usize> {
        std::iter::once(&self.options.token)
            .chain(&self.options.other_tokens)
            .position(|one| one == token)
    }

    /// What the journal keeps of a token.
    pub(super) fn token_hash(token: &str) -> String {
        let hash = Sha256::digest(token.as_bytes());
        data_encoding::HEXLOWER.encode(&hash[..6])
    }

    /// Changes with every reset: what was begun before it must not act after it.
    pub(super) fn era(&self) -> u64 {
        self.era.load(Ordering::SeqCst)
    }

    /// Makes everything as it was at the start.
    pub fn reset(&self) {
        self.era.fetch_add(1, Ordering::SeqCst);
        *lock(&self.world) = World::new(&self.options);
        *lock(&self.gate) = gate(&self.options);
        lock(&self.journal).clear();
        let mut faults = lock(&self.faults);
        faults.clear();
        faults.add(self.options.faults.clone());
    }
}

fn gate(options: &Options) -> Gate {
    Gate::new(options.limits, 1 + options.other_tokens.len(), options.utc_offset)
}

/// Locks; a panic of another holder does not matter, since tests want to see what is there.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
