//! What the rows say together.

use std::collections::HashMap;
use std::net::IpAddr;

use message_model::Timestamp;

use crate::buckets::Buckets;
use crate::civil_time::Utc;
use crate::settings::Cut;

/// The numbers of the report, added up from the committed rows.
#[derive(Debug)]
pub(crate) struct Counts {
    cut: Cut,
    pub(crate) requests: u64,
    pub(crate) over_time: Buckets,
    pub(crate) by_address: HashMap<IpAddr, u64>,
}

impl Counts {
    pub(crate) fn new(cut: Cut) -> Counts {
        let width = i64::try_from(cut.apart().as_millis()).unwrap_or(i64::MAX);
        Counts {
            cut,
            requests: 0,
            over_time: Buckets::new(width, |one, other| one + other),
            by_address: HashMap::new(),
        }
    }

    /// Adds a row, if its window is one of those that are counted.
    pub(crate) fn add(&mut self, start: Timestamp, ip: IpAddr, count: u64) {
        if !self.cut.is_counted(start) {
            return;
        }
        self.requests += count;
        *self.by_address.entry(ip).or_default() += count;
        self.over_time.add(start.0, count);
    }
}

/// The start and the address of a row, of its key.
pub(crate) fn of_key(key: &str) -> Option<(Timestamp, IpAddr)> {
    let (start, ip) = key.split_once(' ')?;
    Some((Utc::read(start)?, ip.parse().ok()?))
}
