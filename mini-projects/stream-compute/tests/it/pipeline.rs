//! Windows, watermark, late lines, and lines that come again.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use stream_compute::{Late, Outcome, Pipeline, Rejected, Row, Tally, Unparsable, Window};

use crate::{five_seconds, fixed, hit, line};

const BOUND: Duration = Duration::from_secs(10);

fn pipeline() -> Pipeline {
    Pipeline::new(five_seconds(), BOUND)
}

fn keys(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|row| format!("{} {}", row.key(), row.count))
        .collect()
}

#[test]
fn a_window_closes_when_the_watermark_reaches_its_end() {
    let mut pipeline = pipeline();
    // The window 0..5 closes at 15, when nothing from before 5 can come any more.
    for (number, seconds) in [(1, 0), (2, 4), (3, 5), (4, 14)] {
        assert_eq!(
            pipeline.take(number, line(hit(1, seconds)).as_bytes()),
            Outcome::Counted
        );
        assert_eq!(pipeline.close_complete(), []);
    }
    assert_eq!(
        pipeline.take(5, line(hit(2, 15)).as_bytes()),
        Outcome::Counted
    );
    let rows = pipeline.close_complete();
    assert_eq!(keys(&rows), ["2024-01-01T00:00:00Z 192.0.2.1 2"]);
    assert_eq!(
        rows[0].to_string(),
        "2024-01-01T00:00:00Z 2024-01-01T00:00:05Z 192.0.2.1 2"
    );
    assert_eq!(pipeline.close_complete(), [], "a row comes once");
    assert_eq!(
        keys(&pipeline.close_all()),
        [
            "2024-01-01T00:00:05Z 192.0.2.1 1",
            "2024-01-01T00:00:10Z 192.0.2.1 1",
            "2024-01-01T00:00:15Z 192.0.2.2 1",
        ]
    );
    assert_eq!(pipeline.close_all(), []);
}

#[test]
fn the_edge_between_two_windows_belongs_to_the_second() {
    let window = five_seconds().window_of(hit(1, 5).time);
    assert_eq!(window.start, hit(1, 5).time);
    let last = Window {
        start: hit(1, 0).time,
        end: hit(1, 5).time,
    };
    assert_eq!(
        five_seconds().window_of(message_model::Timestamp(last.end.0 - 1)),
        last
    );
    // Before 1970 as well.
    let early = five_seconds().window_of(message_model::Timestamp(-1));
    assert_eq!((early.start.0, early.end.0), (-5000, 0));
}

#[test]
fn late_begins_where_the_window_is_closed() {
    let mut pipeline = pipeline();
    pipeline.take(1, line(hit(1, 14)).as_bytes());
    let as_late_as_allowed = line(hit(1, 4));
    assert_eq!(
        pipeline.take(2, as_late_as_allowed.as_bytes()),
        Outcome::Counted
    );
    pipeline.take(3, line(hit(1, 15)).as_bytes());
    let late = Late {
        time: hit(1, 4).time,
        watermark: hit(1, 5).time,
    };
    let rejected = Outcome::Rejected(Rejected::Late(late));
    // Also if nobody has asked for the complete rows yet.
    assert_eq!(pipeline.take(4, as_late_as_allowed.as_bytes()), rejected);
    assert_eq!(
        late.to_string(),
        "late: the window of 2024-01-01T00:00:04Z had ended when the watermark came to 2024-01-01T00:00:05Z"
    );
    let counts: u64 = pipeline.close_all().iter().map(|row| row.count).sum();
    assert_eq!(counts, 3);
}

#[test]
fn a_line_that_comes_again_is_skipped() {
    let mut pipeline = pipeline();
    let text = line(hit(1, 0));
    assert_eq!(pipeline.take(1, text.as_bytes()), Outcome::Counted);
    assert_eq!(pipeline.take(1, text.as_bytes()), Outcome::Repeated);
    // Numbers may be left out: lines that are too long are not sent.
    assert_eq!(pipeline.take(7, text.as_bytes()), Outcome::Counted);
    assert_eq!(pipeline.take(6, text.as_bytes()), Outcome::Repeated);
    let bad = Outcome::Rejected(Rejected::Unparsable(Unparsable::Address));
    assert_eq!(pipeline.take(8, b"a bad line"), bad);
    assert_eq!(
        pipeline.take(8, b"a bad line"),
        Outcome::Repeated,
        "nor is it reported twice"
    );
    let expected = Tally {
        counted: 2,
        repeated: 3,
        unparsable: 1,
        late: 0,
    };
    assert_eq!(pipeline.tally(), expected);
}

/// Visitors and times; each time is at most the bound behind the latest before it.
fn within_the_bound() -> impl Strategy<Value = Vec<(u8, i64)>> {
    vec((0..4_u8, 0..4_i64, 0..=10_i64), 0..150).prop_map(|steps| {
        let mut latest = 60;
        let step = |(host, forward, back)| {
            latest += forward;
            (host, latest - back)
        };
        steps.into_iter().map(step).collect()
    })
}

/// The rows of hits, added up.
fn recount(hits: &[(u8, i64)]) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for (host, seconds) in hits {
        let hit = hit(*host, *seconds);
        let window = five_seconds().window_of(hit.time);
        let row = Row {
            window,
            ip: hit.ip,
            count: 1,
        };
        *rows.entry(row.key()).or_default() += 1;
    }
    rows
}

/// Feeds batches as they are, asking for complete rows after each; all rows and the tally.
fn run(batches: &[Vec<(u64, String)>]) -> (Vec<Row>, Tally) {
    let mut pipeline = pipeline();
    let mut rows = Vec::new();
    for batch in batches {
        for (number, text) in batch {
            pipeline.take(*number, text.as_bytes());
        }
        rows.extend(pipeline.close_complete());
    }
    rows.extend(pipeline.close_all());
    (rows, pipeline.tally())
}

fn numbered(hits: &[(u8, i64)]) -> Vec<(u64, String)> {
    let text = |(host, seconds): &(u8, i64)| line(hit(*host, *seconds));
    (1..).zip(hits.iter().map(text)).collect()
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn any_order_within_the_bound_gives_the_recount(hits in within_the_bound(), size in 1..20_usize) {
        let batches: Vec<_> = numbered(&hits).chunks(size).map(<[_]>::to_vec).collect();
        let (rows, tally) = run(&batches);
        prop_assert_eq!(tally.late, 0);
        let by_key: BTreeMap<String, u64> = rows.iter().map(|row| (row.key(), row.count)).collect();
        prop_assert_eq!(by_key.len(), rows.len(), "no row comes twice");
        prop_assert_eq!(by_key, recount(&hits));
        // Windows come in order, and within a window the addresses.
        let mut sorted = rows.clone();
        sorted.sort();
        prop_assert_eq!(rows, sorted);
    }

    /// Also when the order is worse than the bound, each line is in one place.
    #[test]
    fn any_order_at_all_adds_up(hits in vec((0..4_u8, 0..200_i64), 0..150), size in 1..20_usize) {
        let batches: Vec<_> = numbered(&hits).chunks(size).map(<[_]>::to_vec).collect();
        let (rows, tally) = run(&batches);
        let in_rows: u64 = rows.iter().map(|row| row.count).sum();
        prop_assert_eq!(in_rows, tally.counted);
        prop_assert_eq!(in_rows + tally.late, hits.len() as u64);
        let keys: std::collections::BTreeSet<String> = rows.iter().map(Row::key).collect();
        prop_assert_eq!(keys.len(), rows.len(), "no row comes twice");
    }

    /// What is late does not depend on how the lines were cut into batches.
    #[test]
    fn batches_do_not_matter(hits in vec((0..4_u8, 0..100_i64), 0..100), size in 1..20_usize) {
        let lines = numbered(&hits);
        let batches: Vec<_> = lines.chunks(size).map(<[_]>::to_vec).collect();
        prop_assert_eq!(run(&batches), run(&[lines]));
    }

    /// A producer that lost acknowledgements: batches come again, once or more,
    /// at once or (a request that was slow to arrive) behind later ones.
    #[test]
    fn resends_change_nothing(
        hits in within_the_bound(),
        size in 1..20_usize,
        again in vec((any::<prop::sample::Index>(), 0..4_usize), 0..8),
    ) {
        let batches: Vec<_> = numbered(&hits).chunks(size).map(<[_]>::to_vec).collect();
        let mut arrived: Vec<(usize, Vec<(u64, String)>)> = batches.iter().cloned().enumerate().collect();
        if !batches.is_empty() {
            for (which, later) in again {
                let which = which.index(batches.len());
                let first = arrived.iter().position(|(batch, _)| *batch == which).expect("all are there");
                let position = (first + 1 + later).min(arrived.len());
                arrived.insert(position, (which, batches[which].clone()));
            }
        }
        let arrived: Vec<_> = arrived.into_iter().map(|(_, batch)| batch).collect();
        let (rows, tally) = run(&arrived);
        let (expected, once) = run(&batches);
        prop_assert_eq!(rows, expected);
        prop_assert_eq!(Tally { repeated: 0, ..tally }, once);
    }
}
