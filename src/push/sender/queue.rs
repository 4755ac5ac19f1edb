//! The sender's queues: what waits for which call, and which batch goes next.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::crm::ReadKey;
use crate::domain::{Field, Operation};
use crate::store::recover::OpenIntent;

/// How long a creation waits for those that are still being looked up, when no backlog is worked off.
pub(super) const PROBES_LINGER: Duration = Duration::from_millis(300);

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Does the CRM know this person?
    Probe(ReadKey),
    /// Make the contacts.
    Create,
    /// Change the contacts.
    Update,
}

/// One call's worth of work.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) task: Task,
    pub(super) intents: Vec<OpenIntent>,
}

#[derive(Debug)]
struct Queue {
    task: Task,
    waiting: VecDeque<(Instant, OpenIntent)>,
}

/// All queues. Order of service: halves of refused batches, creates, updates, probes: what is nearer to its end first.
#[derive(Debug)]
pub(super) struct Queues {
    limit: usize,
    alone: VecDeque<Work>,
    queues: [Queue; 4],
    probes_on_wire: usize,
}

impl Queues {
    pub(super) fn new(limit: usize) -> Self {
        let tasks = [
            Task::Create,
            Task::Update,
            Task::Probe(ReadKey::Email),
            Task::Probe(ReadKey::GatekeeperKey),
        ];
        let queues = tasks.map(|task| Queue {
            task,
            waiting: VecDeque::new(),
        });
        Self {
            limit,
            alone: VecDeque::new(),
            queues,
            probes_on_wire: 0,
        }
    }

    /// Takes in writes from the push loop, or from recovery, which has looked them up already.
    pub(super) fn add(&mut self, intents: Vec<OpenIntent>, looked_up: bool, now: Instant) {
        for intent in intents {
            let task = match intent.operation {
                Operation::Update => Task::Update,
                Operation::Create if looked_up => Task::Create,
                Operation::Create if intent.body.contains_key(&Field::Email) => Task::Probe(ReadKey::Email),
                Operation::Create => Task::Probe(ReadKey::GatekeeperKey),
            };
            self.queue(task).push_back((now, intent));
        }
    }

    /// Takes in people whom the CRM does not know.
    pub(super) fn add_creates(&mut self, intents: Vec<OpenIntent>, now: Instant) {
        let queue = self.queue(Task::Create);
        queue.extend(intents.into_iter().map(|intent| (now, intent)));
    }

    /// Takes in a half of a batch that was refused without naming a row; it goes as it is.
    pub(super) fn add_alone(&mut self, work: Work) {
        self.alone.push_back(work);
    }

    /// Takes back what was certainly not sent; it is first in its queue again.
    pub(super) fn put_back(&mut self, works: Vec<Work>, now: Instant) {
        for work in works {
            let queue = self.queue(work.task);
            for intent in work.intents.into_iter().rev() {
                queue.push_front((now, intent));
            }
        }
    }

    /// Whether a call can be made now.
    pub(super) fn ready(&self, more_to_come: bool, linger: Duration, now: Instant) -> bool {
        !self.alone.is_empty() || self.next(more_to_come, linger, now).is_some()
    }

    /// The next call's worth of work. No two rows of one name the same contact: there is one open intent for a person.
    pub(super) fn take(&mut self, more_to_come: bool, linger: Duration, now: Instant) -> Option<Work> {
        if let Some(work) = self.alone.pop_front() {
            return Some(work);
        }
        let place = self.next(more_to_come, linger, now)?;
        let queue = &mut self.queues[place];
        let count = queue.waiting.len().min(self.limit);
        let intents = queue.waiting.drain(..count).map(|(_, intent)| intent).collect();
        Some(Work {
            task: queue.task,
            intents,
        })
    }

    fn next(&self, more_to_come: bool, linger: Duration, now: Instant) -> Option<usize> {
        self.queues.iter().position(|queue| {
            let Some((since, _)) = queue.waiting.front() else {
                return false;
            };
            let probed = self.probes_on_wire > 0 || self.probes_waiting() > 0;
            let linger = match queue.task {
                _ if more_to_come => linger,
                Task::Create if probed => linger.min(PROBES_LINGER),
                Task::Create | Task::Update | Task::Probe(_) => Duration::ZERO,
            };
            queue.waiting.len() >= self.limit || now.duration_since(*since) >= linger
        })
    }

    fn probes_waiting(&self) -> usize {
        self.queues
            .iter()
            .filter(|queue| matches!(queue.task, Task::Probe(_)))
            .map(|queue| queue.waiting.len())
            .sum()
    }

    pub(super) fn on_wire(&mut self, work: &Work) {
        if matches!(work.task, Task::Probe(_)) {
            self.probes_on_wire += 1;
        }
    }

    pub(super) fn back_from_wire(&mut self, was_probe: bool) {
        if was_probe {
            self.probes_on_wire = self.probes_on_wire.saturating_sub(1);
        }
    }

    /// Since when the longest waiting write waits.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.queues
            .iter()
            .filter_map(|queue| queue.waiting.front().map(|(since, _)| *since))
            .min()
    }

    pub(super) fn len(&self) -> usize {
        self.alone.iter().map(|work| work.intents.len()).sum::<usize>()
            + self.queues.iter().map(|queue| queue.waiting.len()).sum::<usize>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything, at the end.
    pub(super) fn drain(&mut self) -> Vec<OpenIntent> {
        let alone = self.alone.drain(..).flat_map(|work| work.intents);
        let mut all: Vec<OpenIntent> = alone.collect();
        for queue in &mut self.queues {
            all.extend(queue.waiting.drain(..).map(|(_, intent)| intent));
        }
        all
    }

    fn queue(&mut self, task: Task) -> &mut VecDeque<(Instant, OpenIntent)> {
        let place = match task {
            Task::Create => 0,
            Task::Update => 1,
            Task::Probe(ReadKey::Email) => 2,
            Task::Probe(_) => 3,
        };
        &mut self.queues[place].waiting
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{ContactId, CrmId, IntentId};

    fn intent(operation: Operation) -> OpenIntent {
        OpenIntent {
            intent_id: IntentId::new(),
            epoch: 1,
            contact_id: ContactId(1),
            operation,
            crm_id: (operation == Operation::Update).then(|| CrmId("1".into())),
            gatekeeper_key: Some("v1.x".into()),
            body: BTreeMap::from([(Field::Email, "ann@example.com".into())]),
        }
    }

    const LINGER: Duration = Duration::from_millis(2000);

    #[test]
    fn a_lonely_write_goes_at_once_and_a_batch_waits_for_company_only_while_more_comes() {
        let start = Instant::now();
        let mut queues = Queues::new(100);
        queues.add(vec![intent(Operation::Update)], false, start);
        assert!(!queues.ready(true, LINGER, start));
        assert!(queues.ready(true, LINGER, start + LINGER));
        assert!(queues.ready(false, LINGER, start));
    }

    #[test]
    fn batches_are_full_and_creates_wait_for_the_probes_on_the_wire() {
        let start = Instant::now();
        let mut queues = Queues::new(100);
        queues.add((0..150).map(|_| intent(Operation::Create)).collect(), false, start);
        let probe = queues.take(true, LINGER, start).unwrap();
        assert_eq!((probe.task, probe.intents.len()), (Task::Probe(ReadKey::Email), 100));
        queues.on_wire(&probe);
        let rest = queues.take(false, LINGER, start).unwrap();
        assert_eq!(rest.intents.len(), 50);
        queues.on_wire(&rest);
        queues.back_from_wire(true);
        queues.add_creates(rest.intents, start);
        assert!(
            queues.take(false, LINGER, start).is_none(),
            "the other probe may bring company"
        );
        queues.back_from_wire(true);
        queues.add_creates(probe.intents, start);
        assert_eq!(queues.take(false, LINGER, start).unwrap().intents.len(), 100);
        assert_eq!(queues.take(false, LINGER, start).unwrap().intents.len(), 50);
    }
}
