//! Delivers the sample as others would: rules with a steward's rights, leads with an ETL job's, one COPY for each export.

use std::io::Cursor;
use std::pin::pin;

use futures::SinkExt;
use tokio_util::sync::CancellationToken;

use super::export::{Row, rows};
use super::sample::{Export, Sample};
use super::stage::Stage;
use super::{DemoError, go_on};
use crate::store::{Store, StoreError, commit};

const AS_STEWARD: &str = include_str!("../../demo/sql/as_steward.sql");
const AS_ETL: &str = include_str!("../../demo/sql/as_etl.sql");
const ADD_SOURCE: &str = include_str!("../../demo/sql/add_source.sql");
const RULES: &str = include_str!("../../demo/sql/rules.sql");
const COPY_LEADS: &str = include_str!("../../demo/sql/copy_leads.sql");

/// Enters the sources with their ranks, and the rules for fields.
pub(super) async fn enter_rules(store: &Store, sample: &Sample) -> Result<(), DemoError> {
    let mut client = store.client().await?;
    let transaction = client.transaction().await.map_err(StoreError::from)?;
    let enter = async {
        transaction.batch_execute(AS_STEWARD).await?;
        for export in &sample.sources {
            transaction
                .execute(ADD_SOURCE, &[&export.name, &export.rank, &export.title])
                .await?;
        }
        transaction.batch_execute(RULES).await
    };
    enter.await.map_err(StoreError::from)?;
    Ok(commit(transaction).await?)
}

/// Delivers all exports; how many leads they were.
pub(super) async fn deliver(store: &Store, sample: &Sample, stop: &CancellationToken) -> Result<u64, DemoError> {
    let stage = Stage::begin("leads", None);
    let mut delivered = 0;
    let mut each = Vec::new();
    for export in &sample.sources {
        go_on(stop)?;
        let leads = copy(store, export, &rows(export)?).await?;
        delivered += leads;
        each.push(format!("{} {leads}", export.name));
    }
    stage.done(&format!("{delivered} delivered by COPY: {}", each.join(", ")));
    Ok(delivered)
}

async fn copy(store: &Store, export: &Export, rows: &[Row]) -> Result<u64, DemoError> {
    let content = as_csv(&export.name, rows)?;
    let mut client = store.client().await?;
    let transaction = client.transaction().await.map_err(StoreError::from)?;
    let copy = async {
        transaction.batch_execute(AS_ETL).await?;
        let mut sink = pin!(transaction.copy_in(COPY_LEADS).await?);
        sink.send(Cursor::new(content)).await?;
        sink.finish().await
    };
    let leads = copy.await.map_err(StoreError::from)?;
    commit(transaction).await?;
    Ok(leads)
}

/// The rows as COPY reads them: an empty cell without quotes is NULL.
fn as_csv(source: &str, rows: &[Row]) -> Result<Vec<u8>, DemoError> {
    let problem = |problem: String| DemoError::Sample { file: "leads", problem };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| cell.as_deref().unwrap_or_default());
        writer
            .write_record(std::iter::once(source).chain(cells))
            .map_err(|error| problem(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| problem(error.to_string()))
}
