//! The stripes of a file: parts of it that several subtasks read.
//!
//! ```text
//! the file's chunks    0 1 2 3 4 5 6 7 8 …
//! of 3 stripes         a b c a b c a b c …
//! ```
//!
//! # Invariants
//! - A line belongs to the chunk in which its first byte is. So each line is in one stripe,
//!   wherever chunks end.
//! - How a file is divided is in its checkpoints and does not depend on the parallelism. So with
//!   another number of subtasks whole stripes move.

use serde::{Deserialize, Serialize};

use super::line_buffer::LineBuffer;

/// How a file is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Layout {
    /// How many stripes there are.
    pub(super) stripes: u32,
    /// How many bytes a chunk has.
    pub(super) chunk: u64,
}

impl Layout {
    /// A file that is not divided.
    pub(super) const WHOLE: Layout = Layout {
        stripes: 1,
        chunk: u64::MAX,
    };
    /// A large file. Event time lags by as much as the subtasks are apart.
    pub(super) const STRIPES: Layout = Layout {
        stripes: 16,
        chunk: 64 * 1024,
    };

    /// From which length on a file is divided, in bytes: each stripe has a chunk.
    pub(super) fn length_min(self) -> u64 {
        self.chunk.saturating_mul(self.stripes.into())
    }

    /// Up to where a file is read that is so long now: if it is not divided, to its end, wherever
    /// that is by then.
    pub(super) fn length(self, now: u64) -> u64 {
        if self == Layout::WHOLE { u64::MAX } else { now }
    }

    /// Where the first chunk of a stripe begins.
    pub(super) fn first_chunk(self, stripe: u32) -> u64 {
        self.chunk.saturating_mul(stripe.into())
    }

    /// Where the chunk ends that has this byte.
    pub(super) fn chunk_end(self, place: u64) -> u64 {
        (place / self.chunk + 1).saturating_mul(self.chunk)
    }

    /// Where the next chunk of the same stripe begins.
    pub(super) fn next_chunk(self, place: u64) -> u64 {
        (place / self.chunk + u64::from(self.stripes)).saturating_mul(self.chunk)
    }

    /// How many partitions a file may have: all parts of each number of parts.
    pub(super) fn partitions(self) -> u32 {
        self.stripes * (self.stripes + 1) / 2
    }

    /// The part of a file that has a stripe, and which partition of the file that is. A part is what
    /// one subtask reads: stripes beside each other, so that their chunks are read at once. With
    /// another number of parts all are other partitions: what a checkpoint says of event time in
    /// a part is not true of one with other stripes.
    pub(super) fn part(self, stripe: u32, subtasks: usize) -> (u32, u32) {
        let parts = u32::try_from(subtasks).map_or(self.stripes, |count| count.min(self.stripes));
        let part = stripe * parts / self.stripes;
        (part, parts * (parts - 1) / 2 + part)
    }

    /// Whether this may be in the middle of a line, because a stripe that has come to a chunk has
    /// not looked for the first line in it yet. All other places are between two lines.
    pub(super) fn may_be_within_line(self, place: u64) -> bool {
        place > 0 && place.is_multiple_of(self.chunk)
    }
}

/// A stripe that is being read.
#[derive(Debug)]
pub(super) struct Stripe {
    /// In its file, counted from 0.
    pub(super) number: u32,
    /// Where it goes on: between two lines, or at the start of a chunk.
    pub(super) place: u64,
    /// Nothing more can be read.
    pub(super) is_over: bool,
}

impl Stripe {
    /// Notes what was taken from `buffer`. Returns whether the buffer has nothing more for it.
    pub(super) fn advance(&mut self, buffer: &LineBuffer, layout: Layout, length: u64) -> bool {
        let chunk_end = layout.chunk_end(self.place);
        let read = if buffer.is_foreign {
            // A line of another stripe that goes on behind the chunk: no line begins here.
            buffer.read_to()
        } else {
            self.place = buffer.start();
            self.place
        };
        let is_behind = read >= chunk_end;
        if is_behind {
            self.place = layout.next_chunk(chunk_end - 1);
        }
        self.is_over = self.place >= length || buffer.at_end && buffer.is_empty();
        is_behind || self.is_over
    }
}
