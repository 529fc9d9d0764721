//! What holds for any records and any bytes.

use message_model::{LeaderEpoch, Offset, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use record_batch::{
    BatchError, BatchHeader, Batches, assign_offsets, check_from_producer, decode_records, layout,
    validate, walk,
};
use wire_protocol::Malformed;

use crate::{OwnedRecord, build, headers, seal};

const LIMIT: usize = 1 << 20;

fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::of(vec(any::<u8>(), 0..100))
}

fn record() -> impl Strategy<Value = OwnedRecord> {
    let header = ("[a-z]{0,5}", bytes());
    (any::<i64>(), bytes(), bytes(), vec(header, 0..4)).prop_map(
        |(timestamp, key, value, headers)| {
            OwnedRecord {
                // A delta of two such timestamps fits in an i64.
                timestamp: timestamp / 2,
                key,
                value,
                headers,
            }
        },
    )
}

fn records() -> impl Strategy<Value = Vec<OwnedRecord>> {
    vec(record(), 1..20)
}

/// The same inputs on every run.
fn fixed() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn what_is_written_is_read(records in records(), base_offset in 0..i64::MAX / 2) {
        let mut batch = build(&records);
        let header = validate(&batch, LIMIT).expect("a built batch is valid");
        prop_assert_eq!(check_from_producer(&header), Ok(()));
        assign_offsets(&mut batch, Offset(base_offset), LeaderEpoch::FIRST);
        let header = validate(&batch, LIMIT).expect("it still is");
        prop_assert_eq!(header.size(), batch.len());
        let max = records.iter().map(|record| Timestamp(record.timestamp)).max();
        prop_assert_eq!(Some(header.max_timestamp), max);

        let walked = walk(&header, &batch).expect("a built batch can be walked");
        prop_assert_eq!(Some(walked.max_timestamp), max);
        let first = records.iter().position(|record| Timestamp(record.timestamp) == walked.max_timestamp);
        prop_assert_eq!(i32::try_from(first.unwrap()), Ok(walked.offset_delta));
        prop_assert!(header.newest() == walked.max_timestamp);

        let decoded = decode_records(&batch).expect("a built batch can be read");
        prop_assert_eq!(decoded.len(), records.len());
        for ((read, written), offset) in decoded.iter().zip(&records).zip(base_offset..) {
            prop_assert_eq!(header.offset_of(read), Offset(offset));
            prop_assert!(header.range().contains(Offset(offset)));
            prop_assert_eq!(header.timestamp_of(read), Timestamp(written.timestamp));
            prop_assert_eq!(read.key, written.key.as_deref());
            prop_assert_eq!(read.value, written.value.as_deref());
            prop_assert_eq!(&read.headers, &headers(written));
        }
        prop_assert_eq!(header.range().end, Offset(base_offset).plus(records.len().try_into().unwrap()));
    }

    #[test]
    fn the_crc_catches_any_flipped_bit(records in records(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut batch = build(&records);
        let position = layout::CRC + at.index(batch.len() - layout::CRC);
        batch[position] ^= 1_u8 << bit;
        let caught = matches!(validate(&batch, LIMIT), Err(BatchError::Crc { .. }));
        prop_assert!(caught, "bit {} of byte {}", bit, position);
    }

    #[test]
    fn batches_are_walked_in_order(runs in vec(records(), 0..4), cut in any::<prop::sample::Index>()) {
        let built: Vec<Vec<u8>> = runs.iter().map(|records| build(records)).collect();
        let bytes = built.concat();
        let walked: Vec<&[u8]> = Batches::new(&bytes)
            .map(|batch| batch.expect("all are whole").1)
            .collect();
        prop_assert_eq!(&walked, &built);

        // Cut off anywhere, the whole batches before the cut come out, then one error.
        let cut = cut.index(bytes.len() + 1);
        let (whole, errors): (Vec<_>, Vec<_>) = Batches::new(&bytes[..cut]).partition(Result::is_ok);
        let mut end = 0;
        let ends: Vec<usize> = built.iter().map(|batch| { end += batch.len(); end }).collect();
        prop_assert_eq!(whole.len(), ends.iter().filter(|end| **end <= cut).count());
        let at_an_end = cut == 0 || ends.contains(&cut);
        prop_assert_eq!(errors.len(), usize::from(!at_an_end));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        read_everything(&bytes)?;
    }

    /// Random bytes are hardly ever a batch; a damaged batch that is sealed again gets further.
    #[test]
    fn any_damage_is_read_or_refused(
        records in records(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..10),
    ) {
        let mut batch = build(&records);
        for (at, byte) in damage {
            let position = at.index(batch.len());
            batch[position] = byte;
        }
        seal(&mut batch);
        read_everything(&batch)?;
    }
}

/// Calls all that reads bytes, and looks at all that comes back.
fn read_everything(bytes: &[u8]) -> Result<(), TestCaseError> {
    let _ = validate(bytes, LIMIT);
    let mut total = 0;
    for walked in Batches::new(bytes) {
        let Ok((header, batch)) = walked else { break };
        total += batch.len();
        prop_assert_eq!(header.size(), batch.len());
        prop_assert_eq!(&BatchHeader::read(batch), &Ok(header));
        let _ = (header.range(), header.codec(), check_from_producer(&header));
        let decoded = decode_records(batch);
        // What can be walked can be decoded, but for names that are not UTF-8;
        // what can be decoded can be walked, if its offset deltas are right.
        match (walk(&header, batch), &decoded) {
            (Ok(_), Err(error)) => prop_assert_eq!(*error, Malformed::NotUtf8.into()),
            (Err(error), Ok(_)) => {
                prop_assert!(matches!(error, BatchError::OffsetDelta { .. }), "{}", error);
            }
            _ => {}
        }
        let records = decoded.unwrap_or_default();
        // A record takes 7 bytes at least: nobody can announce more than arrived.
        prop_assert!(records.len() <= batch.len() / 7);
        for record in &records {
            prop_assert!(record.headers.len() <= batch.len() / 2);
            let _ = (header.offset_of(record), header.timestamp_of(record));
        }
    }
    prop_assert!(total <= bytes.len());
    Ok(())
}
