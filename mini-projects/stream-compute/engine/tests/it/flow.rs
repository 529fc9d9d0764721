//! How records, time and back-pressure go through a job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_model::Clock;
use message_model::Timestamp;
use stream_engine::{
    Cause, Content, Count, Handle, IteratorSource, Job, MemorySink, OutOfOrder, Record, Reduce,
    Settings, Sink, Subtask, TextSink, Top, Windows, Writer,
};
use tokio::sync::Semaphore;

use crate::gated::gated;
use crate::{ms, parallel, run};

const ORDER: OutOfOrder = OutOfOrder {
    bound: std::time::Duration::from_millis(10),
    idle_after: Some(std::time::Duration::from_secs(5)),
    step: None,
};

#[tokio::test(start_paused = true)]
async fn each_record_takes_the_way_that_is_defined() {
    for parallelism in [1, 2, 3] {
        let (even, odd, all) = (
            MemorySink::default(),
            MemorySink::default(),
            MemorySink::default(),
        );
        let job = Job::new("ways");
        let source =
            IteratorSource::new(2, |partition| (0..5000u32).map(move |n| n * 2 + partition));
        let (numbers, copy) = job.source("numbers", source).fork();
        let (good, bad) = numbers
            .rebalance()
            .split("sorted", |n| if n % 2 == 0 { Ok(n) } else { Err(n) });
        let (good, again) = good.filter("small", |n| *n < 100).fork();
        good.sink("even", even.clone());
        bad.sink("odd", odd.clone());
        again
            .flat_map("twice", |n| [n, n])
            .union(copy)
            .sink("all", all.clone());
        run(&job, parallel(parallelism)).await.unwrap();
        let sorted = |sink: &MemorySink<u32>| {
            let mut values = sink.committed();
            values.sort_unstable();
            values
        };
        assert_eq!(sorted(&even), (0..100).step_by(2).collect::<Vec<_>>());
        assert_eq!(sorted(&odd), (1..10_000).step_by(2).collect::<Vec<_>>());
        let mut wanted: Vec<u32> = (0..10_000).chain((0..100).map(|n| n / 2 * 2)).collect();
        wanted.sort_unstable();
        assert_eq!(sorted(&all), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn the_records_of_a_key_keep_their_order() {
    let job = Job::new("order");
    let sink = MemorySink::default();
    let source = IteratorSource::new(1, |_| 0..20_000i64);
    let last = Reduce(|one: i64, two: i64| one.max(two));
    let (rows, late) = job
        .source("numbers", source)
        .event_time("time", ORDER, |n| Timestamp(*n))
        .key_by(|n| n % 11)
        .window(Windows::tumbling(ms(100)))
        .aggregate("last", last);
    let rows = rows.map("pair", |row| (row.key, row.window.start.0, row.content));
    rows.sink("rows", sink.clone());
    late.discard("late");
    run(&job, parallel(4)).await.unwrap();
    let mut latest = BTreeMap::new();
    for (key, start, content) in sink.committed() {
        assert!(latest.insert(key, start) < Some(start), "{key} goes back");
        assert!(matches!(content, Content::Value(Some(value)) if value % 11 == key));
    }
    assert_eq!(latest.len(), 11);
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_subtask_with_any_parallelism() {
    for parallelism in 1..=9 {
        let job = Job::new("keys");
        let sink = MemorySink::default();
        let (rows, late) = job
            .source("keys", IteratorSource::new(1, |_| 0..2000u32))
            .event_time("time", ORDER, |_| Timestamp(0))
            .key_by(|key| *key)
            .window(Windows::tumbling(ms(100)))
            .aggregate("count", Count);
        rows.map("key", |row| row.key).sink("rows", sink.clone());
        late.discard("late");
        run(&job, parallel(parallelism)).await.unwrap();
        let mut keys = sink.committed();
        keys.sort_unstable();
        assert_eq!(keys, (0..2000).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn windows_of_rows_find_the_top() {
    let job = Job::new("top");
    let sink = MemorySink::default();
    // Key n comes n times in each window.
    let values =
        |_| (0..3i64).flat_map(|w| (1..=9i64).flat_map(move |n| (0..n).map(move |_| (n, w * 100))));
    let (rows, late) = job
        .source("numbers", IteratorSource::new(1, values))
        .event_time("time", ORDER, |(_, time)| Timestamp(*time))
        .key_by(|(n, _)| *n)
        .window(Windows::tumbling(ms(100)))
        .aggregate("count", Count);
    late.discard("late");
    let counts = rows.flat_map("counts", |row| match row.content {
        Content::Value(count) => Some((count, row.key)),
        Content::Withdrawn => None,
    });
    let (top, late) = counts
        .key_by(|_| ())
        .window(Windows::tumbling(ms(100)))
        .aggregate("top", Top::new(3));
    late.discard("late rows");
    top.map("shown", |row| (row.window.start.0, row.content))
        .sink("rows", sink.clone());
    run(&job, parallel(3)).await.unwrap();
    let best = || Content::Value(vec![(9, 9), (8, 8), (7, 7)]);
    assert_eq!(
        sink.committed(),
        [(0, best()), (100, best()), (200, best())]
    );
}

#[tokio::test(start_paused = true)]
async fn late_records_go_to_the_side_output() {
    let job = Job::new("late");
    let (counts, lates) = (MemorySink::default(), MemorySink::default());
    let times = Arc::new(vec![vec![5, 150, 7, 120]]);
    let (gate, source) = gated(&times);
    let (rows, late) = job
        .source("times", source)
        .event_time("time", ORDER, |time| Timestamp(*time))
        .key_by(|_| 0)
        .window(Windows::tumbling(ms(100)))
        .aggregate("count", Count);
    rows.map("pair", |row| (row.window.start.0, row.content))
        .sink("rows", counts.clone());
    late.sink("late", lates.clone());
    let clock = Clock::start();
    let (_handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(parallel(1), requests).await });
    gate.allow(0, 2);
    // Time passes by itself only when nothing else can happen.
    clock.sleep_until(clock.now().plus(ms(50))).await;
    gate.open();
    running.await.unwrap().unwrap();
    assert_eq!(
        counts.committed(),
        [(0, Content::Value(1)), (100, Content::Value(2))]
    );
    assert_eq!(lates.committed(), [7]);
}

#[tokio::test(start_paused = true)]
async fn a_silent_partition_does_not_hold_the_others_for_ever() {
    let times: Vec<i64> = (0..1000).collect();
    let job = Job::new("silent");
    let sink = MemorySink::default();
    let (gate, source) = gated(&Arc::new(vec![times.clone(), times]));
    let (rows, late) = job
        .source("times", source)
        .event_time("time", ORDER, |time| Timestamp(*time))
        .key_by(|_| 0)
        .window(Windows::tumbling(ms(100)))
        .aggregate("count", Count);
    rows.map("start", |row| row.window.start.0)
        .sink("rows", sink.clone());
    late.discard("late");
    let clock = Clock::start();
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(parallel(2), requests).await });
    gate.allow(0, 500);
    clock.sleep_until(clock.now().plus(ms(4_000))).await;
    handle.checkpoint().await.unwrap();
    assert_eq!(
        sink.committed(),
        Vec::<i64>::new(),
        "the other one may still begin"
    );
    clock.sleep_until(clock.now().plus(ms(2_000))).await;
    handle.checkpoint().await.unwrap();
    assert_eq!(sink.committed(), [0, 100, 200, 300]);
    running.abort();
}

/// A sink that waits for a permit before it takes a batch.
struct Slow(Arc<Semaphore>);

impl Sink for Slow {
    type Item = u64;
    type Writer = Slow;

    fn open(&self, _: Subtask) -> Result<Slow, Cause> {
        Ok(Slow(Arc::clone(&self.0)))
    }
}

impl Writer for Slow {
    type Item = u64;
    type Prepared = ();

    async fn write(&mut self, records: &mut Vec<Record<u64>>) -> Result<(), Cause> {
        self.0.acquire().await?.forget();
        records.clear();
        Ok(())
    }

    async fn prepare(&mut self, _: u64) -> Result<(), Cause> {
        Ok(())
    }

    async fn commit(&mut self, (): ()) -> Result<(), Cause> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_sink_holds_its_source() {
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let source = IteratorSource::new(1, move |_| {
        let counted = Arc::clone(&counted);
        (0..u64::MAX).inspect(move |_| _ = counted.fetch_add(1, Ordering::Relaxed))
    });
    let permits = Arc::new(Semaphore::new(0));
    let job = Job::new("slow");
    job.source("numbers", source)
        .rebalance()
        .sink("slow", Slow(Arc::clone(&permits)));
    let clock = Clock::start();
    let (_handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(parallel(1), requests).await });
    // Time passes by itself only when nothing else can happen.
    clock.sleep_until(clock.now().plus(ms(60_000))).await;
    let held = read.load(Ordering::Relaxed);
    assert!((1..20_000).contains(&held), "{held} records were read");
    permits.add_permits(1);
    clock.sleep_until(clock.now().plus(ms(60_000))).await;
    assert!(read.load(Ordering::Relaxed) > held);
    assert!(read.load(Ordering::Relaxed) < held + 5_000);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn text_is_written_line_by_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let job = Job::new("text");
    let source = IteratorSource::new(3, |partition| (0..2000).map(move |n| n * 3 + partition));
    job.source("numbers", source)
        .sink("text", TextSink::new(file.reopen().unwrap()));
    let settings = Settings {
        interval: Some(ms(1)),
        ..parallel(3)
    };
    run(&job, settings).await.unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    let mut numbers: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..6000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn time_goes_on_in_side_outputs_too() {
    let job = Job::new("sides");
    let sink = MemorySink::default();
    let times = |_| (0..1000i64).map(|n| if n % 10 == 9 { Err(n) } else { Ok(n) });
    let (good, bad) = job
        .source("times", IteratorSource::new(1, times))
        .event_time("time", ORDER, |(Ok(time) | Err(time))| Timestamp(*time))
        .split("sorted", |time| time);
    let (rows, late) = good
        .key_by(|_| 0)
        .window(Windows::tumbling(ms(10)))
        .aggregate("count", Count);
    let rows = rows.map("start", |row| row.window.start.0);
    let (all, too_late) = rows
        .union(bad)
        .union(late)
        .key_by(|_| 0)
        .window(Windows::tumbling(ms(1_000)))
        .aggregate("all", Count);
    all.map("shown", |row| row.content)
        .sink("rows", sink.clone());
    too_late.discard("none");
    run(&job, parallel(2)).await.unwrap();
    // A hundred rows, and a hundred bad ones.
    assert_eq!(sink.committed(), [Content::Value(200)]);
}
