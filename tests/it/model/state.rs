//! All there is at one moment: the database, what each replica has in hand, what is on the wire, and the CRM.

use super::designs::{Design, Key};

/// The leads. Lead 0 brings the older value, lead 1 the newer one.
pub(super) const LEADS: usize = 2;
/// The place of the reconciler's own write among the jobs of the database.
pub(super) const REWRITE: usize = 2;
/// Requests that travel at the same time.
pub(super) const WIRE: usize = 3;

/// A value: 0 is none, 1 what the person had before, 2 the older lead's, 3 the newer lead's.
pub(super) type Value = u8;

pub(super) const FORMER: Value = 1;
pub(super) const NEWER: Value = 3;

/// The owner of what nobody has in hand any more: a process that is gone.
pub(super) const GONE: u8 = 2;
/// Nobody waits for the answer of this request any more.
pub(super) const NOBODY: u8 = 2;

/// A write: 0 and 1 are the leads', 2 and 3 the reconciler's of the older and the newer value.
pub(super) type Task = u8;

/// What a write brings.
pub(super) fn value_of(task: Task) -> Value {
    (task & 1) + 2
}

/// The reconciler's write of a value.
pub(super) fn rewrite_of(value: Value) -> Task {
    value
}

/// The place of a write among the jobs.
pub(super) fn job_of(task: Task) -> usize {
    usize::from(task).min(REWRITE)
}

/// How far a job is, in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Ready,
    Claimed,
    /// There is a committed intent: it may have been sent.
    Open,
    /// It was sent, and nobody knows what became of it.
    Unknown,
    Done,
}

/// A lead, or the reconciler's write, with the intent that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) stage: Stage,
    /// The replica that claimed it or sends it.
    pub(super) owner: u8,
    /// The contact to change; 0: to be made.
    pub(super) target: u8,
}

/// What is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Database {
    pub(super) jobs: [Job; LEADS + 1],
    /// What the reconciler's write brings.
    pub(super) rewrites: Value,
    /// The person's contact in the CRM; 0: none is known.
    pub(super) link: u8,
    /// What was written last, of the writes that the database knows.
    pub(super) ours: Value,
    /// What the mirror shows. Only designs that decide by a mirror keep it.
    pub(super) seen: Value,
    /// The key that was drawn at random, 1 or 2; 0: none yet. Only designs that draw one keep it.
    pub(super) key: u8,
    /// Something may have gone wrong with the person's contact: it is to be looked at once.
    pub(super) doubt: bool,
}

/// What a replica is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Phase {
    Idle,
    /// It has claimed a lead and not decided it yet.
    Claimed,
    /// It has a write in hand that was never sent, and asks the CRM first.
    Fresh,
    /// It has a write in hand that may have been sent, and looks it up first.
    Looking,
    /// Nothing was found: it may send.
    Looked,
    /// It has looked at its lease; next is the socket.
    Checked,
    /// It has sent.
    Waiting,
    /// An answer is on the way: done.
    Applied,
    /// An answer is on the way: the person is there already.
    Conflict,
}

/// What the database says of the intent of a write that somebody has in hand or on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backing {
    /// It is committed.
    Committed,
    /// It was committed, and is settled or was lost in a failover since: how a later intent ends says nothing of it.
    Past,
    /// It never was committed, or is closed as never sent.
    Denied,
}

/// What a replica has in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replica {
    pub(super) phase: Phase,
    pub(super) task: Task,
    /// The contact to change; 0: to be made. Of an answer: the contact that it names.
    pub(super) target: u8,
    /// Which of two keys a contact is made with.
    pub(super) second_key: bool,
    /// An earlier attempt may have been sent. Only designs that withdraw keep it.
    pub(super) again: bool,
    pub(super) backing: Backing,
    /// The others take it for dead.
    pub(super) expired: bool,
}

/// A request on its way to the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) task: Task,
    pub(super) target: u8,
    pub(super) second_key: bool,
    pub(super) awaited_by: u8,
    pub(super) backing: Backing,
}

/// A contact of the person in the CRM. Without a value it does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) value: Value,
    /// Which of two keys it carries.
    pub(super) second_key: bool,
    /// The search finds it. Only designs that search keep it.
    pub(super) indexed: bool,
}

/// Everything at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) database: Database,
    /// The database without its last commit, as long as a failover may lose it.
    pub(super) before: Option<Database>,
    pub(super) replicas: [Replica; 2],
    /// In any order.
    pub(super) wire: [Option<Request>; WIRE],
    pub(super) contacts: [Contact; 2],
    pub(super) second_written_last: bool,
    pub(super) kills_left: u8,
    pub(super) expiries_left: u8,
}

/// Where a way begins: two leads wait, of a person who is new, or whom the CRM and the database know.
pub(super) fn beginnings(design: &Design) -> [State; 2] {
    [false, true].map(|known| {
        let former = if known { FORMER } else { 0 };
        let database = Database {
            jobs: [Job::READY, Job::READY, Job::DONE],
            rewrites: value_of(0),
            link: u8::from(known),
            ours: former,
            seen: former,
            key: u8::from(known && design.key == Key::Drawn),
            doubt: false,
        };
        let contact = |value| Contact {
            value,
            second_key: false,
            indexed: value > 0,
        };
        State {
            database,
            before: design.failover.then_some(database),
            replicas: [Replica::IDLE; 2],
            wire: [None; WIRE],
            contacts: [contact(former), contact(0)],
            second_written_last: false,
            kills_left: 1,
            expiries_left: 2,
        }
    })
}

impl State {
    pub(super) fn replica(&mut self, r: u8) -> &mut Replica {
        &mut self.replicas[usize::from(r)]
    }

    /// The contact of this number, which exists.
    pub(super) fn contact(&self, number: u8) -> &Contact {
        &self.contacts[usize::from(number) - 1]
    }

    /// The number of the first contact like this.
    pub(super) fn position(&self, like: impl Fn(&Contact) -> bool) -> Option<u8> {
        self.contacts.iter().position(like).map(|place| place as u8 + 1)
    }

    /// Whether a request of this job is on its way.
    pub(super) fn travels(&self, job: usize) -> bool {
        self.wire.iter().flatten().any(|request| job_of(request.task) == job)
    }

    /// Nobody waits any more for what this replica has sent.
    pub(super) fn abandon_requests(&mut self, r: u8) {
        for request in self.wire.iter_mut().flatten() {
            if request.awaited_by == r {
                request.awaited_by = NOBODY;
            }
        }
    }

    /// The database says something else from now on about what is in hand or on the wire of this job.
    pub(super) fn mark(&mut self, job: usize, from: Backing, to: Backing) {
        for replica in &mut self.replicas {
            if replica.phase > Phase::Claimed && job_of(replica.task) == job && replica.backing == from {
                replica.backing = to;
            }
        }
        for request in self.wire.iter_mut().flatten() {
            if job_of(request.task) == job && request.backing == from {
                request.backing = to;
            }
        }
    }

    /// The same with the two replicas exchanged.
    pub(super) fn swapped(mut self) -> Self {
        self.replicas.swap(0, 1);
        self.database.swap_owners();
        if let Some(before) = &mut self.before {
            before.swap_owners();
        }
        for request in self.wire.iter_mut().flatten() {
            request.awaited_by = other(request.awaited_by);
        }
        self
    }
}

/// The other replica; what is neither of them stays.
fn other(replica: u8) -> u8 {
    if replica < 2 { 1 - replica } else { replica }
}

impl Database {
    /// Whether a write of the person is under way.
    pub(super) fn is_open(&self) -> bool {
        self.jobs.iter().any(Job::is_open)
    }

    fn swap_owners(&mut self) {
        for job in &mut self.jobs {
            if matches!(job.stage, Stage::Claimed | Stage::Open) {
                job.owner = other(job.owner);
            }
        }
    }
}

impl Job {
    pub(super) const READY: Job = Job {
        stage: Stage::Ready,
        owner: 0,
        target: 0,
    };

    pub(super) const DONE: Job = Job {
        stage: Stage::Done,
        ..Job::READY
    };

    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Unknown)
    }
}

impl Replica {
    /// With nothing in hand, and a lease: who lost it begins again under a new one.
    pub(super) const IDLE: Replica = Replica {
        phase: Phase::Idle,
        task: 0,
        target: 0,
        second_key: false,
        again: false,
        backing: Backing::Committed,
        expired: false,
    };
}
