//! What the matcher found: candidates for a lead, and how well each agrees.

use serde::{Deserialize, Serialize};

use super::{ContactId, Document};

/// What identified a person, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The leading system's id.
    ExternalId,
    /// An e-mail address that belongs to one person.
    Email,
    /// A phone number that belongs to one person.
    Phone,
    /// First name, last name and company together, and whatever else agrees.
    Fuzzy,
    /// A person said so.
    Steward,
}

impl Tier {
    /// The word in `audit.entry.tier`.
    pub fn name(self) -> &'static str {
        match self {
            Tier::ExternalId => "external_id",
            Tier::Email => "email",
            Tier::Phone => "phone",
            Tier::Fuzzy => "fuzzy",
            Tier::Steward => "steward",
        }
    }
}

/// What the names as a whole say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// First and last name fit.
    Agree,
    /// This is somebody else.
    Conflict,
    /// Too little to tell.
    Unknown,
}

/// Whom a lead may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A contact of the mirror.
    Contact(ContactId),
    /// An earlier lead of the same batch, by its place in it.
    Peer(usize),
}

/// One candidate, as `gate.match_leads` returns it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Whom.
    pub target: Target,
    /// The strongest tier that found it.
    pub tier: Tier,
    /// Every identifier that found it and names one person.
    pub by: Vec<Tier>,
    /// What the names say.
    pub names: Names,
    /// Sum of the match weights.
    pub score: f32,
    /// Candidates of one lead with the same number are one person already.
    pub person: i32,
    /// Level of agreement of each field, for the audit.
    pub evidence: Document,
}
