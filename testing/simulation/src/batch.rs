//! Batches as clients make and read them.

use std::collections::BTreeSet;

use message_model::{PartitionIndex, TopicName, TopicPartition};
use record_batch::{
    BatchBuilder, Batches, EndTransaction, Marker, RecordToSend, decode_records, layout,
};

use crate::node::FIRST_DAY;
use crate::request::Fetched;

/// What a batch says of its producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// Returns a batch with these values, the first one with the number `first`.
pub(crate) fn batch(
    producer: Instance,
    first: i32,
    transactional: bool,
    values: &[u64],
) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder.push(&RecordToSend {
            timestamp: FIRST_DAY,
            key: None,
            value: Some(&value.to_be_bytes()),
            headers: vec![],
        });
    }
    let mut batch = builder.build();
    let mut put = |at: usize, bytes: &[u8]| batch[at..at + bytes.len()].copy_from_slice(bytes);
    let attributes = if transactional { 1_i16 << 4 } else { 0 };
    put(layout::ATTRIBUTES, &attributes.to_be_bytes());
    put(layout::PRODUCER_ID, &producer.id.to_be_bytes());
    put(layout::PRODUCER_EPOCH, &producer.epoch.to_be_bytes());
    put(layout::BASE_SEQUENCE, &first.to_be_bytes());
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    batch
}

/// What a consumer makes of the answer to a fetch of one partition.
#[derive(Debug, Default)]
pub(crate) struct Consumed {
    /// Offset and value of each record that counts.
    pub(crate) records: Vec<(i64, u64)>,
    /// Where to read on; `None` if nothing was read.
    pub(crate) next: Option<i64>,
}

/// Returns the records from `from` on. Of aborted transactions, which `fetched` names if the
/// reader is one of committed records, none.
pub(crate) fn consume(fetched: &Fetched, from: i64) -> Consumed {
    let mut consumed = Consumed::default();
    let mut aborted = fetched.aborted.clone();
    aborted.sort_by_key(|(_, first)| *first);
    let mut aborted = aborted.into_iter().peekable();
    let mut open = BTreeSet::new();
    for (header, bytes) in Batches::new(&fetched.batches).flatten() {
        while let Some((id, _)) = aborted.next_if(|(_, first)| *first <= header.base_offset.0) {
            open.insert(id);
        }
        consumed.next = Some(header.range().end.0.max(from));
        let producer = header.producer_id.0;
        if header.is_control() {
            if EndTransaction::read(bytes).is_ok_and(|end| end.marker == Marker::Abort) {
                open.remove(&producer);
            }
            continue;
        }
        if header.is_transactional() && open.contains(&producer) {
            continue;
        }
        for record in decode_records(bytes).unwrap_or_default() {
            let offset = header.offset_of(&record).0;
            let value = record.value.and_then(|value| value.try_into().ok());
            if let (true, Some(value)) = (offset >= from, value) {
                consumed.records.push((offset, u64::from_be_bytes(value)));
            }
        }
    }
    consumed
}

/// Returns the name of a partition.
pub(crate) fn partition(topic: &str, index: i32) -> TopicPartition {
    TopicPartition {
        topic: TopicName::new(topic).expect("topics here have right names"),
        partition: PartitionIndex(index),
    }
}
