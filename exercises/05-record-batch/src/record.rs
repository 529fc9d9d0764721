//! One record in a batch.
//!
//! # On the wire
//! length varint, not counting itself | attributes `i8` (unused) | timestamp
//! delta varlong | offset delta varint | key length varint (-1: null), key |
//! value length varint (-1: null), value | header count varint | per header:
//! key length varint, key | value length varint (-1: null), value

use wire_protocol::{Malformed, Reader, put};

use crate::error::BatchError;
use crate::header::{BatchHeader, Codec};
use crate::layout;

/// A record, pointing into the batch that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its timestamp relative to the batch's base timestamp, in milliseconds.
    pub timestamp_delta: i64,
    /// Its offset relative to the batch's base offset.
    pub offset_delta: i32,
    /// What it is about; decides the partition, and what compaction keeps.
    pub key: Option<&'a [u8]>,
    /// What it says; null deletes the key in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Anything else.
    pub headers: Vec<Header<'a>>,
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name; may occur more than once.
    pub key: &'a str,
    /// Its value.
    pub value: Option<&'a [u8]>,
}

// ANCHOR: encode
/// Appends `record` to `out`, its length in front.
///
/// # Panics
/// When the record is 2 GiB or longer.
pub fn encode_record(out: &mut Vec<u8>, record: &Record<'_>) {
    let mut body = vec![0];
    put::varlong(&mut body, record.timestamp_delta);
    put::varint(&mut body, record.offset_delta);
    put_bytes(&mut body, record.key);
    put_bytes(&mut body, record.value);
    put_length(&mut body, Some(record.headers.len()));
    for header in &record.headers {
        put_bytes(&mut body, Some(header.key.as_bytes()));
        put_bytes(&mut body, header.value);
    }
    put_bytes(out, Some(&body));
}
// ANCHOR_END: encode

fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    put_length(out, bytes.map(<[u8]>::len));
    out.extend_from_slice(bytes.unwrap_or_default());
}

fn put_length(out: &mut Vec<u8>, length: Option<usize>) {
    let length = length.map_or(-1, |length| {
        i32::try_from(length).expect("a part of a record is below 2 GiB")
    });
    put::varint(out, length);
}

/// Reads the next record.
///
/// # Errors
/// A [`Malformed`]: `Truncated` when the record or one of its fields is cut off,
/// `UnexpectedNull` when the record or a header's name is null, `NegativeLength`
/// for a header count below 0, `NotUtf8` for a header's name that is not UTF-8.
/// [`BatchError::RecordLength`] when bytes of the record are left over.
pub fn decode_record<'a>(input: &mut Reader<'a>) -> Result<Record<'a>, BatchError> {
    // task 5.2: read a record's fields, and believe no length before it is checked
    todo!("5.2: read a record's fields, and believe no length before it is checked")
    // end
}

/// Bytes with a varint length in front; -1 is null.
#[inline]
pub(crate) fn take_bytes<'a>(input: &mut Reader<'a>) -> Result<Option<&'a [u8]>, BatchError> {
    match input.varint()? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| Malformed::NegativeLength)?;
            Ok(Some(input.take(length)?))
        }
    }
}

/// The records of a whole, uncompressed batch.
///
/// # Errors
/// [`BatchError::Compressed`] when they must be decompressed first, or as
/// [`decode_record`]; also when the batch holds more or fewer than it says.
/// The CRC is [`validate`](crate::validate)'s to check.
pub fn decode_records(batch: &[u8]) -> Result<Vec<Record<'_>>, BatchError> {
    let header = BatchHeader::read(batch)?;
    match header.codec()? {
        Codec::None => {}
        codec => return Err(BatchError::Compressed(codec)),
    }
    let size = header.size();
    let batch = batch.get(..size).ok_or(BatchError::Truncated {
        needed: size,
        arrived: batch.len(),
    })?;
    let count = u32::try_from(header.record_count).map_err(|_| Malformed::NegativeLength)?;
    let mut input = Reader::new(&batch[layout::RECORDS..]);
    // Not sized by `count`: the records that are there decide.
    let mut records = Vec::new();
    for _ in 0..count {
        records.push(decode_record(&mut input)?);
    }
    if input.remaining() != 0 {
        return Err(BatchError::RecordLength);
    }
    Ok(records)
}
