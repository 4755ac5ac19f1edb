//! All state of the account behind one lock, and the turn of one request on it.

use std::collections::BTreeSet;

use chrono::Utc;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::associations::Ties;
use super::book::Book;
use super::journal::{Effect, Kind};
use super::lag::Lag;
use super::options::Options;
use super::properties::Catalog;
use super::routes::Version;
use super::values::PropId;

/// The first id: ids of real accounts are wider than 32 bits.
const FIRST_ID: u64 = 37_765_128_000;

/// All state of the account.
pub(super) struct World {
    pub(super) catalog: Catalog,
    pub(super) book: Book,
    /// Addresses that are never to be taken up again.
    pub(super) blocklist: BTreeSet<String>,
    /// What contacts are tied to.
    pub(super) ties: Ties,
    pub(super) rng: StdRng,
    last_id: u64,
    last_ms: i64,
    scattered: bool,
}

impl World {
    /// An account without contacts.
    pub(super) fn new(options: &Options) -> World {
        let catalog = Catalog::new(&options.unique);
        let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 4);
        let lag = Lag::new(
            micros(options.search_lag),
            micros(options.search_lag_jitter),
            options.seed,
        );
        World {
            book: Book::new(catalog.unique(), lag),
            catalog,
            blocklist: BTreeSet::new(),
            ties: Ties::new(),
            rng: StdRng::seed_from_u64(options.seed),
            last_id: FIRST_ID,
            last_ms: 0,
            scattered: options.scattered_ids,
        }
    }

    /// An id that was never given out.
    pub(super) fn new_id(&mut self) -> u64 {
        if !self.scattered {
            self.last_id += self.rng.random_range(1..=50);
            return self.last_id;
        }
        loop {
            let id = FIRST_ID + self.rng.random_range(1..1_000_000_000_000);
            if !self.book.knows(id) {
                return id;
            }
        }
    }

    /// Makes sure that an id given from outside is never given out again.
    pub(super) fn reserve_id(&mut self, id: u64) {
        self.last_id = self.last_id.max(id);
    }

    /// The account's clock in milliseconds; it never runs backwards.
    pub(super) fn now_ms(&mut self) -> i64 {
        self.last_ms = self.last_ms.max(Utc::now().timestamp_millis());
        self.last_ms
    }
}

/// One request while it holds the account.
pub(super) struct Turn<'a> {
    pub(super) world: &'a mut World,
    pub(super) options: &'a Options,
    pub(super) version: Version,
    pub(super) now_ms: i64,
    /// What the request has done, in the order in which it did it.
    pub(super) effects: Vec<Effect>,
    /// Whether changed values are to be noted in the effects.
    pub(super) with_values: bool,
    /// Set when a person acts and not the API.
    pub(super) human: bool,
    /// Set when it is not a person after all, but another app.
    pub(super) other_app: bool,
}

impl Turn<'_> {
    /// Who acts, as the history of a property names it: `sourceType` and `sourceId`.
    pub(super) fn author(&self) -> (&'static str, &'static str) {
        match (self.human, self.other_app) {
            (_, true) => ("INTEGRATION", "999"),
            (true, false) => ("CRM_UI", "userId:1"),
            (false, false) => ("INTEGRATION", "14696758"),
        }
    }

    /// Notes an effect.
    pub(super) fn note(&mut self, kind: Kind, id: u64, trace: Option<&str>, changed: &[(PropId, String)]) {
        let (kind, what) = if self.human {
            (Kind::Human, Some(kind))
        } else {
            (kind, None)
        };
        let mut effect = Effect::new(kind, id.to_string(), self.now_ms);
        effect.what = what;
        effect.trace_id = trace.map(str::to_owned);
        if self.with_values {
            let named = changed
                .iter()
                .map(|(id, value)| (self.world.catalog.at(*id).name.clone(), value.clone()));
            effect.changed = named.collect();
        }
        self.effects.push(effect);
    }
}
