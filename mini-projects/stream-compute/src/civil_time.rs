//! Calendar times, as people and access logs write them.

use std::fmt;

use message_model::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, UtcOffset};

const SECOND_MS: i64 = 1000;

/// The months' names, in order.
const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// `2015-05-17T10:05:03Z`
const UTC: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Reads a time as access logs have it: `17/May/2015:10:05:03 +0000`. `None`
/// when it is no such text, or there is no such day or time.
#[must_use]
pub fn parse_log_time(text: &str) -> Option<Timestamp> {
    // Every line has one, and a parser of any format takes several times as long.
    let text: &[u8; 26] = text.as_bytes().try_into().ok()?;
    let is_punctuated = [
        (2, b'/'),
        (6, b'/'),
        (11, b':'),
        (14, b':'),
        (17, b':'),
        (20, b' '),
    ];
    if is_punctuated
        .iter()
        .any(|(place, mark)| text[*place] != *mark)
    {
        return None;
    }
    let month = MONTHS.chunks(3).position(|name| name == &text[3..6])?;
    let month = Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let pair = |place: usize| Some(10 * digit(text[place])? + digit(text[place + 1])?);
    let year = 100 * i32::from(pair(7)?) + i32::from(pair(9)?);
    let date = Date::from_calendar_date(year, month, pair(0)?).ok()?;
    let (hour, minute, second) = (pair(12)?, pair(15)?, pair(18)?);
    let time = date.with_hms(hour, minute, second).ok()?;
    let ahead = match text[21] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (pair(22)?.cast_signed(), pair(24)?.cast_signed());
    let offset = UtcOffset::from_hms(ahead * hours, ahead * minutes, 0).ok()?;
    let seconds = time.assume_offset(offset).unix_timestamp();
    Some(Timestamp(seconds * SECOND_MS))
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// Shows a timestamp as `2015-05-17T10:05:03Z`: UTC, to the second below it. One
/// that no calendar has, before the year -9999 or after 9999, is shown in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc(pub Timestamp);

impl Utc {
    /// Reads what [`Utc`] shows of a time that a calendar has.
    #[must_use]
    pub fn read(text: &str) -> Option<Timestamp> {
        let time = PrimitiveDateTime::parse(text, UTC).ok()?;
        Some(Timestamp(time.assume_utc().unix_timestamp() * SECOND_MS))
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = OffsetDateTime::from_unix_timestamp(self.0.0.div_euclid(SECOND_MS));
        match time.map(|time| time.format(UTC)) {
            Ok(Ok(text)) => f.write_str(&text),
            Ok(Err(_)) | Err(_) => write!(f, "{} ms", self.0),
        }
    }
}
