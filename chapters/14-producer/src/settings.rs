//! How a producer behaves.

use std::time::Duration;

use record_batch::Codec;

use crate::part::{Limits, Order, Rules};

/// When a batch counts as delivered: `acks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// When it was sent: the broker does not answer, and nobody knows whether it arrived.
    None,
    /// When the leader has written it: it survives the end of the broker's process.
    Leader,
    /// When it is on disk, and on every replica in sync: it survives a power cut.
    All,
}

/// How the producer behaves. The names in the comments are those of Kafka's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `acks`.
    pub acks: Acks,
    /// The most bytes of a batch, before compression: `batch.size`.
    pub batch_bytes: usize,
    /// How long a batch waits for more records: `linger.ms`.
    pub linger: Duration,
    /// The most bytes of records that are not settled: `buffer.memory`.
    pub memory: usize,
    /// How long `send` waits for room and for the topic: `max.block.ms`.
    pub max_block: Duration,
    /// How long a record may take from the call of `send` to its outcome:
    /// `delivery.timeout.ms`.
    pub delivery_timeout: Duration,
    /// How long one request may take: `request.timeout.ms`.
    pub request_timeout: Duration,
    /// The most bytes of a record, and about the most of a request: `max.request.size`.
    pub request_bytes: usize,
    /// How often a batch is sent again: `retries`.
    pub retries: u32,
    /// The pause before a batch is sent again: `retry.backoff.ms`.
    pub backoff: Duration,
    /// `compression.type`.
    pub codec: Codec,
    /// Whether batches have a producer id and numbers: `enable.idempotence`. It needs
    /// [`Acks::All`], and another order than [`Order::Nothing`].
    pub idempotent: bool,
    /// What keeps the order of records when a batch is sent again. [`Order::Sequenced`]
    /// needs `idempotent`, and a broker that checks the numbers. With
    /// [`Order::OneAtATime`] one batch of a partition is in flight, also without retries,
    /// where the Java client has several and changes the order when it cuts a batch.
    pub order: Order,
    /// The most batches of a partition in flight, if `order` allows several:
    /// `max.in.flight.requests.per.connection`.
    pub in_flight: usize,
}

impl Default for Settings {
    /// Kafka's defaults, except that batches have no numbers, so that one is in flight: see
    /// [`Settings::idempotent`].
    fn default() -> Settings {
        Settings {
            acks: Acks::All,
            batch_bytes: 16 * 1024,
            linger: Duration::from_millis(5),
            memory: 32 * 1024 * 1024,
            max_block: Duration::from_secs(60),
            delivery_timeout: Duration::from_secs(120),
            request_timeout: Duration::from_secs(30),
            request_bytes: 1024 * 1024,
            retries: u32::MAX,
            backoff: Duration::from_millis(100),
            codec: Codec::None,
            idempotent: false,
            order: Order::OneAtATime,
            in_flight: 5,
        }
    }
}

impl Settings {
    /// Returns Kafka's defaults: batches have numbers, and five of a partition are in flight.
    /// The broker must check the numbers, as `mqd` does.
    #[must_use]
    pub fn idempotent() -> Settings {
        Settings {
            idempotent: true,
            order: Order::Sequenced,
            ..Settings::default()
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            batch_bytes: self
                .batch_bytes
                .saturating_sub(record_batch::layout::RECORDS),
            linger: self.linger,
            memory: self.memory,
        }
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            order: self.order,
            numbered: self.idempotent,
            in_flight_max: self.in_flight.max(1),
            retries: match self.acks {
                // There is no answer that would say that it failed.
                Acks::None => 0,
                Acks::Leader | Acks::All => self.retries,
            },
            backoff: self.backoff,
        }
    }

    /// How many batches of a partition the accumulator may hand over ahead.
    pub(crate) fn ahead(&self) -> usize {
        match self.order {
            Order::OneAtATime => 1,
            Order::Sequenced | Order::Nothing => self.in_flight.max(1),
        }
    }
}

impl Acks {
    pub(crate) fn to_wire(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}
