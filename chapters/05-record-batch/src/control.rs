//! How a transaction ends in a log: a control batch with one record, a *marker*.
//!
//! # On the wire
//! The attributes are transactional and control, nothing else. The record has
//! - a key: version `i16` 0 | type `i16`, 0 for abort and 1 for commit;
//! - a value: version `i16` 0 | epoch of the coordinator `i32`.
//!
//! A marker has an offset, as data has. Consumers read it and hand it to nobody.

use message_model::{ProducerEpoch, ProducerId, Timestamp};

use crate::part::{BatchBuilder, BatchError, RecordToSend, decode_records, layout, validate};

/// The attributes of a marker: transactional (bit 4) and control (bit 5).
const ATTRIBUTES: [u8; 2] = 0b11_0000_u16.to_be_bytes();
const ABORT: u8 = 0;
const COMMIT: u8 = 1;

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Marker {
    /// Consumers that read committed data skip its records.
    Abort,
    /// Its records are visible to all.
    Commit,
}

/// What the record of a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EndTransaction {
    /// How the transaction ended.
    pub marker: Marker,
    /// The epoch of the coordinator that ended it: one of an older epoch has been replaced.
    pub coordinator_epoch: i32,
}

/// Why a batch is no marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMarker {
    /// It is no whole batch, or its records cannot be read.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// It is data, or has another number of records than one.
    #[error("it is not a transactional control batch with one record")]
    Shape,
    /// Key and value are not those of a marker, or of a version that is not known.
    #[error("its record is not a marker of version 0")]
    Record,
}

impl EndTransaction {
    /// The batch that ends the transaction of `producer`, with base offset 0. It has no sequence
    /// number, because only data is numbered.
    // ANCHOR: batch
    #[must_use]
    pub fn batch(self, now: Timestamp, producer: ProducerId, epoch: ProducerEpoch) -> Vec<u8> {
        let kind = match self.marker {
            Marker::Abort => ABORT,
            Marker::Commit => COMMIT,
        };
        let mut value = vec![0, 0];
        value.extend_from_slice(&self.coordinator_epoch.to_be_bytes());
        let mut builder = BatchBuilder::new();
        builder.push(&RecordToSend {
            timestamp: now,
            key: Some(&[0, 0, 0, kind]),
            value: Some(&value),
            headers: vec![],
        });
        let mut batch = builder.build();
        batch[layout::ATTRIBUTES..layout::LAST_OFFSET_DELTA].copy_from_slice(&ATTRIBUTES);
        batch[layout::PRODUCER_ID..layout::PRODUCER_EPOCH]
            .copy_from_slice(&producer.0.to_be_bytes());
        batch[layout::PRODUCER_EPOCH..layout::BASE_SEQUENCE]
            .copy_from_slice(&epoch.0.to_be_bytes());
        let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
        batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
        batch
    }
    // ANCHOR_END: batch

    /// What the marker at the start of `bytes` says. Whose transaction it ends is in its header.
    ///
    /// # Errors
    /// [`NotMarker`], also when the CRC is wrong.
    pub fn read(bytes: &[u8]) -> Result<EndTransaction, NotMarker> {
        let header = validate(bytes, usize::MAX)?;
        let is_marker = header.is_control() && header.is_transactional();
        if !is_marker || header.record_count != 1 {
            return Err(NotMarker::Shape);
        }
        let records = decode_records(bytes)?;
        let record = records.first().ok_or(NotMarker::Shape)?;
        let marker = match record.key {
            Some([0, 0, 0, ABORT]) => Marker::Abort,
            Some([0, 0, 0, COMMIT]) => Marker::Commit,
            _ => return Err(NotMarker::Record),
        };
        match record.value {
            Some(&[0, 0, a, b, c, d]) => Ok(EndTransaction {
                marker,
                coordinator_epoch: i32::from_be_bytes([a, b, c, d]),
            }),
            _ => Err(NotMarker::Record),
        }
    }
}
