//! The rules over what is known of a partition's producers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use broker::{Check, Ended, Unreadable};
use idempotence::{Entry, Kept as _, Remembered, Table};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use ordering::{Numbered, Standing, fence, note, sequence};
use record_batch::{BatchHeader, EndTransaction, Marker};
use wire_protocol::ErrorCode;

use super::producer_state::ProducerState;
use super::room::Place;
use super::rules::{Rule, Rules};
use crate::part::{OpenTransactions, Outcome};

/// What is known of a partition's producers.
///
/// # Invariants
/// - A producer with an open transaction is in the table, and its state has the transaction.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) table: Table<ProducerState>,
    pub(super) open: OpenTransactions,
    /// How many producers of the table have an open transaction.
    pub(super) held: usize,
    /// What the room knows of this partition.
    pub(super) place: Place,
}

impl Known {
    /// Of a partition that knows no producer yet.
    pub(super) fn new(table: Table<ProducerState>) -> Known {
        Known {
            table,
            open: OpenTransactions::default(),
            held: 0,
            place: Place::default(),
        }
    }

    /// Locks what is known, also if a panic in a hole of the parts has left it as it was: the
    /// next question goes to the same hole, which says so again.
    pub(super) fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
        known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is to become of a batch or of a marker; changes nothing.
    // ANCHOR: check
    pub(super) fn check(
        &self,
        rules: Rules,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Check {
        if batch.producer_id < ProducerId(0) || batch.producer_epoch < ProducerEpoch::FIRST {
            return Check::Refuse(ErrorCode::INVALID_RECORD);
        }
        let entry = self.table.get(batch.producer_id);
        let named = entry.map(standing);
        let numbered = numbered(batch);
        if rules.has(Rule::Fence) && named.is_some_and(|one| fence(&one, numbered).is_err()) {
            return Check::Refuse(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if let Some(end) = end {
            return check_marker(rules, entry, end);
        }
        let is_open = self.open.is_open(batch.producer_id);
        if rules.has(Rule::Transactions) && is_open && is_ahead(named, batch) {
            return Check::Refuse(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if let Some(remembered) = Remembered::of(batch) {
            match find(entry, batch.producer_epoch, &remembered) {
                Some(found) if rules.has(Rule::Duplicates) => {
                    return Check::Duplicate {
                        range: found.range(),
                        timestamp: found.timestamp,
                    };
                }
                // Without the rule it is appended once more, though it is not the next one.
                Some(_) => {}
                None => {
                    if rules.has(Rule::Ordering) && !is_next(entry, numbered) {
                        return Check::Refuse(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
                    }
                }
            }
        }
        if rules.has(Rule::Transactions) && is_open != batch.is_transactional() {
            return Check::Refuse(ErrorCode::INVALID_TXN_STATE);
        }
        Check::Append
    }
    // ANCHOR_END: check

    /// A batch will be appended. If it is the first one that is known of its producer, none
    /// behind it may come before it.
    pub(super) fn tries(&mut self, batch: &BatchHeader) {
        let first = batch.base_sequence;
        self.table.change(batch.producer_id, |state| {
            if !state.has_numbers && first >= 0 {
                let lowest = state.tried.map_or(first, |tried| tried.min(first));
                state.tried = Some(lowest);
            }
        });
    }

    /// Returns whether a batch or a marker was noted already.
    pub(super) fn has_noted(&self, batch: &BatchHeader) -> bool {
        let entry = self.table.get(batch.producer_id);
        let noted = entry.and_then(|entry| entry.kept.noted);
        noted.is_some_and(|noted| last_offset(batch) <= noted)
    }

    /// A batch or a marker is in the log that was not noted yet. Returns what a marker that
    /// aborts leaves for readers.
    pub(super) fn note(
        &mut self,
        rules: Rules,
        at: Timestamp,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Option<Ended> {
        let producer = batch.producer_id;
        let Some(end) = end else {
            self.wrote(at, batch);
            if rules.has(Rule::Transactions) && batch.is_transactional() {
                self.open.wrote(producer, batch.base_offset);
                self.change(producer, |state| {
                    let first = state.transaction.get_or_insert(None);
                    first.get_or_insert(batch.base_offset);
                });
            }
            return None;
        };
        self.seen(at, producer, batch.producer_epoch, None);
        self.change(producer, |state| {
            state.noted = Some(last_offset(batch));
            state.coordinator_epoch = state.coordinator_epoch.max(Some(end.coordinator_epoch));
            state.transaction = None;
        });
        let outcome = match end.marker {
            Marker::Abort => Outcome::Abort,
            Marker::Commit => Outcome::Commit,
        };
        let aborted = self.open.ended(producer, batch.base_offset, outcome)?;
        Some(Ended {
            producer,
            first: aborted.first,
        })
    }

    /// A batch of data is in the log.
    ///
    /// One that is in the window is there a second time, because the rule of duplicates was
    /// left out. It does not turn the numbers back, or the next new batch would be refused.
    fn wrote(&mut self, at: Timestamp, batch: &BatchHeader) {
        let (producer, epoch) = (batch.producer_id, batch.producer_epoch);
        let entry = self.table.get(producer);
        let remembered = Remembered::of(batch);
        let new = remembered.filter(|one| find(entry, epoch, one).is_none());
        let before = entry.map(standing);
        self.seen(at, producer, epoch, new);
        self.table.change(producer, |state| {
            state.noted = Some(last_offset(batch));
            if new.is_some() {
                state.last = note(before.as_ref(), numbered(batch)).last;
                state.has_numbers = true;
                state.tried = None;
            }
        });
    }

    /// The producer was seen with `epoch`, and has written `batch` if there is one. If the
    /// epoch is newer, its numbers begin anew.
    pub(super) fn seen(
        &mut self,
        at: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
        batch: Option<Remembered>,
    ) {
        let before = self.table.get(producer).map(|one| one.window.epoch());
        self.table.note(at, producer, epoch, batch);
        if before.is_some_and(|before| before < epoch) {
            self.table.change(producer, |state| state.last = None);
        }
    }

    /// The coordinator has named the producer.
    pub(super) fn begin(
        &mut self,
        rules: Rules,
        now: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
    ) {
        self.seen(now, producer, epoch, None);
        if rules.has(Rule::Transactions) {
            self.open.begin(producer);
            self.change(producer, |state| {
                state.transaction.get_or_insert(None);
            });
        }
    }

    /// Changes what is known of a producer, whose transaction may begin or end by that.
    fn change(&mut self, producer: ProducerId, change: impl FnOnce(&mut ProducerState)) {
        let held = self.table.change(producer, |state| {
            let before = state.is_held();
            change(state);
            (before, state.is_held())
        });
        match held {
            Some((false, true)) => self.held += 1,
            Some((true, false)) => self.held -= 1,
            _ => {}
        }
    }

    /// Returns whether the producer has an open transaction.
    pub(super) fn is_held(&self, producer: ProducerId) -> bool {
        let entry = self.table.get(producer);
        entry.is_some_and(|entry| entry.kept.is_held())
    }

    /// Adds the producers of a piece, and their open transactions.
    ///
    /// # Errors
    /// When the bytes are no piece.
    pub(super) fn restore(
        &mut self,
        rules: Rules,
        now: Timestamp,
        piece: &[u8],
    ) -> Result<(), Unreadable> {
        let restored = self.table.restore(now, piece).map_err(|_| Unreadable)?;
        for producer in restored {
            if !rules.has(Rule::Transactions) {
                self.table
                    .change(producer, |state| state.transaction = None);
            }
            let entry = self.table.get(producer);
            let transaction = entry.and_then(|entry| entry.kept.transaction);
            match transaction {
                Some(Some(first)) => self.open.wrote(producer, first),
                Some(None) => self.open.begin(producer),
                None => {}
            }
            self.held += usize::from(transaction.is_some());
        }
        Ok(())
    }

    /// Whether the producer was seen with a newer epoch.
    pub(super) fn is_fenced(&self, producer: ProducerId, epoch: ProducerEpoch) -> bool {
        let entry = self.table.get(producer);
        entry.is_some_and(|entry| epoch < entry.window.epoch())
    }
}

/// What is known of a producer for the fence and the sequence (chapter 18).
fn standing(entry: &Entry<ProducerState>) -> Standing {
    Standing {
        epoch: entry.window.epoch(),
        last: entry.kept.last,
    }
}

/// Whether a batch may come next. The first one of a producer that was only named may have
/// any number, but no higher one than another that was tried.
fn is_next(entry: Option<&Entry<ProducerState>>, batch: Numbered) -> bool {
    match entry {
        Some(entry) if !entry.kept.has_numbers => {
            entry.kept.tried.is_none_or(|tried| batch.first <= tried)
        }
        _ => sequence(entry.map(standing).as_ref(), batch).is_ok(),
    }
}

/// Returns the batch with exactly these numbers that is in the log.
fn find(
    entry: Option<&Entry<ProducerState>>,
    epoch: ProducerEpoch,
    batch: &Remembered,
) -> Option<Remembered> {
    entry?.window.find(epoch, batch.first, batch.last)
}

fn last_offset(batch: &BatchHeader) -> Offset {
    batch.range().end.plus(-1)
}

/// Returns the numbers in a batch's header.
fn numbered(batch: &BatchHeader) -> Numbered {
    Numbered {
        epoch: batch.producer_epoch,
        first: batch.base_sequence,
        count: u32::try_from(batch.last_offset_delta).map_or(0, |last| last + 1),
    }
}

/// Whether a batch has an epoch that the coordinator has not given to the producer, whose
/// transaction is open. It would fence the transaction's own marker.
fn is_ahead(standing: Option<Standing>, batch: &BatchHeader) -> bool {
    standing.is_some_and(|one| batch.producer_epoch > one.epoch)
}

/// A marker that is written again, or for a transaction that has written nothing here, does
/// no harm.
fn check_marker(rules: Rules, entry: Option<&Entry<ProducerState>>, end: EndTransaction) -> Check {
    let newest = entry.and_then(|one| one.kept.coordinator_epoch);
    if rules.has(Rule::Fence) && newest.is_some_and(|newest| end.coordinator_epoch < newest) {
        return Check::Refuse(ErrorCode::TRANSACTION_COORDINATOR_FENCED);
    }
    Check::Append
}
