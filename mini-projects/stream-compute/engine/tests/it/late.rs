//! Which records are late.

use std::sync::Arc;

use message_model::Timestamp;
use stream_engine::{Count, Job, MemorySink, OutOfOrder, Settings, Windows};

use crate::gated::gated;
use crate::{ms, parallel, run};

const BOUND: i64 = 10;
const SIZE: i64 = 100;

/// Times, counted in windows. The job reads five at a time. Returns the starts of the rows, and the
/// late times.
fn times(times: &[i64], sinks: &(MemorySink<i64>, MemorySink<i64>)) -> Job {
    let (gate, source) = gated(&Arc::new(vec![times.to_vec()]));
    gate.open();
    let order = OutOfOrder {
        bound: ms(BOUND.unsigned_abs()),
        idle_after: None,
        step: Some(ms(SIZE.unsigned_abs())),
    };
    let job = Job::new("times");
    let (rows, late) = job
        .source("times", source)
        .event_time("time", order, |time| Timestamp(*time))
        .key_by(|_| 0)
        .window(Windows::tumbling(ms(SIZE.unsigned_abs())))
        .aggregate("count", Count);
    rows.map("start", |row| row.window.start.0)
        .sink("rows", sinks.0.clone());
    late.sink("late", sinks.1.clone());
    job
}

#[tokio::test(start_paused = true)]
async fn with_a_step_the_order_alone_decides_what_is_late() {
    let mut all_late = 0;
    for seed in 0..50 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut now = 0;
        let mut time = || {
            now += random.i64(0..60);
            now - random.i64(0..3 * SIZE)
        };
        let all: Vec<i64> = (0..200).map(|_| time()).collect();
        let mut latest = i64::MIN / 2;
        let mut late = all.clone();
        late.retain(|time| {
            let end = time - time.rem_euclid(SIZE) + SIZE;
            let is_late = end <= latest - BOUND;
            latest = latest.max(*time);
            is_late
        });
        let sinks = (MemorySink::default(), MemorySink::default());
        run(&times(&all, &sinks), parallel(1)).await.unwrap();
        assert_eq!(sinks.1.committed(), late, "seed {seed}");
        all_late += late.len();
    }
    assert!(all_late > 1000, "{all_late}");
}

#[tokio::test(start_paused = true)]
async fn behind_its_end_a_job_goes_on_with_what_has_come_since() {
    let sinks = (MemorySink::default(), MemorySink::default());
    let mut all = vec![5, 150, 320];
    let ended = run(&times(&all, &sinks), parallel(2)).await.unwrap();
    assert_eq!(sinks.0.committed(), [0, 100, 300]);
    // The windows of the first three are closed, that from 200 too, and those behind are not.
    all.extend([160, 350, 299, 405, 420, 700]);
    let settings = Settings {
        resume: Some((*ended.checkpoint.unwrap()).clone()),
        ..parallel(3)
    };
    run(&times(&all, &sinks), settings).await.unwrap();
    assert_eq!(sinks.0.committed(), [0, 100, 300, 400, 700]);
    assert_eq!(sinks.1.committed(), [160, 350, 299]);
}
