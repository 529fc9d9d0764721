//! Rolls that sync first. When no closed segment more may be open, everything is synced, and the
//! segment that is closed leaves no file open. When a log is new, the name of its first
//! segment is synced.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::{Error, Topics};
use message_model::{Moment, Offset};
use sim_disk::{Call, SimDisk};
use wire_protocol::ErrorCode;

use crate::stalls::{others_are_served_by_the_disk, soon, spawn, until_parked, with_two_topics};
use crate::support::{Broker, DATA_DIR, NOW, append, batch, bytes, config, name, services_with};

/// Two fit into a segment.
const VALUE_SIZE: usize = 4_000;

/// How many batches are appended.
const BATCHES: i64 = 9;

/// The value of the record at this offset.
fn value(offset: i64) -> String {
    let digit = char::from(b'a' + u8::try_from(offset % 26).unwrap());
    String::from(digit).repeat(VALUE_SIZE)
}

/// Only producers to the same partition wait, for one sync, on the lane for syncs.
#[tokio::test]
async fn a_roll_that_syncs_first_holds_up_nobody_else() {
    let disk = SimDisk::new(7);
    let broker = Broker::start_on(&disk, services_with(&disk, 0), config());
    let broker = with_two_topics(broker).await;
    let dir = Path::new("/data/t-0");
    for offset in 1..3 {
        broker.write(1, "t", &[&value(offset)]).await;
    }
    let before = disk.counts();
    let parking = disk.park_every(Call::Sync, dir);
    let producing = Arc::clone(&broker);
    let rolls = spawn(async move { producing.write(1, "t", &[&value(3)]).await });
    until_parked(&parking, "the sync ahead of the roll").await;
    let others = disk.counts();
    others_are_served_by_the_disk(&broker).await;
    let others = disk.counts().syncs - others.syncs;
    let read = soon("its own fetch", broker.fetch_now("t", 2)).await;
    assert_eq!(read.high_watermark, 3);
    assert!(!read.records.is_empty());
    assert!(!rolls.is_finished(), "it waits for the sync");
    assert_eq!(parking.count(), 1);
    parking.release();
    soon("the roll", rolls).await.unwrap();
    let ends = broker.partition("t", 0).ends().unwrap();
    assert_eq!((ends.durable, ends.log_end), (Offset(3), Offset(4)));
    assert_eq!(disk.counts().syncs - before.syncs - others, 1);
    // The active segment, and the closed one in the cache of those that are read.
    assert_eq!(disk.open_files(dir), 1 + 1);
}

/// The room that a segment of one partition takes is free for another one when it is on disk.
#[tokio::test]
async fn room_is_given_back_by_a_sync() {
    let disk = SimDisk::new(7);
    let broker = Broker::start_on(&disk, services_with(&disk, 1), config());
    let broker = with_two_topics(broker).await;
    let parking = disk.park_next(Call::Sync, Path::new("/data/t-0"));
    for offset in 1..4 {
        broker.write(1, "t", &[&value(offset)]).await;
    }
    until_parked(&parking, "the sync behind the roll").await;
    let unsynced = |topic| broker.partition(topic, 0).ends().unwrap();
    assert_eq!(
        unsynced("t").durable,
        Offset(0),
        "its closed segment has the room"
    );
    let roll_other = async || {
        for offset in 1..3 {
            broker.write(1, "other", &[&value(offset)]).await;
        }
        let end = unsynced("other").log_end;
        let before = disk.counts().syncs;
        broker.write(1, "other", &[&value(3)]).await;
        (
            unsynced("other").durable >= end,
            disk.counts().syncs - before,
        )
    };
    let (synced_first, syncs) = soon("a roll of another", roll_other()).await;
    assert!(synced_first && syncs == 1, "{syncs} syncs");
    parking.release();
    broker.write(-1, "t", &["safe"]).await;
    // No sync can begin, and a roll needs none.
    let parking = disk.park_every(Call::Sync, Path::new("/data/other-0"));
    soon("a roll with room", roll_other()).await;
    parking.release();
}

/// Appends, and every third time waits for durability, until something fails. Returns how many
/// batches were acknowledged, and below which offset they were said to be on disk.
async fn run(disk: &SimDisk, pool: usize) -> Result<(i64, Offset), (i64, Offset)> {
    let (mut appended, mut durable) = (0, Offset(0));
    let done = fill(disk, pool, &mut appended, &mut durable).await;
    match done {
        Ok(()) => Ok((appended, durable)),
        Err(_) => Err((appended, durable)),
    }
}

async fn fill(
    disk: &SimDisk,
    pool: usize,
    appended: &mut i64,
    durable: &mut Offset,
) -> Result<(), Error> {
    let services = services_with(disk, pool);
    let opened = Topics::open(services, Path::new(DATA_DIR), config())?;
    let topics = Arc::new(opened.topics);
    let created = topics.create(&name("t"), 1, topics.new_config()).await?;
    let partition = &created.partitions[0];
    for offset in 0..BATCHES {
        let done = append(partition, NOW, batch(&[&value(offset)])).await?;
        *appended = offset + 1;
        *durable = done.ends.durable;
        assert!(
            disk.open_files(Path::new("/data/t-0")) <= 1 + 4 + pool,
            "four are cached"
        );
        if offset % 3 == 2 {
            let end = done.range.end;
            partition
                .durable(end, Moment::after_start(Duration::MAX))
                .await?;
            *durable = end;
        }
    }
    Ok(())
}

/// Whatever is there is what was produced, and as much as was acknowledged in that way.
async fn check(disk: &SimDisk, least: i64, what: &str) {
    let broker = Broker::start_with(disk, config());
    if broker.topics.get(&name("t")).is_none() {
        assert_eq!(least, 0, "{what}: the topic is gone");
        return;
    }
    let ends = broker.partition("t", 0).ends();
    let end = ends
        .unwrap_or_else(|error| panic!("{what}: {error}"))
        .log_end;
    assert!(
        end >= Offset(least),
        "{what}: ends at {end}, and {least} are safe"
    );
    for offset in 0..end.0 {
        let found = broker.fetch_now("t", offset).await;
        let found = bytes(&found.records);
        let value = value(offset);
        let is_there = found
            .windows(VALUE_SIZE)
            .any(|part| part == value.as_bytes());
        assert!(is_there, "{what}: the record at {offset}");
    }
}

#[tokio::test]
async fn a_power_failure_or_a_failed_call_at_any_moment_loses_nothing_that_is_durable() {
    for pool in [0, 100] {
        let disk = SimDisk::new(1);
        let whole = run(&disk, pool).await.unwrap();
        assert_eq!(whole, (BATCHES, Offset(BATCHES)));
        for operation in 0..disk.operations() {
            let what = format!("pool {pool}, before {operation}");
            let disk = SimDisk::new(operation);
            disk.power_off_at(operation);
            // Syncs of the background may do with less.
            let (Ok((_, durable)) | Err((_, durable))) = run(&disk, pool).await;
            for survivor in 0..6 {
                let what = format!("{what}, survivor {survivor}");
                check(&disk.crash(), durable.0, &what).await;
            }
            let disk = SimDisk::new(operation);
            disk.fail_at(operation);
            let (Ok((appended, durable)) | Err((appended, durable))) = run(&disk, pool).await;
            let what = format!("pool {pool}, {} fails", disk.operation(operation));
            for survivor in 0..4 {
                let what = format!("{what}, survivor {survivor}");
                check(&disk.crash(), durable.0, &what).await;
            }
            check(&disk, appended, &what).await;
        }
    }
}

/// The first roll of a log that was never synced waits for its directory, and for nothing else.
#[tokio::test]
async fn the_name_of_a_first_segment() {
    for fails in [false, true] {
        let broker = with_two_topics(Broker::start()).await;
        let dir = Path::new("/data/t-0");
        for offset in 1..3 {
            broker.write(1, "t", &[&value(offset)]).await;
        }
        let syncs = broker.disk.park_every(Call::Sync, dir);
        let parking = broker.disk.park_next(Call::SyncDir, dir);
        let producing = Arc::clone(&broker);
        let produce = async move |offset| producing.produce(1, "t", batch(&[&value(offset)])).await;
        let rolls = spawn(async move { produce(3).await });
        until_parked(&parking, "the sync of the directory").await;
        others_are_served_by_the_disk(&broker).await;
        assert!(!rolls.is_finished());
        if fails {
            broker.disk.fail_at(broker.disk.operations());
        }
        parking.release();
        let answer = soon("the roll", rolls).await.unwrap();
        assert_eq!(answer.error_code != ErrorCode::NONE, fails);
        assert_eq!(broker.partition("t", 0).ends().is_err(), fails, "offline");
        syncs.release();
    }
}
