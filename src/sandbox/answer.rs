//! The answer as it goes out: headers, whole bodies and broken ones.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::Response as AxumResponse;
use futures::stream::{self, StreamExt};
use uuid::Uuid;

use super::limits::Standing;
use super::refusals::Sent;
use super::wire::{Problem, Reply};

/// Bytes of one piece of a slow body.
const PIECE: usize = 64;

/// How a request ends.
pub(super) enum Finish {
    /// With an answer.
    Answer(Sent),
    /// With half of an answer.
    Truncated(Sent),
    /// With an answer in pieces, so far apart.
    Dripping(Sent, Duration),
    /// With a closed connection; the status is the one that was lost.
    Drop(Option<u16>),
}

impl Finish {
    /// The answer to a result.
    pub(super) fn of(result: Result<Reply, Problem>, correlation_id: Uuid) -> Finish {
        Finish::Answer(sent(result, correlation_id))
    }

    /// The status of the answer; 0 when there is none.
    pub(super) fn status(&self) -> u16 {
        match self {
            Finish::Answer(sent) | Finish::Truncated(sent) | Finish::Dripping(sent, _) => sent.status,
            Finish::Drop(status) => status.unwrap_or(0),
        }
    }
}

/// A result as it is sent.
pub(super) fn sent(result: Result<Reply, Problem>, correlation_id: Uuid) -> Sent {
    match result {
        Ok(Reply {
            status,
            body: Some(body),
            ..
        }) => Sent::json(status, &body),
        Ok(Reply { status, body: None, .. }) => Sent {
            body: String::new(),
            ..Sent::json(status, &serde_json::Value::Null)
        },
        Err(problem) => Sent::json(problem.status, &problem.into_body(correlation_id)),
    }
}

/// Builds the response. For a dropped connection it does not matter: not one byte of it will be written.
#[expect(
    clippy::disallowed_methods,
    reason = "an injected fault is slow by design; it ends with its connection"
)]
pub(super) fn respond(finish: Finish, correlation_id: Uuid, standing: Option<Standing>) -> AxumResponse {
    let (sent, body) = match finish {
        Finish::Drop(_) => return Response::new(Body::empty()),
        Finish::Answer(mut sent) => {
            let body = Body::from(std::mem::take(&mut sent.body));
            (sent, body)
        }
        Finish::Truncated(sent) => {
            let half = sent.body.as_bytes()[..sent.body.len() / 2].to_vec();
            let cut = Err(io::Error::from(io::ErrorKind::ConnectionAborted));
            // The half must have left before the connection breaks.
            let broken = stream::iter([Ok(half), cut]).then(|piece| async {
                if piece.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                piece
            });
            (sent, Body::from_stream(broken))
        }
        Finish::Dripping(sent, apart) => {
            let pieces: Vec<Vec<u8>> = sent.body.as_bytes().chunks(PIECE).map(<[u8]>::to_vec).collect();
            let slow = stream::iter(pieces).then(move |piece| async move {
                tokio::time::sleep(apart).await;
                Ok::<_, io::Error>(piece)
            });
            (sent, Body::from_stream(slow))
        }
    };
    let length = sent.body.len();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(sent.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if sent.status != 204 {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(sent.content_type));
    }
    if length > 0 {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("x-hubspot-correlation-id", correlation_id.to_string());
    if let Some(seconds) = sent.retry_after_s {
        put("retry-after", seconds.to_string());
    }
    if let Some(standing) = standing {
        if let Some((most, left, window)) = standing.general {
            put("x-hubspot-ratelimit-max", most.to_string());
            put("x-hubspot-ratelimit-remaining", left.to_string());
            put(
                "x-hubspot-ratelimit-interval-milliseconds",
                window.as_millis().to_string(),
            );
            // Deprecated, and to be ignored; still sent.
            put("x-hubspot-ratelimit-secondly", (most / 10).to_string());
            put(
                "x-hubspot-ratelimit-secondly-remaining",
                (most / 10).saturating_sub(1).to_string(),
            );
        }
        put("x-hubspot-ratelimit-daily", standing.daily.0.to_string());
        put("x-hubspot-ratelimit-daily-remaining", standing.daily.1.to_string());
    }
    response
}
