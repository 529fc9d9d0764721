//! The calendar.

use message_model::Timestamp;
use proptest::prelude::*;
use stream_compute::{Utc, to_timestamp};

use crate::fixed;

#[test]
fn known_days() {
    for (date, seconds) in [
        ([1970, 1, 1], 0),
        ([2000, 2, 29], 951_782_400),
        ([2015, 5, 17], 1_431_820_800),
        ([2038, 1, 19], 2_147_472_000),
        ([9999, 12, 31], 253_402_214_400),
        ([0, 3, 1], -62_162_035_200),
    ] {
        assert_eq!(
            to_timestamp(date, [0, 0, 0]),
            Some(Timestamp(seconds * 1000)),
            "{date:?}"
        );
    }
}

#[test]
fn leap_years() {
    for (year, leap) in [(2024, true), (2023, false), (1900, false), (2000, true)] {
        assert_eq!(
            to_timestamp([year, 2, 29], [0, 0, 0]).is_some(),
            leap,
            "{year}"
        );
    }
}

/// Each day of 800 years follows the day before.
#[test]
fn days_follow_each_other() {
    let mut expected = to_timestamp([1600, 1, 1], [0, 0, 0]).expect("a day");
    for year in 1600..2400 {
        for month in 1..=12 {
            for day in 1..=31 {
                if let Some(time) = to_timestamp([year, month, day], [0, 0, 0]) {
                    assert_eq!(time, expected, "{year}-{month}-{day}");
                    expected = Timestamp(time.0 + 24 * 60 * 60 * 1000);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn what_is_shown_is_what_was_read(
        date in [0..=9999_i64, 1..=12_i64, 1..=28_i64],
        time in [0..=23_i64, 0..=59_i64, 0..=59_i64],
        millis in 0..1000_i64,
    ) {
        let read = to_timestamp(date, time).expect("a day that exists");
        let shown = Utc(Timestamp(read.0 + millis)).to_string();
        let [year, month, day] = date;
        let [hour, minute, second] = time;
        prop_assert_eq!(shown, format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"));
    }
}
