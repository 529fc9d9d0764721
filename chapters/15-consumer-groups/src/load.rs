//! Reading a partition of `__consumer_offsets` at the start.

use std::sync::Arc;

use broker::Error;
use message_model::Offset;
use record_batch::{BatchError, BatchHeader, EndTransaction, decode_records};
use wire_protocol::ErrorCode;

use crate::records::Stored;
use crate::replay::Replay;
use crate::shard::Shard;
use crate::state::Serving;
use crate::turn::{Batches as Appending, Turn};

impl Shard {
    /// Reads the partition, if that is still to be done, and serves it from then on. If it
    /// cannot be read, its groups are not served, and the log says why.
    pub(crate) async fn load(self: Arc<Self>) {
        if self.state().serving != Serving::Loading {
            return;
        }
        match self.replay().await {
            Ok(replay) => {
                // Nobody commits anything before what belongs to older topics is gone.
                let turn = self.any_turn().await;
                replay.finish(&self);
                if let Err(code) = self.forget_gone_topics(turn).await {
                    let name = self.partition.name();
                    tracing::warn!("{name} keeps offsets of topics that are gone: {code}");
                }
            }
            Err(error) => {
                let name = self.partition.name();
                tracing::error!("{name} cannot be read, its groups are not served: {error}");
                self.state().serving = Serving::No;
            }
        }
    }

    async fn replay(&self) -> Result<Replay, Error> {
        let mut replay = Replay::new();
        let take = |from, header: &BatchHeader, batch: &[u8]| {
            self.replay_batch(&mut replay, from, header, batch)
        };
        self.partition.read_all(take).await?;
        Ok(replay)
    }

    fn replay_batch(
        &self,
        replay: &mut Replay,
        from: Offset,
        header: &BatchHeader,
        batch: &[u8],
    ) -> Result<(), BatchError> {
        let producer = header.producer_id;
        if header.is_control() {
            match EndTransaction::read(batch) {
                Ok(end) => replay.end_transaction(producer, end.marker),
                Err(error) => self.skip(header.base_offset, error),
            }
            return Ok(());
        }
        let transaction = header.is_transactional().then_some(producer);
        for record in decode_records(batch)? {
            let offset = header.offset_of(&record);
            if offset < from {
                continue;
            }
            match Stored::decode(record.key, record.value) {
                Ok(stored) => replay.read(&self.common, stored, offset, transaction),
                Err(error) => self.skip(offset, error),
            }
        }
        Ok(())
    }

    /// One record that cannot be read is no reason to forget all others.
    fn skip(&self, offset: Offset, error: impl std::fmt::Display) {
        let name = self.partition.name();
        tracing::error!("{name}: the record at offset {offset} is skipped: {error}");
    }

    /// Forgets offsets of topics that do not exist: they were deleted, and a crash came
    /// before their offsets were. Forgets those of topics that were deleted meanwhile, too. That
    /// is on disk when this completes, or a topic that is made later would have them after
    /// another crash.
    async fn forget_gone_topics(self: &Arc<Self>, turn: Turn) -> Result<(), ErrorCode> {
        let topics = &self.common.broker.topics;
        let change = turn.change(Appending::Several, |state| {
            let deleted = std::mem::take(&mut state.deleted);
            let is_gone = |topic: &_| deleted.contains(topic) || topics.get(topic).is_none();
            Ok((state.tombstones(is_gone), ()))
        });
        let ((), end) = change.await?;
        drop(turn);
        self.durable(end).await
    }
}
