//! What a partition knows of one producer, beside its window.
//!
//! # Layout in a snapshot
//! last offset noted `i64`, -1 if there is none | epoch of the coordinator `i32`, -1 if there is
//! none | last sequence number `i32`, -1 if there is none in this epoch, -2 if there never was one |
//! first offset of the open transaction `i64`, -1 if it has written nothing, -2 if none is open.

use idempotence::{Kept, Unreadable};
use message_model::Offset;
use wire_protocol::Reader;

const NONE: i32 = -1;
/// No batch with numbers is known, of any epoch.
const NEVER: i32 = -2;
/// A transaction that has written nothing.
const EMPTY: i64 = -1;
/// No transaction.
const NOT_OPEN: i64 = -2;

// ANCHOR: state
/// What a partition knows of one producer, beside its window: chapter 19's table keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ProducerState {
    /// The number of its last record in the window's epoch, for the sequence (chapter 18).
    pub(super) last: Option<i32>,
    /// Whether a batch with numbers was noted, in this epoch or in an older one. If not, the
    /// producer has only been named by the coordinator or ended by a marker, perhaps because it was
    /// forgotten in between, and goes on with whatever number is its next.
    pub(super) has_numbers: bool,
    /// The lowest number with which a first batch was tried and not noted yet. If its append has failed,
    /// those behind it wait for it: the producer sends it again. A crash ends such requests.
    pub(super) tried: Option<i32>,
    /// Of the coordinator that has written the last marker.
    pub(super) coordinator_epoch: Option<i32>,
    /// The last offset of the last batch or marker that was noted; `None` if the producer
    /// has only been named by the coordinator.
    pub(super) noted: Option<Offset>,
    /// Its open transaction, with the first offset, if it has written something: what the
    /// partition's `OpenTransactions` has, for the snapshot.
    pub(super) transaction: Option<Option<Offset>>,
}
// ANCHOR_END: state

impl Kept for ProducerState {
    /// If a producer with an open transaction were forgotten, no marker would end the
    /// transaction, and readers would wait at it for ever.
    fn is_held(&self) -> bool {
        self.transaction.is_some()
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        let transaction = match self.transaction {
            Some(Some(first)) => first.0,
            Some(None) => EMPTY,
            None => NOT_OPEN,
        };
        bytes.extend(self.noted.map_or(-1, |offset| offset.0).to_be_bytes());
        bytes.extend(self.coordinator_epoch.unwrap_or(NONE).to_be_bytes());
        let none = if self.has_numbers { NONE } else { NEVER };
        bytes.extend(self.last.unwrap_or(none).to_be_bytes());
        bytes.extend(transaction.to_be_bytes());
    }

    fn take(bytes: &mut Reader<'_>) -> Result<ProducerState, Unreadable> {
        let noted = bytes.i64()?;
        let coordinator_epoch = bytes.i32()?;
        let last = bytes.i32()?;
        let transaction = bytes.i64()?;
        if noted < -1 || coordinator_epoch < NONE || last < NEVER || transaction < NOT_OPEN {
            return Err(Unreadable::Value);
        }
        Ok(ProducerState {
            last: Some(last).filter(|last| *last > NONE),
            has_numbers: last != NEVER,
            tried: None,
            coordinator_epoch: Some(coordinator_epoch).filter(|epoch| *epoch != NONE),
            noted: Some(Offset(noted)).filter(|offset| *offset >= Offset::ZERO),
            transaction: match transaction {
                NOT_OPEN => None,
                EMPTY => Some(None),
                first => Some(Some(Offset(first))),
            },
        })
    }
}
