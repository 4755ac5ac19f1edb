//! What people say of plans.

use std::collections::BTreeMap;

use deadpool_postgres::GenericClient;
use serde_json::Value;
use tokio_postgres::types::Json;

use crate::domain::Field;
use crate::store::{StoreError, call};

/// Which plans are meant.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// These; empty: all that the filters let through.
    pub plans: Vec<i64>,
    /// With `plans`, one for each: a plan of another digest is left alone.
    pub digests: Vec<Option<String>>,
    /// Only those of which this rule has chosen who stays.
    pub rule: Option<String>,
    /// Only those with at most so many contacts.
    pub most_contacts: Option<i32>,
    /// Only those by which no value is lost.
    pub no_losses: bool,
    /// Only those that are held for this reason.
    pub held_for: Option<String>,
    /// At most so many; absent: all.
    pub limit: Option<i64>,
}

/// Sets plans to a state: `approved`, `rejected` or `held`. Returns those that were set, or would be.
///
/// # Errors
/// As every statement; a person who may not approve is told so.
pub async fn decide_plans(
    client: &impl GenericClient,
    state: &str,
    pick: &Pick,
    note: Option<&str>,
    dry_run: bool,
) -> Result<Vec<i64>, StoreError> {
    let plans = (!pick.plans.is_empty()).then_some(&pick.plans);
    let digests = (!pick.digests.is_empty()).then_some(&pick.digests);
    let rows = call::rows(
        client,
        "select * from gate.decide_plans($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &state,
            &plans,
            &digests,
            &pick.rule,
            &pick.most_contacts,
            &pick.no_losses,
            &pick.held_for,
            &pick.limit,
            &note,
            &dry_run,
        ],
    )
    .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Notes what a person wants of a plan's group. `false`: no such plan that is not begun, or the contact is none of it.
///
/// # Errors
/// As every statement.
pub async fn choose_for_plan(
    client: &impl GenericClient,
    plan: i64,
    master: Option<&str>,
    values: &BTreeMap<Field, String>,
) -> Result<bool, StoreError> {
    let statement = "select gate.choose_for_plan($1, $2, $3)";
    let row = call::row(client, statement, &[&plan, &master, &Json(values)]).await?;
    Ok(row.try_get(0)?)
}

/// The groups of plans.
///
/// # Errors
/// As every statement.
pub async fn groups_of_plans(client: &impl GenericClient, plans: &[i64]) -> Result<Vec<i64>, StoreError> {
    let rows = call::rows(client, "select * from gate.groups_of_plans($1)", &[&plans]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Plans for people who review them in a spreadsheet: each as a row of `report.merge_plan`, who is in it, and what survives.
///
/// # Errors
/// As every statement.
pub async fn export_plans(
    client: &impl GenericClient,
    states: Option<&[&str]>,
) -> Result<Vec<(Value, String, String)>, StoreError> {
    let rows = call::rows(client, "select * from gate.export_plans($1)", &[&states]).await?;
    rows.iter()
        .map(|row| {
            let Json(plan) = row.try_get("plan")?;
            let text = |name| Ok::<_, StoreError>(row.try_get::<_, Option<String>>(name)?.unwrap_or_default());
            Ok((plan, text("names")?, text("survives")?))
        })
        .collect()
}
