//! Every interleaving, breadth first: what is found first is among the shortest.

use super::designs::Design;
use super::packed::{Packed, pack, unpack};
use super::state::{State, beginnings};
use super::steps::{Move, is_quiet, is_stale, moves};

/// What is asked of a design. The places of the answers in [`Found::broken`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    NoDuplicate,
    NewestWins,
    Audited,
    Ends,
}

pub(super) const PROMISES: [Promise; 4] = [
    Promise::NoDuplicate,
    Promise::NewestWins,
    Promise::Audited,
    Promise::Ends,
];

/// A search that grows beyond this is given up: the room must not hold up the others.
const MOST_STATES: usize = 1_500_000;

/// What a search found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) states: usize,
    /// Nothing is left to look at. Only then is it known that a promise holds.
    pub(super) complete: bool,
    /// For each promise the shortest way to break it, step by step, if there is one.
    pub(super) broken: [Option<Vec<String>>; PROMISES.len()],
}

/// Searches a design until everything was seen, or until the promises that are broken by then are `enough`.
pub(super) fn search(design: &Design, enough: impl Fn([bool; PROMISES.len()]) -> bool) -> Found {
    let mut graph = Graph::new(design);
    let mut broken: [Option<Breach>; PROMISES.len()] = [None; PROMISES.len()];
    let mut next = Vec::new();
    let mut complete = true;
    while let Some(state) = graph.next() {
        if graph.states.len() > MOST_STATES || enough(broken.map(|breach| breach.is_some())) {
            complete = false;
            break;
        }
        let quiet = is_quiet(design, &state);
        moves(design, &state, &mut next);
        let found = [
            state.contacts[1].value > 0,
            quiet && is_stale(&state),
            next.iter().any(|step| step.unaudited),
            false,
        ];
        for (breach, is_one) in broken.iter_mut().zip(found) {
            if is_one && breach.is_none() {
                *breach = Some(graph.here());
            }
        }
        graph.lead_on(&next, quiet);
    }
    if complete {
        broken[Promise::Ends as usize] = graph.dead_end();
    }
    let told = PROMISES.map(|promise| {
        let breach = broken[promise as usize]?;
        Some(graph.way(design, breach, promise == Promise::Audited))
    });
    Found {
        states: graph.states.len(),
        complete,
        broken: told,
    }
}

/// In words where a way begins.
const BEGINNINGS: [&str; 2] = ["the person is new", "the CRM and the database know the person"];

/// The state where a promise is broken, or whence the step goes that breaks it.
type Breach = usize;

/// The states in the order in which they were found, and the steps between them.
struct Graph {
    states: Vec<Packed>,
    numbers: Numbers,
    /// From where each was found; a beginning from itself.
    parents: Vec<u32>,
    /// Where the steps lead that go out from each, one state's after the other's.
    steps: Vec<u32>,
    /// Of each state that was looked at: where its steps end in `steps`, and whether it is a quiet end.
    looked_at: Vec<(u32, bool)>,
}

impl Graph {
    fn new(design: &Design) -> Self {
        let mut graph = Self {
            states: Vec::new(),
            numbers: Numbers::new(),
            parents: Vec::new(),
            steps: Vec::new(),
            looked_at: Vec::new(),
        };
        for beginning in beginnings(design) {
            let number = graph.numbers.number(pack(&beginning), &mut graph.states);
            graph.parents.push(number);
        }
        graph
    }

    /// The state to be looked at.
    fn next(&self) -> Option<State> {
        self.states.get(self.here()).copied().map(unpack)
    }

    fn here(&self) -> usize {
        self.looked_at.len()
    }

    /// Notes where the steps lead that go out from here, and goes on to the next state.
    fn lead_on(&mut self, next: &[Move], quiet: bool) {
        let here = self.here() as u32;
        for step in next {
            let number = self.numbers.number(pack(&step.to), &mut self.states);
            if self.parents.len() < self.states.len() {
                self.parents.push(here);
            }
            self.steps.push(number);
        }
        self.looked_at.push((self.steps.len() as u32, quiet));
    }

    /// The first state from which no quiet end can be reached. Steps mostly lead to states found later, so that a few
    /// passes from the last to the first are enough.
    fn dead_end(&self) -> Option<Breach> {
        let mut ends: Vec<bool> = self.looked_at.iter().map(|(_, quiet)| *quiet).collect();
        loop {
            let mut more = false;
            for place in (0..ends.len()).rev() {
                if !ends[place] && self.steps_of(place).iter().any(|next| ends[*next as usize]) {
                    ends[place] = true;
                    more = true;
                }
            }
            if !more {
                return ends.iter().position(|ends| !ends);
            }
        }
    }

    fn steps_of(&self, place: usize) -> &[u32] {
        let begin = place.checked_sub(1).map_or(0, |before| self.looked_at[before].0);
        &self.steps[begin as usize..self.looked_at[place].0 as usize]
    }

    /// The steps that lead to a state, in words. They are gone once more, because a state that was found stands also for the
    /// one in which the two replicas are exchanged. `and_on`: with the step from there that the database knows nothing of.
    fn way(&self, design: &Design, breach: Breach, and_on: bool) -> Vec<String> {
        let mut places = Vec::new();
        let mut place = breach;
        while self.parents[place] as usize != place {
            places.push(place);
            place = self.parents[place] as usize;
        }
        let mut state = beginnings(design)[place];
        let mut next = Vec::new();
        let mut told = vec![BEGINNINGS[place].to_owned()];
        let mut go = |leads_there: &dyn Fn(&Move) -> bool| {
            moves(design, &state, &mut next);
            let step = next.iter().find(|step| leads_there(step)).unwrap();
            told.push(step.what.to_string());
            state = step.to;
        };
        for place in places.into_iter().rev() {
            go(&|step| pack(&step.to) == self.states[place]);
        }
        if and_on {
            go(&|step| step.unaudited);
        }
        told
    }
}

/// The numbers of the states by the states. A map of the standard library takes twice the time where nothing is optimized,
/// as in a test.
struct Numbers {
    /// A number plus one; 0: free. At most half of them are taken.
    slots: Vec<u32>,
}

impl Numbers {
    fn new() -> Self {
        Self {
            slots: vec![0; 1 << 12],
        }
    }

    /// The number of a state, which is put at the end of `states` if it is new.
    fn number(&mut self, state: Packed, states: &mut Vec<Packed>) -> u32 {
        if states.len() * 2 >= self.slots.len() {
            self.grow(states);
        }
        let slot = self.slot(&state, states);
        if self.slots[slot] == 0 {
            states.push(state);
            self.slots[slot] = states.len() as u32;
        }
        self.slots[slot] - 1
    }

    fn grow(&mut self, states: &[Packed]) {
        self.slots = vec![0; self.slots.len() * 4];
        for (number, state) in states.iter().enumerate() {
            let slot = self.slot(state, states);
            self.slots[slot] = number as u32 + 1;
        }
    }

    /// Where a state is, or would be.
    fn slot(&self, state: &Packed, states: &[Packed]) -> usize {
        let mix = |mixed: u64, word: u64| (mixed.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = mix(mix(mix(0, state[0]), state[1]), state[2]);
        let last = self.slots.len() - 1;
        let mut slot = (mixed >> 24) as usize & last;
        loop {
            let number = self.slots[slot];
            if number == 0 {
                return slot;
            }
            let there = &states[number as usize - 1];
            if there[0] == state[0] && there[1] == state[1] && there[2] == state[2] {
                return slot;
            }
            slot = (slot + 1) & last;
        }
    }
}
