//! Rows and recount, one beside the other in the order of time.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use message_model::Timestamp;
use stream_engine::Window;

use crate::again::Again;
use crate::settings::Cut;

/// Compares rows that come about in the order of time with the input, read again as far as the
/// rows have come. Holds only what one side has and the other has not yet, so its size does not
/// grow with the input.
#[derive(Debug)]
pub(crate) struct SideBySide {
    again: Again,
    cut: Cut,
    /// A row comes when the input is so far behind the end of its window.
    bound_ms: i64,
    /// By start of the window and address: requests that the input has and the rows do not have;
    /// less than 0 if the rows have more. Never 0.
    differences: HashMap<(i64, IpAddr), i64>,
}

/// How rows and recount differ when both were read to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Differences {
    /// A row has more than the recount, or is there twice.
    pub(crate) is_above: bool,
    /// How many requests of the input are not in the rows.
    pub(crate) missing: u64,
    /// How many lines the input has, also those that do not parse.
    pub(crate) lines: u64,
}

impl SideBySide {
    pub(crate) fn new(again: Again, cut: Cut, out_of_order: Duration) -> SideBySide {
        SideBySide {
            again,
            cut,
            bound_ms: i64::try_from(out_of_order.as_millis()).unwrap_or(i64::MAX),
            differences: HashMap::new(),
        }
    }

    /// Takes the next row, and reads the input as far as the row has come.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub(crate) fn row(&mut self, start: Timestamp, ip: IpAddr, count: u64) -> io::Result<()> {
        let ends = self.cut.windows_of(start).into_iter();
        let end = ends.map(|window| window.end.0).max().unwrap_or(start.0);
        while self.again.latest_ms < end.saturating_add(self.bound_ms) && self.read()? {}
        self.add(start, ip, -i64::try_from(count).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Returns what is different when all rows were taken.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub(crate) fn finish(mut self) -> io::Result<Differences> {
        while self.read()? {}
        let missing = self.differences.values().copied();
        Ok(Differences {
            is_above: self.differences.values().any(|one| *one < 0),
            missing: missing.filter_map(|one| u64::try_from(one).ok()).sum(),
            lines: self.again.lines,
        })
    }

    /// Reads a line of the input; `false` at its end.
    fn read(&mut self) -> io::Result<bool> {
        let Some(hit) = self.again.next_hit()? else {
            return Ok(false);
        };
        for Window { start, .. } in self.cut.windows_of(hit.time) {
            self.add(start, hit.ip, 1);
        }
        Ok(true)
    }

    fn add(&mut self, start: Timestamp, ip: IpAddr, count: i64) {
        let difference = self.differences.entry((start.0, ip)).or_default();
        *difference += count;
        if *difference == 0 {
            self.differences.remove(&(start.0, ip));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::path::PathBuf;

    use super::*;
    use crate::civil_time::Utc;

    const FIVE: Cut = Cut::Tumbling(Duration::from_secs(5));

    fn ip(host: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, host])
    }

    /// A log of lines with these seconds and hosts.
    fn log(lines: impl IntoIterator<Item = (i64, u8)>) -> (tempfile::NamedTempFile, PathBuf) {
        let mut text = String::new();
        for (second, host) in lines {
            let time = Utc(Timestamp(second * 1000)).to_string();
            let (day, time) = (&time[8..10], &time[11..19]);
            let ip = ip(host);
            let _ = writeln!(
                text,
                "{ip} - - [{day}/Jan/1970:{time} +0000] \"GET /\" 200 5"
            );
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().to_owned();
        (file, path)
    }

    fn beside(path: PathBuf) -> SideBySide {
        let again = Again::new([(path, u64::MAX)]);
        SideBySide::new(again, FIVE, Duration::from_secs(10))
    }

    #[test]
    fn what_is_held_does_not_grow_with_the_log() {
        let (_file, path) = log((0..80_000).map(|second| (second, 1)));
        let mut beside = beside(path);
        for window in 0..80_000 / 5 {
            beside.row(Timestamp(window * 5_000), ip(1), 5).unwrap();
            // The window and what is within the bound behind it.
            assert!(beside.differences.len() <= 3, "at {window}");
        }
        let equal = Differences {
            is_above: false,
            missing: 0,
            lines: 80_000,
        };
        assert_eq!(beside.finish().unwrap(), equal);
    }

    #[test]
    fn what_differs_is_found() {
        let lines = [(0, 1), (1, 1), (2, 2), (11, 1)];
        let rows = [(0, 1, 2), (0, 2, 1), (10, 1, 1)];
        let of = |rows: &[(i64, u8, u64)]| {
            let (_file, path) = log(lines);
            let mut beside = beside(path);
            for (start, host, count) in rows {
                let start = Timestamp(start * 1000);
                beside.row(start, ip(*host), *count).unwrap();
            }
            let found = beside.finish().unwrap();
            assert_eq!(found.lines, 4);
            (found.is_above, found.missing)
        };
        assert_eq!(of(&rows), (false, 0));
        assert_eq!(of(&rows[1..]), (false, 2), "a row is missing");
        assert_eq!(of(&[rows[1], rows[2], rows[0]]), (false, 0), "any order");
        let twice = [rows[0], rows[1], rows[2], rows[1]];
        assert_eq!(of(&twice), (true, 0), "a row is there twice");
        assert_eq!(of(&[(0, 1, 1), rows[1], rows[2]]), (false, 1), "too few");
        assert_eq!(of(&[(0, 1, 1), (0, 2, 2), rows[2]]), (true, 1), "moved");
    }
}
