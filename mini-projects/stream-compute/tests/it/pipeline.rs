//! Windows, watermark, late lines, and lines that come again.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::Offset;
use proptest::collection::vec;
use proptest::prelude::*;
use stream_compute::{
    Late, Outcome, Pipeline, Place, Rejected, ResumePoint, Row, Tally, Unparsable, Window,
};

use crate::{five_seconds, fixed, hit, line};

const BOUND: Duration = Duration::from_secs(10);

fn pipeline() -> Pipeline {
    resumed(&ResumePoint::default())
}

fn resumed(point: &ResumePoint) -> Pipeline {
    Pipeline::resume(point, five_seconds(), BOUND)
}

/// Takes a line that is behind all before it.
fn take(pipeline: &mut Pipeline, number: u64, text: &[u8]) -> Outcome {
    let offset = pipeline.resume_point().taken;
    pipeline.take(offset, number, text)
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
            take(&mut pipeline, number, line(hit(1, seconds)).as_bytes()),
            Outcome::Counted
        );
        assert_eq!(pipeline.close_complete(), []);
    }
    assert_eq!(
        take(&mut pipeline, 5, line(hit(2, 15)).as_bytes()),
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
    take(&mut pipeline, 1, line(hit(1, 14)).as_bytes());
    let as_late_as_allowed = line(hit(1, 4));
    assert_eq!(
        take(&mut pipeline, 2, as_late_as_allowed.as_bytes()),
        Outcome::Counted
    );
    take(&mut pipeline, 3, line(hit(1, 15)).as_bytes());
    let late = Late {
        time: hit(1, 4).time,
        watermark: hit(1, 5).time,
    };
    let rejected = Outcome::Rejected(Rejected::Late(late));
    // Also if nobody has asked for the complete rows yet.
    assert_eq!(
        take(&mut pipeline, 4, as_late_as_allowed.as_bytes()),
        rejected
    );
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
    assert_eq!(take(&mut pipeline, 1, text.as_bytes()), Outcome::Counted);
    assert_eq!(take(&mut pipeline, 1, text.as_bytes()), Outcome::Repeated);
    // Numbers may be left out: lines that are too long are not sent.
    assert_eq!(take(&mut pipeline, 7, text.as_bytes()), Outcome::Counted);
    assert_eq!(take(&mut pipeline, 6, text.as_bytes()), Outcome::Repeated);
    let bad = Outcome::Rejected(Rejected::Unparsable(Unparsable::Address));
    assert_eq!(take(&mut pipeline, 8, b"a bad line"), bad);
    assert_eq!(
        take(&mut pipeline, 8, b"a bad line"),
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
            take(&mut pipeline, *number, text.as_bytes());
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

/// What arrives when batches come again, once or more, at once or (a request that was slow
/// to arrive) behind later ones.
fn with_resends(
    batches: &[Vec<(u64, String)>],
    again: Vec<(prop::sample::Index, usize)>,
) -> Vec<Vec<(u64, String)>> {
    let mut arrived: Vec<_> = batches.iter().cloned().enumerate().collect();
    for (which, later) in again {
        if batches.is_empty() {
            break;
        }
        let which = which.index(batches.len());
        let first = arrived.iter().position(|(batch, _)| *batch == which);
        let position = (first.expect("all are there") + 1 + later).min(arrived.len());
        arrived.insert(position, (which, batches[which].clone()));
    }
    arrived.into_iter().map(|(_, batch)| batch).collect()
}

/// Runs jobs one after the other. Each is killed after so many batches, and commits after every
/// one or every few of these; what it has not committed is lost. The rows that are committed,
/// and the last tally.
fn run_killed(batches: &[Vec<(u64, String)>], jobs: &[(usize, usize)]) -> (Vec<Row>, Tally) {
    let lines: Vec<_> = batches.concat();
    let ends: Vec<usize> = batches
        .iter()
        .scan(0, |end, batch| {
            *end += batch.len();
            Some(*end)
        })
        .collect();
    let mut point = ResumePoint::default();
    let mut committed = Vec::new();
    let lives = jobs.iter().copied().chain([(usize::MAX, 1)]);
    for (killed_after, commit_every) in lives {
        let mut pipeline = resumed(&point);
        let mut rows = Vec::new();
        let mut next = usize::try_from(point.from.offset.0).expect("an index");
        let begun = next;
        let to_come = ends.iter().filter(|end| **end > begun);
        for (polled, end) in (1..).zip(to_come).take(killed_after) {
            for (offset, (number, text)) in (next..*end).zip(&lines[next..*end]) {
                let offset = Offset(i64::try_from(offset).expect("small"));
                pipeline.take(offset, *number, text.as_bytes());
            }
            next = *end;
            rows.extend(pipeline.close_complete());
            if polled % commit_every == 0 {
                point = through_the_queue(&pipeline.resume_point());
                committed.append(&mut rows);
            }
        }
        if killed_after == usize::MAX {
            committed.append(&mut rows);
            committed.extend(pipeline.close_all());
            point = through_the_queue(&pipeline.resume_point());
        }
    }
    assert_eq!(point.from.offset, point.taken, "no window is left");
    (committed, point.tally)
}

/// The point as it is read that was committed.
fn through_the_queue(point: &ResumePoint) -> ResumePoint {
    let metadata = point.metadata(five_seconds(), BOUND);
    let committed = (point.from.offset, metadata.as_str());
    let read = ResumePoint::read(committed, five_seconds(), BOUND).expect("it is readable");
    assert_eq!(read, *point);
    read
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

    /// Lines that come again, because those who sent them were killed.
    #[test]
    fn resends_change_nothing(
        hits in within_the_bound(),
        size in 1..20_usize,
        again in vec((any::<prop::sample::Index>(), 0..4_usize), 0..8),
    ) {
        let batches: Vec<_> = numbered(&hits).chunks(size).map(<[_]>::to_vec).collect();
        let (rows, tally) = run(&with_resends(&batches, again));
        let (expected, once) = run(&batches);
        prop_assert_eq!(rows, expected);
        prop_assert_eq!(Tally { repeated: 0, ..tally }, once);
    }

    /// Wherever jobs are killed, in whatever order lines come, the committed rows and the
    /// numbers are those of one job that was not killed.
    #[test]
    fn kills_change_nothing(
        hits in vec((0..4_u8, 0..200_i64), 0..150),
        bad in vec(any::<prop::sample::Index>(), 0..5),
        size in 1..20_usize,
        again in vec((any::<prop::sample::Index>(), 0..4_usize), 0..4),
        jobs in vec((0..10_usize, 1..4_usize), 0..8),
    ) {
        let mut lines = numbered(&hits);
        for bad in bad.into_iter().filter(|_| !hits.is_empty()) {
            lines[bad.index(hits.len())].1 = "a bad line".to_owned();
        }
        let batches: Vec<_> = lines.chunks(size).map(<[_]>::to_vec).collect();
        let arrived = with_resends(&batches, again);
        prop_assert_eq!(run_killed(&arrived, &jobs), run(&arrived));
    }
}

#[test]
fn a_killed_job_is_resumed_where_its_first_open_window_began() {
    let mut pipeline = pipeline();
    for (number, seconds) in [(1, 0), (2, 6), (3, 1), (4, 15), (5, 2)] {
        take(&mut pipeline, number, line(hit(1, seconds)).as_bytes());
    }
    assert_eq!(pipeline.close_complete().len(), 1, "0..5");
    let point = pipeline.resume_point();
    // Line 2 is the first one of 5..10. Lines 3 and 5 are not counted again.
    let (offset, line_before) = (Offset(1), 1);
    assert_eq!(
        point.from,
        Place {
            offset,
            line: line_before
        }
    );
    let mut pipeline = resumed(&point);
    let again = [(1, 2, 6), (2, 3, 1), (3, 4, 15), (4, 5, 2)];
    for (offset, number, seconds) in again {
        let text = line(hit(1, seconds));
        let outcome = pipeline.take(Offset(offset), number, text.as_bytes());
        assert_eq!(outcome, Outcome::Known);
    }
    assert_eq!(pipeline.resume_point(), point);
    let rows = [
        "2024-01-01T00:00:05Z 192.0.2.1 1",
        "2024-01-01T00:00:15Z 192.0.2.1 1",
    ];
    assert_eq!(keys(&pipeline.close_all()), rows);
    // What comes for a window that has been closed is late, also at the end.
    let text = line(hit(1, 19));
    let outcome = take(&mut pipeline, 6, text.as_bytes());
    assert!(
        matches!(outcome, Outcome::Rejected(Rejected::Late(_))),
        "{outcome:?}"
    );
    let text = line(hit(1, 20));
    assert_eq!(take(&mut pipeline, 7, text.as_bytes()), Outcome::Counted);
}

#[test]
fn what_counts_differently_is_not_resumed() {
    let point = ResumePoint::default();
    let metadata = point.metadata(five_seconds(), BOUND);
    let read =
        |metadata: &str, bound| ResumePoint::read((Offset::ZERO, metadata), five_seconds(), bound);
    assert_eq!(read(&metadata, BOUND), Some(point));
    assert_eq!(read(&metadata, BOUND * 10), None);
    assert_eq!(read("", BOUND), None);
    assert_eq!(read("of another program", BOUND), None);
    let cut = metadata.rsplit_once(' ').expect("several values").0;
    assert_eq!(read(cut, BOUND), None);
}
