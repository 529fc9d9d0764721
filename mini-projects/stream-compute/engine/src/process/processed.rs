//! The operator that runs a [`Process`].

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use async_model::Clock;
use message_model::Timestamp;

use super::keyed_states::{Kept, KeyedStates, Times, clock_timers, event_timers};
use crate::buckets::{Buckets, by_group};
use crate::chain::Chain;
use crate::element::{END_OF_TIME, Record, Signal, Step, UNTIMED};
use crate::error::Error;
use crate::key::{Grouped, Place, bits_of, groups_of};
use crate::operator_id::OperatorId;
use crate::process::{Process, Timer};
use crate::snapshot::{Opening, OperatorState, Snapshot, decode};
use crate::windowed::Stored;

/// A [`Process`] with the states and timers of the keys of some key groups.
pub struct Processed<K, V, P: Process<K, V>> {
    id: OperatorId,
    process: P,
    buckets: Buckets<KeyedStates<K, P::State>>,
    watermark: Timestamp,
    /// Whether the watermark behind the last record has come.
    ended: bool,
    /// Set when the operator is opened.
    clock: Option<Clock>,
    wall: Timestamp,
    takes: PhantomData<fn(V)>,
}

impl<K, V, P: Process<K, V>> fmt::Debug for Processed<K, V, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Processed({})", self.id)
    }
}

impl<K: Clone, V, P: Process<K, V> + Clone> Clone for Processed<K, V, P> {
    fn clone(&self) -> Processed<K, V, P> {
        Processed {
            id: self.id.clone(),
            process: self.process.clone(),
            buckets: self.buckets.clone(),
            watermark: self.watermark,
            ended: self.ended,
            clock: self.clock,
            wall: self.wall,
            takes: PhantomData,
        }
    }
}

impl<K, V, P: Process<K, V>> Processed<K, V, P> {
    pub(crate) fn new(id: OperatorId, process: P) -> Processed<K, V, P> {
        Processed {
            id,
            process,
            buckets: Buckets::default(),
            watermark: UNTIMED,
            ended: false,
            clock: None,
            wall: UNTIMED,
            takes: PhantomData,
        }
    }

    fn times(&self) -> Times {
        Times {
            watermark: self.watermark,
            fired: self.watermark,
            clock: self.wall,
        }
    }
}

impl<K, V, P> Processed<K, V, P>
where
    K: Stored + Eq + Hash,
    V: Send + 'static,
    P: Process<K, V> + Clone + Send + 'static,
{
    fn add(
        &mut self,
        Record { time, value }: Record<Grouped<K, V>>,
        out: &mut impl FnMut(Step<P::Out>),
    ) {
        let times = self.times();
        let (process, key) = (&self.process, value.key);
        let record = Record {
            time,
            value: value.value,
        };
        let mut emit = |value| out(Step::Record(Record { time, value }));
        self.buckets.change(value.place, UNTIMED, |states| {
            states.hold(key, times, |held| {
                process.on_record(record, held, &mut emit)
            });
        });
    }

    /// Event time goes on.
    fn advance(&mut self, watermark: Timestamp, out: &mut impl FnMut(Step<P::Out>)) {
        let before = std::mem::replace(&mut self.watermark, watermark);
        let last = self.fire(&event_timers(watermark), before, out);
        if watermark == END_OF_TIME {
            self.ended = true;
            // There may be more to read when a job that has come to its end is run again.
            self.watermark = last;
        }
    }

    /// The clock goes on.
    fn look_at_clock(&mut self, out: &mut impl FnMut(Step<P::Out>)) {
        let Some(wall) = self.clock.as_ref().map(Clock::wall) else {
            return;
        };
        // Behind the end of event time nothing can be emitted.
        if wall != self.wall && !self.ended {
            self.wall = wall;
            self.fire(&clock_timers(wall), self.watermark, out);
        }
    }

    /// Fires what is due. Returns the greatest of the times, `passed` if that is greater.
    fn fire(
        &mut self,
        due: &RangeInclusive<Timer>,
        passed: Timestamp,
        out: &mut impl FnMut(Step<P::Out>),
    ) -> Timestamp {
        let (process, mut times) = (&self.process, self.times());
        let mut last = passed;
        self.buckets.change_due(due.clone(), |states| {
            while let Some(timer) = states.first(due.clone()) {
                // A timer may set others that are due.
                times.fired = match timer {
                    Timer::Event(time) => time,
                    Timer::Clock(_) => passed,
                };
                let time = times.fired;
                last = last.max(time);
                let mut emit = |value| out(Step::Record(Record { time, value }));
                for key in states.take(timer) {
                    states.hold(key, times, |held| process.on_timer(timer, held, &mut emit));
                }
            }
        });
        last
    }
}

impl<K, V, P> Chain for Processed<K, V, P>
where
    K: Stored + Eq + Hash,
    V: Send + 'static,
    P: Process<K, V> + Clone + Send + 'static,
{
    type In = Grouped<K, V>;
    type Out = P::Out;

    fn push(&mut self, step: Step<Self::In>, out: &mut impl FnMut(Step<Self::Out>)) {
        match step {
            Step::Record(record) => self.add(record, out),
            Step::Signal(signal) => {
                self.look_at_clock(out);
                if let Signal::Progress(progress) = signal {
                    let watermark = progress.watermark.unwrap_or(UNTIMED);
                    if watermark > self.watermark {
                        self.advance(watermark, out);
                    }
                }
                out(Step::Signal(signal));
            }
        }
    }

    fn open(&mut self, opening: &mut Opening<'_>) -> Result<(), Error> {
        self.clock = Some(opening.clock);
        let groups = groups_of(opening.subtask, opening.key_groups);
        self.buckets = Buckets::new(groups.clone());
        // The same in all subtasks; except at the end, where it is behind all timers.
        let watermarks: Vec<i64> = opening.items(&self.id)?;
        let watermark = watermarks.into_iter().max();
        self.watermark = watermark.map_or(UNTIMED, Timestamp);
        let state = opening.state(&self.id);
        for group in groups {
            let Some(bytes) = state.and_then(|state| state.groups.get(&group)) else {
                continue;
            };
            let stored: Vec<StoredKey<K, P::State>> = decode(&self.id, bytes)?;
            for (key, state, event, clock) in stored {
                let event = event.into_iter().map(|time| Timer::Event(Timestamp(time)));
                let clock = clock.into_iter().map(|time| Timer::Clock(Timestamp(time)));
                let timers = event.chain(clock).collect();
                let bits = bits_of(&key);
                self.buckets
                    .change(Place { group, bits }, UNTIMED, |states| {
                        states.restore(key, Kept { state, timers });
                    });
            }
        }
        Ok(())
    }

    fn snapshot(&self, snapshot: &mut Snapshot) {
        let shared = self.buckets.share();
        snapshot.items(&self.id, vec![self.watermark.0]);
        snapshot.later(&self.id, move || {
            let mut state = OperatorState::default();
            for (group, buckets) in by_group(shared) {
                let kept = buckets.iter().flat_map(|states| states.all());
                let kept: Vec<_> = kept.map(stored).collect();
                if !kept.is_empty() {
                    state.groups.insert(group, postcard::to_stdvec(&kept)?);
                }
            }
            Ok(state)
        });
    }
}

/// Key and state; timers of event time, and of the clock.
type StoredKey<K, S> = (K, Option<S>, Vec<i64>, Vec<i64>);

/// The same as it is encoded.
fn stored<'a, K, S>((key, kept): (&'a K, &'a Kept<S>)) -> StoredKey<&'a K, &'a S> {
    let (mut event, mut clock) = (Vec::new(), Vec::new());
    for timer in &kept.timers {
        match timer {
            Timer::Event(time) => event.push(time.0),
            Timer::Clock(time) => clock.push(time.0),
        }
    }
    (key, kept.state.as_ref(), event, clock)
}
