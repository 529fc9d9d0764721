//! The loop that polls, and commits what the workers have done.

use std::sync::Arc;
use std::time::Duration;

use client::Client;
use consumer::{Consumer, Done, Topics};

use crate::error::Error;
use crate::listener::Drains;
use crate::processor::Processor;
use crate::settings::Settings;
use crate::shared::Shared;

/// How long a poll waits at most. Any news ends it earlier.
const POLL: Duration = Duration::from_secs(1);

/// Processes `topics`, as a member of a group, with several workers for each partition, in
/// the order of each key, until `stop` ends. Then it finishes what is in hand, commits, and
/// leaves the group. Must be called inside a tokio runtime.
///
/// # Errors
/// When the consumer cannot go on, or a batch cannot be read. Workers that have a record in
/// hand finish it in the background.
pub async fn process_in_order<P: Processor>(
    client: Arc<Client>,
    topics: Topics,
    processor: P,
    settings: Settings,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let clock = client.clock();
    let commit_interval = settings.commit_interval;
    let rules = consumer::Settings {
        done: Done::WhenSaid,
        auto_commit: None,
        ..settings.consumer.clone()
    };
    let mut consumer = Consumer::new(client, rules);
    let shared = Shared::new(processor, settings, clock, consumer.acks());
    consumer.listen(Drains(Arc::clone(&shared)));
    consumer.subscribe(topics).await?;
    let mut commit_at = clock.now().plus(commit_interval);
    tokio::pin!(stop);
    loop {
        if let Some(error) = shared.unreadable() {
            return Err(error.into());
        }
        let (enough, needy) = shared.by_need();
        consumer.pause(&enough);
        consumer.resume(&needy);
        let next = shared.next_deadline().unwrap_or(commit_at).min(commit_at);
        tokio::select! {
            polled = consumer.poll(POLL) => {
                polled?.into_iter().for_each(|polled| shared.polled(polled));
            }
            () = shared.hungry.notified() => {}
            () = clock.sleep_until(next) => shared.tick(),
            () = &mut stop => break,
        }
        if clock.now() >= commit_at {
            commit(&mut consumer, &shared).await;
            commit_at = clock.now().plus(commit_interval);
        }
    }
    finish(consumer, &shared).await
}

/// Commits the frontiers. If the commit is refused, the next one makes up for it, or the
/// partitions are given up meanwhile.
async fn commit<P: Processor>(consumer: &mut Consumer, shared: &Shared<P>) {
    let frontiers = shared.to_commit();
    if !frontiers.is_empty() && consumer.commit_offsets(frontiers.clone()).await.is_ok() {
        shared.committed(&frontiers);
    }
}

/// Drains all partitions, commits, and closes the consumer.
async fn finish<P: Processor>(mut consumer: Consumer, shared: &Shared<P>) -> Result<(), Error> {
    let partitions = shared.partitions();
    let frontiers = shared.drain(&partitions).await;
    let committed = match frontiers.is_empty() {
        true => Ok(()),
        false => consumer.commit_offsets(frontiers).await,
    };
    shared.forget(&partitions);
    consumer.close(shared.settings.drain_patience).await?;
    Ok(committed?)
}
