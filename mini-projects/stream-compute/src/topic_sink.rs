//! Rows into the queue, as a sink of the engine: one checkpoint, one transaction.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use message_model::TopicPartition;
use producer::{Identity, Producer};
use serde::{Deserialize, Serialize};
use stream_engine::{Cause, Record, Sink, Subtask, Writer};
use wire_protocol::ErrorCode;

use crate::error::Error;
use crate::queue::Address;
use crate::report::RowsToShow;
use crate::row::Row;
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
#[derive(Debug)]
pub(crate) struct TopicSink {
    pub(crate) address: Address,
    pub(crate) rows: TopicPartition,
    /// The most subtasks that any run of the job has had.
    pub(crate) subtasks: usize,
    /// Ids of the checkpoint that the job was resumed from.
    pub(crate) held: Arc<Mutex<BTreeSet<String>>>,
}

impl TopicSink {
    pub(crate) fn new(address: Address, rows: TopicPartition, subtasks: usize) -> TopicSink {
        TopicSink {
            address,
            rows,
            subtasks,
            held: Arc::default(),
        }
    }
}

impl Sink for TopicSink {
    type Item = Row;
    type Writer = TopicWriter;

    fn open(&self, subtask: Subtask) -> Result<TopicWriter, Cause> {
        Ok(TopicWriter {
            address: self.address.clone(),
            rows: self.rows.clone(),
            subtask,
            subtasks: self.subtasks,
            held: Arc::clone(&self.held),
            calls: None,
            has_begun: false,
            slots: Vec::new(),
            open: None,
            is_prepared: false,
        })
    }
}

/// What commits the rows of a checkpoint; `None` if there are none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Prepared(Option<Named>);

/// Writes the rows of a subtask.
#[derive(Debug)]
pub(crate) struct TopicWriter {
    address: Address,
    rows: TopicPartition,
    subtask: Subtask,
    subtasks: usize,
    held: Arc<Mutex<BTreeSet<String>>>,
    calls: Option<Transactions>,
    /// What earlier runs have left open is aborted.
    has_begun: bool,
    slots: Vec<Slot>,
    /// The slot whose transaction is open.
    open: Option<usize>,
    /// A checkpoint was prepared that is not complete.
    is_prepared: bool,
}

/// A transactional id, and what has become of its last transaction.
#[derive(Debug)]
struct Slot {
    id: String,
    identity: Identity,
    producer: Producer,
    state: State,
    shown: RowsToShow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Open,
    Prepared,
    /// It is committed, and the newest checkpoint names it.
    Committed,
}

impl Writer for TopicWriter {
    type Item = Row;
    type Prepared = Prepared;

    async fn write(&mut self, records: &mut Vec<Record<Row>>) -> Result<(), Cause> {
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
        sent.map_err(|error| self.not_delivered(error).into())
    }

    // ANCHOR: prepare
    async fn prepare(&mut self, _: u64) -> Result<Prepared, Cause> {
        self.begin().await?;
        self.is_prepared = true;
        let Some(open) = self.open.take() else {
            return Ok(Prepared(None));
        };
        let slot = &mut self.slots[open];
        let waiting = &self.address.waiting;
        waiting.until("sink", slot.producer.flush()).await?;
        if let Some(error) = slot.producer.failure() {
            return Err(self.not_delivered(error).into());
        }
        slot.state = State::Prepared;
        Ok(Prepared(Some(Named {
            id: slot.id.clone(),
            producer: (slot.identity.id.0, slot.identity.epoch.0),
        })))
    }

    async fn commit(&mut self, Prepared(named): Prepared) -> Result<(), Cause> {
        if !std::mem::take(&mut self.is_prepared) {
            // Of an earlier process, before the first row of this one.
            return Ok(self.commit_restored(named).await?);
        }
        // There is a newer checkpoint than the one that names these.
        let committed = |slot: &&mut Slot| slot.state == State::Committed;
        let slots = self.slots.iter_mut();
        slots
            .filter(committed)
            .for_each(|slot| slot.state = State::Free);
        for slot in 0..IDS {
            let id = self.id(self.subtask.index, slot);
            self.held().remove(&id);
        }
        if let Some(named) = named {
            self.end(&named, Error::Fenced(self.rows.topic.clone()))
                .await?;
            let mut slots = self.slots.iter_mut();
            if let Some(slot) = slots.find(|slot| slot.id == named.id) {
                slot.state = State::Committed;
                let shown = std::mem::take(&mut slot.shown);
                self.address.waiting.report.rows(shown)?;
            }
        }
        Ok(())
    }
    // ANCHOR_END: prepare
}

impl TopicWriter {
    async fn calls(&mut self) -> Result<Transactions, Error> {
        if let Some(calls) = &self.calls {
            return Ok(calls.clone());
        }
        let calls = Transactions {
            client: Arc::new(self.address.connect().await?),
            patience: self.address.waiting.patience,
        };
        self.calls = Some(calls.clone());
        Ok(calls)
    }

    /// Aborts what earlier runs of the job have left open: also those that had more subtasks.
    async fn begin(&mut self) -> Result<(), Error> {
        if self.has_begun {
            return Ok(());
        }
        let calls = self.calls().await?;
        let gone = match self.subtask.index {
            0 => self.subtask.count..self.subtasks,
            _ => 0..0,
        };
        for (subtask, slot) in gone.flat_map(|subtask| (0..IDS).map(move |slot| (subtask, slot))) {
            let id = self.id(subtask, slot);
            if !self.held().contains(&id) {
                let aborting = calls.init(&id);
                self.address.waiting.until("sink", aborting).await??;
            }
        }
        while self.add_slot().await? {}
        self.has_begun = true;
        Ok(())
    }

    /// Takes an id that is not held and has no slot; `false` if there is none.
    async fn add_slot(&mut self) -> Result<bool, Error> {
        let mut ids = (0..IDS).map(|slot| self.id(self.subtask.index, slot));
        let is_new =
            |id: &String| !self.held().contains(id) && self.slots.iter().all(|slot| slot.id != *id);
        let Some(id) = ids.find(is_new) else {
            return Ok(false);
        };
        let calls = self.calls().await?;
        let waiting = &self.address.waiting;
        let identity = waiting.until("sink", calls.init(&id)).await??;
        let settings = producer::Settings {
            max_block: waiting.patience,
            delivery_timeout: waiting.patience,
            ..producer::Settings::idempotent()
        };
        self.slots.push(Slot {
            producer: calls.producer(&id, identity, settings),
            id,
            identity,
            state: State::Free,
            shown: RowsToShow::default(),
        });
        Ok(true)
    }

    /// The slot whose transaction is open; opens one. The coordinator hears of it with the first
    /// batch.
    async fn open_slot(&mut self) -> Result<usize, Error> {
        if let Some(open) = self.open {
            return Ok(open);
        }
        let is_free = |slot: &Slot| slot.state == State::Free;
        let free = match self.slots.iter().position(is_free) {
            Some(free) => free,
            None => {
                let added = self.add_slot().await?;
                assert!(added, "one of {IDS} ids is free");
                self.slots.len() - 1
            }
        };
        self.slots[free].producer.next_transaction();
        self.slots[free].state = State::Open;
        self.open = Some(free);
        Ok(free)
    }

    /// Commits what the checkpoint has, and keeps its id from being used.
    async fn commit_restored(&mut self, named: Option<Named>) -> Result<(), Error> {
        let Some(named) = named else {
            return Ok(());
        };
        self.end(&named, Error::Lost(self.rows.topic.clone()))
            .await?;
        self.held().insert(named.id);
        Ok(())
    }

    async fn end(&mut self, named: &Named, fenced: Error) -> Result<(), Error> {
        let calls = self.calls().await?;
        let ending = calls.commit(named);
        match self.address.waiting.until("sink", ending).await? {
            Err(error) if is_fenced(error.code()) => Err(fenced),
            ended => Ok(ended?),
        }
    }

    fn id(&self, subtask: usize, slot: usize) -> String {
        format!("ip-count.{}.{subtask}.{slot}", self.rows.topic)
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_delivered(&self, error: producer::Error) -> Error {
        let code: Option<ErrorCode> = match &error {
            producer::Error::Refused(code) | producer::Error::Fatal(code) => Some(*code),
            _ => None,
        };
        match is_fenced(code) {
            true => Error::Fenced(self.rows.topic.clone()),
            false => Error::NotDelivered(error),
        }
    }
}
