//! Is it right? The same count, done again the simple way.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use stream_engine::Window;

use crate::again::Again;
use crate::row::Row;
use crate::settings::Cut;

/// A batch count: read the files from their start to their end, add up, done. No
/// queue, no order, no watermark.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recount {
    /// The count of each row, by [`Row::key`].
    pub rows: BTreeMap<String, u64>,
    /// How many lines the files have, also those that do not parse.
    pub lines: u64,
    /// How far a line is behind the latest one before it, at most.
    pub out_of_order: Duration,
}

impl Recount {
    // ANCHOR: recount
    /// Counts the first so many bytes of each of these files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn of(files: &[(PathBuf, u64)], cut: Cut) -> io::Result<Recount> {
        let mut again = Again::new(files.iter().cloned());
        let mut counts = BTreeMap::new();
        while let Some(hit) = again.next_hit()? {
            for window in cut.windows_of(hit.time) {
                *counts.entry((hit.ip, window)).or_default() += 1;
            }
        }
        if let Cut::Sessions(_) = cut {
            counts = joined(counts);
        }
        let rows = counts.into_iter().map(|((ip, window), count)| {
            let revision = 0;
            let row = Row {
                window,
                ip,
                count,
                revision,
            };
            (row.key(), count)
        });
        Ok(Recount {
            rows: rows.collect(),
            lines: again.lines,
            out_of_order: again.out_of_order(),
        })
    }
    // ANCHOR_END: recount

    /// Keeps the rows of each window that have the highest counts.
    #[must_use]
    pub fn top(&self, count: usize) -> BTreeMap<String, u64> {
        let mut windows: BTreeMap<&str, Vec<Ranked<'_>>> = BTreeMap::new();
        for (key, requests) in &self.rows {
            let (start, ip) = key.split_once(' ').unwrap_or((key, ""));
            let row = (Reverse(*requests), ip.parse().ok(), key);
            windows.entry(start).or_default().push(row);
        }
        let mut top = BTreeMap::new();
        for mut rows in windows.into_values() {
            rows.sort();
            let first = rows.into_iter().take(count);
            top.extend(first.map(|(requests, _, key)| (key.clone(), requests.0)));
        }
        top
    }
}

/// Of a row: its count, its address, its key.
type Ranked<'a> = (Reverse<u64>, Option<IpAddr>, &'a String);

type Counts = BTreeMap<(IpAddr, Window), u64>;

/// Sessions of lines that are alone, joined where they overlap.
fn joined(alone: Counts) -> Counts {
    let mut joined: Vec<((IpAddr, Window), u64)> = Vec::new();
    for ((ip, window), count) in alone {
        match joined.last_mut() {
            Some(((last_ip, last), sum)) if *last_ip == ip && window.start < last.end => {
                last.end = window.end;
                *sum += count;
            }
            _ => joined.push(((ip, window), count)),
        }
    }
    joined.into_iter().collect()
}

/// Whether the committed rows are right, and what could be checked of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every row equals the recount's, but for lines that came late.
    Equal,
    /// The input cannot be read again; the rows add up to the lines.
    AddsUp,
    /// Each row is there once. No more can be checked: lines came late into sessions, or
    /// the input cannot be read again and its lines are in several rows.
    Once,
    /// Some lines came late. They may be counted in some of their windows and not in others, so it
    /// was checked that no row has more than the recount's.
    NoneAbove,
    /// A row differs from the recount's.
    Differs {
        /// The first such row, by [`Row::key`].
        key: String,
        /// The count in the topic; 0 if there is no such row.
        row: u64,
        /// The count in the recount; 0 if it has no such row.
        recount: u64,
    },
    /// The lines in rows and those in the side output are not all lines.
    DoesNotAddUp {
        /// The lines in rows and in the side output.
        accounted: u64,
        /// The lines of the input.
        lines: u64,
    },
    /// A row is in the topic twice: once is all that a reader of committed records may find.
    Twice {
        /// The first such row, by [`Row::key`].
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

    /// Says whether a row has more than the recount's.
    #[must_use]
    pub fn none_above(rows: &BTreeMap<String, u64>, recount: &BTreeMap<String, u64>) -> Verdict {
        let again = |key| recount.get(key).copied().unwrap_or(0);
        let above = rows.iter().find(|(key, row)| **row > again(*key));
        above.map_or(Verdict::NoneAbove, |(key, row)| Verdict::Differs {
            key: key.clone(),
            row: *row,
            recount: again(key),
        })
    }

    /// Whether no row is wrong, as far as that could be checked.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(
            self,
            Verdict::Equal | Verdict::AddsUp | Verdict::Once | Verdict::NoneAbove
        )
    }
}
