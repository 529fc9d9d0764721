//! The batches by which a producer's last sequence number is known.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::{Offset, ProducerId, Timestamp};
use record_batch::BatchHeader;

/// So many producers are remembered; a batch of any other is taken for its last one.
const PRODUCERS_MAX: usize = 100_000;
/// A producer that was silent for so long is forgotten, as Kafka's
/// `producer.id.expiration.ms` has it.
const EXPIRATION: Duration = Duration::from_hours(24);

/// The last batch of each producer in the section.
#[derive(Debug, Default)]
pub(crate) struct Producers(BTreeMap<ProducerId, Offset>);

impl Producers {
    /// Notes the next batch.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        let id = header.producer_id;
        let is_known = self.0.contains_key(&id);
        if id != ProducerId::NONE && (is_known || self.0.len() < PRODUCERS_MAX) {
            self.0.insert(id, header.base_offset);
        }
    }

    /// Whether a batch of which no record is left must stay, for it may be the last one
    /// of its producer.
    pub(crate) fn need(&self, header: &BatchHeader, now: Timestamp) -> bool {
        let last = self.0.get(&header.producer_id);
        header.producer_id != ProducerId::NONE
            && last.is_none_or(|last| *last <= header.base_offset)
            && now.since(header.newest()) < EXPIRATION
    }
}
