//! `status`: what waits, how old the mirror is, who runs, and what is left of the limits.

use serde_json::Value;

use super::{CliError, output, tell};
use crate::config::Config;
use crate::store::{Store, ask};

pub(super) async fn status(config: &Config, json: bool) -> Result<(), CliError> {
    let store = Store::open(config).await?;
    let window = config.limits.general_window_seconds * 1000 + config.limits.window_margin_milliseconds;
    let window_ms = i32::try_from(window).unwrap_or(i32::MAX);
    let status = ask::status(&store.client().await?, window_ms).await?;
    if json {
        output::json(&status)?;
    } else {
        print(&status)?;
    }
    store.close().await;
    Ok(())
}

fn print(status: &Value) -> Result<(), CliError> {
    let mirror = &status["mirror"];
    let seconds = |value: &Value| {
        value
            .as_i64()
            .map_or_else(|| "never loaded".to_owned(), |age| format!("{age} s"))
    };
    let mut rows = Vec::new();
    for (state, meaning) in [
        ("ready", "wait"),
        ("claimed", "being decided"),
        ("intended", "being written"),
        ("done", "done"),
        ("review", "in review"),
        ("dead", "dead letters"),
        ("held", "held by a brake"),
    ] {
        let leads = status["leads"][state].as_i64().unwrap_or(0);
        rows.push(vec![format!("leads: {meaning}"), leads.to_string()]);
    }
    let waited = status["oldest_waiting_seconds"].as_i64();
    rows.push(vec![
        "oldest lead that waits".into(),
        waited.map_or("none".into(), |age| format!("{age} s")),
    ]);
    let hold = &status["hold"];
    if !hold.is_null() {
        let held = format!(
            "{} since {}: {}",
            tell::text(&hold["kind"]),
            tell::time(&hold["since"]),
            tell::shown(&hold["note"])
        );
        rows.push(vec!["the gate holds".into(), held]);
    }
    let shadow: Vec<String> = status["shadow"]
        .as_array()
        .into_iter()
        .flatten()
        .map(tell::text)
        .collect();
    if !shadow.is_empty() {
        rows.push(vec!["sources in shadow".into(), shadow.join(", ")]);
    }
    rows.push(vec!["writes under way".into(), status["open_intents"].to_string()]);
    rows.push(vec![
        "writes of unknown outcome".into(),
        status["unknown_intents"].to_string(),
    ]);
    rows.push(vec![
        "writes in doubt, for you to resolve".into(),
        status["in_doubt_intents"].to_string(),
    ]);
    rows.push(vec![
        "writes that may land once more".into(),
        status["doubted_intents"].to_string(),
    ]);
    for (state, what) in [
        ("approved", "merges approved, not run"),
        ("under_way", "merges under way"),
    ] {
        let plans = status["merges"][state].as_i64().unwrap_or(0);
        if plans > 0 {
            rows.push(vec![what.into(), plans.to_string()]);
        }
    }
    rows.push(vec!["contacts in the mirror".into(), mirror["contacts"].to_string()]);
    rows.push(vec!["age of the mirror".into(), seconds(&mirror["age_seconds"])]);
    let replicas = status["replicas"].as_array().map_or(0, Vec::len);
    rows.push(vec!["replicas".into(), replicas.to_string()]);
    let class = status["guarantee_class"].as_str();
    rows.push(vec![
        "guarantee class".into(),
        class.unwrap_or("unknown: no CRM was greeted yet").to_owned(),
    ]);
    for bucket in status["governor"].as_array().into_iter().flatten() {
        let name = tell::text(&bucket["bucket"]);
        let used = if name == "daily" {
            &bucket["day_used"]
        } else {
            &bucket["used_now"]
        };
        let paused = bucket["paused_seconds"].as_f64().filter(|seconds| *seconds > 0.0);
        let pause = paused.map_or(String::new(), |seconds| {
            format!(", paused for {seconds:.0} s: {}", tell::text(&bucket["pause_reason"]))
        });
        rows.push(vec![format!("calls counted, {name}"), format!("{used}{pause}")]);
    }
    rows.push(vec![
        "left for retries, of 500".into(),
        status["retry_tokens"].to_string(),
    ]);
    let breaker = &status["breaker"];
    let state = tell::text(&breaker["state"]);
    rows.push(vec![
        "breaker".into(),
        match state.as_str() {
            "closed" => state,
            _ => format!("{state}: the CRM failed {} calls in a row", breaker["failures"]),
        },
    ]);
    output::table(&["what", "now"], rows)?;
    Ok(())
}
