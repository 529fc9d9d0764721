//! Calendar dates, in the Gregorian calendar and UTC.

use std::fmt;

use message_model::Timestamp;

const SECOND_MS: i64 = 1000;
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// How often the calendar repeats: 400 years, in days.
const CYCLE_DAYS: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01, in days.
const EPOCH_DAYS: i64 = 719_468;

/// A date and a time of day; `month` 1 to 12. `None` when there is no such day or time.
///
/// A leap second (60) does not exist here, as it does not in POSIX time.
#[must_use]
pub fn to_timestamp(date: [i64; 3], time: [i64; 3]) -> Option<Timestamp> {
    let [year, month, day] = date;
    let [hour, minute, second] = time;
    let exists = (0..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    let seconds = (hour * 60 + minute) * 60 + second;
    exists.then(|| Timestamp((days(year, month, day) * DAY_SECONDS + seconds) * SECOND_MS))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years begin in March here, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - EPOCH_DAYS
}

/// Shows a timestamp as `2015-05-17T10:05:03Z`: UTC, to the second below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utc(pub Timestamp);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.0.div_euclid(SECOND_MS);
        let (year, month, day) = date(seconds.div_euclid(DAY_SECONDS));
        let of_day = seconds.rem_euclid(DAY_SECONDS);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// The other way round than [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let of_cycle = days.rem_euclid(CYCLE_DAYS);
    let year_of_cycle =
        (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / (CYCLE_DAYS - 1)) / 365;
    let day_of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = days.div_euclid(CYCLE_DAYS) * 400 + year_of_cycle;
    (if month < 3 { year + 1 } else { year }, month, day)
}
