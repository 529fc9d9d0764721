//! Record batches written by hand, so that any field of them can be wrong.

use serde_json::{Value, json};

use super::fields::hex;

/// A timestamp of November 2023, in milliseconds.
pub const TIMESTAMP: i64 = 1_700_000_000_000;

/// From the start of a batch to its first record.
const HEADER_SIZE: usize = 61;
/// Where the length counts from.
const LENGTH_END: usize = 12;
/// Where the checksum counts from.
const CRC_END: usize = 21;

/// The bit in the attributes of a batch that is a marker, which has the time of its writing.
const CONTROL: i64 = 0x20;

/// A batch with one record for each value, 10 ms apart. Change a field, then take
/// [`bytes`](Batch::bytes).
#[derive(Debug, Clone)]
pub struct Batch {
    /// 0 from every honest producer.
    pub base_offset: i64,
    /// Added to the length that the header states.
    pub length_error: i32,
    /// The format's version: 2.
    pub magic: i8,
    /// Flipped in the checksum.
    pub crc_error: u32,
    /// Codec, kind of timestamp, transactional and control bit.
    pub attributes: i16,
    /// The offset of the last record, less that of the first.
    pub last_offset_delta: i32,
    /// Timestamp of the first record.
    pub base_timestamp: i64,
    /// The largest timestamp.
    pub max_timestamp: i64,
    /// Producer id, epoch and first sequence number; all -1: none.
    pub producer: (i64, i16, i32),
    /// How many records there are.
    pub count: i32,
    /// The records as bytes.
    pub records: Vec<u8>,
}

impl Batch {
    /// A right batch of `values`.
    #[must_use]
    pub fn of(values: &[&str]) -> Batch {
        let deltas: Vec<i64> = (0..values.len() as i64).collect();
        Batch::with_deltas(values, &deltas)
    }

    /// A batch whose records state these offset deltas.
    #[must_use]
    pub fn with_deltas(values: &[&str], deltas: &[i64]) -> Batch {
        let mut records = Vec::new();
        for (number, (value, delta)) in values.iter().zip(deltas).enumerate() {
            let mut record = vec![0]; // attributes
            varint(&mut record, 10 * number as i64);
            varint(&mut record, *delta);
            varint(&mut record, -1); // no key
            varint(&mut record, value.len() as i64);
            record.extend_from_slice(value.as_bytes());
            varint(&mut record, 0); // no headers
            varint(&mut records, record.len() as i64);
            records.extend_from_slice(&record);
        }
        let last = i32::try_from(values.len()).map_or(0, |count| count - 1);
        Batch {
            base_offset: 0,
            length_error: 0,
            magic: 2,
            crc_error: 0,
            attributes: 0,
            last_offset_delta: last,
            base_timestamp: TIMESTAMP,
            max_timestamp: TIMESTAMP + 10 * i64::from(last),
            producer: (-1, -1, -1),
            count: last + 1,
            records,
        }
    }

    /// The same with another thing about it.
    #[must_use]
    pub fn but(mut self, change: impl FnOnce(&mut Batch)) -> Batch {
        change(&mut self);
        self
    }

    /// As it is on the wire, with the right checksum unless told otherwise.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend(self.attributes.to_be_bytes());
        body.extend(self.last_offset_delta.to_be_bytes());
        body.extend(self.base_timestamp.to_be_bytes());
        body.extend(self.max_timestamp.to_be_bytes());
        body.extend(self.producer.0.to_be_bytes());
        body.extend(self.producer.1.to_be_bytes());
        body.extend(self.producer.2.to_be_bytes());
        body.extend(self.count.to_be_bytes());
        body.extend(&self.records);
        let crc = crc32c::crc32c(&body) ^ self.crc_error;
        let length = i32::try_from(CRC_END - LENGTH_END + body.len()).unwrap_or(i32::MAX);
        let mut bytes = self.base_offset.to_be_bytes().to_vec();
        bytes.extend(length.wrapping_add(self.length_error).to_be_bytes());
        bytes.extend((-1_i32).to_be_bytes()); // partition leader epoch
        bytes.extend(self.magic.to_be_bytes());
        bytes.extend(crc.to_be_bytes());
        bytes.extend(body);
        bytes
    }
}

/// Zigzag, seven bits a byte, the low ones first.
fn varint(bytes: &mut Vec<u8>, value: i64) {
    let mut rest = (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned();
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
        rest >>= 7;
    }
    bytes.push(u8::try_from(rest).unwrap_or_default());
}

/// The whole batches at the front of `bytes`, field by field.
pub(crate) fn read(mut bytes: &[u8]) -> Value {
    let mut batches = Vec::new();
    while let Some(header) = bytes.get(..HEADER_SIZE) {
        let number = |at: usize, size: usize| {
            let sign = if header[at] & 0x80 == 0 { 0 } else { -1_i64 };
            header[at..at + size]
                .iter()
                .fold(sign, |value, byte| (value << 8) | i64::from(*byte))
        };
        let size = usize::try_from(number(8, 4)).map_or(usize::MAX, |length| length + LENGTH_END);
        let Some(batch) = bytes.get(..size) else {
            break;
        };
        let crc = u32::from_be_bytes([batch[17], batch[18], batch[19], batch[20]]);
        let is_control = number(21, 2) & CONTROL != 0;
        let time = |at| match is_control {
            true => json!("(a time)"),
            false => json!(number(at, 8)),
        };
        batches.push(json!({
            "base_offset": number(0, 8),
            "magic": number(16, 1),
            "crc_is_right": crc32c::crc32c(&batch[CRC_END..]) == crc,
            "attributes": number(21, 2),
            "last_offset_delta": number(23, 4),
            "base_timestamp": time(27),
            "max_timestamp": time(35),
            "producer_id": number(43, 8),
            "producer_epoch": number(51, 2),
            "base_sequence": number(53, 4),
            "count": number(57, 4),
            "records": hex(&batch[HEADER_SIZE..]),
        }));
        bytes = &bytes[size..];
    }
    Value::Array(batches)
}
