//! Deleting old segments.

use message_model::{Offset, Timestamp};

use super::Log;
use crate::error::Error;
use crate::part::{SegmentSummary, expired};

impl Log {
    /// Deletes the segments whose time has come, none that holds an offset at or
    /// above `keep_from`. Returns how many. Readers of them can finish.
    ///
    /// # Errors
    /// As the disk says.
    pub fn apply_retention(&mut self, now: Timestamp, keep_from: Offset) -> Result<usize, Error> {
        self.check_online()?;
        let summaries = self.summaries()?;
        let count = expired(&summaries, self.config.retention, now, keep_from);
        for _ in 0..count.min(self.sealed.len()) {
            // One after the other, each for good: a crash leaves no hole.
            self.remove_segment(self.sealed[0].base_offset)?;
            self.sealed.remove(0);
        }
        if count > 0 {
            // It may hold a deleted file open, and its space with it.
            self.loaded.take();
        }
        Ok(count)
    }

    fn summaries(&self) -> Result<Vec<SegmentSummary>, Error> {
        let mut summaries = Vec::new();
        for (index, segment) in self.sealed.iter().enumerate() {
            summaries.push(SegmentSummary {
                base_offset: segment.base_offset,
                end_offset: segment.end_offset,
                size: u64::from(segment.size),
                max_timestamp: self.age_mark(index)?,
            });
        }
        summaries.push(SegmentSummary {
            base_offset: self.active.base_offset,
            end_offset: self.active.end_offset,
            size: u64::from(self.active.size),
            max_timestamp: self.age_mark(self.sealed.len())?,
        });
        Ok(summaries)
    }

    /// What a segment's age is counted from. Without a limit on age nobody needs to know.
    fn age_mark(&self, segment: usize) -> Result<Option<Timestamp>, Error> {
        if self.config.retention.age.is_none() {
            return Ok(None);
        }
        let newest = match self.newest(segment) {
            // Nobody knows how new the rest is.
            Err(Error::Damaged { .. }) => return Ok(Some(Timestamp(i64::MAX))),
            other => other?,
        };
        // Records without a timestamp have no age: they go by size only.
        Ok(newest.map(|newest| {
            if newest < Timestamp(0) {
                Timestamp(i64::MAX)
            } else {
                newest
            }
        }))
    }
}
