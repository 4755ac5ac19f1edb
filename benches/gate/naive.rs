//! The client that is measured against: for each lead one search by its address (by its number, if it has none), then a
//! create or an update. It keeps the CRM's limits as well as can be, works eight leads at a time, and saves the update
//! when the search has shown that nothing would change.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::Outcome;
use crate::leads::LeadRow;
use crate::world::{TOKEN, World};

/// Calls to a CRM that come too close together by its clock are refused: a little is added to each window.
const MARGIN: Duration = Duration::from_millis(50);

/// What it took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Taken {
    pub(crate) leads: usize,
    pub(crate) searches: usize,
    pub(crate) writes: usize,
    pub(crate) throttled: usize,
    pub(crate) time: Duration,
}

impl Taken {
    /// Calls for this many leads, at the same number for each.
    pub(crate) fn calls_for(&self, leads: usize) -> usize {
        (self.searches + self.writes) * leads / self.leads.max(1)
    }

    /// Seconds for this many leads, at the same pace.
    pub(crate) fn seconds_for(&self, leads: usize) -> f64 {
        self.time.as_secs_f64() * leads as f64 / self.leads.max(1) as f64
    }
}

/// The client.
pub(crate) struct Naive<'a> {
    world: &'a World,
    searches: Option<Window>,
    calls: Option<Window>,
}

impl<'a> Naive<'a> {
    /// Keeps to 5 searches a second and 190 other calls in 10 seconds.
    pub(crate) fn limited(world: &'a World) -> Naive<'a> {
        Naive {
            world,
            searches: Some(Window::new(5, Duration::from_secs(1))),
            calls: Some(Window::new(190, Duration::from_secs(10))),
        }
    }

    /// For a sandbox without limits.
    pub(crate) fn unlimited(world: &'a World) -> Naive<'a> {
        Naive {
            world,
            searches: None,
            calls: None,
        }
    }

    /// Works off leads, so many at a time.
    pub(crate) async fn work_off(&self, leads: &[LeadRow], at_a_time: usize, write: bool) -> Outcome<Taken> {
        let begun = Instant::now();
        let each = stream::iter(leads)
            .map(|lead| self.lead(lead, write))
            .buffer_unordered(at_a_time);
        let sum = |mut all: Taken, one: Taken| async move {
            all.leads += 1;
            all.searches += one.searches;
            all.writes += one.writes;
            all.throttled += one.throttled;
            Ok(all)
        };
        let mut taken = each.try_fold(Taken::default(), sum).await?;
        taken.time = begun.elapsed();
        Ok(taken)
    }

    async fn lead(&self, lead: &LeadRow, write: bool) -> Outcome<Taken> {
        let wanted = properties(lead);
        let mut taken = Taken::default();
        let (name, value) = if lead.email.is_empty() {
            ("phone", lead.phone.as_str())
        } else {
            ("email", lead.email.as_str())
        };
        let names: Vec<&String> = wanted.keys().collect();
        let filters = json!([{"propertyName": name, "operator": "EQ", "value": value}]);
        let search = json!({"filterGroups": [{"filters": filters}], "properties": names, "limit": 1});
        wait(&self.searches).await;
        taken.searches += 1;
        let (status, found) = self.send("POST", "/search", &search).await?;
        taken.throttled += usize::from(status == 429);
        let known = &found["results"][0];
        let differs = known.is_null()
            || wanted
                .iter()
                .any(|(name, value)| known["properties"][name].as_str() != value.as_str());
        if !write || !differs {
            return Ok(taken);
        }
        let body = json!({"properties": wanted});
        wait(&self.calls).await;
        taken.writes += 1;
        let (status, _) = match known["id"].as_str() {
            Some(id) => self.send("PATCH", &format!("/{id}"), &body).await?,
            None => self.send("POST", "", &body).await?,
        };
        taken.throttled += usize::from(status == 429);
        Ok(taken)
    }

    async fn send(&self, method: &str, tail: &str, body: &Value) -> Outcome<(u16, Value)> {
        let url = format!("{}/crm/objects/2026-09/contacts{tail}", self.world.base_url);
        let method = reqwest::Method::from_bytes(method.as_bytes())?;
        let request = self.world.http.request(method, url).bearer_auth(TOKEN).json(body);
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_str(&answer.text().await?).unwrap_or_default()))
    }
}

fn properties(lead: &LeadRow) -> Map<String, Value> {
    let pairs = [
        ("email", lead.email.to_lowercase()),
        ("phone", lead.phone.clone()),
        ("firstname", lead.first_name.clone()),
        ("lastname", lead.last_name.clone()),
        ("company", lead.company.clone()),
        ("jobtitle", lead.job_title.clone()),
        ("city", lead.city.clone()),
        ("country", lead.country.clone()),
    ];
    let filled = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    filled.map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

async fn wait(window: &Option<Window>) {
    if let Some(window) = window {
        window.turn().await;
    }
}

/// At most so many calls in any window of this length.
struct Window {
    calls: usize,
    length: Duration,
    sent: Mutex<VecDeque<Instant>>,
}

impl Window {
    fn new(calls: usize, length: Duration) -> Window {
        Window {
            calls,
            length: length + MARGIN,
            sent: Mutex::default(),
        }
    }

    async fn turn(&self) {
        let mut sent = self.sent.lock().await;
        if sent.len() >= self.calls
            && let Some(first) = sent.pop_front()
        {
            tokio::time::sleep_until((first + self.length).into()).await;
        }
        sent.push_back(Instant::now());
    }
}
