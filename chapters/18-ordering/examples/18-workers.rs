//! A thousand records of one partition, which take 10 ms each, and four ways to share them
//! among eight workers. The time is simulated; the last line runs the chapter's scheduler.
//!
//! ```text
//! cargo run -p ordering --example 18-workers
//! ```

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::time::Duration;

use message_model::{Moment, Offset};
use ordering::part::schedule::{Effect, Event};
use ordering::part::{Key, Limits, Scheduler};

const RECORDS: usize = 1_000;
const WORKERS: usize = 8;

/// A tenth of the records is of key 0; the others are of a hundred keys.
fn keys() -> Vec<u64> {
    let mut random = numbers(18);
    (0..RECORDS)
        .map(|at| if at % 10 == 0 { 0 } else { 1 + random() % 100 })
        .collect()
}

/// Numbers that look random, the same ones each time.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

/// How long a record takes, in ms: 10, and one in fifty 100.
fn durations() -> Vec<u64> {
    let mut random = numbers(100);
    (0..RECORDS)
        .map(|_| if random().is_multiple_of(50) { 100 } else { 10 })
        .collect()
}

/// What a way to share came to.
struct Outcome {
    millis: u64,
    /// How many records were finished behind a later one of their key.
    overtaken: usize,
}

impl Outcome {
    /// `finished` has the places of the records in the order of their ends.
    fn new(millis: u64, finished: &[usize], keys: &[u64]) -> Outcome {
        let mut last: BTreeMap<u64, usize> = BTreeMap::new();
        let mut overtaken = 0;
        for place in finished {
            let last = last.entry(keys[*place]).or_insert(*place);
            overtaken += usize::from(place < last);
            *last = (*last).max(*place);
        }
        Outcome { millis, overtaken }
    }
}

/// Each worker has a queue of its own; `worker` says whose a record is.
fn queues(worker: impl Fn(usize) -> usize, keys: &[u64], durations: &[u64]) -> Outcome {
    let mut free_at = [0; WORKERS];
    let mut ends = Vec::new();
    for (place, duration) in durations.iter().enumerate() {
        let worker = worker(place);
        free_at[worker] += duration;
        ends.push((free_at[worker], place));
    }
    ends.sort_unstable();
    let finished: Vec<_> = ends.iter().map(|(_, place)| *place).collect();
    Outcome::new(ends[RECORDS - 1].0, &finished, keys)
}

/// A worker that is idle takes the next record, whatever its key is.
fn whoever_is_idle(workers: usize, keys: &[u64], durations: &[u64]) -> Outcome {
    let mut free: BinaryHeap<_> = (0..workers).map(|_| Reverse(0)).collect();
    let mut ends = Vec::new();
    for (place, duration) in durations.iter().enumerate() {
        let Reverse(at) = free.pop().unwrap_or_default();
        ends.push((at + duration, place));
        free.push(Reverse(at + duration));
    }
    ends.sort_unstable();
    let finished: Vec<_> = ends.iter().map(|(_, place)| *place).collect();
    Outcome::new(ends[RECORDS - 1].0, &finished, keys)
}

/// The chapter's scheduler says which record is next.
fn scheduled(window_max: usize, keys: &[u64], durations: &[u64]) -> Outcome {
    let limits = Limits {
        workers: WORKERS,
        window_max,
        tries_max: 1,
        backoff: Duration::ZERO,
    };
    let mut scheduler = Scheduler::new(Offset(0), limits);
    let (mut now, mut finished) = (0, Vec::new());
    let mut in_hand = BTreeSet::new();
    let mut unread: VecDeque<usize> = (0..RECORDS).collect();
    let mut effects = Vec::new();
    while finished.len() < RECORDS {
        while scheduler.has_room()
            && let Some(place) = unread.pop_front()
        {
            let (offset, key) = (offset(place), Some(Key(keys[place])));
            scheduler.step(moment(now), Event::Record { offset, key }, &mut effects);
        }
        for effect in effects.drain(..) {
            if let Effect::Start { offset, .. } = effect {
                let place = usize::try_from(offset.0).unwrap_or(0);
                in_hand.insert((now + durations[place], place));
            }
        }
        let Some((end, place)) = in_hand.pop_first() else {
            break;
        };
        now = end;
        finished.push(place);
        scheduler.step(moment(now), Event::Done(offset(place)), &mut effects);
    }
    Outcome::new(now, &finished, keys)
}

fn offset(place: usize) -> Offset {
    Offset(i64::try_from(place).unwrap_or(i64::MAX))
}

fn moment(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

fn main() {
    let (keys, durations) = (keys(), durations());
    println!("the next record goes to                 | seconds | overtaken");
    println!("----------------------------------------|---------|----------");
    let hash = |place: usize| usize::try_from(keys[place]).unwrap_or(0) % WORKERS;
    for (name, outcome) in [
        ("the only worker", whoever_is_idle(1, &keys, &durations)),
        (
            "whichever of 8 is idle",
            whoever_is_idle(WORKERS, &keys, &durations),
        ),
        (
            "the one of 8 that its key's hash names",
            queues(hash, &keys, &durations),
        ),
        (
            "the scheduler, with a window of 20",
            scheduled(20, &keys, &durations),
        ),
        (
            "the scheduler, with a window of 200",
            scheduled(200, &keys, &durations),
        ),
    ] {
        let Outcome { millis, overtaken } = outcome;
        let seconds = format!("{}.{:02}", millis / 1_000, millis % 1_000 / 10);
        println!("{name:<39} | {seconds:>7} | {overtaken:>9}");
    }
}
