//! What happens to replicas, requests, the CRM's search, the mirror and the database, without anybody's doing.

use super::designs::{Intents, Key, Look};
use super::state::{Backing, Job, NOBODY, Phase, Request, State, value_of};
use super::steps::Steps;
use super::words::{Verb, What};

impl Steps<'_> {
    /// A replica is killed, or stands still so long that the others take it for dead.
    pub(super) fn suffers(&mut self, r: u8) {
        let me = self.from.replicas[usize::from(r)];
        if me.phase == Phase::Idle {
            return;
        }
        if self.from.kills_left > 0 {
            let mut to = *self.from;
            to.kills_left -= 1;
            to.abandon_requests(r);
            self.idle(&mut to, r, true);
            self.add(Verb::IsKilled, r, me.task, 0, to);
        }
        let last_look = match self.design.lease_check {
            true => Phase::Checked,
            false => Phase::Claimed,
        };
        let is_awake = self.design.bounded_pauses && me.phase >= last_look && me.phase <= Phase::Checked;
        if self.from.expiries_left > 0 && !me.expired && !is_awake {
            let mut to = *self.from;
            to.expiries_left -= 1;
            to.replica(r).expired = true;
            self.add(Verb::LosesLease, r, me.task, 0, to);
        }
    }

    /// Any request may be the next to land. One that is still waited for need not be lost: that its sender gives up, and it
    /// is lost then, is the same.
    pub(super) fn lands_or_is_lost(&mut self) {
        for place in 0..self.from.wire.len() {
            let Some(request) = self.from.wire[place] else { continue };
            let mut to = *self.from;
            to.wire[place] = None;
            if request.awaited_by == NOBODY {
                self.add(Verb::IsLost, 0, request.task, 0, to);
            }
            self.lands(request, to);
        }
    }

    fn lands(&mut self, request: Request, mut to: State) {
        let holder = match (request.target, self.design.key) {
            (0, Key::None) => None,
            (0, _) => to.position(|contact| contact.value > 0 && contact.second_key == request.second_key),
            (target, _) => Some(target),
        };
        // A third contact would show nothing that the second did not: it never lands.
        let Some(contact) = holder.or_else(|| to.position(|contact| contact.value == 0)) else {
            return;
        };
        let turned_down = request.target == 0 && holder.is_some() && !self.design.upsert;
        if !turned_down {
            let written = &mut to.contacts[usize::from(contact) - 1];
            written.value = value_of(request.task);
            if holder.is_none() {
                written.second_key = request.second_key;
            }
            to.second_written_last = contact == 2;
        }
        let late = request.awaited_by == NOBODY;
        if !late {
            let waiting = to.replica(request.awaited_by);
            waiting.phase = if turned_down { Phase::Conflict } else { Phase::Applied };
            waiting.target = contact;
        }
        let what = What {
            verb: match holder {
                None => Verb::Makes,
                Some(_) if turned_down => Verb::IsTurnedDown,
                Some(_) => Verb::Changes,
            },
            replica: request.awaited_by,
            task: request.task,
            contact,
            late,
        };
        let unannounced = self.design.intents == Intents::None || request.backing == Backing::Denied;
        self.push(what, to, !turned_down && unannounced);
    }

    /// The CRM's search and our mirror come to know of a contact.
    pub(super) fn is_read(&mut self) {
        let database = &self.from.database;
        for (place, contact) in self.from.contacts.iter().enumerate() {
            let number = place as u8 + 1;
            if contact.value == 0 {
                continue;
            }
            if self.design.look == Look::Index && !contact.indexed {
                let mut to = *self.from;
                to.contacts[place].indexed = true;
                self.add(Verb::IsIndexed, 0, 0, number, to);
            }
            let is_news = database.link != number || database.seen != contact.value;
            if self.mirrors() && is_news {
                let mut to = *self.from;
                self.commit(&mut to, |database| {
                    database.link = number;
                    database.seen = contact.value;
                });
                self.add(Verb::IsMirrored, 0, 0, number, to);
            }
        }
    }

    /// The standby goes on without the last commit.
    pub(super) fn fails_over(&mut self) {
        let Some(before) = self.from.before else { return };
        let mut to = *self.from;
        to.database = before;
        to.before = None;
        for (place, job) in before.jobs.iter().enumerate() {
            match (self.from.database.jobs[place].is_open(), Job::is_open(job)) {
                (true, false) => self.closes(&mut to, place),
                (false, true) => to.mark(place, Backing::Past, Backing::Committed),
                _ => {}
            }
        }
        self.add(Verb::FailsOver, 0, 0, 0, to);
    }
}
