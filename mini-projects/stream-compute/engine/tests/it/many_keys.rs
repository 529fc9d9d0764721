//! Rows of more keys than one bucket has.

use std::collections::BTreeMap;
use std::sync::Arc;

use message_model::Timestamp;
use stream_engine::{Content, Count, Job, MemorySink, OutOfOrder, Windows};

use crate::gated::gated;
use crate::{ms, parallel, run};

/// Many in each of the 128 key groups.
const KEYS: u32 = 10_000;
const HITS: usize = 30_000;

/// Key, start and end of a window.
type Pane = (u32, i64, i64);

/// In the order of their times.
fn hits() -> Vec<(u32, i64)> {
    let mut random = fastrand::Rng::with_seed(31);
    let mut hits: Vec<_> = (0..HITS)
        .map(|_| (random.u32(..KEYS), random.i64(0..3_000)))
        .collect();
    hits.sort_by_key(|hit| hit.1);
    hits
}

/// Runs a job over all hits; returns the count of each window.
async fn counted(windows: Windows) -> BTreeMap<Pane, u64> {
    let sink = MemorySink::default();
    let (gate, source) = gated(&Arc::new(vec![hits()]));
    gate.open();
    let order = OutOfOrder {
        bound: ms(0),
        idle_after: None,
        step: None,
    };
    let job = Job::new("many keys");
    let (rows, late) = job
        .source("hits", source)
        .event_time("time", order, |hit| Timestamp(hit.1))
        .key_by(|hit| hit.0)
        .window(windows)
        .aggregate("count", Count);
    rows.sink("rows", sink.clone());
    late.discard("late");
    run(&job, parallel(2)).await.unwrap();
    let mut counts = BTreeMap::new();
    for row in sink.committed() {
        let Content::Value(count) = row.content else {
            panic!("withdrawn");
        };
        let pane = (row.key, row.window.start.0, row.window.end.0);
        assert_eq!(counts.insert(pane, count), None, "{pane:?} twice");
    }
    counts
}

#[tokio::test(start_paused = true)]
async fn windows_of_many_keys_have_each_record() {
    let mut wanted = BTreeMap::<Pane, u64>::new();
    for (key, time) in hits() {
        let last = time - time.rem_euclid(500);
        for start in [last - 500, last] {
            *wanted.entry((key, start, start + 1_000)).or_default() += 1;
        }
    }
    assert_eq!(counted(Windows::sliding(ms(1_000), ms(500))).await, wanted);
}

#[tokio::test(start_paused = true)]
async fn sessions_of_many_keys_have_each_record() {
    let mut times = BTreeMap::<u32, Vec<i64>>::new();
    for (key, time) in hits() {
        times.entry(key).or_default().push(time);
    }
    let mut wanted = BTreeMap::<Pane, u64>::new();
    for (key, times) in times {
        for session in times.chunk_by(|one, two| two - one < 2_000) {
            let end = session[session.len() - 1] + 2_000;
            wanted.insert((key, session[0], end), session.len() as u64);
        }
    }
    assert_eq!(counted(Windows::session(ms(2_000))).await, wanted);
}
