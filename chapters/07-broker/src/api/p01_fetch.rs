//! Fetch (1): version 11; versions 4 to 10 are canaries.
//!
//! Fetch sessions are declined: every response has session id 0 and every
//! partition that was asked for.

use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::{Offset, TopicPartition};
use networking::Chunk;
use wire_protocol::message::{
    AbortedTransaction, FetchPartition, FetchPartitionResponse, FetchRequest, FetchResponse,
    FetchTopic, FetchTopicResponse,
};
use wire_protocol::{ErrorCode, Records};

use super::{find_partition, tell};
use crate::ends::End;
use crate::error::Error;
use crate::partition::{Fetched, Partition, Reader};
use crate::serving::on_blocking_pool;
use crate::topics::Topics;
use crate::waits::Waits;

/// What a fetch may cost, whatever it asks for.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// `fetch.max.bytes`: the most bytes of batches in a response; one batch
    /// is returned even if it is larger.
    pub response_bytes_max: u32,
    /// The longest that a fetch waits for records.
    pub wait_max: Duration,
}

/// What one look at all partitions found.
struct Look {
    /// By topic, as in the request.
    topics: Vec<Vec<Result<Found, Error>>>,
    /// How many bytes of batches that is.
    bytes: u64,
    /// Whether there is an error, or more than the limits let through: nothing
    /// that is worth waiting for.
    answer_now: bool,
}

/// What was found in one partition.
struct Found {
    partition: Arc<Partition>,
    fetched: Fetched,
}

/// Reads whole batches, and waits for them if there are fewer than asked for.
// ANCHOR: fetch
pub async fn fetch(
    topics: &Arc<Topics>,
    waits: &Waits,
    clock: Clock,
    limits: FetchLimits,
    request: FetchRequest,
) -> FetchResponse {
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let deadline = clock.now().plus(wait.min(limits.wait_max));
    let min_bytes = u64::try_from(request.min_bytes).unwrap_or(0);
    let end = reader(&request).end();
    let request = Arc::new(request);
    let mut may_wait = true;
    loop {
        let look = look(topics, limits, &request).await;
        let enough = look.bytes >= min_bytes || look.answer_now;
        if enough || !may_wait || clock.now() >= deadline {
            return encode(&request, look);
        }
        let still_needed = || look.found().all(|found| found.is_still_at(end));
        let conditions = look.found().map(|found| found.condition(end)).collect();
        may_wait = waits.any_passes(deadline, conditions, still_needed).await;
    }
}
// ANCHOR_END: fetch

fn reader(request: &FetchRequest) -> Reader {
    match request.isolation_level {
        1 => Reader::Committed,
        _ => Reader::Uncommitted,
    }
}

/// Whoever has read everything waits without touching the disk.
async fn look(topics: &Arc<Topics>, limits: FetchLimits, request: &Arc<FetchRequest>) -> Look {
    let end = reader(request).end();
    let at_its_end = |topic: &FetchTopic, asked: &FetchPartition| {
        let ends = find_partition(topics, &topic.topic, asked.partition).and_then(|one| one.ends());
        ends.is_ok_and(|ends| ends.get(end).0 == asked.fetch_offset)
    };
    let mut asked = request.topics.iter();
    if asked.all(|topic| topic.partitions.iter().all(|one| at_its_end(topic, one))) {
        return Look::take(topics, limits, request);
    }
    let topics = Arc::clone(topics);
    let request = Arc::clone(request);
    on_blocking_pool(move || Look::take(&topics, limits, &request)).await
}

impl Look {
    fn take(topics: &Topics, limits: FetchLimits, request: &FetchRequest) -> Look {
        let asked = u32::try_from(request.max_bytes).unwrap_or(0);
        let mut left = asked.min(limits.response_bytes_max);
        let reader = reader(request);
        let mut look = Look {
            topics: Vec::new(),
            bytes: 0,
            answer_now: request.topics.is_empty(),
        };
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for asked in &topic.partitions {
                let at_least_one = look.bytes == 0;
                let found = Found::take(topics, &topic.topic, asked, (reader, left, at_least_one));
                look.answer_now |= found.as_ref().map_or(true, |found| found.is_cut_at(reader));
                let bytes = found.as_ref().map_or(0, Found::bytes);
                look.bytes += u64::from(bytes);
                left = left.saturating_sub(bytes);
                partitions.push(found);
            }
            look.topics.push(partitions);
        }
        look
    }

    fn found(&self) -> impl Iterator<Item = &Found> {
        self.topics.iter().flatten().flatten()
    }
}

impl Found {
    fn take(
        topics: &Topics,
        topic: &str,
        asked: &FetchPartition,
        (reader, left, at_least_one): (Reader, u32, bool),
    ) -> Result<Found, Error> {
        let partition = find_partition(topics, topic, asked.partition)?;
        let ours = partition.leader_epoch().0;
        let theirs = asked.current_leader_epoch;
        if theirs != -1 && theirs != ours {
            let asked = theirs;
            return Err(Error::LeaderEpoch { asked, ours });
        }
        let max_bytes = u32::try_from(asked.partition_max_bytes).unwrap_or(0);
        let from = Offset(asked.fetch_offset);
        let fetched = partition.fetch(reader, from, max_bytes.min(left), at_least_one)?;
        Ok(Found { partition, fetched })
    }

    fn bytes(&self) -> u32 {
        self.fetched.slices.iter().map(|slice| slice.length).sum()
    }

    /// Whether there is more than what was returned.
    fn is_cut_at(&self, reader: Reader) -> bool {
        self.fetched.range.end < self.fetched.ends.get(reader.end())
    }

    fn condition(&self, end: End) -> ((TopicPartition, End), Offset) {
        let key = (self.partition.name().clone(), end);
        (key, self.fetched.ends.get(end))
    }

    fn is_still_at(&self, end: End) -> bool {
        let ends = self.partition.ends();
        ends.is_ok_and(|ends| ends.get(end) == self.fetched.ends.get(end))
    }
}

fn encode(request: &FetchRequest, look: Look) -> FetchResponse {
    let committed = reader(request) == Reader::Committed;
    let topics = request.topics.iter().zip(look.topics);
    let encode_topic = |(topic, found): (&FetchTopic, Vec<Result<Found, Error>>)| {
        let partitions = topic.partitions.iter().zip(found);
        FetchTopicResponse {
            topic: topic.topic.clone(),
            partitions: partitions
                .map(|(asked, found)| encode_partition(&topic.topic, asked, committed, found))
                .collect(),
        }
    };
    FetchResponse {
        responses: topics.map(encode_topic).collect(),
        ..FetchResponse::default()
    }
}

fn encode_partition(
    topic: &str,
    asked: &FetchPartition,
    committed: bool,
    found: Result<Found, Error>,
) -> FetchPartitionResponse {
    let partition_index = asked.partition;
    let fetched = match found {
        Ok(found) => found.fetched,
        Err(error) => return failed(partition_index, tell(topic, partition_index, &error)),
    };
    let aborted = fetched.aborted.iter().map(|aborted| AbortedTransaction {
        producer_id: aborted.producer_id.0,
        first_offset: aborted.first_offset.0,
    });
    FetchPartitionResponse {
        partition_index,
        high_watermark: fetched.ends.high_watermark.0,
        last_stable_offset: fetched.ends.last_stable.0,
        log_start_offset: fetched.ends.log_start.0,
        aborted_transactions: committed.then(|| aborted.collect()),
        records: Records {
            chunks: fetched.slices.into_iter().map(Chunk::File).collect(),
        },
        ..failed(partition_index, ErrorCode::NONE)
    }
}

fn failed(partition_index: i32, error_code: ErrorCode) -> FetchPartitionResponse {
    FetchPartitionResponse {
        partition_index,
        error_code,
        preferred_read_replica: -1,
        ..FetchPartitionResponse::default()
    }
}

/// Answers a version that is advertised and not served.
#[must_use]
pub fn refuse_fetch(request: FetchRequest) -> FetchResponse {
    let topic = |asked: FetchTopic| FetchTopicResponse {
        topic: asked.topic,
        partitions: asked
            .partitions
            .iter()
            .map(|one| failed(one.partition, ErrorCode::UNSUPPORTED_VERSION))
            .collect(),
    };
    FetchResponse {
        responses: request.topics.into_iter().map(topic).collect(),
        ..FetchResponse::default()
    }
}
