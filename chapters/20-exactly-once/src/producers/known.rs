//! The rules over what is known of a partition's producers.

use std::collections::BTreeMap;

use broker::{Check, Ended};
use idempotence::Remembered;
use message_model::{ProducerEpoch, ProducerId, Timestamp};
use ordering::{fence, sequence};
use record_batch::{BatchHeader, EndTransaction, Marker};
use wire_protocol::ErrorCode;

use super::entry::{Entry, numbered};
use super::rules::{Rule, Rules};
use crate::part::{OpenTransactions, Outcome};

/// What is known of a partition's producers.
///
/// # Invariants
/// - A producer with an open transaction has an entry.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) entries: BTreeMap<ProducerId, Entry>,
    pub(super) open: OpenTransactions,
}

impl Known {
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
        let entry = self.entries.get(&batch.producer_id);
        let numbered = numbered(batch);
        if rules.has(Rule::Fence)
            && entry.is_some_and(|one| fence(&one.standing, numbered).is_err())
        {
            return Check::Refuse(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if let Some(end) = end {
            return check_marker(rules, entry, end);
        }
        let is_open = self.open.is_open(batch.producer_id);
        if rules.has(Rule::Transactions) && is_open && is_ahead(entry, batch) {
            return Check::Refuse(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if let Some(remembered) = Remembered::of(batch) {
            let found = entry.and_then(|one| one.find(batch.producer_epoch, &remembered));
            match found {
                Some(found) if rules.has(Rule::Duplicates) => {
                    return Check::Duplicate {
                        range: found.range(),
                        timestamp: found.timestamp,
                    };
                }
                // Without the rule it is appended once more, though it is not the next one.
                Some(_) => {}
                None if rules.has(Rule::Ordering) => {
                    let standing = entry.map(|one| &one.standing);
                    if sequence(standing, numbered).is_err() {
                        return Check::Refuse(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
                    }
                }
                None => {}
            }
        }
        if rules.has(Rule::Transactions) && is_open != batch.is_transactional() {
            return Check::Refuse(ErrorCode::INVALID_TXN_STATE);
        }
        Check::Append
    }
    // ANCHOR_END: check

    /// A batch or a marker is in the log. The producer has an entry. Returns what a marker
    /// that aborts leaves for readers.
    pub(super) fn note(
        &mut self,
        rules: Rules,
        at: Timestamp,
        batch: &BatchHeader,
        end: Option<EndTransaction>,
    ) -> Option<Ended> {
        let producer = batch.producer_id;
        let entry = self.entries.get_mut(&producer)?;
        let last = batch.range().end.plus(-1);
        if entry.noted.is_some_and(|noted| last <= noted) {
            return None;
        }
        entry.noted = Some(last);
        entry.seen = at;
        let Some(end) = end else {
            entry.wrote(batch);
            if rules.has(Rule::Transactions) && batch.is_transactional() {
                self.open.wrote(producer, batch.base_offset);
            }
            return None;
        };
        entry.begin(batch.producer_epoch);
        entry.coordinator_epoch = entry.coordinator_epoch.max(Some(end.coordinator_epoch));
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

    /// The coordinator has named the producer, which has an entry.
    pub(super) fn begin(
        &mut self,
        rules: Rules,
        now: Timestamp,
        producer: ProducerId,
        epoch: ProducerEpoch,
    ) {
        if let Some(entry) = self.entries.get_mut(&producer) {
            entry.begin(epoch);
            entry.seen = now;
        }
        if rules.has(Rule::Transactions) {
            self.open.begin(producer);
        }
    }

    /// Whether the producer was seen with a newer epoch.
    pub(super) fn is_fenced(&self, producer: ProducerId, epoch: ProducerEpoch) -> bool {
        let entry = self.entries.get(&producer);
        entry.is_some_and(|entry| epoch < entry.standing.epoch)
    }
}

/// Whether a batch has an epoch that the coordinator has not given to the producer, whose
/// transaction is open. It would fence the transaction's own marker.
fn is_ahead(entry: Option<&Entry>, batch: &BatchHeader) -> bool {
    entry.is_some_and(|one| batch.producer_epoch > one.standing.epoch)
}

/// A marker that is written again, or for a transaction that has written nothing here, does
/// no harm.
fn check_marker(rules: Rules, entry: Option<&Entry>, end: EndTransaction) -> Check {
    let newest = entry.and_then(|one| one.coordinator_epoch);
    if rules.has(Rule::Fence) && newest.is_some_and(|newest| end.coordinator_epoch < newest) {
        return Check::Refuse(ErrorCode::TRANSACTION_COORDINATOR_FENCED);
    }
    Check::Append
}
