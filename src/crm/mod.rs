//! The CRM's face: what a connector must be able to do, in canonical words.
//!
//! A connector is one folder behind [`Reader`] and [`Writer`]. Only it knows the CRM's field names, paths, bodies and
//! status codes. It knows no database, keeps no queue, and makes exactly one HTTP request for one [`Permit`]: retrying
//! is the business of the loops.

pub mod hubspot;

mod answer;
mod error;
mod schema;

pub use answer::{
    Answer, BatchAnswer, Call, ChangedPage, LastChange, MergeOutcome, Page, RateHeaders, ReadAnswer, RowOutcome,
};
pub use error::CrmError;
pub use schema::{Account, Property, PropertyFault, Schema};

use std::collections::BTreeMap;
use std::future::Future;

use chrono::{DateTime, Utc};

use crate::domain::{CrmId, Field, IntentId};
use crate::governor::Permit;

/// The CRM's name of our unique property: the person key, on every contact that the gate makes.
pub const KEY_PROPERTY: &str = "gatekeeper_key";

/// Which fields are mirrored; the connector adds what it needs itself (ids, times, secondary addresses).
pub type FieldSet = std::collections::BTreeSet<Field>;

/// By what a batch read looks contacts up. All of these read the CRM's store, never its search index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadKey {
    /// The CRM's own id; merged-away ids lead to the survivor where the CRM does so.
    CrmId,
    /// The CRM's own id, among the contacts in its recycle bin alone.
    ArchivedCrmId,
    /// An e-mail address, primary or secondary.
    Email,
    /// Our unique property.
    GatekeeperKey,
}

/// A closed stretch of modification times: `lo` and `hi` belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From, inclusive.
    pub lo: DateTime<Utc>,
    /// To, inclusive.
    pub hi: DateTime<Utc>,
}

/// One contact to make.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRow {
    /// Trace id and idempotency key of this row; unique in a batch.
    pub intent_id: IntentId,
    /// The person key; the CRM refuses a second contact that carries it.
    pub gatekeeper_key: String,
    /// Values to set.
    pub values: BTreeMap<Field, String>,
}

/// One contact to change.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateRow {
    /// Trace id of this row; unique in a batch.
    pub intent_id: IntentId,
    /// Which contact; no two rows of a batch name the same one.
    pub crm_id: CrmId,
    /// Values to set; an empty text clears the value.
    pub values: BTreeMap<Field, String>,
}

/// What is read from a CRM. Each method makes one request.
pub trait Reader: Send + Sync {
    /// Rows that one batch call takes at the most (100 on HubSpot).
    fn batch_limit(&self) -> usize;

    /// The field that a property of the CRM is, so that `"firstname"` among a lead's `properties` means
    /// [`Field::FirstName`] and never a second value beside it. A property without a canonical field stays itself.
    fn canonical(&self, property: &str) -> Field;

    /// [`Reader::list`] cannot ask for so many fields in one request, and will answer with what the connector needs
    /// itself (ids, times, addresses, key) and no values. The loop then reads each page's ids by [`Reader::read`],
    /// which takes any number of fields. Archived contacts are not read so: their ids are what the mirror needs.
    fn list_needs_hydration(&self, fields: &FieldSet) -> bool;

    /// The same for [`Reader::changed`], whose limit is another one.
    fn changed_needs_hydration(&self, fields: &FieldSet) -> bool;

    /// Who we are to the CRM: account id and time zone. Also the cheapest proof that the token works.
    fn account(&self, permit: Permit) -> impl Future<Output = Answer<Account>> + Send;

    /// The CRM's properties, so that unknown and read-only ones are refused before anything is sent.
    fn schema(&self, permit: Permit) -> impl Future<Output = Answer<Schema>> + Send;

    /// One page of all contacts, or of the recycle bin. `after` is the cursor that the last page returned.
    fn list(
        &self,
        permit: Permit,
        fields: &FieldSet,
        after: Option<&str>,
        archived: bool,
    ) -> impl Future<Output = Answer<Page>> + Send;

    /// One page of the contacts changed in a closed window, in the order of their ids, above `after_id`.
    ///
    /// Every record of the answer lies in the window and above `after_id`: the connector checks what its index claims.
    /// The permit must be of the bucket [`crate::governor::Bucket::Search`].
    fn changed(
        &self,
        permit: Permit,
        fields: &FieldSet,
        window: Window,
        after_id: Option<&CrmId>,
    ) -> impl Future<Output = Answer<ChangedPage>> + Send;

    /// Reads up to [`Reader::batch_limit`] contacts by a key. What is not found is simply not among the records.
    ///
    /// [`CrmError::BatchRefused`] means that one of the values cannot be asked for, such as an address without an at
    /// sign: halve the list, as for a write. A single value so refused is not in the CRM.
    fn read(
        &self,
        permit: Permit,
        fields: &FieldSet,
        key: ReadKey,
        values: &[String],
    ) -> impl Future<Output = Answer<ReadAnswer>> + Send;

    /// Which objects of a kind, such as `companies`, contacts are tied to; who is tied to none is not in the answer. Takes as many
    /// contacts as [`Reader::read`].
    fn associations(
        &self,
        permit: Permit,
        kind: &str,
        ids: &[String],
    ) -> impl Future<Output = Answer<BTreeMap<String, Vec<String>>>> + Send;

    /// Contacts that one call of [`Reader::last_changes`] takes at the most.
    fn history_limit(&self) -> usize;

    /// Who set these fields of these contacts last, and when, as far as the CRM keeps a history.
    fn last_changes(
        &self,
        permit: Permit,
        fields: &FieldSet,
        ids: &[String],
    ) -> impl Future<Output = Answer<Vec<LastChange>>> + Send;
}

/// What is written to a CRM. Each method makes one request and never tries twice.
pub trait Writer: Send + Sync {
    /// Makes contacts. The rows of the answer are exactly the rows sent, each with what became of it.
    fn create(&self, permit: Permit, rows: &[CreateRow]) -> impl Future<Output = BatchAnswer> + Send;

    /// Changes contacts by the CRM's id. The rows of the answer are exactly the rows sent.
    fn update(&self, permit: Permit, rows: &[UpdateRow]) -> impl Future<Output = BatchAnswer> + Send;

    /// Merges one contact into another. Nothing can undo it. The survivor's id is the one in the answer.
    fn merge(
        &self,
        permit: Permit,
        primary: &CrmId,
        absorbed: &CrmId,
    ) -> impl Future<Output = Answer<MergeOutcome>> + Send;

    /// Ties a contact to objects of a kind, in the CRM's ordinary way. To do it twice does no harm.
    fn associate(
        &self,
        permit: Permit,
        kind: &str,
        crm_id: &CrmId,
        objects: &[String],
    ) -> impl Future<Output = Answer<()>> + Send;

    /// Makes our unique property if it is not there. `true` when it was made now; `false` when a property of this name
    /// is there already, and then [`Schema::require_unique_key`] says whether it will do.
    fn create_key_property(&self, permit: Permit) -> impl Future<Output = Answer<bool>> + Send;
}
