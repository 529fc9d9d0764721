//! What the topic of lines has, so that feeding goes on behind it.

use client::ConsumedRecord;
use message_model::TopicPartition;

use crate::error::Error;
use crate::input::{First, Place};
use crate::line_header::{LineHeader, Origin};
use crate::queue::Queue;

/// The line that each partition has last. The lines are dealt to the partitions in turn.
#[derive(Debug, Clone)]
pub(crate) struct LastLines {
    last: Vec<Option<LastLine>>,
    /// The file with the first line.
    first: Option<First>,
}

#[derive(Debug, Clone)]
pub(crate) struct LastLine {
    pub(crate) header: LineHeader,
    pub(crate) text: Vec<u8>,
}

impl LastLines {
    pub(crate) async fn read(queue: &Queue, of: &[TopicPartition]) -> Result<LastLines, Error> {
        let (mut last, mut first) = (Vec::new(), Vec::new());
        for partition in of {
            let record = queue.last_record(partition).await?;
            last.push(record.as_ref().and_then(LastLine::of));
            let record = queue.first_record(partition).await?;
            first.extend(record.as_ref().and_then(LastLine::of));
        }
        let first = first.into_iter().find(|line| line.header.number == 1);
        let first = first.and_then(|line| {
            let Place { file, .. } = line.header.origin?.place;
            let head = line.text;
            Some(First { file, head })
        });
        Ok(LastLines { last, first })
    }

    /// All lines up to this one are in the topic.
    pub(crate) fn known(&self) -> u64 {
        let count = self.last.len() as u64;
        let next = |(partition, last): (u64, &Option<LastLine>)| match last {
            None => partition + 1,
            Some(last) => last.header.number + count,
        };
        let next = (0..).zip(&self.last).map(next).min();
        next.map_or(0, |next| next - 1)
    }

    /// The highest number of a line that the topic has; 0 if it is empty.
    pub(crate) fn highest(&self) -> u64 {
        let lines = self.last.iter().flatten();
        lines.map(|last| last.header.number).max().unwrap_or(0)
    }

    /// The line from which the input is read, and where it is: all lines before are in the topic.
    /// `None` if that is to be the first line, or if the place is not known.
    pub(crate) fn start(&self) -> Option<(&LastLine, Origin)> {
        let lines = self.last.iter().flatten();
        let lowest = lines.min_by_key(|last| last.header.number)?;
        let is_behind_all = lowest.header.number <= self.known() + 1;
        Some((lowest, lowest.header.origin.filter(|_| is_behind_all)?))
    }

    /// The file with the first line, if it is known.
    pub(crate) fn first(&self) -> Option<First> {
        self.first.clone()
    }

    /// The index of the partition that takes a line: the partitions take turns.
    pub(crate) fn partition_of(&self, line: u64) -> usize {
        let index = line.saturating_sub(1) % self.last.len().max(1) as u64;
        usize::try_from(index).unwrap_or(0)
    }

    /// The line that a partition has last.
    pub(crate) fn of(&self, partition: usize) -> Option<&LastLine> {
        self.last.get(partition)?.as_ref()
    }
}

impl LastLine {
    fn of(record: &ConsumedRecord) -> Option<LastLine> {
        Some(LastLine {
            header: LineHeader::of(record)?,
            text: record.value.as_deref()?.to_vec(),
        })
    }
}
