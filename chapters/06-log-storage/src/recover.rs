//! Opening the last segment after a crash at any moment.

use std::io;
use std::path::Path;

use message_model::Offset;
use record_batch::{BatchHeader, layout};

use crate::error::{At, Error};
use crate::indexes::Indexes;
use crate::part::{Recovery, Step};
use crate::window::Window;
use disk::File;

/// No setting of `max.message.bytes` lets in a larger batch, in bytes. The
/// setting of today is no measure for what it let in yesterday.
const BATCH_SIZE_LIMIT: usize = 100 * 1024 * 1024;

/// A segment, walked along batch by batch.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) indexes: Indexes,
    /// Where the last whole batch ends, in bytes.
    pub(crate) size: u64,
    /// The first offset behind it.
    pub(crate) end_offset: Offset,
    /// How long the file is, in bytes.
    pub(crate) length: u64,
}

/// Walks along the segment in `file`, in windows: no more than one batch and a
/// window are in memory. Changes nothing.
///
/// # Errors
/// [`Error::Damaged`] when it has not all batches up to `recovery_point`; else as the disk says.
pub(crate) fn walk(
    path: &Path,
    file: &dyn File,
    mut indexes: Indexes,
    recovery_point: Offset,
) -> Result<Walked, Error> {
    let length = file.length().at(path)?;
    let mut walk = Recovery::new(indexes.base_offset, BATCH_SIZE_LIMIT);
    let mut window = Window::default();
    let mut wanted = layout::RECORDS;
    loop {
        let (position, offset) = (walk.position(), walk.next_offset());
        let damaged = || Error::Damaged {
            path: path.to_owned(),
            position,
            offset,
        };
        let left = length.saturating_sub(position);
        let bytes = window.at(file, position, wanted, length).at(path)?;
        if (bytes.len() as u64) < left.min(wanted as u64) {
            return Err(io::ErrorKind::UnexpectedEof.into()).at(path);
        }
        // ANCHOR: walk
        match walk.step(bytes) {
            Step::Batch(header) => {
                if passes_over(recovery_point, offset, &header) {
                    return Err(damaged());
                }
                indexes.note(u32::try_from(position).unwrap_or(u32::MAX), &header);
                assert!(walk.position() > position, "a batch is behind the walk");
                wanted = layout::RECORDS;
            }
            Step::Need(more) if more as u64 <= left => {
                assert!(more > bytes.len(), "a step asks for bytes that it has");
                wanted = more;
            }
            Step::Need(_) | Step::End if offset < recovery_point => return Err(damaged()),
            Step::Need(_) | Step::End => {
                return Ok(Walked {
                    indexes,
                    size: position,
                    end_offset: offset,
                    length,
                });
            }
        }
        // ANCHOR_END: walk
    }
}

/// Whether the batch stands where the recovery point should be: that point is
/// the end of a batch. The base offset is not covered by the CRC, so a batch
/// may claim to be further on than it is.
// ANCHOR: passes_over
fn passes_over(recovery_point: Offset, end_before: Offset, header: &BatchHeader) -> bool {
    end_before < recovery_point && header.range().end > recovery_point
}
// ANCHOR_END: passes_over
