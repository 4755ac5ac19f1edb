//! The control routes, `/_sandbox/…`: they need no token and count against no limit.
//!
//! | route | does |
//! |---|---|
//! | `GET` `POST` `DELETE` `faults` | shows, adds (a list or one rule), lifts fault rules |
//! | `GET journal?after=SEQ` | entries after a place, as JSON lines |
//! | `GET counts` | requests by operation and status, the fullest windows, effects by kind |
//! | `GET` `POST` `contacts` | dumps all contacts as JSON lines; seeds a JSON list or JSON lines |
//! | `POST human-edit` | `{"id", "properties"}`: a person changes a contact |
//! | `POST associate` | `{"id", "kind", "object"}`: a contact is tied to an object, such as a company |
//! | `POST human-merge` | `{"primaryObjectId", "objectIdToMerge"}`: a person merges two |
//! | `POST human-archive` | `{"id"}`: a person archives one |
//! | `GET check` | where indices and records disagree; an empty list when all is well |
//! | `POST reset` | makes everything as it was at the start |

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use futures::stream;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::faults::Rule;
use super::server::Sandbox;

/// Contacts that are dumped under one lock.
const DUMP: usize = 1_000;

type Shared = State<Arc<Sandbox>>;

/// All control routes.
pub(super) fn router() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/_sandbox/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/_sandbox/journal", get(journal))
        .route("/_sandbox/counts", get(counts))
        .route("/_sandbox/contacts", get(dump).post(seed))
        .route("/_sandbox/human-edit", post(human_edit))
        .route("/_sandbox/associate", post(associate))
        .route("/_sandbox/human-merge", post(human_merge))
        .route("/_sandbox/human-archive", post(human_archive))
        .route("/_sandbox/check", get(check))
        .route("/_sandbox/reset", post(reset))
        .layer(DefaultBodyLimit::disable())
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    id: String,
    properties: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Id {
    id: String,
}

async fn faults(State(sandbox): Shared) -> Response {
    Json(sandbox.faults()).into_response()
}

/// A list of rules, or one; they are added behind those in force.
async fn add_faults(State(sandbox): Shared, body: Bytes) -> Response {
    let rules = serde_json::from_slice::<Vec<Rule>>(&body).or_else(|error| match body.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice::<Rule>(&body).map(|rule| vec![rule]),
        _ => Err(error),
    });
    match rules {
        Ok(rules) => {
            sandbox.add_faults(rules);
            Json(sandbox.faults()).into_response()
        }
        Err(error) => refused(error),
    }
}

async fn clear_faults(State(sandbox): Shared) -> StatusCode {
    sandbox.clear_faults();
    StatusCode::NO_CONTENT
}

async fn journal(State(sandbox): Shared, Query(After { after }): Query<After>) -> Response {
    lines(&sandbox.journal_after(after))
}

async fn counts(State(sandbox): Shared) -> Response {
    Json(sandbox.counts()).into_response()
}

async fn dump(State(sandbox): Shared) -> Response {
    let pages = stream::unfold(Some(0), move |from| {
        let sandbox = Arc::clone(&sandbox);
        async move {
            let (contacts, next) = sandbox.contacts_from(from?, DUMP);
            let mut text = Vec::new();
            for contact in contacts {
                text.extend(contact.to_string().bytes());
                text.push(b'\n');
            }
            Some((Ok::<_, Infallible>(text), next))
        }
    });
    ([(header::CONTENT_TYPE, "application/jsonl")], Body::from_stream(pages)).into_response()
}

/// A JSON list, or JSON lines, of property objects.
async fn seed(State(sandbox): Shared, body: Bytes) -> Response {
    let contacts: Result<Vec<Map<String, Value>>, _> = if body.trim_ascii_start().first() == Some(&b'[') {
        serde_json::from_slice(&body)
    } else {
        serde_json::Deserializer::from_slice(&body).into_iter().collect()
    };
    match contacts
        .map_err(|error| error.to_string())
        .and_then(|contacts| sandbox.seed(contacts))
    {
        Ok(ids) => Json(json!({"ids": ids})).into_response(),
        Err(error) => refused(error),
    }
}

async fn human_edit(State(sandbox): Shared, Json(edit): Json<Edit>) -> Response {
    done(sandbox.human_edit(&edit.id, &edit.properties))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tie {
    id: String,
    kind: String,
    object: String,
}

async fn associate(State(sandbox): Shared, Json(tie): Json<Tie>) -> Response {
    match sandbox.associate(&tie.id, &tie.kind, &tie.object) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refused(error),
    }
}

async fn human_merge(State(sandbox): Shared, Json(body): Json<Value>) -> Response {
    done(sandbox.human_merge(&body))
}

async fn human_archive(State(sandbox): Shared, Json(Id { id }): Json<Id>) -> Response {
    done(sandbox.human_archive(&id))
}

async fn check(State(sandbox): Shared) -> Response {
    Json(sandbox.index_faults()).into_response()
}

async fn reset(State(sandbox): Shared) -> StatusCode {
    sandbox.reset();
    StatusCode::NO_CONTENT
}

fn done(result: Result<Value, String>) -> Response {
    match result {
        Ok(record) => Json(record).into_response(),
        Err(error) => refused(error),
    }
}

fn refused(error: impl ToString) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"message": error.to_string()}))).into_response()
}

fn lines(entries: &[impl serde::Serialize]) -> Response {
    let mut text = Vec::new();
    for entry in entries {
        if let Err(error) = serde_json::to_writer(&mut text, entry) {
            return refused(error);
        }
        text.push(b'\n');
    }
    ([(header::CONTENT_TYPE, "application/jsonl")], text).into_response()
}
