//! Whether the records of a batch can be read.

use message_model::Timestamp;
use wire_protocol::{Malformed, Reader};

use crate::error::BatchError;
use crate::header::{BatchHeader, Codec};
use crate::layout;
use crate::record::take_bytes;

/// What the records of a batch say, whatever its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// The largest timestamp of a record.
    pub max_timestamp: Timestamp,
    /// The offset delta of the first record that has it.
    pub offset_delta: i32,
}

/// Reads over every record of an uncompressed batch, and keeps none of them: nothing is
/// allocated, and each byte is read once at most.
///
/// `header` is what [`validate`](crate::validate) returned, and `batch` is that batch
/// and nothing behind it. The records must be as many as the header says, have the offset
/// deltas 0, 1, 2 …, and end where the batch ends. Each must be a record as
/// [`decode_record`](crate::decode_record) reads it, except that the names of headers
/// may be any bytes: Kafka stores those too, so no UTF-8 is checked.
///
/// A record's timestamp is the base timestamp plus its delta, saturating.
///
/// # Errors
/// [`BatchError::Compressed`] when the records must be decompressed first. Else the
/// first thing that is wrong: what [`decode_record`](crate::decode_record) says of a
/// record, [`BatchError::OffsetDelta`] when the record is whole, and
/// [`BatchError::RecordLength`] for bytes behind the last one.
///
/// # Panics
/// When `batch` is shorter than a header.
pub fn walk(header: &BatchHeader, batch: &[u8]) -> Result<Walked, BatchError> {
    // task 5.4: see that every record can be read, and keep none
    match header.codec()? {
        Codec::None => {}
        codec => return Err(BatchError::Compressed(codec)),
    }
    let mut input = Reader::new(&batch[layout::RECORDS..]);
    let mut walked = Walked {
        max_timestamp: Timestamp(i64::MIN),
        offset_delta: 0,
    };
    for index in 0..header.record_count {
        let body = take_bytes(&mut input)?.ok_or(Malformed::UnexpectedNull)?;
        let mut body = Reader::new(body);
        let _attributes = body.i8()?;
        let timestamp = header.base_timestamp.0.saturating_add(body.varlong()?);
        let offset_delta = body.varint()?;
        let _key = take_bytes(&mut body)?;
        let _value = take_bytes(&mut body)?;
        let headers = u32::try_from(body.varint()?).map_err(|_| Malformed::NegativeLength)?;
        for _ in 0..headers {
            let _name = take_bytes(&mut body)?.ok_or(Malformed::UnexpectedNull)?;
            let _value = take_bytes(&mut body)?;
        }
        if body.remaining() != 0 {
            return Err(BatchError::RecordLength);
        }
        if offset_delta != index {
            return Err(BatchError::OffsetDelta {
                index,
                offset_delta,
            });
        }
        if timestamp > walked.max_timestamp.0 {
            walked = Walked {
                max_timestamp: Timestamp(timestamp),
                offset_delta,
            };
        }
    }
    if input.remaining() != 0 {
        return Err(BatchError::RecordLength);
    }
    Ok(walked)
    // end
}
