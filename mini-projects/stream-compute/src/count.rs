//! Counting per address and window.

use std::collections::BTreeMap;
use std::net::IpAddr;

use message_model::Timestamp;

use crate::access_log::Hit;
use crate::civil_time::Utc;
use crate::resume_point::Place;
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
    open: BTreeMap<Window, Counts>,
}

/// The counts of a window.
#[derive(Debug)]
struct Counts {
    /// Before its first hit: from here on it can be counted again.
    from: Place,
    by_ip: BTreeMap<IpAddr, u64>,
}

impl WindowCounts {
    /// No window is open, and those that end at or below the watermark are closed.
    #[must_use]
    pub fn new(windows: Tumbling, watermark: Watermark) -> WindowCounts {
        WindowCounts {
            windows,
            watermark,
            open: BTreeMap::new(),
        }
    }

    // ANCHOR: add
    /// Counts a hit, which is the first one behind this place.
    ///
    /// # Errors
    /// When its window is closed; it is not counted then.
    pub fn add(&mut self, from: Place, hit: Hit) -> Result<(), Late> {
        let window = self.windows.window_of(hit.time);
        if let Some(watermark) = self.watermark.current()
            && window.end <= watermark
        {
            let time = hit.time;
            return Err(Late { time, watermark });
        }
        let by_ip = BTreeMap::new();
        let counts = self.open.entry(window);
        let counts = counts.or_insert(Counts { from, by_ip });
        *counts.by_ip.entry(hit.ip).or_default() += 1;
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

    /// Closes all windows, at the end of the input. The watermark comes to the end of the last
    /// one: what comes for them afterwards is late.
    pub fn close_all(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Some((last, _)) = self.open.last_key_value() {
            self.watermark.advance_to(last.end);
        }
        for window in std::mem::take(&mut self.open) {
            rows_of(window, &mut rows);
        }
        rows
    }

    /// Where the first of the open windows begins; `None`: none is open.
    #[must_use]
    pub fn open_from(&self) -> Option<Place> {
        let places = self.open.values().map(|counts| counts.from);
        places.min_by_key(|place| place.offset)
    }

    /// The latest time of a hit, or what closing all windows has made of it.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.watermark.latest()
    }
}

fn rows_of((window, counts): (Window, Counts), rows: &mut Vec<Row>) {
    rows.extend(
        counts
            .by_ip
            .into_iter()
            .map(|(ip, count)| Row { window, ip, count }),
    );
}
