//! A CRM that refuses us: wrong token, missing scope, missing property; and properties that cannot be written.

use std::time::Duration;

use gatekeeper::sandbox::Options;
use rustix::process::Signal;
use serde_json::json;

use crate::flow::invariants;
use crate::flow::world::World;
use crate::process::{Daemon, gatekeeper};
use crate::support::eventually;

#[tokio::test]
async fn a_wrong_token_ends_with_3_and_says_where_to_put_another() {
    let world = World::new().await;
    world.lead(json!({"source": "sales", "email": "a@example.com"})).await;
    world.set_token("wrong-token");
    let done = gatekeeper(&world, &["run", "--until-idle"]).await;
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stderr.contains("refuses the token (401"), "{}", done.stderr);
    assert!(done.stderr.contains("crm.token"), "{}", done.stderr);
    assert!(!done.stderr.contains("wrong-token"), "{}", done.stderr);
    // The lead waits for the next start.
    world.set_token("sandbox-token");
    world.settle().await;
    assert_eq!(world.contacts().len(), 1);
}

#[tokio::test]
async fn a_token_without_the_scopes_ends_with_3_and_names_the_scope() {
    let options = Options {
        scopes: ["crm.objects.contacts.write".to_owned()].into(),
        ..Options::default()
    };
    let world = World::with(options, |_| ()).await;
    let done = gatekeeper(&world, &["run", "--until-idle"]).await;
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(done.stderr.contains("crm.objects.contacts.read"), "{}", done.stderr);
}

#[tokio::test]
async fn without_the_unique_property_it_ends_with_3_and_setup_crm_makes_it() {
    let options = Options {
        unique: vec!["ext_id".to_owned()],
        ..Options::default()
    };
    let world = World::with(options, |_| ()).await;
    world.lead(json!({"source": "sales", "email": "a@example.com"})).await;
    let done = gatekeeper(&world, &["run", "--until-idle"]).await;
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(
        done.stderr.contains("gatekeeper_key") && done.stderr.contains("gatekeeper setup-crm"),
        "{}",
        done.stderr
    );
    for words in ["would make", "is made", "Nothing to do"] {
        let dry = if words == "would make" {
            &["setup-crm", "--dry-run"][..]
        } else {
            &["setup-crm"]
        };
        let done = gatekeeper(&world, dry).await;
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert!(done.stdout.contains(words), "{}", done.stdout);
    }
    let done = gatekeeper(&world, &["run", "--until-idle"]).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    invariants::check(&world).await;
    assert_eq!(world.contacts().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_network_it_waits_says_so_and_works_when_the_network_is_back() {
    let world = World::new().await;
    world.lead(json!({"source": "sales", "email": "a@example.com"})).await;
    // A port that nobody listens on now, and the sandbox' relay will in a moment.
    let reserved = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let mut config = world.config.clone();
    config.crm.base_url = format!("http://{address}");
    let mut daemon = Daemon::start_with(&world, &config, &[]);
    eventually(
        Duration::from_secs(30),
        "it says that it waits for the CRM",
        async || {
            let log = daemon.log();
            if log.contains("waiting for the CRM") && log.contains("cannot reach the CRM at 127.0.0.1") {
                Ok(())
            } else {
                Err(log)
            }
        },
    )
    .await;
    let to = world.crm.address();
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let relay = tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut far) = tokio::net::TcpStream::connect(to).await {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    eventually(Duration::from_secs(60), "the lead is done", async || {
        match world.ask("select state from gate.work").await.as_str() {
            "done" => Ok(()),
            _ => Err(daemon.log()),
        }
    })
    .await;
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.end(Duration::from_secs(20)).await, Some(0), "{}", daemon.log());
    relay.abort();
    invariants::check(&world).await;
}

#[tokio::test]
async fn properties_that_cannot_be_written_are_refused_one_by_one_before_anything_is_sent() {
    let world = World::with(Options::default(), |config| {
        config.crm.properties = ["lifecyclestage", "numemployees", "closedate", "createdate"]
            .map(str::to_owned)
            .to_vec();
    })
    .await;
    let lead = json!({
        "source": "sales", "email": "a@example.com",
        "properties": {
            "no_such_property": "x", "createdate": "2020-01-01", "hs_object_id": 7, "lifecyclestage": "no stage",
            "numemployees": "many", "industry": "Food", "First Name": "x", "": "x",
        },
    });
    let lead = world.settled(lead).await;
    assert_eq!(world.state(lead).await, "done");
    assert_eq!(world.only_contact()["email"], "a@example.com");
    for (property, verdict) in [
        ("no_such_property", "refused unknown_property"),
        ("createdate", "refused read_only_property"),
        ("hs_object_id", "refused read_only_property"),
        ("lifecyclestage", "refused invalid_option"),
        ("numemployees", "refused invalid_number"),
        ("industry", "written highest_rank: blank"),
        ("First Name", "refused unknown_property"),
        ("properties", "refused bad_name"),
    ] {
        assert_eq!(world.ruling(lead, property).await, verdict, "{property}");
    }
    assert_eq!(world.requests("batch_create").len(), 1);
    assert_eq!(world.only_contact()["industry"], "Food");

    // A new person has no value that could be overwritten. Of a known one it is not known what is there.
    let again = json!({"source": "payments", "email": "a@example.com", "properties": {"industry": "Steel"}});
    let again = world.settled(again).await;
    assert_eq!(world.ruling(again, "industry").await, "refused not_mirrored");
    assert_eq!(world.only_contact()["industry"], "Food");
}

#[tokio::test]
async fn a_value_that_only_the_crm_can_refuse_kills_its_lead_alone_with_the_crms_words() {
    let world = World::with(Options::default(), |config| {
        config.crm.properties = vec!["closedate".to_owned()]
    })
    .await;
    let lead = |number: usize, date: &str| json!({"source": "sales", "email": format!("p{number}@example.com"), "properties": {"closedate": date}});
    let leads = world
        .leads(json!([
            lead(0, "2025-01-01T00:00:00Z"),
            lead(1, "the day after tomorrow"),
            lead(2, "2025-01-02T00:00:00Z")
        ]))
        .await;
    world.settle().await;
    assert_eq!(world.contacts().len(), 2);
    assert_eq!(world.state(leads[1]).await, "dead invalid_date");
    let words = world.ask("select message from report.dead_letter").await;
    assert!(words.contains("the day after tomorrow was not a valid long"), "{words}");
}

#[tokio::test]
async fn a_property_that_the_crm_takes_away_meanwhile_kills_nobody_for_long() {
    let world = World::with(Options::default(), |config| {
        config.crm.properties = vec!["fax".to_owned()]
    })
    .await;
    world
        .settled(json!({"source": "sales", "email": "first@example.com"}))
        .await;
    // The CRM does not know it any more; we learn of it at the next start.
    world.faults(vec![gatekeeper::sandbox::Rule {
        operation: Some("batch_create".to_owned()),
        body_contains: Some("fax".to_owned()),
        status: Some(400),
        ..Default::default()
    }]);
    let leads = world
        .leads(json!([
            {"source": "sales", "email": "a@example.com", "properties": {"fax": "1"}},
            {"source": "sales", "email": "b@example.com"},
        ]))
        .await;
    world.settle().await;
    assert!(world.state(leads[0]).await.starts_with("dead"));
    assert_eq!(world.state(leads[1]).await, "done");
    world.crm.sandbox().clear_faults();
    let done = gatekeeper(&world, &["dead", "replay", &leads[0].to_string()]).await;
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    world.settle().await;
    assert_eq!(world.state(leads[0]).await, "done");
}
