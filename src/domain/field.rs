//! A contact's fields: the canonical ones that every CRM has, and any other CRM property by its own name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// One field of a contact or a lead.
        ///
        /// The canonical ones have a column of their own in `staging.lead` and `crm.contact`, under the same name.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $($(#[$doc])* $variant,)+
            /// Any other CRM property, by the CRM's own name; it lives in the `properties` column.
            Property(Box<str>),
        }

        /// All canonical fields, in the order of the table's columns.
        pub const CANONICAL: &[Field] = &[$(Field::$variant),+];

        impl Field {
            /// The name used in tables, rules, audit and docs.
            pub fn name(&self) -> &str {
                match self {
                    $(Field::$variant => $name,)+
                    Field::Property(name) => name,
                }
            }

            /// The field of this name; a name that is not canonical is a CRM property.
            pub fn from_name(name: &str) -> Self {
                match name {
                    $($name => Field::$variant,)+
                    other => Field::Property(other.into()),
                }
            }
        }
    };
}

fields! {
    /// The id the source system gives the person.
    ExternalId = "external_id",
    /// The primary e-mail address.
    Email = "email",
    /// A phone number, usually the office or the only one.
    Phone = "phone",
    /// The mobile number.
    MobilePhone = "mobile_phone",
    /// Given name.
    FirstName = "first_name",
    /// Family name.
    LastName = "last_name",
    /// The company's name as text.
    Company = "company",
    /// Position at the company.
    JobTitle = "job_title",
    /// Street and house number.
    Street = "street",
    /// Town.
    City = "city",
    /// State, province or region.
    State = "state",
    /// Postal code.
    PostalCode = "postal_code",
    /// Country, as the source writes it.
    Country = "country",
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Field::from_name(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_canonical_name_reads_back_as_its_field() {
        for field in CANONICAL {
            assert_eq!(&Field::from_name(field.name()), field);
        }
        assert_eq!(
            Field::from_name("lifecyclestage"),
            Field::Property("lifecyclestage".into())
        );
    }
}
