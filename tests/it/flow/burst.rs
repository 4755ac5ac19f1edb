//! Many leads at once, within the CRM's limits and with as few calls as can be.

use gatekeeper::sandbox::{Limits, Options};
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn a_thousand_new_people_in_one_copy_cost_ten_probes_and_ten_creations() {
    let options = Options {
        limits: Some(Limits::PROFESSIONAL),
        ..Options::default()
    };
    let world = World::with(options, |config| {
        config.limits.general_calls = 190;
        config.gate.linger_milliseconds = gatekeeper::config::Config::default().gate.linger_milliseconds;
    })
    .await;
    let leads = (0..1000).map(|number| {
        json!({"source": "sales", "source_key": number.to_string(), "email": format!("p{number}@example.com"), "first_name": "Pat"})
    });
    world.leads(leads.collect()).await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 1000);
    let (probes, creates) = (world.requests("batch_read").len(), world.requests("batch_create").len());
    assert!(probes <= 10 && creates <= 10, "{probes} probes, {creates} creations");

    // The same people with something new, and then with nothing new.
    let leads = (0..1000).map(|number| {
        json!({"source": "payments", "source_key": number.to_string(), "email": format!("p{number}@example.com"), "first_name": "Patricia"})
    });
    world.leads(leads.collect()).await;
    world.settle().await;
    let updates = world.requests("batch_update").len();
    assert!(updates <= 10, "{updates} changes");
    let leads = (0..1000).map(|number| {
        json!({"source": "fair", "source_key": number.to_string(), "email": format!("p{number}@example.com"), "first_name": "Patricia"})
    });
    world.leads(leads.collect()).await;
    world.settle().await;
    assert_eq!(world.requests("batch_update").len(), updates);
    assert_eq!(world.requests("batch_read").len(), probes);
    assert_eq!(world.requests("batch_create").len(), creates);
}
