//! What time ends.

use std::mem::take;

use crate::effect::Effect;
use crate::metadata::State;
use crate::nouns::Now;
use crate::transactions::Transactions;
use crate::work::Change;

impl Transactions {
    /// Does what is due at `now`. Afterwards [`next_deadline`](Transactions::next_deadline) is
    /// later than `now`.
    ///
    /// - An EndTxn that has waited for `answer_timeout` is answered: it is decided how the
    ///   transaction ends, and the markers come later.
    /// - A transaction that was open for too long is aborted, and its producer is fenced.
    /// - Markers that have failed are written again.
    /// - A transactional id that nobody has used for too long is deleted.
    pub fn expire(&mut self, now: Now) -> Vec<Effect> {
        // task 20.3: what time ends: an answer's wait, a transaction, a backoff, an id
        todo!("20.3: what time ends: an answer's wait, a transaction, a backoff, an id")
        // end
    }
}
