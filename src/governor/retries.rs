//! Which calls are retries, and what they cost.
//!
//! A call is a retry when the CRM failed the last call that was made for the same end: until one of them works, what follows
//! is made again because of a failure, whoever makes it. Of 429 the shared pause takes care, of a refusal a person.

use std::sync::atomic::{AtomicU32, Ordering};

use super::Priority;

/// What a retry costs, as in the AWS SDKs' standard mode.
const RETRY: u32 = 5;
/// After a call that was not answered: that one was dearer to the CRM.
const RETRY_UNANSWERED: u32 = 10;

/// How the last call for each end went, in this process.
#[derive(Debug, Default)]
pub(super) struct Retries {
    costs: [AtomicU32; Priority::ALL.len()],
}

/// How a call went, as far as the next one is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    /// The CRM answered.
    Well,
    /// It failed the call: 5xx, 423, no connection.
    Failed,
    /// It did not answer in time, or not to the end.
    Unanswered,
}

impl Retries {
    /// Notes how a call went.
    pub(super) fn note(&self, priority: Priority, went: Went) {
        let cost = match went {
            Went::Well => 0,
            Went::Failed => RETRY,
            Went::Unanswered => RETRY_UNANSWERED,
        };
        self.costs[priority as usize].store(cost, Ordering::Relaxed);
    }

    /// What the next call for this end takes from the budget.
    pub(super) fn cost(&self, priority: Priority) -> u32 {
        self.costs[priority as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_after_a_failure_are_retries_until_one_for_the_same_end_works() {
        let retries = Retries::default();
        assert_eq!(retries.cost(Priority::Live), 0);
        retries.note(Priority::Live, Went::Failed);
        assert_eq!((retries.cost(Priority::Live), retries.cost(Priority::Mirror)), (5, 0));
        retries.note(Priority::Mirror, Went::Well);
        retries.note(Priority::Live, Went::Unanswered);
        assert_eq!(retries.cost(Priority::Live), 10);
        retries.note(Priority::Live, Went::Well);
        assert_eq!(retries.cost(Priority::Live), 0);
    }
}
