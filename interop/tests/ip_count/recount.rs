//! What the rows must be, from the text of the log alone.

use std::collections::BTreeMap;

/// Counts by window's start and address.
pub(crate) type Rows = BTreeMap<(String, String), u64>;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Adds up the lines of a log whose times are in UTC, in windows of two seconds.
pub(crate) fn recount(log: &str) -> Rows {
    let mut rows = Rows::new();
    for line in log.lines() {
        let address = line.split(' ').next().unwrap().to_owned();
        let from = line.find('[').unwrap() + 1;
        // 29/Nov/2026:06:32:14 +0000
        let (time, zone) = line[from..from + 26].split_once(' ').unwrap();
        assert_eq!(zone, "+0000");
        let (date, time) = time.split_once(':').unwrap();
        let date: Vec<&str> = date.split('/').collect();
        let month = 1 + MONTHS.iter().position(|name| *name == date[1]).unwrap();
        let (minute, second) = time.rsplit_once(':').unwrap();
        let second = second.parse::<u8>().unwrap() / 2 * 2;
        let (year, day) = (date[2], date[0]);
        let start = format!("{year}-{month:02}-{day}T{minute}:{second:02}Z");
        *rows.entry((start, address)).or_default() += 1;
    }
    rows
}

/// The rows of the topic: start, end, address, count.
pub(crate) fn rows(values: &[String]) -> Rows {
    let row = |value: &String| {
        let [start, _end, address, count] = value.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{value} is no row");
        };
        let key = (start.to_owned(), address.to_owned());
        (key, count.parse().unwrap())
    };
    values.iter().map(row).collect()
}
