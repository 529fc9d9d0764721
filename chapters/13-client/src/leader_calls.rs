//! The calls of a client that concern one partition: its leader answers them.

use std::time::Duration;

use bytes::Bytes;
use message_model::{Moment, Offset, Timestamp, TopicPartition};
use wire_protocol::message::{
    FetchPartition, FetchRequest, FetchTopic, ListOffsetsPartition, ListOffsetsRequest,
    ListOffsetsTopic, ProducePartition, ProduceRequest, ProduceTopic,
};
use wire_protocol::{Records, Request};

use crate::answer::{TopicAnswer, of_partition};
use crate::client::Client;
use crate::error::{Error, check};
use crate::target::Target;

/// When a batch counts as produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// The leader has written it: it survives the end of the broker's process.
    Leader,
    /// It is on disk, and on every replica in sync: it survives a power cut.
    All,
}

/// Which offset of a partition is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first one that the partition still has.
    Earliest,
    /// The one that the next record will get.
    Latest,
    /// The one behind which no committed record is yet: the first one of the oldest
    /// transaction that is open, or else as `Latest`.
    LastStable,
    /// The first one with this timestamp or a later one.
    AtOrAfter(Timestamp),
}

/// How much a fetch waits for, and brings.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// How long the broker may wait for [`min_bytes`](FetchLimits::min_bytes).
    pub max_wait: Duration,
    /// As soon as there is this much, the broker answers; 0: at once.
    pub min_bytes: u32,
    /// About the most that comes; one batch comes even if it is larger.
    pub max_bytes: u32,
}

/// The answer of a fetch about its partition.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Whole batches, for [`records`](crate::records); the first may begin below the
    /// offset that was asked for.
    pub batches: Bytes,
    /// Everything below it can be fetched.
    pub high_watermark: Offset,
    /// The first offset that the partition still has.
    pub log_start: Offset,
}

impl Client {
    /// Appends `batch` (one record batch, base offset 0) and waits for `acks`, at
    /// most `timeout`; the offset of its first record.
    ///
    /// # Errors
    /// See [`Error`]. After [`Error::Call`] the batch may or may not have been appended.
    pub async fn produce(
        &self,
        to: &TopicPartition,
        batch: Vec<u8>,
        acks: Acks,
        timeout: Duration,
    ) -> Result<Offset, Error> {
        let deadline = self.clock().now().plus(timeout);
        let request = produce_request(to, batch, acks.to_wire(), timeout);
        let (taken, answer) = self.ask_leader(to, &request, deadline).await?;
        let partition = self.picked(to, taken, answer.topics)?;
        Ok(Offset(partition.base_offset))
    }

    /// Sends `batch` with `acks=0`: whether it arrives is not known.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn produce_unacknowledged(
        &self,
        to: &TopicPartition,
        batch: Vec<u8>,
    ) -> Result<(), Error> {
        let request = produce_request(to, batch, 0, self.patience());
        let target = Target::Leader(to.clone());
        self.send(&target, &request, self.deadline()).await
    }

    /// The batches from `offset` on; waits as `limits` say, and may come back empty.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn fetch(
        &self,
        from: &TopicPartition,
        offset: Offset,
        limits: FetchLimits,
    ) -> Result<Fetched, Error> {
        let deadline = self.deadline().plus(limits.max_wait);
        let request = fetch_request(from, offset, limits);
        let (taken, answer) = self.ask_leader(from, &request, deadline).await?;
        check(answer.error_code)?;
        let partition = self.picked(from, taken, answer.responses)?;
        Ok(Fetched {
            batches: partition.records.into_bytes(),
            high_watermark: Offset(partition.high_watermark),
            log_start: Offset(partition.log_start_offset),
        })
    }

    /// An offset by where or when it is; `None` if no record is that late.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_offset(
        &self,
        of: &TopicPartition,
        spec: OffsetSpec,
    ) -> Result<Option<Offset>, Error> {
        let request = list_offsets_request(of, spec);
        let (taken, answer) = self.ask_leader(of, &request, self.deadline()).await?;
        let partition = self.picked(of, taken, answer.topics)?;
        Ok((partition.offset >= 0).then_some(Offset(partition.offset)))
    }

    /// As [`list_offset`](Client::list_offset), asked again while that may help.
    ///
    /// # Errors
    /// See [`Error`]. It ends at `deadline` at the latest.
    pub async fn find_offset(
        &self,
        of: &TopicPartition,
        spec: OffsetSpec,
        deadline: Moment,
    ) -> Result<Option<Offset>, Error> {
        let target = Target::Leader(of.clone());
        let attempt = || self.list_offset(of, spec);
        self.retry(&target, deadline, attempt).await
    }

    async fn ask_leader<R: Request>(
        &self,
        of: &TopicPartition,
        request: &R,
        deadline: Moment,
    ) -> Result<(Moment, R::Response), Error> {
        let target = Target::Leader(of.clone());
        self.call_timed(&target, request, deadline).await
    }

    /// The answer about `of` to a call that took its route at `taken`. If it says that
    /// another broker should have been asked, the leader is looked up at the next call.
    fn picked<T: TopicAnswer>(
        &self,
        of: &TopicPartition,
        taken: Moment,
        topics: Vec<T>,
    ) -> Result<T::Partition, Error> {
        let picked = of_partition(of, topics);
        if picked.as_ref().is_err_and(Error::is_stale_route) {
            self.forget_since(&Target::Leader(of.clone()), taken);
        }
        picked
    }
}

impl Acks {
    fn to_wire(self) -> i16 {
        match self {
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

impl OffsetSpec {
    fn to_wire(self) -> i64 {
        match self {
            OffsetSpec::Latest | OffsetSpec::LastStable => -1,
            OffsetSpec::Earliest => -2,
            OffsetSpec::AtOrAfter(time) => time.0.max(0),
        }
    }
}

fn produce_request(
    to: &TopicPartition,
    batch: Vec<u8>,
    acks: i16,
    timeout: Duration,
) -> ProduceRequest {
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: millis(timeout),
        topics: vec![ProduceTopic {
            name: to.topic.as_str().to_owned(),
            partitions: vec![ProducePartition {
                index: to.partition.0,
                records: Records::from_bytes(batch),
            }],
        }],
    }
}

fn list_offsets_request(of: &TopicPartition, spec: OffsetSpec) -> ListOffsetsRequest {
    ListOffsetsRequest {
        topics: vec![ListOffsetsTopic {
            name: of.topic.as_str().to_owned(),
            partitions: vec![ListOffsetsPartition {
                partition_index: of.partition.0,
                timestamp: spec.to_wire(),
                ..ListOffsetsPartition::default()
            }],
        }],
        isolation_level: i8::from(spec == OffsetSpec::LastStable),
        ..ListOffsetsRequest::default()
    }
}

fn fetch_request(from: &TopicPartition, offset: Offset, limits: FetchLimits) -> FetchRequest {
    let max_bytes = i32::try_from(limits.max_bytes).unwrap_or(i32::MAX);
    FetchRequest {
        max_wait_ms: millis(limits.max_wait),
        min_bytes: i32::try_from(limits.min_bytes).unwrap_or(i32::MAX),
        max_bytes,
        topics: vec![FetchTopic {
            topic: from.topic.as_str().to_owned(),
            partitions: vec![FetchPartition {
                partition: from.partition.0,
                fetch_offset: offset.0,
                partition_max_bytes: max_bytes,
                ..FetchPartition::default()
            }],
        }],
        ..FetchRequest::default()
    }
}

/// Whole milliseconds, as the protocol has them; the longest it can say if that is too long.
pub(crate) fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
