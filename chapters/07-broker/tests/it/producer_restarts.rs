//! What a start knows of producers: from the snapshot and the log, whatever has crashed.

use std::path::Path;
use std::sync::Arc;

use broker::{Error, Partition, Reader, Room};
use disk::Disk;
use message_model::{Offset, ProducerEpoch, ProducerId};
use record_batch::Marker;
use sim_disk::{Counts, SimDisk};

use crate::producers::end;
use crate::rules::{Known, Producer, Rules, Sent};
use crate::support::{Broker, NOW, append, batch};

pub(crate) const SNAPSHOT: &str = "/data/t-0/producers";

pub(crate) const ROOM: Room = Room {
    bytes: 100_000,
    at_least_one: true,
};

/// A broker with what is on `disk`, and what its start knows of `t`.
pub(crate) fn start(disk: &SimDisk) -> (Broker, Arc<Rules>) {
    let rules = Arc::new(Rules::default());
    (Broker::start_with_rules(disk, &rules), rules)
}

pub(crate) fn has_snapshot(disk: &SimDisk) -> bool {
    has_file(disk, "producers")
}

/// Whether the directory of the partition has a file of this name.
pub(crate) fn has_file(disk: &SimDisk, name: &str) -> bool {
    let wanted = Path::new("/data/t-0").join(name);
    disk.files().iter().any(|(path, _)| *path == wanted)
}

/// What a start knows that has no snapshot.
pub(crate) async fn from_the_log(disk: &SimDisk) -> Known {
    let copy = disk.crash();
    let _ = copy.remove(Path::new(SNAPSHOT));
    let (_broker, rules) = start(&copy);
    rules.known()
}

pub(crate) async fn begin(partition: &Partition, producer: i64) -> Result<(), Error> {
    let (id, epoch) = (ProducerId(producer), ProducerEpoch(0));
    partition.begin_transaction(NOW, id, epoch).await
}

/// Batches of several producers, some in transactions, over several segments.
pub(crate) async fn write_much(partition: &Arc<Partition>) {
    let long = "x".repeat(900);
    for round in 0..6 {
        for producer in 1..=5 {
            let sent = Sent::new(producer, round);
            append(partition, NOW, sent.batch(&[&long])).await.unwrap();
        }
        append(partition, NOW, batch(&["of nobody"])).await.unwrap();
        begin(partition, 8).await.unwrap();
        let sent = Sent::new(8, round).in_transaction();
        append(partition, NOW, sent.batch(&["a"])).await.unwrap();
        let marker = [Marker::Abort, Marker::Commit][usize::try_from(round % 2).unwrap()];
        end(partition, 8, marker).await.unwrap();
    }
    begin(partition, 9).await.unwrap();
    let sent = Sent::new(9, 0).in_transaction();
    append(partition, NOW, sent.batch(&["open"])).await.unwrap();
}

fn reads(disk: &SimDisk, start: impl FnOnce()) -> u64 {
    let before: Counts = disk.counts();
    start();
    disk.counts().reads - before.reads
}

/// A start reads the snapshot, and not a batch more than one without rules.
#[tokio::test]
async fn after_a_clean_stop_nothing_is_replayed() {
    let disk = SimDisk::new(7);
    let (broker, rules) = start(&disk);
    broker.create("t", 1).await;
    write_much(&broker.partition("t", 0)).await;
    let stopped = broker.topics.sync_all().await;
    assert!(stopped.not_synced.is_empty() && stopped.not_saved.is_empty());
    let known = rules.known();
    drop(broker);

    let without = reads(&disk, || {
        drop(Broker::start_with(&disk, crate::support::config()))
    });
    let mut again = None;
    let with = reads(&disk, || again = Some(start(&disk)));
    let (broker, rules) = again.unwrap();
    assert_eq!(rules.known(), known);
    assert_eq!(with, without + 1, "one read, of the snapshot");
    let ends = broker.partition("t", 0).ends().unwrap();
    assert!(ends.last_stable < ends.high_watermark);
    disk.remove(Path::new(SNAPSHOT)).unwrap();
    let replayed = reads(&disk, || drop(start(&disk)));
    assert!(replayed > with + 2, "a start without it reads the log");
}

/// A log in which nobody has an id needs no file, until there is much to look through.
#[tokio::test]
async fn a_small_log_without_producers_has_no_snapshot() {
    let (broker, _) = start(&SimDisk::new(7));
    broker.create("t", 1).await;
    broker.write(-1, "t", &["of nobody"]).await;
    assert!(broker.topics.save_recovery_points().await.is_empty());
    assert!(!has_snapshot(&broker.disk));
    let long = "x".repeat(4_500);
    for _ in 0..240 {
        broker.write(1, "t", &[&long]).await;
    }
    assert!(broker.topics.sync_all().await.not_saved.is_empty());
    assert!(has_snapshot(&broker.disk));
}

/// What is known of producers does not go with their records, and neither does the end of a
/// transaction go without its beginning.
#[tokio::test]
async fn deleted_records_are_known_to_have_been_there() {
    let disk = SimDisk::new(7);
    let (broker, rules) = start(&disk);
    broker.create("t", 1).await;
    let partition = broker.partition("t", 0);
    begin(&partition, 8).await.unwrap();
    let sent = Sent::new(8, 0).in_transaction();
    append(&partition, NOW, sent.batch(&["a"])).await.unwrap();
    append(&partition, NOW, Sent::new(4, 0).batch(&["a"]))
        .await
        .unwrap();
    // The snapshot has the transaction as open, and would not be told of its end.
    partition.delete_before(Offset(1)).await.unwrap();
    end(&partition, 8, Marker::Commit).await.unwrap();
    append(&partition, NOW, Sent::new(4, 1).batch(&["b"]))
        .await
        .unwrap();
    partition.delete_before(Offset(4)).await.unwrap();
    let known = without_begin(rules.known());
    for _ in 0..10 {
        let (broker, rules) = start(&disk.crash());
        assert_eq!(without_begin(rules.known()), known);
        let ends = broker.partition("t", 0).ends().unwrap();
        assert_eq!((ends.log_start, ends.last_stable), (Offset(4), Offset(4)));
    }
}

/// Without rules there is no file, and none is read.
#[tokio::test]
async fn without_rules_nothing_is_kept() {
    let broker = Broker::with_topic().await;
    let partition = broker.partition("t", 0);
    for _ in 0..2 {
        let batch = Sent::new(4, 0).batch(&["a"]);
        append(&partition, NOW, batch).await.unwrap();
    }
    end(&partition, 4, Marker::Abort).await.unwrap();
    begin(&partition, 4).await.unwrap();
    assert!(partition.describe_producers().await.unwrap().is_empty());
    let ends = partition.ends().unwrap();
    assert_eq!((ends.log_end, ends.last_stable), (Offset(3), Offset(3)));
    assert!(broker.topics.sync_all().await.not_saved.is_empty());
    assert!(!has_snapshot(&broker.disk));
}

pub(crate) fn without_begin(mut known: Known) -> Known {
    known.values_mut().for_each(Producer::forget_begin);
    known.retain(|_, producer| producer.is_in_the_log());
    known
}

/// What a reader of committed data is told, from the start of the log to its last stable offset.
pub(crate) async fn aborted_transactions(partition: &Partition) -> Vec<(i64, Offset)> {
    let mut all = Vec::new();
    let ends = partition.ends().unwrap();
    let mut from = ends.log_start;
    while from < ends.last_stable {
        let room = Room {
            bytes: 100_000,
            at_least_one: true,
        };
        let fetched = partition
            .fetch(Reader::Committed, from, room)
            .await
            .unwrap();
        for aborted in fetched.aborted.unwrap().transactions {
            let aborted = (aborted.producer.0, aborted.first);
            if !all.contains(&aborted) {
                all.push(aborted);
            }
        }
        from = fetched.range.end;
    }
    all
}
