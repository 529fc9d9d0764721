//! Reading a partition of `__transaction_state` at the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::Error;
use futures_util::future::join_all;
use message_model::Offset;
use record_batch::{BatchError, BatchHeader, decode_records};

use crate::entry::Entry;
use crate::part::{TransactionMetadata, Transactions};
use crate::records::Stored;
use crate::shard::Shard;
use crate::state::{Serving, State};

/// The last that was stored of each transactional id.
type Found = BTreeMap<Arc<str>, TransactionMetadata>;

impl Shard {
    /// Reads the partition, if that is still to be done, and serves it from then on. If it
    /// cannot be read, its transactional ids are not served, and the log says why.
    pub(crate) async fn load(self: Arc<Self>) {
        if self.state().serving != Serving::Loading {
            return;
        }
        match self.replay().await {
            Ok(found) => self.restore(found).await,
            Err(error) => {
                let name = self.partition.name();
                tracing::error!("{name} cannot be read, its transactions are not served: {error}");
                self.state().serving = Serving::No;
            }
        }
    }

    async fn replay(&self) -> Result<Found, Error> {
        let mut found = Found::new();
        let take = |from, header: &BatchHeader, batch: &[u8]| {
            self.replay_batch(&mut found, from, header, batch)
        };
        self.partition.read_all(take).await?;
        Ok(found)
    }

    fn replay_batch(
        &self,
        found: &mut Found,
        from: Offset,
        header: &BatchHeader,
        batch: &[u8],
    ) -> Result<(), BatchError> {
        if header.is_control() {
            return Ok(());
        }
        for record in decode_records(batch)? {
            let offset = header.offset_of(&record);
            if offset < from {
                continue;
            }
            match Stored::decode(record.key, record.value) {
                Ok(Stored { id, metadata }) => match metadata {
                    Some(metadata) => drop(found.insert(id, metadata)),
                    None => drop(found.remove(&id)),
                },
                // One record that cannot be read is no reason to forget all others.
                Err(error) => {
                    let name = self.partition.name();
                    tracing::error!("{name}: the record at offset {offset} is skipped: {error}");
                }
            }
        }
        Ok(())
    }

    /// Puts what was read into the shard, which serves from now on. The partitions know of open
    /// transactions when this completes; markers that are missing come later.
    async fn restore(self: &Arc<Self>, found: Found) {
        let common = &self.common;
        let mut state = State::new(Serving::Yes);
        let mut effects_of = Vec::new();
        for (id, metadata) in found {
            let settings = Arc::clone(&common.of_transactions);
            let (transactions, effects) = Transactions::restore(common.now(), settings, metadata);
            let entry = Entry::new(common, transactions);
            state.ids.insert(Arc::clone(&id), entry);
            effects_of.push((id, effects));
        }
        let mut todos = Vec::new();
        for (id, effects) in effects_of {
            todos.push(state.settle(self.index, &id, effects));
        }
        {
            let mut there = self.state();
            // A stop came first, and is not to be undone.
            if there.serving == Serving::Loading {
                *there = state;
            }
        }
        let mut beginnings = Vec::new();
        for mut todo in todos {
            let begin = std::mem::take(&mut todo.beginnings).into_iter();
            beginnings.extend(begin.map(|one| Arc::clone(self).begin(one)));
            self.carry_out(todo);
        }
        join_all(beginnings).await;
    }
}
