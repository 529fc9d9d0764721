//! A batch as it is filled: each record is copied once, to its place in the batch.

use bytes::Bytes;
use message_model::{ProducerEpoch, ProducerId, Timestamp};
use record_batch::{Codec, layout};

use crate::part::Number;
use crate::record::Record;

/// The most bytes of a varint of 32 bits, and of one of 64.
const VARINT_MAX: usize = 5;
const VARLONG_MAX: usize = 10;

/// What a record takes beside key, value and headers, in bytes: its length, attributes,
/// timestamp delta, offset delta, and the number of headers.
const RECORD_OVERHEAD: usize = VARINT_MAX + 1 + VARLONG_MAX + VARINT_MAX + VARINT_MAX;

/// What fits in front of a record's key.
const PREFIX_MAX: usize = RECORD_OVERHEAD;

/// The attribute of a batch that belongs to a transaction.
const TRANSACTIONAL: i16 = 1 << 4;

/// How batches are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Make {
    pub(crate) codec: Codec,
    /// Whether they belong to a transaction.
    pub(crate) is_transactional: bool,
}

/// Headers that an interceptor adds to a record, encoded.
#[derive(Debug, Default)]
pub struct ExtraHeaders {
    bytes: Vec<u8>,
    count: i32,
}

impl ExtraHeaders {
    /// Adds a header.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        put_bytes(&mut self.bytes, Some(name.as_bytes()));
        put_bytes(&mut self.bytes, Some(value));
        self.count += 1;
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// How many bytes they have.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Records of one partition, encoded behind the room for the header of their batch.
#[derive(Debug)]
pub(crate) struct BatchBuffer {
    bytes: Vec<u8>,
    count: i32,
    base_timestamp: Timestamp,
    max_timestamp: Timestamp,
}

impl BatchBuffer {
    /// An empty batch, which uses the memory of `bytes`.
    pub(crate) fn new(mut bytes: Vec<u8>) -> BatchBuffer {
        bytes.clear();
        bytes.resize(layout::RECORDS, 0);
        BatchBuffer {
            bytes,
            count: 0,
            base_timestamp: Timestamp::NONE,
            max_timestamp: Timestamp::NONE,
        }
    }

    /// The most bytes that `record` takes in a batch, without what an interceptor adds.
    pub(crate) fn bound(record: &Record<'_>) -> usize {
        let length = |bytes: Option<&[u8]>| VARINT_MAX + bytes.map_or(0, <[u8]>::len);
        let headers = record.headers.iter();
        let headers =
            headers.map(|header| length(Some(header.key.as_bytes())) + length(header.value));
        RECORD_OVERHEAD + length(record.key) + length(record.value) + headers.sum::<usize>()
    }

    pub(crate) fn count(&self) -> u32 {
        self.count.cast_unsigned()
    }

    /// Adds a record with this timestamp, and with these headers behind its own.
    pub(crate) fn push(&mut self, timestamp: Timestamp, record: &Record<'_>, extra: &ExtraHeaders) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let header_count = i32::try_from(record.headers.len()).expect("below 2³¹") + extra.count;
        let mut prefix = Prefix::default();
        prefix.push(0);
        prefix.varint(timestamp.0.wrapping_sub(self.base_timestamp.0));
        prefix.varint(i64::from(self.count));
        let headers = record.headers.iter();
        let headers = headers.map(|one| size(Some(one.key.as_bytes())) + size(one.value));
        let length = prefix.length
            + size(record.key)
            + size(record.value)
            + varint_size(header_count)
            + headers.sum::<usize>()
            + extra.len();
        let mut whole = Prefix::default();
        whole.varint(i64::try_from(length).expect("below 2⁶³"));
        self.bytes.reserve(whole.length + length);
        self.bytes.extend_from_slice(whole.bytes());
        self.bytes.extend_from_slice(prefix.bytes());
        put_bytes(&mut self.bytes, record.key);
        put_bytes(&mut self.bytes, record.value);
        put_varint(&mut self.bytes, i64::from(header_count));
        for header in record.headers {
            put_bytes(&mut self.bytes, Some(header.key.as_bytes()));
            put_bytes(&mut self.bytes, header.value);
        }
        self.bytes.extend_from_slice(&extra.bytes);
        self.count += 1;
    }

    /// Returns the batch: with its header, compressed if that is wanted.
    ///
    /// # Panics
    /// If there is no record.
    pub(crate) fn seal(mut self, number: Option<Number>, make: Make) -> Bytes {
        assert!(self.count > 0, "a batch has at least one record");
        let length = i32::try_from(self.bytes.len() - layout::LENGTH_OVERHEAD);
        let length = length.expect("a batch is below 2 GiB");
        let mut put = |at: usize, field: &[u8]| {
            self.bytes[at..at + field.len()].copy_from_slice(field);
        };
        put(layout::BATCH_LENGTH, &length.to_be_bytes());
        put(layout::MAGIC, &layout::MAGIC_V2.to_be_bytes());
        put(layout::LAST_OFFSET_DELTA, &(self.count - 1).to_be_bytes());
        put(layout::BASE_TIMESTAMP, &self.base_timestamp.0.to_be_bytes());
        put(layout::MAX_TIMESTAMP, &self.max_timestamp.0.to_be_bytes());
        put(layout::RECORD_COUNT, &self.count.to_be_bytes());
        if make.is_transactional {
            put(layout::ATTRIBUTES, &TRANSACTIONAL.to_be_bytes());
        }
        put_number(&mut self.bytes, number);
        if make.codec == Codec::None {
            put_crc(&mut self.bytes);
            return self.bytes.into();
        }
        compression::close_batch(&self.bytes, make.codec).into()
    }
}

/// Writes which producer numbers the batch.
fn put_number(batch: &mut [u8], number: Option<Number>) {
    let (id, epoch, sequence) = number.map_or((ProducerId::NONE, ProducerEpoch::NONE, -1), |one| {
        (one.identity.id, one.identity.epoch, one.sequence)
    });
    batch[layout::PRODUCER_ID..layout::PRODUCER_EPOCH].copy_from_slice(&id.0.to_be_bytes());
    batch[layout::PRODUCER_EPOCH..layout::BASE_SEQUENCE].copy_from_slice(&epoch.0.to_be_bytes());
    batch[layout::BASE_SEQUENCE..layout::RECORD_COUNT].copy_from_slice(&sequence.to_be_bytes());
}

fn put_crc(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
}

/// Returns a sealed batch with another number.
pub(crate) fn renumbered(batch: &[u8], number: Option<Number>) -> Bytes {
    let mut batch = batch.to_vec();
    put_number(&mut batch, number);
    put_crc(&mut batch);
    batch.into()
}

/// A few bytes on the stack.
#[derive(Default)]
struct Prefix {
    room: [u8; PREFIX_MAX],
    length: usize,
}

impl Prefix {
    #[inline]
    fn push(&mut self, byte: u8) {
        self.room[self.length] = byte;
        self.length += 1;
    }

    #[inline]
    fn varint(&mut self, value: i64) {
        let mut rest = zigzag(value);
        while rest >= 0x80 {
            self.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.push((rest & 0x7f) as u8);
    }

    fn bytes(&self) -> &[u8] {
        &self.room[..self.length]
    }
}

#[inline]
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

#[inline]
fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut prefix = Prefix::default();
    prefix.varint(value);
    out.extend_from_slice(prefix.bytes());
}

#[inline]
fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.push(1),
        Some(bytes) => {
            put_varint(out, i64::try_from(bytes.len()).expect("below 2⁶³"));
            out.extend_from_slice(bytes);
        }
    }
}

/// The bytes of a length in front of bytes, and of those.
#[inline]
fn size(bytes: Option<&[u8]>) -> usize {
    let length = bytes.map_or(0, <[u8]>::len);
    let stored = bytes.map_or(-1, |_| i32::try_from(length).expect("below 2 GiB"));
    varint_size(stored) + length
}

#[inline]
fn varint_size(value: i32) -> usize {
    let bits = 64 - zigzag(i64::from(value)).leading_zeros();
    (bits.max(1) as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use record_batch::{BatchBuilder, Header, RecordToSend};

    const PLAIN: Make = Make {
        codec: Codec::None,
        is_transactional: false,
    };

    type Owned = (
        i64,
        Option<Vec<u8>>,
        Option<Vec<u8>>,
        Vec<(String, Option<Vec<u8>>)>,
    );

    fn record() -> impl Strategy<Value = Owned> {
        let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
        let headers = proptest::collection::vec((".{0,5}", bytes()), 0..3);
        (-3_i64..1 << 50, bytes(), bytes(), headers)
    }

    proptest! {
        #[test]
        fn it_makes_the_batches_of_the_builder(records in proptest::collection::vec(record(), 1..20)) {
            let mut buffer = BatchBuffer::new(Vec::new());
            let mut builder = BatchBuilder::new();
            for (timestamp, key, value, headers) in &records {
                let headers: Vec<Header<'_>> = headers
                    .iter()
                    .map(|(key, value)| Header { key, value: value.as_deref() })
                    .collect();
                let timestamp = Timestamp(*timestamp);
                let record = Record {
                    key: key.as_deref(),
                    value: value.as_deref(),
                    headers: &headers,
                    ..Record::default()
                };
                let before = buffer.bytes.len();
                buffer.push(timestamp, &record, &ExtraHeaders::default());
                prop_assert!(buffer.bytes.len() - before <= BatchBuffer::bound(&record));
                builder.push(&RecordToSend {
                    timestamp,
                    key: record.key,
                    value: record.value,
                    headers: headers.clone(),
                });
            }
            prop_assert_eq!(buffer.seal(None, PLAIN).to_vec(), builder.build());
        }
    }

    #[test]
    fn a_renumbered_batch_is_as_if_it_had_been_sealed_with_that_number() {
        let number = |sequence| {
            Some(Number {
                identity: crate::part::Identity {
                    id: ProducerId(5),
                    epoch: ProducerEpoch(1),
                },
                sequence,
            })
        };
        let sealed = |sequence| {
            let mut buffer = BatchBuffer::new(Vec::new());
            let record = Record::of_value(b"hello");
            buffer.push(Timestamp(7), &record, &ExtraHeaders::default());
            buffer.seal(number(sequence), PLAIN)
        };
        assert_eq!(renumbered(&sealed(3), number(9)), sealed(9));
    }
}
