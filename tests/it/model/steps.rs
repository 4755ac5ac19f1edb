//! What replicas do: the protocol itself, with the switches of the designs.
//!
//! A step is as large as it can be without hiding an order. An answer that arrives is settled in the same step: whatever
//! comes between stands also for an answer that is still on its way. A commit is one step, and so is a read.

use super::designs::{Design, Intents, Key, Look, Reconciler, Stop, WhenThere};
use super::state::{
    Backing, Database, GONE, Job, LEADS, NEWER, Phase, REWRITE, Replica, Request, Stage, State, Task, Value, job_of,
    rewrite_of, value_of,
};
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
fn is_behind(state: &State) -> bool {
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

    fn begins(&mut self, r: u8) {
        let database = &self.from.database;
        let blocked = self.design.intents == Intents::OnePerPerson && database.is_open();
        for lead in 0..LEADS {
            let job = database.jobs[lead];
            let free = job.stage == Stage::Ready || job.stage == Stage::Claimed && self.is_lapsed(job.owner);
            if free && !blocked {
                self.claims(r, lead as Task);
            }
        }
        for place in 0..=REWRITE {
            self.takes_over(r, place);
        }
        if !blocked && database.jobs[REWRITE].stage == Stage::Done {
            self.reconciles(r);
        }
    }

    fn is_lapsed(&self, owner: u8) -> bool {
        owner == GONE || self.from.replicas[usize::from(owner)].expired
    }

    fn claims(&mut self, r: u8, lead: Task) {
        let mut to = *self.from;
        self.commit(&mut to, |database| {
            let job = &mut database.jobs[usize::from(lead)];
            job.stage = Stage::Claimed;
            job.owner = r;
        });
        to.replica(r).phase = Phase::Claimed;
        to.replica(r).task = lead;
        self.add(Verb::Claims, r, lead, 0, to);
    }

    fn takes_over(&mut self, r: u8, place: usize) {
        let job = self.from.database.jobs[place];
        let waits = match job.stage {
            Stage::Open if self.is_lapsed(job.owner) => self.design.takeover_waits,
            Stage::Unknown => self.design.settle_wait,
            _ => return,
        };
        if waits && self.from.travels(place) {
            return;
        }
        let mut to = *self.from;
        let doubts = self.doubts();
        self.commit(&mut to, |database| {
            database.jobs[place].stage = Stage::Open;
            database.jobs[place].owner = r;
            database.doubt |= doubts;
        });
        let task = match place {
            REWRITE => rewrite_of(self.from.database.rewrites),
            lead => lead as Task,
        };
        self.takes_in_hand(&mut to, r, task, job.target, true);
        self.add(Verb::TakesOver, r, task, 0, to);
    }

    fn doubts(&self) -> bool {
        matches!(self.design.reconciler, Reconciler::Once | Reconciler::OnceAndWhenLate)
    }

    /// The replica has a write in hand. `again`: somebody may have sent it.
    fn takes_in_hand(&self, to: &mut State, r: u8, task: Task, target: u8, again: bool) {
        let asks = self.design.look != Look::Never && (target == 0 || again);
        *to.replica(r) = Replica {
            phase: match (asks, again) {
                (false, _) => Phase::Looked,
                (true, false) => Phase::Fresh,
                (true, true) => Phase::Looking,
            },
            task,
            target,
            second_key: match self.design.key {
                Key::Drawn => to.database.key == 2,
                Key::PerLead => task == 1,
                Key::None | Key::PerPerson => false,
            },
            again: again && self.design.stop != Stop::Leaves,
            backing: Backing::Committed,
            expired: to.replica(r).expired,
        };
    }

    fn reconciles(&mut self, r: u8) {
        let behind = is_behind(self.from);
        let due = match self.design.reconciler {
            Reconciler::Never => false,
            Reconciler::Once | Reconciler::OnceAndWhenLate => {
                self.from.database.doubt && self.from.wire.iter().all(Option::is_none)
            }
            Reconciler::Always => behind,
        };
        if !due {
            return;
        }
        let mut to = *self.from;
        if !behind {
            self.commit(&mut to, |database| database.doubt = false);
            self.add(Verb::FindsAllWell, r, 0, 0, to);
            return;
        }
        let Database { link, ours, .. } = self.from.database;
        let announces = self.design.intents != Intents::None;
        self.commit(&mut to, |database| {
            database.doubt = false;
            database.rewrites = ours;
            if announces {
                database.jobs[REWRITE] = Job {
                    stage: Stage::Open,
                    owner: r,
                    target: link,
                };
            }
        });
        let task = rewrite_of(ours);
        self.takes_in_hand(&mut to, r, task, link, false);
        self.add(Verb::Reconciles, r, task, link, to);
    }

    fn decides(&mut self, r: u8, me: Replica) {
        let database = &self.from.database;
        let lead = usize::from(me.task);
        let value = value_of(me.task);
        let mut to = *self.from;
        if self.design.intents != Intents::None {
            let job = database.jobs[lead];
            if job.stage != Stage::Claimed || job.owner != r {
                self.idle(&mut to, r, false);
                self.add(Verb::FindsClaimGone, r, me.task, 0, to);
                return;
            }
        }
        if self.design.intents == Intents::OnePerPerson && database.is_open() {
            self.commit(&mut to, |database| database.jobs[lead] = Job::READY);
            self.idle(&mut to, r, false);
            self.add(Verb::HandsBack, r, me.task, 0, to);
            return;
        }
        let Some(target) = self.target_of(value) else {
            let confirms = self.mirrors() && !self.design.foreign_stays && database.seen == value;
            self.commit(&mut to, |database| {
                database.jobs[lead] = Job::DONE;
                if confirms {
                    database.ours = database.ours.max(value);
                }
            });
            self.idle(&mut to, r, false);
            self.add(Verb::NeedsNoWrite, r, me.task, 0, to);
            return;
        };
        if !self.design.confirms_commit {
            let mut lost = to;
            self.takes_in_hand(&mut lost, r, me.task, target, false);
            lost.replica(r).backing = Backing::Denied;
            self.add(Verb::BelievesCommit, r, me.task, target, lost);
        }
        if self.design.intents != Intents::None {
            self.intends(&mut to, r, lead, target);
        }
        self.takes_in_hand(&mut to, r, me.task, target, false);
        self.add(Verb::Decides, r, me.task, target, to);
    }

    /// Which contact a lead is to change, 0 for a new one. Nothing, if its value is there or another one stands above it.
    fn target_of(&self, value: Value) -> Option<u8> {
        let Database { link, ours, seen, .. } = self.from.database;
        let is_known = !self.mirrors() || seen == ours;
        let wins = value > ours && (is_known || !self.design.foreign_stays && value != seen);
        (link == 0 || wins).then_some(link)
    }

    /// Whether leads are decided by a mirror of the CRM.
    pub(super) fn mirrors(&self) -> bool {
        self.design.when_there != WhenThere::Updates
    }

    fn intends(&self, to: &mut State, r: u8, lead: usize, target: u8) {
        let draws = self.design.key == Key::Drawn && target == 0 && self.from.database.key == 0;
        // What is drawn after a commit was lost is another one than before.
        let drawn = if self.from.before.is_some() { 1 } else { 2 };
        self.commit(to, |database| {
            database.jobs[lead] = Job {
                stage: Stage::Open,
                owner: r,
                target,
            };
            if draws {
                database.key = drawn;
            }
        });
    }

    fn looks(&mut self, r: u8, me: Replica) {
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

    fn checks_lease(&mut self, r: u8, me: Replica) {
        let mut to = *self.from;
        if me.expired {
            self.idle(&mut to, r, true);
            self.add(Verb::FindsLeaseGone, r, me.task, 0, to);
        } else {
            to.replica(r).phase = Phase::Checked;
            self.add(Verb::ChecksLease, r, me.task, 0, to);
        }
    }

    fn withdraws(&mut self, r: u8, me: Replica) {
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

    fn sends(&mut self, r: u8, me: Replica) {
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
    fn gives_up(&mut self, r: u8, me: Replica) {
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

    fn is_mine(&self, r: u8, place: usize) -> bool {
        let job = self.from.database.jobs[place];
        job.stage == Stage::Open && job.owner == r
    }

    fn comes_late(&self, to: &mut State) {
        if self.design.reconciler == Reconciler::OnceAndWhenLate && !to.database.doubt {
            self.commit(to, |database| database.doubt = true);
        }
    }

    /// An answer arrives, from a write or from a look.
    fn hears(&mut self, r: u8, me: Replica) {
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
        self.add(Verb::DecidesAnew, r, me.task, me.target, to);
    }

    /// What is still on its way of a closed intent has nothing to do with the next one. Only a stop asks for the
    /// difference.
    pub(super) fn closes(&self, to: &mut State, place: usize) {
        if self.design.stop != Stop::Leaves {
            to.mark(place, Backing::Committed, Backing::Past);
        }
    }
}
