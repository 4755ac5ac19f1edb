//! Leads that wait: nothing is decided about a person while a write about that person is under way.

use super::batch::Fold;
use crate::domain::{ContactId, KnownContact, MatchKeys, Target, WaitingRow};

impl Fold<'_, '_> {
    /// The person is being written: the lead is decided when that is settled. A later lead that is known by this one alone
    /// waits with it: it is nobody new.
    pub(super) fn wait(&mut self, place: usize, contact_id: ContactId, keys: MatchKeys) {
        let lead = &self.input.leads[place];
        self.contact_of[place] = Some(contact_id);
        self.batch.waiting.push(WaitingRow {
            lead_id: lead.lead.lead_id,
            contact_id,
            keys,
        });
    }

    /// Waits for a write about somebody whom the lead is not known to be: it lends that contact no keys.
    pub(super) fn wait_apart(&mut self, place: usize, contact_id: ContactId) {
        self.apart.insert(place);
        self.wait(place, contact_id, MatchKeys::default());
    }

    /// Whether anything says that the lead is this contact, other than a lead that waits apart itself.
    pub(super) fn is_known_as(&self, place: usize, contact_id: ContactId) -> bool {
        self.input.leads[place]
            .candidates
            .iter()
            .any(|candidate| match candidate.target {
                Target::Contact(candidate) => candidate == contact_id,
                Target::Peer(peer) => self.contact_of[peer] == Some(contact_id) && !self.apart.contains(&peer),
            })
    }

    /// Whether a write about a contact is under way, made in this batch or before.
    pub(super) fn is_in_motion(&self, contact_id: ContactId) -> bool {
        match self.people.get(&contact_id) {
            Some(desired) => desired.intent_id.is_some(),
            None => self
                .input
                .known
                .get(&contact_id)
                .is_some_and(KnownContact::is_in_motion),
        }
    }
}
