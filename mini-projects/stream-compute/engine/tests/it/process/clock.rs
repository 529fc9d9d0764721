//! Timers of the clock.

use std::sync::Arc;

use async_model::Clock;
use message_model::Timestamp;
use stream_engine::{
    Checkpoint, Content, Count, Error, Handle, Held, Job, MemorySink, OutOfOrder, Process, Record,
    Settings, Timer, Windows,
};

use crate::gated::{Gate, gated};
use crate::{ms, parallel, run};

/// The calendar when a test begins.
const BEGIN: Timestamp = Timestamp(1_000_000);
/// How long a timer is set ahead.
const AHEAD: i64 = 1_000;

/// Reports keys that have said nothing for a while.
#[derive(Clone)]
struct Watch;

/// Key, what the timer was set for, what the calendar shows.
type Alarm = (u64, i64, i64);

impl Process<u64, (u64, i64)> for Watch {
    /// When the timer that is set is due.
    type State = i64;
    type Out = Alarm;

    fn on_record(
        &self,
        _: Record<(u64, i64)>,
        held: &mut Held<'_, u64, i64>,
        _: &mut impl FnMut(Alarm),
    ) {
        if let Some(due) = held.state().take() {
            held.cancel(Timer::Clock(Timestamp(due)));
        }
        let due = held.clock().0 + AHEAD;
        held.set(Timer::Clock(Timestamp(due)));
        *held.state() = Some(due);
    }

    fn on_timer(&self, timer: Timer, held: &mut Held<'_, u64, i64>, emit: &mut impl FnMut(Alarm)) {
        let Timer::Clock(due) = timer else {
            panic!("{timer:?}");
        };
        assert_eq!(held.state().take(), Some(due.0));
        emit((*held.key(), due.0, held.clock().0));
    }
}

/// Keys and times; ten keys come first.
fn hits() -> Arc<Vec<Vec<(u64, i64)>>> {
    Arc::new(vec![
        (0i64..20)
            .map(|n| (n.unsigned_abs() % 10, n * 10))
            .collect(),
    ])
}

fn job(sink: &MemorySink<Alarm>) -> (Job, Gate) {
    let (gate, source) = gated(&hits());
    let job = Job::new("watch");
    job.source("hits", source)
        .key_by(|(key, _)| *key)
        .process("watch", Watch)
        .sink("alarms", sink.clone());
    (job, gate)
}

/// Settings whose calendar shows so much more than in the beginning.
fn later(millis: i64, parallelism: usize, resume: Option<Checkpoint>) -> Settings {
    Settings {
        clock: Clock::start_at(Timestamp(BEGIN.0 + millis)),
        resume,
        ..parallel(parallelism)
    }
}

/// Lets time pass, which it does by itself when nothing else can happen.
async fn wait(clock: Clock, millis: u64) {
    clock.sleep_until(clock.now().plus(ms(millis))).await;
}

/// The alarms that are committed with a checkpoint now: keys, and how much later than in the
/// beginning they were due and came.
async fn alarms(handle: &Handle, sink: &MemorySink<Alarm>) -> Vec<Alarm> {
    handle.checkpoint().await.unwrap();
    // When this one begins, what is in the one before is committed.
    handle.checkpoint().await.unwrap();
    let since = |(key, due, now)| (key, due - BEGIN.0, now - BEGIN.0);
    let mut alarms: Vec<Alarm> = sink.committed().into_iter().map(since).collect();
    alarms.sort_unstable();
    alarms
}

#[tokio::test(start_paused = true)]
async fn a_timer_fires_when_it_is_due_unless_it_was_taken_back() {
    let sink = MemorySink::default();
    let (job, gate) = job(&sink);
    let settings = later(0, 3, None);
    let clock = settings.clock;
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    gate.allow(0, 10);
    wait(clock, 500).await;
    // The keys 0 to 4 once more.
    gate.allow(0, 15);
    wait(clock, 450).await;
    assert_eq!(alarms(&handle, &sink).await, []);
    wait(clock, 200).await;
    let first = alarms(&handle, &sink).await;
    let keys: Vec<u64> = first.iter().map(|(key, ..)| *key).collect();
    assert_eq!(keys, [5, 6, 7, 8, 9]);
    for (_, due, now) in first {
        assert_eq!(due, 1_000);
        assert!((1_000..=1_100).contains(&now), "{now}");
    }
    wait(clock, 600).await;
    let all = alarms(&handle, &sink).await;
    assert_eq!(all.len(), 10);
    assert!(all[..5].iter().all(|(_, due, _)| *due == 1_500), "{all:?}");
    running.abort();
}

/// The checkpoint of a job that has stopped when all timers were set.
async fn stopped(parallelism: usize, sink: &MemorySink<Alarm>) -> Checkpoint {
    let (job, gate) = job(sink);
    let settings = later(0, parallelism, None);
    let clock = settings.clock;
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    gate.allow(0, 10);
    wait(clock, 300).await;
    handle.stop();
    let summary = running.await.unwrap().unwrap();
    (*summary.checkpoint.unwrap()).clone()
}

#[tokio::test(start_paused = true)]
async fn what_was_due_while_the_job_was_down_fires_at_once() {
    for (before, after) in [(1, 1), (2, 4), (4, 1)] {
        let sink = MemorySink::default();
        let checkpoint = stopped(before, &sink).await;
        let (job, _gate) = job(&sink);
        let settings = later(3_600_000, after, Some(checkpoint));
        let clock = settings.clock;
        let (handle, requests) = Handle::new();
        let running = tokio::spawn(async move { job.run(settings, requests).await });
        let wanted: Vec<Alarm> = (0..10).map(|key| (key, 1_000, 3_600_000)).collect();
        assert_eq!(alarms(&handle, &sink).await, wanted, "{before} to {after}");
        assert_eq!(clock.now(), message_model::Moment::START);
        running.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_due_yet_when_the_job_is_back_waits() {
    let sink = MemorySink::default();
    let checkpoint = stopped(2, &sink).await;
    let (job, _gate) = job(&sink);
    let settings = later(400, 3, Some(checkpoint));
    let clock = settings.clock;
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    wait(clock, 550).await;
    assert_eq!(alarms(&handle, &sink).await, []);
    wait(clock, 150).await;
    let all = alarms(&handle, &sink).await;
    assert_eq!(all.len(), 10);
    assert!(all.iter().all(|(_, due, _)| *due == 1_000), "{all:?}");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_sources_timers_stay_in_the_checkpoint() {
    let sink = MemorySink::default();
    let (ended, gate) = job(&sink);
    gate.open();
    let summary = run(&ended, later(0, 2, None)).await.unwrap();
    assert_eq!(sink.committed(), []);
    let checkpoint = (*summary.checkpoint.unwrap()).clone();
    let (job, _gate) = job(&sink);
    let (handle, requests) = Handle::new();
    let settings = later(5_000, 3, Some(checkpoint));
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    let wanted: Vec<Alarm> = (0..10).map(|key| (key, 1_000, 5_000)).collect();
    assert_eq!(alarms(&handle, &sink).await, wanted);
    running.abort();
}

/// Alarms, counted by event time.
fn counted(sink: &MemorySink<(i64, Content<u64>)>) -> (Job, Gate) {
    let (gate, source) = gated(&hits());
    let order = OutOfOrder {
        bound: ms(20),
        idle_after: None,
        step: None,
    };
    let job = Job::new("watch");
    let (rows, late) = job
        .source("hits", source)
        .event_time("time", order, |(_, time)| Timestamp(*time))
        .key_by(|(key, _)| *key)
        .process("watch", Watch)
        .key_by(|_| 0)
        .window(Windows::tumbling(ms(10)))
        .aggregate("count", Count);
    rows.map("row", |row| (row.window.start.0, row.content))
        .sink("rows", sink.clone());
    late.map("late", |alarm| panic!("{alarm:?} is late"))
        .discard("no late ones");
    (job, gate)
}

#[tokio::test(start_paused = true)]
async fn what_a_timer_of_the_clock_emits_is_not_behind_the_watermark() {
    for stops in [false, true] {
        let sink = MemorySink::default();
        let (first, gate) = counted(&sink);
        let settings = later(0, 2, None);
        let clock = settings.clock;
        let (handle, requests) = Handle::new();
        let running = tokio::spawn(async move { first.run(settings, requests).await });
        gate.allow(0, 10);
        if stops {
            wait(clock, 500).await;
            handle.stop();
            let checkpoint = running.await.unwrap().unwrap().checkpoint.unwrap();
            let (second, gate) = counted(&sink);
            let settings = later(2_000, 3, Some((*checkpoint).clone()));
            let clock = settings.clock;
            let (_handle, requests) = Handle::new();
            let running = tokio::spawn(async move { second.run(settings, requests).await });
            wait(clock, 500).await;
            gate.open();
            running.await.unwrap().unwrap();
        } else {
            wait(clock, 1_200).await;
            gate.open();
            running.await.unwrap().unwrap();
        }
        // The tenth hit was at 90 ms.
        assert_eq!(sink.committed(), [(70, Content::Value(10))]);
    }
}

#[tokio::test(start_paused = true)]
async fn state_that_nothing_takes_or_of_another_type_is_refused() {
    let sink = MemorySink::default();
    let checkpoint = stopped(2, &sink).await;
    let other = Job::new("other");
    other.source("hits", gated(&hits()).1).discard("alarms");
    let refused = run(&other, later(0, 1, Some(checkpoint.clone()))).await;
    let nobody = |error| matches!(error, Err(Error::StateOfNobody(id)) if id == "watch".into());
    assert!(nobody(refused));

    let mut damaged = checkpoint;
    let state = damaged.operators.get_mut(&"watch".into()).unwrap();
    for bytes in state.groups.values_mut() {
        bytes.push(0);
    }
    let refused = run(&job(&sink).0, later(0, 1, Some(damaged))).await;
    assert!(matches!(refused, Err(Error::State(..))), "{refused:?}");
}
