//! The waiting done the slow way, and random histories of both.

use std::fmt::Debug;

use spec_harness::fail;

use super::super::part::Woken;
use super::step::Step;
use super::world::World;

const PARTITIONS: usize = 3;
const FETCHES: usize = 6;
const STEPS: usize = 20;

/// A fetch that has not left.
struct Wait {
    fetch: usize,
    notes: Vec<(usize, i64)>,
    deadline: Option<u64>,
    over: Option<Woken>,
}

/// What must hold, in a list of waits in the order in which they came.
struct Model {
    waits: Vec<Wait>,
    ends: Vec<i64>,
    /// Of each append: the partition, and the end after it.
    appends: Vec<(usize, i64)>,
    stopped: bool,
    outcomes: Vec<Option<Woken>>,
}

impl Model {
    fn new() -> Model {
        Model {
            waits: Vec::new(),
            ends: vec![0; PARTITIONS],
            appends: vec![(0, 0); STEPS],
            stopped: false,
            outcomes: vec![None; FETCHES],
        }
    }

    /// The fetches that `step` wakes, in order.
    fn take(&mut self, step: &Step) -> Vec<usize> {
        let mut woken = Vec::new();
        match step {
            Step::Begin(fetch, wanted, deadline) => {
                let notes = wanted
                    .iter()
                    .map(|(one, ahead)| (*one, self.ends[*one] + ahead));
                let notes: Vec<_> = notes.collect();
                let passed = notes.iter().any(|(one, offset)| self.ends[*one] > *offset);
                self.outcomes[*fetch] = match (self.stopped, passed) {
                    (true, _) => Some(Woken::Stopped),
                    (_, true) => Some(Woken::Moved),
                    _ => None,
                };
                if self.outcomes[*fetch].is_none() {
                    let (fetch, deadline) = (*fetch, Some(*deadline));
                    self.waits.push(Wait {
                        fetch,
                        notes,
                        deadline,
                        over: None,
                    });
                }
            }
            Step::Go(fetch) | Step::Drop(fetch) => {
                for left in self.waits.extract_if(.., |wait| wait.fetch == *fetch) {
                    self.outcomes[*fetch] = left.over.filter(|_| *step == Step::Go(*fetch));
                }
            }
            Step::Grow(append, partition) => {
                self.ends[*partition] += 1;
                self.appends[*append] = (*partition, self.ends[*partition]);
            }
            Step::Moved(append) => {
                let (partition, end) = self.appends[*append];
                for wait in &mut self.waits {
                    let before = wait.notes.len();
                    wait.notes
                        .retain(|note| note.0 != partition || note.1 >= end);
                    if wait.notes.len() < before {
                        wake(wait, Woken::Moved, &mut woken);
                    }
                }
            }
            Step::Expire(now) => woken = self.end(*now, Woken::Expired),
            Step::Stop => {
                self.stopped = true;
                woken = self.end(u64::MAX, Woken::Stopped);
            }
        }
        woken
    }

    /// Ends the waits whose deadline is at or before `now`.
    fn end(&mut self, now: u64, over: Woken) -> Vec<usize> {
        let mut woken = Vec::new();
        let mut due: Vec<_> = self.waits.iter_mut().collect();
        due.retain(|wait| wait.deadline.is_some_and(|deadline| deadline <= now));
        due.sort_by_key(|wait| wait.deadline);
        for wait in due {
            wait.deadline = None;
            wake(wait, over, &mut woken);
        }
        woken
    }

    fn left(&self) -> (Vec<usize>, usize) {
        let mut notes = vec![0; PARTITIONS];
        for (partition, _) in self.waits.iter().flat_map(|wait| &wait.notes) {
            notes[*partition] += 1;
        }
        let timers = self.waits.iter().filter(|wait| wait.deadline.is_some());
        (notes, timers.count())
    }
}

/// The first time counts.
fn wake(wait: &mut Wait, over: Woken, woken: &mut Vec<usize>) {
    if wait.over.is_none() {
        wait.over = Some(over);
        woken.push(wait.fetch);
    }
}

/// What was wrong: what must hold, what was seen, and all that had happened.
struct Wrong(String, String, String);

/// Takes the steps that are possible, here and in the model.
fn run(steps: &[Step], traced: bool) -> Option<Wrong> {
    let world = World::new((PARTITIONS, FETCHES, STEPS), None, traced);
    let mut model = Model::new();
    for step in steps {
        if !world.is_possible(step) {
            continue;
        }
        let woken = world.take(step);
        compare(&world, rule(step), woken, model.take(step));
        let ((notes, timers), (slow_notes, slow_timers)) = (world.left(), model.left());
        compare(&world, "notes at each partition", notes, slow_notes);
        compare(&world, "timers", timers, slow_timers);
        let outcomes = model.outcomes.clone();
        compare(
            &world,
            "what each fetch has returned",
            world.outcomes(),
            outcomes,
        );
        if world.problem().is_some() {
            break;
        }
    }
    world.finish();
    let (rule, seen) = world.problem()?;
    Some(Wrong(rule, seen, world.trace()))
}

/// Which fetches a step wakes, and in which order.
fn rule(step: &Step) -> &'static str {
    match step {
        Step::Moved(_) => {
            "moved wakes what it has passed, in the order in which the notes were left"
        }
        Step::Expire(_) => "expire wakes what is over, in the order of the deadlines",
        Step::Stop => "stop wakes everything, in the order of the deadlines",
        _ => "this step wakes nothing",
    }
}

fn compare<T: Debug + PartialEq>(world: &World, what: &str, got: T, expected: T) {
    if got != expected {
        world.wrong(
            &format!("{what}: {expected:?}"),
            &format!("{what}: {got:?}"),
        );
    }
}

/// Steps at random; those that are not possible when it is their turn are left out.
fn steps(seed: u64) -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut step = |number: usize| match random.u8(0..20) {
        0..6 => {
            let wanted = (0..random.usize(..4)).map(|_| {
                let ahead = if random.u8(0..20) == 0 {
                    -1
                } else {
                    random.i64(0..3)
                };
                (random.usize(..PARTITIONS), ahead)
            });
            let wanted = wanted.collect();
            Step::Begin(random.usize(..FETCHES), wanted, random.u64(1..60))
        }
        6..10 => Step::Grow(number, random.usize(..PARTITIONS)),
        10..14 => Step::Moved(random.usize(..number.max(1))),
        14..17 => Step::Go(random.usize(..FETCHES)),
        17 => Step::Drop(random.usize(..FETCHES)),
        18 => Step::Expire(random.u64(1..60)),
        _ if random.u8(0..5) == 0 => Step::Stop,
        _ => Step::Expire(random.u64(1..30)),
    };
    (0..STEPS).map(&mut step).collect()
}

/// `count` random histories. Fails with the first one that is wrong, after every
/// step has been taken out of it without which it is wrong as well.
pub(super) fn random_histories(count: u64) {
    for seed in 0..count {
        let mut steps = steps(seed);
        if run(&steps, false).is_none() {
            continue;
        }
        let mut index = steps.len();
        while index > 0 {
            index -= 1;
            let step = steps.remove(index);
            if run(&steps, false).is_none() {
                steps.insert(index, step);
            }
        }
        let Some(Wrong(rule, seen, trace)) = run(&steps, true) else {
            continue;
        };
        fail(&format!("a history:{trace}"), &rule, &seen);
    }
}
