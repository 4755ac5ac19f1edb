//! A step: what it is, all that can come next, and what all steps have in common.
//!
//! A step is as large as it can be without hiding an order. An answer that arrives is settled in the same step: whatever
//! comes between stands also for an answer that is still on its way. A commit is one step, and so is a read.

use super::designs::{Design, Reconciler, WhenThere};
use super::state::{Database, GONE, NEWER, Phase, Replica, Stage, State, Task};
use super::words::{Verb, What};

/// A step and where it leads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    pub(super) what: What,
    pub(super) to: State,
    /// It changes the CRM, and the database has no intent that says so.
    pub(super) unaudited: bool,
}

/// All that can happen in a state.
pub(super) fn moves(design: &Design, from: &State, into: &mut Vec<Move>) {
    into.clear();
    let mut steps = Steps { design, from, into };
    for r in 0..2 {
        steps.works(r);
        steps.suffers(r);
    }
    steps.lands_or_is_lost();
    steps.is_read();
    steps.fails_over();
}

/// Everything has ended: no lead waits, nobody does anything, nothing travels, the reconciler finds nothing to do.
pub(super) fn is_quiet(design: &Design, state: &State) -> bool {
    state.database.jobs.iter().all(|job| job.stage == Stage::Done)
        && state.wire.iter().all(Option::is_none)
        && state.replicas.iter().all(|replica| replica.phase == Phase::Idle)
        && match design.reconciler {
            Reconciler::Never => true,
            Reconciler::Once | Reconciler::OnceAndWhenLate => !state.database.doubt,
            Reconciler::Always => !is_behind(state),
        }
}

/// The newer value is not what was written last. If there are two contacts, that is in the one that was written last.
pub(super) fn is_stale(state: &State) -> bool {
    state.contacts[usize::from(state.second_written_last)].value != NEWER
}

/// The contact shows a value that we wrote before the last one. A value that the database knows nothing of is no reason to
/// write: it is somebody's edit, or what a lost commit had sent, and its lead is decided once more.
pub(super) fn is_behind(state: &State) -> bool {
    let Database { link, ours, .. } = state.database;
    link != 0 && state.contact(link).value < ours
}

/// The steps out of one state, as they are found.
pub(super) struct Steps<'a> {
    pub(super) design: &'a Design,
    pub(super) from: &'a State,
    into: &'a mut Vec<Move>,
}

impl Steps<'_> {
    pub(super) fn push(&mut self, what: What, to: State, unaudited: bool) {
        self.into.push(Move { what, to, unaudited });
    }

    pub(super) fn add(&mut self, verb: Verb, replica: u8, task: Task, contact: u8, to: State) {
        let what = What {
            verb,
            replica,
            task,
            contact,
            late: false,
        };
        self.push(what, to, false);
    }

    pub(super) fn commit(&self, to: &mut State, change: impl FnOnce(&mut Database)) {
        if to.before.is_some() {
            to.before = Some(to.database);
        }
        change(&mut to.database);
    }

    /// The replica has nothing in hand any more. What the database says is its own is nobody's, also after a failover.
    /// `ends`: it is another process from now on.
    pub(super) fn idle(&self, to: &mut State, r: u8, ends: bool) {
        *to.replica(r) = Replica::IDLE;
        let claims_too = ends || self.design.finds_lost_claims;
        let let_go = |database: &mut Database| {
            for job in &mut database.jobs {
                if job.owner == r && (job.stage == Stage::Open || job.stage == Stage::Claimed && claims_too) {
                    job.owner = GONE;
                }
            }
        };
        let_go(&mut to.database);
        if let Some(before) = &mut to.before {
            let_go(before);
        }
    }

    /// Whether leads are decided by a mirror of the CRM.
    pub(super) fn mirrors(&self) -> bool {
        self.design.when_there != WhenThere::Updates
    }

    fn works(&mut self, r: u8) {
        let me = self.from.replicas[usize::from(r)];
        match me.phase {
            Phase::Idle => self.begins(r),
            Phase::Claimed => self.decides(r, me),
            Phase::Fresh | Phase::Looking => self.looks(r, me),
            Phase::Looked if self.design.lease_check => self.checks_lease(r, me),
            Phase::Looked | Phase::Checked => self.sends(r, me),
            Phase::Waiting => self.gives_up(r, me),
            Phase::Applied | Phase::Conflict => {
                self.hears(r, me);
                self.gives_up(r, me);
            }
        }
        if matches!(me.phase, Phase::Fresh | Phase::Looked) {
            self.withdraws(r, me);
        }
    }
}
