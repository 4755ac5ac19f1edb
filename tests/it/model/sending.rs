//! The way of a write to the CRM, and of the answer into the database.

use super::designs::{Intents, Look, Reconciler, Stop, WhenThere};
use super::state::{Backing, Job, Phase, REWRITE, Replica, Request, Stage, State, Value, job_of, value_of};
use super::steps::Steps;
use super::words::Verb;

impl Steps<'_> {
    pub(super) fn looks(&mut self, r: u8, me: Replica) {
        let value = value_of(me.task);
        let found = match me.target {
            0 => self
                .from
                .position(|contact| contact.value > 0 && (self.design.look == Look::Store || contact.indexed)),
            target => (self.from.contact(target).value == value).then_some(target),
        };
        let mut to = *self.from;
        let Some(contact) = found else {
            to.replica(r).phase = Phase::Looked;
            self.add(Verb::FindsNothing, r, me.task, me.target, to);
            return;
        };
        let holds = self.from.contact(contact).value == value;
        let is_done = match (self.design.when_there, me.phase) {
            (WhenThere::Updates, _) => holds,
            // What was never sent has not made the contact.
            (_, Phase::Fresh) => false,
            _ => holds || !self.design.compares_found,
        };
        to.replica(r).phase = if is_done { Phase::Applied } else { Phase::Conflict };
        to.replica(r).target = contact;
        self.add(Verb::Finds, r, me.task, contact, to);
    }

    pub(super) fn checks_lease(&mut self, r: u8, me: Replica) {
        let mut to = *self.from;
        if me.expired {
            self.idle(&mut to, r, true);
            self.add(Verb::FindsLeaseGone, r, me.task, 0, to);
        } else {
            to.replica(r).phase = Phase::Checked;
            self.add(Verb::ChecksLease, r, me.task, 0, to);
        }
    }

    pub(super) fn withdraws(&mut self, r: u8, me: Replica) {
        let may = match self.design.stop {
            Stop::Leaves => false,
            Stop::WithdrawsAll => true,
            Stop::WithdrawsUnsent => !me.again && !me.expired,
        };
        let place = job_of(me.task);
        if !may || !self.is_mine(r, place) {
            return;
        }
        let mut to = *self.from;
        let closed = if place == REWRITE { Job::DONE } else { Job::READY };
        self.commit(&mut to, |database| database.jobs[place] = closed);
        to.mark(place, Backing::Committed, Backing::Denied);
        self.idle(&mut to, r, true);
        self.add(Verb::Withdraws, r, me.task, 0, to);
    }

    pub(super) fn sends(&mut self, r: u8, me: Replica) {
        let Some(place) = self.from.wire.iter().position(Option::is_none) else {
            return;
        };
        let mut to = *self.from;
        to.wire[place] = Some(Request {
            task: me.task,
            target: me.target,
            second_key: me.second_key,
            awaited_by: r,
            backing: me.backing,
        });
        to.replica(r).phase = Phase::Waiting;
        self.add(Verb::Sends, r, me.task, me.target, to);
    }

    /// The request or its answer takes too long. What travels goes on travelling.
    pub(super) fn gives_up(&mut self, r: u8, me: Replica) {
        let place = job_of(me.task);
        let mut to = *self.from;
        to.abandon_requests(r);
        if self.design.intents == Intents::None {
            self.takes_in_hand(&mut to, r, me.task, me.target, true);
        } else if self.is_mine(r, place) {
            let doubts = self.doubts();
            self.commit(&mut to, |database| {
                database.jobs[place].stage = Stage::Unknown;
                database.jobs[place].owner = 0;
                database.doubt |= doubts;
            });
            self.idle(&mut to, r, false);
        } else {
            self.comes_late(&mut to);
            self.idle(&mut to, r, false);
        }
        self.add(Verb::GivesUp, r, me.task, 0, to);
    }

    pub(super) fn is_mine(&self, r: u8, place: usize) -> bool {
        let job = self.from.database.jobs[place];
        job.stage == Stage::Open && job.owner == r
    }

    fn comes_late(&self, to: &mut State) {
        if self.design.reconciler == Reconciler::OnceAndWhenLate && !to.database.doubt {
            self.commit(to, |database| database.doubt = true);
        }
    }

    /// An answer arrives, from a write or from a look.
    pub(super) fn hears(&mut self, r: u8, me: Replica) {
        let contact = me.target;
        let held = self.from.contact(contact).value;
        let is_conflict = me.phase == Phase::Conflict;
        match self.design.when_there {
            WhenThere::Updates if is_conflict => {
                let mut to = *self.from;
                self.takes_in_hand(&mut to, r, me.task, contact, false);
                to.replica(r).backing = me.backing;
                self.add(Verb::TurnsToUpdate, r, me.task, contact, to);
            }
            WhenThere::DecidesAnew if is_conflict => self.decides_anew(r, me, held),
            WhenThere::IsDoneIfHeld if is_conflict && held != value_of(me.task) => self.decides_anew(r, me, held),
            _ => self.settles(r, me),
        }
    }

    fn settles(&mut self, r: u8, me: Replica) {
        let (place, contact, value) = (job_of(me.task), me.target, value_of(me.task));
        let mut to = *self.from;
        let accepted = !self.design.fence || self.is_mine(r, place);
        if accepted {
            let mirrors = self.mirrors();
            self.commit(&mut to, |database| {
                database.jobs[place] = Job::DONE;
                database.link = contact;
                database.ours = database.ours.max(value);
                if mirrors {
                    database.seen = value;
                }
            });
            self.closes(&mut to, place);
        } else {
            self.comes_late(&mut to);
        }
        self.idle(&mut to, r, false);
        let verb = if accepted { Verb::Settles } else { Verb::IsRefused };
        self.add(verb, r, me.task, contact, to);
    }

    /// What was read goes into the mirror, whoever may settle.
    fn decides_anew(&mut self, r: u8, me: Replica, held: Value) {
        let place = job_of(me.task);
        let accepted = !self.design.fence || self.is_mine(r, place);
        let mut to = *self.from;
        self.commit(&mut to, |database| {
            database.link = me.target;
            database.seen = held;
            if accepted {
                database.jobs[place] = Job::READY;
            }
        });
        if accepted {
            self.closes(&mut to, place);
        }
        self.idle(&mut to, r, false);
        let verb = if accepted { Verb::DecidesAnew } else { Verb::IsRefused };
        self.add(verb, r, me.task, me.target, to);
    }

    /// What is still on its way of a closed intent has nothing to do with the next one. Only a stop asks for the
    /// difference.
    pub(super) fn closes(&self, to: &mut State, place: usize) {
        if self.design.stop != Stop::Leaves {
            to.mark(place, Backing::Committed, Backing::Past);
        }
    }
}
