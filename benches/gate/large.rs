//! A mirror of 100,000 contacts: how fast it is filled, how fast leads are decided against it, and what the daemon
//! makes of both together when the CRM has no limits.

use std::time::Duration;

use gatekeeper::backtest::{Past, backtest};
use gatekeeper::store::Store;
use gatekeeper::store::backtest::{rules_after, rules_in_force};

use crate::Outcome;
use crate::decider::Decider;
use crate::figures::{Figure, Figures, number, rate};
use crate::ground::Ground;
use crate::leads::{LeadRow, deliver, mixed};
use crate::machine::Watch;
use crate::naive::Naive;
use crate::people::Person;
use crate::world::{Plot, World};

const PEOPLE: u64 = 100_000;

/// Leads of each run over the full mirror.
const LEADS: u64 = 20_000;

/// Leads that the other client searches for.
const SAMPLE: u64 = 1_000;

pub(crate) const NO_LIMITS: &str = "[limits]\ngeneral_calls = 0\nsearch_calls = 0\ndaily_calls = 0\n";

pub(crate) async fn measure(ground: &Ground, figures: &mut Figures) -> Outcome<()> {
    let plot = Plot {
        name: "large",
        people: PEOPLE,
        sandbox: &["--unlimited"],
        settings: NO_LIMITS,
    };
    let mut world = World::make(ground, plot).await?;
    let mut daemon = world.start_daemon()?;
    let watch = Watch::start();
    world.until_loaded(&mut daemon).await?;
    let load_others = watch.others();
    let took = "select rows_read, extract(epoch from finished_at - started_at)::double precision
        from gate.mirror_progress where pass = 'full'";
    let row = world.client.query_one(took, &[]).await?;
    let (contacts, load_seconds): (i64, f64) = (row.try_get(0)?, row.try_get(1)?);
    let load_rate = contacts as f64 / load_seconds;
    figures.daemon_memory("full load of 100,000", daemon.peak_memory()?);

    let watch = Watch::start();
    deliver(&world.client, &mixed(PEOPLE, 0, LEADS)).await?;
    world
        .until(&mut daemon, "select gate.is_idle()", Duration::from_secs(180))
        .await?;
    let whole = LEADS as f64 / watch.elapsed().as_secs_f64();
    let whole_others = watch.others();
    figures.daemon_memory("20,000 leads without limits", daemon.peak_memory()?);
    daemon.stop()?;

    // A pass over the recycle bin or a poll is not what is measured: no daemon runs, and nothing is sent.
    deliver(&world.client, &mixed(PEOPLE, LEADS, LEADS)).await?;
    let decider = Decider::start(&world).await?;
    let watch = Watch::start();
    let leads_decided = decider.decide_all().await?;
    let (decided, decided_others) = (leads_decided as f64 / watch.elapsed().as_secs_f64(), watch.others());
    decider.end().await?;
    let actions = actions(&world).await?;
    let (again, again_others) = decide_again(&world).await?;

    let leads: Vec<LeadRow> = (0..SAMPLE)
        .map(|place| LeadRow::complete(&Person::new(place * 97)))
        .collect();
    let naive = Naive::unlimited(&world).work_off(&leads, 8, false).await?;
    let searched = naive.leads as f64 / naive.time.as_secs_f64();

    figures.add(
        Figure::new("full load of 100,000 contacts, CRM without limits", "≥ 8,000/s")
            .measured(format!("{}; {load_others}", rate(load_rate)), load_rate >= 8_000.0)
            .naive(format!(
                "has no mirror: a search for each, {} here, 5/s at HubSpot",
                rate(searched)
            )),
    );
    figures.add(
        Figure::new("decisions with 100,000 contacts mirrored, no HTTP", "≥ 2,000/s")
            .measured(format!("{}; {decided_others}", rate(decided)), decided >= 2_000.0)
            .naive(format!("{} searches here, 5/s at HubSpot", rate(searched))),
    );
    figures.add(
        Figure::new(
            "back-test of decisions of the past under other rules",
            "≥ 1,667/s (100,000 in a minute)",
        )
        .measured(format!("{}; {again_others}", rate(again)), again >= 1_667.0)
        .naive("cannot: it keeps no decisions".to_owned()),
    );
    figures.note(format!(
        "The daemon as a whole, from COPY to all settled in a CRM without limits: {} leads at {} ({whole_others}). What was decided of all {} leads: {actions}.",
        number(LEADS as usize),
        rate(whole),
        number(2 * LEADS as usize)
    ));
    world.end()
}

/// Makes all decisions again under other ranks and weights: how many in a second.
async fn decide_again(world: &World) -> Outcome<(f64, String)> {
    let store = Store::open(&world.config()?).await?;
    let mut client = store.client().await?;
    let in_force = rules_in_force(&client).await?;
    let statements = "update rules.source set rank = 1000 - rank;
        update rules.match_weight set weight = weight * 1.1";
    let proposed = rules_after(&mut client, statements).await?;
    let past = Past {
        since: chrono::DateTime::<chrono::Utc>::UNIX_EPOCH,
        until: None,
        source: None,
        examples: 3,
    };
    let watch = Watch::start();
    let report = backtest(&client, &past, &in_force, Some(&proposed), |_, _| ()).await?;
    let measured = (report.decisions as f64 / watch.elapsed().as_secs_f64(), watch.others());
    drop(client);
    store.close().await;
    Ok(measured)
}

/// How many leads went which way.
async fn actions(world: &World) -> Outcome<String> {
    let counts = "select action || coalesce(' by ' || tier, ''), count(*) from audit.entry group by 1 order by 2 desc";
    let rows = world.client.query(counts, &[]).await?;
    let words: Result<Vec<String>, tokio_postgres::Error> = rows
        .iter()
        .map(|row| {
            Ok(format!(
                "{} {}",
                number(row.try_get::<_, i64>(1)?.unsigned_abs() as usize),
                row.try_get::<_, String>(0)?
            ))
        })
        .collect();
    Ok(words?.join(", "))
}
