//! Ahead: who the leads of the next batch are is found out while the batch before it is decided. Once it is their turn, those
//! are matched again about whom something has changed since.

use std::collections::{BTreeSet, HashSet};

use deadpool_postgres::GenericClient;

use crate::domain::{ContactId, Normalized, Target};
use crate::store::StoreError;
use crate::store::ahead::{ChangedKeys, Sight, keys_changed_since, sight_now};
use crate::store::matching::{Found, block_hash, match_again, match_alone, match_leads};

/// What was found out about a batch before its turn.
pub(super) struct Ahead {
    found: Vec<Found>,
    /// What had been seen then; a little less than what the matcher saw.
    sight: Sight,
    /// By which rules.
    policy_version: i64,
}

impl Ahead {
    /// Matches a batch. Nobody holds the people's lock for it.
    pub(super) async fn look(
        client: &impl GenericClient,
        leads: &[&Normalized],
        policy_version: i64,
    ) -> Result<Self, StoreError> {
        let sight = sight_now(client).await?;
        Ok(Self {
            found: match_alone(client, leads).await?,
            sight,
            policy_version,
        })
    }

    /// Whom the matcher would find now, under the people's lock. `leads` are those that were matched, by the same normalizer, but for
    /// claims that were lost since; `other` as in [`match_leads`].
    pub(super) async fn now(
        self,
        client: &impl GenericClient,
        other: &impl GenericClient,
        leads: &[&Normalized],
        policy_version: i64,
    ) -> Result<Vec<Found>, StoreError> {
        if leads.len() != self.found.len() || policy_version != self.policy_version {
            return match_leads(client, other, leads).await;
        }
        let Some(changed) = keys_changed_since(client, &self.sight).await? else {
            return match_leads(client, other, leads).await;
        };
        let mut found = self.found;
        let again = touched(leads, &found, &changed);
        tracing::debug!(
            changed = changed.len(),
            again = again.len(),
            "what was matched ahead is looked at again"
        );
        if !again.is_empty() {
            match_again(client, leads, &again, &mut found).await?;
        }
        Ok(found)
    }
}

/// The places of the leads for whom the matcher might find somebody else than before: one who has changed is a candidate, or
/// is found now by what the lead carries. Blocks count only where no identifier settles who the lead is.
fn touched(leads: &[&Normalized], found: &[Found], changed: &[ChangedKeys]) -> Vec<usize> {
    let contacts: BTreeSet<ContactId> = changed.iter().map(|changed| changed.contact_id).collect();
    let identifiers: HashSet<&str> = changed
        .iter()
        .flat_map(|changed| &changed.identifiers)
        .map(String::as_str)
        .collect();
    let blocks: HashSet<i32> = changed.iter().flat_map(|changed| &changed.blocks).copied().collect();
    let is_touched = |lead: &Normalized, found: &Found| {
        let keys = &lead.keys;
        keys.identifiers().any(|identifier| identifiers.contains(identifier))
            || found.candidates.iter().any(|candidate| match candidate.target {
                Target::Contact(contact_id) => contacts.contains(&contact_id),
                Target::Peer(_) => false,
            })
            || !found.settled && keys.blocks.iter().any(|block| blocks.contains(&block_hash(block)))
    };
    leads
        .iter()
        .zip(found)
        .enumerate()
        .filter(|(_, (lead, found))| is_touched(lead, found))
        .map(|(place, _)| place)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Candidate, Document, MatchKeys, Names, Tier};

    fn lead(emails: &[&str], blocks: &[&str]) -> Normalized {
        Normalized {
            keys: MatchKeys {
                emails: emails.iter().map(|email| (*email).to_owned()).collect(),
                blocks: blocks.iter().map(|block| (*block).to_owned()).collect(),
                ..MatchKeys::default()
            },
            ..Normalized::default()
        }
    }

    fn found(contact_id: Option<i64>, settled: bool) -> Found {
        let candidate = |contact_id| Candidate {
            target: Target::Contact(ContactId(contact_id)),
            tier: Tier::Email,
            by: vec![Tier::Email],
            names: Names::Agree,
            score: 20.0,
            person: 1,
            evidence: Document::default(),
        };
        Found {
            candidates: contact_id.map(candidate).into_iter().collect(),
            settled,
        }
    }

    fn changed(contact_id: i64, identifier: &str, block: &str) -> ChangedKeys {
        ChangedKeys {
            contact_id: ContactId(contact_id),
            identifiers: vec![identifier.to_owned()],
            blocks: vec![block_hash(block)],
        }
    }

    #[test]
    fn whoever_carries_what_a_changed_contact_is_found_by_is_matched_again() {
        let leads = [lead(&["a@example.com"], &[]), lead(&["b@example.com"], &[])];
        let leads: Vec<&Normalized> = leads.iter().collect();
        let before = [found(None, false), found(None, false)];
        assert_eq!(touched(&leads, &before, &[changed(1, "b@example.com", "x")]), [1]);
    }

    #[test]
    fn whose_candidate_has_changed_is_matched_again() {
        let leads = [lead(&["a@example.com"], &[]), lead(&["b@example.com"], &[])];
        let leads: Vec<&Normalized> = leads.iter().collect();
        let before = [found(Some(7), true), found(Some(8), true)];
        assert_eq!(touched(&leads, &before, &[changed(7, "gone@example.com", "x")]), [0]);
    }

    #[test]
    fn a_block_counts_only_for_whom_no_identifier_settles() {
        let leads = [lead(&[], &["lastinit:garcia|m"]), lead(&[], &["lastinit:garcia|m"])];
        let leads: Vec<&Normalized> = leads.iter().collect();
        let before = [found(Some(7), true), found(Some(8), false)];
        assert_eq!(
            touched(&leads, &before, &[changed(9, "c@example.com", "lastinit:garcia|m")]),
            [1]
        );
    }

    #[test]
    fn nobody_is_matched_again_when_nobody_has_changed() {
        let leads = [lead(&["a@example.com"], &["lastinit:garcia|m"])];
        let leads: Vec<&Normalized> = leads.iter().collect();
        assert!(touched(&leads, &[found(None, false)], &[]).is_empty());
    }
}
