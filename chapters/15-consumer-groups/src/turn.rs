//! The right to append to a partition of `__consumer_offsets`.

use std::sync::Arc;

use broker::{Error, validate_produced};
use message_model::Offset;
use record_batch::{BatchBuilder, RecordToSend};
use tokio::sync::OwnedMutexGuard;
use wire_protocol::{ErrorCode, Records};

use crate::records::Stored;
use crate::shard::Shard;
use crate::state::State;
use crate::transactions::Transaction;

/// The right to change what a shard has stored: one change after the other, each appended
/// and then applied, so that memory follows the log.
#[derive(Debug)]
pub(crate) struct Turn {
    shard: Arc<Shard>,
    _turn: OwnedMutexGuard<()>,
}

/// What a change appends, and whether it may become several batches. A tombstone too many
/// or too few does no harm, but the offsets of one commit belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batches {
    One,
    Several,
    /// One, in a transaction.
    OneOf(Transaction),
}

impl Shard {
    /// Returns the turn, when it is this caller's, and when the groups are appended that were
    /// to be stored before.
    ///
    /// # Errors
    /// As [`Shard::serving`].
    pub(crate) async fn turn(self: &Arc<Self>) -> Result<Turn, ErrorCode> {
        let turn = self.any_turn().await;
        drop(self.serving()?);
        Ok(turn)
    }

    /// As [`Shard::turn`], also of a shard that serves no more.
    pub(crate) async fn any_turn(self: &Arc<Self>) -> Turn {
        let turn = Turn {
            _turn: Arc::clone(&self.turn).lock_owned().await,
            shard: Arc::clone(self),
        };
        turn.append_groups().await;
        turn
    }
}

impl Turn {
    /// Appends the records that `decide` makes, and applies them. Returns what else it
    /// makes, and up to where the log must be on disk before anybody hears of it.
    ///
    /// # Errors
    /// What `decide` says, as [`Shard::serving`], or as [`Turn::append`]. Nothing is changed
    /// then, beside batches of several that were appended before.
    // ANCHOR: change
    pub(crate) async fn change<T>(
        &self,
        batches: Batches,
        decide: impl FnOnce(&mut State) -> Result<(Vec<Stored>, T), ErrorCode>,
    ) -> Result<(T, Offset), ErrorCode> {
        let (records, result) = decide(&mut *self.shard.serving()?)?;
        let mut left = records.as_slice();
        let mut end = Offset::ZERO;
        while !left.is_empty() {
            let (batch, count) = self.batch(left)?;
            if batches != Batches::Several && count < left.len() {
                return Err(too_large());
            }
            let transaction = match batches {
                Batches::OneOf(transaction) => Some(transaction),
                Batches::One | Batches::Several => None,
            };
            end = self.append(batch, transaction).await?;
            self.shard.apply(&left[..count], end, transaction);
            left = &left[count..];
        }
        Ok((result, end))
    }
    // ANCHOR_END: change

    /// Appends the groups that are to be stored. What becomes of each is noted for the task
    /// that tells them. A caller may be dropped while it waits; then the group is still to be
    /// stored, and perhaps appended twice, which changes nothing.
    async fn append_groups(&self) {
        loop {
            let first = self.shard.state().first_to_store();
            let Some(record) = first else {
                return;
            };
            let appended = match self.batch(&[record]) {
                Ok((batch, _)) => self.append(batch, None).await,
                Err(code) => Err(code),
            };
            self.shard.state().first_is_appended(appended);
        }
    }

    /// Returns a batch of as many `records` as it may hold, and how many those are.
    ///
    /// # Errors
    /// When the first one is too large alone.
    fn batch(&self, records: &[Stored]) -> Result<(Vec<u8>, usize), ErrorCode> {
        let now = self.shard.common.broker.services.clock.wall();
        let size_max = self.shard.partition.settings().log.batch_size_max;
        let mut batch = BatchBuilder::new();
        let mut count = 0;
        for record in records {
            let (key, value) = record.encode();
            let size = key.len() + value.as_ref().map_or(0, Vec::len) + RECORD_OVERHEAD_MAX;
            if batch.size() + size > size_max {
                break;
            }
            batch.push(&RecordToSend {
                timestamp: now,
                key: Some(&key),
                value: value.as_deref(),
                headers: Vec::new(),
            });
            count += 1;
        }
        match count {
            0 => Err(too_large()),
            _ => Ok((batch.build(), count)),
        }
    }

    /// Returns the end of the log behind `batch`, which is appended.
    ///
    /// # Errors
    /// 16 if the disk says no; what the partition says of the transaction; -1 else.
    async fn append(
        &self,
        batch: Vec<u8>,
        transaction: Option<Transaction>,
    ) -> Result<Offset, ErrorCode> {
        let partition = &self.shard.partition;
        let now = self.shard.common.broker.services.clock.wall();
        let produced = match transaction {
            Some(transaction) => transaction.take_in(batch),
            None => {
                let records = Records::from_bytes(batch);
                validate_produced(now, &partition.settings(), None, records)
            }
        };
        let appended = match produced {
            Ok(produced) => partition.append(now, produced).await,
            Err(error) => Err(error),
        };
        let appended = appended.map_err(|error| {
            if let (Some(_), Error::Rejected(code)) = (transaction, &error) {
                return match *code {
                    // At a start it is not known yet which transactions are open.
                    ErrorCode::NOT_ENOUGH_REPLICAS => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
                    code => code,
                };
            }
            tracing::error!("cannot append to {}: {error}", partition.name());
            match broker::error_code(&error) {
                ErrorCode::KAFKA_STORAGE_ERROR => ErrorCode::NOT_COORDINATOR,
                _ => ErrorCode::UNKNOWN_SERVER_ERROR,
            }
        })?;
        Ok(appended.range.end)
    }
}

/// The most bytes of a record beside its key and value: attributes, the deltas, the lengths.
const RECORD_OVERHEAD_MAX: usize = 1 + 10 + 5 + 4 * 5;

/// As Kafka says it.
fn too_large() -> ErrorCode {
    ErrorCode::UNKNOWN_SERVER_ERROR
}
