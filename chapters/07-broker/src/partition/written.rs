//! The log of a partition, and what is known about the producers that write to it.

use log_storage::{AbortedTransaction, Log};
use message_model::{Offset, ProducerId, Timestamp};
use record_batch::{BatchHeader, EndTransaction};

use crate::producers::{Check, Producers};

/// What the one who appends has in its hands.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) log: Log,
    /// `None`: there are no rules for producers.
    pub(crate) producers: Option<Box<dyn Producers>>,
    /// How many bytes of batches were noted since the start of the broker, at the start too.
    pub(crate) noted: u64,
}

impl Written {
    pub(crate) fn new(log: Log, producers: Option<Box<dyn Producers>>) -> Written {
        Written {
            log,
            producers,
            noted: 0,
        }
    }

    /// What the rules make of a batch.
    pub(crate) fn check(
        &mut self,
        now: Timestamp,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Check {
        match &mut self.producers {
            Some(producers) if batch.producer_id != ProducerId::NONE => {
                producers.check(now, batch, end)
            }
            _ => Check::Append,
        }
    }

    /// Notes a batch that is in the log now. Returns, if it ends a transaction that is aborted,
    /// what readers must leave out.
    pub(crate) fn note(
        &mut self,
        at: Timestamp,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Option<AbortedTransaction> {
        let producers = self.producers.as_mut()?;
        self.noted += batch.size() as u64;
        if batch.producer_id == ProducerId::NONE {
            return None;
        }
        let ended = producers.note(at, batch, end)?;
        let last = batch.base_offset;
        Some(AbortedTransaction {
            producer: ended.producer,
            first: ended.first,
            last,
            last_stable: producers.first_unstable().unwrap_or(last.plus(1)),
        })
    }

    /// The first offset of the oldest transaction that is open.
    pub(crate) fn first_unstable(&self) -> Option<Offset> {
        self.producers.as_ref()?.first_unstable()
    }
}
