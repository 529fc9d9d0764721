//! What is appended at once: batches with their offsets.

use message_model::{Offset, OffsetRange};
use record_batch::{BatchHeader, Batches};

/// Whole batches, one behind the other, whose offsets ascend.
#[derive(Debug)]
pub(crate) struct BatchRun<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) size: u32,
    pub(crate) range: OffsetRange,
}

impl<'a> BatchRun<'a> {
    /// Checks the headers of `bytes`.
    ///
    /// # Panics
    /// When they are not whole batches with ascending offsets, the first at or
    /// above `log_end`; there is none; or they have 2 GiB or more.
    pub(crate) fn new(bytes: &'a [u8], log_end: Offset) -> BatchRun<'a> {
        let mut end = log_end;
        let mut start = None;
        for batch in Batches::new(bytes) {
            let (header, _) = batch.expect("whole batches are appended");
            let range = header.range();
            assert!(
                range.start >= end && range.end > range.start,
                "offsets ascend: {range} follows {end}"
            );
            start.get_or_insert(range.start);
            end = range.end;
        }
        BatchRun {
            bytes,
            size: i32::try_from(bytes.len())
                .expect("less than 2 GiB are appended at once")
                .unsigned_abs(),
            range: OffsetRange {
                start: start.expect("at least one batch is appended"),
                end,
            },
        }
    }

    /// Each batch's position in the run, in bytes, and its header.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (u32, BatchHeader)> {
        let mut position = 0;
        Batches::new(self.bytes).map_while(move |batch| {
            let (header, batch) = batch.ok()?;
            let at = position;
            position += u32::try_from(batch.len()).ok()?;
            Some((at, header))
        })
    }
}
