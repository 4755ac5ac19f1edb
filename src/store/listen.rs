//! A connection that does nothing but listen.

use std::future::poll_fn;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;

use super::StoreError;
use super::connect::Target;

/// Waits between two attempts to connect: from the first, doubling, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(10);

/// Wakes `nudge` at each notification until `stop`.
#[expect(clippy::disallowed_methods, reason = "raced against the stop")]
pub(super) async fn listen(target: &Target, channel: &'static str, nudge: &Notify, stop: &CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let mut connected = false;
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = hear(target, channel, nudge, &mut connected) => ended,
        };
        if connected {
            pause = FIRST_PAUSE;
        }
        if let Err(error) = ended {
            tracing::debug!(channel, error = %crate::fault::chain(&error), "listening again soon");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
        }
    }
}

async fn hear(target: &Target, channel: &'static str, nudge: &Notify, connected: &mut bool) -> Result<(), StoreError> {
    let (client, mut connection) = target.raw().await.map_err(|error| target.refused(error))?;
    // A channel is a name and cannot be a parameter. It is a constant of ours.
    let listen = format!("listen {channel}");
    let start = async {
        client.batch_execute(&listen).await?;
        // What was notified while nobody listened.
        nudge.notify_one();
        *connected = true;
        std::future::pending::<Result<(), tokio_postgres::Error>>().await
    };
    let pump = async {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(_))) => nudge.notify_one(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            }
        }
    };
    tokio::select! {
        ended = start => ended?,
        ended = pump => ended?,
    }
    Ok(())
}
