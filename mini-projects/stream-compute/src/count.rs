//! Counting per address and window.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use message_model::Timestamp;

use crate::access_log::Hit;
use crate::civil_time::Utc;
use crate::row::Row;
use crate::watermark::Watermark;
use crate::window::{Tumbling, Window};

/// A hit whose window was closed before it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("late: the window of {} had ended when the watermark came to {}", Utc(*time), Utc(*watermark))]
pub struct Late {
    /// When it happened.
    pub time: Timestamp,
    /// How far event time had come.
    pub watermark: Timestamp,
}

/// The counts of the windows that are open.
///
/// # Invariants
/// - A window is open from its first hit until the watermark reaches its end.
/// - What is late depends on the order of the hits, and on nothing else: the
///   same hits in the same order give the same rows.
#[derive(Debug)]
pub struct WindowCounts {
    windows: Tumbling,
    watermark: Watermark,
    open: BTreeMap<Window, BTreeMap<IpAddr, u64>>,
}

impl WindowCounts {
    /// No window is open. `out_of_order` is how far behind the latest a hit may come.
    #[must_use]
    pub fn new(windows: Tumbling, out_of_order: Duration) -> WindowCounts {
        WindowCounts {
            windows,
            watermark: Watermark::behind_by(out_of_order),
            open: BTreeMap::new(),
        }
    }

    // ANCHOR: add
    /// Counts a hit.
    ///
    /// # Errors
    /// When its window is closed; it is not counted then.
    pub fn add(&mut self, hit: Hit) -> Result<(), Late> {
        let window = self.windows.window_of(hit.time);
        if let Some(watermark) = self.watermark.current()
            && window.end <= watermark
        {
            let time = hit.time;
            return Err(Late { time, watermark });
        }
        *self
            .open
            .entry(window)
            .or_default()
            .entry(hit.ip)
            .or_default() += 1;
        self.watermark.observe(hit.time);
        Ok(())
    }
    // ANCHOR_END: add

    /// Closes the windows that the watermark has reached the end of; their rows,
    /// by window and address.
    pub fn close_complete(&mut self) -> Vec<Row> {
        let Some(watermark) = self.watermark.current() else {
            return Vec::new();
        };
        let mut rows = Vec::new();
        while let Some(first) = self.open.first_entry()
            && first.key().end <= watermark
        {
            rows_of(first.remove_entry(), &mut rows);
        }
        rows
    }

    /// Closes all windows, at the end of the input.
    pub fn close_all(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for window in std::mem::take(&mut self.open) {
            rows_of(window, &mut rows);
        }
        rows
    }
}

fn rows_of((window, counts): (Window, BTreeMap<IpAddr, u64>), rows: &mut Vec<Row>) {
    rows.extend(
        counts
            .into_iter()
            .map(|(ip, count)| Row { window, ip, count }),
    );
}
