//! What a producer may append.

use bytes::BytesMut;
use message_model::Timestamp;
use record_batch::{
    BatchHeader, Codec, TimestampType, check_from_producer, mend_max_timestamp, validate, walk,
};
use wire_protocol::{ErrorCode, Records};

use crate::error::Error;
use crate::topic_settings::TopicSettings;

/// A batch that may be appended, and its header, which is read once.
#[derive(Debug)]
pub struct Produced {
    pub(crate) header: BatchHeader,
    pub(crate) batch: BytesMut,
}

/// Checks what a producer sent for one partition, and that nothing follows the batch.
///
/// An uncompressed batch is walked record by record: a batch that cannot be
/// read would stop the partition's consumers for ever.
///
/// # Errors
/// The first thing that is wrong, in Kafka's order.
pub fn validate_produced(
    now: Timestamp,
    settings: &TopicSettings,
    records: Records,
) -> Result<Produced, Error> {
    let mut batch = records.into_mut();
    if batch.is_empty() {
        return Err(Error::NotOneBatch);
    }
    let mut header = validate(&batch, settings.log.batch_size_max)?;
    if header.size() != batch.len() {
        return Err(Error::NotOneBatch);
    }
    check_from_producer(&header)?;
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return Err(Error::LogAppendTime);
    }
    // A compressed batch is opened from chapter 12 on; until then its header is believed.
    if header.codec()? == Codec::None {
        let max_timestamp = walk(&header, &batch)?.max_timestamp;
        mend_max_timestamp(&mut header, &mut batch, max_timestamp);
    }
    let ahead = header.newest().since(now);
    if ahead > settings.timestamp_after_max {
        return Err(Error::Rejected(ErrorCode::INVALID_TIMESTAMP));
    }
    Ok(Produced { header, batch })
}
