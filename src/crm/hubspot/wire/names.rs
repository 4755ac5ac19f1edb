//! Canonical fields and HubSpot's property names, both ways.

use std::collections::BTreeSet;

use crate::crm::{CrmError, FieldSet, KEY_PROPERTY};
use crate::domain::Field;

/// The contact's own id, as a number property that can be filtered and sorted by.
pub(in crate::crm::hubspot) const ID: &str = "hs_object_id";
/// When HubSpot last changed the contact.
pub(in crate::crm::hubspot) const MODIFIED: &str = "lastmodifieddate";
/// When HubSpot made the contact.
pub(super) const CREATED: &str = "createdate";
/// Secondary addresses, joined with `;`.
pub(super) const MORE_EMAILS: &str = "hs_additional_emails";
/// Absorbed ids, joined with `;`.
pub(super) const MERGED_IDS: &str = "hs_merged_object_ids";
/// Absorbed ids with the time of the merge, `id:ms` joined with `;`. Misses chained merges, has others instead.
pub(super) const MERGED_VIDS: &str = "hs_calculated_merged_vids";

/// What the connector reads for itself and keeps out of a record's values.
pub(super) const OWN: [&str; 7] = [
    ID,
    MODIFIED,
    CREATED,
    MORE_EMAILS,
    MERGED_IDS,
    MERGED_VIDS,
    KEY_PROPERTY,
];

/// HubSpot's name of each canonical field but the external id, whose name is a setting.
const MAPPED: [(Field, &str); 12] = [
    (Field::Email, "email"),
    (Field::Phone, "phone"),
    (Field::MobilePhone, "mobilephone"),
    (Field::FirstName, "firstname"),
    (Field::LastName, "lastname"),
    (Field::Company, "company"),
    (Field::JobTitle, "jobtitle"),
    (Field::Street, "address"),
    (Field::City, "city"),
    (Field::State, "state"),
    (Field::PostalCode, "zip"),
    (Field::Country, "country"),
];

/// The mapping of one account.
#[derive(Debug, Clone)]
pub(in crate::crm::hubspot) struct Names {
    external_id: Option<String>,
}

impl Names {
    /// # Errors
    /// When the property of the external id is one that means something else already, or is no property name.
    pub(in crate::crm::hubspot) fn new(external_id: Option<String>) -> Result<Self, CrmError> {
        if let Some(name) = &external_id {
            let taken = MAPPED.iter().any(|(_, mapped)| mapped == name) || OWN.contains(&name.as_str());
            let plain = name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            if taken || !plain || name.is_empty() {
                return Err(CrmError::Settings {
                    problem:
                        "crm.external_id_property must be the internal name (a-z, 0-9, _) of a property that holds \
                              nothing but the source's id"
                            .to_owned(),
                });
            }
        }
        Ok(Self { external_id })
    }

    /// HubSpot's name of a field; none for the external id when the account has no property for it.
    pub(in crate::crm::hubspot) fn property_of<'a>(&'a self, field: &'a Field) -> Option<&'a str> {
        match field {
            Field::ExternalId => self.external_id.as_deref(),
            Field::Property(name) => Some(name),
            mapped => MAPPED.iter().find(|(field, _)| field == mapped).map(|(_, name)| *name),
        }
    }

    /// The field that a property is. A property whose own name is the canonical name of a field, such as a custom
    /// `first_name` beside HubSpot's `firstname`, means that field too: two texts under one name could not be told apart.
    pub(in crate::crm::hubspot) fn field_of(&self, property: &str) -> Field {
        if self.external_id.as_deref() == Some(property) {
            return Field::ExternalId;
        }
        match MAPPED.iter().find(|(_, name)| *name == property) {
            Some((field, _)) => field.clone(),
            None => Field::from_name(property),
        }
    }

    /// The field whose values stand in this very property; none for a property in the shadow of a canonical name.
    pub(super) fn home_of(&self, property: &str) -> Option<Field> {
        let field = self.field_of(property);
        (self.property_of(&field) == Some(property)).then_some(field)
    }

    /// What must be asked for to fill a record with these fields: their properties and our own, each once.
    pub(in crate::crm::hubspot) fn asked_for(&self, fields: &FieldSet) -> Vec<String> {
        let named = fields.iter().filter_map(|field| self.property_of(field));
        let all: BTreeSet<&str> = OWN.into_iter().chain(named).collect();
        all.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CANONICAL;

    fn names() -> Names {
        Names::new(Some("ext_id".to_owned())).unwrap()
    }

    #[test]
    fn every_canonical_field_has_a_property_that_leads_back_to_it() {
        let names = names();
        for field in CANONICAL {
            let property = names.property_of(field).unwrap();
            assert_eq!(&names.field_of(property), field);
            assert_eq!(names.home_of(property).as_ref(), Some(field));
        }
    }

    #[test]
    fn other_properties_keep_their_own_name() {
        let field = names().field_of("lifecyclestage");
        assert_eq!(field, Field::Property("lifecyclestage".into()));
        assert_eq!(names().property_of(&field), Some("lifecyclestage"));
    }

    #[test]
    fn a_property_in_the_shadow_of_a_canonical_name_is_never_a_second_value() {
        assert_eq!(names().field_of("first_name"), Field::FirstName);
        assert_eq!(names().home_of("first_name"), None);
        assert_eq!(names().home_of("external_id"), None);
    }

    #[test]
    fn without_a_property_for_it_the_external_id_is_not_asked_for() {
        let names = Names::new(None).unwrap();
        assert_eq!(names.property_of(&Field::ExternalId), None);
        let asked = names.asked_for(&FieldSet::from([Field::ExternalId, Field::Email]));
        assert!(asked.contains(&"email".to_owned()) && asked.contains(&"hs_merged_object_ids".to_owned()));
        assert_eq!(asked.len(), OWN.len() + 1);
    }

    #[test]
    fn the_external_id_may_not_stand_in_a_property_that_means_something_else() {
        for name in ["email", "gatekeeper_key", "hs_object_id", "Ext Id", ""] {
            assert!(Names::new(Some(name.to_owned())).is_err(), "{name}");
        }
    }
}
