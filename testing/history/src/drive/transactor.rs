//! A writer of transactions: sends values, commits or aborts them, and has successors.

use std::time::Duration;

use anyhow::Result;
use exactly_once_client::{Error, Settings, TransactionalProducer};
use message_model::PartitionIndex;
use producer::{Delivery, Record};
use tokio::task::JoinSet;

use super::setup::{BACKOFF, PATIENCE, Setup};
use super::writer::batches;
use crate::operation::{Action, Outcome, Partition, Send, Step};

/// After how long the coordinator aborts what a process has left behind.
const TIMEOUT: Duration = Duration::from_millis(1_500);
/// How often a process asks for the end of a transaction that is in doubt.
const TRIES: usize = 5;

/// Writes transactions until the run ends, as one process after the other, all with this
/// transactional id. Now and then the next process begins while the last one goes on, and
/// does not know that it has a successor.
///
/// # Errors
/// None; readers have some.
pub(super) async fn transact(setup: Setup, id: String, mut random: fastrand::Rng) -> Result<()> {
    let mut processes = JoinSet::new();
    while !setup.is_stopped() {
        processes.spawn(one_process(setup.clone(), id.clone(), random.fork()));
        match random.bool() {
            true => tokio::time::sleep(Duration::from_millis(random.u64(50..400))).await,
            false => drop(processes.join_next().await),
        }
    }
    while processes.join_next().await.is_some() {}
    Ok(())
}

async fn one_process(setup: Setup, id: String, mut random: fastrand::Rng) {
    let Some(client) = setup.connect().await else {
        return;
    };
    let settings = Settings {
        timeout: TIMEOUT,
        patience: PATIENCE,
        producer: batches(&mut random),
        ..Settings::new(&id)
    };
    let Ok(producer) = TransactionalProducer::init(client, settings).await else {
        return;
    };
    let mut writing = Writing {
        process: setup.recorder.process(),
        setup,
        producer,
        random,
    };
    while !writing.setup.is_stopped() && writing.transaction().await {}
}

/// A process, and its producer.
struct Writing {
    setup: Setup,
    process: u32,
    producer: TransactionalProducer,
    random: fastrand::Rng,
}

/// A value that was sent, and what is to come of it.
type Sent = (Partition, u64, Option<Delivery>);

impl Writing {
    /// Makes one transaction, and returns whether the process goes on.
    async fn transaction(&mut self) -> bool {
        let recorder = self.setup.recorder.clone();
        let begun = recorder.begin(self.process);
        if self.producer.begin().is_err() {
            return false;
        }
        let (sent, is_whole) = self.send_some().await;
        let (ending, (outcome, goes_on), steps) = match self.random.u8(0..20) {
            // It crashes.
            0 => (None, (Outcome::Unknown, false), without_offsets(sent)),
            4.. if is_whole => match delivered(sent).await {
                (steps, true) => {
                    let ending = recorder.now();
                    (Some(ending), self.commit().await, steps)
                }
                (steps, false) => (None, self.abort().await, steps),
            },
            _ => (None, self.abort().await, without_offsets(sent)),
        };
        recorder.end(begun, Action::Transaction { steps, ending }, outcome);
        goes_on
    }

    /// Returns what was sent, and whether all of it was taken. Some transactions take long,
    /// so that a successor begins meanwhile.
    async fn send_some(&mut self) -> (Vec<Sent>, bool) {
        let pause_max = self.random.choice([0, 0, 3, 30]).unwrap_or(0);
        let mut sent = Vec::new();
        for _ in 0..self.random.usize(1..40) {
            let value = self.setup.recorder.value();
            let index = self.random.u32(0..self.setup.partitions);
            let partition = Partition::new(&format!("{}-{index}", self.setup.topic));
            let text = value.to_string();
            let record = Record {
                partition: Some(PartitionIndex(index.cast_signed())),
                ..Record::of_value(text.as_bytes())
            };
            let delivery = self.producer.send(&self.setup.topic, record).await.ok();
            let is_taken = delivery.is_some();
            sent.push((partition, value, delivery));
            if !is_taken {
                return (sent, false);
            }
            if pause_max > 0 {
                tokio::time::sleep(Duration::from_millis(self.random.u64(0..pause_max))).await;
            }
        }
        (sent, true)
    }

    /// Commits, and returns what came of it and whether the process goes on.
    async fn commit(&mut self) -> (Outcome, bool) {
        for _ in 0..TRIES {
            match self.producer.commit().await {
                Ok(()) => return (Outcome::Ok, true),
                Err(Error::Client(_)) => tokio::time::sleep(BACKOFF).await,
                // A call that had no answer may have committed it before it was refused.
                Err(_) => return (Outcome::Unknown, false),
            }
        }
        (Outcome::Unknown, false)
    }

    /// Aborts, and returns what came of it and whether the process goes on. Nothing can
    /// commit it, also if it is not known whether it is aborted yet.
    async fn abort(&mut self) -> (Outcome, bool) {
        for _ in 0..TRIES {
            match self.producer.abort().await {
                Ok(()) => return (Outcome::Failed, true),
                Err(Error::Client(_)) => tokio::time::sleep(BACKOFF).await,
                Err(_) => return (Outcome::Failed, false),
            }
        }
        (Outcome::Failed, false)
    }
}

/// Waits for the outcomes, and returns the steps, and whether all values were delivered.
async fn delivered(sent: Vec<Sent>) -> (Vec<Step>, bool) {
    let mut steps = Vec::new();
    let mut are_all = true;
    for (partition, value, delivery) in sent {
        let delivered = match delivery {
            Some(delivery) => delivery.await.ok(),
            None => None,
        };
        are_all &= delivered.is_some();
        let offset = delivered.and_then(|delivered| delivered.offset);
        steps.push(Step::Send(Send {
            partition,
            value,
            offset: offset.map(|offset| offset.0),
        }));
    }
    (steps, are_all)
}

fn without_offsets(sent: Vec<Sent>) -> Vec<Step> {
    let step = |(partition, value, _)| {
        Step::Send(Send {
            partition,
            value,
            offset: None,
        })
    };
    sent.into_iter().map(step).collect()
}
