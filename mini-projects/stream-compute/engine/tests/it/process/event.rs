//! Timers of event time, against batch oracles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use message_model::Timestamp;
use proptest::prelude::*;
use stream_engine::{
    Content, Count, Held, Job, MemorySink, OutOfOrder, Process, Record, Settings, Timer, Windows,
};

use crate::exactly_once::{Hit, ORDER, hits, live, open};
use crate::gated::{Gate, gated};
use crate::{fixed, ms, parallel, run};

/// Reports that a key was silent for so long: its first and its last time before, and how often it
/// came between.
#[derive(Clone)]
struct Silence(i64);

/// Key, first and last time, number.
type Spell = (u8, i64, i64, usize);

impl Process<u8, Hit> for Silence {
    /// The times since the last report.
    type State = Vec<i64>;
    type Out = Spell;

    fn on_record(
        &self,
        record: Record<Hit>,
        held: &mut Held<'_, u8, Vec<i64>>,
        _: &mut impl FnMut(Spell),
    ) {
        assert!(record.time >= held.watermark(), "late");
        assert_eq!(*held.key(), record.value.0);
        let times = held.state().get_or_insert_default();
        let place = times.partition_point(|time| *time < record.time.0);
        times.insert(place, record.time.0);
        held.set(Timer::Event(Timestamp(record.time.0 + self.0)));
    }

    fn on_timer(
        &self,
        timer: Timer,
        held: &mut Held<'_, u8, Vec<i64>>,
        emit: &mut impl FnMut(Spell),
    ) {
        let Timer::Event(now) = timer else {
            panic!("{timer:?}");
        };
        assert!(now <= held.watermark());
        let key = *held.key();
        let times = held.state().as_mut().unwrap();
        let count = times.partition_point(|time| *time <= now.0 - self.0);
        let silent = times.get(count).is_none_or(|time| *time >= now.0);
        if count > 0 && silent {
            emit((key, times[0], times[count - 1], count));
            times.drain(..count);
        }
        if times.is_empty() {
            *held.state() = None;
        }
    }
}

fn spells(partitions: &[Vec<Hit>], gap: i64) -> Vec<Spell> {
    let mut times = BTreeMap::<u8, Vec<i64>>::new();
    for (key, time) in partitions.iter().flatten() {
        times.entry(*key).or_default().push(*time);
    }
    let mut spells = Vec::new();
    for (key, mut times) in times {
        times.sort_unstable();
        for spell in times.chunk_by(|one, two| two - one < gap) {
            spells.push((key, spell[0], spell[spell.len() - 1], spell.len()));
        }
    }
    spells
}

const GAP: i64 = 12;

fn silences(partitions: &Arc<Vec<Vec<Hit>>>, sink: &MemorySink<Spell>) -> (Job, [Gate; 2]) {
    let job = Job::new("silences");
    let (near, far) = partitions.split_at(1);
    let (near_gate, near) = gated(&Arc::new(near.to_vec()));
    let (far_gate, far) = gated(&Arc::new(far.to_vec()));
    let time = |(_, time): &Hit| Timestamp(*time);
    let near = job
        .source("near", near)
        .event_time("near time", ORDER, time);
    let far = job.source("far", far).event_time("far time", ORDER, time);
    far.rebalance()
        .union(near)
        .key_by(|(key, _)| *key)
        .process("silence", Silence(GAP))
        .sink("spells", sink.clone());
    (job, [near_gate, far_gate])
}

/// Whatever the placement of barriers, kills, and the number of subtasks in each life.
#[tokio::test(start_paused = true)]
async fn silences_are_those_of_a_recount_wherever_the_job_is_killed() {
    let mut dirty = 0;
    for seed in 0..30 {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let partitions = hits(&mut random);
        let sink = MemorySink::default();
        let (job, gates) = silences(&partitions, &sink);
        for _ in 0..random.usize(1..6) {
            live(&mut random, (&job, &gates), folder.path()).await;
        }
        for gate in &gates {
            gate.open();
        }
        let dir = open(folder.path()).await;
        let settings = Settings {
            resume: dir.newest().unwrap(),
            store: Some(dir),
            ..parallel(random.usize(1..=4))
        };
        run(&job, settings).await.unwrap();
        let mut rows = sink.committed();
        rows.sort_unstable();
        assert_eq!(rows, spells(&partitions, GAP), "seed {seed}");
        dirty += sink.written().len() - rows.len();
    }
    assert!(dirty > 0, "nothing was done twice");
}

/// What a record makes of the timer of its key at its time and so much.
#[derive(Debug, Clone, Copy)]
enum Change {
    Set(i64),
    Cancel(i64),
}

/// Key, time and change.
type Command = (u8, i64, Change);

/// Does what records say. Every third timer sets another.
#[derive(Clone)]
struct Obey;

/// How long behind a timer the one is that it sets.
const AGAIN: i64 = 2;

impl Process<u8, Command> for Obey {
    /// How many have fired.
    type State = u32;
    /// Key and time of a timer, and how many were before.
    type Out = (u8, i64, u32);

    fn on_record(
        &self,
        record: Record<Command>,
        held: &mut Held<'_, u8, u32>,
        _: &mut impl FnMut(Self::Out),
    ) {
        let (_, time, change) = record.value;
        match change {
            Change::Set(behind) => _ = held.set(Timer::Event(Timestamp(time + behind))),
            Change::Cancel(behind) => held.cancel(Timer::Event(Timestamp(time + behind))),
        }
    }

    fn on_timer(
        &self,
        timer: Timer,
        held: &mut Held<'_, u8, u32>,
        emit: &mut impl FnMut(Self::Out),
    ) {
        let Timer::Event(time) = timer else {
            panic!("{timer:?}");
        };
        let key = *held.key();
        let fired = held.state().get_or_insert_default();
        emit((key, time.0, *fired));
        *fired += 1;
        if time.0 % 3 == 0 && !held.is_end() {
            held.set(Timer::Event(Timestamp(time.0 + AGAIN)));
            // One that has passed comes a millisecond later.
            held.set(Timer::Event(Timestamp(time.0 - 5)));
        }
    }
}

/// What fires, one record after the other; by key, in order.
fn simulated(commands: &[Command], bound: i64) -> BTreeMap<u8, Vec<i64>> {
    let mut fired = BTreeMap::<u8, Vec<i64>>::new();
    let mut timers = BTreeSet::<(i64, u8)>::new();
    let mut fire = |timers: &mut BTreeSet<(i64, u8)>, watermark, is_end: bool| {
        while let Some((time, key)) = timers.pop_first() {
            if time > watermark {
                timers.insert((time, key));
                break;
            }
            fired.entry(key).or_default().push(time);
            if time % 3 == 0 && !is_end {
                timers.extend([(time + AGAIN, key), (time + 1, key)]);
            }
        }
    };
    let mut watermark = i64::MIN;
    for (key, time, change) in commands {
        match change {
            Change::Set(behind) => _ = timers.insert(((time + behind).max(watermark + 1), *key)),
            Change::Cancel(behind) => _ = timers.remove(&(time + behind, *key)),
        }
        watermark = watermark.max(time - bound);
        fire(&mut timers, watermark, false);
    }
    fire(&mut timers, i64::MAX, true);
    fired
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let change = prop_oneof![
        3 => (-8i64..20).prop_map(Change::Set),
        1 => (-3i64..20).prop_map(Change::Cancel),
    ];
    proptest::collection::vec((0u8..4, 0i64..5, change), 0..60).prop_map(|mut commands| {
        let mut now = 0;
        for (_, time, _) in &mut commands {
            now += *time;
            *time = now;
        }
        commands
    })
}

proptest! {
    #![proptest_config(fixed(150))]

    #[test]
    fn timers_fire_in_order_and_before_the_watermark_goes_on(
        commands in commands(),
        bound in 0i64..6,
        parallelism in 1usize..4,
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let order = OutOfOrder {
                bound: ms(bound.unsigned_abs()),
                idle_after: None,
                step: Some(ms(1)),
            };
            let (gate, source) = gated(&Arc::new(vec![commands.clone()]));
            gate.open();
            let (fired, counts) = (MemorySink::default(), MemorySink::default());
            let job = Job::new("obey");
            let (all, again) = job
                .source("commands", source)
                .event_time("time", order, |(_, time, _)| Timestamp(*time))
                .key_by(|(key, _, _)| *key)
                .process("obey", Obey)
                .fork();
            all.sink("fired", fired.clone());
            let (rows, late) = again
                .key_by(|_| 0)
                .window(Windows::tumbling(ms(1)))
                .aggregate("count", Count);
            rows.map("row", |row| (row.window.start.0, row.content))
                .sink("rows", counts.clone());
            late.map("late", |timer| panic!("{timer:?} is behind a watermark"))
                .discard("no late ones");
            run(&job, parallel(parallelism)).await.unwrap();

            let wanted = simulated(&commands, bound);
            let mut found = BTreeMap::<u8, Vec<i64>>::new();
            for (key, time, before) in fired.committed() {
                let times = found.entry(key).or_default();
                assert_eq!(times.len(), before as usize);
                times.push(time);
            }
            assert_eq!(&found, &wanted);
            let mut at = BTreeMap::new();
            for time in wanted.values().flatten() {
                *at.entry(*time).or_insert(0) += 1;
            }
            let at = at.into_iter().map(|(time, count)| (time, Content::Value(count)));
            assert_eq!(counts.committed(), at.collect::<Vec<_>>());
        });
    }
}
