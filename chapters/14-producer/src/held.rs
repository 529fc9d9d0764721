//! A batch that the sender has, until its outcome is known.

use std::sync::Arc;

use bytes::Bytes;
use message_model::{Moment, Timestamp};
use record_batch::{BatchHeader, Codec, decode_records};

use crate::batch_buffer::{BatchBuffer, ExtraHeaders, Make, renumbered};
use crate::delivery::BatchOutcome;
use crate::part::{BatchId, Number, Slot};
use crate::record::Record;

/// The largest batch that is opened to be cut, in bytes of records.
const OPEN_MAX: usize = 1 << 30;

/// A batch that the sender has.
pub(crate) struct Held {
    pub(crate) contents: Contents,
    pub(crate) outcome: Arc<BatchOutcome>,
    /// Which record of the outcome is the first one here, and how many there are.
    pub(crate) first: u32,
    pub(crate) count: u32,
}

/// The bytes of a batch.
pub(crate) enum Contents {
    /// Not sent yet.
    Fresh(BatchBuffer),
    /// As they were sent, with this number.
    Sealed(Bytes, Option<Number>),
    /// With the attempt that is in flight.
    OnTheWay,
}

/// An attempt to send a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing {
    pub(crate) batch: BatchId,
    pub(crate) slot: Slot,
    pub(crate) attempt: u32,
    pub(crate) number: Option<Number>,
    pub(crate) deliver_by: Moment,
}

impl Held {
    pub(crate) fn new(buffer: BatchBuffer, outcome: Arc<BatchOutcome>) -> Held {
        Held {
            outcome,
            first: 0,
            count: buffer.count(),
            contents: Contents::Fresh(buffer),
        }
    }

    /// Two batches, the first with so many of the records.
    pub(crate) fn split(self, records: u32) -> [Held; 2] {
        let Contents::Sealed(bytes, _) = self.contents else {
            unreachable!("a batch is cut after an answer, when its bytes are back");
        };
        let [head, tail] = cut(&bytes, records).map(Contents::Fresh);
        let part = |contents, first, count| Held {
            contents,
            outcome: Arc::clone(&self.outcome),
            first,
            count,
        };
        [
            part(head, self.first, records),
            part(tail, self.first + records, self.count - records),
        ]
    }
}

impl Contents {
    /// The batch with this number in its header; `None` if it is on the way already.
    pub(crate) fn seal(self, number: Option<Number>, make: Make) -> Option<Bytes> {
        match self {
            Contents::Fresh(buffer) => Some(buffer.seal(number, make)),
            Contents::Sealed(bytes, same) if same == number => Some(bytes),
            Contents::Sealed(bytes, _) => Some(renumbered(&bytes, number)),
            Contents::OnTheWay => None,
        }
    }
}

/// The records of a batch that this producer made, in two batches.
fn cut(batch: &[u8], records: u32) -> [BatchBuffer; 2] {
    let header = BatchHeader::read(batch).expect("the producer made it");
    let opened = match header.codec() {
        Ok(Codec::None) => batch.to_vec(),
        _ => compression::open_batch(&header, batch, OPEN_MAX).expect("the producer made it"),
    };
    let all = decode_records(&opened).expect("the producer made it");
    let mut parts = [(); 2].map(|()| BatchBuffer::new(Vec::new()));
    let head = usize::try_from(records).unwrap_or(usize::MAX);
    for (place, record) in all.iter().enumerate() {
        let timestamp = Timestamp(header.base_timestamp.0.wrapping_add(record.timestamp_delta));
        let part = &mut parts[usize::from(place >= head)];
        let record = Record {
            key: record.key,
            value: record.value,
            headers: &record.headers,
            ..Record::default()
        };
        part.push(timestamp, &record, &ExtraHeaders::default());
    }
    parts
}
