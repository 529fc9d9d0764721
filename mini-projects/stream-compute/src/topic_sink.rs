//! Rows into the queue, as a sink of the engine: one checkpoint, one transaction.

mod restoring;

use std::sync::Arc;
use std::time::Duration;

use message_model::{Moment, TopicPartition};
use producer::{Identity, Producer};
use serde::{Deserialize, Serialize};
use stream_engine::{Cause, Record, Restored, Sink, Subtask, Writer};
use wire_protocol::ErrorCode;

use crate::error::Error;
use crate::ids::{Ids, State, Taken};
use crate::queue::Address;
use crate::report::RowsToShow;
use crate::row::Row;
use crate::settings::Settings;
use crate::transactions::{Named, Transactions, is_fenced};

/// How many transactional ids a subtask has: one for the transaction that is open, one for that
/// which is prepared for a checkpoint that is not stored yet, and one for that of the checkpoint
/// that is stored.
const IDS: usize = 3;

/// The topic of rows.
///
/// # Which transactional id is used when
/// A job that is resumed commits the transaction that its checkpoint names. So nothing else may
/// be open under that id, and it is not used again before a newer checkpoint is stored. The
/// transactions of all other ids are not to be seen: they are aborted before the first row.
///
/// # Two instances
/// An instance that begins takes all ids, so one that was alive before is fenced. A transaction
/// that is open for too long looks the same to its writer, but the queue takes only that one id
/// away. So the job begins again from its checkpoint, and asks for its other ids as the one that
/// has them: the queue refuses if another instance has taken them, and then the job ends.
#[derive(Debug)]
pub(crate) struct TopicSink {
    pub(crate) address: Address,
    pub(crate) rows: TopicPartition,
    /// The most subtasks that any run of the job has had.
    pub(crate) subtasks: usize,
    /// How long a transaction may be open.
    pub(crate) timeout: Duration,
    pub(crate) ids: Ids,
}

impl TopicSink {
    pub(crate) fn new(address: Address, rows: TopicPartition, settings: &Settings) -> TopicSink {
        TopicSink {
            address,
            rows,
            subtasks: settings.parallelism,
            timeout: settings.transaction_timeout,
            ids: Ids::default(),
        }
    }
}

impl Sink for TopicSink {
    type Item = Row;
    type Writer = TopicWriter;

    fn open(&self, subtask: Subtask) -> Result<TopicWriter, Cause> {
        if subtask.index == 0 {
            // It is the first one.
            self.ids.begin();
        }
        Ok(TopicWriter {
            address: self.address.clone(),
            rows: self.rows.clone(),
            subtask,
            subtasks: self.subtasks,
            timeout: self.timeout,
            ids: self.ids.clone(),
            calls: None,
            has_begun: false,
            slots: Vec::new(),
            open: None,
            opened: Moment::default(),
        })
    }
}

/// What commits the rows of a checkpoint; `None` if there are none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Prepared(Option<Named>);

/// Writes the rows of a subtask, each checkpoint's in a transaction of their own.
#[derive(Debug)]
pub(crate) struct TopicWriter {
    address: Address,
    rows: TopicPartition,
    subtask: Subtask,
    subtasks: usize,
    timeout: Duration,
    ids: Ids,
    calls: Option<Transactions>,
    /// What earlier runs have left open is aborted.
    has_begun: bool,
    /// The transactional ids that this run has taken, and may write under.
    slots: Vec<Slot>,
    /// The index of the slot whose transaction is open.
    open: Option<usize>,
    /// When that was opened: the queue aborts one that is open for longer than `timeout`.
    opened: Moment,
}

/// A transactional id that this run has taken.
#[derive(Debug)]
struct Slot {
    id: String,
    identity: Identity,
    producer: Producer,
    shown: RowsToShow,
}

impl Writer for TopicWriter {
    type Item = Row;
    type Prepared = Prepared;

    async fn write(&mut self, records: &mut Vec<Record<Row>>) -> Result<(), Cause> {
        let written = self.write_rows(records).await;
        written.map_err(|error| self.address.cause(error))
    }

    async fn prepare(&mut self, _: u64) -> Result<Prepared, Cause> {
        let prepared = self.prepare_rows().await;
        prepared.map_err(|error| self.address.cause(error))
    }

    async fn commit(&mut self, prepared: Prepared) -> Result<(), Cause> {
        let committed = self.commit_rows(prepared).await;
        committed.map_err(|error| self.address.cause(error))
    }

    async fn restore(&mut self, prepared: Vec<Prepared>) -> Result<Restored, Cause> {
        let named = prepared.into_iter().filter_map(|Prepared(named)| named);
        let restored = self.restore_rows(named.collect()).await;
        restored.map_err(|error| self.address.cause(error))
    }
}

impl TopicWriter {
    async fn write_rows(&mut self, records: &mut Vec<Record<Row>>) -> Result<(), Error> {
        self.begin().await?;
        let open = self.open_slot().await?;
        let report = Arc::clone(&self.address.waiting.report);
        let (waiting, rows) = (self.address.waiting.clone(), self.rows.clone());
        let slot = &mut self.slots[open];
        let send = async {
            for row in records.drain(..).map(|record| record.value) {
                let (key, value) = (row.key(), row.to_string());
                let record = producer::Record {
                    partition: Some(rows.partition),
                    ..producer::Record::of_key(key.as_bytes(), value.as_bytes())
                };
                let delivery = slot.producer.send(&rows.topic, record).await;
                if let Some(error) = delivery.failure() {
                    // An earlier record may have been the first to fail, and says why.
                    let first = slot.producer.failure();
                    return Err(first.unwrap_or_else(|| error.clone()));
                }
                report.keep(row, &mut slot.shown);
            }
            Ok(())
        };
        let sent = waiting.until("sink", send).await?;
        sent.map_err(|error| self.not_delivered(error))
    }

    // ANCHOR: prepare
    /// The first phase: all rows are acknowledged, and what commits them is returned.
    async fn prepare_rows(&mut self) -> Result<Prepared, Error> {
        self.begin().await?;
        let Some(open) = self.open.take() else {
            return Ok(Prepared(None));
        };
        if self.is_overdue() {
            // The queue has aborted it, or will before it is committed: no checkpoint may name it.
            return Err(Error::Aborted(self.rows.topic.clone()));
        }
        let slot = &mut self.slots[open];
        let waiting = &self.address.waiting;
        waiting.until("sink", slot.producer.flush()).await?;
        if let Some(error) = slot.producer.failure() {
            return Err(self.not_delivered(error));
        }
        self.ids.set(&slot.id, State::Prepared);
        Ok(Prepared(Some(Named {
            id: slot.id.clone(),
            producer: (slot.identity.id.0, slot.identity.epoch.0),
        })))
    }

    /// The second phase: the checkpoint that names the rows is stored.
    async fn commit_rows(&mut self, Prepared(named): Prepared) -> Result<(), Error> {
        // There is a newer checkpoint than the one that names these.
        for id in self.own_ids() {
            self.ids.release(&id);
            if self.ids.is(&id, State::Committed) {
                self.ids.set(&id, State::Free);
            }
        }
        if let Some(named) = named {
            self.end((&named, true), Error::Aborted(self.rows.topic.clone()))
                .await?;
            self.ids.set(&named.id, State::Committed);
            let mut slots = self.slots.iter_mut();
            if let Some(slot) = slots.find(|slot| slot.id == named.id) {
                let shown = std::mem::take(&mut slot.shown);
                self.address.waiting.report.rows(shown)?;
            }
        }
        Ok(())
    }
    // ANCHOR_END: prepare

    async fn calls(&mut self) -> Result<Transactions, Error> {
        if let Some(calls) = &self.calls {
            return Ok(calls.clone());
        }
        let calls = Transactions {
            client: Arc::new(self.address.connect().await?),
            patience: self.address.waiting.patience,
            timeout: self.timeout,
        };
        self.calls = Some(calls.clone());
        Ok(calls)
    }

    /// Aborts what earlier runs of the job have left open: also those that had more subtasks.
    async fn begin(&mut self) -> Result<(), Error> {
        if self.has_begun {
            return Ok(());
        }
        let own = self.own_ids();
        let taken: Vec<_> = own.iter().filter_map(|id| self.ids.taken(id)).collect();
        if !taken.is_empty() && !taken.iter().any(Taken::is_idle) {
            // No id says whether another instance has come.
            return Err(Error::Fenced(self.rows.topic.clone()));
        }
        let gone = match self.subtask.index {
            0 => self.subtask.count..self.subtasks,
            _ => 0..0,
        };
        let gone: Vec<String> = gone.flat_map(|subtask| self.ids_of(subtask)).collect();
        for id in gone {
            if !self.ids.is_held(&id) {
                self.take(&id).await?;
            }
        }
        let (idle, others): (Vec<_>, Vec<_>) = own
            .into_iter()
            .partition(|id| self.ids.taken(id).is_some_and(|taken| taken.is_idle()));
        for id in idle.iter().chain(&others) {
            self.add_slot(id).await?;
        }
        self.has_begun = true;
        Ok(())
    }

    /// Begins to write under an id. Of one that was idle, as the one that has it.
    async fn take(&mut self, id: &str) -> Result<Identity, Error> {
        let taken = self.ids.taken(id).filter(Taken::is_idle);
        let expected = taken.map(|taken| taken.identity);
        let calls = self.calls().await?;
        let taking = calls.init(id, expected);
        let identity = match self.address.waiting.until("sink", taking).await? {
            Err(error) if expected.is_some() && is_fenced(error.code()) => {
                return Err(Error::Fenced(self.rows.topic.clone()));
            }
            taken => taken?,
        };
        self.ids.take(id, identity);
        Ok(identity)
    }

    /// Makes a slot of an id, if it is not held and has none.
    async fn add_slot(&mut self, id: &str) -> Result<(), Error> {
        if self.ids.is_held(id) || self.slots.iter().any(|slot| slot.id == id) {
            return Ok(());
        }
        let identity = self.take(id).await?;
        let calls = self.calls().await?;
        let waiting = &self.address.waiting;
        let settings = producer::Settings {
            max_block: waiting.patience,
            delivery_timeout: waiting.patience,
            ..producer::Settings::idempotent()
        };
        self.slots.push(Slot {
            producer: calls.producer(id, identity, settings),
            id: id.to_owned(),
            identity,
            shown: RowsToShow::default(),
        });
        Ok(())
    }

    /// The slot whose transaction is open; opens one. The coordinator hears of it with the first
    /// batch.
    async fn open_slot(&mut self) -> Result<usize, Error> {
        if let Some(open) = self.open {
            return Ok(open);
        }
        if self.free_slot().is_none() {
            for id in self.own_ids() {
                self.add_slot(&id).await?;
            }
        }
        let free = self.free_slot();
        assert!(free.is_some(), "one of {IDS} ids is free");
        let free = free.unwrap_or_default();
        self.slots[free].producer.next_transaction();
        self.ids.set(&self.slots[free].id, State::Open);
        self.open = Some(free);
        self.opened = self.address.waiting.clock.now();
        Ok(free)
    }

    /// Whether the open transaction is older than three quarters of its time, for example because
    /// this process was stopped. It began at the queue after it was opened here.
    fn is_overdue(&self) -> bool {
        let age = self.address.waiting.clock.now().since(self.opened);
        age > self.timeout * 3 / 4
    }

    fn free_slot(&self) -> Option<usize> {
        let is_free = |slot: &Slot| self.ids.is(&slot.id, State::Free);
        self.slots.iter().position(is_free)
    }

    async fn end(
        &mut self,
        (named, committed): (&Named, bool),
        fenced: Error,
    ) -> Result<(), Error> {
        let calls = self.calls().await?;
        let ending = calls.end(named, committed);
        match self.address.waiting.until("sink", ending).await? {
            Err(error) if is_fenced(error.code()) => Err(fenced),
            ended => Ok(ended?),
        }
    }

    fn ids_of(&self, subtask: usize) -> Vec<String> {
        let id = |number| format!("ip-count.{}.{subtask}.{number}", self.rows.topic);
        (0..IDS).map(id).collect()
    }

    fn own_ids(&self) -> Vec<String> {
        self.ids_of(self.subtask.index)
    }

    fn not_delivered(&self, error: producer::Error) -> Error {
        let code: Option<ErrorCode> = match &error {
            producer::Error::Refused(code) | producer::Error::Fatal(code) => Some(*code),
            _ => None,
        };
        match is_fenced(code) {
            true => Error::Aborted(self.rows.topic.clone()),
            false => Error::NotDelivered(error),
        }
    }
}
