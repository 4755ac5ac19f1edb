//! One lead at a time, while every answer of the CRM takes 200 ms.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::figures::{Figure, Figures};
use crate::ground::Ground;
use crate::leads::{LeadRow, SOURCE, next_source_key};
use crate::machine::Watch;
use crate::naive::Naive;
use crate::people::Person;
use crate::process::Process;
use crate::world::{Plot, World};

/// How long an answer of the CRM takes.
const CALL: Duration = Duration::from_millis(200);

/// What we may add.
const OURS: Duration = Duration::from_millis(60);

/// Leads measured of each kind.
const LEADS: u64 = 25;

const PEOPLE: u64 = 2_000;

pub(crate) async fn measure(ground: &Ground, figures: &mut Figures) -> Outcome<()> {
    let plot = Plot {
        name: "latency",
        people: PEOPLE,
        sandbox: &["--delay-milliseconds", "200"],
        settings: "",
    };
    let mut world = World::make(ground, plot).await?;
    let mut daemon = world.start_daemon()?;
    world.until_loaded(&mut daemon).await?;
    for number in 0..5 {
        settle(&world, &mut daemon, &LeadRow::promoted(&Person::new(number))).await?;
    }
    let watch = Watch::start();
    let mut known = Vec::new();
    let mut new = Vec::new();
    for number in 0..LEADS {
        known.push(settle(&world, &mut daemon, &LeadRow::promoted(&Person::new(100 + number))).await?);
        new.push(settle(&world, &mut daemon, &LeadRow::complete(&Person::new(PEOPLE + number))).await?);
    }
    let others = watch.others();
    figures.daemon_memory("single leads", daemon.peak_memory()?);
    daemon.stop()?;

    let naive = Naive::limited(&world);
    let (mut naive_known, mut naive_new) = (Vec::new(), Vec::new());
    for number in 0..LEADS {
        let lead = LeadRow::promoted(&Person::new(200 + number));
        naive_known.push(naive.work_off(&[lead], 1, true).await?.time);
        let lead = LeadRow::complete(&Person::new(2 * PEOPLE + number));
        naive_new.push(naive.work_off(&[lead], 1, true).await?.time);
    }
    for (name, calls, measured, naive) in [
        (
            "one lead of a known contact, CRM answering in 200 ms",
            1,
            known,
            naive_known,
        ),
        ("one lead of a new person, CRM answering in 200 ms", 2, new, naive_new),
    ] {
        let goal = CALL * calls + OURS;
        let (middle, slowest) = spread(measured);
        figures.add(
            Figure::new(
                name,
                format!("median ≤ {} ms ({calls} × 200 ms + 60 ms)", goal.as_millis()),
            )
            .measured(
                format!(
                    "{} ms (of {LEADS}; slowest {} ms); {others}",
                    middle.as_millis(),
                    slowest.as_millis()
                ),
                middle <= goal,
            )
            .naive(format!("{} ms", spread(naive).0.as_millis())),
        );
    }
    world.end()
}

/// From before the INSERT to when another session sees that the lead is done.
async fn settle(world: &World, daemon: &mut Process, lead: &LeadRow) -> Outcome<Duration> {
    let insert = "insert into staging.lead
        (source, source_key, email, phone, first_name, last_name, company, job_title, city, country)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning lead_id";
    let insert = world.client.prepare(insert).await?;
    let look = world
        .client
        .prepare("select state from gate.work where lead_id = $1")
        .await?;
    let source_key = next_source_key();
    let begun = Instant::now();
    let row = world
        .client
        .query_one(
            &insert,
            &[
                &SOURCE,
                &source_key,
                &lead.email,
                &lead.phone,
                &lead.first_name,
                &lead.last_name,
                &lead.company,
                &lead.job_title,
                &lead.city,
                &lead.country,
            ],
        )
        .await?;
    let lead_id: i64 = row.try_get(0)?;
    loop {
        let state: String = world.client.query_one(&look, &[&lead_id]).await?.try_get(0)?;
        match state.as_str() {
            "done" => return Ok(begun.elapsed()),
            "dead" | "review" => return Err(format!("a lead of the bench became {state}").into()),
            _ => {}
        }
        if begun.elapsed() > Duration::from_secs(20) {
            daemon.still_runs()?;
            return Err(format!("a lead is still {state} after 20 s").into());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The median and the slowest.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times.last().copied().unwrap_or_default())
}
