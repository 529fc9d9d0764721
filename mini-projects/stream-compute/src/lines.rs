//! Cutting a stream of bytes into lines, however it arrives.

/// The longest line that is taken, in bytes without its line end.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// A line of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the input, over all files, counted from 1.
    pub number: u64,
    /// The byte of its file at which it begins.
    pub at: u64,
    /// Without `\n` or `\r\n`; `None` when it is longer than [`LINE_BYTES_MAX`].
    pub text: Option<Vec<u8>>,
}

/// Cuts bytes into lines. Holds at most one line, and of one that is too long nothing.
#[derive(Debug, Default)]
pub struct LineSplitter {
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// The beginning was dropped: the line is too long.
    too_long: bool,
    /// How many bytes have come since the last line end, dropped ones included.
    pending_bytes: u64,
    /// How many lines have ended, which is the number of the last one.
    complete: u64,
    /// The byte of the file at which the next line begins.
    at: u64,
}

impl LineSplitter {
    /// A splitter of what is behind so many lines, at this byte of a file.
    #[must_use]
    pub fn behind(lines: u64, at: u64) -> LineSplitter {
        LineSplitter {
            complete: lines,
            at,
            ..LineSplitter::default()
        }
    }

    /// Takes the next bytes, and returns the lines that end in them.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    self.extend(end);
                    let line = self.take();
                    self.at += 1;
                    lines.push(line);
                }
                None => self.extend(piece),
            }
        }
        lines
    }

    /// At the end of a file: what has come since the last line end, if anything. What comes then
    /// is of another file.
    pub fn finish(&mut self) -> Option<Line> {
        let anything = self.too_long || !self.partial.is_empty();
        let last = anything.then(|| self.take());
        self.at = 0;
        last
    }

    /// How many bytes have come since the last line end.
    #[must_use]
    pub fn pending_bytes(&self) -> u64 {
        self.pending_bytes
    }

    fn extend(&mut self, piece: &[u8]) {
        self.pending_bytes += piece.len() as u64;
        // One more for a `\r` that is not counted.
        if self.too_long || self.partial.len() + piece.len() > LINE_BYTES_MAX + 1 {
            self.partial = Vec::new();
            self.too_long = true;
        } else {
            self.partial.extend_from_slice(piece);
        }
    }

    fn take(&mut self) -> Line {
        let mut text = std::mem::take(&mut self.partial);
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        let fits = !std::mem::take(&mut self.too_long) && text.len() <= LINE_BYTES_MAX;
        self.complete += 1;
        let at = self.at;
        self.at += std::mem::take(&mut self.pending_bytes);
        Line {
            number: self.complete,
            at,
            text: fits.then_some(text),
        }
    }
}
