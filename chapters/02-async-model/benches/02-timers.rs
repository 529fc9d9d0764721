//! What a timer costs while many wait: the wheel beside an ordered map.
//!
//! - `schedule, cancel`: one comes in, another one, any of those that wait, is
//!   taken back. Nearly every call in flight does this.
//! - `expire`: all that wait come out, by an owner that sleeps until the next
//!   deadline and wakes on whole milliseconds.
//!
//! Deadlines are microseconds within 30 s. Filling is not measured, freeing
//! what is empty at the end is not either.
//!
//! `cargo bench -p async-model --bench 02-timers`

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use async_model::{TimerId, Timers};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Throughput};
use fastrand::Rng;
use message_model::Moment;

/// How many wait.
const WAITING: [u64; 2] = [1_000, 100_000];
/// Deadlines lie within this many milliseconds, like those of calls in flight.
const SPAN_MILLIS: u64 = 30_000;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn main() {
    let mut criterion = bench_settings::criterion();
    for waiting in WAITING {
        let mut group = criterion.benchmark_group(format!("02-timers {waiting}"));
        schedule_and_cancel::<Timers<u64>>(&mut group, "wheel", waiting);
        schedule_and_cancel::<Ordered>(&mut group, "map", waiting);
        expire::<Timers<u64>>(&mut group, "wheel", waiting);
        expire::<Ordered>(&mut group, "map", waiting);
        group.finish();
    }
    criterion.final_summary();
}

/// What both can do.
trait Deadlines: Default {
    type Id: Copy;
    fn schedule(&mut self, deadline: Moment, key: u64) -> Self::Id;
    fn cancel(&mut self, id: Self::Id) -> Option<u64>;
    fn expire(&mut self, now: Moment) -> Vec<u64>;
    fn next_deadline(&self) -> Option<Moment>;
}

impl Deadlines for Timers<u64> {
    type Id = TimerId;

    fn schedule(&mut self, deadline: Moment, key: u64) -> TimerId {
        Timers::schedule(self, deadline, key)
    }

    fn cancel(&mut self, id: TimerId) -> Option<u64> {
        Timers::cancel(self, id)
    }

    fn expire(&mut self, now: Moment) -> Vec<u64> {
        Timers::expire(self, now)
    }

    fn next_deadline(&self) -> Option<Moment> {
        Timers::next_deadline(self)
    }
}

/// All of them in order.
#[derive(Default)]
struct Ordered {
    keys: BTreeMap<(Moment, u64), u64>,
    next_number: u64,
}

impl Deadlines for Ordered {
    type Id = (Moment, u64);

    fn schedule(&mut self, deadline: Moment, key: u64) -> (Moment, u64) {
        let id = (deadline, self.next_number);
        self.next_number += 1;
        self.keys.insert(id, key);
        id
    }

    fn cancel(&mut self, id: (Moment, u64)) -> Option<u64> {
        self.keys.remove(&id)
    }

    fn expire(&mut self, now: Moment) -> Vec<u64> {
        let mut due = Vec::new();
        while let Some(first) = self.keys.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        due
    }

    fn next_deadline(&self) -> Option<Moment> {
        let ((deadline, _), _) = self.keys.first_key_value()?;
        Some(*deadline)
    }
}

fn deadline(random: &mut Rng) -> Moment {
    Moment::after_start(Duration::from_micros(random.u64(..SPAN_MILLIS * 1_000)))
}

/// One comes in, another one is taken back.
fn schedule_and_cancel<D: Deadlines>(group: &mut Group<'_>, name: &str, waiting: u64) {
    let mut random = Rng::with_seed(1);
    let mut deadlines = D::default();
    let mut ids: Vec<D::Id> = (0..waiting)
        .map(|key| deadlines.schedule(deadline(&mut random), key))
        .collect();
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("schedule, cancel: {name}"), |bencher| {
        bencher.iter(|| {
            let id = deadlines.schedule(deadline(&mut random), 0);
            let any = random.usize(..ids.len());
            let id = std::mem::replace(&mut ids[any], id);
            black_box(deadlines.cancel(id))
        });
    });
}

/// All come out.
fn expire<D: Deadlines>(group: &mut Group<'_>, name: &str, waiting: u64) {
    let filled = || {
        let mut random = Rng::with_seed(1);
        let mut deadlines = D::default();
        for key in 0..waiting {
            deadlines.schedule(deadline(&mut random), key);
        }
        deadlines
    };
    group.throughput(Throughput::Elements(waiting));
    group.bench_function(format!("expire: {name}"), |bencher| {
        bencher.iter_batched(
            filled,
            |mut deadlines| {
                while let Some(next) = deadlines.next_deadline() {
                    black_box(deadlines.expire(whole_millis(next)));
                }
                deadlines
            },
            BatchSize::PerIteration,
        );
    });
}

fn whole_millis(moment: Moment) -> Moment {
    let micros = moment.since(Moment::START).as_micros();
    let millis = u64::try_from(micros.div_ceil(1_000)).unwrap_or(u64::MAX);
    Moment::after_start(Duration::from_millis(millis))
}
