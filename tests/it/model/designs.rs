//! Designs of the write protocol, each a set of switches, and what is expected of each.

/// What the CRM holds unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    None,
    PerLead,
    /// A function of the person.
    PerPerson,
    /// One for the person, drawn at random and kept in the database.
    Drawn,
}

/// How the CRM is asked before somebody is created, and what became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Never,
    /// By its search, which lags.
    Index,
    /// By a read of its store.
    Store,
}

/// What is committed before something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intents {
    None,
    PerLead,
    /// Only one is open for a person.
    OnePerPerson,
}

/// What compares the CRM with what was written, and writes again what is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reconciler {
    Never,
    /// Once after an unknown outcome or a takeover, when nothing travels any more.
    Once,
    /// Also once after an answer that was refused because another replica had taken over.
    OnceAndWhenLate,
    /// Again and again.
    Always,
}

/// What becomes of a creation when the person is in the CRM already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WhenThere {
    /// It becomes an update.
    Updates,
    /// The contact goes into the mirror, and the lead is decided anew.
    DecidesAnew,
    /// The same; but if the contact carries our key and holds what was to be written, the write is done: an earlier attempt
    /// of ours has made it.
    IsDoneIfHeld,
}

/// What a stop does with a write that waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Leaves it to recovery.
    Leaves,
    /// Closes it as never sent, also if an earlier attempt was sent.
    WithdrawsAll,
    /// Closes it if it is in the first hands and the lease holds: then it was never sent.
    WithdrawsUnsent,
}

/// A design.
#[derive(Debug, Clone, Copy)]
pub(super) struct Design {
    pub(super) name: &'static str,
    pub(super) key: Key,
    /// A creation whose key is taken changes the contact that has it. Otherwise it is refused.
    pub(super) upsert: bool,
    pub(super) look: Look,
    pub(super) intents: Intents,
    /// The lease is looked at before something is sent.
    pub(super) lease_check: bool,
    /// What a dead replica sent has landed, or never will, when its write is taken over.
    pub(super) takeover_waits: bool,
    /// What was sent has landed, or never will, when an unknown outcome is looked up.
    pub(super) settle_wait: bool,
    /// An answer is refused when another replica has taken over.
    pub(super) fence: bool,
    pub(super) reconciler: Reconciler,
    /// No replica that lives is without its lease between its last look at it and the socket.
    pub(super) bounded_pauses: bool,
    /// The database may fail over, once, and lose its last commit.
    pub(super) failover: bool,
    pub(super) when_there: WhenThere,
    /// A value in the mirror that the database does not know to be ours is the edit of somebody who outranks the leads.
    pub(super) foreign_stays: bool,
    /// A creation that is found by its key is done only if the contact holds what was sent.
    pub(super) compares_found: bool,
    pub(super) stop: Stop,
    /// A replica that lives hands back a claim on which it does not work.
    pub(super) finds_lost_claims: bool,
    /// After an error on COMMIT nothing is sent until the intent was found.
    pub(super) confirms_commit: bool,
}

/// What is expected of a design, one answer for each promise.
pub(super) struct Expected {
    pub(super) design: Design,
    pub(super) asked: [Asked; 4],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Holds,
    Breaks,
    /// Not asked. Where three promises are broken the search may stop; and who makes one contact after the other comes to
    /// no end here, because a third contact never comes to be.
    Nothing,
}

use Asked::{Breaks, Holds, Nothing};

const fn expect(design: Design, asked: [Asked; 4]) -> Expected {
    Expected { design, asked }
}

/// Each design with: never two contacts, the newest value wins, every effect is audited, every lead ends.
pub(super) const TABLE: &[Expected] = &[
    // No unique key. More and more care, and still two contacts, because what is on the wire cannot be called back.
    expect(A, [Breaks, Breaks, Breaks, Nothing]),
    expect(B, [Breaks, Breaks, Breaks, Nothing]),
    expect(C, [Breaks, Breaks, Breaks, Nothing]),
    expect(D, [Breaks, Breaks, Holds, Holds]),
    expect(E, [Breaks, Breaks, Holds, Holds]),
    expect(F, [Breaks, Breaks, Holds, Holds]),
    // Four things at once do it: a read of the store, one open intent, the wait, and no long pause. Each is needed.
    expect(P, [Holds, Holds, Holds, Holds]),
    expect(P2, [Breaks, Breaks, Holds, Holds]),
    expect(P3, [Breaks, Holds, Holds, Holds]),
    expect(P4, [Breaks, Breaks, Holds, Holds]),
    // The fence is needed too, for the order: without it the late answer of the first owner lets the next lead pass while
    // the second owner still holds the older value, finds the newer one there, and writes over it.
    expect(P_UNFENCED, [Holds, Breaks, Holds, Holds]),
    // A unique key ends duplicates if it is a function of the person, whatever else is missing. It does not end old values.
    expect(H, [Breaks, Breaks, Breaks, Nothing]),
    expect(I, [Holds, Breaks, Breaks, Holds]),
    expect(J, [Holds, Breaks, Holds, Holds]),
    expect(N, [Holds, Breaks, Holds, Holds]),
    expect(M, [Breaks, Breaks, Holds, Holds]),
    expect(J_BLIND, [Nothing, Nothing, Breaks, Nothing]),
    // Waiting and no long pause end old values, and so does a reconciler, which needs neither.
    expect(Q, [Holds, Holds, Holds, Holds]),
    expect(S, [Holds, Holds, Holds, Holds]),
    expect(T, [Holds, Holds, Holds, Holds]),
    expect(U, [Holds, Holds, Breaks, Holds]),
    // But it must not stop looking: after the last look a replica may wake up, send, and die before it can say so.
    expect(S_ONCE, [Holds, Breaks, Holds, Holds]),
    expect(S_ONCE_AND_WHEN_LATE, [Holds, Breaks, Holds, Holds]),
    // The code as it is, where the database keeps what it committed: all holds. Each part is needed.
    expect(RECONCILED, [Holds, Holds, Holds, Holds]),
    expect(UNRECONCILED, [Holds, Breaks, Holds, Holds]),
    expect(RECONCILED_BUT_ANEW, [Holds, Breaks, Holds, Holds]),
    expect(RECONCILED_BUT_WITHDRAWING, [Holds, Breaks, Breaks, Holds]),
    // No wait is long enough for every CRM. The promises do not hang on it.
    expect(RECONCILED_AND_HASTY, [Holds, Holds, Holds, Holds]),
    // After a failover, what a lost commit had sent looks like somebody's edit. Where edits outrank the leads it stays: only
    // the CRM's own history of the value could tell whose it is. Where they do not, all is well, if claims are found.
    expect(GATEKEEPER, [Holds, Breaks, Holds, Holds]),
    expect(GATEKEEPER_YIELDING, [Holds, Holds, Holds, Holds]),
    expect(GATEKEEPER_LOSING_CLAIMS, [Holds, Holds, Holds, Breaks]),
];

/// Claim, create, commit; when in doubt, send again.
const A: Design = Design {
    name: "A",
    key: Key::None,
    upsert: false,
    look: Look::Never,
    intents: Intents::None,
    lease_check: false,
    takeover_waits: false,
    settle_wait: false,
    fence: false,
    reconciler: Reconciler::Never,
    bounded_pauses: false,
    failover: false,
    when_there: WhenThere::Updates,
    foreign_stays: false,
    compares_found: true,
    stop: Stop::Leaves,
    finds_lost_claims: true,
    confirms_commit: true,
};

/// And a search before each create.
const B: Design = Design {
    name: "B",
    look: Look::Index,
    ..A
};

/// And a read of the store instead.
const C: Design = Design {
    name: "C",
    look: Look::Store,
    ..A
};

/// And one open intent for a person.
const D: Design = Design {
    name: "D",
    intents: Intents::OnePerPerson,
    ..C
};

/// And a look at the lease just before sending.
const E: Design = Design {
    name: "E",
    lease_check: true,
    ..D
};

/// And a takeover waits until the dead replica's request has ended.
pub(super) const F: Design = Design {
    name: "F",
    takeover_waits: true,
    ..E
};

/// And all that can be done without a unique key, in a world without long pauses.
const P: Design = Design {
    name: "P",
    settle_wait: true,
    fence: true,
    bounded_pauses: true,
    ..F
};

const P2: Design = Design {
    name: "P2: P with long pauses",
    bounded_pauses: false,
    ..P
};

const P3: Design = Design {
    name: "P3: P with a search",
    look: Look::Index,
    ..P
};

const P4: Design = Design {
    name: "P4: P, many open intents",
    intents: Intents::PerLead,
    ..P
};

const P_UNFENCED: Design = Design {
    name: "P without a fence",
    fence: false,
    ..P
};

/// A unique key for each lead, and nothing else.
const H: Design = Design {
    name: "H",
    key: Key::PerLead,
    ..I
};

/// A unique key for each person, and nothing else.
const I: Design = Design {
    name: "I",
    key: Key::PerPerson,
    upsert: true,
    ..A
};

/// And one open intent for a person, and the fence.
const J: Design = Design {
    name: "J",
    intents: Intents::OnePerPerson,
    fence: true,
    ..I
};

const J_BLIND: Design = Design {
    name: "J that believes a failed COMMIT",
    confirms_commit: false,
    ..J
};

/// And a failover.
const N: Design = Design {
    name: "N",
    failover: true,
    ..J
};

/// And a key that is lost with the commit that drew it.
const M: Design = Design {
    name: "M",
    key: Key::Drawn,
    ..N
};

/// J and the waits, in a world without long pauses.
const Q: Design = Design {
    name: "Q",
    takeover_waits: true,
    settle_wait: true,
    bounded_pauses: true,
    ..J
};

/// J, the waits and a reconciler.
const S: Design = Design {
    name: "S",
    bounded_pauses: false,
    reconciler: Reconciler::Always,
    ..Q
};

const S_ONCE: Design = Design {
    name: "S, reconciled once",
    reconciler: Reconciler::Once,
    ..S
};

const S_ONCE_AND_WHEN_LATE: Design = Design {
    name: "S, reconciled once and when late",
    reconciler: Reconciler::OnceAndWhenLate,
    ..S
};

/// And a failover.
const T: Design = Design {
    name: "T",
    failover: true,
    ..S
};

/// I and a reconciler: the least that keeps the first two promises. The old value is seen on the way.
const U: Design = Design {
    name: "U",
    reconciler: Reconciler::Always,
    ..I
};

/// The code of this tree, and a reconciler that looks again and again. Pauses are long, the database fails over, and a lead's
/// source ranks below the people who work in the CRM.
///
/// The CRM refuses a second contact with a person's key. A batch read of the store comes before the first create, another
/// one before anything is sent again. `gate.intent` has one open row for a person, and an epoch. `push::sender` looks at the
/// lease before each call; stopped, it withdraws what nobody has taken over, and leaves the rest to recovery. A create that
/// was turned down because an earlier request of ours had landed is applied, if the contact holds what was sent.
const GATEKEEPER: Design = Design {
    name: "GATEKEEPER",
    upsert: false,
    look: Look::Store,
    lease_check: true,
    when_there: WhenThere::IsDoneIfHeld,
    foreign_stays: true,
    compares_found: true,
    stop: Stop::WithdrawsUnsent,
    finds_lost_claims: true,
    ..T
};

const UNRECONCILED: Design = Design {
    name: "GATEKEEPER, no failover, no reconciler",
    reconciler: Reconciler::Never,
    ..RECONCILED
};

const RECONCILED: Design = Design {
    name: "GATEKEEPER, no failover",
    failover: false,
    ..GATEKEEPER
};

const RECONCILED_BUT_ANEW: Design = Design {
    name: "GATEKEEPER, no failover, but our own create is foreign",
    when_there: WhenThere::DecidesAnew,
    ..RECONCILED
};

const RECONCILED_BUT_WITHDRAWING: Design = Design {
    name: "GATEKEEPER, no failover, but a stop withdraws all",
    stop: Stop::WithdrawsAll,
    ..RECONCILED
};

const RECONCILED_AND_HASTY: Design = Design {
    name: "GATEKEEPER, no failover, and waits too short",
    takeover_waits: false,
    settle_wait: false,
    ..RECONCILED
};

const GATEKEEPER_YIELDING: Design = Design {
    name: "GATEKEEPER, edits yield",
    foreign_stays: false,
    ..GATEKEEPER
};

const GATEKEEPER_LOSING_CLAIMS: Design = Design {
    name: "the same, but lost claims stay",
    finds_lost_claims: false,
    ..GATEKEEPER_YIELDING
};
