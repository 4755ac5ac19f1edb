//! The way of one request: journal, token, limits, scopes, faults, the account, the answer.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::Value;
use uuid::Uuid;

use super::answer::{Finish, respond};
use super::batch::Batch;
use super::journal::End;
use super::limits::Standing;
use super::read::Query;
use super::refusals::{Sent, missing_scopes, too_many, unauthenticated, url_too_long};
use super::routes::{Operation, Route, route};
use super::server::{Sandbox, lock};
use super::socket::{Cut, Peer};
use super::wire::{Problem, Reply};
use super::world::Turn;

/// Longest path and query, in bytes.
const MAX_URL: usize = 8 * 1024;
/// Longest body, in bytes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// A request, read.
pub(super) struct Call {
    pub(super) route: Route,
    pub(super) path: String,
    pub(super) query: Query,
    pub(super) bytes: Bytes,
    pub(super) correlation_id: Uuid,
    json: Result<Value, String>,
    is_json: bool,
}

/// A request in the journal that has not ended; one that is let go without an end was abandoned by its sender.
struct Open {
    sandbox: Arc<Sandbox>,
    seq: u64,
    operation: &'static str,
    ended: bool,
}

impl Open {
    fn end(mut self, status: Option<u16>, end: End, rows: usize) {
        self.ended = true;
        lock(&self.sandbox.journal).end(self.seq, self.operation, status, end, rows);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.ended {
            lock(&self.sandbox.journal).end(self.seq, self.operation, None, End::Abandoned, 0);
        }
    }
}

/// Answers every request to the CRM.
pub(super) async fn handle(State(sandbox): State<Arc<Sandbox>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cut = parts
        .extensions
        .get::<ConnectInfo<Peer>>()
        .map_or_else(Cut::new, |ConnectInfo(peer)| peer.0.clone());
    let bytes = to_bytes(body, MAX_BODY).await;
    let path = parts.uri.path().to_owned();
    let found = route(&parts.method, &path);
    let operation = found.as_ref().map_or("unknown", |route| route.operation.name());
    let token = bearer(&parts.headers);
    let json = match &bytes {
        Ok(bytes) if bytes.is_empty() => Ok(Value::Null),
        Ok(bytes) => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
        Err(_) => Err("the body cannot be read to its end".to_owned()),
    };
    let rows = found.as_ref().map_or(0, |route| rows_sent(route.operation, &json));
    let line = format!("{} {path}", parts.method);
    let seq = lock(&sandbox.journal).begin(operation, line, token.map(Sandbox::token_hash), rows);
    let open = Open {
        sandbox: Arc::clone(&sandbox),
        seq,
        operation,
        ended: false,
    };
    let correlation_id = Uuid::new_v4();

    let refused = |open: Open, sent: Sent, standing| {
        open.end(Some(sent.status), End::Answered, 0);
        respond(Finish::Answer(sent), correlation_id, standing)
    };
    let problem = |problem: Problem| Sent::json(problem.status, &problem.into_body(correlation_id));
    if parts.uri.path_and_query().map_or(0, |text| text.as_str().len()) > MAX_URL {
        return refused(open, url_too_long(), None);
    }
    let Some(token) = token.and_then(|token| sandbox.token_number(token)) else {
        return refused(open, problem(unauthenticated()), None);
    };
    let is_search = operation == "search";
    let standing = match sandbox.admit(token, is_search) {
        Ok(standing) => standing,
        Err((refusal, standing)) => {
            return refused(
                open,
                Sent::json(429, &too_many(refusal, correlation_id)),
                Some(standing),
            );
        }
    };
    let route = match found {
        Ok(route) => route,
        Err(405) => return refused(open, problem(Problem::new(405, None, "Method not allowed")), standing),
        Err(_) => {
            return refused(
                open,
                problem(Problem::new(404, None, "The requested resource is not found")),
                standing,
            );
        }
    };
    let scopes = route.operation.scopes();
    if !scopes.is_empty() && !scopes.iter().any(|&scope| sandbox.options.scopes.contains(scope)) {
        return refused(open, problem(missing_scopes(scopes)), standing);
    }
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let query = Query(
        query
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
    );
    let is_json = parts
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let bytes = bytes.unwrap_or_default();
    let call = Call {
        route,
        path,
        query,
        bytes,
        correlation_id,
        json,
        is_json,
    };
    finish(&sandbox, open, call, standing, &cut).await
}

/// Applies the call, by way of a fault if one is due, and ends the request.
async fn finish(sandbox: &Arc<Sandbox>, open: Open, call: Call, standing: Option<Standing>, cut: &Cut) -> Response {
    let correlation_id = call.correlation_id;
    let fault = lock(&sandbox.faults).pick(call.route.operation.name(), &call.bytes);
    let (finish, rows) = match fault {
        None => {
            let result = sandbox.execute(open.seq, &call);
            let rows = result.as_ref().map_or(0, |reply| reply.rows);
            (Finish::of(result, correlation_id), rows)
        }
        Some((number, rule)) => {
            lock(&sandbox.journal).fault(open.seq, number);
            // A task of its own: a sender that hangs up does not undo what it has sent.
            #[expect(
                clippy::disallowed_methods,
                reason = "waited for in the next line, unless the caller hangs up"
            )]
            let task = tokio::spawn(super::mishap::suffer(
                Arc::clone(sandbox),
                open.seq,
                Arc::new(call),
                rule,
            ));
            task.await.unwrap_or((Finish::Drop(None), 0))
        }
    };
    match &finish {
        Finish::Drop(status) => {
            open.end(*status, End::Dropped, rows);
            cut.cancel();
        }
        other => open.end(Some(other.status()), End::Answered, rows),
    }
    respond(finish, correlation_id, standing)
}

impl Sandbox {
    /// Lets a request act on the account; everything that it does is done at once and under one lock.
    pub(super) fn execute(&self, seq: u64, call: &Call) -> Result<Reply, Problem> {
        let nothing = Value::Null;
        let json = match &call.json {
            _ if !call.route.operation.has_body() => &nothing,
            _ if !call.is_json => {
                return Err(Problem::new(
                    415,
                    None,
                    "Invalid Content-Type; expected application/json",
                ));
            }
            Ok(Value::Null) => {
                return Err(Problem::validation(
                    "Invalid input JSON on line 1, column 1: no content",
                ));
            }
            Ok(json) => json,
            Err(error) => return Err(Problem::validation(format!("Invalid input JSON: {error}"))),
        };
        self.turn(Some(seq), call.route.version, false, |turn| turn.run(call, json))
    }
}

impl Turn<'_> {
    fn run(&mut self, call: &Call, body: &Value) -> Result<Reply, Problem> {
        let (target, query) = (call.route.target.as_str(), &call.query);
        match call.route.operation {
            Operation::List => self.list(query, &call.path),
            Operation::Get => self.get(target, query),
            Operation::Create => self.create_one(body),
            Operation::Update => self.update_one(target, query.get("idProperty"), body),
            Operation::Archive => Ok(self.archive_one(target)),
            Operation::Search => self.search(body, String::from_utf8_lossy(&call.bytes).chars().count()),
            Operation::BatchRead => self.batch_read(body, query),
            Operation::BatchCreate => self.write_batch(Batch::Create, body),
            Operation::BatchUpdate => self.write_batch(Batch::Update, body),
            Operation::BatchUpsert => self.write_batch(Batch::Upsert, body),
            Operation::BatchArchive => self.archive_batch(body),
            Operation::Merge => self.merge(body),
            Operation::GdprDelete => self.gdpr_delete(body),
            Operation::AssociationRead => self.read_associations(target, body),
            Operation::Associate => self.associate(target, body),
            Operation::PropertyList => Ok(self.property_list(query.get("archived") == Some("true"))),
            Operation::PropertyGet => self.property_get(target),
            Operation::PropertyCreate => self.property_create(body),
            Operation::PropertyUpdate => self.property_update(target, body),
            Operation::PropertyArchive => self.property_archive(target),
            Operation::Account => Ok(self.account()),
        }
    }
}

/// The bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn rows_sent(operation: Operation, json: &Result<Value, String>) -> usize {
    match operation {
        Operation::List | Operation::Search | Operation::Account | Operation::PropertyList => 0,
        _ => match json {
            Ok(Value::Object(body)) if operation.name().starts_with("batch_") => {
                body.get("inputs").and_then(Value::as_array).map_or(0, Vec::len)
            }
            _ => 1,
        },
    }
}
