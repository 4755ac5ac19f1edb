//! The timetable at work.

use std::time::Duration;

use gatekeeper::domain::Field;
use gatekeeper::fault::{Classify, Fault};
use gatekeeper::pull::{PassEnd, PullSettings, TickReport};
use gatekeeper::sandbox::{Options, Rule};

use super::scene::{Scene, person, sharp};

fn told(report: &TickReport) -> Vec<(&'static str, PassEnd)> {
    report
        .passes
        .iter()
        .map(|report| (report.pass.name(), report.end))
        .collect()
}

#[tokio::test]
async fn the_first_tick_loads_and_the_next_ones_follow_the_timetable() {
    let daily = PullSettings {
        poll_every: Duration::from_secs(600),
        ..sharp()
    };
    let scene = Scene::with(Options::default(), daily).await;
    scene.seed((0..300).map(person));
    let first = scene.pull.tick().await.unwrap();
    assert_eq!(told(&first), [("full", PassEnd::Complete)]);
    assert_eq!(first.come_back, Duration::ZERO);
    let second = scene.pull.tick().await.unwrap();
    assert_eq!(
        told(&second),
        [("changes", PassEnd::Complete), ("archived", PassEnd::Complete)]
    );
    assert!((590..=600).contains(&second.come_back.as_secs()), "{second:?}");
    assert!(told(&scene.pull.tick().await.unwrap()).is_empty());
    // A day later everything is due again.
    scene
        .db
        .run("update gate.mirror_progress set finished_at = finished_at - interval '1 day', watermark = watermark - interval '1 day'")
        .await;
    let later = scene.pull.tick().await.unwrap();
    let passes: Vec<&str> = later.passes.iter().map(|report| report.pass.name()).collect();
    assert_eq!(passes, ["changes", "slow", "archived", "full"]);
}

#[tokio::test]
async fn a_long_comparison_pauses_for_the_polls_and_loses_nothing() {
    let scene = Scene::new(Options::default()).await;
    scene.seed((0..3_000).map(person));
    scene.load().await;
    scene
        .db
        .run("update gate.mirror_progress set finished_at = finished_at - interval '2 days'")
        .await;
    scene.faults(vec![Rule {
        operation: Some("list".to_owned()),
        delay_ms: Some(80),
        ..Rule::default()
    }]);
    let mut ends = Vec::new();
    while ends.last() != Some(&("full", PassEnd::Complete)) {
        let report = scene.pull.tick().await.unwrap();
        ends.extend(told(&report));
        assert!(report.trouble.is_none() && ends.len() < 100, "{ends:?}");
    }
    let pauses = ends.iter().filter(|end| **end == ("full", PassEnd::Paused)).count();
    let polls = ends
        .iter()
        .filter(|end| **end == ("changes", PassEnd::Complete))
        .count();
    assert!(pauses >= 1 && polls > pauses, "{ends:?}");
    assert_eq!(
        scene.calls("list") - scene.calls("list_archived"),
        30 + 30 + 1,
        "no page is read twice"
    );
    let drift = "select concat_ws(' ', contacts, missing, stale, ghost) from gate.mirror_drift";
    assert_eq!(scene.ask(drift).await, "3000 0 0 0");
}

#[tokio::test]
async fn trouble_ends_the_tick_and_says_how_long_to_wait() {
    let scene = Scene::new(Options::default()).await;
    scene.seed((0..300).map(person));
    for (status, fault, wait) in [
        (429, Fault::Throttled(Duration::from_secs(10)), 10),
        (502, Fault::Unknown, 60),
    ] {
        scene.faults(vec![Rule {
            operation: Some("list".to_owned()),
            nth: Some(2),
            status: Some(status),
            ..Rule::default()
        }]);
        let report = scene.pull.tick().await.unwrap();
        assert_eq!(report.trouble.map(|error| error.fault()), Some(fault));
        assert!(report.come_back <= Duration::from_secs(wait), "{:?}", report.come_back);
        scene.crm.sandbox().clear_faults();
        scene.db.run("update gate.governor set paused_until = null").await;
    }
    assert_eq!(told(&scene.pull.tick().await.unwrap()), [("full", PassEnd::Complete)]);
    assert_eq!(
        scene.calls("list"),
        5,
        "a refused page is asked for again, none before it"
    );
}

#[tokio::test]
async fn a_field_that_becomes_wanted_is_loaded_by_the_next_tick() {
    let scene = Scene::new(Options::default()).await;
    let ids = scene.seed((0..3).map(|number| {
        let mut person = person(number);
        person["numemployees"] = "12".into();
        person
    }));
    scene.pull.tick().await.unwrap();
    let settings = PullSettings {
        poll_every: Duration::from_secs(600),
        ..sharp()
    };
    let wider = scene.another(settings, vec![Field::from_name("numemployees")]).await;
    let report = wider.tick().await.unwrap();
    assert!(told(&report).contains(&("full", PassEnd::Complete)), "{report:?}");
    let value = format!(
        "select properties ->> 'numemployees' from crm.contact where crm_id = '{}'",
        ids[0]
    );
    assert_eq!(scene.ask(&value).await, "12");
    assert!(told(&wider.tick().await.unwrap()).is_empty());
}

#[tokio::test]
async fn a_field_that_becomes_wanted_in_the_middle_of_a_load_begins_it_anew() {
    let scene = Scene::new(Options::default()).await;
    scene.seed((0..500).map(person));
    scene.faults(vec![Rule {
        operation: Some("list".to_owned()),
        nth: Some(3),
        status: Some(502),
        ..Rule::default()
    }]);
    scene.pull.full_load(|_| ()).await.unwrap_err();
    let wider = scene.another(sharp(), vec![Field::from_name("numemployees")]).await;
    assert_eq!(wider.full_load(|_| ()).await.unwrap().found.rows, 500);
    assert_eq!(scene.calls("list"), 3 + 5);
}
