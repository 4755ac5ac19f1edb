//! Bursts of 10,000 leads at the CRM's real limits: how many calls they cost, and how long they take.

use std::time::Duration;

use serde_json::Value;

use crate::Outcome;
use crate::figures::{Figure, Figures, number, seconds};
use crate::ground::Ground;
use crate::leads::{LeadRow, deliver};
use crate::machine::Watch;
use crate::naive::{Naive, Taken};
use crate::people::Person;
use crate::process::Process;
use crate::world::{Plot, World};

/// Leads of one burst.
const LEADS: u64 = 10_000;

/// Leads that the other client works off of each kind; the rest is reckoned from these.
const SAMPLE: u64 = 60;

/// A governor's window of 10 s with its margin, and a little: after it a burst begins with nothing used.
const QUIET: Duration = Duration::from_millis(11_500);

/// What a burst cost.
struct Spent {
    time: Duration,
    /// Who else used the processors.
    others: String,
    /// Calls made for leads, by the audit.
    live: u64,
    /// Calls made for the mirror meanwhile, by the audit.
    mirror: u64,
    /// Calls that write, by the sandbox.
    writes: u64,
    /// Answers 429, by the sandbox.
    throttled: u64,
}

pub(crate) async fn measure(ground: &Ground, figures: &mut Figures) -> Outcome<()> {
    let plot = Plot {
        name: "burst",
        people: 2 * LEADS,
        sandbox: &[],
        settings: "",
    };
    let mut world = World::make(ground, plot).await?;
    let mut daemon = world.start_daemon()?;
    world.until_loaded(&mut daemon).await?;

    let new: Vec<LeadRow> = people(2 * LEADS, LEADS, LeadRow::complete);
    let changed: Vec<LeadRow> = people(0, LEADS, LeadRow::promoted);
    let same: Vec<LeadRow> = people(LEADS, LEADS, LeadRow::complete);
    let new = burst(&world, &mut daemon, &new).await?;
    let changed = burst(&world, &mut daemon, &changed).await?;
    let same = burst(&world, &mut daemon, &same).await?;
    figures.daemon_memory("10,000-lead bursts", daemon.peak_memory()?);
    daemon.stop()?;

    tokio::time::sleep(QUIET).await;
    let naive = Naive::limited(&world);
    let naive_new = people(5 * LEADS, SAMPLE, LeadRow::complete);
    let naive_new = naive.work_off(&naive_new, 8, true).await?;
    let naive_changed = people(LEADS, SAMPLE, LeadRow::promoted);
    let naive_changed = naive.work_off(&naive_changed, 8, true).await?;
    let naive_same = people(LEADS + SAMPLE, SAMPLE, LeadRow::complete);
    let naive_same = naive.work_off(&naive_same, 8, true).await?;

    let all = LEADS as usize;
    let calls = |taken: &Taken| format!("{} (extrapolated from {})", number(taken.calls_for(all)), taken.leads);
    let spent = |spent: &Spent| format!("{} + {} for the mirror", spent.live, spent.mirror);
    figures.add(
        Figure::new("calls for 10,000 leads of new people", "≤ 210")
            .measured(spent(&new), new.live <= 210)
            .naive(calls(&naive_new)),
    );
    figures.add(
        Figure::new("calls for 10,000 leads that change known contacts", "≤ 110")
            .measured(spent(&changed), changed.live <= 110)
            .naive(calls(&naive_changed)),
    );
    figures.add(
        Figure::new("writes for 10,000 leads that change nothing", "0")
            .measured(same.writes.to_string(), same.writes == 0)
            .naive(format!(
                "{}, and {} searches",
                naive_same.writes,
                number(naive_same.calls_for(all))
            )),
    );

    // The earliest moment at which the last of so many calls may be made, 190 in any 10 s.
    let floor = (new.live.saturating_sub(1) / 190 * 10) as f64;
    let longest = floor * 1.3;
    figures.add(
        Figure::new(
            "time of the burst of new people at 190 calls in 10 s",
            format!("≤ {longest:.1} s (1.3 × {floor:.0} s)"),
        )
        .measured(
            format!("{}; {}", seconds(new.time), new.others),
            new.time.as_secs_f64() <= longest,
        )
        .naive(format!(
            "{:.0} s (extrapolated: {} leads took {})",
            naive_new.seconds_for(all),
            naive_new.leads,
            seconds(naive_new.time)
        )),
    );
    let throttled = new.throttled + changed.throttled + same.throttled;
    let naive_throttled = naive_new.throttled + naive_changed.throttled + naive_same.throttled;
    figures.add(
        Figure::new("answers 429 in all of these bursts", "0")
            .measured(throttled.to_string(), throttled == 0)
            .naive(format!("{naive_throttled} in its samples")),
    );
    figures.note(format!(
        "The bursts that change known contacts and that change nothing took {} and {}.",
        seconds(changed.time),
        seconds(same.time)
    ));
    world.end()
}

fn people(first: u64, count: u64, lead: impl Fn(&Person) -> LeadRow) -> Vec<LeadRow> {
    (first..first + count)
        .map(|number| lead(&Person::new(number)))
        .collect()
}

async fn burst(world: &World, daemon: &mut Process, leads: &[LeadRow]) -> Outcome<Spent> {
    tokio::time::sleep(QUIET).await;
    let before = world.counts().await?;
    let last_call = "select coalesce(max(call_id), 0) from audit.crm_call";
    let last: i64 = world.client.query_one(last_call, &[]).await?.try_get(0)?;
    let watch = Watch::start();
    deliver(&world.client, leads).await?;
    world
        .until(daemon, "select gate.is_idle()", Duration::from_secs(180))
        .await?;
    let time = watch.elapsed();
    let others = watch.others();
    let after = world.counts().await?;
    let split = "select count(*) filter (where priority in ('live', 'recovery')),
        count(*) filter (where priority not in ('live', 'recovery')) from audit.crm_call where call_id > $1";
    let row = world.client.query_one(split, &[&last]).await?;
    let (live, mirror): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let (live, mirror) = (live.unsigned_abs(), mirror.unsigned_abs());
    let total = sum(&after, |_, _| true) - sum(&before, |_, _| true);
    // A call of the mirror may be under way at either end.
    if total.abs_diff(live + mirror) > 2 {
        return Err(format!("the CRM saw {total} calls and the audit has {}", live + mirror).into());
    }
    let is_write = |operation: &str, _: &str| !["search", "batch_read", "list", "read"].contains(&operation);
    Ok(Spent {
        time,
        others,
        live,
        mirror,
        writes: sum(&after, is_write) - sum(&before, is_write),
        throttled: sum(&after, |_, status| status == "429") - sum(&before, |_, status| status == "429"),
    })
}

/// Requests whose operation and status pass.
fn sum(counts: &Value, passes: impl Fn(&str, &str) -> bool) -> u64 {
    let operations = counts["requests"].as_object().into_iter().flatten();
    let each = operations.flat_map(|(operation, by_status)| {
        let by_status = by_status.as_object().into_iter().flatten();
        by_status.map(move |(status, count)| (operation, status, count.as_u64().unwrap_or(0)))
    });
    each.filter(|(operation, status, _)| passes(operation, status))
        .map(|(_, _, count)| count)
        .sum()
}
