//! Transactional ids are written to the partition, in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use broker::validate_produced;
use message_model::Offset;
use record_batch::{BatchBuilder, RecordToSend};
use wire_protocol::Records;

use crate::part::State;
use crate::records::Stored;
use crate::shard::Shard;
use crate::state::Storing;

/// The most bytes of a record beside its key and value: attributes, the deltas, the lengths.
const RECORD_OVERHEAD_MAX: usize = 1 + 10 + 5 + 4 * 5;

/// Why nothing is stored; the log of the broker says more.
#[derive(Debug, Clone, Copy)]
struct NotStored;

/// Whether it says that all markers are written. Nothing waits for that, or else the next
/// transaction would: its first store would come behind one more sync.
fn is_completion(storing: &Storing) -> bool {
    let state = storing.metadata.as_ref().map(|metadata| metadata.state);
    matches!(state, Some(State::CompleteCommit | State::CompleteAbort))
}

impl Shard {
    /// Stores what is to be stored until nothing is left, and reports it. What is asked for
    /// during a sync is appended together, and shares the next one. For what nothing waits for
    /// there is no sync: the next one has it on disk too, or a clean stop.
    // ANCHOR: store
    pub(crate) async fn store_all(self: Arc<Self>) {
        loop {
            let mut left = {
                let mut state = self.state();
                if state.to_store.is_empty() {
                    state.is_storing = false;
                    return;
                }
                std::mem::take(&mut state.to_store)
            };
            let mut appended = Vec::new();
            while !left.is_empty() {
                appended.push(self.append_some(&mut left).await);
            }
            for (storings, end) in appended {
                let is_stored = match end {
                    Ok(_) if storings.iter().all(is_completion) => true,
                    Ok(end) => self.durable(end).await,
                    Err(NotStored) => false,
                };
                self.stored(&storings, is_stored);
            }
        }
    }
    // ANCHOR_END: store

    /// Reports what was appended together. If it is not stored, the log has one line of that,
    /// for each of many transactions may be tried again for as long as the disk is full.
    fn stored(self: &Arc<Self>, storings: &[Storing], is_stored: bool) {
        if let (false, Some(first)) = (is_stored, storings.first()) {
            let (count, id) = (storings.len(), &first.asker.id);
            tracing::error!("{count} transactional ids are not stored, the first is {id:?}");
        }
        for storing in storings {
            self.report(&storing.asker, |transactions, now| {
                transactions.stored(now, storing.work, is_stored)
            });
        }
    }

    /// Appends as many from the front of `left` as one batch holds. Returns them, and the
    /// end of the log behind them.
    async fn append_some(
        &self,
        left: &mut VecDeque<Storing>,
    ) -> (Vec<Storing>, Result<Offset, NotStored>) {
        let now = self.common.broker.services.clock.wall();
        let size_max = self.partition.settings().log.batch_size_max;
        let mut batch = BatchBuilder::new();
        let mut some: Vec<Storing> = Vec::new();
        while let Some(storing) = left.pop_front() {
            let record = Stored {
                id: Arc::clone(&storing.asker.id),
                metadata: storing.metadata.clone(),
            };
            let (key, value) = record.encode();
            let size = key.len() + value.as_ref().map_or(0, Vec::len) + RECORD_OVERHEAD_MAX;
            if batch.size() + size > size_max {
                if some.is_empty() {
                    let id = &storing.asker.id;
                    tracing::error!("the transactional id {id:?} is too large to be stored");
                    return (vec![storing], Err(NotStored));
                }
                left.push_front(storing);
                break;
            }
            batch.push(&RecordToSend {
                timestamp: now,
                key: Some(&key),
                value: value.as_deref(),
                headers: Vec::new(),
            });
            some.push(storing);
        }
        let end = self.append(batch.build()).await;
        (some, end)
    }

    async fn append(&self, batch: Vec<u8>) -> Result<Offset, NotStored> {
        let now = self.common.broker.services.clock.wall();
        let records = Records::from_bytes(batch);
        let produced = validate_produced(now, &self.partition.settings(), None, records);
        let appended = match produced {
            Ok(produced) => self.partition.append(now, produced).await,
            Err(error) => Err(error),
        };
        match appended {
            Ok(appended) => Ok(appended.range.end),
            Err(error) => {
                tracing::error!("cannot append to {}: {error}", self.partition.name());
                Err(NotStored)
            }
        }
    }

    /// Returns whether the log is on disk up to `end`; `false` if that takes too long.
    async fn durable(&self, end: Offset) -> bool {
        let now = self.common.broker.services.clock.now();
        let deadline = now.plus(self.common.settings.write_timeout);
        let durable = self.partition.durable(end, deadline).await;
        if let Err(error) = &durable {
            tracing::error!("{} is not on disk: {error}", self.partition.name());
        }
        durable.is_ok()
    }
}
