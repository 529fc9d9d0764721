//! Calendar times, as people and access logs write them.

use std::fmt;

use message_model::Timestamp;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const SECOND_MS: i64 = 1000;

/// `17/May/2015:10:05:03 +0000`
const LOG_TIME: &[BorrowedFormatItem<'_>] = format_description!(
    "[day]/[month repr:short]/[year]:[hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

/// `2015-05-17T10:05:03Z`
const UTC: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Reads a time as access logs have it: `17/May/2015:10:05:03 +0000`. `None`
/// when it is no such text, or there is no such day or time.
#[must_use]
pub fn parse_log_time(text: &str) -> Option<Timestamp> {
    let time = OffsetDateTime::parse(text, LOG_TIME).ok()?;
    Some(Timestamp(time.unix_timestamp() * SECOND_MS))
}

/// Shows a timestamp as `2015-05-17T10:05:03Z`: UTC, to the second below it. One
/// that no calendar has, before the year -9999 or after 9999, is shown in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc(pub Timestamp);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from_unix_timestamp(self.0.0.div_euclid(SECOND_MS));
        match time.map(|time| time.format(UTC)) {
            Ok(Ok(text)) => f.write_str(&text),
            Ok(Err(_)) | Err(_) => write!(f, "{} ms", self.0),
        }
    }
}
