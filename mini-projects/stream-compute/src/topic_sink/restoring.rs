//! What a checkpoint says is prepared, when the job begins from it.

use stream_engine::Restored;

use super::{State, TopicWriter};
use crate::error::Error;
use crate::transactions::{Fate, Named};

impl TopicWriter {
    /// Commits what the checkpoint has, and keeps its ids from being used; or finds that all of it
    /// is aborted. Of several transactions none is committed before it is known that none is
    /// aborted.
    pub(super) async fn restore_rows(&mut self, named: Vec<Named>) -> Result<Restored, Error> {
        for id in self.own_ids() {
            // No checkpoint names it, so it may be taken. If another instance has it, that is the
            // reason to say.
            if self.ids.is(&id, State::Free) {
                self.add_slot(&id).await?;
            }
        }
        let mut fates = Vec::new();
        for one in &named {
            let calls = self.calls().await?;
            let waiting = &self.address.waiting;
            fates.push(waiting.until("sink", calls.fate(one)).await??);
        }
        if fates.contains(&Fate::Aborted) {
            return self.abort(&named, &fates).await;
        }
        for (one, fate) in named.iter().zip(fates) {
            let fenced = match fate {
                // Since then it was aborted: the next run asks again.
                Fate::Open => Error::Aborted,
                _ => Error::Lost,
            };
            self.end((one, true), fenced(self.rows.topic.clone()))
                .await?;
            self.ids.hold(&one.id);
        }
        Ok(Restored::Committed)
    }

    /// One of the transactions is aborted, so all that are open are aborted too: a commit of the
    /// last run may still be on its way.
    async fn abort(&mut self, named: &[Named], fates: &[Fate]) -> Result<Restored, Error> {
        let may_be_seen = |fate: &Fate| matches!(fate, Fate::Committed | Fate::Unknown);
        if fates.iter().any(may_be_seen) {
            return Err(Error::Lost(self.rows.topic.clone()));
        }
        let all = named.iter().zip(fates);
        for (one, _) in all.filter(|(_, fate)| **fate == Fate::Open) {
            // If it has ended since, the next run asks again.
            self.end((one, false), Error::Aborted(self.rows.topic.clone()))
                .await?;
        }
        self.address.waiting.report.line(format_args!(
            "queue sink: the rows of the last checkpoint were aborted, because they waited longer than --transaction-timeout; goes back to the checkpoint before, and writes them again"
        ))?;
        Ok(Restored::Aborted)
    }
}
