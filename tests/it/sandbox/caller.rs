//! A sandbox and an HTTP client on it.

use gatekeeper::sandbox::{Counts, Effect, Entry, Options, Received, Running, start};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// An answer: status, headers, and the body as JSON (`null` when it is none).
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
    pub(super) body: Value,
}

impl Answer {
    /// A header as a text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The id of the record in the body.
    pub(super) fn id(&self) -> String {
        self.body["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id in {}", self.text))
            .to_owned()
    }

    /// The records of a list, search or batch answer.
    pub(super) fn results(&self) -> &Vec<Value> {
        self.body["results"]
            .as_array()
            .unwrap_or_else(|| panic!("no results in {}", self.text))
    }

    /// The ids of the records of the answer, in its order.
    pub(super) fn ids(&self) -> Vec<String> {
        self.results()
            .iter()
            .map(|record| record["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A running sandbox and a client with its token.
pub(super) struct Caller {
    pub(super) running: Running,
    pub(super) http: Client,
    pub(super) token: String,
    prefix: String,
}

impl Caller {
    /// A sandbox with these options, spoken to on paths of `2026-09`.
    pub(super) async fn new(options: Options) -> Caller {
        // Fails when another test was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let token = options.token.clone();
        let running = start(options).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        Caller {
            running,
            http,
            token,
            prefix: "/crm/objects/2026-09/contacts".to_owned(),
        }
    }

    /// A sandbox with the default options.
    pub(super) async fn plain() -> Caller {
        Caller::new(Options::default()).await
    }

    /// Speaks to another generation of paths from now on.
    pub(super) fn on_paths(mut self, prefix: &str) -> Caller {
        self.prefix = prefix.to_owned();
        self
    }

    /// A request with the token, to be changed before it is sent.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.running.base_url()))
            .bearer_auth(&self.token)
    }

    /// Sends a request, or says why there is no answer.
    pub(super) async fn try_send(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            headers,
            text,
            body,
        })
    }

    /// Sends a request that must be answered.
    pub(super) async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// `GET` below the contacts.
    pub(super) async fn get(&self, tail: &str) -> Answer {
        self.send(self.request(Method::GET, &format!("{}{tail}", self.prefix)))
            .await
    }

    /// `POST` below the contacts.
    pub(super) async fn post(&self, tail: &str, body: Value) -> Answer {
        self.try_post(tail, body).await.unwrap()
    }

    /// `POST` below the contacts that may bring no answer.
    pub(super) async fn try_post(&self, tail: &str, body: Value) -> Result<Answer, reqwest::Error> {
        self.try_send(
            self.request(Method::POST, &format!("{}{tail}", self.prefix))
                .json(&body),
        )
        .await
    }

    /// `PATCH` of a contact.
    pub(super) async fn patch(&self, tail: &str, properties: Value) -> Answer {
        let request = self.request(Method::PATCH, &format!("{}{tail}", self.prefix));
        self.send(request.json(&json!({"properties": properties}))).await
    }

    /// `DELETE` of a contact.
    pub(super) async fn delete(&self, id: &str) -> Answer {
        self.send(self.request(Method::DELETE, &format!("{}/{id}", self.prefix)))
            .await
    }

    /// Makes a contact and returns its id.
    pub(super) async fn create(&self, properties: Value) -> String {
        let answer = self.post("", json!({"properties": properties})).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.id()
    }

    /// `batch/create` with a trace id `t0`, `t1`… on every row.
    pub(super) async fn create_traced(&self, rows: &[Value]) -> Answer {
        let traced = |(at, row): (usize, &Value)| json!({"objectWriteTraceId": format!("t{at}"), "properties": row});
        let inputs: Vec<Value> = rows.iter().enumerate().map(traced).collect();
        self.post("/batch/create", json!({"inputs": inputs})).await
    }

    /// Merges two contacts and returns the id of the survivor.
    pub(super) async fn merge(&self, primary: &str, other: &str) -> String {
        let answer = self
            .post("/merge", json!({"primaryObjectId": primary, "objectIdToMerge": other}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.id()
    }

    /// Searches with one filter group.
    pub(super) async fn search(&self, filters: Value) -> Answer {
        self.post(
            "/search",
            json!({"filterGroups": [{"filters": filters}], "limit": 200, "after": "0"}),
        )
        .await
    }

    /// Seeds contacts and returns their ids.
    pub(super) fn seed(&self, contacts: Vec<Value>) -> Vec<String> {
        let objects = contacts
            .into_iter()
            .map(|contact| contact.as_object().unwrap().clone())
            .collect();
        self.running.sandbox().seed(objects).unwrap()
    }

    /// The effects in the journal.
    pub(super) fn effects(&self) -> Vec<Effect> {
        let entries = self.running.sandbox().journal_after(0).into_iter();
        entries
            .filter_map(|entry| {
                if let Entry::Effect(effect) = entry {
                    Some(effect)
                } else {
                    None
                }
            })
            .collect()
    }

    /// The requests in the journal.
    pub(super) fn requests(&self) -> Vec<Received> {
        let entries = self.running.sandbox().journal_after(0).into_iter();
        entries
            .filter_map(|entry| {
                if let Entry::Request(request) = entry {
                    Some(request)
                } else {
                    None
                }
            })
            .collect()
    }

    /// The sums in the journal.
    pub(super) fn counts(&self) -> Counts {
        self.running.sandbox().counts()
    }
}
