//! A CRM that does exactly what a script says, byte by byte: for answers that no working server gives.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to one request once it has been read to its end.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A whole answer: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// An answer that ends before its announced length.
    Truncated(u16, &'static str),
    /// An answer with a body of chunks of this size, each after this wait, without end.
    Endless(usize, Duration),
    /// No answer, and the connection stays open.
    Hang,
    /// No answer, and the connection is closed.
    Close,
}

impl Step {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Step::Answer(status, Vec::new(), body.to_string())
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Step::Answer(status, Vec::new(), body.to_owned())
    }
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: Value,
}

/// The server; stops when dropped.
pub(super) struct Script {
    pub(super) base_url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Script {
    /// Plays one step for each request, in order; requests beyond the script are closed on.
    pub(super) async fn play(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .expect("a free port");
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let steps = Arc::new(Mutex::new(steps.into_iter().collect::<VecDeque<Step>>()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (all_steps, all_seen) = (Arc::clone(&steps), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&all_steps), Arc::clone(&all_seen)));
            }
        });
        Self { base_url, seen, task }
    }

    /// All requests that arrived whole.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics while it holds this").clone()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, steps: Arc<Mutex<VecDeque<Step>>>, seen: Arc<Mutex<Vec<Seen>>>) {
    while let Some(request) = read(&mut stream).await {
        seen.lock().expect("no test panics while it holds this").push(request);
        let step = steps
            .lock()
            .expect("no test panics while it holds this")
            .pop_front()
            .unwrap_or(Step::Close);
        if !perform(&mut stream, step).await {
            return;
        }
    }
}

/// Reads a request to the end of its body; none when the connection ends.
async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let line = head.lines().next().unwrap_or_default().to_owned();
    Some(Seen {
        line,
        head,
        body: serde_json::from_slice(&bytes[end..]).unwrap_or(Value::Null),
    })
}

/// Does what the step says; `false` ends the connection.
async fn perform(stream: &mut TcpStream, step: Step) -> bool {
    let written = match step {
        Step::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            return stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.is_ok();
        }
        Step::Truncated(status, body) => {
            let head = format!(
                "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n\r\n{body}",
                body.len() + 100
            );
            stream.write_all(head.as_bytes()).await
        }
        Step::Endless(size, wait) => {
            let chunk = format!("{size:x}\r\n{}\r\n", " ".repeat(size));
            let mut written = stream
                .write_all(b"HTTP/1.1 200 Said\r\ntransfer-encoding: chunked\r\n\r\n")
                .await;
            while written.is_ok() {
                written = stream.write_all(chunk.as_bytes()).await;
                tokio::time::sleep(wait).await;
            }
            written
        }
        Step::Hang => std::future::pending().await,
        Step::Close => return false,
    };
    let _ = written;
    let _ = stream.shutdown().await;
    false
}
