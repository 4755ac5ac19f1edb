//! The properties that every account has, as far as a contact sync meets them.

use super::properties::Computed::*;
use super::properties::Kind::*;
use super::properties::{Computed, Kind};
use super::values::PropId;

/// `email`: unique over primary and secondary addresses.
pub(super) const EMAIL: PropId = 0;
/// `lifecyclestage`: only moves forward.
pub(super) const LIFECYCLE: PropId = 1;
/// `phone`.
pub(super) const PHONE: PropId = 2;
/// `mobilephone`.
pub(super) const MOBILE: PropId = 3;
/// `hs_object_id`.
pub(super) const OBJECT_ID: PropId = 4;
/// `createdate`.
pub(super) const CREATED: PropId = 5;
/// `lastmodifieddate`.
pub(super) const MODIFIED: PropId = 6;
/// `hs_additional_emails`.
pub(super) const ADDITIONAL_EMAILS: PropId = 7;

/// The lifecycle stages, in the order in which a person goes through them.
pub(super) const STAGES: &[&str] = &[
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
];

const LEAD_STATUS: &[&str] = &[
    "NEW",
    "OPEN",
    "IN_PROGRESS",
    "OPEN_DEAL",
    "UNQUALIFIED",
    "ATTEMPTED_TO_CONTACT",
    "CONNECTED",
    "BAD_TIMING",
];
const LEGAL_BASIS: &[&str] = &[
    "Legitimate interest – prospect/lead",
    "Legitimate interest – existing customer",
    "Legitimate interest - other",
    "Performance of a contract",
    "Freely given consent from contact",
    "Not applicable",
];
const ROLES: &[&str] = &[
    "BLOCKER",
    "BUDGET_HOLDER",
    "CHAMPION",
    "DECISION_MAKER",
    "END_USER",
    "EXECUTIVE_SPONSOR",
    "INFLUENCER",
    "OTHER",
];

/// Name, kind, how it is worked out, read-only, options. The first ones stand where the constants above say.
pub(super) const BUILTIN: &[(&str, Kind, Option<Computed>, bool, &[&str])] = &[
    ("email", Text, None, false, &[]),
    ("lifecyclestage", Choice, None, false, STAGES),
    ("phone", Phone, None, false, &[]),
    ("mobilephone", Phone, None, false, &[]),
    ("hs_object_id", Number, Some(Id), true, &[]),
    ("createdate", DateTime, Some(Created), true, &[]),
    ("lastmodifieddate", DateTime, Some(Modified), true, &[]),
    ("hs_additional_emails", Choices, Some(AdditionalEmails), true, &[]),
    ("hs_merged_object_ids", Choices, Some(MergedIds), true, &[]),
    ("hs_calculated_merged_vids", Text, Some(MergedVids), true, &[]),
    (
        "hs_searchable_calculated_phone_number",
        Text,
        Some(SearchPhone),
        true,
        &[],
    ),
    (
        "hs_searchable_calculated_mobile_number",
        Text,
        Some(SearchMobile),
        true,
        &[],
    ),
    ("hs_email_domain", Text, Some(EmailDomain), true, &[]),
    ("hs_object_source", Text, Some(Source), true, &[]),
    ("hs_object_source_label", Text, Some(SourceLabel), true, &[]),
    ("hs_object_source_id", Text, Some(SourceId), true, &[]),
    // Defined on contacts, and never filled: contacts use `lastmodifieddate`.
    ("hs_lastmodifieddate", DateTime, None, true, &[]),
    ("associatedcompanyid", Number, None, false, &[]),
    ("firstname", Text, None, false, &[]),
    ("lastname", Text, None, false, &[]),
    ("salutation", Text, None, false, &[]),
    ("company", Text, None, false, &[]),
    ("jobtitle", Text, None, false, &[]),
    ("fax", Phone, None, false, &[]),
    ("address", Text, None, false, &[]),
    ("city", Text, None, false, &[]),
    ("state", Text, None, false, &[]),
    ("zip", Text, None, false, &[]),
    ("country", Text, None, false, &[]),
    ("website", Text, None, false, &[]),
    ("industry", Text, None, false, &[]),
    ("message", Text, None, false, &[]),
    ("annualrevenue", Text, None, false, &[]),
    ("numemployees", Number, None, false, &[]),
    ("date_of_birth", Text, None, false, &[]),
    ("closedate", DateTime, None, false, &[]),
    ("hs_content_membership_registered_at", DateTime, None, true, &[]),
    ("hubspot_owner_id", Number, None, false, &[]),
    ("hs_lead_status", Choice, None, false, LEAD_STATUS),
    ("hs_legal_basis", Choices, None, false, LEGAL_BASIS),
    ("hs_buying_role", Choices, None, false, ROLES),
    ("hs_marketable_status", Choice, None, true, &["true", "false"]),
    ("hs_email_optout", Bool, None, true, &[]),
    (
        "hs_language",
        Choice,
        None,
        false,
        &["de", "en", "es", "fr", "it", "ja", "nl", "pt", "pl", "sv"],
    ),
    ("num_conversion_events", Number, None, true, &[]),
    ("notes_last_updated", DateTime, None, true, &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_places_hold_the_named_properties() {
        let name = |at: PropId| BUILTIN[usize::from(at)].0;
        assert_eq!(
            [
                EMAIL,
                LIFECYCLE,
                PHONE,
                MOBILE,
                OBJECT_ID,
                CREATED,
                MODIFIED,
                ADDITIONAL_EMAILS
            ]
            .map(name),
            [
                "email",
                "lifecyclestage",
                "phone",
                "mobilephone",
                "hs_object_id",
                "createdate",
                "lastmodifieddate",
                "hs_additional_emails"
            ]
        );
    }
}
