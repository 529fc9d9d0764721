//! Compacted topics, while everything else goes on.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use broker::{Error, TopicSettings, Unfit, error_code, set_topic_setting};
use log_storage::{Candidate, Compactor, DirtySection};
use message_model::{Offset, OffsetRange, Timestamp};
use record_batch::{BatchBuilder, Codec, Opening, RecordToSend, decode_records};
use sim_disk::{Call, SimDisk};
use wire_protocol::ErrorCode;

use crate::stalls::{others_are_served_by_the_disk, soon, spawn, until_parked};
use crate::support::{Broker, NOW, append, batch, config};

/// The newest record of each key survives, and a tombstone too.
#[derive(Debug)]
struct Newest {
    end: Offset,
    newest: HashMap<Vec<u8>, Offset>,
}

impl DirtySection for Newest {
    fn note(&mut self, offset: Offset, key: Option<&[u8]>) -> bool {
        self.newest.insert(key.unwrap().to_vec(), offset);
        self.end = offset.plus(1);
        true
    }

    fn pass(&mut self, end: Offset) {
        self.end = end;
    }

    fn end(&self) -> Offset {
        self.end
    }

    fn survives(
        &self,
        record: &Candidate<'_>,
        _horizon: Option<Timestamp>,
        _now: Timestamp,
    ) -> bool {
        let newest = self.newest.get(record.key.unwrap());
        newest.is_none_or(|newest| record.offset >= *newest)
    }

    fn horizon(
        &self,
        _batch: OffsetRange,
        given: Option<Timestamp>,
        _next: Timestamp,
    ) -> Option<Timestamp> {
        given
    }
}

pub(crate) const COMPACTOR: Compactor = Compactor {
    section: |end, _| {
        Box::new(Newest {
            end,
            newest: HashMap::new(),
        })
    },
    memory: 0,
    opening: Opening {
        open: compression::open_batch,
        size_max: 1_000_000,
    },
    close: compression::close_batch,
};

pub(crate) const COMPACT: [(&str, &str); 3] = [
    ("cleanup.policy", "compact"),
    ("segment.bytes", "1024"),
    ("min.cleanable.dirty.ratio", "0"),
];

/// A broker with the compacted topic `t` of several segments, and the topic `other`.
async fn compacting(disk: &SimDisk) -> Arc<Broker> {
    let broker = Broker::start_with(disk, config());
    broker.create_with("t", 1, &COMPACT).await;
    broker.create("other", 1).await;
    broker.write(1, "other", &["first"]).await;
    for round in 0..30 {
        write_keyed(&broker, round).await;
    }
    broker.topics.sync_all().await;
    Arc::new(broker)
}

pub(crate) fn keyed(keys: &[Option<&str>], value: &str) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for key in keys {
        builder.push(&RecordToSend {
            timestamp: Timestamp(1_000),
            key: key.map(str::as_bytes),
            value: Some(value.as_bytes()),
            headers: vec![],
        });
    }
    builder.build()
}

pub(crate) async fn write_keyed(broker: &Broker, round: i32) {
    let value = format!("{round:0200}");
    let batch = keyed(&[Some("a"), Some("b")], &value);
    let answer = broker.produce(1, "t", batch).await;
    assert_eq!(answer.error_code, ErrorCode::NONE);
}

/// How many records a consumer of `t` finds, and that the last ones are the newest.
async fn count(broker: &Broker) -> usize {
    let (mut found, mut from) = (0, 0);
    let end = broker.partition("t", 0).ends().unwrap().log_end.0;
    while from < end {
        let answer = broker.fetch_now("t", from).await;
        assert_eq!(answer.error_code, ErrorCode::NONE);
        let bytes = crate::support::bytes(&answer.records);
        for batch in record_batch::Batches::new(&bytes) {
            let (header, batch) = batch.unwrap();
            found += decode_records(batch).unwrap().len();
            assert!(header.range().end.0 > from);
            from = header.range().end.0;
        }
    }
    found
}

#[tokio::test]
async fn a_record_without_a_key_is_refused() {
    let broker = Broker::start();
    broker.create_with("t", 1, &COMPACT).await;
    let plain = keyed(&[Some("a"), None, Some("b"), None], "value");
    for codec in [Codec::None, Codec::Lz4] {
        let batch = match codec {
            Codec::None => plain.clone(),
            codec => compression::close_batch(&plain, codec),
        };
        let answer = broker.produce(1, "t", batch.clone()).await;
        assert_eq!(answer.error_code, ErrorCode::INVALID_RECORD, "{codec:?}");
        let named: Vec<i32> = answer
            .record_errors
            .iter()
            .map(|one| one.batch_index)
            .collect();
        assert_eq!(named, [1, 3], "{codec:?}");
        assert!(answer.error_message.is_some(), "{codec:?}");
        let error = append(&broker.partition("t", 0), NOW, batch)
            .await
            .unwrap_err();
        let Error::Unfit(Unfit::Keyless { records }) = error else {
            panic!("{error}");
        };
        assert_eq!(records, [1, 3], "{codec:?}");
    }
    let many = keyed(&[None; 250], "");
    let error = append(&broker.partition("t", 0), NOW, many)
        .await
        .unwrap_err();
    assert_eq!(error_code(&error), ErrorCode::INVALID_RECORD);
    assert!(
        format!("{error:?}").ends_with("98, 99] })"),
        "the answer stays small: {error:?}"
    );
    assert_eq!(count(&broker).await, 0, "the batch is refused as a whole");
}

#[tokio::test]
async fn a_topic_is_compacted_and_its_settings_change_at_once() {
    let broker = compacting(&SimDisk::new(7)).await;
    let partition = broker.partition("t", 0);
    let compact = partition.settings();
    let set = |settings: &mut TopicSettings, name, value| {
        set_topic_setting(settings, name, value).unwrap();
        partition.set_settings(*settings);
    };
    let mut settings = compact;
    set(&mut settings, "cleanup.policy", "delete");
    assert_eq!(
        broker.topics.compact().await.compacted,
        0,
        "not compacted any more"
    );
    broker.write(1, "t", &["without a key"]).await;
    set(&mut settings, "cleanup.policy", "compact");
    assert_eq!(
        broker
            .produce(1, "t", batch(&["without a key"]))
            .await
            .error_code,
        ErrorCode::INVALID_RECORD
    );
    set(&mut settings, "min.cleanable.dirty.ratio", "1");
    assert_eq!(
        broker.topics.compact().await.compacted,
        0,
        "not dirty enough"
    );
    set(&mut settings, "min.cleanable.dirty.ratio", "0.5");
    let before = count(&broker).await;
    let all = broker.topics.compact().await;
    assert!(all.failed.is_empty(), "{:?}", all.failed);
    assert_eq!(all.compacted, 1);
    let after = count(&broker).await;
    assert!(after < before / 2, "{after} of {before}");
    assert_eq!(
        broker.topics.compact().await.compacted,
        0,
        "nothing is dirty"
    );
    set(&mut settings, "segment.bytes", "1000000");
    let files = |broker: &Broker| broker.disk.files().len();
    let before = files(&broker);
    for round in 0..20 {
        write_keyed(&broker, round).await;
    }
    assert_eq!(files(&broker), before, "the active segment takes them all");
}

/// Every step of a pass stands still, and nothing else does.
#[tokio::test]
async fn a_pass_that_stands_still_holds_up_nothing() {
    for call in [
        Call::Open,
        Call::Read,
        Call::Create,
        Call::Write,
        Call::Sync,
        Call::Rename,
        Call::SyncDir,
        Call::Remove,
    ] {
        let disk = SimDisk::new(7);
        let broker = compacting(&disk).await;
        let before = count(&broker).await;
        let parking = disk.park_next(call, Path::new("/data/t-0"));
        let compacting = Arc::clone(&broker);
        let compacted = spawn(async move { compacting.topics.compact().await });
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served_by_the_disk(&broker).await;
        soon("its own append", write_keyed(&broker, 100)).await;
        let end = broker.partition("t", 0).ends().unwrap().log_end;
        let found = soon("its own fetch", broker.fetch_now("t", end.0 - 2)).await;
        assert!(!found.records.is_empty());
        assert!(!compacted.is_finished(), "{call:?}");
        parking.release();
        let all = compacted.await.unwrap();
        assert!(all.failed.is_empty(), "{call:?}: {:?}", all.failed);
        assert_eq!(all.compacted, 1, "{call:?}");
        assert!(count(&broker).await < before / 2, "{call:?}");
    }
}

#[tokio::test]
async fn a_topic_may_be_deleted_and_records_too_during_a_pass() {
    for call in [Call::Read, Call::Write, Call::Rename] {
        for all in [true, false] {
            let disk = SimDisk::new(7);
            let broker = compacting(&disk).await;
            let parking = disk.park_next(call, Path::new("/data/t-0"));
            let compacting = Arc::clone(&broker);
            let compacted = spawn(async move { compacting.topics.compact().await });
            until_parked(&parking, &format!("{call:?}")).await;
            let deleting = Arc::clone(&broker);
            let deleted = spawn(async move {
                if all {
                    let name = crate::support::name("t");
                    deleting.topics.delete(&name).await.unwrap();
                } else {
                    let partition = deleting.partition("t", 0);
                    let end = partition.ends().unwrap().log_end;
                    assert_eq!(partition.delete_before(end).await.unwrap(), end);
                }
            });
            tokio::task::yield_now().await;
            parking.release();
            deleted.await.unwrap();
            let compacted = compacted.await.unwrap();
            assert!(
                compacted.failed.is_empty(),
                "{call:?}: {:?}",
                compacted.failed
            );
            let left = disk.files().into_iter().map(|(path, _)| path);
            let left: Vec<_> = left.filter(|path| path.starts_with("/data/t-0")).collect();
            if all {
                assert!(left.is_empty(), "{call:?}: {left:?}");
            } else {
                assert_eq!(count_from_start(&broker).await, 0);
                let logs = left
                    .iter()
                    .filter(|path| path.extension() == Some("log".as_ref()));
                assert_eq!(logs.count(), 1, "{call:?}: {left:?}");
            }
        }
    }
}

async fn count_from_start(broker: &Broker) -> i64 {
    let ends = broker.partition("t", 0).ends().unwrap();
    ends.log_end.0 - ends.log_start.0
}

#[tokio::test]
async fn records_are_deleted_up_to_an_offset() {
    let broker = compacting(&SimDisk::new(7)).await;
    let partition = broker.partition("t", 0);
    write_keyed(&broker, 1).await;
    let ends = partition.ends().unwrap();
    assert!(ends.durable < ends.log_end, "not everything is on disk");
    let above = partition
        .delete_before(ends.log_end.plus(1))
        .await
        .unwrap_err();
    assert_eq!(error_code(&above), ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(partition.delete_before(Offset(7)).await.unwrap(), Offset(7));
    assert_eq!(partition.delete_before(Offset(3)).await.unwrap(), Offset(7));
    let gone = broker.fetch_now("t", 6).await;
    assert_eq!(gone.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(
        partition.delete_before(ends.log_end).await.unwrap(),
        ends.log_end
    );
    assert_eq!(
        partition.ends().unwrap().durable,
        ends.log_end,
        "deleted means deleted"
    );
    let reopened = crate::support::open_topics(&broker.disk.crash());
    let partition =
        reopened.partition(&crate::support::name("t"), message_model::PartitionIndex(0));
    assert_eq!(partition.unwrap().ends().unwrap().log_start, ends.log_end);
}
