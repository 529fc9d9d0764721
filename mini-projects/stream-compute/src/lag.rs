//! How far the job is behind the queue, for a live view.

use std::pin::pin;
use std::time::Duration;

use message_model::TopicPartition;

use crate::error::Error;
use crate::feed::Fed;
use crate::queue::Queue;

/// How long it is from one measurement to the next.
const INTERVAL: Duration = Duration::from_millis(250);

/// Feeds and counts: what `feed` puts into these partitions, `count` reads to their ends. Returns
/// what was fed. If there is a view, the lag is measured in the meantime, which also shows that the
/// queue is away when the job has nothing else to ask it.
///
/// # Errors
/// When one of the two fails.
pub(crate) async fn with_lag(
    (queue, lines): (&Queue, &[TopicPartition]),
    feed: impl Future<Output = Result<Fed, Error>>,
    count: impl Future<Output = Result<(), Error>>,
) -> Result<Fed, Error> {
    let report = &queue.waiting.report;
    let has_view = report.patience().is_some();
    let mut work = pin!(async { tokio::try_join!(feed, count) });
    let mut silence = None;
    loop {
        let measured = async {
            // That is no reason to end: the job waits for the queue only if it wants something.
            match end(queue, lines).await {
                Ok(end) => {
                    silence = None;
                    report.meters.ends_at(end);
                }
                Err(_) => {
                    silence.get_or_insert_with(|| report.meters.silence());
                }
            }
            let next = queue.waiting.clock.now().plus(INTERVAL);
            queue.waiting.clock.sleep_until(next).await;
        };
        tokio::select! {
            biased;
            done = &mut work => {
                // All lines are read, or it is not known how many are left.
                report.meters.noted().lag = done.is_ok().then_some(0);
                return done.map(|(fed, ())| fed);
            }
            () = measured, if has_view => {}
        }
    }
}

/// How many records these partitions have had.
async fn end(queue: &Queue, lines: &[TopicPartition]) -> Result<u64, Error> {
    let mut end = 0;
    for partition in lines {
        let next = queue.log_end(partition).await?;
        end += u64::try_from(next.0).unwrap_or(0);
    }
    Ok(end)
}
