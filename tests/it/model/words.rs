//! Steps in words: what a person reads of a way that breaks a promise.

use std::fmt;

use super::state::{REWRITE, Task, job_of};

/// What happens. The replica, the write and the contact that it is about stand in [`What`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Claims,
    FindsClaimGone,
    HandsBack,
    NeedsNoWrite,
    Decides,
    BelievesCommit,
    TakesOver,
    Reconciles,
    FindsAllWell,
    Finds,
    FindsNothing,
    ChecksLease,
    FindsLeaseGone,
    Withdraws,
    Sends,
    GivesUp,
    Settles,
    IsRefused,
    TurnsToUpdate,
    DecidesAnew,
    IsKilled,
    LosesLease,
    Makes,
    Changes,
    IsTurnedDown,
    IsLost,
    IsIndexed,
    IsMirrored,
    FailsOver,
}

/// A step: who does what with which write, and which contact it is about (0: none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct What {
    pub(super) verb: Verb,
    pub(super) replica: u8,
    pub(super) task: Task,
    pub(super) contact: u8,
    /// Its sender has given up.
    pub(super) late: bool,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replica = format!("replica {}", self.replica + 1);
        let contact = self.contact;
        let late = if self.late { " late" } else { "" };
        let write = match job_of(self.task) {
            REWRITE => format!("the reconciler's write of lead {}'s value", self.task - 1),
            _ => format!("lead {}", self.task + 1),
        };
        let aim = match contact {
            0 => "make a contact".to_owned(),
            contact => format!("change contact {contact}"),
        };
        match self.verb {
            Verb::Claims => write!(f, "{replica} claims {write}"),
            Verb::FindsClaimGone => write!(f, "{replica} finds that its claim of {write} is gone"),
            Verb::HandsBack => write!(f, "{replica} hands {write} back: a write of the person is open"),
            Verb::NeedsNoWrite => write!(f, "{replica} decides that {write} brings nothing to write"),
            Verb::Decides => write!(f, "{replica} decides that {write} shall {aim}"),
            Verb::BelievesCommit => write!(f, "{replica} decides that {write} shall {aim}; it is not committed"),
            Verb::TakesOver => write!(f, "{replica} takes over {write}"),
            Verb::Reconciles => write!(
                f,
                "{replica} sees an older value in contact {contact}: {write} is to come"
            ),
            Verb::FindsAllWell => write!(f, "{replica} looks at the contact once and finds it well"),
            Verb::Finds => write!(f, "{replica} asks the CRM about {write} and finds contact {contact}"),
            Verb::FindsNothing => write!(f, "{replica} asks the CRM about {write} and does not find it"),
            Verb::ChecksLease => write!(f, "{replica} looks at its lease, which holds"),
            Verb::FindsLeaseGone => write!(f, "{replica} looks at its lease, which is gone, and begins anew"),
            Verb::Withdraws => write!(f, "{replica} is stopped and closes {write} as never sent"),
            Verb::Sends => write!(f, "{replica} sends {write}, to {aim}"),
            Verb::GivesUp => write!(f, "{replica} gives up waiting for the answer to {write}"),
            Verb::Settles => write!(f, "{replica} hears of contact {contact} and settles {write}"),
            Verb::IsRefused => write!(
                f,
                "{replica} hears the end of {write} and is refused: it was taken over"
            ),
            Verb::TurnsToUpdate => write!(f, "{replica} hears of contact {contact}, which {write} shall change"),
            Verb::DecidesAnew => write!(f, "{replica} hears of contact {contact}: {write} is to be decided anew"),
            Verb::IsKilled => write!(f, "{replica} is killed"),
            Verb::LosesLease => write!(f, "{replica} stands still, and its lease runs out"),
            Verb::Makes => write!(f, "{write} lands{late} and makes contact {contact}"),
            Verb::Changes => write!(f, "{write} lands{late} and changes contact {contact}"),
            Verb::IsTurnedDown => write!(f, "{write} lands{late} and is turned down: the key is taken"),
            Verb::IsLost => write!(f, "a request of {write} is lost"),
            Verb::IsIndexed => write!(f, "the search finds contact {contact} from now on"),
            Verb::IsMirrored => write!(f, "the mirror reads contact {contact}"),
            Verb::FailsOver => write!(f, "the database fails over and loses its last commit"),
        }
    }
}
