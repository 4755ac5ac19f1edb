//! Offering: the values of a lead, each to the field of the person whom it is.

use std::collections::BTreeSet;

use super::batch::Fold;
use super::desired::{Desired, Offer, Offered};
use super::input::LeadInput;
use crate::domain::{ChangeRow, ContactId, Field, FieldVerdict};

impl Fold<'_, '_> {
    /// Offers every value of a lead to a person, and notes each field in which they differ. Returns the fields that
    /// were the same.
    pub(super) fn offer_all(&mut self, place: usize, contact_id: ContactId) -> Vec<Field> {
        let input = self.input;
        let by = input.judge();
        let LeadInput { lead, normalized, .. } = &input.leads[place];
        let decision_id = input.decision_ids[place];
        let source = lead.source.as_deref().unwrap_or_default();
        let mut same = Vec::new();
        let is_new = self.people.get(&contact_id).is_some_and(Desired::is_new);
        for (field, value) in &normalized.values {
            let refused = (input.refuse)(field, value);
            let refused = refused.or_else(|| (!is_new && !(input.mirrored)(field)).then_some("not_mirrored"));
            let refused = refused.or_else(|| {
                let held = *field == Field::Email
                    && self
                        .holder_of(&value.to_lowercase())
                        .is_some_and(|holder| holder != contact_id);
                held.then_some("email_held_by_other")
            });
            let Some(desired) = self.people.get_mut(&contact_id) else {
                break;
            };
            if let Some(reason) = refused {
                self.batch
                    .changes
                    .push(refusal(decision_id, field.clone(), Some(value.clone()), reason));
                continue;
            }
            let offered = Offered {
                field,
                value,
                source,
                lead_id: lead.lead_id,
                occurred_at: lead.occurred_at,
            };
            match desired.offer(offered, by) {
                Offer::Same => same.push(field.clone()),
                Offer::Differs {
                    new_value,
                    ruling,
                    before,
                } => {
                    if *field == Field::Email && ruling.verdict == FieldVerdict::Written {
                        self.emails_taken.insert(value.to_lowercase(), contact_id);
                    }
                    self.batch.changes.push(ChangeRow {
                        decision_id,
                        field: field.clone(),
                        old_value: before.value,
                        new_value: Some(new_value),
                        verdict: ruling.verdict,
                        rule: ruling.rule,
                        old_source: before.source,
                        old_seen_at: before.occurred_at,
                        old_edited_at: before.edited_at,
                        old_cleared: before.edited_at.map(|_| before.cleared),
                    });
                }
            }
        }
        // A field may be refused twice, in its column and among the properties; it has one row in the audit.
        let mut said = BTreeSet::new();
        for refused in &normalized.refused {
            if !normalized.values.contains_key(&refused.field) && said.insert(&refused.field) {
                self.batch
                    .changes
                    .push(refusal(decision_id, refused.field.clone(), None, &refused.reason));
            }
        }
        same
    }

    pub(super) fn holder_of(&self, email: &str) -> Option<ContactId> {
        let in_batch = self.emails_taken.get(email).copied();
        in_batch.or_else(|| {
            self.input
                .holders
                .get(email)
                .and_then(|holders| holders.first())
                .copied()
        })
    }
}

fn refusal(decision_id: i64, field: Field, new_value: Option<String>, reason: &str) -> ChangeRow {
    ChangeRow {
        decision_id,
        field,
        old_value: None,
        new_value,
        verdict: FieldVerdict::Refused,
        rule: reason.to_owned(),
        old_source: None,
        old_seen_at: None,
        old_edited_at: None,
        old_cleared: None,
    }
}
