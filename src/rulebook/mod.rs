//! The rulebook: what all loops work by. The policy and the normalizer of the rules in force, the CRM's properties, and
//! the fields that the mirror holds. Read once, and again when the rules have changed.

mod contradictions;

pub use contradictions::contradictions;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::crm::{FieldSet, Schema};
use crate::decide::{PersonKeys, Policy};
use crate::domain::{CANONICAL, Criterion, Field, Record};
use crate::normalize::{Lists, NormalizeError, Normalizer};
use crate::store::merge::read_merge_master;
use crate::store::mirror::mirrored_fields;
use crate::store::rules::{StewardLists, fill_lists, person_key_secret, policy_version, read_lists, read_policy};
use crate::store::{Client, StoreError};

/// Why the rulebook cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RulebookError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings of the normalizer.
    #[error("gate.default_country cannot be used")]
    Normalizer(#[from] NormalizeError),
}

impl crate::fault::Classify for RulebookError {
    fn fault(&self) -> crate::fault::Fault {
        match self {
            RulebookError::Store(error) => error.fault(),
            RulebookError::Normalizer(_) => crate::fault::Fault::Broken,
        }
    }
}

/// One state of the rules: what one pass works by from its beginning to its end.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Ranks, field policies, thresholds.
    pub policy: Arc<Policy>,
    /// By which all is made comparable.
    pub normalizer: Arc<Normalizer>,
    /// The CRM's properties.
    pub schema: Arc<Schema>,
    /// The fields that the mirror holds since its last complete load.
    pub mirrored: Arc<FieldSet>,
    /// By which criteria a contact stays in a merge.
    pub masters: Arc<Vec<Criterion>>,
}

impl Rules {
    /// Whether two values of a field say the same. Only where the texts differ is the second, dearer look taken.
    pub fn same(&self, field: &Field, left: &str, right: &str) -> bool {
        if left.trim().to_lowercase() == right.trim().to_lowercase() {
            return true;
        }
        match field {
            Field::Phone | Field::MobilePhone | Field::Email => {
                let display = |value: &str| {
                    self.normalizer
                        .display(&BTreeMap::from([(field.clone(), value.to_owned())]))
                };
                display(left) == display(right)
            }
            Field::Country => {
                let country = |value: &str| {
                    let values = BTreeMap::from([(Field::Country, value.to_owned())]);
                    self.normalizer
                        .record(&Record {
                            values,
                            ..Record::default()
                        })
                        .keys
                        .country
                };
                country(left).is_some_and(|code| country(right) == Some(code))
            }
            _ => false,
        }
    }

    /// Whether the CRM keeps several values in a field.
    pub fn is_multiple(&self, field: &Field) -> bool {
        self.schema
            .properties
            .get(field)
            .is_some_and(|property| property.multiple)
    }
}

/// Keeps the rules; cheap to clone, all clones see the same.
#[derive(Clone)]
pub struct Rulebook {
    default_country: Option<String>,
    extra_fields: Arc<Vec<Field>>,
    person_keys: PersonKeys,
    lists: Arc<RwLock<StewardLists>>,
    rules: Arc<RwLock<Rules>>,
}

impl Rulebook {
    /// Reads the rules. `extra_fields` are mirrored besides the canonical ones and those that a rule names.
    ///
    /// # Errors
    /// When the database does not answer, or the default country is none.
    pub async fn read(
        client: &Client,
        default_country: Option<&str>,
        extra_fields: Vec<Field>,
        schema: Schema,
    ) -> Result<Self, RulebookError> {
        let lists = lists_in_force(client).await?;
        let rules = Rules {
            policy: Arc::new(read_policy(client).await?),
            normalizer: Arc::new(normalizer_of(default_country, &lists)?),
            schema: Arc::new(schema),
            mirrored: Arc::new(read_mirrored(client).await?),
            masters: Arc::new(read_merge_master(client).await?),
        };
        Ok(Self {
            default_country: default_country.map(str::to_owned),
            extra_fields: Arc::new(extra_fields),
            person_keys: PersonKeys::new(person_key_secret(client).await?),
            lists: Arc::new(RwLock::new(lists)),
            rules: Arc::new(RwLock::new(rules)),
        })
    }

    /// The rules as they were last read.
    pub fn rules(&self) -> Rules {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes person keys.
    pub fn person_keys(&self) -> &PersonKeys {
        &self.person_keys
    }

    /// The rules in force: reads them again when they have changed since.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn in_force(&self, client: &Client) -> Result<Rules, RulebookError> {
        let mut rules = self.rules();
        if policy_version(client).await? != rules.policy.version {
            let lists = read_lists(client).await?;
            rules.policy = Arc::new(read_policy(client).await?);
            rules.masters = Arc::new(read_merge_master(client).await?);
            let known = self.lists.read().unwrap_or_else(PoisonError::into_inner).clone();
            if lists != known {
                rules.normalizer = Arc::new(normalizer_of(self.default_country.as_deref(), &lists)?);
                *self.lists.write().unwrap_or_else(PoisonError::into_inner) = lists;
            }
            tracing::info!(policy.version = rules.policy.version, "the rules have changed");
            *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules.clone();
        }
        Ok(rules)
    }

    /// Works by other properties of the CRM from now on.
    pub fn set_schema(&self, schema: Schema) {
        self.rules.write().unwrap_or_else(PoisonError::into_inner).schema = Arc::new(schema);
    }

    /// Reads again what the mirror holds, after a complete load.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reread_mirrored(&self, client: &Client) -> Result<(), RulebookError> {
        let mirrored = read_mirrored(client).await?;
        self.rules.write().unwrap_or_else(PoisonError::into_inner).mirrored = Arc::new(mirrored);
        Ok(())
    }

    /// The fields that ought to be mirrored: the canonical ones, the configured ones, and those that a rule names, as
    /// far as the CRM has them.
    pub fn wanted_fields(&self) -> FieldSet {
        let rules = self.rules();
        let named = rules
            .policy
            .fields
            .iter()
            .filter(|rule| rule.field != "*")
            .map(|rule| Field::from_name(&rule.field));
        CANONICAL
            .iter()
            .cloned()
            .chain(self.extra_fields.iter().cloned())
            .chain(named)
            .chain(rules.masters.iter().filter_map(Criterion::field).cloned())
            .filter(|field| rules.schema.properties.contains_key(field))
            .collect()
    }
}

/// The lists that stewards keep; those that nobody has touched are the built-in ones.
///
/// # Errors
/// As every statement.
pub async fn lists_in_force(client: &Client) -> Result<StewardLists, StoreError> {
    let built_in = Lists::default();
    let suffixes: Vec<String> = built_in.company_suffixes.into_iter().collect();
    let junk: Vec<String> = built_in.junk_values.into_iter().collect();
    fill_lists(client, &suffixes, &junk).await?;
    read_lists(client).await
}

/// The normalizer by the lists that stewards keep.
///
/// # Errors
/// When the default country is none.
pub fn normalizer_of(default_country: Option<&str>, lists: &StewardLists) -> Result<Normalizer, NormalizeError> {
    let lists = Lists {
        company_suffixes: lists.company_suffixes.clone(),
        junk_values: lists.junk_values.clone(),
        ..Lists::default()
    };
    Normalizer::new(default_country, lists)
}

async fn read_mirrored(client: &Client) -> Result<FieldSet, StoreError> {
    Ok(mirrored_fields(client)
        .await?
        .iter()
        .map(|name| Field::from_name(name))
        .collect())
}
