//! Unfit: leads of which nothing can be made, and why.

use super::batch::Fold;
use super::input::LeadInput;
use super::policy::{CRM_INTEGRATION_SOURCE, CRM_SOURCE};
use crate::domain::{Field, Normalized};

impl Fold<'_, '_> {
    /// Why a lead cannot be processed at all.
    pub(super) fn unfit(&self, lead: &LeadInput) -> Option<String> {
        if !lead.is_there {
            return Some("lead_deleted".into());
        }
        if lead.lead.claims > self.input.max_claims {
            return Some("crash_suspect".into());
        }
        match lead.lead.source.as_deref() {
            None | Some("") => Some("source_missing".into()),
            Some(CRM_SOURCE | CRM_INTEGRATION_SOURCE) => Some("source_reserved".into()),
            Some(source) if self.input.policy.rank(source).is_none() => Some("unknown_source".into()),
            Some(_) => None,
        }
    }
}

/// Why nobody can be made of a lead: it has no identifier, and not both names and a company.
pub(super) fn unidentified(lead: &Normalized) -> Option<String> {
    let keys = &lead.keys;
    let named = keys.first_name.is_some() && keys.last_name.is_some() && keys.company.is_some();
    if keys.external_id.is_some() || !keys.emails.is_empty() || !keys.phones.is_empty() || named {
        return None;
    }
    let identifying = [Field::Email, Field::Phone, Field::MobilePhone, Field::ExternalId];
    let refused = lead.refused.iter().find(|refusal| identifying.contains(&refusal.field));
    Some(refused.map_or_else(|| "no_identifier".into(), |refusal| refusal.reason.clone()))
}
