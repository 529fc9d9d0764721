//! A writer: sends values, many at a time, and writes down what came of each.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use client::Client;
use message_model::PartitionIndex;
use producer::{Acks, Delivered, Error, Order, Producer, Record};
use tokio::task::JoinSet;

use super::recorder::{Begun, Recorder};
use super::setup::{BACKOFF, PATIENCE, Setup};
use crate::operation::{Action, Outcome, Partition, Send};
use crate::promise::Promise;

/// How many sends of a writer have no outcome at the same time.
const OPEN_MAX: usize = 60;

/// Sends until the run ends. It begins anew, as another process, now and then, and when its
/// producer can send no more.
///
/// # Errors
/// None; readers have some.
pub(super) async fn write(setup: Setup, mut random: fastrand::Rng) -> Result<()> {
    while let Some(client) = setup.connect().await {
        one_process(&setup, client, &mut random).await;
    }
    Ok(())
}

async fn one_process(setup: &Setup, client: Arc<Client>, random: &mut fastrand::Rng) {
    let producer = Producer::new(client, settings(setup.promise, random));
    let recorder = &setup.recorder;
    let process = recorder.process();
    let mut open: JoinSet<bool> = JoinSet::new();
    let mut can_send = true;
    while can_send && !setup.is_stopped() {
        let value = recorder.value();
        let index = random.u32(0..setup.partitions);
        let partition = Partition::new(&format!("{}-{index}", setup.topic));
        let text = value.to_string();
        let record = Record {
            partition: Some(PartitionIndex(index.cast_signed())),
            ..Record::of_value(text.as_bytes())
        };
        let begun = recorder.begin(process);
        let delivery = producer.send(&setup.topic, record).await;
        let (recorder, send) = (recorder.clone(), (partition, value));
        open.spawn(async move { note(&recorder, begun, send, delivery.await) });
        while open.len() >= OPEN_MAX || random.u8(0..50) == 0 {
            match open.join_next().await {
                Some(Ok(goes_on)) => can_send &= goes_on,
                _ => break,
            }
        }
        match random.u16(0..1_000) {
            // The client crashes: what is open has no outcome.
            0 => can_send = false,
            1..200 => tokio::time::sleep(Duration::from_millis(random.u64(1..5))).await,
            _ => {}
        }
    }
    if setup.is_stopped() {
        producer.close(PATIENCE * 3).await;
    }
    drop(producer);
    while open.join_next().await.is_some() {}
}

/// Writes down what came of a send, and returns whether the producer can go on.
fn note(
    recorder: &Recorder,
    begun: Begun,
    (partition, value): (Partition, u64),
    delivered: Result<Delivered, Error>,
) -> bool {
    let (offset, outcome) = match &delivered {
        Ok(delivered) => (delivered.offset.map(|offset| offset.0), Outcome::Ok),
        Err(error) => (None, outcome(error)),
    };
    let send = Send {
        partition,
        value,
        offset,
    };
    recorder.end(begun, Action::Send(send), outcome);
    !matches!(
        delivered,
        Err(Error::Fatal(_) | Error::BrokerLost | Error::Closed)
    )
}

/// What the producer's error says about the log.
fn outcome(error: &Error) -> Outcome {
    match error {
        // Nothing was sent.
        Error::Topic(_)
        | Error::NoPartition
        | Error::NoRoom
        | Error::TooLarge
        | Error::Expired {
            may_be_in_log: false,
        } => Outcome::Failed,
        // An earlier attempt may have been appended, although its answer never came.
        Error::Expired {
            may_be_in_log: true,
        }
        | Error::Refused(_)
        | Error::Fatal(_)
        | Error::BrokerLost
        | Error::Closed => Outcome::Unknown,
    }
}

fn settings(promise: Promise, random: &mut fastrand::Rng) -> producer::Settings {
    let is_numbered = promise >= Promise::Idempotent;
    producer::Settings {
        acks: Acks::All,
        idempotent: is_numbered,
        order: if is_numbered {
            Order::Sequenced
        } else {
            Order::OneAtATime
        },
        ..batches(random)
    }
}

/// How records are sent: from a few values a batch to many.
pub(super) fn batches(random: &mut fastrand::Rng) -> producer::Settings {
    producer::Settings {
        batch_bytes: random.usize(100..2_000),
        linger: Duration::from_millis(random.u64(0..5)),
        max_block: PATIENCE,
        delivery_timeout: PATIENCE * 2,
        request_timeout: Duration::from_millis(random.u64(100..500)),
        backoff: BACKOFF,
        ..producer::Settings::default()
    }
}
