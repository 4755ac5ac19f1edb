//! Metrics for Prometheus, where an address is set. No label holds a value of a contact.

use std::net::SocketAddr;

use metrics_exporter_prometheus::PrometheusBuilder;

use super::DaemonError;
use crate::config::Config;

/// Serves the metrics at `daemon.metrics_listen`; nothing when that is empty.
pub(super) fn serve(config: &Config) -> Result<(), DaemonError> {
    let Ok(address) = config.daemon.metrics_listen.parse::<SocketAddr>() else {
        return Ok(());
    };
    PrometheusBuilder::new()
        .with_http_listener(address)
        .install()
        .map_err(|source| DaemonError::Metrics {
            address: address.to_string(),
            source: source.into(),
        })?;
    metrics::describe_counter!("gatekeeper_decisions_total", "Leads decided, by action");
    metrics::describe_counter!(
        "gatekeeper_crm_calls_total",
        "Calls to the CRM, by operation and status"
    );
    metrics::describe_histogram!(
        "gatekeeper_crm_call_seconds",
        "Duration of a call to the CRM, by operation"
    );
    metrics::describe_gauge!(
        "gatekeeper_intents_held",
        "Writes that are intended and not settled, in this process"
    );
    metrics::describe_gauge!(
        "gatekeeper_calls_on_wire",
        "Calls to the CRM under way, in this process"
    );
    Ok(())
}
