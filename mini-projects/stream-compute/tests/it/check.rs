//! The check must find what is wrong, or it is worth nothing.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use stream_compute::{Cut, LINE_BYTES_MAX, Recount, Row, Said, Table, Verdict};

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
    let whole = Recount::of(&[(file.path().into(), u64::MAX)], five_seconds()).expect("read");
    assert_eq!(whole.lines, 5);
    let expected = rows(&[
        ("2024-01-01T00:00:00Z 192.0.2.1", 2),
        ("2024-01-01T00:00:05Z 192.0.2.2", 1),
    ]);
    assert_eq!(whole.rows, expected);
    let front =
        Recount::of(&[(file.path().into(), first.len() as u64)], five_seconds()).expect("read");
    assert_eq!(front.lines, 3);
    assert_eq!(front.rows.len(), 1);
}

fn row(count: u64, revision: u32) -> Row {
    let hit = hit(9, 3);
    Row {
        window: five_seconds().windows_of(hit.time)[0],
        ip: hit.ip,
        count,
        revision,
    }
}

#[test]
fn a_row_is_read_as_it_was_written() {
    for (count, revision) in [(12, 0), (12, 3), (0, 1)] {
        let row = row(count, revision);
        let (key, value) = (row.key(), row.to_string());
        let read = Said::read(key.as_bytes(), value.as_bytes());
        assert_eq!(read, Some((key, Said { count, revision })));
    }
    let (key, value) = (row(12, 0).key(), row(12, 0).to_string());
    let many = value.replace("12", "many");
    let other = value.replace(".9", ".8");
    let (long, no_revision) = (format!("{value} 1 13"), format!("{value} x"));
    for (bad_key, bad_value) in [
        ("", &value),
        (&key, &String::new()),
        (&key, &many),
        (&key, &other),
        (&key, &long),
        (&key, &no_revision),
    ] {
        let read = Said::read(bad_key.as_bytes(), bad_value.as_bytes());
        assert_eq!(read, None, "{bad_value}");
    }
}

#[test]
fn revisions_follow_each_other() {
    let said = |count, revision| Said { count, revision };
    let key = || "a".to_owned();
    let mut table = Table::default();
    assert!(table.add(key(), said(1, 0)));
    assert!(table.add(key(), said(2, 1)));
    assert_eq!(table.counts(), rows(&[("a", 2)]));
    // It is withdrawn, and begins anew.
    assert!(table.add(key(), said(0, 2)));
    assert_eq!(table.counts(), rows(&[]));
    assert!(table.add(key(), said(5, 0)));
    assert_eq!(table.counts(), rows(&[("a", 5)]));
    assert!(!table.add(key(), said(5, 0)), "twice");
    assert!(!table.add(key(), said(6, 2)), "one is missing");
    assert!(
        !table.add("b".to_owned(), said(1, 1)),
        "the first is missing"
    );
}

#[test]
fn windows_of_all_kinds_are_recounted() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    for (host, seconds) in [(1, 0), (1, 11), (2, 4), (1, 4), (1, 3)] {
        writeln!(file, "{}", line(hit(host, seconds))).expect("written");
    }
    let of = |cut| Recount::of(&[(file.path().into(), u64::MAX)], cut).expect("read");
    let seconds = Duration::from_secs;
    let sliding = of(Cut::Sliding(seconds(10), seconds(5)));
    assert_eq!(sliding.out_of_order, seconds(8));
    let expected = [
        ("2023-12-31T23:59:55Z 192.0.2.1", 3),
        ("2023-12-31T23:59:55Z 192.0.2.2", 1),
        ("2024-01-01T00:00:00Z 192.0.2.1", 3),
        ("2024-01-01T00:00:00Z 192.0.2.2", 1),
        ("2024-01-01T00:00:05Z 192.0.2.1", 1),
        ("2024-01-01T00:00:10Z 192.0.2.1", 1),
    ];
    assert_eq!(sliding.rows, rows(&expected));
    // The line of second 11 is exactly a gap behind that of second 4, so it begins a session.
    let sessions = of(Cut::Sessions(seconds(7)));
    let expected = [
        ("2024-01-01T00:00:00Z 192.0.2.1", 3),
        ("2024-01-01T00:00:04Z 192.0.2.2", 1),
        ("2024-01-01T00:00:11Z 192.0.2.1", 1),
    ];
    assert_eq!(sessions.rows, rows(&expected));
    let top = sliding.top(1);
    assert_eq!(top.len(), 4);
    assert!(top.keys().all(|key| key.ends_with(".1")), "{top:?}");
}

#[test]
fn a_row_above_the_recount_is_named() {
    let recount = rows(&[("a", 3), ("b", 2)]);
    let less = rows(&[("a", 2)]);
    assert_eq!(Verdict::none_above(&less, &recount), Verdict::NoneAbove);
    let above = rows(&[("a", 3), ("c", 1)]);
    assert!(!Verdict::none_above(&above, &recount).is_ok());
}
