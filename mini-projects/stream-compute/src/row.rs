//! The rows of the result.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use stream_engine::Window;

use crate::civil_time::Utc;

/// How many requests came from an address in a window.
///
/// Shown, and written to the topic, as `start end ip count`, with the revision behind it if that
/// is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// When the requests came, by the times in their lines.
    pub window: Window,
    /// The client that sent them.
    pub ip: IpAddr,
    /// How many; 0 says that there is no such window any more, because late lines have made it
    /// a part of a longer session.
    pub count: u64,
    /// How many rows of this window and address there were before. The last one holds.
    pub revision: u32,
}

impl Row {
    /// The key of its record: `start ip`. Its revisions have the same key, so a reader that keeps
    /// the last row of a key has what holds.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", Utc(self.window.start), self.ip)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (Utc(self.window.start), Utc(self.window.end));
        write!(f, "{start} {end} {} {}", self.ip, self.count)?;
        match self.revision {
            0 => Ok(()),
            revision => write!(f, " {revision}"),
        }
    }
}

/// What the topic says of a key, as it is read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// How many requests; 0 if the row is withdrawn.
    pub count: u64,
    /// How many rows of the same key there were before.
    pub revision: u32,
}

impl Said {
    /// The key and its count or withdrawal, of a record's key and value; `None` when they are no row.
    #[must_use]
    pub fn read(key: &[u8], value: &[u8]) -> Option<(String, Said)> {
        let key = std::str::from_utf8(key).ok()?;
        let value = std::str::from_utf8(value).ok()?;
        let mut words = value.split(' ');
        let (start, _end, ip) = (words.next()?, words.next()?, words.next()?);
        let count = words.next()?.parse().ok()?;
        let revision = words.next().map_or(Some(0), |word| word.parse().ok())?;
        let whole = words.next().is_none() && key == format!("{start} {ip}");
        whole.then(|| (key.to_owned(), Said { count, revision }))
    }
}

/// The last revision of each row, by [`Row::key`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    rows: BTreeMap<String, Said>,
}

impl Table {
    /// Takes the next row. Returns `false` if it does not follow the row of its key before: it is
    /// there twice, or one is missing.
    pub fn add(&mut self, key: String, said: Said) -> bool {
        let expected = match self.rows.get(&key) {
            // A session that is withdrawn may begin anew.
            Some(before) if before.count == 0 && said.revision == 0 => 0,
            Some(before) => before.revision + 1,
            None => 0,
        };
        self.rows.insert(key, said);
        said.revision == expected
    }

    /// Returns the count of each row that is not withdrawn.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let rows = self.rows.iter().filter(|(_, said)| said.count > 0);
        rows.map(|(key, said)| (key.clone(), said.count)).collect()
    }
}
