//! A call of a member that waits for others.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::part::{CallId, Effect};
use crate::shard::Shard;

/// A JoinGroup or a SyncGroup that a group has taken. The group hears of it when this is
/// dropped before the answer is there: the client is gone.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) shard: Arc<Shard>,
    pub(crate) group: String,
    pub(crate) call: CallId,
    pub(crate) answer: oneshot::Receiver<Effect>,
    pub(crate) is_answered: bool,
}

impl Parked {
    /// Returns the answer when it is there; `None` if the coordinator stops.
    pub(crate) async fn answer(mut self) -> Option<Effect> {
        let answer = (&mut self.answer).await;
        self.is_answered = true;
        answer.ok()
    }
}

// ANCHOR: gone
impl Drop for Parked {
    fn drop(&mut self) {
        if !self.is_answered {
            self.shard.gone(&self.group, self.call);
        }
    }
}
// ANCHOR_END: gone
