//! The search index runs behind: for a while it still holds what a contact was before a write.

use std::collections::{BTreeMap, HashMap, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::contact::Contact;

/// What the search index knows about a contact.
pub(super) enum Indexed<'a> {
    /// The same as the store.
    Current,
    /// What the contact was before.
    Older(&'a Contact),
    /// Nothing: it is too new.
    Nothing,
}

/// Writes that search does not know yet.
pub(super) struct Lag {
    lag_us: u64,
    jitter_us: u64,
    now_us: u64,
    rng: StdRng,
    /// Oldest first: what each contact was before a write, and when that write becomes visible.
    behind: HashMap<u64, VecDeque<(u64, Option<Contact>)>>,
    due: BTreeMap<u64, Vec<u64>>,
}

impl Lag {
    /// A lag of `lag_us`, and up to `jitter_us` more for each write.
    pub(super) fn new(lag_us: u64, jitter_us: u64, seed: u64) -> Lag {
        let rng = StdRng::seed_from_u64(seed ^ 0x1a9);
        Lag {
            lag_us,
            jitter_us,
            now_us: 0,
            rng,
            behind: HashMap::new(),
            due: BTreeMap::new(),
        }
    }

    /// Lets time pass: what is due becomes visible.
    pub(super) fn advance(&mut self, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
        while let Some(first) = self.due.first_entry()
            && *first.key() <= self.now_us
        {
            for id in first.remove() {
                let Some(states) = self.behind.get_mut(&id) else {
                    continue;
                };
                while states.front().is_some_and(|(due, _)| *due <= self.now_us) {
                    states.pop_front();
                }
                if states.is_empty() {
                    self.behind.remove(&id);
                }
            }
        }
    }

    /// Notes what a contact is before a write; `None` when it is about to be made.
    pub(super) fn note(&mut self, id: u64, before: Option<&Contact>) {
        if self.lag_us == 0 && self.jitter_us == 0 {
            return;
        }
        let extra = if self.jitter_us == 0 {
            0
        } else {
            self.rng.random_range(0..=self.jitter_us)
        };
        let states = self.behind.entry(id).or_default();
        // Writes to one contact become visible in their order.
        let due = (self.now_us + self.lag_us + extra).max(states.back().map_or(0, |(due, _)| *due));
        states.push_back((due, before.cloned()));
        self.due.entry(due).or_default().push(id);
    }

    /// What the index knows about a contact.
    pub(super) fn seen(&self, id: u64) -> Indexed<'_> {
        match self.behind.get(&id).and_then(VecDeque::front) {
            None => Indexed::Current,
            Some((_, Some(before))) => Indexed::Older(before),
            Some((_, None)) => Indexed::Nothing,
        }
    }

    /// Contacts about which the index is not up to date.
    pub(super) fn behind(&self) -> impl Iterator<Item = u64> {
        self.behind.keys().copied()
    }

    /// Forgets a contact that is gone for good.
    pub(super) fn forget(&mut self, id: u64) {
        self.behind.remove(&id);
    }
}
