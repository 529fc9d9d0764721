//! Markers: their bytes, and what is none.

use message_model::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};
use proptest::prelude::*;
use record_batch::{
    BatchError, EndTransaction, Marker, NotFromProducer, NotMarker, assign_offsets,
    check_from_producer, layout, validate,
};

use crate::{OwnedRecord, build, seal, with};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn abort() -> Vec<u8> {
    let end = EndTransaction {
        marker: Marker::Abort,
        coordinator_epoch: 3,
    };
    end.batch(NOW, ProducerId(4_000), ProducerEpoch(7))
}

/// What Kafka 4.3.1 makes (`MemoryRecords.withEndTransactionMarker`) at offset 17, of leader epoch 7.
const ABORT: &str = "\
    0000000000000011000000420000000702c24255260030000000000000018bcfe568000000018bcfe56800\
    0000000000000fa00007ffffffff000000012000000008000000000c00000000000300";
const COMMIT: &str = "\
    0000000000000011000000420000000702367c836e0030000000000000018bcfe568000000018bcfe56800\
    0000000000000fa00007ffffffff000000012000000008000000010c00000000000300";

#[test]
fn a_marker_has_kafkas_bytes() {
    for (marker, bytes) in [(Marker::Abort, ABORT), (Marker::Commit, COMMIT)] {
        let end = EndTransaction {
            marker,
            coordinator_epoch: 3,
        };
        let mut batch = end.batch(NOW, ProducerId(4_000), ProducerEpoch(7));
        assign_offsets(&mut batch, Offset(17), LeaderEpoch(7));
        let hex: String = batch.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, bytes, "{marker:?}");
        assert_eq!(EndTransaction::read(&batch), Ok(end));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        commits in any::<bool>(),
        coordinator_epoch in any::<i32>(),
        (producer, epoch, now) in (0..i64::MAX, 0..i16::MAX, any::<i64>()),
    ) {
        let marker = if commits { Marker::Commit } else { Marker::Abort };
        let end = EndTransaction { marker, coordinator_epoch };
        let batch = end.batch(Timestamp(now), ProducerId(producer), ProducerEpoch(epoch));
        let header = validate(&batch, 1_000).expect("a log may hold it");
        prop_assert_eq!(EndTransaction::read(&batch), Ok(end));
        prop_assert!(header.is_control() && header.is_transactional());
        prop_assert_eq!((header.producer_id.0, header.producer_epoch.0), (producer, epoch));
        prop_assert_eq!((header.base_sequence, header.newest()), (-1, Timestamp(now)));
        prop_assert_eq!(header.range().end.0, 1);
        prop_assert_eq!(check_from_producer(&header), Err(NotFromProducer::Control.into()));
    }

    #[test]
    fn any_bytes_are_a_marker_or_an_error(
        at in layout::ATTRIBUTES..78_usize,
        bytes in proptest::collection::vec(any::<u8>(), 1..20),
        length in 0_usize..90,
    ) {
        let mut batch = abort();
        let end = batch.len().min(at + bytes.len());
        batch[at..end].copy_from_slice(&bytes[..end - at]);
        seal(&mut batch);
        batch.resize(length, 0);
        let _ = EndTransaction::read(&batch);
        let _ = EndTransaction::read(&bytes);
    }
}

fn record() -> OwnedRecord {
    OwnedRecord {
        timestamp: 1,
        key: Some(vec![0, 0, 0, 0]),
        value: Some(vec![0, 0, 0, 0, 0, 3]),
        headers: vec![],
    }
}

fn attributes(batch: Vec<u8>, bits: u8) -> Vec<u8> {
    with(batch, layout::ATTRIBUTES, &[0, bits])
}

#[test]
fn data_and_other_batches_are_no_markers() {
    let one = build(&[record()]);
    let two = build(&[record(), record()]);
    let aborted = EndTransaction::read(&attributes(one.clone(), 0b11_0000));
    assert_eq!(aborted.map(|end| end.marker), Ok(Marker::Abort));
    let no_record = with(one.clone(), layout::RECORD_COUNT, &[0; 4]);
    for (what, batch) in [
        ("data", one.clone()),
        ("data of a transaction", attributes(one.clone(), 0b01_0000)),
        ("of no transaction", attributes(one, 0b10_0000)),
        ("two records", attributes(two, 0b11_0000)),
        ("no record", attributes(no_record, 0b11_0000)),
    ] {
        assert_eq!(
            EndTransaction::read(&batch),
            Err(NotMarker::Shape),
            "{what}"
        );
    }
}

#[test]
fn other_control_records_are_no_markers() {
    let (key, value) = (record().key, record().value);
    for (what, key, value) in [
        ("type 2", Some(vec![0, 0, 0, 2]), value.clone()),
        ("type 256", Some(vec![0, 0, 1, 0]), value.clone()),
        ("key version 1", Some(vec![0, 1, 0, 0]), value.clone()),
        ("a longer key", Some(vec![0, 0, 0, 0, 0]), value.clone()),
        ("no key", None, value),
        ("version 1", key.clone(), Some(vec![0, 1, 0, 0, 0, 3])),
        ("a shorter value", key.clone(), Some(vec![0, 0, 0, 0, 3])),
        ("no value", key, None),
    ] {
        let other = OwnedRecord {
            key,
            value,
            ..record()
        };
        let batch = attributes(build(&[other]), 0b11_0000);
        assert_eq!(
            EndTransaction::read(&batch),
            Err(NotMarker::Record),
            "{what}"
        );
    }
}

#[test]
fn a_batch_that_is_not_whole_is_no_marker() {
    let mut flipped = abort();
    *flipped.last_mut().unwrap() ^= 1;
    let found = EndTransaction::read(&flipped);
    assert!(
        matches!(found, Err(NotMarker::Batch(BatchError::Crc { .. }))),
        "{found:?}"
    );
    let cut = EndTransaction::read(&abort()[..70]);
    assert!(
        matches!(cut, Err(NotMarker::Batch(BatchError::Truncated { .. }))),
        "{cut:?}"
    );
}
