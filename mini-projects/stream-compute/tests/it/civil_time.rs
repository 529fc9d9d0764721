//! Times as access logs write them and as rows show them.

use message_model::Timestamp;
use proptest::prelude::*;
use stream_compute::{Utc, parse_log_time};

use crate::fixed;

#[test]
fn known_times() {
    for (text, seconds) in [
        ("01/Jan/1970:00:00:00 +0000", 0),
        ("29/Feb/2000:00:00:00 +0000", 951_782_400),
        ("17/May/2015:10:05:03 +0000", 1_431_857_103),
        ("17/May/2015:10:05:03 +0530", 1_431_857_103 - 19_800),
        ("17/May/2015:10:05:03 -0800", 1_431_857_103 + 28_800),
    ] {
        let expected = Some(Timestamp(seconds * 1000));
        assert_eq!(parse_log_time(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_time() {
    for text in [
        "",
        "17/May/2015:10:05:03",
        "17/may/2015:10:05:03 +0000",
        "17/Mai/2015:10:05:03 +0000",
        "7/May/2015:10:05:03 +0000",
        "29/Feb/2015:10:05:03 +0000",
        "17/May/2015:24:05:03 +0000",
        "17/May/2015:10:05:60 +0000",
        "17/May/2015:10:05:03 +2460",
        "17/May/2015:10:05:03 0000",
        "17/May/2015:10:05:03 +0000 ",
        "2015-05-17T10:05:03Z",
    ] {
        assert_eq!(parse_log_time(text), None, "{text}");
    }
}

#[test]
fn a_time_that_no_calendar_has_is_shown_in_milliseconds() {
    let shown = Utc(Timestamp(i64::MAX)).to_string();
    assert_eq!(shown, "9223372036854775807 ms");
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn what_is_shown_is_what_was_read(
        date in [1..=9999_i64, 1..=12_i64, 1..=28_i64],
        time in [0..=23_i64, 0..=59_i64, 0..=59_i64],
        millis in 0..1000_i64,
    ) {
        let [year, month, day] = date;
        let [hour, minute, second] = time;
        let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            [usize::try_from(month - 1).expect("a month")];
        let text = format!("{day:02}/{name}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000");
        let read = parse_log_time(&text).expect("a day that exists");
        let shown = Utc(Timestamp(read.0 + millis)).to_string();
        prop_assert_eq!(shown, format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"));
    }
}
