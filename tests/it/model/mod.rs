//! The write protocol as a model: every order of events in a small world, and what can go wrong in it.
//!
//! Real parts show what happens in the orders that a test thinks of. Here all orders are tried, and not only with the
//! protocol as it is: also with each part of it taken away, so that one sees what the part is for, and that the search finds
//! what there is to find. `cargo test --test it model -- --nocapture` prints the table; a line that breaks a promise which it
//! should keep comes with the shortest list of steps that leads there.
//!
//! The world: two replicas, two leads of one person (an older and a newer value), the database, and the CRM, which knows the
//! person or does not. One replica is killed, once. Leases run out, twice, whenever it hurts: that is a pause, a wrong clock,
//! or a death that was none. Requests and answers get lost, and a request may land after its sender has given up. Where a
//! design says so, a replica is stopped in good order, the database fails over once and loses its last commit, and the CRM's
//! search lags.
//!
//! What is asked of each design:
//!
//! 1. the CRM never holds two contacts of the person;
//! 2. when all is quiet, it holds the value of the newer lead (where it holds two contacts: that was written last);
//! 3. no effect in the CRM without an intent that was committed before, and none whose intent is closed as never sent. What
//!    a failover loses of the audit is lost: this asks what was committed;
//! 4. from each state a quiet end can be reached.
//!
//! What the world is not. It is small: that no order breaks a promise here is no proof for three replicas, three kills or a
//! hundred leads; an order that does break one is a fact. A replica has one write in hand, three requests travel at a time, a
//! third contact never comes to be, and two leads are never folded into one write. A read is one moment and always answered.
//! Nobody else works in the CRM: no edits, no merges, no deletions, no contacts from elsewhere. That the CRM also holds an
//! address unique is left out: a person may have none. There is no time: a wait is long enough or it is not, and a design
//! says which.

mod deciding;
mod designs;
mod mishaps;
mod packed;
mod search;
mod sending;
mod state;
mod steps;
mod words;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use designs::{Asked, Expected, TABLE};
use search::{Found, PROMISES, search};

#[test]
fn each_design_breaks_what_its_line_says_and_keeps_the_rest() {
    let mut complaints = Vec::new();
    for (line, found) in TABLE.iter().zip(search_all()) {
        println!("{}", summary(line, &found));
        complaints.extend(disagreements(line, &found));
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// One search after the other, on two threads. The last lines first: they are the longest.
fn search_all() -> Vec<Found> {
    let begun = AtomicUsize::new(0);
    let searches = || {
        let mut found = Vec::new();
        while let Some(place) = TABLE.len().checked_sub(begun.fetch_add(1, Ordering::Relaxed) + 1) {
            let line = &TABLE[place];
            found.push((place, search(&line.design, |broken| tells_nothing_new(line, broken))));
        }
        found
    };
    let mut found = thread::scope(|scope| {
        let other = scope.spawn(searches);
        let mut found = searches();
        found.extend(other.join().unwrap());
        found
    });
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, found)| found).collect()
}

/// All that should break is broken, and nothing else is asked.
fn tells_nothing_new(line: &Expected, broken: [bool; PROMISES.len()]) -> bool {
    line.asked.iter().zip(broken).all(|(asked, broken)| match asked {
        Asked::Breaks => broken,
        Asked::Holds => false,
        Asked::Nothing => true,
    })
}

fn summary(line: &Expected, found: &Found) -> String {
    let answers = PROMISES.map(|promise| match &found.broken[promise as usize] {
        Some(steps) => format!("{promise:?} broken in {}", steps.len() - 1),
        None if found.complete => format!("{promise:?} holds"),
        None => format!("{promise:?} ?"),
    });
    let name = line.design.name;
    format!("{name:36} {:>7} states  {}", found.states, answers.join(", "))
}

fn disagreements(line: &Expected, found: &Found) -> Vec<String> {
    let name = line.design.name;
    let judged = PROMISES.map(
        |promise| match (line.asked[promise as usize], &found.broken[promise as usize]) {
            (Asked::Holds, Some(steps)) => Some(format!("{name}: {promise:?} is broken:\n{}", numbered(steps))),
            (Asked::Holds, None) if !found.complete => Some(format!("{name}: too many states to say {promise:?}")),
            (Asked::Breaks, None) => Some(format!("{name}: nothing breaks {promise:?}")),
            _ => None,
        },
    );
    judged.into_iter().flatten().collect()
}

fn numbered(steps: &[String]) -> String {
    let lines = steps
        .iter()
        .enumerate()
        .map(|(place, step)| format!("  {:>2}. {step}", place + 1));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shortest_way_to_two_contacts_is_told_step_by_step() {
    let found = search(&designs::F, |broken| broken[0]);
    let steps = found.broken[0].as_deref().unwrap();
    assert_eq!(
        numbered(steps),
        "   1. the person is new
   2. replica 1 claims lead 1
   3. replica 1 decides that lead 1 shall make a contact
   4. replica 1 asks the CRM about lead 1 and does not find it
   5. replica 1 looks at its lease, which holds
   6. replica 1 sends lead 1, to make a contact
   7. replica 1 gives up waiting for the answer to lead 1
   8. replica 1 takes over lead 1
   9. replica 1 asks the CRM about lead 1 and does not find it
  10. replica 1 looks at its lease, which holds
  11. replica 1 sends lead 1, to make a contact
  12. lead 1 lands late and makes contact 1
  13. lead 1 lands and makes contact 2"
    );
}

#[test]
fn a_line_that_expects_the_wrong_thing_is_found() {
    let wrong = Expected {
        design: designs::F,
        asked: [Asked::Holds, Asked::Nothing, Asked::Breaks, Asked::Holds],
    };
    let found = search(&wrong.design, |_| false);
    let complaints = disagreements(&wrong, &found);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].starts_with("F: NoDuplicate is broken:\n   1. the person is new\n"));
    assert_eq!(complaints[1], "F: nothing breaks Audited");
}
