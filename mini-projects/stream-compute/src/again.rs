//! The input, read once more.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::PathBuf;
use std::time::Duration;

use crate::access_log::{Hit, parse};
use crate::lines::LINE_BYTES_MAX;

/// Of a line so many bytes are kept: enough to see that it is too long.
const KEPT_MAX: u64 = LINE_BYTES_MAX as u64 + 2;

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
            if let Some(open) = &mut self.open {
                let mut kept = open.by_ref().take(KEPT_MAX);
                if kept.read_until(b'\n', &mut self.line)? > 0 {
                    if self.line.last() != Some(&b'\n') {
                        // It is too long, or the last one.
                        open.skip_until(b'\n')?;
                    }
                    return Ok(true);
                }
            }
            let Some((path, bytes)) = self.files.pop_front() else {
                return Ok(false);
            };
            self.open = Some(BufReader::new(File::open(path)?.take(bytes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_no_more_is_held_than_of_one_that_is_taken() {
        let hit = r#"192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /" 200 5 "-" "-""#;
        let longest = format!("{hit} {}", "x".repeat(LINE_BYTES_MAX - hit.len() - 1));
        let lines = [
            "\0".repeat(3_000_000),
            longest.clone(),
            format!("{longest}\r"),
            format!("{longest}x"),
            format!("{longest}xx"),
            format!("{longest}x\r"),
            hit.to_owned(),
            format!("{longest}\rx"),
        ];
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines.join("\n")).unwrap();
        let mut again = Again::new([(file.path().to_owned(), u64::MAX)]);
        let mut hits = 0;
        while again.next_hit().unwrap().is_some() {
            hits += 1;
        }
        assert_eq!((hits, again.lines), (3, lines.len() as u64));
        assert!(again.line.capacity() <= 2 * LINE_BYTES_MAX + 1024);
    }
}
