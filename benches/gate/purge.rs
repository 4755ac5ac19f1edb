//! The purge: 100,000 groups of duplicates planned, and some of them merged at the CRM's real limits.

use std::fmt::Write;
use std::time::Duration;

use crate::Outcome;
use crate::figures::{Figure, Figures, megabytes, seconds};
use crate::ground::Ground;
use crate::large::NO_LIMITS;
use crate::machine::Watch;
use crate::people::Person;
use crate::world::{Plot, World};

/// Groups of the plan.
const GROUPS: u64 = 100_000;

/// Groups that are merged: few for the memory at rest, then many.
const FEW: i64 = 100;
const MANY: i64 = 1_000;

/// The CRM's real limits; the mirror is loaded without.
const LIMITS: &str = "[limits]\ngeneral_calls = 190\n";

/// A window with its margin: after it a run begins with nothing used.
const QUIET: Duration = Duration::from_millis(11_500);

pub(crate) async fn measure(ground: &Ground, figures: &mut Figures) -> Outcome<()> {
    let plot = Plot {
        name: "purge",
        people: GROUPS,
        sandbox: &["--unlimited"],
        settings: NO_LIMITS,
    };
    let mut world = World::make(ground, plot).await?;
    double(&world).await?;
    let mut daemon = world.start_daemon()?;
    world.until_loaded(&mut daemon).await?;
    daemon.stop()?;
    world.run(&["duplicates", "scan"], None).await?;

    let watch = Watch::start();
    let planning = world.run(&["merge", "plan"], None).await?;
    let others = watch.others();
    let planned: i64 = world
        .client
        .query_one("select planned from report.purge", &[])
        .await?
        .try_get(0)?;
    // The scan takes some namesakes of one firm for one person, and finds not all: what it found is what is planned.
    figures.add(
        Figure::new(format!("plan for {planned} groups of duplicates"), "≤ 60 s for 100,000").measured(
            format!("{}; {others}", seconds(planning.time)),
            planning.time.as_secs_f64() <= 60.0 * planned as f64 / GROUPS as f64,
        ),
    );

    let few = merge(&world, FEW).await?;
    let many = merge(&world, MANY).await?;
    let floor_calls = many.floor();
    figures.add(
        Figure::new(
            format!("calls for {} merges of {} groups", many.merges, many.groups),
            format!("≤ 1.2 × the {floor_calls} needed"),
        )
        .measured(many.calls.to_string(), many.calls * 10 <= floor_calls * 12),
    );
    // The earliest moment at which the last of so many calls may be made, 190 in any 10 s.
    let floor = (floor_calls - 1) as f64 / 190.0 * 10.0;
    figures.add(
        Figure::new(
            "time of these merges at 190 calls in 10 s",
            format!("≤ {:.1} s (1.2 × {floor:.1} s)", floor * 1.2),
        )
        .measured(
            format!(
                "{}, start and end of the command included; {}",
                seconds(many.time),
                many.others
            ),
            many.time.as_secs_f64() <= floor * 1.2,
        ),
    );
    figures.add(
        Figure::new(
            "memory of `merge run`",
            "flat: at most a quarter more for ten times the groups",
        )
        .measured(
            format!(
                "{} for {} groups, {} for {}",
                megabytes(few.memory),
                few.groups,
                megabytes(many.memory),
                many.groups
            ),
            many.memory * 4 <= few.memory * 5,
        ),
    );
    world.end()
}

/// What merging took.
struct Merged {
    time: Duration,
    memory: u64,
    groups: i64,
    merges: i64,
    contacts: i64,
    calls: i64,
    others: String,
}

impl Merged {
    /// Each contact is read, and what it is tied to; two are merged in a call; each survivor is written and read back.
    fn floor(&self) -> i64 {
        let batches = |rows: i64| (rows + 99) / 100;
        2 * batches(self.contacts) + self.merges + 2 * batches(self.groups)
    }
}

async fn merge(world: &World, groups: i64) -> Outcome<Merged> {
    let approve = [
        "merge",
        "approve",
        "--all",
        "--most-contacts",
        "2",
        "--limit",
        &groups.to_string(),
    ];
    world.run(&approve, None).await?;
    tokio::time::sleep(QUIET).await;
    let before = spent(world).await?;
    let watch = Watch::start();
    let ran = world.run(&["merge", "run"], Some(LIMITS)).await?;
    let others = watch.others();
    let after = spent(world).await?;
    Ok(Merged {
        time: ran.time,
        memory: ran.peak_memory,
        groups: after[0] - before[0],
        merges: after[1] - before[1],
        contacts: 2 * (after[0] - before[0]),
        calls: after[2] - before[2],
        others,
    })
}

/// Groups merged, merges, and calls for merges so far.
async fn spent(world: &World) -> Outcome<[i64; 3]> {
    let row = world
        .client
        .query_one("select merged, merges from report.purge", &[])
        .await?;
    let calls = "select count(*) from audit.crm_call where priority = 'merge'";
    let calls = world.client.query_one(calls, &[]).await?;
    Ok([row.try_get(0)?, row.try_get(1)?, calls.try_get(0)?])
}

/// Each person stands in the CRM a second time: under a private address, with the number as people write it.
async fn double(world: &World) -> Outcome<()> {
    for first in (0..GROUPS).step_by(10_000) {
        let mut lines = String::new();
        for person in (first..first + 10_000).map(Person::new) {
            let contact = serde_json::json!({
                "email": format!("private.{}", person.email), "firstname": person.nickname, "lastname": person.last_name,
                "company": person.company_short, "phone": person.phone_as_written(), "city": person.city,
                "country": person.country,
            });
            writeln!(lines, "{contact}")?;
        }
        let url = format!("{}/_sandbox/contacts", world.base_url);
        let answer = world.http.post(url).body(lines).send().await?;
        if !answer.status().is_success() {
            return Err(format!("the sandbox refuses the doubles: {}", answer.text().await?).into());
        }
    }
    Ok(())
}
