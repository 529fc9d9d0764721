//! Where a consumer is, and where it goes.

use client::OffsetSpec;
use message_model::{Moment, Offset, Timestamp, TopicPartition};

use crate::consumer::{Consumer, Place};
use crate::error::Error;

/// The place in a partition from which to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeekTo {
    /// This offset. If the partition does not have it, the next poll goes where
    /// [`OffsetReset`](crate::OffsetReset) says.
    Offset(Offset),
    /// The first record that there is.
    Beginning,
    /// The next record that comes.
    End,
    /// The first record of this time or later; the end if there is none.
    Time(Timestamp),
}

/// How far a consumer is behind in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The partition that the rest is about.
    pub partition: TopicPartition,
    /// The offset that is read next.
    pub position: Offset,
    /// Where the partition ended when it was last fetched from; `None`: not known yet.
    pub end: Option<Offset>,
}

impl Lag {
    /// Returns how many offsets are between the two; `None`: not known yet.
    #[must_use]
    pub fn offsets(&self) -> Option<i64> {
        Some(self.end?.since(self.position).max(0))
    }
}

impl Consumer {
    /// Goes on reading `partition` at another place. What was fetched of it is dropped, and
    /// what was polled of it is not committed any more.
    ///
    /// # Errors
    /// When the partition is not assigned, or the place cannot be found.
    pub async fn seek(&mut self, partition: &TopicPartition, to: SeekTo) -> Result<(), Error> {
        if !self.positions.contains_key(partition) {
            return Err(Error::NotAssigned(partition.clone()));
        }
        let deadline = self.deadline();
        let spec = match to {
            SeekTo::Offset(offset) => {
                self.move_to(partition, offset);
                return Ok(());
            }
            SeekTo::Beginning => OffsetSpec::Earliest,
            SeekTo::End => self.end(),
            SeekTo::Time(time) => OffsetSpec::AtOrAfter(time),
        };
        let found = match self.find_offset(partition, spec, deadline).await? {
            Some(offset) => Some(offset),
            None => self.find_offset(partition, self.end(), deadline).await?,
        };
        let offset = found.ok_or_else(|| Error::NoOffset(partition.clone()))?;
        self.move_to(partition, offset);
        Ok(())
    }

    /// Returns the offset that is read next; `None` if the partition is not assigned.
    #[must_use]
    pub fn position(&self, partition: &TopicPartition) -> Option<Offset> {
        Some(self.positions.get(partition)?.position)
    }

    /// Returns how far the consumer is behind in each of its partitions, as of their last
    /// fetch.
    #[must_use]
    pub fn lag(&self) -> Vec<Lag> {
        let lag = |(partition, place): (&TopicPartition, &Place)| Lag {
            partition: partition.clone(),
            position: place.position,
            end: place.high_watermark,
        };
        self.positions.iter().map(lag).collect()
    }

    pub(crate) fn move_to(&mut self, partition: &TopicPartition, position: Offset) {
        self.fetcher.buffer.seek(partition, position);
        self.acks.tracker().seek(partition, position);
        if let Some(place) = self.positions.get_mut(partition) {
            place.position = position;
        }
    }

    /// Where the records end that this consumer may read.
    pub(crate) fn end(&self) -> OffsetSpec {
        match self.settings.read_committed {
            true => OffsetSpec::LastStable,
            false => OffsetSpec::Latest,
        }
    }

    pub(crate) async fn find_offset(
        &self,
        partition: &TopicPartition,
        spec: OffsetSpec,
        deadline: Moment,
    ) -> Result<Option<Offset>, Error> {
        Ok(self.client.find_offset(partition, spec, deadline).await?)
    }
}
