//! The input, read once more.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::PathBuf;
use std::time::Duration;

use crate::access_log::{Hit, parse};
use crate::lines::LINE_BYTES_MAX;

/// Reads lines of files, one after the other, without the queue.
#[derive(Debug)]
pub(crate) struct Again {
    /// The files that were not begun, and how many bytes of each are read.
    files: VecDeque<(PathBuf, u64)>,
    open: Option<BufReader<Take<File>>>,
    line: Vec<u8>,
    /// How many lines were read so far, also those that do not parse.
    pub(crate) lines: u64,
    /// The latest time of a line; below all times if there is none.
    pub(crate) latest_ms: i64,
    behind_ms: u64,
}

impl Again {
    pub(crate) fn new(files: impl IntoIterator<Item = (PathBuf, u64)>) -> Again {
        Again {
            files: files.into_iter().collect(),
            open: None,
            line: Vec::new(),
            lines: 0,
            latest_ms: i64::MIN,
            behind_ms: 0,
        }
    }

    /// How far a line is behind the latest one before it, at most.
    pub(crate) fn out_of_order(&self) -> Duration {
        Duration::from_millis(self.behind_ms)
    }

    /// Reads up to the next line that has an address and a time; `None` at the end.
    pub(crate) fn next_hit(&mut self) -> io::Result<Option<Hit>> {
        while self.read_line()? {
            self.lines += 1;
            let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.len() <= LINE_BYTES_MAX
                && let Ok(hit) = parse(text)
            {
                self.latest_ms = self.latest_ms.max(hit.time.0);
                self.behind_ms = self.behind_ms.max(self.latest_ms.abs_diff(hit.time.0));
                return Ok(Some(hit));
            }
        }
        Ok(None)
    }

    fn read_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        loop {
            if let Some(open) = &mut self.open
                && open.read_until(b'\n', &mut self.line)? > 0
            {
                return Ok(true);
            }
            let Some((path, bytes)) = self.files.pop_front() else {
                return Ok(false);
            };
            self.open = Some(BufReader::new(File::open(path)?.take(bytes)));
        }
    }
}
