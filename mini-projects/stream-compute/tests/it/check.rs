//! The check must find what is wrong, or it is worth nothing.

use std::collections::BTreeMap;
use std::io::Write;

use stream_compute::{LINE_BYTES_MAX, Recount, Row, Verdict};

use crate::{five_seconds, hit, line};

fn rows(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(key, count)| ((*key).to_owned(), *count))
        .collect()
}

#[test]
fn equal_rows_are_equal() {
    let a = rows(&[("a", 1), ("b", 2)]);
    assert_eq!(Verdict::compare(&a, &a, 0), Verdict::Equal);
    assert!(Verdict::Equal.is_ok());
}

#[test]
fn a_row_that_differs_is_named() {
    let recount = rows(&[("a", 1), ("b", 2)]);
    for (wrong, key, row, again) in [
        (rows(&[("a", 1), ("b", 1)]), "b", 1, 2),
        (rows(&[("a", 1), ("b", 3)]), "b", 3, 2),
        (rows(&[("a", 1)]), "b", 0, 2),
        (rows(&[("a", 1), ("b", 2), ("c", 1)]), "c", 1, 0),
    ] {
        let differs = Verdict::Differs {
            key: key.to_owned(),
            row,
            recount: again,
        };
        assert_eq!(Verdict::compare(&wrong, &recount, 0), differs);
        assert!(!differs.is_ok());
    }
}

#[test]
fn late_lines_excuse_as_many_as_they_are() {
    let recount = rows(&[("a", 3), ("b", 2)]);
    let less_three = rows(&[("a", 1), ("b", 1)]);
    assert_eq!(Verdict::compare(&less_three, &recount, 3), Verdict::Equal);
    assert!(!Verdict::compare(&less_three, &recount, 2).is_ok());
    assert!(!Verdict::compare(&less_three, &recount, 4).is_ok());
    assert!(!Verdict::compare(&recount, &recount, 1).is_ok());
    // One too many in one row does not make up for one too few in another.
    let moved = rows(&[("a", 4), ("b", 1)]);
    assert!(!Verdict::compare(&moved, &recount, 0).is_ok());
}

#[test]
fn a_file_is_recounted_as_far_as_it_was_read() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let first = format!("{}\r\nnot a line\n{}\n", line(hit(1, 0)), line(hit(1, 4)));
    let long = "x".repeat(LINE_BYTES_MAX + 1);
    write!(file, "{first}{long}\n{}", line(hit(2, 5))).expect("written");
    let whole = Recount::of(file.path(), u64::MAX, five_seconds()).expect("read");
    assert_eq!(whole.lines, 5);
    let expected = rows(&[
        ("2024-01-01T00:00:00Z 192.0.2.1", 2),
        ("2024-01-01T00:00:05Z 192.0.2.2", 1),
    ]);
    assert_eq!(whole.rows, expected);
    let front = Recount::of(file.path(), first.len() as u64, five_seconds()).expect("read");
    assert_eq!(front.lines, 3);
    assert_eq!(front.rows.len(), 1);
}

#[test]
fn a_row_is_read_as_it_was_written() {
    let hit = hit(9, 3);
    let row = Row {
        window: five_seconds().window_of(hit.time),
        ip: hit.ip,
        count: 12,
    };
    let (key, value) = (row.key(), row.to_string());
    assert_eq!(
        Row::read(key.as_bytes(), value.as_bytes()),
        Some((key.clone(), 12))
    );
    for (bad_key, bad_value) in [
        ("", value.as_str()),
        (key.as_str(), ""),
        (
            &key,
            "2024-01-01T00:00:00Z 2024-01-01T00:00:05Z 192.0.2.9 many",
        ),
        (
            &key,
            "2024-01-01T00:00:00Z 2024-01-01T00:00:05Z 192.0.2.8 12",
        ),
        (
            &key,
            "2024-01-01T00:00:00Z 2024-01-01T00:00:05Z 192.0.2.9 12 13",
        ),
    ] {
        assert_eq!(
            Row::read(bad_key.as_bytes(), bad_value.as_bytes()),
            None,
            "{bad_value}"
        );
    }
}
