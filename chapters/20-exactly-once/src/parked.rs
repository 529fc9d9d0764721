//! A call that waits for the disk, or for markers.

use std::sync::Arc;

use tokio::sync::oneshot;
use wire_protocol::ErrorCode;

use crate::part::{CallId, Instance, Refusal};
use crate::refusal::code_of;
use crate::shard::Shard;
use crate::state::Answer;

/// A call that a transactional id has taken.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) shard: Arc<Shard>,
    pub(crate) call: CallId,
    pub(crate) answer: oneshot::Receiver<Answer>,
}

impl Parked {
    /// Returns the answer when it is there. `fenced` is the code for [`Refusal::Fenced`],
    /// which is another one in old versions.
    ///
    /// # Errors
    /// The code of the refusal; 16 if the coordinator stops.
    pub(crate) async fn answer(mut self, fenced: ErrorCode) -> Result<Instance, ErrorCode> {
        match (&mut self.answer).await {
            Ok(Ok(instance)) => Ok(instance),
            Ok(Err(Refusal::Fenced)) => Err(fenced),
            Ok(Err(refusal)) => Err(code_of(refusal)),
            Err(_) => Err(ErrorCode::NOT_COORDINATOR),
        }
    }
}

impl Drop for Parked {
    /// The client may be gone. The transaction goes on, but nobody waits for the answer.
    fn drop(&mut self) {
        self.shard.state().callers.remove(&self.call);
    }
}
