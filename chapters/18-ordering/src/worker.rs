//! The tasks that process the records of a partition.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::part::schedule::Event;
use crate::processor::Processor;
use crate::shared::{Place, Shared};
use crate::stay::{Job, Tasks};

/// Starts the workers of a stay, and the task that keeps what they cannot process. They end
/// when the stay is forgotten and they have nothing in hand.
pub(crate) fn spawn_tasks<P: Processor>(shared: &Arc<Shared<P>>, place: &Place) -> Tasks {
    let limits = shared.settings.limits;
    let worker = |number| {
        let (jobs, receiver) = mpsc::channel(1);
        tokio::spawn(work(Arc::clone(shared), place.clone(), number, receiver));
        jobs
    };
    let workers = (0..limits.workers).map(worker).collect();
    let (keeper, receiver) = mpsc::channel(limits.window_max);
    tokio::spawn(keep(Arc::clone(shared), place.clone(), receiver));
    Tasks { workers, keeper }
}

// ANCHOR: work
async fn work<P: Processor>(
    shared: Arc<Shared<P>>,
    place: Place,
    number: usize,
    mut jobs: mpsc::Receiver<Job>,
) {
    while let Some(record) = jobs.recv().await {
        let processed = shared.processor.process(&place.partition, &record).await;
        let event = match processed {
            Ok(()) => Event::Done(record.offset),
            Err(_) => Event::Failed(record.offset),
        };
        shared.happened(&place, Some(number), event);
    }
}
// ANCHOR_END: work

/// Keeps what was given up, one after the other, however often it takes.
async fn keep<P: Processor>(shared: Arc<Shared<P>>, place: Place, mut jobs: mpsc::Receiver<Job>) {
    while let Some(record) = jobs.recv().await {
        while shared
            .processor
            .give_up(&place.partition, &record)
            .await
            .is_err()
        {
            if jobs.is_closed() {
                return;
            }
            let clock = shared.clock;
            let again = clock.now().plus(shared.settings.limits.backoff);
            clock.sleep_until(again).await;
        }
        shared.happened(&place, None, Event::Settled(record.offset));
    }
}
