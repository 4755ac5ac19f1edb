//! A request that meets a fault rule.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::answer::{Finish, sent};
use super::faults::Rule;
use super::refusals::{Sent, injected};
use super::request::Call;
use super::server::Sandbox;

/// Goes the way that the rule says. Also returns the rows of the answer.
#[expect(
    clippy::disallowed_methods,
    reason = "what was sent late lands late, with nobody waiting; Sandbox::sleep ends it at a stop"
)]
pub(super) async fn suffer(sandbox: Arc<Sandbox>, seq: u64, call: Arc<Call>, rule: Rule) -> (Finish, usize) {
    let era = sandbox.era();
    if !sandbox.sleep(rule.delay_ms).await || rule.drop_before_apply {
        return (Finish::Drop(None), 0);
    }
    if let Some(status) = rule.status {
        return (Finish::Answer(injected(status, &rule, call.correlation_id)), 0);
    }
    if let Some(late) = rule.apply_late_ms {
        let apply = {
            let (sandbox, call) = (Arc::clone(&sandbox), Arc::clone(&call));
            async move {
                if sandbox.sleep(Some(late)).await && sandbox.era() == era {
                    // There is nobody left to be told what came of it; the journal knows.
                    let _ = sandbox.execute(seq, &call);
                }
            }
        };
        if rule.hold {
            apply.await;
        } else {
            tokio::spawn(apply);
        }
        return (Finish::Drop(None), 0);
    }
    if sandbox.era() != era {
        return (Finish::Drop(None), 0);
    }
    let mut result = sandbox.execute(seq, &call);
    if let Ok(reply) = &mut result
        && let Some(Value::Array(results)) = reply.body.as_mut().and_then(|body| body.get_mut("results"))
    {
        results.truncate(results.len().saturating_sub(rule.omit_rows));
    }
    let rows = result.as_ref().map_or(0, |reply| reply.rows);
    let mut sent = sent(result, call.correlation_id);
    if !sandbox.sleep(rule.answer_delay_ms).await || rule.drop_answer_after_apply {
        return (Finish::Drop(Some(sent.status)), rows);
    }
    if let Some(status) = rule.status_after_apply {
        return (Finish::Answer(injected(status, &rule, call.correlation_id)), rows);
    }
    if rule.not_json {
        let body = "<html><body>Something is being repaired</body></html>".to_owned();
        sent = Sent {
            body,
            content_type: "text/html",
            status: 200,
            retry_after_s: None,
        };
    }
    let finish = match rule.slow_drip_ms {
        _ if rule.truncate_body => Finish::Truncated(sent),
        Some(ms) => Finish::Dripping(sent, Duration::from_millis(ms)),
        None => Finish::Answer(sent),
    };
    (finish, rows)
}

impl Sandbox {
    /// Waits; `false` when the sandbox is stopped meanwhile.
    #[expect(clippy::disallowed_methods, reason = "raced against the stop")]
    async fn sleep(&self, ms: Option<u64>) -> bool {
        let Some(ms) = ms else { return true };
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(ms)) => true,
            () = self.all.cancelled() => false,
        }
    }
}
