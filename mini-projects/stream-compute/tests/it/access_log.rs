//! Lines that servers write, and lines that they do not.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use stream_compute::{Cut, SPAN_MAX, Unparsable, Utc, parse};

use crate::fixed;

/// Address and time of a line, as text.
fn read(line: &str) -> Result<(String, String), Unparsable> {
    let hit = parse(line.as_bytes())?;
    Ok((hit.ip.to_string(), Utc(hit.time).to_string()))
}

fn is(ip: &str, time: &str) -> Result<(String, String), Unparsable> {
    Ok((ip.to_owned(), time.to_owned()))
}

#[test]
fn common_and_combined_lines_are_read() {
    let common =
        r#"203.0.113.7 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326"#;
    assert_eq!(read(common), is("203.0.113.7", "2000-10-10T20:55:36Z"));
    let combined = format!(r#"{common} "http://example.org/" "Mozilla/4.08 [en] (Win98; I)""#);
    assert_eq!(read(&combined), is("203.0.113.7", "2000-10-10T20:55:36Z"));
    let more = format!(r#"{combined} 0.003 "-" upstream=127.0.0.1:8080"#);
    assert_eq!(read(&more), is("203.0.113.7", "2000-10-10T20:55:36Z"));
}

#[test]
fn addresses_of_both_families_are_read() {
    let rest = r#"- - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304 -"#;
    let time = "2015-05-17T10:05:03Z";
    assert_eq!(read(&format!("::1 {rest}")), is("::1", time));
    assert_eq!(
        read(&format!("2001:DB8::0:1 {rest}")),
        is("2001:db8::1", time)
    );
    // One visitor is one address, however the server's socket was opened.
    assert_eq!(
        read(&format!("::ffff:192.0.2.1 {rest}")),
        is("192.0.2.1", time)
    );
}

#[test]
fn odd_requests_and_names_are_no_reason() {
    for line in [
        r#"192.0.2.1 - John Q. Public [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#,
        r#"192.0.2.1 - - [17/May/2015:10:05:03 +0000] "" 400 0 "-" "-""#,
        r#"192.0.2.1 - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01" 400 157 "-" "-""#,
        r#"192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /\"a\" HTTP/1.1" 200 1 "-" "a \"b\" \\""#,
        r#"192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /] [x HTTP/1.1" 200 1 "-" "队列""#,
    ] {
        assert_eq!(
            read(line),
            is("192.0.2.1", "2015-05-17T10:05:03Z"),
            "{line}"
        );
    }
}

#[test]
fn what_is_wrong_is_named() {
    let time = "[17/May/2015:10:05:03 +0000]";
    for (line, reason) in [
        (String::new(), Unparsable::Empty),
        ("  \t ".to_owned(), Unparsable::Empty),
        ("192.0.2.1".to_owned(), Unparsable::Address),
        (
            format!(r#"example.org - - {time} "GET /" 200 1"#),
            Unparsable::Address,
        ),
        (
            format!(r#"192.0.2.256 - - {time} "GET /" 200 1"#),
            Unparsable::Address,
        ),
        (
            r#"192.0.2.1 - - "GET /" 200 1"#.to_owned(),
            Unparsable::Time,
        ),
        (
            format!(r"192.0.2.1 - - {time} GET / 200 1"),
            Unparsable::Quotes,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET / 200 1"#),
            Unparsable::Quotes,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET /\" 200 1"#),
            Unparsable::Quotes,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET /"x 200 1"#),
            Unparsable::Quotes,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET /""#),
            Unparsable::Status,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET /" 20 1"#),
            Unparsable::Status,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET /" 200"#),
            Unparsable::Size,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET /" 200 -1"#),
            Unparsable::Size,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET /" 200 1 "-""#),
            Unparsable::Quotes,
        ),
        (
            format!(r#"192.0.2.1 - - {time} "GET /" 200 1 "-" "cut of"#),
            Unparsable::Quotes,
        ),
    ] {
        assert_eq!(read(&line), Err(reason), "{line}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let latin = b"192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET /\" 200 1 \"-\" \"M\xfcnchen\"";
    assert_eq!(parse(latin), Err(Unparsable::NotUtf8));
}

#[test]
fn times_that_do_not_exist_are_refused() {
    for time in [
        "31/Feb/2015:10:05:03 +0000",
        "29/Feb/2015:10:05:03 +0000",
        "00/May/2015:10:05:03 +0000",
        "17/may/2015:10:05:03 +0000",
        "17/May/15:10:05:03 +0000",
        "17/May/2015:24:00:00 +0000",
        "17/May/2015:10:60:00 +0000",
        "17/May/2015:10:05:60 +0000",
        "17/May/2015:10:05 +0000",
        "17/May/2015:10:05:03:00 +0000",
        "17/May/2015:10:05:03",
        "17/May/2015:10:05:03 0000",
        "17/May/2015:10:05:03 +00:00",
        "17/May/2015:10:05:03 +2600",
        "17/May/2015:10:05:+3 +0000",
        "2015-05-17T10:05:03Z",
    ] {
        let line = format!(r#"192.0.2.1 - - [{time}] "GET /" 200 1"#);
        assert_eq!(read(&line), Err(Unparsable::Time), "{time}");
    }
}

#[test]
fn the_zone_moves_the_time() {
    for (time, utc) in [
        ("29/Feb/2024:00:00:00 +0800", "2024-02-28T16:00:00Z"),
        ("31/Dec/2023:23:30:00 -0330", "2024-01-01T03:00:00Z"),
        ("01/Jan/1970:05:29:59 +0530", "1969-12-31T23:59:59Z"),
    ] {
        let line = format!(r#"192.0.2.1 - - [{time}] "GET /" 200 1"#);
        assert_eq!(read(&line), is("192.0.2.1", utc));
    }
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn any_bytes_are_read_or_refused(line in vec(any::<u8>(), 0..200)) {
        let _ = parse(&line);
    }

    /// A good line with some of it replaced gets further than random bytes.
    #[test]
    fn any_damage_is_read_or_refused(
        damage in vec((any::<prop::sample::Index>(), any::<char>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let good = r#"203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326 "-" "a""#;
        let mut line: Vec<char> = good.chars().collect();
        for (at, character) in damage {
            let position = at.index(line.len());
            line[position] = character;
        }
        line.truncate(cut.index(line.len() + 1));
        let _ = read(&line.into_iter().collect::<String>());
    }
}

proptest! {
    #![proptest_config(fixed())]

    /// Also at both ends of the years that are counted, and with the longest windows.
    #[test]
    fn the_windows_of_a_time_that_is_read_can_be_written_and_read_back(
        (year, month, day) in (prop_oneof![0..3_i32, 1968..1972, 9990..=9999], 1..=12_usize, 1..=31),
        (hour, zone) in (0..24, -23..=23),
        size in prop_oneof![1..=100_u64, Just(SPAN_MAX.as_secs()), 1..=SPAN_MAX.as_secs()],
        part in 1..=20_u64,
    ) {
        let month = &"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * month - 3..3 * month];
        let line = format!(
            r#"192.0.2.1 - - [{day:02}/{month}/{year:04}:{hour:02}:00:00 {zone:+03}00] "GET /" 200 1"#
        );
        let Ok(hit) = parse(line.as_bytes()) else {
            return Ok(());
        };
        let (size, step) = (Duration::from_secs(size), Duration::from_secs(size.div_ceil(part)));
        for cut in [Cut::Tumbling(size), Cut::Sliding(size, step), Cut::Sessions(size)] {
            for window in cut.windows_of(hit.time) {
                for time in [window.start, window.end] {
                    let text = Utc(time).to_string();
                    prop_assert_eq!(Utc::read(&text), Some(time), "{} of {}", text, line);
                    prop_assert_eq!(text.len(), 20);
                }
            }
        }
    }
}

#[test]
fn years_at_the_ends_of_time_are_refused() {
    for (time, expected) in [
        ("31/Dec/9999:23:59:59 +0000", Err(Unparsable::Year)),
        (
            "31/Dec/9998:23:59:59 +0000",
            is("192.0.2.1", "9998-12-31T23:59:59Z"),
        ),
        ("31/Dec/9998:23:59:59 -0001", Err(Unparsable::Year)),
        (
            "01/Jan/0001:00:00:00 +0000",
            is("192.0.2.1", "0001-01-01T00:00:00Z"),
        ),
        ("01/Jan/0001:00:00:00 +0001", Err(Unparsable::Year)),
        ("31/Dec/0000:23:59:59 +0000", Err(Unparsable::Year)),
    ] {
        let line = format!(r#"192.0.2.1 - - [{time}] "GET /" 200 1"#);
        assert_eq!(read(&line), expected, "{time}");
    }
}
