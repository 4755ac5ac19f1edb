//! What a sandbox can be told at its start.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::faults::Rule;

/// Every scope that the sandbox knows.
pub const SCOPES: [&str; 4] = [
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
];

/// How the sandbox behaves. The default is a healthy account without limits, without lag and with a full journal.
#[derive(Clone)]
pub struct Options {
    /// Address to listen on. Anything but a loopback address is refused.
    pub bind: IpAddr,
    /// Port; 0 takes any free one.
    pub port: u16,
    /// The bearer token that is accepted.
    pub token: String,
    /// Tokens of other apps of the same account: a ten-second window of their own, search and daily limits shared.
    pub other_tokens: Vec<String>,
    /// What every token may do; see [`SCOPES`].
    pub scopes: BTreeSet<String>,
    /// `portalId` of the account.
    pub portal_id: u64,
    /// `accountType` of the account: `STANDARD`, `DEVELOPER_TEST`, `SANDBOX`, `APP_DEVELOPER`.
    pub account_type: String,
    /// `timeZone` of the account, an IANA name. Only shown: the daily limit begins anew by `utc_offset`.
    pub time_zone: String,
    /// Offset of the account's clock from UTC in seconds, east is positive.
    pub utc_offset: i32,
    /// Request limits; `None` is no limit, and no limit headers.
    pub limits: Option<Limits>,
    /// How long a create or update stays invisible to search.
    pub search_lag: Duration,
    /// Up to this much more lag for each write, drawn at random: later writes may become visible before earlier ones.
    pub search_lag_jitter: Duration,
    /// Seed of all that is random: order of results, gaps between ids, faults by probability, lag.
    pub seed: u64,
    /// Ids of new contacts jump about instead of rising.
    pub scattered_ids: bool,
    /// The account is enrolled in *Primary ID Preservation*: a merge keeps the primary's id and makes no third one.
    pub preserve_primary_id: bool,
    /// Which of the two recorded 409 bodies is sent.
    pub conflict_body: ConflictBody,
    /// Properties that the account's administrator requires; enforced on paths of `2026-09` only.
    pub required: Vec<String>,
    /// Unique text properties that exist from the start.
    pub unique: Vec<String>,
    /// How much is remembered of what happened.
    pub journal: JournalMode,
    /// Where the journal is appended to as JSON lines as well (only with [`JournalMode::Full`]).
    pub journal_file: Option<PathBuf>,
    /// Faults in force from the start.
    pub faults: Vec<Rule>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            token: "sandbox-token".to_owned(),
            other_tokens: Vec::new(),
            scopes: SCOPES.iter().map(|&scope| scope.to_owned()).collect(),
            portal_id: 62_515,
            account_type: "SANDBOX".to_owned(),
            time_zone: "UTC".to_owned(),
            utc_offset: 0,
            limits: None,
            search_lag: Duration::ZERO,
            search_lag_jitter: Duration::ZERO,
            seed: 1,
            scattered_ids: false,
            preserve_primary_id: false,
            conflict_body: ConflictBody::Conflict,
            required: Vec::new(),
            unique: Vec::new(),
            journal: JournalMode::Full,
            journal_file: None,
            faults: Vec::new(),
        }
    }
}

/// Request limits, each an exact rolling window but the daily one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one token in any `window`, search excepted.
    pub general: u32,
    /// Length of the general window.
    pub window: Duration,
    /// Search requests of the account in any `search_window`.
    pub search: u32,
    /// Length of the search window.
    pub search_window: Duration,
    /// Requests of the account from midnight to midnight, search included.
    pub daily: u32,
}

impl Limits {
    /// What a Professional account has: 190 in 10 s, 5 searches a second, 625,000 a day.
    pub const PROFESSIONAL: Limits = Limits {
        general: 190,
        window: Duration::from_secs(10),
        search: 5,
        search_window: Duration::from_secs(1),
        daily: 625_000,
    };
}

/// The two bodies of a 409 that were seen in real traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictBody {
    /// `category: CONFLICT`; the id stands in the message alone.
    Conflict,
    /// `category: OBJECT_ALREADY_EXISTS`, `error: CONTACT_EXISTS`, with an `identityProfile`.
    AlreadyExists,
}

/// How much is remembered of what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalMode {
    /// Nothing.
    Off,
    /// Sums only; memory does not grow with the number of requests.
    Counts,
    /// Sums, and every request and effect.
    Full,
}
