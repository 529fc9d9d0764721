//! What a producer may append.

use bytes::BytesMut;
use message_model::{ProducerEpoch, ProducerId, Timestamp};
use networking::Chunk;
use record_batch::{
    BatchHeader, Codec, EndTransaction, Opening, TimestampType, Walked, check_from_producer,
    mend_max_timestamp, validate, walk,
};
use wire_protocol::{ErrorCode, Records};

use super::keyless::keyless;
use crate::error::{Error, Unfit};
use crate::topic_settings::TopicSettings;

/// A batch that may be appended, and its header, which is read once.
#[derive(Debug)]
pub struct Produced {
    pub(crate) header: BatchHeader,
    pub(crate) batch: BytesMut,
    /// What it says if it is a marker.
    pub(crate) end: Option<EndTransaction>,
}

impl Produced {
    /// A batch that the broker has made itself, which may be of a producer and have no sequence number.
    ///
    /// # Errors
    /// When it is no batch.
    pub fn by_broker(batch: Vec<u8>) -> Result<Produced, Error> {
        Ok(Produced {
            header: validate(&batch, batch.len())?,
            batch: batch.as_slice().into(),
            end: None,
        })
    }

    /// The marker that ends a transaction of a producer.
    pub(crate) fn marker(
        now: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
        end: EndTransaction,
    ) -> Result<Produced, Error> {
        let produced = Produced::by_broker(end.batch(now, producer, epoch))?;
        let end = Some(end);
        Ok(Produced { end, ..produced })
    }
}

/// Checks what a producer sent for one partition, and that nothing follows the batch.
///
/// Its records are walked one by one: a batch that cannot be read would stop the
/// partition's consumers for ever. A compressed batch is opened for that, which takes
/// as long as its records are large. Without an opening its header is believed.
///
/// # Errors
/// The first thing that is wrong, in Kafka's order.
pub fn validate_produced(
    now: Timestamp,
    settings: &TopicSettings,
    opening: Option<Opening>,
    records: Records,
) -> Result<Produced, Error> {
    let mut batch = records.into_mut();
    if batch.is_empty() {
        return Err(Unfit::NotOneBatch.into());
    }
    let mut header = validate(&batch, settings.log.batch_size_max)?;
    if header.size() != batch.len() {
        return Err(Unfit::NotOneBatch.into());
    }
    check_from_producer(&header)?;
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return Err(Unfit::LogAppendTime.into());
    }
    let walked = match (header.codec()?, opening) {
        (Codec::None, _) => Some(walk_open(settings, &header, &batch)?),
        (_, Some(opening)) => {
            let open = opening.open(&header, &batch)?;
            Some(walk_open(settings, &BatchHeader::read(&open)?, &open)?)
        }
        (_, None) => None,
    };
    if let Some(walked) = walked {
        mend_max_timestamp(&mut header, &mut batch, walked.max_timestamp);
    }
    let ahead = header.newest().since(now);
    if ahead > settings.timestamp_after_max {
        return Err(Error::Rejected(ErrorCode::INVALID_TIMESTAMP));
    }
    Ok(Produced {
        header,
        batch,
        end: None,
    })
}

/// Walks the records of an open batch. Those of a compacted topic must have keys.
fn walk_open(
    settings: &TopicSettings,
    header: &BatchHeader,
    batch: &[u8],
) -> Result<Walked, Error> {
    let walked = walk(header, batch)?;
    if settings.log.cleanup.compact {
        let records = keyless(header, batch);
        if !records.is_empty() {
            return Err(Unfit::Keyless { records }.into());
        }
    }
    Ok(walked)
}

/// Whether checking `records` means to open a batch.
pub(crate) fn is_compressed(records: &Records) -> bool {
    match records.chunks.first() {
        Some(Chunk::Bytes(batch)) => BatchHeader::read(batch)
            .is_ok_and(|header| header.codec().is_ok_and(|codec| codec != Codec::None)),
        _ => false,
    }
}
