//! Plans of what a merge of duplicates would keep and lose.

use deadpool_postgres::GenericClient;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::Json;

use crate::domain::{Chosen, ContactId, Criterion, CrmId, Field, Group, MergePlan};
use crate::store::{StoreError, call};

/// The next groups above a number, with their living contacts; of `groups` alone, if they are given.
///
/// # Errors
/// As every statement.
pub async fn groups_to_plan(
    client: &impl GenericClient,
    after: i64,
    limit: i32,
    groups: Option<&[i64]>,
) -> Result<Vec<Group>, StoreError> {
    let statement = "select * from gate.groups_to_plan($1, $2, $3)";
    let rows = call::rows(client, statement, &[&after, &limit, &groups]).await?;
    rows.iter()
        .map(|row| {
            let contacts: Vec<i64> = row.try_get("contact_ids")?;
            let created_at: Vec<Option<_>> = row.try_get("created_at")?;
            let master: Option<String> = row.try_get("chosen_master")?;
            let Json(values) = row.try_get("chosen_values")?;
            Ok(Group {
                chosen: Chosen {
                    master: master.map(CrmId),
                    values,
                },
                group_id: row.try_get("group_id")?,
                flags: row.try_get("flags")?,
                created_at: contacts.into_iter().map(ContactId).zip(created_at).collect(),
            })
        })
        .collect()
}

/// How many groups there are.
///
/// # Errors
/// As every statement.
pub async fn count_groups(client: &impl GenericClient) -> Result<i64, StoreError> {
    Ok(call::row(client, "select gate.count_groups()", &[]).await?.try_get(0)?)
}

/// By which criteria the contact is chosen that stays.
///
/// # Errors
/// As every statement.
pub async fn read_merge_master(client: &impl GenericClient) -> Result<Vec<Criterion>, StoreError> {
    let rows = call::rows(client, "select * from gate.read_merge_master()", &[]).await?;
    let mut criteria = Vec::with_capacity(rows.len());
    for row in rows {
        let field: Option<String> = row.try_get("field")?;
        let criterion: &str = row.try_get("criterion")?;
        criteria.extend(match (criterion, field) {
            ("has", Some(field)) => Some(Criterion::Has(Field::from_name(&field))),
            ("highest", Some(field)) => Some(Criterion::Highest(Field::from_name(&field))),
            ("most_complete", _) => Some(Criterion::MostComplete),
            ("oldest", _) => Some(Criterion::Oldest),
            ("newest", _) => Some(Criterion::Newest),
            ("recently_changed", _) => Some(Criterion::RecentlyChanged),
            _ => None,
        });
    }
    Ok(criteria)
}

/// Ends plans that are not begun and whose groups are none any more.
///
/// # Errors
/// As every statement.
pub async fn retire_plans(client: &impl GenericClient) -> Result<(), StoreError> {
    call::rows(client, "select gate.retire_plans()", &[]).await?;
    Ok(())
}

#[derive(Debug, Serialize)]
struct PlanDocument<'a> {
    #[serde(flatten)]
    plan: &'a MergePlan,
    policy_version: i64,
}

/// Stores plans.
///
/// # Errors
/// As every statement.
pub async fn put_plans(
    client: &impl GenericClient,
    plans: &[MergePlan],
    policy_version: i64,
) -> Result<(), StoreError> {
    let plans: Vec<PlanDocument<'_>> = plans.iter().map(|plan| PlanDocument { plan, policy_version }).collect();
    call::rows(client, "select gate.put_plans($1)", &[&Json(plans)]).await?;
    Ok(())
}

/// Plans, each as a row of `report.merge_plan`; only those in these states, when that is asked for.
///
/// # Errors
/// As every statement.
pub async fn list_plans(
    client: &impl GenericClient,
    states: Option<&[&str]>,
    limit: i64,
) -> Result<Vec<Value>, StoreError> {
    let statement = "select to_jsonb(plan) from gate.list_plans($1, $2) as plan";
    call::documents(client, statement, &[&states, &limit]).await
}

/// One plan with its contacts and its values; absent when there is none.
///
/// # Errors
/// As every statement.
pub async fn show_plan(client: &impl GenericClient, plan: i64) -> Result<Option<Value>, StoreError> {
    let found = call::documents(client, "select gate.show_plan($1)", &[&plan]).await?;
    Ok(found.into_iter().find(|plan| !plan.is_null()))
}
