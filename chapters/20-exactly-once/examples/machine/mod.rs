//! A coordinator of one transactional id with its disk, and two partitions with their logs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use exactly_once::{
    CallId, Effect, Init, Instance, Now, Outcome, Refusal, Settings, TransactionMetadata,
    Transactions, WorkId,
};
use message_model::{Moment, PartitionIndex, ProducerId, Timestamp, TopicName, TopicPartition};

/// What is in a partition's log: a record, or a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Record(char),
    Marker(Outcome),
}

/// What the coordinator has asked for, and is not done yet.
#[derive(Debug, Clone)]
enum Work {
    Store(WorkId, Option<TransactionMetadata>),
    Begin(WorkId),
    Mark(Outcome, TopicPartition),
}

/// A piece of work that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Stored,
    Begun,
    /// The partition has a marker.
    Marked(usize),
}

/// The machine that crashes.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) id: Transactions,
    pub(crate) disk: Option<TransactionMetadata>,
    pub(crate) logs: [Vec<Entry>; 2],
    work: VecDeque<Work>,
    calls: u64,
    /// What the last call was answered; `None` if it is parked, or lost.
    pub(crate) answer: Option<Result<Instance, Refusal>>,
}

impl Machine {
    pub(crate) fn new() -> Machine {
        Machine {
            id: Transactions::new(now(), settings()),
            disk: None,
            logs: [Vec::new(), Vec::new()],
            work: VecDeque::new(),
            calls: 0,
            answer: None,
        }
    }

    /// A process starts, and asks for its epoch.
    pub(crate) fn init(&mut self) {
        self.init_behind(None);
    }

    /// The same; or the instance `expected` wants the next epoch.
    pub(crate) fn init_behind(&mut self, expected: Option<Instance>) {
        let call = self.call();
        let init = Init {
            fresh_id: ProducerId(7),
            timeout: Duration::from_secs(60),
            expected,
        };
        let effects = self.id.init(now(), call, &init);
        self.after(effects);
    }

    /// The producer adds both partitions to its transaction.
    pub(crate) fn add_both(&mut self) {
        let call = self.call();
        let producer = self.producer();
        let both = vec![partition(0), partition(1)];
        let effects = self.id.add_partitions(now(), call, producer, both);
        self.after(effects);
    }

    pub(crate) fn commit(&mut self) {
        self.end(self.producer(), Outcome::Commit);
    }

    /// An EndTxn of `producer` arrives.
    pub(crate) fn end(&mut self, producer: Instance, outcome: Outcome) {
        let call = self.call();
        let effects = self.id.end(now(), call, producer, outcome);
        self.after(effects);
    }

    pub(crate) fn write(&mut self, index: usize, record: char) {
        self.logs[index].push(Entry::Record(record));
    }

    /// Does the oldest work. Returns what it was; `None` if there is none.
    pub(crate) fn work(&mut self) -> Option<Done> {
        let (effects, done) = match self.work.pop_front()? {
            Work::Store(work, metadata) => {
                self.disk = metadata;
                (self.id.stored(now(), work, true), Done::Stored)
            }
            Work::Begin(work) => (self.id.begun(work, true), Done::Begun),
            Work::Mark(outcome, partition) => {
                let index = usize::from(partition.partition != PartitionIndex(0));
                self.logs[index].push(Entry::Marker(outcome));
                let effects = self.id.marked(now(), &partition, true);
                (effects, Done::Marked(index))
            }
        };
        self.after(effects);
        Some(done)
    }

    /// Does all work, and what follows from it.
    pub(crate) fn settle(&mut self) {
        while self.work().is_some() {}
    }

    /// Whether the last call was answered, and not refused.
    pub(crate) fn is_told(&self) -> bool {
        self.answer.is_some_and(|answer| answer.is_ok())
    }

    /// Everything in memory is lost, and the coordinator comes back from the disk.
    pub(crate) fn crash(&mut self) {
        self.work.clear();
        self.answer = None;
        self.id = Transactions::new(now(), settings());
        if let Some(stored) = self.disk.clone() {
            let (id, effects) = Transactions::restore(now(), settings(), stored);
            self.id = id;
            self.after(effects);
        }
    }

    /// What a reader of committed records gets from the partition.
    pub(crate) fn committed(&self, index: usize) -> String {
        let mut open = String::new();
        let mut committed = String::new();
        for entry in &self.logs[index] {
            match entry {
                Entry::Record(record) => open.push(*record),
                Entry::Marker(Outcome::Commit) => committed.push_str(&open),
                Entry::Marker(Outcome::Abort) => {}
            }
            if matches!(entry, Entry::Marker(_)) {
                open.clear();
            }
        }
        committed
    }

    /// The instance that counts.
    pub(crate) fn producer(&self) -> Instance {
        self.id.metadata().producer
    }

    fn call(&mut self) -> CallId {
        self.calls += 1;
        self.answer = None;
        CallId(self.calls)
    }

    fn after(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Answer { answer, .. } => self.answer = Some(answer),
                Effect::Store { work, metadata } => {
                    self.work.push_back(Work::Store(work, metadata));
                }
                Effect::Begin { work, .. } => self.work.push_back(Work::Begin(work)),
                Effect::WriteMarkers {
                    outcome,
                    partitions,
                    ..
                } => {
                    let mark = |partition| Work::Mark(outcome, partition);
                    self.work.extend(partitions.into_iter().map(mark));
                }
            }
        }
    }
}

fn partition(index: i32) -> TopicPartition {
    TopicPartition {
        topic: TopicName::new("accounts").expect("a name"),
        partition: PartitionIndex(index),
    }
}

/// No time passes here.
fn now() -> Now {
    Now {
        moment: Moment::START,
        wall: Timestamp(1_700_000_000_000),
    }
}

fn settings() -> Arc<Settings> {
    Arc::new(Settings {
        timeout_max: Duration::from_secs(900),
        id_expiration: Duration::from_secs(7 * 24 * 3600),
        partitions_max: 1_000,
        answer_timeout: Duration::from_secs(5),
        retry_backoff: Duration::from_millis(100),
    })
}
