//! Bytes of a file, and the lines that are cut out of them.

use std::ops::Range;

use crate::exchange::BATCH;

/// The longest line that is taken whole, in bytes without its line end.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// Of a line that is not whole yet, so many bytes are kept: enough to see that it is too long.
const KEPT_MAX: usize = LINE_BYTES_MAX + 1;

/// A line of a file, as it is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// How many bytes of its file are before it.
    pub offset: u64,
    /// Without `\n` or `\r\n`. Of a line that is too long, its beginning.
    pub text: &'a [u8],
    /// It is longer than [`LINE_BYTES_MAX`].
    pub too_long: bool,
}

/// Bytes of one file, from the start of a line on. Pure: what is read is passed in.
#[derive(Debug)]
pub(super) struct LineBuffer {
    bytes: Vec<u8>,
    /// `bytes[from..to]` was read and is not taken.
    from: usize,
    to: usize,
    /// Where in the file the line begins that is at `from`.
    start: u64,
    /// How many bytes of a line that is too long were dropped, behind what is in the buffer of it.
    dropped: u64,
    /// The line at `from` is of another chunk, or this is its end.
    pub(super) is_foreign: bool,
    /// The file has nothing behind `to`.
    pub(super) at_end: bool,
}

/// A line that is not whole yet.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    bytes: Vec<u8>,
    dropped: u64,
}

impl LineBuffer {
    /// A buffer for so many bytes at once.
    pub(super) fn new(piece: usize) -> LineBuffer {
        LineBuffer {
            bytes: vec![0; KEPT_MAX + piece],
            from: 0,
            to: 0,
            start: 0,
            dropped: 0,
            is_foreign: false,
            at_end: false,
        }
    }

    /// Forgets what it has, and begins with a line that begins at `start`.
    pub(super) fn begin(&mut self, start: u64, Unfinished { bytes, dropped }: Unfinished) {
        self.bytes[..bytes.len()].copy_from_slice(&bytes);
        (self.from, self.to) = (0, bytes.len());
        (self.start, self.dropped) = (start, dropped);
        (self.is_foreign, self.at_end) = (false, false);
    }

    /// Where the line begins that is not taken yet.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Up to where the file was read.
    pub(super) fn read_to(&self) -> u64 {
        self.start + self.dropped + (self.to - self.from) as u64
    }

    /// All that was read is taken.
    pub(super) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// Gives the memory away for a read, which fills this range of it from the start on.
    pub(super) fn lend(&mut self) -> (Vec<u8>, Range<usize>) {
        self.make_room();
        let bytes = std::mem::take(&mut self.bytes);
        let piece = bytes.len() - KEPT_MAX;
        (bytes, self.to..self.to + piece)
    }

    /// Takes the memory back, with so many bytes more.
    pub(super) fn give_back(&mut self, bytes: Vec<u8>, count: usize) {
        self.bytes = bytes;
        self.to += count;
    }

    /// What there is of a line that is not whole, when no whole one is left.
    pub(super) fn unfinished(&mut self) -> Unfinished {
        self.make_room();
        Unfinished {
            bytes: self.bytes[..self.to].to_owned(),
            dropped: self.dropped,
        }
    }

    /// Moves the beginning of a line to the front. Of one that is too long, keeps so much
    /// that it can be seen to be.
    fn make_room(&mut self) {
        let kept = (self.to - self.from).min(KEPT_MAX);
        self.dropped += (self.to - self.from - kept) as u64;
        self.bytes.copy_within(self.from..self.from + kept, 0);
        (self.from, self.to) = (0, kept);
    }

    /// Takes the whole lines that begin below `end`, up to a batch. At the end of the file the
    /// last line is whole without a line end.
    pub(super) fn take_lines<T>(
        &mut self,
        end: u64,
        parse: &impl Fn(Line<'_>) -> T,
        values: &mut Vec<T>,
    ) {
        while values.len() < BATCH && self.from < self.to && self.start < end {
            let rest = &self.bytes[self.from..self.to];
            let (length, text) = match memchr::memchr(b'\n', rest) {
                Some(at) => (
                    at + 1,
                    rest[..at].strip_suffix(b"\r").unwrap_or(&rest[..at]),
                ),
                None if self.at_end => (rest.len(), rest),
                None => return,
            };
            if !self.is_foreign {
                values.push(parse(Line {
                    offset: self.start,
                    text: &text[..text.len().min(LINE_BYTES_MAX)],
                    too_long: self.dropped > 0 || text.len() > LINE_BYTES_MAX,
                }));
            }
            self.from += length;
            self.start += self.dropped + length as u64;
            (self.dropped, self.is_foreign) = (0, false);
        }
    }
}
