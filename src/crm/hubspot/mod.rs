//! HubSpot behind the connector's traits.
//!
//! | file | knows |
//! |---|---|
//! | `settings` | base URL, version, token: the paths of all endpoints |
//! | `http`, `headers` | one request for one permit, its bounds, TLS, limits |
//! | `wire` | HubSpot's property names and the shapes of its bodies; nothing else does |
//! | `operation`, `classify` | what a status and a body mean |
//! | `read`, `changed`, `found` | pages, changes, batch reads |
//! | `write`, `reconcile` | batch writes, and what became of each row |
//! | `merge` | two contacts become one |

mod changed;
mod classify;
mod found;
mod headers;
mod http;
mod merge;
mod operation;
mod read;
mod reconcile;
mod settings;
mod wire;
mod write;

pub use settings::{Settings, Token};

use crate::crm::CrmError;
use crate::domain::Field;

use http::Http;
use settings::Endpoints;
use wire::Names;

/// Rows in one batch call; HubSpot's maximum.
const BATCH_LIMIT: usize = 100;

/// The connector. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct HubSpot {
    http: Http,
    endpoints: Endpoints,
    names: Names,
}

impl HubSpot {
    /// Sets the connector up, without calling the CRM.
    ///
    /// # Errors
    /// [`CrmError::Settings`], with the setting at fault and what to do.
    pub fn new(settings: Settings) -> Result<Self, CrmError> {
        let endpoints = Endpoints::new(&settings.base_url, &settings.version)?;
        let names = Names::new(settings.external_id_property.clone())?;
        Ok(Self {
            http: Http::new(&settings, &endpoints)?,
            endpoints,
            names,
        })
    }

    /// The field that a property of HubSpot's is: `firstname` is [`Field::FirstName`], `lifecyclestage` is itself.
    pub fn field_of(&self, property: &str) -> Field {
        self.names.field_of(property)
    }

    /// HubSpot's name of a field; none for the external id when the account has no property for it.
    pub fn property_of<'a>(&'a self, field: &'a Field) -> Option<&'a str> {
        self.names.property_of(field)
    }
}
