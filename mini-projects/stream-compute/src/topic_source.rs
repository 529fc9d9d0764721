//! Lines out of the queue, as a source of the engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{ConsumedRecord, Records};
use consumer::{Consumer, OffsetReset, Polled, SeekTo};
use message_model::{Moment, Offset, TopicPartition};
use serde::{Deserialize, Serialize};
use stream_engine::{Cause, Checkpoint, Read, Reader, Source, Subtask};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::line_header::line_number;
use crate::queue::Address;

/// The operator that it is in the job.
pub(crate) const LINES: &str = "lines";
/// How much is fetched ahead, in bytes.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// How long a poll waits for records before the reader looks again whether the end is known.
const POLL: Duration = Duration::from_millis(500);

/// What a record of the topic is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fed {
    /// A line, for the first time.
    Line {
        /// Its number in the input, counted from 1.
        number: u64,
        /// Without its line end.
        text: Bytes,
    },
    /// It was read before: the topic has it more than once.
    Repeated,
}

/// The topic of lines. Records that are no lines are passed over.
///
/// Feeders send the lines of a partition in order, each from a line on before which all of the
/// partition are in it. So when a line comes, all lines before it have come, and a number that
/// is not above the last one has been here.
#[derive(Debug)]
pub(crate) struct TopicSource {
    pub(crate) address: Address,
    /// All partitions of the topic, by number.
    pub(crate) lines: Vec<TopicPartition>,
    /// Where each partition ends, when that is known.
    pub(crate) end: watch::Receiver<Option<Vec<Offset>>>,
}

impl Source for TopicSource {
    type Item = Fed;
    type Reader = TopicReader;

    fn parallelism(&self, wanted: usize) -> usize {
        wanted.min(self.lines.len())
    }

    fn open(&self, subtask: Subtask, places: Vec<(u32, Place)>) -> Result<TopicReader, Cause> {
        let own = (0..).zip(&self.lines);
        let own = own.filter(|(number, _)| *number as usize % subtask.count == subtask.index);
        let partition = |(number, at): (u32, &TopicPartition)| {
            let place = places.iter().find(|(other, _)| *other == number);
            Partition {
                number,
                at: at.clone(),
                place: place.map_or(Place::default(), |(_, place)| *place),
                standing: Standing::Unopened,
            }
        };
        Ok(TopicReader {
            address: self.address.clone(),
            partitions: own.map(partition).collect(),
            connecting: None,
            consumer: None,
            current: None,
            end: self.end.clone(),
            silent_since: None,
        })
    }
}

/// A place in a partition, between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The offset of the first record behind it.
    offset: i64,
    /// The highest line number before it; 0 if there is none.
    line: u64,
}

/// Reads the partitions of a subtask, over connections of its own: a fetch that waits for
/// records holds up what is behind it.
#[derive(Debug)]
pub(crate) struct TopicReader {
    address: Address,
    partitions: Vec<Partition>,
    /// Goes on when a read that waits for it is dropped.
    connecting: Option<JoinHandle<Result<Consumer, Error>>>,
    /// `None` until it is connected. It fetches ahead.
    consumer: Option<Consumer>,
    /// Records that were fetched and not taken, of the partition with this index.
    current: Option<(usize, Records)>,
    end: watch::Receiver<Option<Vec<Offset>>>,
    /// Since when nothing has come although the end is known and not reached.
    silent_since: Option<Moment>,
}

#[derive(Debug)]
struct Partition {
    number: u32,
    at: TopicPartition,
    place: Place,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unopened,
    Open,
    Ended,
}

impl Reader for TopicReader {
    type Item = Fed;
    type Position = Place;

    async fn read(&mut self, values: &mut Vec<Fed>) -> Result<Read, Cause> {
        let read = self.read_next(values).await;
        read.map_err(|error| self.address.cause(error))
    }

    fn positions(&self) -> Vec<(u32, Place)> {
        let partitions = self.partitions.iter();
        partitions.map(|one| (one.number, one.place)).collect()
    }
}

impl TopicReader {
    // ANCHOR: read
    async fn read_next(&mut self, values: &mut Vec<Fed>) -> Result<Read, Error> {
        let mut unopened = self.partitions.iter_mut();
        if let Some(next) = unopened.find(|next| next.standing == Standing::Unopened) {
            next.standing = Standing::Open;
            return Ok(Read::Opened(next.number));
        }
        self.connect().await?;
        loop {
            if let Some(number) = self.take(values)? {
                return Ok(Read::From(number));
            }
            if let Some(number) = self.find_ended() {
                return Ok(Read::Ended(number));
            }
            let mut standings = self.partitions.iter().map(|one| one.standing);
            if standings.all(|standing| standing == Standing::Ended) {
                return Ok(Read::Exhausted);
            }
            self.poll().await?;
        }
    }
    // ANCHOR_END: read

    async fn connect(&mut self) -> Result<(), Error> {
        if self.consumer.is_none() {
            let connecting = self.connecting.get_or_insert_with(|| {
                let address = self.address.clone();
                let places = self.partitions.iter();
                let places = places.map(|one| (one.at.clone(), Offset(one.place.offset)));
                tokio::spawn(consumer(address, places.collect()))
            });
            let connected = connecting.await;
            self.connecting = None;
            let panicked = |_| stream_engine::Error::Panicked(LINES.into());
            self.consumer = Some(connected.map_err(panicked)??);
        }
        Ok(())
    }

    /// Takes records that are here. Returns the number of their partition, if there are any.
    fn take(&mut self, values: &mut Vec<Fed>) -> Result<Option<u32>, Error> {
        let Some((index, records)) = &mut self.current else {
            return Ok(None);
        };
        let Partition {
            number, at, place, ..
        } = &mut self.partitions[*index];
        while values.len() < values.capacity() {
            let Some(record) = records.next() else {
                // Behind what has no record for a reader, too.
                place.offset = place.offset.max(records.next_offset().0);
                self.current = None;
                break;
            };
            let record = record.map_err(|flaw| Error::Record(at.topic.clone(), Some(flaw)))?;
            place.offset = record.offset.0 + 1;
            values.extend(fed(record, &mut place.line));
        }
        Ok((!values.is_empty()).then_some(*number))
    }

    /// A partition that was read to its end. What is behind that has come more than once.
    fn find_ended(&mut self) -> Option<u32> {
        let ends = self.end.borrow().clone()?;
        let ended = self.partitions.iter_mut().find(|one| {
            let end = ends.get(one.number as usize);
            one.standing == Standing::Open && end.is_some_and(|end| one.place.offset >= end.0)
        })?;
        ended.standing = Standing::Ended;
        Some(ended.number)
    }

    /// Waits for records, or for the end to be known.
    async fn poll(&mut self) -> Result<(), Error> {
        let Some(consumer) = &mut self.consumer else {
            return Ok(());
        };
        self.silent_since = self.silent_since.filter(|_| self.end.borrow().is_some());
        let waiting = &self.address.waiting;
        let now = waiting.clock.now();
        let silent = now.since(*self.silent_since.get_or_insert(now));
        if silent > waiting.patience && self.end.borrow().is_some() {
            return Err(Error::GaveUp(silent));
        }
        let polled = tokio::select! {
            polled = consumer.poll(POLL) => polled?,
            _ = self.end.changed() => None,
        };
        let Some(Polled {
            partition, records, ..
        }) = polled
        else {
            return Ok(());
        };
        self.silent_since = None;
        let mut partitions = self.partitions.iter();
        let Some(index) = partitions.position(|one| one.at == partition) else {
            return Ok(());
        };
        let one = &self.partitions[index];
        if one.standing == Standing::Ended {
            return Ok(());
        }
        if records.next_offset().0 != one.place.offset {
            // The consumer has gone where the topic has records.
            return Err(Error::Lost(partition.topic));
        }
        self.current = Some((index, records));
        Ok(())
    }
}

/// Where a job goes on that is resumed from `checkpoint`, in each of the partitions that it has
/// read from.
pub(crate) fn places<'a>(
    checkpoint: &Checkpoint,
    lines: &'a [TopicPartition],
) -> Result<Vec<(&'a TopicPartition, Offset)>, stream_engine::Error> {
    let places: Vec<(usize, Place)> = checkpoint.items(&LINES.into())?;
    let place = |(number, place): (usize, Place)| Some((lines.get(number)?, Offset(place.offset)));
    Ok(places.into_iter().filter_map(place).collect())
}

/// A consumer of these partitions, from these offsets on.
async fn consumer(
    address: Address,
    places: Vec<(TopicPartition, Offset)>,
) -> Result<Consumer, Error> {
    let client = Arc::new(address.connect().await?);
    let settings = consumer::Settings {
        reset: OffsetReset::Earliest,
        read_committed: true,
        buffer_bytes: BUFFER_BYTES,
        patience: address.waiting.patience,
        ..consumer::Settings::default()
    };
    let mut consumer = Consumer::new(client, settings);
    let all: BTreeSet<_> = places.iter().map(|(at, _)| at.clone()).collect();
    consumer.assign(all).await?;
    for (at, offset) in places {
        consumer.seek(&at, SeekTo::Offset(offset)).await?;
    }
    Ok(consumer)
}

/// What a record is, behind lines up to this one.
fn fed(record: ConsumedRecord, last: &mut u64) -> Option<Fed> {
    let number = line_number(&record)?;
    if number <= *last {
        return Some(Fed::Repeated);
    }
    *last = number;
    let text = record.value.unwrap_or_default();
    Some(Fed::Line { number, text })
}
