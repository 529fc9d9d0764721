//! The header of a batch, read and not judged.

use message_model::{LeaderEpoch, Offset, OffsetRange, ProducerEpoch, ProducerId, Timestamp};
use wire_protocol::{Malformed, Reader};

use crate::error::BatchError;
use crate::layout;
use crate::record::Record;

/// How the records of a batch are compressed: bits 0 to 2 of the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// snappy, in xerial's framing.
    Snappy,
    /// The LZ4 frame format.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// Whether the producer or the broker set the timestamps: bit 3 of the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// The producer.
    CreateTime,
    /// The broker.
    LogAppendTime,
}

const CODEC_MASK: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
const HAS_DELETE_HORIZON: i16 = 1 << 6;

/// The fields in front of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// The offset of the first record.
    pub base_offset: Offset,
    /// How many bytes follow the length field.
    pub batch_length: i32,
    /// The leader's epoch when the batch was appended.
    pub leader_epoch: LeaderEpoch,
    /// The format's version.
    pub magic: i8,
    /// CRC-32C from the attributes on.
    pub crc: u32,
    /// Codec, timestamp type, transactional, control, delete horizon; see the methods.
    pub attributes: i16,
    /// The last record's offset relative to the base offset.
    pub last_offset_delta: i32,
    /// What the records' timestamps are relative to: the first record's timestamp, or a
    /// [`delete_horizon`](BatchHeader::delete_horizon).
    pub base_timestamp: Timestamp,
    /// The largest timestamp of a record.
    pub max_timestamp: Timestamp,
    /// The producer; [`ProducerId::NONE`] without idempotence.
    pub producer_id: ProducerId,
    /// Which instance of the producer.
    pub producer_epoch: ProducerEpoch,
    /// The first record's sequence number; -1 without idempotence.
    pub base_sequence: i32,
    /// How many records there are.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, and checks only what is needed
    /// to find the end of the batch: length and magic.
    ///
    /// The magic byte comes first: it has the same place in every version of the
    /// format, and a message of version 0 or 1 may be shorter than our header.
    ///
    /// # Errors
    /// [`BatchError::Magic`] and [`BatchError::LengthTooSmall`] when it is not a batch,
    /// [`BatchError::Truncated`] when fewer than [`layout::RECORDS`] bytes are there.
    // ANCHOR: read
    pub fn read(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        match bytes.get(layout::MAGIC).map(|byte| byte.cast_signed()) {
            Some(layout::MAGIC_V2) | None => {}
            Some(other) => return Err(BatchError::Magic(other)),
        }
        let header = read_fields(&mut Reader::new(bytes)).map_err(|_| BatchError::Truncated {
            needed: layout::RECORDS,
            arrived: bytes.len(),
        })?;
        match usize::try_from(header.batch_length) {
            Ok(length) if length >= layout::RECORDS - layout::LENGTH_OVERHEAD => Ok(header),
            _ => Err(BatchError::LengthTooSmall(header.batch_length)),
        }
    }
    // ANCHOR_END: read

    /// The size of the whole batch, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::try_from(self.batch_length).unwrap_or(0) + layout::LENGTH_OVERHEAD
    }

    /// The offsets of its records, saturating at the largest offset if the header lies.
    #[must_use]
    pub fn range(&self) -> OffsetRange {
        let count = i64::from(self.last_offset_delta) + 1;
        OffsetRange {
            start: self.base_offset,
            end: Offset(self.base_offset.0.saturating_add(count)),
        }
    }

    /// The offset of a record of this batch; saturates if the record lies.
    #[must_use]
    pub fn offset_of(&self, record: &Record<'_>) -> Offset {
        Offset(
            self.base_offset
                .0
                .saturating_add(record.offset_delta.into()),
        )
    }

    /// When a record of this batch happened, or, if the broker sets the times,
    /// when the batch was appended; saturates if the record lies.
    #[must_use]
    pub fn timestamp_of(&self, record: &Record<'_>) -> Timestamp {
        match self.timestamp_type() {
            TimestampType::LogAppendTime => self.max_timestamp,
            TimestampType::CreateTime => {
                let base = self.base_timestamp.0;
                Timestamp(base.saturating_add(record.timestamp_delta))
            }
        }
    }

    /// The timestamp of the newest record, as far as the header knows: the larger one of
    /// base and maximum. Some clients never set the maximum and leave it at -1.
    /// [`walk`](crate::walk) finds the true one. A delete horizon is no record's timestamp.
    #[must_use]
    pub fn newest(&self) -> Timestamp {
        match self.delete_horizon() {
            Some(_) => self.max_timestamp,
            None => self.max_timestamp.max(self.base_timestamp),
        }
    }

    /// From when on compaction removes the batch's records without a value; `None` until
    /// compaction has set it. It is where the base timestamp else is.
    #[must_use]
    pub fn delete_horizon(&self) -> Option<Timestamp> {
        let is_set = self.attributes & HAS_DELETE_HORIZON != 0;
        is_set.then_some(self.base_timestamp)
    }

    /// How the records are compressed.
    ///
    /// # Errors
    /// [`BatchError::UnknownCodec`] for the numbers 5 to 7.
    pub fn codec(&self) -> Result<Codec, BatchError> {
        match self.attributes & CODEC_MASK {
            0 => Ok(Codec::None),
            1 => Ok(Codec::Gzip),
            2 => Ok(Codec::Snappy),
            3 => Ok(Codec::Lz4),
            4 => Ok(Codec::Zstd),
            unknown => Err(BatchError::UnknownCodec(unknown.to_be_bytes()[1])),
        }
    }

    /// Whether the producer or the broker set the timestamps.
    #[must_use]
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Whether it belongs to a transaction.
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether it is a marker of the transaction coordinator, not data.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }
}

fn read_fields(reader: &mut Reader<'_>) -> Result<BatchHeader, Malformed> {
    Ok(BatchHeader {
        base_offset: Offset(reader.i64()?),
        batch_length: reader.i32()?,
        leader_epoch: LeaderEpoch(reader.i32()?),
        magic: reader.i8()?,
        crc: reader.u32()?,
        attributes: reader.i16()?,
        last_offset_delta: reader.i32()?,
        base_timestamp: Timestamp(reader.i64()?),
        max_timestamp: Timestamp(reader.i64()?),
        producer_id: ProducerId(reader.i64()?),
        producer_epoch: ProducerEpoch(reader.i16()?),
        base_sequence: reader.i32()?,
        record_count: reader.i32()?,
    })
}
