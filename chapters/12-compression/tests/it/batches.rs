//! Whole batches.

use compression::{close_batch, open_batch};
use message_model::Timestamp;
use record_batch::{
    BatchBuilder, BatchHeader, OpenError, RecordToSend, decode_records, validate, walk,
};

use crate::laws::CODECS;

fn batch() -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for value in [&b"a"[..], b"bb", &[b'c'; 1000]] {
        let record = RecordToSend {
            timestamp: Timestamp(1_000),
            key: Some(b"k"),
            value: Some(value),
            headers: vec![],
        };
        builder.push(&record);
    }
    builder.build()
}

#[test]
fn a_closed_batch_is_valid_and_opens_to_what_it_was() {
    let batch = batch();
    for codec in CODECS {
        let closed = close_batch(&batch, codec);
        let header = validate(&closed, usize::MAX).unwrap();
        assert_eq!(header.codec(), Ok(codec));
        let open = open_batch(&header, &closed, 10_000).unwrap();
        assert_eq!(open, batch, "{codec:?}");
        let header = validate(&open, usize::MAX).unwrap();
        assert!(walk(&header, &open).is_ok());
        assert_eq!(decode_records(&open).unwrap().len(), 3);
    }
}

#[test]
fn the_limit_is_that_of_the_records() {
    for codec in CODECS {
        let closed = close_batch(&batch(), codec);
        let header = BatchHeader::read(&closed).unwrap();
        let records = batch().len() - record_batch::layout::RECORDS;
        assert!(open_batch(&header, &closed, records).is_ok());
        let limit = records - 1;
        let answer = open_batch(&header, &closed, limit);
        assert_eq!(answer, Err(OpenError::TooLarge { limit }), "{codec:?}");
    }
}
