//! What the CRM says about itself: the account and its properties.

use std::collections::BTreeMap;

use super::{CrmError, KEY_PROPERTY};
use crate::domain::Field;

/// The account behind the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The CRM's id of the account; a daemon never writes to another one than its mirror was filled from.
    pub account_id: String,
    /// IANA name of the time zone in which the daily quota begins anew.
    pub time_zone: Option<String>,
}

/// One property of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The CRM's name.
    pub name: String,
    /// Values of this property are computed or set by the CRM alone.
    pub read_only: bool,
    /// No two contacts may hold the same value.
    pub unique: bool,
    /// The values allowed, for an enumeration; empty means any.
    pub options: Vec<String>,
    /// Several options may be set at once, joined with `;`.
    pub multiple: bool,
    /// Only numbers are allowed.
    pub number: bool,
}

/// Why a value cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyFault {
    /// The CRM has no such property.
    Unknown,
    /// The CRM sets it itself.
    ReadOnly,
    /// Not one of the allowed options.
    NotAnOption,
    /// Not a number.
    NotANumber,
}

impl PropertyFault {
    /// The reason code in `audit.change`.
    pub fn code(self) -> &'static str {
        match self {
            PropertyFault::Unknown => "unknown_property",
            PropertyFault::ReadOnly => "read_only_property",
            PropertyFault::NotAnOption => "invalid_option",
            PropertyFault::NotANumber => "invalid_number",
        }
    }
}

/// The properties of the CRM's contacts, by the canonical name of the field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// By canonical field name, or by the CRM's own name where there is no canonical one.
    pub properties: BTreeMap<Field, Property>,
    /// Our unique property is there and is unique: guarantee class A holds.
    pub has_unique_key: bool,
}

impl Schema {
    /// Refuses to go on without the unique property that makes creating idempotent.
    ///
    /// # Errors
    /// [`CrmError::NoUniqueKey`], with what to do: make the property, or replace one that is not unique.
    pub fn require_unique_key(&self) -> Result<(), CrmError> {
        if self.has_unique_key {
            return Ok(());
        }
        let there = self.properties.contains_key(&Field::Property(KEY_PROPERTY.into()));
        let advice = if there {
            "a property of this name is there but two contacts may hold the same value in it, and that cannot be changed \
             later; archive and delete it in the CRM's settings, then run `gatekeeper setup-crm`"
        } else {
            "run `gatekeeper setup-crm` to make it"
        };
        Err(CrmError::NoUniqueKey {
            property: KEY_PROPERTY.to_owned(),
            advice,
        })
    }

    /// Whether `value` may be written to `field`.
    ///
    /// # Errors
    /// Says what is wrong with the property or the value.
    pub fn check(&self, field: &Field, value: &str) -> Result<(), PropertyFault> {
        let property = self.properties.get(field).ok_or(PropertyFault::Unknown)?;
        if property.read_only {
            return Err(PropertyFault::ReadOnly);
        }
        if value.is_empty() {
            return Ok(());
        }
        if property.number && value.trim().parse::<f64>().is_err() {
            return Err(PropertyFault::NotANumber);
        }
        if !property.options.is_empty() {
            let allowed = |one: &str| property.options.iter().any(|option| option == one);
            let fits = if property.multiple {
                value.trim_start_matches(';').split(';').all(allowed)
            } else {
                allowed(value)
            };
            if !fits {
                return Err(PropertyFault::NotAnOption);
            }
        }
        Ok(())
    }
}
