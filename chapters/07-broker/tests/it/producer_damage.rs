//! A start with a snapshot, a log or an index that are not as they were left.

use std::path::Path;

use broker::{Reader, error_code};
use disk::Disk;
use message_model::Offset;
use sim_disk::SimDisk;
use wire_protocol::ErrorCode;

use crate::producer_restarts::{
    ROOM, SNAPSHOT, aborted_transactions, start, without_begin, write_much,
};
use crate::rules::Sent;
use crate::support::{NOW, append, batch};

/// What may have become of the file, each of which the log makes good.
#[tokio::test]
async fn a_snapshot_that_is_damaged_is_not_believed() {
    let disk = SimDisk::new(7);
    let (broker, rules) = start(&disk);
    broker.create("t", 1).await;
    write_much(&broker.partition("t", 0)).await;
    broker.topics.sync_all().await;
    let known = rules.known();
    drop(broker);
    let files = disk.files();
    let (_, bytes) = files
        .iter()
        .find(|(path, _)| path == Path::new(SNAPSHOT))
        .unwrap();
    let put = |disk: &SimDisk, bytes: &[u8]| {
        disk::replace(disk, Path::new(SNAPSHOT), bytes).unwrap();
    };
    let known = without_begin(known);
    for size in (0..bytes.len()).step_by(7) {
        let torn = disk.crash();
        put(&torn, &bytes[..size]);
        let (_broker, rules) = start(&torn);
        assert_eq!(rules.known(), known, "{size} bytes");
    }
    for bit in (0..8 * bytes.len()).step_by(101) {
        let spoiled = disk.crash();
        spoiled.flip(Path::new(SNAPSHOT), bit);
        let (_broker, rules) = start(&spoiled);
        assert_eq!(rules.known(), known, "bit {bit}");
    }
    // Its checksum is right, and a piece is not what the rules can read.
    let mut unreadable = bytes.clone();
    let place = 4 + 2 + 8 + 8 + 4;
    unreadable[place] = b'!';
    let crc = crc32c::crc32c(&unreadable[4..]);
    unreadable[..4].copy_from_slice(&crc.to_be_bytes());
    let strange = disk.crash();
    put(&strange, &unreadable);
    let (_broker, rules) = start(&strange);
    assert_eq!(rules.known(), known);
}

/// A log that is shorter than its snapshot is another one, also when it has grown past it.
#[tokio::test]
async fn a_snapshot_that_is_ahead_is_removed_for_good() {
    let disk = SimDisk::new(7);
    let (broker, _) = start(&disk);
    broker.create("t", 1).await;
    let partition = broker.partition("t", 0);
    for first in 0..10 {
        let batch = Sent::new(4, first).batch(&["a"]);
        append(&partition, NOW, batch).await.unwrap();
    }
    broker.topics.sync_all().await;
    let files = disk.files();
    let (_, ahead) = files
        .iter()
        .find(|(path, _)| path == Path::new(SNAPSHOT))
        .unwrap();
    drop(broker);

    let disk = SimDisk::new(8);
    let (broker, _) = start(&disk);
    broker.create("t", 1).await;
    broker.write(-1, "t", &["of nobody"]).await;
    drop(broker);
    disk::replace(&disk, Path::new(SNAPSHOT), ahead).unwrap();
    let (broker, rules) = start(&disk);
    assert!(rules.known().is_empty());
    for _ in 0..20 {
        broker.write(-1, "t", &["of nobody"]).await;
    }
    drop(broker);
    for _ in 0..10 {
        let (_broker, rules) = start(&disk.crash());
        assert!(rules.known().is_empty());
    }
}

/// The batches behind damage are known again.
#[tokio::test]
async fn a_replay_steps_over_what_cannot_be_read() {
    let disk = SimDisk::new(7);
    let (broker, rules) = start(&disk);
    broker.create("t", 1).await;
    write_much(&broker.partition("t", 0)).await;
    broker.topics.sync_all().await;
    let known = rules.known();
    drop(broker);
    disk.remove(Path::new(SNAPSHOT)).unwrap();
    // The magic byte of the second batch.
    let first = Path::new("/data/t-0/00000000000000000000.log");
    let files = disk.files();
    let (_, bytes) = files.iter().find(|(path, _)| path == first).unwrap();
    let (header, _) = record_batch::Batches::new(bytes).next().unwrap().unwrap();
    disk.flip(first, 8 * (header.size() + record_batch::layout::MAGIC));
    let (broker, rules) = start(&disk);
    assert!(broker.partition("t", 0).ends().is_ok());
    let behind = "the last batches of each are behind it";
    assert_eq!(rules.known(), without_begin(known), "{behind}");
}

/// An index of aborted transactions that cannot be right hides what is committed. The next start makes it again.
#[tokio::test]
async fn a_damaged_index_of_aborted_transactions_is_made_again() {
    let disk = SimDisk::new(7);
    let (broker, _) = start(&disk);
    broker.create("t", 1).await;
    write_much(&broker.partition("t", 0)).await;
    broker.topics.sync_all().await;
    let aborted = aborted_transactions(&broker.partition("t", 0)).await;
    assert_eq!(aborted.len(), 3);
    drop(broker);
    let files = disk.files();
    let is_index = |path: &Path| path.extension().is_some_and(|name| name == "txnindex");
    let mut indexes = files.iter().filter(|(path, _)| is_index(path));
    let (index, _) = indexes.next().unwrap();
    // The version of its first entry.
    disk.flip(index, 3);

    let (broker, rules) = start(&disk);
    let partition = broker.partition("t", 0);
    let from = Offset(0);
    let error = partition.fetch(Reader::Committed, from, ROOM).await;
    let code = error_code(&error.unwrap_err());
    assert_eq!(code, ErrorCode::KAFKA_STORAGE_ERROR);
    let all = partition.fetch(Reader::Uncommitted, from, ROOM).await;
    assert!(all.unwrap().slice.is_some(), "other readers go on");
    for _ in 0..2 {
        let saved = broker.topics.save_recovery_points().await;
        assert!(saved.is_empty(), "{saved:?}");
        let appended = append(&partition, NOW, batch(&["of nobody"])).await;
        appended.unwrap();
    }
    let known = without_begin(rules.known());
    drop(broker);
    let (broker, rules) = start(&disk);
    let partition = broker.partition("t", 0);
    assert_eq!(aborted_transactions(&partition).await, aborted);
    assert_eq!(rules.known(), known);
}
