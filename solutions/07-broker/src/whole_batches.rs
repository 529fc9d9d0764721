//! How much a fetch returns.

use message_model::{Offset, OffsetRange};
use record_batch::BatchHeader;

/// What a reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// The first offset wanted.
    pub from: Offset,
    /// The end that the reader may see: nothing at or above it.
    pub end: Offset,
    /// The most bytes.
    pub max_bytes: u32,
    /// Whether the first batch is returned even if it is larger than `max_bytes`
    /// (else a reader with a small buffer would never get past it). `end` holds for it too.
    pub at_least_one: bool,
}

/// A run of whole batches in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Where the run starts in the segment, in bytes.
    pub position: u32,
    /// How long it is, in bytes.
    pub length: u32,
    /// The offsets of its batches.
    pub range: OffsetRange,
}

/// Selects from `batches`, which lie one behind the other at the given positions:
/// whole ones, from the one that holds `want.from` on (the reader drops what it
/// did not ask for from its front), as many as `want` allows. `None` if that is none.
/// If no batch holds `want.from`, it begins with the next one: a log may have gaps.
///
/// From there on it reads no further than the first batch that it does not take.
/// A batch's offsets are [`BatchHeader::range`], its bytes [`BatchHeader::size`].
///
/// # Errors
/// An error of `batches`, if it comes before anything is selected. If it comes
/// later, the selection ends there: a reader gets all that can be read, and meets
/// the error when it asks for what follows.
pub fn whole_batches<E>(
    batches: impl IntoIterator<Item = Result<(u32, BatchHeader), E>>,
    want: Want,
) -> Result<Option<Selection>, E> {
    // task 7.1: begin with the batch that holds the offset, end before the first that does not fit
    let mut selection: Option<Selection> = None;
    for batch in batches {
        let (position, header) = match batch {
            Ok(batch) => batch,
            Err(_) if selection.is_some() => break,
            Err(error) => return Err(error),
        };
        let range = header.range();
        if range.end <= want.from {
            continue;
        }
        let start = selection.map_or(position, |so_far| so_far.position);
        let Ok(length) = u32::try_from(u64::from(position - start) + header.size() as u64) else {
            break;
        };
        let fits = length <= want.max_bytes || (selection.is_none() && want.at_least_one);
        if range.end > want.end || !fits {
            break;
        }
        selection = Some(Selection {
            position: start,
            length,
            range: OffsetRange {
                start: selection.map_or(range.start, |so_far| so_far.range.start),
                end: range.end,
            },
        });
    }
    Ok(selection)
    // end
}
