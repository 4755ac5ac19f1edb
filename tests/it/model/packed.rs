//! A state in three words, so that millions of them fit and are soon compared.
//!
//! Written out by hand: it is done for each step, and in a test nothing is optimized.

use super::state::{Backing, Contact, Database, Job, Phase, Replica, Request, Stage, State};

pub(super) type Packed = [u64; 3];

const STAGES: [Stage; 5] = [Stage::Ready, Stage::Claimed, Stage::Open, Stage::Unknown, Stage::Done];
const PHASES: [Phase; 9] = [
    Phase::Idle,
    Phase::Claimed,
    Phase::Fresh,
    Phase::Looking,
    Phase::Looked,
    Phase::Checked,
    Phase::Waiting,
    Phase::Applied,
    Phase::Conflict,
];
const BACKINGS: [Backing; 3] = [Backing::Committed, Backing::Past, Backing::Denied];

/// Packs a state. The replicas are alike: of two states that differ only in their numbers one stands for both.
pub(super) fn pack(state: &State) -> Packed {
    let (first, second) = (of_replica(&state.replicas[0]), of_replica(&state.replicas[1]));
    if first < second {
        words(state)
    } else if first > second {
        words(&state.swapped())
    } else {
        words(state).min(words(&state.swapped()))
    }
}

fn words(state: &State) -> Packed {
    let mut databases = of_database(&state.database);
    if let Some(before) = &state.before {
        databases |= 1 << 31 | of_database(before) << 32;
    }
    let rest = of_replica(&state.replicas[0])
        | of_replica(&state.replicas[1]) << 13
        | of_contact(&state.contacts[0]) << 26
        | of_contact(&state.contacts[1]) << 30
        | u64::from(state.second_written_last) << 34
        | u64::from(state.kills_left) << 35
        | u64::from(state.expiries_left) << 36;
    // The order of requests means nothing: any of them may land next.
    let (mut first, mut second, mut third) = (
        of_request(&state.wire[0]),
        of_request(&state.wire[1]),
        of_request(&state.wire[2]),
    );
    if first < second {
        (first, second) = (second, first);
    }
    if second < third {
        (second, third) = (third, second);
    }
    if first < second {
        (first, second) = (second, first);
    }
    [databases, rest, first | second << 10 | third << 20]
}

pub(super) fn unpack([databases, rest, wire]: Packed) -> State {
    State {
        database: to_database(databases),
        before: is_set(databases, 31).then(|| to_database(databases >> 32)),
        replicas: [to_replica(rest), to_replica(rest >> 13)],
        wire: [to_request(wire), to_request(wire >> 10), to_request(wire >> 20)],
        contacts: [to_contact(rest >> 26), to_contact(rest >> 30)],
        second_written_last: is_set(rest, 34),
        kills_left: (rest >> 35 & 1) as u8,
        expiries_left: two(rest, 36),
    }
}

fn of_database(database: &Database) -> u64 {
    of_job(&database.jobs[0])
        | of_job(&database.jobs[1]) << 7
        | of_job(&database.jobs[2]) << 14
        | u64::from(database.rewrites - 2) << 21
        | u64::from(database.link) << 22
        | u64::from(database.ours) << 24
        | u64::from(database.seen) << 26
        | u64::from(database.key) << 28
        | u64::from(database.doubt) << 30
}

fn to_database(bits: u64) -> Database {
    Database {
        jobs: [to_job(bits), to_job(bits >> 7), to_job(bits >> 14)],
        rewrites: u8::from(is_set(bits, 21)) + 2,
        link: two(bits, 22),
        ours: two(bits, 24),
        seen: two(bits, 26),
        key: two(bits, 28),
        doubt: is_set(bits, 30),
    }
}

fn of_job(job: &Job) -> u64 {
    job.stage as u64 | u64::from(job.owner) << 3 | u64::from(job.target) << 5
}

fn to_job(bits: u64) -> Job {
    Job {
        stage: STAGES[bits as usize & 7],
        owner: two(bits, 3),
        target: two(bits, 5),
    }
}

fn of_replica(replica: &Replica) -> u64 {
    replica.phase as u64
        | u64::from(replica.task) << 4
        | u64::from(replica.target) << 6
        | u64::from(replica.second_key) << 8
        | u64::from(replica.again) << 9
        | (replica.backing as u64) << 10
        | u64::from(replica.expired) << 12
}

fn to_replica(bits: u64) -> Replica {
    Replica {
        phase: PHASES[bits as usize & 15],
        task: two(bits, 4),
        target: two(bits, 6),
        second_key: is_set(bits, 8),
        again: is_set(bits, 9),
        backing: BACKINGS[usize::from(two(bits, 10))],
        expired: is_set(bits, 12),
    }
}

/// A request is never 0, a free place is.
fn of_request(place: &Option<Request>) -> u64 {
    let Some(request) = place else { return 0 };
    1 | u64::from(request.task) << 1
        | u64::from(request.target) << 3
        | u64::from(request.second_key) << 5
        | u64::from(request.awaited_by) << 6
        | (request.backing as u64) << 8
}

fn to_request(bits: u64) -> Option<Request> {
    is_set(bits, 0).then(|| Request {
        task: two(bits, 1),
        target: two(bits, 3),
        second_key: is_set(bits, 5),
        awaited_by: two(bits, 6),
        backing: BACKINGS[usize::from(two(bits, 8))],
    })
}

fn of_contact(contact: &Contact) -> u64 {
    u64::from(contact.value) | u64::from(contact.second_key) << 2 | u64::from(contact.indexed) << 3
}

fn to_contact(bits: u64) -> Contact {
    Contact {
        value: two(bits, 0),
        second_key: is_set(bits, 2),
        indexed: is_set(bits, 3),
    }
}

fn two(bits: u64, at: u32) -> u8 {
    (bits >> at & 3) as u8
}

fn is_set(bits: u64, at: u32) -> bool {
    bits >> at & 1 == 1
}

#[test]
fn nothing_is_lost_in_packing_and_numbers_of_replicas_mean_nothing() {
    use super::state::{GONE, NEWER};

    let job = Job {
        stage: Stage::Done,
        owner: GONE,
        target: 2,
    };
    let database = Database {
        jobs: [Job::READY, job, job],
        rewrites: NEWER,
        link: 2,
        ours: NEWER,
        seen: NEWER,
        key: 2,
        doubt: true,
    };
    let busy = Replica {
        phase: Phase::Conflict,
        task: 3,
        target: 2,
        second_key: true,
        again: true,
        backing: Backing::Denied,
        expired: true,
    };
    let request = |awaited_by| Request {
        task: 3,
        target: 2,
        second_key: true,
        awaited_by,
        backing: Backing::Denied,
    };
    let contact = Contact {
        value: NEWER,
        second_key: true,
        indexed: true,
    };
    let state = State {
        database,
        before: Some(Database {
            jobs: [job; 3],
            ..database
        }),
        replicas: [Replica::IDLE, busy],
        wire: [Some(request(1)), Some(request(0)), None],
        contacts: [Contact { value: 0, ..contact }, contact],
        second_written_last: true,
        kills_left: 1,
        expiries_left: 2,
    };
    assert_eq!(unpack(pack(&state)), state);
    assert_eq!(pack(&state.swapped()), pack(&state));
    let other_order = State {
        wire: [None, state.wire[1], state.wire[0]],
        ..state
    };
    assert_eq!(pack(&other_order), pack(&state));
}
