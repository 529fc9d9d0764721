//! Is it right? The same count, done again the simple way.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::access_log::parse;
use crate::lines::LINE_BYTES_MAX;
use crate::row::Row;
use crate::window::Tumbling;

/// A batch count: read the file from its start to its end, add up, done. No
/// queue, no order, no watermark.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recount {
    /// The count of each row, by [`Row::key`].
    pub rows: BTreeMap<String, u64>,
    /// How many lines the file has.
    pub lines: u64,
}

impl Recount {
    // ANCHOR: recount
    /// Counts the first `bytes` of a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(path: &Path, bytes: u64, windows: Tumbling) -> io::Result<Recount> {
        let mut recount = Recount::default();
        let mut reader = BufReader::new(File::open(path)?.take(bytes));
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            recount.lines += 1;
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.len() <= LINE_BYTES_MAX
                && let Ok(hit) = parse(text)
            {
                let row = Row {
                    window: windows.window_of(hit.time),
                    ip: hit.ip,
                    count: 1,
                };
                *recount.rows.entry(row.key()).or_default() += 1;
            }
            line.clear();
        }
        Ok(recount)
    }
    // ANCHOR_END: recount
}

/// What the check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every row equals the recount's, but for lines that came late.
    Equal,
    /// The input cannot be read again; the rows add up to the lines.
    AddsUp,
    /// A row differs from the recount's.
    Differs {
        /// Which one comes first.
        key: String,
        /// The count in the topic; 0 if there is no such row.
        row: u64,
        /// The count that was expected.
        recount: u64,
    },
    /// The lines in rows and those in the side output are not all lines.
    DoesNotAddUp {
        /// The lines in rows and in the side output.
        accounted: u64,
        /// All lines.
        lines: u64,
    },
    /// A row is in the topic twice: once is all that a reader of committed records may find.
    Twice {
        /// Which one.
        key: String,
    },
}

impl Verdict {
    /// Compares rows with a recount. Late lines are in the recount and in no row.
    #[must_use]
    pub fn compare(
        rows: &BTreeMap<String, u64>,
        recount: &BTreeMap<String, u64>,
        late: u64,
    ) -> Verdict {
        let mut first = None;
        for key in rows.keys().chain(recount.keys()) {
            let row = rows.get(key).copied().unwrap_or(0);
            let again = recount.get(key).copied().unwrap_or(0);
            let differs = || Verdict::Differs {
                key: key.clone(),
                row,
                recount: again,
            };
            if row > again {
                return differs();
            }
            if row < again {
                first = first.or_else(|| Some(differs()));
            }
        }
        // No row has more than the recount, so what is missing cannot be made up for elsewhere.
        let accounted = rows.values().sum::<u64>() + late;
        let lines = recount.values().sum();
        if accounted == lines {
            return Verdict::Equal;
        }
        first.unwrap_or(Verdict::DoesNotAddUp { accounted, lines })
    }

    /// Whether all is well.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Verdict::Equal | Verdict::AddsUp)
    }
}
