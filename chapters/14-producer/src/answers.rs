//! What a broker's answer means for a batch.

use client::Error;
use message_model::Offset;
use networking::CallError;
use wire_protocol::ErrorCode;
use wire_protocol::message::ProducePartitionResponse;

use crate::part::Answer;

/// What the answer about a partition says.
pub(crate) fn of_partition(partition: &ProducePartitionResponse) -> Answer {
    let code = partition.error_code;
    match code.0 {
        0 => {
            let offset = Offset(partition.base_offset);
            Answer::Appended((offset >= Offset::ZERO).then_some(offset))
        }
        // DUPLICATE_SEQUENCE_NUMBER.
        46 => Answer::Appended(None),
        // OUT_OF_ORDER_SEQUENCE_NUMBER.
        45 => Answer::OutOfOrder,
        // MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE.
        10 | 18 => Answer::TooLarge,
        // The broker has written it, and does not know whether that will last:
        // REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS_AFTER_APPEND, KAFKA_STORAGE_ERROR.
        7 | 20 | 56 => Answer::Lost,
        // CLUSTER_AUTHORIZATION_FAILED, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID,
        // PRODUCER_FENCED.
        31 | 47 | 59 | 90 => Answer::Fatal(code),
        // NETWORK_EXCEPTION, NOT_ENOUGH_REPLICAS, THROTTLING_QUOTA_EXCEEDED.
        13 | 19 | 89 => Answer::NotNow(code),
        _ if code.is_retriable() => Answer::NotNow(code),
        _ => Answer::Refused(code),
    }
}

/// What it means that a call has no answer.
pub(crate) fn of_error(error: &Error) -> Answer {
    match error {
        // It was never sent.
        Error::Dial { .. }
        | Error::NoLeader(_)
        | Error::UnknownBroker(_)
        | Error::Call(CallError::Refused) => Answer::NotNow(ErrorCode::LEADER_NOT_AVAILABLE),
        Error::Throttled => Answer::NotNow(ErrorCode::THROTTLING_QUOTA_EXCEEDED),
        Error::UnsupportedApi(_) => Answer::Refused(ErrorCode::UNSUPPORTED_VERSION),
        Error::Broker(code) if code.is_retriable() => Answer::NotNow(*code),
        Error::Broker(code) => Answer::Refused(*code),
        Error::Bootstrap(_) | Error::Call(_) | Error::Malformed(_) | Error::Incomplete => {
            Answer::Lost
        }
    }
}
