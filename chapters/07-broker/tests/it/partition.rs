//! One partition: offsets, what is taken, what is read, and a disk that fails.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use broker::{Ends, Error, Partition, Reader, error_code};
use message_model::{LeaderEpoch, Offset, OffsetRange, Timestamp};
use record_batch::{Batches, assign_offsets, layout};
use sim_disk::SimDisk;
use wire_protocol::ErrorCode;

use crate::support::{Broker, batch, bytes, open};

const NOW: Timestamp = Timestamp(2_000);

fn range(start: i64, end: i64) -> OffsetRange {
    OffsetRange {
        start: Offset(start),
        end: Offset(end),
    }
}

fn ends(log_end: i64) -> Ends {
    Ends {
        log_start: Offset(0),
        last_stable: Offset(log_end),
        high_watermark: Offset(log_end),
        log_end: Offset(log_end),
    }
}

/// What became of appending a batch in which `change` has been at work.
fn append_changed(change: impl FnOnce(&mut Vec<u8>)) -> Result<OffsetRange, ErrorCode> {
    let disk = SimDisk::new(7);
    let topics = open(&disk).topics;
    let topic = topics.create(&crate::support::name("t"), 1, [].into());
    let partition = Arc::clone(&topic.unwrap().partitions[0]);
    let mut bytes = batch(&["a", "b"]);
    change(&mut bytes);
    let appended = partition.append(NOW, &mut bytes);
    assert_eq!(
        partition.ends().unwrap().log_end.0,
        if appended.is_ok() { 2 } else { 0 },
        "a batch is appended as a whole or not at all"
    );
    appended
        .map(|appended| appended.range)
        .map_err(|error| error_code(&error))
}

/// Puts a CRC in that fits.
fn mend(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}

#[tokio::test]
async fn offsets_are_dense_and_the_rest_of_a_batch_stays_as_it_was() {
    let broker = Broker::with_topic();
    let partition = broker.partition("t", 0);
    let mut expected = Vec::new();
    let mut next = 0;
    for values in [&["a"][..], &["b", "c", "d"], &["e", "f"]] {
        let sent = batch(values);
        let appended = partition.append(NOW, &mut sent.clone()).unwrap();
        let end = next + values.len() as i64;
        assert_eq!(appended.range, range(next, end));
        assert_eq!(appended.ends, ends(end));
        let mut stored = sent;
        assign_offsets(&mut stored, Offset(next), LeaderEpoch::FIRST);
        expected.extend(stored);
        next = end;
    }
    let fetched = broker.fetch_now("t", 0).await;
    assert_eq!(bytes(&fetched.records), expected);
}

#[test]
fn a_whole_batch_is_taken() {
    assert_eq!(append_changed(|_| {}), Ok(range(0, 2)));
}

#[test]
fn a_flipped_bit_is_corrupt() {
    for at in layout::CRC..batch(&["a", "b"]).len() {
        let got = append_changed(|batch| batch[at] ^= 1);
        assert_eq!(got, Err(ErrorCode::CORRUPT_MESSAGE), "byte {at}");
    }
}

#[test]
fn a_cut_batch_is_corrupt() {
    for length in 1..batch(&["a", "b"]).len() {
        let got = append_changed(|batch| batch.truncate(length));
        assert_eq!(got, Err(ErrorCode::CORRUPT_MESSAGE), "{length} bytes");
    }
}

#[test]
fn a_produce_carries_exactly_one_batch() {
    let none = append_changed(Vec::clear);
    assert_eq!(none, Err(ErrorCode::INVALID_RECORD));
    let two = append_changed(|bytes| bytes.extend(batch(&["c"])));
    assert_eq!(two, Err(ErrorCode::INVALID_RECORD));
    let rubbish_behind = append_changed(|bytes| bytes.push(0));
    assert_eq!(rubbish_behind, Err(ErrorCode::INVALID_RECORD));
}

#[test]
fn what_only_a_broker_writes_is_refused() {
    let control = append_changed(|batch| {
        batch[layout::ATTRIBUTES + 1] |= 0b10_0000;
        mend(batch);
    });
    assert_eq!(control, Err(ErrorCode::INVALID_RECORD));
    let log_append_time = append_changed(|batch| {
        batch[layout::ATTRIBUTES + 1] |= 0b1000;
        mend(batch);
    });
    assert_eq!(log_append_time, Err(ErrorCode::INVALID_RECORD));
    let gap = append_changed(|batch| {
        batch[layout::LAST_OFFSET_DELTA + 3] = 9;
        mend(batch);
    });
    assert_eq!(gap, Err(ErrorCode::INVALID_RECORD));
}

#[test]
fn old_formats_and_unknown_codecs_have_their_own_codes() {
    let old = append_changed(|batch| batch[layout::MAGIC] = 1);
    assert_eq!(old, Err(ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT));
    let codec = append_changed(|batch| {
        batch[layout::ATTRIBUTES + 1] |= 7;
        mend(batch);
    });
    assert_eq!(codec, Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE));
}

#[test]
fn a_batch_above_max_message_bytes_is_too_large() {
    let got = append_changed(|bytes| *bytes = batch(&["x".repeat(5_000).as_str()]));
    assert_eq!(got, Err(ErrorCode::MESSAGE_TOO_LARGE));
}

#[tokio::test]
async fn a_fetch_begins_with_the_batch_that_holds_the_offset() {
    let broker = Broker::with_topic();
    let partition = broker.partition("t", 0);
    for values in [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]] {
        partition.append(NOW, &mut batch(&values)).unwrap();
    }
    for (from, first) in [(0, 0), (2, 0), (3, 3), (5, 3), (8, 6)] {
        let fetched = partition
            .fetch(Reader::Uncommitted, Offset(from), 100_000, false)
            .unwrap();
        assert_eq!(fetched.range, range(first, 9), "from {from}");
        assert_eq!(fetched.ends, ends(9));
    }
}

#[tokio::test]
async fn the_end_is_an_empty_answer_and_beyond_it_is_an_error() {
    let broker = Broker::with_topic();
    let partition = broker.partition("t", 0);
    partition.append(NOW, &mut batch(&["a", "b"])).unwrap();
    let at = |from| partition.fetch(Reader::Uncommitted, Offset(from), 1_000, true);
    let fetched = at(2).unwrap();
    assert!(fetched.slices.is_empty());
    assert_eq!(fetched.range, range(2, 2));
    for outside in [-1, 3, i64::MIN, i64::MAX] {
        let code = at(outside).map(|_| ()).map_err(|error| error_code(&error));
        assert_eq!(code, Err(ErrorCode::OFFSET_OUT_OF_RANGE), "from {outside}");
    }
}

#[tokio::test]
async fn a_failed_sync_takes_the_partition_offline() {
    let broker = Broker::with_topic();
    broker.create("other", 1);
    let partition = broker.partition("t", 0);
    partition.append(NOW, &mut batch(&["a"])).unwrap();
    broker.disk.fail_at(broker.disk.operations());
    assert!(partition.sync().is_err());

    let storage = |error: &Error| error_code(error) == ErrorCode::KAFKA_STORAGE_ERROR;
    let append = |partition: &Partition| partition.append(NOW, &mut batch(&["b"]));
    assert!(
        storage(&partition.sync().unwrap_err()),
        "the next sync tells nobody that all is well"
    );
    assert!(storage(&append(&partition).unwrap_err()));
    let fetched = partition.fetch(Reader::Uncommitted, Offset(0), 1_000, true);
    assert!(storage(&fetched.unwrap_err()));
    let other = broker.partition("other", 0);
    assert!(append(&other).is_ok(), "other partitions are served");
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_goes_on_when_there_is_room() {
    let broker = Broker::with_topic();
    let partition = broker.partition("t", 0);
    partition.append(NOW, &mut batch(&["a"])).unwrap();
    broker.disk.set_space(Some(10));
    let full = partition.append(NOW, &mut batch(&["b"])).unwrap_err();
    assert_eq!(error_code(&full), ErrorCode::KAFKA_STORAGE_ERROR);
    broker.disk.set_space(None);
    let appended = partition.append(NOW, &mut batch(&["c"])).unwrap();
    assert_eq!(appended.range, range(1, 2));
}

#[tokio::test]
async fn a_damaged_log_is_there_and_answers_56() {
    let broker = Broker::with_topic();
    let partition = broker.partition("t", 0);
    partition.append(NOW, &mut batch(&["a"])).unwrap();
    partition.sync().unwrap();
    partition.save_recovery_point().unwrap();
    let log = Path::new("/data/t-0/00000000000000000000.log");
    broker.disk.flip(log, 8 * layout::RECORDS);

    let opened = open(&broker.disk);
    assert_eq!(opened.offline.len(), 1);
    let topic = opened.topics.get(&crate::support::name("t")).unwrap();
    let error = topic.partitions[0].append(NOW, &mut batch(&["b"]));
    assert_eq!(
        error_code(&error.unwrap_err()),
        ErrorCode::KAFKA_STORAGE_ERROR
    );
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_reported() {
    let broker = Broker::with_topic();
    let partition = broker.partition("t", 0);
    partition.append(NOW, &mut batch(&["a"])).unwrap();
    let kept = partition.ends().unwrap();
    partition.append(NOW, &mut batch(&["b"])).unwrap();
    let log = Path::new("/data/t-0/00000000000000000000.log");
    let length = broker
        .disk
        .files()
        .into_iter()
        .find(|(path, _)| path == log);
    broker.disk.flip(log, 8 * (length.unwrap().1.len() - 1));

    let opened = open(&broker.disk);
    let (partition, truncated) = &opened.truncated[0];
    assert_eq!(partition.to_string(), "t-0");
    assert_eq!(truncated.log_end, kept.log_end);
    assert!(opened.offline.is_empty());
}

/// Two producers at a time: every offset is given once, and each producer finds
/// its own batch where it was told.
#[test]
fn concurrent_producers_share_the_offsets() {
    let disk = SimDisk::new(7);
    let topics = open(&disk).topics;
    let topic = topics
        .create(&crate::support::name("t"), 1, [].into())
        .unwrap();
    let partition = &topic.partitions[0];
    let produce = |who: &str| {
        let mut told = Vec::new();
        for index in 0..200 {
            let value = format!("{who} {index}");
            let values = vec![value.as_str(); index % 3 + 1];
            let appended = partition.append(NOW, &mut batch(&values)).unwrap();
            told.push((appended.range, value));
        }
        told
    };
    let mut told = std::thread::scope(|scope| {
        let other = scope.spawn(|| produce("b"));
        let mut told = produce("a");
        told.extend(other.join().unwrap());
        told
    });
    told.sort_by_key(|(range, _)| range.start);
    let mut next = Offset::ZERO;
    for (range, value) in told {
        assert_eq!(range.start, next, "no gap and no overlap");
        let fetched = partition.fetch(Reader::Uncommitted, range.start, 1, true);
        let records = wire_protocol::Records {
            chunks: fetched
                .unwrap()
                .slices
                .into_iter()
                .map(networking::Chunk::File)
                .collect(),
        };
        let stored = bytes(&records);
        assert!(String::from_utf8_lossy(&stored).contains(&value));
        next = range.end;
    }
    assert_eq!(partition.ends().unwrap().log_end, next);
}

#[test]
fn a_follower_takes_batches_where_the_leader_put_them() {
    let disk = SimDisk::new(7);
    let topics = open(&disk).topics;
    let topic = topics
        .create(&crate::support::name("t"), 1, [].into())
        .unwrap();
    let partition = &topic.partitions[0];
    let at = |offset: i64, values: &[&str]| {
        let mut bytes = batch(values);
        assign_offsets(&mut bytes, Offset(offset), LeaderEpoch::FIRST);
        bytes
    };
    let two = [at(0, &["a", "b"]), at(5, &["c"])].concat();
    let appended = partition.append_as_follower(NOW, &two).unwrap();
    assert_eq!(appended.range, range(0, 6));
    let again = partition.append_as_follower(NOW, &at(5, &["c"]));
    assert!(matches!(again, Err(Error::NotNext { .. })));

    partition.truncate_to(Offset(2)).unwrap();
    assert_eq!(partition.ends().unwrap().log_end, Offset(2));
    let fetched = partition
        .fetch(Reader::Replica, Offset(0), 10_000, false)
        .unwrap();
    assert_eq!(fetched.range, range(0, 2));
}

#[test]
fn offsets_are_never_given_twice_after_retention() {
    let disk = SimDisk::new(7);
    let topics = open(&disk).topics;
    let overrides = [("retention.bytes", "0"), ("segment.bytes", "1024")];
    let overrides = overrides.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let topic = topics
        .create(&crate::support::name("t"), 1, overrides.into())
        .unwrap();
    let partition = &topic.partitions[0];
    let long = "x".repeat(400);
    for _ in 0..10 {
        partition.append(NOW, &mut batch(&[&long])).unwrap();
    }
    let kept_for_others = partition.apply_retention(NOW, Offset::ZERO).unwrap();
    assert_eq!(kept_for_others, 0, "somebody still needs offset 0");
    assert!(partition.apply_retention(NOW, Offset(i64::MAX)).unwrap() > 0);
    let now = partition.ends().unwrap();
    assert!(now.log_start > Offset::ZERO);
    assert_eq!(now.log_end, Offset(10));
    let gone = partition.fetch(Reader::Uncommitted, Offset::ZERO, 1_000, true);
    assert_eq!(
        error_code(&gone.unwrap_err()),
        ErrorCode::OFFSET_OUT_OF_RANGE
    );
    let reopened = open(&disk).topics.get(&crate::support::name("t")).unwrap();
    assert_eq!(reopened.partitions[0].ends().unwrap(), now);
}

/// What a consumer receives is what a walk along batches can read.
#[tokio::test]
async fn what_is_fetched_is_whole_batches() {
    let broker = Broker::with_topic();
    let partition = broker.partition("t", 0);
    for count in 1..20 {
        let values = vec!["v"; count];
        partition.append(NOW, &mut batch(&values)).unwrap();
    }
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while next < partition.ends().unwrap().log_end.0 {
        let fetched = partition
            .fetch(Reader::Uncommitted, Offset(next), 300, true)
            .unwrap();
        let records = wire_protocol::Records {
            chunks: fetched
                .slices
                .into_iter()
                .map(networking::Chunk::File)
                .collect(),
        };
        for batch in Batches::new(&bytes(&records)) {
            let (header, _) = batch.unwrap();
            assert!(seen.insert(header.base_offset), "no batch comes twice");
        }
        next = fetched.range.end.0;
    }
    assert_eq!(seen.len(), 19);
}
