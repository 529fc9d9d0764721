//! How transactions are made.

use std::time::Duration;

use producer::{Acks, Order};

/// How a transactional producer behaves. The names in the comments are those of Kafka's
/// settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which producer it is, over all of its instances: `transactional.id`.
    pub id: String,
    /// After how long an open transaction is aborted by the coordinator:
    /// `transaction.timeout.ms`.
    pub timeout: Duration,
    /// How long beginning, committing, aborting and the like may take: `max.block.ms`.
    pub patience: Duration,
    /// How records are sent. Acks, order and numbers are those that transactions need,
    /// whatever is said here.
    pub producer: producer::Settings,
}

impl Settings {
    /// Returns Kafka's defaults: a minute for a transaction, and one for each call.
    #[must_use]
    pub fn new(id: &str) -> Settings {
        Settings {
            id: id.to_owned(),
            timeout: Duration::from_secs(60),
            patience: Duration::from_secs(60),
            producer: producer::Settings::idempotent(),
        }
    }

    /// The producer's settings, as transactions need them.
    pub(crate) fn for_records(&self) -> producer::Settings {
        producer::Settings {
            acks: Acks::All,
            idempotent: true,
            order: Order::Sequenced,
            in_flight: self.producer.in_flight.min(5),
            ..self.producer.clone()
        }
    }
}

/// How much a transform does in one transaction.
#[derive(Debug, Clone, Copy)]
pub struct TransformSettings {
    /// After so many records the transaction is committed.
    pub records_max: usize,
    /// After this time it is committed, if there is something in it. What the function does
    /// with a record comes on top, and all of it must take less than [`Settings::timeout`].
    pub time_max: Duration,
}

impl Default for TransformSettings {
    /// 1,000 records, or 100 ms, which is what Kafka Streams takes for exactly once.
    fn default() -> TransformSettings {
        TransformSettings {
            records_max: 1_000,
            time_max: Duration::from_millis(100),
        }
    }
}
