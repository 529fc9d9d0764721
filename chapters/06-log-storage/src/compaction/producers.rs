//! The batches by which a producer's epoch and last sequence number are known.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use record_batch::BatchHeader;

/// So many producers are remembered; a batch of any other is taken for its last one.
pub(crate) const PRODUCERS_MAX: usize = 100_000;
/// A producer that was silent for so long is forgotten, as Kafka's
/// `producer.id.expiration.ms` has it.
const EXPIRATION: Duration = Duration::from_hours(24);

/// What the section has of each producer.
#[derive(Debug, Default)]
pub(crate) struct Producers(BTreeMap<ProducerId, Last>);

/// The last batches of a producer in its newest epoch.
#[derive(Debug, Clone, Copy)]
struct Last {
    epoch: ProducerEpoch,
    /// It has the last sequence number.
    data: Option<Offset>,
    /// Where there is no data, a marker alone tells the epoch: one that fences the producer off
    /// has a newer one than the data.
    marker: Option<Offset>,
}

impl Producers {
    /// Notes the next batch.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        let (id, epoch) = (header.producer_id, header.producer_epoch);
        let is_known = self.0.contains_key(&id);
        if id == ProducerId::NONE || (!is_known && self.0.len() >= PRODUCERS_MAX) {
            return;
        }
        let nothing = Last {
            epoch,
            data: None,
            marker: None,
        };
        let last = self.0.entry(id).or_insert(nothing);
        if last.epoch != epoch {
            *last = nothing;
        }
        let newest = match header.is_control() {
            true => &mut last.marker,
            false => &mut last.data,
        };
        *newest = Some(header.base_offset);
    }

    /// Whether a batch of which no record is left must stay, for it may be the last one
    /// of its producer.
    pub(crate) fn need(&self, header: &BatchHeader, now: Timestamp) -> bool {
        let is_last = self.0.get(&header.producer_id).is_none_or(|last| {
            let (is_told, newest) = match header.is_control() {
                true => (last.data.is_some(), last.marker),
                false => (false, last.data),
            };
            last.epoch == header.producer_epoch
                && !is_told
                && newest.is_none_or(|newest| newest <= header.base_offset)
        });
        header.producer_id != ProducerId::NONE && is_last && now.since(header.newest()) < EXPIRATION
    }
}
