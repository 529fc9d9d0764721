//! Fetch (1): versions 4 to 12.
//!
//! Fetch sessions are declined: every response has session id 0 and every
//! partition of the request.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use message_model::{Moment, Offset, OffsetRange};
use networking::{Chunk, Share};
use wire_protocol::message::{
    AbortedTransaction, FetchEpochEndOffset, FetchPartition, FetchPartitionResponse, FetchRequest,
    FetchResponse, FetchTopic, FetchTopicResponse,
};
use wire_protocol::{ErrorCode, Records};

use super::p23_offset_for_leader_epoch::end_of_epoch;
use super::{code_of, find_partition, first_places};
use crate::broker::Broker;
use crate::ends::{End, Ends};
use crate::error::Error;
use crate::part::{Condition, Woken};
use crate::partition::{Fetched, Partition, Reader, Room};

/// What a fetch may cost, whatever it asks for.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// `fetch.max.bytes`: the most bytes of batches in a response; one batch
    /// is returned even if it is larger.
    pub response_bytes_max: u32,
    /// The longest that a fetch waits for records.
    pub wait_max: Duration,
}

/// When a response has so many aborted transactions, the rest of its partitions are read the
/// next time.
const ABORTED_MAX: usize = 20_000;

/// What was found in one partition.
struct Found {
    partition: Arc<Partition>,
    from: Offset,
    fetched: Fetched,
    /// Where the client's log and ours part, if they do: then nothing is read.
    diverging_epoch: Option<Box<FetchEpochEndOffset>>,
}

/// What one reading of all partitions found.
struct Reading {
    /// By topic, as in the request.
    topics: Vec<Vec<Result<Found, Error>>>,
    /// How many bytes of batches that is.
    bytes: u64,
    /// How many aborted transactions are named with them.
    aborted: usize,
    /// Whether there is an error, or more than the limits let through: nothing
    /// that is worth waiting for.
    answer_now: bool,
}

/// Whole batches, after a wait if there are fewer than the client wants.
///
/// A fetch that waits gives `share` back: from then on it counts by the
/// partitions at which it waits. When all fetches together wait at too many, it
/// does not wait, and answers with what there is.
// ANCHOR: fetch
pub async fn fetch(
    broker: &Broker,
    mut request: FetchRequest,
    mut share: Option<Share>,
) -> FetchResponse {
    let clock = broker.services.clock;
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let deadline = clock.now().plus(wait.min(broker.fetch_limits.wait_max));
    let min_bytes = u64::try_from(request.min_bytes).unwrap_or(0);
    request.topics = without_duplicates(request.topics);
    let mut waiting = None;
    let mut may_wait = true;
    loop {
        let reading = Reading::take(broker, &request).await;
        let enough = reading.bytes >= min_bytes || reading.answer_now;
        if enough || !may_wait || clock.now() >= deadline {
            return encode(&request, reading);
        }
        if waiting.is_none() {
            let count = u32::try_from(reading.found().count()).unwrap_or(u32::MAX);
            let places = Arc::clone(&broker.waiting_places);
            waiting = places.try_acquire_many_owned(count).ok();
            share = share.filter(|_| waiting.is_none());
        }
        may_wait = waiting.is_some()
            && wait_for_bytes(broker, deadline, min_bytes, &request, &reading).await;
    }
}
// ANCHOR_END: fetch

/// Waits until there are `min_bytes`, going by how many bytes were appended
/// since `reading`: nothing is read. Beside open transactions it waits until something has become stable.
/// Returns whether another wait makes sense.
async fn wait_for_bytes(
    broker: &Broker,
    deadline: Moment,
    min_bytes: u64,
    request: &FetchRequest,
    reading: &Reading,
) -> bool {
    let end = reader(request).end();
    loop {
        // An end that cannot be read is an error, which the next reading returns.
        let Some(before) = reading.appended_since(end) else {
            return true;
        };
        if reading.bytes.saturating_add(before) >= min_bytes {
            return true;
        }
        let Some(conditions) = reading.conditions(end) else {
            return true;
        };
        let still_needed = || reading.appended_since(end) == Some(before);
        let fetches = &broker.services.fetches;
        if fetches.any_passes(deadline, conditions, still_needed).await != Woken::Moved {
            return false;
        }
    }
}

fn reader(request: &FetchRequest) -> Reader {
    match request.isolation_level {
        1 => Reader::Committed,
        _ => Reader::Uncommitted,
    }
}

/// The partitions of a request, each once: of several entries the last one
/// counts, in the place of the first, as in Kafka.
fn without_duplicates(mut topics: Vec<FetchTopic>) -> Vec<FetchTopic> {
    let numbers = first_places(topics.iter().map(|topic| topic.topic.as_str()));
    let mut last = HashMap::new();
    for (number, topic) in numbers.iter().zip(&topics) {
        for wanted in &topic.partitions {
            last.insert((*number, wanted.partition), wanted.clone());
        }
    }
    for (number, topic) in numbers.iter().zip(&mut topics) {
        topic.partitions = mem::take(&mut topic.partitions)
            .into_iter()
            .filter_map(|wanted| last.remove(&(*number, wanted.partition)))
            .collect();
    }
    topics.retain(|topic| !topic.partitions.is_empty());
    topics
}

impl Reading {
    async fn take(broker: &Broker, request: &FetchRequest) -> Reading {
        let wanted = u32::try_from(request.max_bytes).unwrap_or(0);
        let mut left = wanted.min(broker.fetch_limits.response_bytes_max);
        let reader = reader(request);
        let mut reading = Reading {
            topics: Vec::new(),
            bytes: 0,
            aborted: 0,
            answer_now: request.topics.is_empty(),
        };
        for topic in &request.topics {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for wanted in &topic.partitions {
                // A fetch of thousands of partitions lets others in between.
                tokio::task::consume_budget().await;
                if reading.aborted >= ABORTED_MAX {
                    left = 0;
                }
                let room = Room {
                    bytes: left.min(u32::try_from(wanted.partition_max_bytes).unwrap_or(0)),
                    at_least_one: reading.bytes == 0,
                };
                let found = Found::take(broker, &topic.topic, wanted, (reader, room)).await;
                reading.answer_now |= found
                    .as_ref()
                    .map_or(true, |found| found.answers_now(reader));
                let bytes = found.as_ref().map_or(0, Found::bytes);
                reading.bytes += u64::from(bytes);
                reading.aborted += found.as_ref().map_or(0, Found::aborted);
                left = left.saturating_sub(bytes);
                partitions.push(found);
            }
            reading.topics.push(partitions);
        }
        reading
    }

    fn found(&self) -> impl Iterator<Item = &Found> {
        self.topics.iter().flatten().flatten()
    }

    /// How many bytes were appended to the partitions since, up to `end`; `None` if one is
    /// offline, or has no longer what was found.
    fn appended_since(&self, end: End) -> Option<u64> {
        let mut all = 0_u64;
        for found in self.found() {
            all = all.saturating_add(found.appended_since(end)?);
        }
        Some(all)
    }

    /// That one of the partitions moves, or loses what was found; `None` if one is offline.
    fn conditions(&self, end: End) -> Option<Vec<Condition<End>>> {
        let mut conditions = Vec::new();
        for found in self.found() {
            let at: Offset = found.partition.ends().ok()?.get(end);
            conditions.push(found.partition.passes(end, at));
            if found.bytes() > 0 {
                conditions.push(found.partition.passes(End::LogStart, found.from));
            }
        }
        Some(conditions)
    }
}

impl Found {
    async fn take(
        broker: &Broker,
        topic: &str,
        wanted: &FetchPartition,
        (reader, room): (Reader, Room),
    ) -> Result<Found, Error> {
        let partition = find_partition(&broker.topics, topic, wanted.partition)?;
        // Here, and not in other requests, Kafka takes any number below 0 for none.
        partition.check_epoch(wanted.current_leader_epoch.max(-1))?;
        let from = Offset(wanted.fetch_offset);
        let diverging_epoch = diverging_epoch(&partition, wanted)?;
        let fetched = match diverging_epoch {
            None => partition.fetch(reader, from, room).await?,
            Some(_) => nothing_at(&partition, from)?,
        };
        Ok(Found {
            partition,
            from,
            fetched,
            diverging_epoch: diverging_epoch.map(Box::new),
        })
    }

    /// How many bytes were appended to the partition since, up to `end`; `None` if it is
    /// offline, or has no longer what was found.
    fn appended_since(&self, end: End) -> Option<u64> {
        let ends = self.partition.ends().ok()?;
        let appended = self.partition.bytes().ok()?;
        let is_there = self.from >= ends.log_start;
        let before = &self.fetched.ends;
        let is_open = |ends: &Ends| ends.get(end) < ends.high_watermark;
        let since = match is_open(before) || is_open(&ends) {
            false => appended.saturating_sub(self.fetched.bytes_before),
            // How much a transaction had written when it ended is not known without a look.
            true if ends.get(end) > before.get(end) => u64::MAX,
            true => 0,
        };
        is_there.then_some(since)
    }

    /// How many aborted transactions are named with it.
    fn aborted(&self) -> usize {
        let list = self.fetched.aborted.as_ref();
        list.map_or(0, |list| list.transactions.len())
    }

    fn bytes(&self) -> u32 {
        self.fetched.slice.as_ref().map_or(0, |slice| slice.length)
    }

    /// Whether there is more than what was returned, or the logs part.
    fn answers_now(&self, reader: Reader) -> bool {
        self.diverging_epoch.is_some()
            || self.fetched.range.end < self.fetched.ends.get(reader.end())
    }
}

/// Where the log of the client parts from ours, if the epoch of its last record says so.
fn diverging_epoch(
    partition: &Partition,
    wanted: &FetchPartition,
) -> Result<Option<FetchEpochEndOffset>, Error> {
    let theirs = wanted.last_fetched_epoch;
    if theirs < 0 {
        return Ok(None);
    }
    let Some((epoch, end)) = end_of_epoch(partition, theirs)? else {
        return Err(Error::Rejected(ErrorCode::OFFSET_OUT_OF_RANGE));
    };
    let diverges = epoch < theirs || end < Offset(wanted.fetch_offset);
    Ok(diverges.then_some(FetchEpochEndOffset {
        epoch,
        end_offset: end.0,
    }))
}

/// What a fetch finds that reads nothing.
fn nothing_at(partition: &Partition, from: Offset) -> Result<Fetched, Error> {
    Ok(Fetched {
        slice: None,
        range: OffsetRange {
            start: from,
            end: from,
        },
        aborted: None,
        ends: partition.ends()?,
        bytes_before: partition.bytes()?,
    })
}

fn encode(request: &FetchRequest, reading: Reading) -> FetchResponse {
    let committed = reader(request) == Reader::Committed;
    let topics = request.topics.iter().zip(reading.topics);
    let encode_topic = |(topic, found): (&FetchTopic, Vec<Result<Found, Error>>)| {
        let partitions = topic.partitions.iter().zip(found);
        FetchTopicResponse {
            topic: topic.topic.clone(),
            partitions: partitions
                .map(|(wanted, found)| encode_partition(&topic.topic, wanted, committed, found))
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
    wanted: &FetchPartition,
    committed: bool,
    found: Result<Found, Error>,
) -> FetchPartitionResponse {
    let partition_index = wanted.partition;
    let Found {
        fetched,
        diverging_epoch,
        ..
    } = match found {
        Ok(found) => found,
        Err(error) => return failed(partition_index, code_of(topic, partition_index, &error)),
    };
    FetchPartitionResponse {
        partition_index,
        high_watermark: fetched.ends.high_watermark.0,
        last_stable_offset: fetched.ends.last_stable.0,
        log_start_offset: fetched.ends.log_start.0,
        aborted_transactions: committed.then(|| aborted(&fetched)),
        records: Records {
            chunks: fetched.slice.into_iter().map(Chunk::File).collect(),
        },
        diverging_epoch: diverging_epoch.map(|epoch| *epoch).unwrap_or_default(),
        ..failed(partition_index, ErrorCode::NONE)
    }
}

fn aborted(fetched: &Fetched) -> Vec<AbortedTransaction> {
    let encode = |aborted: &log_storage::AbortedTransaction| AbortedTransaction {
        producer_id: aborted.producer.0,
        first_offset: aborted.first.0,
    };
    let listed = fetched.aborted.iter().flat_map(|list| &list.transactions);
    listed.map(encode).collect()
}

fn failed(partition_index: i32, error_code: ErrorCode) -> FetchPartitionResponse {
    FetchPartitionResponse {
        partition_index,
        error_code,
        preferred_read_replica: -1,
        ..FetchPartitionResponse::default()
    }
}
