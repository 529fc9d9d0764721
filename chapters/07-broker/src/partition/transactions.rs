//! What the coordinator of transactions asks of a partition, and what operators do.

use std::sync::Arc;

use message_model::{ProducerEpoch, ProducerId, Timestamp};
use record_batch::EndTransaction;

use super::{Appended, Partition, Produced, written};
use crate::error::Error;
use crate::producers::ActiveProducer;

impl Partition {
    /// Appends the marker that ends a transaction. It is in the page cache when this
    /// returns, and committed readers get past it.
    ///
    /// # Errors
    /// The code of the rules for producers, such as 47 for an older epoch; else as
    /// [`Partition::append`].
    pub async fn append_marker(
        self: &Arc<Self>,
        now: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
        end: EndTransaction,
    ) -> Result<Appended, Error> {
        let marker = Produced::marker(now, producer, epoch, end)?;
        self.append(now, marker).await
    }

    /// Notes that the partition belongs to the producer's transaction from now on. That is
    /// not in the log: the coordinator says it again after a restart.
    ///
    /// # Errors
    /// The code of the rules for producers, or when the partition is offline.
    pub async fn begin_transaction(
        &self,
        now: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
    ) -> Result<(), Error> {
        let mut writer = self.writer().await;
        match &mut written(&mut writer)?.producers {
            Some(producers) => {
                let begun = producers.begin(now, producer, epoch);
                begun.map_err(Error::Rejected)
            }
            None => Ok(()),
        }
    }

    /// The producers that are known, by id. Appends go on meanwhile.
    ///
    /// # Errors
    /// When the partition is offline.
    pub async fn describe_producers(&self) -> Result<Vec<ActiveProducer>, Error> {
        let mut all: Vec<ActiveProducer> = Vec::new();
        loop {
            let mut writer = self.writer().await;
            let Some(producers) = &written(&mut writer)?.producers else {
                return Ok(all);
            };
            let piece = producers.describe(all.last().map(|last| last.producer));
            drop(writer);
            if piece.is_empty() {
                return Ok(all);
            }
            all.extend(piece);
        }
    }

    /// How many producers are known. Appends go on meanwhile.
    ///
    /// # Errors
    /// When the partition is offline.
    pub async fn count_producers(&self) -> Result<usize, Error> {
        let (mut count, mut after) = (0, None);
        loop {
            let mut writer = self.writer().await;
            let Some(producers) = &written(&mut writer)?.producers else {
                return Ok(count);
            };
            let piece = producers.describe(after);
            drop(writer);
            let Some(last) = piece.last() else {
                return Ok(count);
            };
            count += piece.len();
            after = Some(last.producer);
        }
    }

    /// Forgets producers that were silent for too long. Appends go on meanwhile.
    ///
    /// # Errors
    /// When the partition is offline.
    pub(crate) async fn expire_producers(&self, now: Timestamp) -> Result<(), Error> {
        let mut after = None;
        loop {
            let mut writer = self.writer().await;
            let Some(producers) = &mut written(&mut writer)?.producers else {
                return Ok(());
            };
            after = producers.expire(now, after);
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
