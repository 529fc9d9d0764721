//! The rows of the result.

use std::fmt;
use std::net::IpAddr;

use crate::civil_time::Utc;
use crate::window::Window;

/// How many requests came from an address in a window.
///
/// Shown, and written to the topic, as `start end ip count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// When.
    pub window: Window,
    /// From whom.
    pub ip: IpAddr,
    /// How many, at least 1.
    pub count: u64,
}

impl Row {
    /// The key of its record: `start ip`. A row that is sent again has the same
    /// key, so a reader that keeps one row per key has no duplicates.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", Utc(self.window.start), self.ip)
    }

    /// The key and the count of a record's key and value; `None` when they are no row.
    #[must_use]
    pub fn read(key: &[u8], value: &[u8]) -> Option<(String, u64)> {
        let key = std::str::from_utf8(key).ok()?;
        let value = std::str::from_utf8(value).ok()?;
        let mut words = value.split(' ');
        let (start, _end, ip) = (words.next()?, words.next()?, words.next()?);
        let count = words.next()?.parse().ok()?;
        let whole = words.next().is_none() && key == format!("{start} {ip}");
        whole.then(|| (key.to_owned(), count))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.window, self.ip, self.count)
    }
}
