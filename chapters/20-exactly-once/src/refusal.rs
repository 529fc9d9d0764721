//! The codes of the protocol for what a transactional id refuses.

use wire_protocol::ErrorCode;

use crate::part::Refusal;

/// Returns the code for `refusal`, in a version that has a code of its own for a producer that
/// is fenced.
pub(crate) fn code_of(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::NotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        Refusal::TooManyPartitions => ErrorCode::POLICY_VIOLATION,
        Refusal::InvalidTransactionState => ErrorCode::INVALID_TXN_STATE,
        Refusal::InvalidProducerIdMapping => ErrorCode::INVALID_PRODUCER_ID_MAPPING,
        Refusal::InvalidTransactionTimeout => ErrorCode::INVALID_TRANSACTION_TIMEOUT,
        Refusal::ConcurrentTransactions => ErrorCode::CONCURRENT_TRANSACTIONS,
        Refusal::Fenced => ErrorCode::PRODUCER_FENCED,
    }
}

/// Returns the code for a fenced producer, which is PRODUCER_FENCED from version `since` on.
pub(crate) fn fenced(version: i16, since: i16) -> ErrorCode {
    match version >= since {
        true => ErrorCode::PRODUCER_FENCED,
        false => ErrorCode::INVALID_PRODUCER_EPOCH,
    }
}
