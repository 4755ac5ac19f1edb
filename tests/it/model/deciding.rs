//! What a replica takes in hand: leads, the writes of others, and what the reconciler finds.

use super::designs::{Intents, Key, Look, Reconciler, Stop};
use super::state::{
    Backing, Database, GONE, Job, LEADS, Phase, REWRITE, Replica, Stage, State, Task, Value, rewrite_of, value_of,
};
use super::steps::{Steps, is_behind};
use super::words::Verb;

impl Steps<'_> {
    pub(super) fn begins(&mut self, r: u8) {
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

    pub(super) fn doubts(&self) -> bool {
        matches!(self.design.reconciler, Reconciler::Once | Reconciler::OnceAndWhenLate)
    }

    /// The replica has a write in hand. `again`: somebody may have sent it.
    pub(super) fn takes_in_hand(&self, to: &mut State, r: u8, task: Task, target: u8, again: bool) {
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

    pub(super) fn decides(&mut self, r: u8, me: Replica) {
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
}
