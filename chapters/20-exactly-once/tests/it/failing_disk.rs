//! The disk fails at any moment: no client was told what is not so after the restart, and every
//! transaction ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::Partition;
use message_model::Moment;
use record_batch::{EndTransaction, Marker, decode_records};
use sim_disk::SimDisk;
use wire_protocol::ErrorCode;

use crate::asking::{Producer, init_request};
use crate::support::{NOW, Queue, Settings, name, sent};

const NONE: ErrorCode = ErrorCode::NONE;
/// The partitions of `t` that each transaction writes to.
const PARTITIONS: [i32; 2] = [0, 1];
/// Each is stored in a partition of `__transaction_state` of its own.
const IDS: [&str; 3] = ["x", "y", "z"];
/// How often a client asks again before it gives up.
const TRIES: usize = 2_000;
/// How often it does when its coordinator says that it cannot store anything.
const REFUSALS: usize = 20;

/// What a client has heard of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Committed,
    Aborted,
    /// It wanted to commit, and was not told that this has come about.
    WantedCommit,
    /// It wanted to abort, or nothing at all.
    NoCommit,
}

/// What the clients have heard.
#[derive(Debug, Default)]
struct Story {
    operations: u64,
    /// By the value that the transaction writes to each partition.
    transactions: BTreeMap<String, Heard>,
    /// The newest instance of each transactional id.
    instances: BTreeMap<&'static str, Producer>,
    /// Every code of the coordinator that is not NONE.
    refusals: BTreeSet<i16>,
}

/// Answers do not wait for markers that cannot be written.
fn settings() -> Settings {
    let mut settings = Settings::default();
    let transactions = &mut settings.coordinator.transactions;
    transactions.answer_timeout = Duration::from_millis(1);
    transactions.retry_backoff = Duration::from_millis(1);
    settings
}

impl Story {
    /// Whether the code is none.
    fn note(&mut self, code: ErrorCode) -> bool {
        if code != NONE {
            self.refusals.insert(code.0);
        }
        code == NONE
    }

    /// Begins an instance; `None` if the coordinator gives none.
    async fn instance(&mut self, queue: &Queue, id: &'static str) -> Option<Producer> {
        for _ in 0..TRIES {
            let got = queue.init(init_request(id)).await;
            match got.error_code {
                ErrorCode::CONCURRENT_TRANSACTIONS => tokio::task::yield_now().await,
                code if self.note(code) => {
                    let instance = Producer {
                        transactional_id: id.to_owned(),
                        id: got.producer_id,
                        epoch: got.producer_epoch,
                    };
                    self.instances.insert(id, instance.clone());
                    return Some(instance);
                }
                _ => return None,
            }
        }
        None
    }

    /// Writes `value` to all partitions in a transaction, and ends it; `None` leaves it open.
    /// Returns whether the producer may go on: it has heard of the end.
    async fn transaction(
        &mut self,
        queue: &Queue,
        (producer, first): (&Producer, i32),
        value: String,
        commits: Option<bool>,
    ) -> bool {
        self.transactions.insert(value.clone(), Heard::NoCommit);
        let mut commits = commits;
        let is_begun = self.add(queue, producer).await;
        for partition in PARTITIONS.into_iter().filter(|_| is_begun) {
            if !write(queue, producer, (partition, first), &value).await {
                // As a client does whose batch is lost.
                commits = commits.map(|_| false);
            }
        }
        let Some(is_commit) = commits else {
            return false;
        };
        let is_commit = is_commit && is_begun;
        let code = self.end(queue, producer, is_commit).await;
        let heard = match (code, is_commit) {
            (NONE, true) => Heard::Committed,
            (NONE, false) => Heard::Aborted,
            (_, true) => Heard::WantedCommit,
            (_, false) => Heard::NoCommit,
        };
        self.transactions.insert(value, heard);
        code == NONE || (!is_begun && code == ErrorCode::INVALID_TXN_STATE)
    }

    /// Asks for the end until it is answered, or the coordinator is gone.
    async fn end(&mut self, queue: &Queue, producer: &Producer, commits: bool) -> ErrorCode {
        let asking = async || queue.end_txn(producer, commits).await;
        self.until_answered(asking).await
    }

    /// Adds the partitions in the same way; whether they are added.
    async fn add(&mut self, queue: &Queue, producer: &Producer) -> bool {
        let asking = async || queue.add(producer, &[("t", &PARTITIONS)]).await[0];
        self.until_answered(asking).await == NONE
    }

    async fn until_answered(&mut self, asking: impl AsyncFn() -> ErrorCode) -> ErrorCode {
        let mut refusals = 0;
        for _ in 0..TRIES {
            match asking().await {
                // Also on a disk without failures.
                ErrorCode::CONCURRENT_TRANSACTIONS => {}
                code => {
                    self.note(code);
                    refusals += 1;
                    if code != ErrorCode::COORDINATOR_NOT_AVAILABLE || refusals == REFUSALS {
                        return code;
                    }
                }
            }
            tokio::task::yield_now().await;
        }
        ErrorCode::CONCURRENT_TRANSACTIONS
    }
}

/// Whether `value` is on disk.
async fn write(
    queue: &Queue,
    producer: &Producer,
    (partition, first): (i32, i32),
    value: &str,
) -> bool {
    let batch = sent(producer.id, first).epoch(producer.epoch);
    let batch = batch.in_transaction().batch(&[value]);
    let to = queue.partition(partition);
    let records = wire_protocol::Records::from_bytes(batch);
    let produced = broker::validate_produced(NOW, &to.settings(), None, records).unwrap();
    match to.append(NOW, produced).await {
        Ok(appended) => to.durable(appended.range.end, never()).await.is_ok(),
        Err(_) => false,
    }
}

fn never() -> Moment {
    Moment::after_start(Duration::from_hours(1))
}

/// Three transactional ids, each with a commit, an abort, and a transaction that stays open.
async fn script(disk: &SimDisk) -> Story {
    let mut story = Story::default();
    let queue = Queue::open(disk, settings());
    let topics = &queue.broker.topics;
    let created = topics.create(&name("t"), 2, topics.new_config()).await;
    if created.is_ok() && queue.find_coordinator("x").await == NONE {
        let mut instances = Vec::new();
        for id in IDS {
            instances.extend(story.instance(&queue, id).await);
        }
        for (round, commits) in (0..).zip([Some(true), Some(false), Some(true), None]) {
            let mut go_on = Vec::new();
            for producer in instances {
                let value = format!("{} {round}", producer.transactional_id);
                let from = (&producer, round);
                if story.transaction(&queue, from, value, commits).await {
                    go_on.push(producer);
                }
            }
            instances = go_on;
        }
    }
    story.operations = disk.operations();
    story
}

/// The committed values of a partition, in order, and whether everything has ended.
async fn committed(partition: &Partition) -> (Vec<String>, bool) {
    let (mut committed, mut open) = (Vec::new(), BTreeMap::<i64, Vec<String>>::new());
    let read = partition.read_all(|_, header, batch| {
        if header.is_control() {
            let ended = open.remove(&header.producer_id.0).unwrap_or_default();
            if EndTransaction::read(batch).unwrap().marker == Marker::Commit {
                committed.extend(ended);
            }
            return Ok(());
        }
        for record in decode_records(batch)? {
            let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
            open.entry(header.producer_id.0).or_default().push(value);
        }
        Ok(())
    });
    read.await.unwrap();
    (committed, open.is_empty())
}

/// What was heard is so after a restart, and every transaction ends.
async fn check(disk: &SimDisk, story: &Story, context: &str) {
    let queue = Queue::loaded(disk, settings()).await;
    if queue.broker.transactions_topic().is_none() {
        assert!(story.instances.is_empty(), "{context}: {story:?}");
        return;
    }
    for (id, heard) in &story.instances {
        let next = queue.producer(id).await;
        let is_later = next.id != heard.id || next.epoch > heard.epoch;
        assert!(is_later, "{context}: {next:?} after {heard:?}");
        assert_eq!(queue.state(id), "Empty", "{context}");
    }
    let mut of_first = None;
    for index in PARTITIONS {
        let partition = queue.partition(index);
        let ends = partition.ends().unwrap();
        assert_eq!(ends.last_stable, ends.log_end, "{context}: {story:?}");
        let (found, is_ended) = committed(&partition).await;
        assert!(is_ended, "{context}");
        for (value, heard) in &story.transactions {
            let count = found.iter().filter(|one| *one == value).count();
            let is_so = match heard {
                Heard::Committed => count == 1,
                Heard::Aborted | Heard::NoCommit => count == 0,
                Heard::WantedCommit => count <= 1,
            };
            assert!(is_so, "{context}: {value} {count} times, {story:?}");
        }
        let all: BTreeSet<_> = found.into_iter().collect();
        let same = of_first.get_or_insert_with(|| all.clone());
        assert_eq!(
            *same, all,
            "{context}: in one partition and not in the other"
        );
    }
}

/// Does the script with a disk to which `harm` does something at each operation.
async fn at_each_operation(harm: fn(&SimDisk, u64)) {
    let whole = script(&SimDisk::new(5)).await;
    assert!(whole.operations > 80, "{}", whole.operations);
    assert_eq!(whole.refusals, BTreeSet::new());
    let before = {
        let disk = SimDisk::new(5);
        let _queue = Queue::open(&disk, settings());
        disk.operations()
    };
    // Clients ask again, or look for the coordinator again, or begin a new instance.
    let may_be = [
        NONE,
        ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::NOT_COORDINATOR,
        ErrorCode::INVALID_TXN_STATE,
    ];
    let mut refused = 0;
    for operation in before..whole.operations {
        let disk = SimDisk::new(5);
        harm(&disk, operation);
        let story = script(&disk).await;
        let context = format!("{operation}, {}", disk.operation(operation));
        let odd = story
            .refusals
            .iter()
            .find(|code| may_be.iter().all(|one| one.0 != **code));
        assert_eq!(odd, None, "{context}: {story:?}");
        refused += usize::from(!story.refusals.is_empty());
        check(&disk.crash(), &story, &context).await;
    }
    assert!(refused > 10, "nothing that fails is noticed: {refused}");
}

#[tokio::test]
async fn an_operation_fails() {
    at_each_operation(|disk, operation| {
        disk.spoil_at_failed_syncs();
        disk.fail_at(operation);
    })
    .await;
}

#[tokio::test]
async fn the_power_fails() {
    at_each_operation(|disk, operation| disk.power_off_at(operation)).await;
}
