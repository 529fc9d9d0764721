//! What the broker compacts its topics with: the rule of chapter 15, the codecs of chapter 12.

use consumer_groups as rule;
use log_storage::{Candidate, Compactor, DirtySection};
use message_model::{Offset, OffsetRange, Timestamp};
use record_batch::Opening;

/// What the cleaner works with, which takes so many bytes of memory for the keys of a section.
#[must_use]
pub fn compactor(memory: usize, opening: Opening) -> Compactor {
    Compactor {
        section,
        memory,
        opening,
        close: compression::close_batch,
    }
}

fn section(start: Offset, memory: usize) -> Box<dyn DirtySection> {
    let keys_max = rule::DirtySection::keys_in(memory);
    Box::new(Section(rule::DirtySection::new(start, keys_max)))
}

/// The part's section, as a log sees it.
#[derive(Debug)]
struct Section(rule::DirtySection);

// ANCHOR: section
impl DirtySection for Section {
    fn note(&mut self, offset: Offset, key: Option<&[u8]>) -> bool {
        self.0.note(offset, key)
    }

    fn pass(&mut self, end: Offset) {
        self.0.pass(end);
    }

    fn end(&self) -> Offset {
        self.0.range().end
    }

    fn survives(&self, record: &Candidate<'_>, horizon: Option<Timestamp>, now: Timestamp) -> bool {
        let newest = record.key.and_then(|key| self.0.newest(key));
        let record = rule::Candidate {
            offset: record.offset,
            key: record.key,
            has_value: record.has_value,
        };
        rule::survives(&record, newest, horizon, now)
    }

    fn horizon(
        &self,
        batch: OffsetRange,
        given: Option<Timestamp>,
        next: Timestamp,
    ) -> Option<Timestamp> {
        rule::delete_horizon(self.0.range(), batch, given, next)
    }
}
// ANCHOR_END: section
