//! Which batches of a walk over a log belong to an aborted transaction, and which markers
//! are still wanted.

use std::collections::BTreeSet;

use message_model::{Offset, OffsetRange, ProducerId};
use record_batch::BatchHeader;

use super::producers::PRODUCERS_MAX;
use crate::aborted::{AbortedTransaction, FindAborted};
use crate::error::Error;
use crate::log_view::LogView;

/// The transactions along a walk from the start of a log, or from somewhere in it, below
/// its last stable offset: there each of them has ended.
#[derive(Debug)]
pub(crate) struct Transactions {
    view: LogView,
    /// The walk ends below it.
    until: Offset,
    /// Which were aborted is known for batches that begin below it.
    known_to: Offset,
    /// The aborted ones, by producer and first offset.
    aborted: Vec<AbortedTransaction>,
    find: Option<FindAborted>,
    /// The producers of which data was passed, and no marker since.
    with_data: BTreeSet<ProducerId>,
    /// There are more of them than are remembered.
    is_full: bool,
}

impl Transactions {
    pub(crate) fn new(view: LogView, until: Offset) -> Transactions {
        Transactions {
            view,
            until,
            known_to: Offset::ZERO,
            aborted: Vec::new(),
            find: None,
            with_data: BTreeSet::new(),
            is_full: false,
        }
    }

    /// Whether it is known what became of a batch's transaction. If not, does one step of a look-up, and
    /// the caller asks again.
    ///
    /// # Errors
    /// As [`FindAborted::step`].
    pub(crate) fn is_known(&mut self, header: &BatchHeader) -> Result<bool, Error> {
        if !header.is_transactional() || header.base_offset < self.known_to {
            return Ok(true);
        }
        let range = OffsetRange {
            start: header.base_offset,
            end: self.until,
        };
        let view = &self.view;
        let find = self.find.get_or_insert_with(|| view.aborted(range));
        let Some(list) = find.step()? else {
            return Ok(false);
        };
        self.find = None;
        self.known_to = list.end;
        self.aborted = list.transactions;
        self.aborted
            .sort_unstable_by_key(|one| (one.producer, one.first));
        Ok(true)
    }

    /// Passes a batch of data. Returns whether its transaction was aborted.
    pub(crate) fn pass_data(&mut self, header: &BatchHeader) -> bool {
        if !header.is_transactional() {
            return false;
        }
        if self.with_data.len() < PRODUCERS_MAX {
            self.with_data.insert(header.producer_id);
        } else {
            self.is_full = true;
        }
        self.last_begun(header.producer_id, header.base_offset)
            .is_some_and(|aborted| header.base_offset < aborted.last)
    }

    /// Passes a marker. Returns whether a batch of its transaction may be in the log, and
    /// its entry in the index if the transaction was aborted.
    pub(crate) fn pass_marker(
        &mut self,
        header: &BatchHeader,
    ) -> (bool, Option<AbortedTransaction>) {
        let has_data = self.with_data.remove(&header.producer_id);
        let aborted = self.last_begun(header.producer_id, header.base_offset);
        let aborted = aborted.filter(|aborted| aborted.last == header.base_offset);
        (has_data || self.is_full, aborted)
    }

    /// The last aborted transaction of a producer that begins at or below `offset`.
    fn last_begun(&self, producer: ProducerId, offset: Offset) -> Option<AbortedTransaction> {
        let begun = |one: &AbortedTransaction| (one.producer, one.first) <= (producer, offset);
        let count = self.aborted.partition_point(begun);
        let last = self.aborted[..count].last()?;
        (last.producer == producer).then_some(*last)
    }
}
