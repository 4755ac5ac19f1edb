//! The permit: leave to make one call. A value that is used up by the call, so an ungoverned call does not compile.

use std::fmt;

/// Which of the CRM's limits a call is counted against. Every call also counts against the daily one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Ordinary calls: HubSpot allows 190 in any 10 seconds for each token.
    General,
    /// Search calls: HubSpot allows 5 in any second for each account.
    Search,
}

impl Bucket {
    /// The name in `gate.governor` and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Bucket::General => "general",
            Bucket::Search => "search",
        }
    }
}

/// Who goes first when permits are scarce. The first named is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Finding out what became of a write.
    Recovery,
    /// Leads that wait now.
    Live,
    /// Approved merges.
    Merge,
    /// Keeping the mirror fresh.
    Mirror,
    /// Filling the mirror and comparing all of it.
    Backfill,
}

impl Priority {
    /// All of them.
    pub const ALL: [Priority; 5] = [
        Priority::Recovery,
        Priority::Live,
        Priority::Merge,
        Priority::Mirror,
        Priority::Backfill,
    ];

    /// The name in `audit.crm_call` and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Priority::Recovery => "recovery",
            Priority::Live => "live",
            Priority::Merge => "merge",
            Priority::Mirror => "mirror",
            Priority::Backfill => "backfill",
        }
    }
}

/// Leave to make one call now.
///
/// Neither `Clone` nor makeable outside this room. Taking it by value, a connector's method uses it up.
#[must_use = "a permit that is not used is a call given away"]
pub struct Permit {
    bucket: Bucket,
    priority: Priority,
}

impl Permit {
    pub(super) fn new(bucket: Bucket, priority: Priority) -> Self {
        Self { bucket, priority }
    }

    /// The limit that this permit was counted against.
    pub fn bucket(&self) -> Bucket {
        self.bucket
    }

    /// For whom it was given.
    pub fn priority(&self) -> Priority {
        self.priority
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({}, {})", self.bucket.name(), self.priority.name())
    }
}
