//! A transactional id with its disk, its partitions and its callers, and what must hold of
//! them at any time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use message_model::{
    Moment, PartitionIndex, ProducerEpoch, ProducerId, Timestamp, TopicName, TopicPartition,
};
use spec_harness::fail;

use super::part::{
    CallId, Effect, Init, Instance, Now, Outcome, Refusal, Settings, State, TransactionMetadata,
    Transactions, WorkId,
};
use super::partition::{Partition, Tag};

/// How long a transaction may be open, in milliseconds.
pub(super) const TIMEOUT: u64 = 60_000;
/// The longest timeout that a producer may ask for.
pub(super) const TIMEOUT_MAX: u64 = 900_000;
/// How long an id is kept that nobody uses.
pub(super) const EXPIRATION: u64 = 7 * 24 * 3_600_000;
/// How long an EndTxn waits for markers.
pub(super) const ANSWER: u64 = 5_000;
/// How long to wait before something that has failed is tried again.
pub(super) const BACKOFF: u64 = 100;
/// The most partitions of a transaction.
pub(super) const PARTITIONS_MAX: usize = 1_000;
/// What the wall clock shows at the start.
pub(super) const EPOCH: i64 = 1_700_000_000_000;

/// What is wrong.
pub(super) type Check = Result<(), String>;

/// A transactional id, and all around it.
#[derive(Clone)]
pub(super) struct World {
    pub(super) id: Transactions,
    /// Milliseconds since the start.
    pub(super) now: u64,
    /// How far the wall clock was set back.
    pub(super) set_back: i64,
    calls: u64,
    /// The calls that have no answer yet.
    parked: BTreeSet<CallId>,
    answers: BTreeMap<CallId, Result<Instance, Refusal>>,
    /// What is being written, oldest first.
    stores: VecDeque<(WorkId, Option<TransactionMetadata>)>,
    /// What was written last.
    pub(super) disk: Option<TransactionMetadata>,
    /// What was written last, and is known to be.
    known: Option<TransactionMetadata>,
    begins: VecDeque<(WorkId, Instance, Vec<TopicPartition>)>,
    markers: VecDeque<(Instance, Outcome, TopicPartition)>,
    pub(super) partitions: BTreeMap<TopicPartition, Partition>,
    fresh: i64,
    /// The instances that were given out, and to which program.
    given: BTreeMap<(ProducerId, ProducerEpoch), u8>,
    programs: BTreeMap<CallId, u8>,
    newest: Option<Instance>,
    keeps_problem: bool,
    problem: Option<String>,
}

pub(super) fn settings() -> Settings {
    Settings {
        timeout_max: Duration::from_millis(TIMEOUT_MAX),
        id_expiration: Duration::from_millis(EXPIRATION),
        partitions_max: PARTITIONS_MAX,
        answer_timeout: Duration::from_millis(ANSWER),
        retry_backoff: Duration::from_millis(BACKOFF),
    }
}

/// The partition `index` of a topic.
pub(super) fn p(index: i32) -> TopicPartition {
    TopicPartition {
        topic: TopicName::new("t").expect("a name"),
        partition: PartitionIndex(index),
    }
}

/// The instance `epoch` of the producer `id`.
pub(super) fn instance(id: i64, epoch: i16) -> Instance {
    Instance {
        id: ProducerId(id),
        epoch: ProducerEpoch(epoch),
    }
}

/// What is stored of the producer 7 in `state`, with these partitions.
pub(super) fn stored(state: State, epoch: i16, partitions: &[i32]) -> TransactionMetadata {
    let has_begun = state != State::Empty;
    TransactionMetadata {
        producer: instance(7, epoch),
        previous: ProducerId::NONE,
        timeout: Duration::from_millis(TIMEOUT),
        state,
        partitions: partitions.iter().map(|index| p(*index)).collect(),
        started: Timestamp(if has_begun { EPOCH } else { -1 }),
        updated: Timestamp(EPOCH),
    }
}

impl World {
    pub(super) fn new() -> World {
        World::of(Transactions::new(at(0, 0), Arc::new(settings())))
    }

    fn of(id: Transactions) -> World {
        World {
            id,
            now: 0,
            set_back: 0,
            calls: 0,
            parked: BTreeSet::new(),
            answers: BTreeMap::new(),
            stores: VecDeque::new(),
            disk: None,
            known: None,
            begins: VecDeque::new(),
            markers: VecDeque::new(),
            partitions: BTreeMap::new(),
            fresh: 6,
            given: BTreeMap::new(),
            programs: BTreeMap::new(),
            newest: None,
            keeps_problem: false,
            problem: None,
        }
    }

    /// A world whose first problem is kept, and does not end the case.
    pub(super) fn that_keeps_problems() -> World {
        World {
            keeps_problem: true,
            ..World::new()
        }
    }

    /// A transactional id that comes back from the disk `wait` milliseconds after it was stored.
    pub(super) fn restored(stored: TransactionMetadata, wait: u64) -> World {
        let mut world = World::new();
        world.now = wait;
        world.fresh = stored.producer.id.0;
        world.disk = Some(stored);
        world.restart();
        world
    }

    /// The producer 7 with the epoch 0, and a transaction that is open in these partitions.
    pub(super) fn open(partitions: &[i32]) -> World {
        let mut world = World::new();
        world.init(None);
        world.settle();
        world.add(instance(7, 0), partitions);
        world.settle();
        world
    }

    /// Other producers get so many ids.
    pub(super) fn skip_ids(&mut self, count: i64) {
        self.fresh += count;
    }

    pub(super) fn init(&mut self, expected: Option<Instance>) -> CallId {
        self.init_of(0, TIMEOUT, expected)
    }

    /// The program `program` asks for its epoch.
    pub(super) fn init_of(
        &mut self,
        program: u8,
        timeout: u64,
        expected: Option<Instance>,
    ) -> CallId {
        self.fresh += 1;
        let init = Init {
            fresh_id: ProducerId(self.fresh),
            timeout: Duration::from_millis(timeout),
            expected,
        };
        let call = self.call();
        self.programs.insert(call, program);
        let effects = self.id.init(self.time(), call, &init);
        self.after(effects);
        call
    }

    pub(super) fn add(&mut self, producer: Instance, partitions: &[i32]) -> CallId {
        let call = self.call();
        let partitions = partitions.iter().map(|index| p(*index)).collect();
        let now = self.time();
        let effects = self.id.add_partitions(now, call, producer, partitions);
        self.after(effects);
        call
    }

    pub(super) fn end(&mut self, producer: Instance, outcome: Outcome) -> CallId {
        let call = self.call();
        let effects = self.id.end(self.time(), call, producer, outcome);
        self.after(effects);
        call
    }

    pub(super) fn commit(&mut self, producer: Instance) -> CallId {
        self.end(producer, Outcome::Commit)
    }

    pub(super) fn abort(&mut self, producer: Instance) -> CallId {
        self.end(producer, Outcome::Abort)
    }

    /// Returns whether the partition takes a record of `producer`.
    pub(super) fn write(&mut self, producer: Instance, partition: i32, tag: Tag) -> bool {
        let is_taken = self.partition(&p(partition)).write(producer, tag);
        let is_old = self
            .newest
            .is_some_and(|newest| is_before(producer, newest));
        if is_taken && is_old {
            let newest = self.newest;
            self.wrong(format!(
                "{} has written, although the newest instance is {}",
                short(producer),
                newest.map_or_else(String::new, short)
            ));
        }
        is_taken
    }

    /// The oldest store is done, or has failed. False if there is none.
    pub(super) fn store_one(&mut self, is_stored: bool) -> bool {
        self.store_as(is_stored, is_stored)
    }

    /// The oldest store has failed, as far as anybody knows, but it is on disk: it took too
    /// long, for example.
    pub(super) fn store_unsure(&mut self) -> bool {
        self.store_as(true, false)
    }

    fn store_as(&mut self, is_on_disk: bool, is_stored: bool) -> bool {
        let Some((work, metadata)) = self.stores.pop_front() else {
            return false;
        };
        if is_on_disk {
            self.write_to_disk(metadata);
        }
        if is_stored {
            self.known.clone_from(&self.disk);
        }
        let effects = self.id.stored(self.time(), work, is_stored);
        self.after(effects);
        true
    }

    /// The partitions of the oldest `Begin` know, or could not be told. False if there is none.
    pub(super) fn begin_one(&mut self, is_begun: bool) -> bool {
        let Some((work, producer, partitions)) = self.begins.pop_front() else {
            return false;
        };
        if is_begun {
            for partition in partitions {
                self.partition(&partition).begin(producer);
            }
        }
        let effects = self.id.begun(work, is_begun);
        self.after(effects);
        true
    }

    /// The oldest marker is written, or could not be. False if there is none.
    pub(super) fn mark_one(&mut self, is_marked: bool) -> bool {
        let Some((producer, outcome, partition)) = self.markers.pop_front() else {
            return false;
        };
        if is_marked {
            self.mark(producer, outcome, &partition);
        }
        let effects = self.id.marked(self.time(), &partition, is_marked);
        self.after(effects);
        true
    }

    fn mark(&mut self, producer: Instance, outcome: Outcome, partition: &TopicPartition) {
        if !self.partition(partition).mark(producer, outcome) {
            self.wrong(format!(
                "the marker {outcome:?} of {} is older than what is in {partition}",
                short(producer)
            ));
        }
    }

    /// All work that is asked for is done, and the work that follows from it.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            if !(self.store_one(true) || self.begin_one(true) || self.mark_one(true)) {
                return;
            }
        }
        self.wrong("there is always more work to do".to_owned());
    }

    /// `wait` milliseconds pass; what is due on the way is done at its deadline.
    pub(super) fn wait(&mut self, wait: u64) {
        let end = self.now + wait;
        for _ in 0..1_000 {
            let due = self.deadline().filter(|due| *due <= end);
            self.now = due.unwrap_or(end).max(self.now);
            self.expire();
            if due.is_none() {
                return;
            }
        }
        self.wrong("expire(now) is due again and again".to_owned());
    }

    pub(super) fn expire(&mut self) {
        let effects = self.id.expire(self.time());
        self.after(effects);
        if let Some(due) = self.deadline().filter(|due| *due <= self.now) {
            self.wrong(format!(
                "after expire(now) the deadline {due} ms is not later"
            ));
        }
    }

    /// The next deadline, in milliseconds since the start.
    pub(super) fn deadline(&self) -> Option<u64> {
        let deadline = self.id.next_deadline()?;
        let since = deadline.since(Moment::START).as_millis();
        Some(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// The machine of the coordinator and of the partitions stops at once, and starts again. Of
    /// the work that was under way `survives` says how many stores and markers are on disk.
    pub(super) fn crash(&mut self, survives: usize) {
        for _ in 0..survives {
            if let Some((_, metadata)) = self.stores.pop_front() {
                self.write_to_disk(metadata);
            }
            if let Some((producer, outcome, partition)) = self.markers.pop_front() {
                self.mark(producer, outcome, &partition);
            }
        }
        self.stores.clear();
        self.begins.clear();
        self.markers.clear();
        self.parked.clear();
        self.restart();
    }

    fn restart(&mut self) {
        for partition in self.partitions.values_mut() {
            partition.restart();
        }
        let settings = Arc::new(settings());
        let now = self.time();
        let (id, effects) = match self.disk.clone() {
            Some(stored) => Transactions::restore(now, settings, stored),
            None => (Transactions::new(now, settings), Vec::new()),
        };
        self.id = id;
        self.known.clone_from(&self.disk);
        self.after(effects);
        // The broker listens when the partitions know again.
        while self.begin_one(true) {}
    }

    /// What `call` was answered; `None` if it is parked.
    pub(super) fn answer(&self, call: CallId) -> Option<Result<Instance, Refusal>> {
        self.answers.get(&call).copied()
    }

    pub(super) fn is_parked(&self, call: CallId) -> bool {
        self.parked.contains(&call)
    }

    /// The work that was asked for and has not ended, in words.
    pub(super) fn work(&self) -> Vec<String> {
        let stores = self.stores.iter().map(|(_, metadata)| {
            let words = metadata.as_ref().map(in_words);
            format!("store {}", words.unwrap_or_else(|| "nothing".to_owned()))
        });
        let begins = self.begins.iter().map(|(_, producer, partitions)| {
            format!("begin {} in {}", short(*producer), names(partitions.iter()))
        });
        let markers = self.markers.iter().map(|(producer, outcome, partition)| {
            format!(
                "{outcome:?} {} in {}",
                short(*producer),
                partition.partition
            )
        });
        stores.chain(begins).chain(markers).collect()
    }

    /// Nobody calls any more, and all work ends well: all must end by itself.
    pub(super) fn ends_by_itself(&mut self) -> Check {
        for _ in 0..50 {
            self.settle();
            match self.deadline() {
                Some(due) => self.wait(due.saturating_sub(self.now)),
                None => break,
            }
        }
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        if !self.parked.is_empty() {
            return Err(format!("these calls are never answered: {:?}", self.parked));
        }
        let state = self.id.metadata().state;
        if state != State::Dead || self.disk.is_some() || !self.id.is_nothing() {
            return Err(format!("nobody calls any more, and yet it is {state:?}"));
        }
        self.all_or_nothing()
    }

    /// What is wrong so far.
    pub(super) fn problem(&self) -> Option<&String> {
        self.problem.as_ref()
    }

    /// Each transaction ends the same way in each partition that it has written to.
    fn all_or_nothing(&self) -> Check {
        let mut ends: BTreeMap<Tag, (Outcome, &TopicPartition)> = BTreeMap::new();
        for (name, partition) in &self.partitions {
            for (tag, outcome) in partition.ends()? {
                let (known, elsewhere) = ends.entry(tag).or_insert((outcome, name));
                if *known != outcome {
                    return Err(format!(
                        "{tag} has the outcome {known:?} in {elsewhere}, and {outcome:?} in {name}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Returns how the transaction `tag` ends, in each partition where a marker follows.
    pub(super) fn outcomes(&self, tag: Tag) -> Vec<Option<Outcome>> {
        let partitions = self.partitions.values();
        partitions.filter_map(|one| one.outcome(tag)).collect()
    }

    /// Returns the transactions that are committed somewhere.
    pub(super) fn committed(&self) -> BTreeSet<Tag> {
        let ends = self.partitions.values().filter_map(|one| one.ends().ok());
        let committed = ends.flatten().filter(|(_, end)| *end == Outcome::Commit);
        committed.map(|(tag, _)| tag).collect()
    }

    /// Returns whether the transaction of `producer` is open, and has this partition.
    pub(super) fn is_open_for(&self, producer: Instance, partition: i32) -> bool {
        let metadata = self.id.metadata();
        metadata.state == State::Ongoing
            && metadata.producer == producer
            && metadata.partitions.contains(&p(partition))
    }

    pub(super) fn wrong(&mut self, problem: String) {
        match self.keeps_problem {
            true => _ = self.problem.get_or_insert(problem),
            false => fail("at any time", "what the chapter's page promises", &problem),
        }
    }

    fn call(&mut self) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        self.parked.insert(call);
        call
    }

    fn partition(&mut self, name: &TopicPartition) -> &mut Partition {
        self.partitions.entry(name.clone()).or_default()
    }

    pub(super) fn time(&self) -> Now {
        at(self.now, self.set_back)
    }

    fn write_to_disk(&mut self, metadata: Option<TransactionMetadata>) {
        if let Some(problem) = self.wrong_on_disk(metadata.as_ref()) {
            self.wrong(problem);
        }
        self.disk = metadata;
    }

    /// What is wrong with `next` in place of what is known to be on disk.
    fn wrong_on_disk(&self, next: Option<&TransactionMetadata>) -> Option<String> {
        let before = self.known.as_ref()?;
        let (was, is) = (before.state, next.map(|next| next.state));
        let may_follow = match was {
            State::Empty | State::CompleteCommit | State::CompleteAbort => {
                is.is_none_or(|is| !is.is_prepare())
            }
            State::Ongoing => is.is_some_and(|is| is == State::Ongoing || is.is_prepare()),
            // If the complete state could not be stored, another one may follow.
            State::PrepareCommit | State::PrepareAbort => is.is_none_or(|is| {
                !is.is_prepare() && is.outcome().is_none_or(|is| was.outcome() == Some(is))
            }),
            State::Dead => true,
        };
        let words = is.map_or("nothing", State::name);
        if !may_follow {
            return Some(format!("{words} is stored behind {was:?}"));
        }
        let mut partitions = before.partitions.iter();
        let lacks = partitions.find(|name| {
            let partition = self.partitions.get(name);
            partition.is_some_and(Partition::is_open)
        });
        match (was.is_prepare(), lacks) {
            (true, Some(name)) => Some(format!("{words} is stored, and {name} has no marker")),
            _ => None,
        }
    }

    /// Takes `effects`, and checks what must hold.
    fn after(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Answer { call, answer } => self.answered(call, answer),
                Effect::Store { work, metadata } => self.stores.push_back((work, metadata)),
                Effect::Begin {
                    work,
                    producer,
                    partitions,
                } => {
                    self.check_begin(producer, &partitions);
                    self.begins.push_back((work, producer, partitions));
                }
                Effect::WriteMarkers {
                    producer,
                    outcome,
                    partitions,
                } => {
                    self.check_markers(producer, outcome, &partitions);
                    let one = |partition| (producer, outcome, partition);
                    self.markers.extend(partitions.into_iter().map(one));
                }
            }
        }
    }

    fn check_begin(&mut self, producer: Instance, partitions: &[TopicPartition]) {
        let is_stored = self.known.as_ref().is_some_and(|disk| {
            let mut partitions = partitions.iter();
            disk.state == State::Ongoing
                && disk.producer == producer
                && partitions.all(|one| disk.partitions.contains(one))
        });
        if !is_stored {
            let names = names(partitions.iter());
            self.wrong(format!(
                "the partitions {names} are told of a transaction that is not stored"
            ));
        }
    }

    fn check_markers(
        &mut self,
        producer: Instance,
        outcome: Outcome,
        partitions: &[TopicPartition],
    ) {
        let is_stored = self.known.as_ref().is_some_and(|disk| {
            let mut partitions = partitions.iter();
            disk.state == State::prepare(outcome)
                && disk.producer == producer
                && partitions.all(|one| disk.partitions.contains(one))
        });
        if !is_stored {
            let disk = self.known.as_ref().map(in_words);
            self.wrong(format!(
                "markers {outcome:?} of {}, and on disk is {}",
                short(producer),
                disk.unwrap_or_else(|| "nothing".to_owned())
            ));
        }
    }

    fn answered(&mut self, call: CallId, answer: Result<Instance, Refusal>) {
        if !self.parked.remove(&call) {
            self.wrong(format!("{call:?} is answered, and was answered before"));
        }
        self.answers.insert(call, answer);
        let (Ok(producer), Some(program)) = (answer, self.programs.get(&call).copied()) else {
            return;
        };
        let key = (producer.id, producer.epoch);
        if self
            .given
            .insert(key, program)
            .is_some_and(|one| one != program)
        {
            self.wrong(format!("{} is given to two programs", short(producer)));
        }
        if self.known.as_ref().map(|disk| disk.producer) != Some(producer) {
            self.wrong(format!(
                "{} is given out, and is not on disk",
                short(producer)
            ));
        }
        self.newest = Some(producer);
    }
}

fn is_before(producer: Instance, newest: Instance) -> bool {
    (producer.id, producer.epoch) < (newest.id, newest.epoch)
}

pub(super) fn at(millis: u64, set_back: i64) -> Now {
    Now {
        moment: Moment::after_start(Duration::from_millis(millis)),
        wall: Timestamp(EPOCH + i64::try_from(millis).expect("a time") - set_back),
    }
}

/// `PrepareCommit of 7/0 in 0 1`, for example.
pub(super) fn in_words(metadata: &TransactionMetadata) -> String {
    let producer = short(metadata.producer);
    let partitions = match metadata.partitions.is_empty() {
        true => String::new(),
        false => format!(" in {}", names(metadata.partitions.iter())),
    };
    format!("{} of {producer}{partitions}", metadata.state.name())
}

/// `7/0`: the producer id and the epoch.
pub(super) fn short(producer: Instance) -> String {
    format!("{}/{}", producer.id.0, producer.epoch.0)
}

fn names<'a>(partitions: impl Iterator<Item = &'a TopicPartition>) -> String {
    let names: Vec<String> = partitions.map(|one| one.partition.to_string()).collect();
    names.join(" ")
}
