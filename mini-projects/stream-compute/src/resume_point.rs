//! Where a job goes on that was killed.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::{Offset, Timestamp};

use crate::pipeline::Tally;
use crate::window::Tumbling;

/// A place in the topic of lines, between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The offset of the first record behind it.
    pub offset: Offset,
    /// The highest line number before it; 0 if there is none.
    pub line: u64,
}

/// What is committed together with the rows of closed windows: all that a job must know
/// to go on behind them.
///
/// The counts of open windows are not in it. They are counted again, from the line on
/// with which the first of these windows was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResumePoint {
    /// From here on lines are read again. It is the offset that is committed.
    pub from: Place,
    /// The lines below this offset are in `tally`. Those of closed windows are in rows.
    pub taken: Offset,
    /// The latest time of a line, which says with the bound what is closed.
    pub latest: Option<Timestamp>,
    /// What became of the lines.
    pub tally: Tally,
}

impl ResumePoint {
    /// Returns what is committed with the offset: names with values, and how the job counts.
    #[must_use]
    pub fn metadata(&self, windows: Tumbling, out_of_order: Duration) -> String {
        let (settings, tally) = (settings(windows, out_of_order), &self.tally);
        let mut text = format!(
            "{settings} line={} taken={} counted={} repeated={} unparsable={} late={}",
            self.from.line,
            self.taken.0,
            tally.counted,
            tally.repeated,
            tally.unparsable,
            tally.late,
        );
        if let Some(latest) = self.latest {
            text += &format!(" latest_ms={}", latest.0);
        }
        text
    }

    /// Reads what [`metadata`](ResumePoint::metadata) has made for this offset. `None` if it was
    /// something else, or of a job that counts in another way.
    #[must_use]
    pub fn read(
        (offset, metadata): (Offset, &str),
        windows: Tumbling,
        out_of_order: Duration,
    ) -> Option<ResumePoint> {
        let values = metadata.strip_prefix(&settings(windows, out_of_order))?;
        let values: BTreeMap<&str, &str> = values
            .split(' ')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let count = |name: &str| values.get(name)?.parse::<u64>().ok();
        let latest = values.get("latest_ms").map(|value| value.parse());
        Some(ResumePoint {
            from: Place {
                offset,
                line: count("line")?,
            },
            taken: Offset(values.get("taken")?.parse().ok()?),
            latest: latest.transpose().ok()?.map(Timestamp),
            tally: Tally {
                counted: count("counted")?,
                repeated: count("repeated")?,
                unparsable: count("unparsable")?,
                late: count("late")?,
            },
        })
    }
}

fn settings(windows: Tumbling, out_of_order: Duration) -> String {
    let (window, bound) = (windows.size_ms(), out_of_order.as_millis());
    format!("window_ms={window} out_of_order_ms={bound}")
}
