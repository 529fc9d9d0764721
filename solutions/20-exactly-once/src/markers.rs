//! Markers say in each partition how a transaction has ended; then it is complete.

use std::mem::take;

use message_model::TopicPartition;

use crate::effect::Effect;
use crate::metadata::State;
use crate::nouns::Now;
use crate::transactions::Transactions;

impl Transactions {
    /// Asks for a marker in every partition that still needs one. Without any the transaction
    /// is complete.
    pub(crate) fn write_markers(&mut self, now: Now) {
        let partitions: Vec<_> = self.current.partitions.iter().cloned().collect();
        match partitions.is_empty() {
            true => self.complete(now),
            false => self.write_markers_to(partitions),
        }
    }

    pub(crate) fn write_markers_to(&mut self, partitions: Vec<TopicPartition>) {
        let Some(outcome) = self.current.state.outcome() else {
            return;
        };
        self.effects.push(Effect::WriteMarkers {
            producer: self.current.producer,
            outcome,
            partitions,
        });
    }

    /// The marker in `partition` is on disk, or is not needed because there is no such
    /// partition; or it could not be written, if `is_marked` is false.
    ///
    /// - A partition that has its marker needs none any more. When none needs one, the
    ///   transaction is complete.
    /// - A marker that has failed is written again after the backoff, with all that have failed
    ///   until then. What fails meanwhile does not make the wait longer.
    pub fn marked(&mut self, now: Now, partition: &TopicPartition, is_marked: bool) -> Vec<Effect> {
        // task 20.3: a transaction is complete when every partition has its marker
        if !self.current.state.is_prepare() || !self.current.partitions.contains(partition) {
            return Vec::new();
        }
        if is_marked {
            self.failed.remove(partition);
            self.current.partitions.remove(partition);
            if self.current.partitions.is_empty() {
                self.complete(now);
            }
        } else {
            self.failed.insert(partition.clone());
            let again = now.moment.plus(self.settings.retry_backoff);
            self.due.get_or_insert(again);
        }
        take(&mut self.effects)
        // end
    }

    /// The transaction is complete. That is stored, but nothing waits for it: after a crash the
    /// markers are written again, and do no harm. The EndTxn that waits is answered.
    fn complete(&mut self, now: Now) {
        // task 20.3: the transaction is complete, and its producer hears of it
        let Some(outcome) = self.current.state.outcome() else {
            return;
        };
        let mut next = self.current.clone();
        next.state = State::complete(outcome);
        next.updated = now.wall;
        let work = self.next_work();
        let metadata = Some(next.clone());
        self.effects.push(Effect::Store { work, metadata });
        self.enter(now, next);
        let ending = self.ending.take();
        self.answer(ending.map(|ending| ending.call), Ok(self.current.producer));
        // end
    }
}
