//! The calls that the connector makes, and what each needs and risks.

/// One endpoint family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Account,
    Schema,
    List,
    ListArchived,
    Search,
    BatchRead,
    BatchCreate,
    BatchUpdate,
    Merge,
    AssociationRead,
    Associate,
    CreateProperty,
}

impl Operation {
    /// The name in `audit.crm_call`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Operation::Account => "account",
            Operation::Schema => "schema",
            Operation::List => "list",
            Operation::ListArchived => "list_archived",
            Operation::Search => "search",
            Operation::BatchRead => "batch_read",
            Operation::BatchCreate => "batch_create",
            Operation::BatchUpdate => "batch_update",
            Operation::Merge => "merge",
            Operation::AssociationRead => "association_read",
            Operation::Associate => "associate",
            Operation::CreateProperty => "create_property",
        }
    }

    /// The scope that allows it, for a refusal that names none.
    pub(super) fn scope(self) -> &'static str {
        match self {
            Operation::Account => "of any kind",
            Operation::Schema => "crm.schemas.contacts.read",
            Operation::List | Operation::ListArchived | Operation::Search | Operation::BatchRead => {
                "crm.objects.contacts.read"
            }
            Operation::BatchCreate | Operation::BatchUpdate | Operation::Merge => "crm.objects.contacts.write",
            Operation::AssociationRead => "to read the associated objects, such as crm.objects.companies.read",
            Operation::Associate => "to write the associated objects, such as crm.objects.companies.write",
            Operation::CreateProperty => "crm.schemas.contacts.write",
        }
    }

    /// Takes a batch, one row of which may spoil all others.
    pub(super) fn is_batch(self) -> bool {
        matches!(
            self,
            Operation::BatchRead | Operation::BatchCreate | Operation::BatchUpdate
        )
    }
}
