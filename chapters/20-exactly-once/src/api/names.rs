//! Names and instances from requests.

use message_model::{ProducerEpoch, ProducerId};
use wire_protocol::ErrorCode;

use crate::part::Instance;
use crate::records::ID_MAX;

/// The most transactional ids that are described at a time; the client asks again for the
/// rest. An answer is far longer than a name.
pub(super) const ANSWERED_MAX: usize = 10_000;

/// Checks a transactional id.
///
/// # Errors
/// `INVALID_REQUEST` if it is empty, or too long to be stored.
pub(super) fn check_id(id: &str) -> Result<(), ErrorCode> {
    match id.is_empty() || id.len() > ID_MAX {
        true => Err(ErrorCode::INVALID_REQUEST),
        false => Ok(()),
    }
}

/// Returns the instance that a request names.
pub(super) fn instance(id: i64, epoch: i16) -> Instance {
    Instance {
        id: ProducerId(id),
        epoch: ProducerEpoch(epoch),
    }
}
