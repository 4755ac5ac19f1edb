//! One request, one answer, nothing twice: the HTTP client, its bounds, and what a failure on the way means.

use std::time::{Duration, Instant};

use chrono::Utc;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, redirect, retry};
use serde_json::Value;

use super::classify::{Signs, refusal};
use super::headers;
use super::operation::Operation;
use super::settings::{Endpoints, Settings, Token};
use super::wire::Complaint;
use crate::crm::{Call, CrmError, RateHeaders};
use crate::governor::Permit;

/// No answer of HubSpot's comes near; what is longer is not read to its end.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// The client, set up once.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    token: Token,
    host: String,
}

/// A request, without what all requests have in common.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) operation: Operation,
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    /// Rows sent, or values asked for.
    pub(super) rows: usize,
}

/// A call and, when it was answered with 2xx and JSON, that JSON.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) call: Call,
    pub(super) reply: Result<Value, Failure>,
}

/// A call that brought nothing, with what the CRM complained of, if it answered.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: CrmError,
    pub(super) complaint: Box<Complaint>,
}

impl Http {
    /// # Errors
    /// [`CrmError::Settings`] when there are no certificates to trust, or TLS cannot be set up.
    pub(super) fn new(settings: &Settings, endpoints: &Endpoints) -> Result<Self, CrmError> {
        #[expect(clippy::disallowed_methods, reason = "the one client of this connector")]
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(endpoints.secure())?)
            .user_agent(concat!("gatekeeper/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_deadline)
            // A redirect would carry rows and token to where nobody checked.
            .redirect(redirect::Policy::none())
            // Resending is decided by the loops, who know what a write was. (Below this, hyper still moves a request to
            // a new connection when the idle one it had picked turns out closed before a byte of it was written.)
            .retry(retry::never())
            .no_proxy()
            .http1_only()
            .referer(false)
            // Shorter than the idle time of the load balancers, so that few requests meet a connection closing.
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(16)
            .tcp_keepalive(Duration::from_secs(30))
            .build()
            .map_err(|error| CrmError::Settings {
                problem: format!("the HTTP client: {}", error.without_url()),
            })?;
        Ok(Self {
            client,
            token: settings.token.clone(),
            host: endpoints.host().to_owned(),
        })
    }

    /// Makes the one request that the permit allows.
    pub(super) async fn send(&self, permit: Permit, request: Request) -> Exchange {
        let mut call = Call {
            operation: request.operation.name(),
            priority: permit.priority(),
            started_at: Utc::now(),
            duration: Duration::ZERO,
            status: None,
            rows: request.rows,
            correlation_id: None,
            rate: RateHeaders::default(),
        };
        let begun = Instant::now();
        let answered = self.exchange(request, &mut call).await;
        call.duration = begun.elapsed();
        if let Err(Failure { complaint, .. }) = &answered {
            call.correlation_id = call.correlation_id.or_else(|| complaint.correlation_id.clone());
        }
        Exchange { call, reply: answered }
    }

    async fn exchange(&self, request: Request, call: &mut Call) -> Result<Value, Failure> {
        let mut sending = self
            .client
            .request(request.method, &request.url)
            .header(AUTHORIZATION, self.bearer()?);
        if !request.query.is_empty() {
            sending = sending.query(&request.query);
        }
        if let Some(body) = &request.body {
            sending = sending.json(body);
        }
        let mut response = sending.send().await.map_err(|error| self.lost(error))?;
        let status = response.status().as_u16();
        call.status = Some(status);
        call.rate = headers::rate(response.headers());
        call.correlation_id = headers::correlation_id(response.headers());
        let signs = signs(status, response.headers(), &call.rate);
        match read(&mut response).await {
            Ok(body) if response.status().is_success() => {
                serde_json::from_slice(&body).map_err(|_| no_answer("not_json"))
            }
            Ok(body) => Err(refused(request.operation, signs, &body)),
            // The status of a refusal is enough: it was not done, whatever the rest of the body would have said.
            Err(_) if (300..500).contains(&status) => Err(refused(request.operation, signs, &[])),
            Err(reason) => Err(no_answer(reason)),
        }
    }

    /// The header with the token of this moment, marked so that nothing prints it.
    fn bearer(&self) -> Result<HeaderValue, Failure> {
        let token = self.token.now();
        let problem = |problem: &str| {
            Failure::from(CrmError::Settings {
                problem: problem.to_owned(),
            })
        };
        if token.is_empty() {
            return Err(problem("crm.token points to nothing or to an empty file"));
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| problem("the token that crm.token points to holds characters that no token has"))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// A request without an answer. Only a connection that was never made proves that nothing was sent.
    fn lost(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        if error.is_builder() {
            return CrmError::Settings {
                problem: format!("the request: {error}"),
            }
            .into();
        }
        if error.is_connect() {
            return CrmError::Unreachable {
                host: self.host.clone(),
                source: Box::new(error),
            }
            .into();
        }
        no_answer(if error.is_timeout() { "timeout" } else { "reset" })
    }
}

impl From<CrmError> for Failure {
    fn from(error: CrmError) -> Self {
        Self {
            error,
            complaint: Box::default(),
        }
    }
}

fn no_answer(reason: &str) -> Failure {
    CrmError::NoAnswer {
        reason: reason.to_owned(),
    }
    .into()
}

fn refused(operation: Operation, signs: Signs, body: &[u8]) -> Failure {
    let complaint = Complaint::of_body(body);
    Failure {
        error: refusal(operation, signs, &complaint),
        complaint: Box::new(complaint),
    }
}

fn signs(status: u16, headers: &HeaderMap, rate: &RateHeaders) -> Signs {
    Signs {
        status,
        retry_after: headers::retry_after(headers, Utc::now()),
        window: rate.window,
    }
}

/// The body, up to its limit; the deadline of the request holds for it too.
async fn read(response: &mut reqwest::Response) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => return Err("too_long"),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err("timeout"),
            Err(_) => return Err("truncated"),
        }
    }
}

/// TLS by rustls and ring, trusting what this machine trusts. Certificates are read only when they will be needed.
fn tls(secure: bool) -> Result<rustls::ClientConfig, CrmError> {
    let mut roots = rustls::RootCertStore::empty();
    if secure {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            let problem = "this machine has no certificates to trust; install ca-certificates, or set SSL_CERT_FILE";
            return Err(CrmError::Settings {
                problem: problem.to_owned(),
            });
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| CrmError::Settings {
            problem: format!("TLS: {error}"),
        })?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
