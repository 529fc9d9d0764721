//! Making a batch; for producers.

use message_model::{ProducerEpoch, ProducerId, Timestamp};

use crate::layout;
use crate::record::{Header, Record, encode_record};

/// A record before it has a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordToSend<'a> {
    /// When it happened.
    pub timestamp: Timestamp,
    /// What it is about.
    pub key: Option<&'a [u8]>,
    /// What it says.
    pub value: Option<&'a [u8]>,
    /// Anything else.
    pub headers: Vec<Header<'a>>,
}

/// Collects records into one uncompressed batch that no idempotent producer wrote.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    records: Vec<u8>,
    count: i32,
    base_timestamp: Option<Timestamp>,
    max_timestamp: Option<Timestamp>,
}

impl BatchBuilder {
    /// No records.
    #[must_use]
    pub fn new() -> BatchBuilder {
        BatchBuilder::default()
    }

    /// Adds a record; its offset is the next one in the batch.
    pub fn push(&mut self, record: &RecordToSend<'_>) {
        let base = *self.base_timestamp.get_or_insert(record.timestamp);
        self.max_timestamp = self.max_timestamp.max(Some(record.timestamp));
        encode_record(
            &mut self.records,
            &Record {
                timestamp_delta: record.timestamp.0.wrapping_sub(base.0),
                offset_delta: self.count,
                key: record.key,
                value: record.value,
                headers: record.headers.clone(),
            },
        );
        self.count += 1;
    }

    /// How many bytes the batch would have now.
    #[must_use]
    pub fn size(&self) -> usize {
        layout::RECORDS + self.records.len()
    }

    /// The batch, with base offset 0.
    ///
    /// # Panics
    /// When no record was pushed, or the batch is 2 GiB or longer.
    #[must_use]
    pub fn build(self) -> Vec<u8> {
        assert!(self.count > 0, "a batch has at least one record");
        let length =
            i32::try_from(self.size() - layout::LENGTH_OVERHEAD).expect("a batch is below 2 GiB");
        let base_timestamp = self.base_timestamp.unwrap_or(Timestamp::NONE);
        let max_timestamp = self.max_timestamp.unwrap_or(Timestamp::NONE);
        let mut batch = Vec::with_capacity(self.size());
        batch.extend_from_slice(&0_i64.to_be_bytes());
        batch.extend_from_slice(&length.to_be_bytes());
        batch.extend_from_slice(&0_i32.to_be_bytes());
        batch.extend_from_slice(&layout::MAGIC_V2.to_be_bytes());
        batch.extend_from_slice(&0_u32.to_be_bytes());
        batch.extend_from_slice(&0_i16.to_be_bytes());
        batch.extend_from_slice(&(self.count - 1).to_be_bytes());
        batch.extend_from_slice(&base_timestamp.0.to_be_bytes());
        batch.extend_from_slice(&max_timestamp.0.to_be_bytes());
        batch.extend_from_slice(&ProducerId::NONE.0.to_be_bytes());
        batch.extend_from_slice(&ProducerEpoch::NONE.0.to_be_bytes());
        batch.extend_from_slice(&(-1_i32).to_be_bytes());
        batch.extend_from_slice(&self.count.to_be_bytes());
        batch.extend_from_slice(&self.records);
        let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
        batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
        batch
    }
}
