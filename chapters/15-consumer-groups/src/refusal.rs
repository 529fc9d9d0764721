//! The codes of the protocol for what a group refuses.

use wire_protocol::ErrorCode;

use crate::part::Refusal;

/// Returns the code for `refusal`.
pub(crate) fn code_of(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::NotAvailable => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        Refusal::IllegalGeneration => ErrorCode::ILLEGAL_GENERATION,
        Refusal::InconsistentProtocol => ErrorCode::INCONSISTENT_GROUP_PROTOCOL,
        Refusal::UnknownMember => ErrorCode::UNKNOWN_MEMBER_ID,
        Refusal::InvalidSessionTimeout => ErrorCode::INVALID_SESSION_TIMEOUT,
        Refusal::RebalanceInProgress => ErrorCode::REBALANCE_IN_PROGRESS,
        Refusal::NonEmptyGroup => ErrorCode::NON_EMPTY_GROUP,
        Refusal::GroupNotFound => ErrorCode::GROUP_ID_NOT_FOUND,
        Refusal::MemberIdRequired => ErrorCode::MEMBER_ID_REQUIRED,
        Refusal::GroupFull => ErrorCode::GROUP_MAX_SIZE_REACHED,
        Refusal::FencedInstance => ErrorCode::FENCED_INSTANCE_ID,
    }
}
