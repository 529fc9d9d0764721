//! What a partition keeps under its short lock.

use log_storage::LogView;
use message_model::{LeaderEpoch, Offset};

use crate::ends::Ends;
use crate::partition::durability::SyncTurn;

/// What this broker is to the partition.
#[derive(Debug)]
pub(crate) enum Role {
    /// It takes records and answers readers.
    Leader(Online),
    /// The log could not be opened, a sync failed, or the topic is gone.
    Offline,
}

/// The leader, and what it has promised. There is one copy of the log,
/// so the high watermark follows the log end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leadership {
    pub(crate) epoch: LeaderEpoch,
    pub(crate) high_watermark: Offset,
}

/// A partition that is served.
#[derive(Debug)]
pub(crate) struct Online {
    view: LogView,
    leadership: Leadership,
    durable: Offset,
    /// How many bytes were ever appended up to the high watermark, since the start:
    /// the difference of two readings says how much a reader can have in between.
    bytes: u64,
    pub(crate) sync_turn: SyncTurn,
}

impl Online {
    /// A log that was just opened: all of it is on disk.
    pub(crate) fn new(view: LogView) -> Online {
        let end = view.log_end();
        Online {
            leadership: Leadership {
                epoch: LeaderEpoch::FIRST,
                high_watermark: end,
            },
            durable: end,
            bytes: 0,
            sync_turn: SyncTurn::default(),
            view,
        }
    }

    pub(crate) fn view(&self) -> &LogView {
        &self.view
    }

    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The log after an append of `size` bytes.
    pub(crate) fn appended(&mut self, view: LogView, size: usize) {
        self.leadership.high_watermark = view.log_end();
        self.bytes += size as u64;
        self.replace(view);
    }

    /// The log after its start has moved.
    pub(crate) fn replace(&mut self, view: LogView) {
        self.view = view;
        self.ends().check();
    }

    /// Everything below `end` is on disk.
    pub(crate) fn synced(&mut self, end: Offset) {
        self.durable = self.durable.max(end);
        self.ends().check();
    }

    /// There are no transactions before chapter 20: all that a consumer sees is stable.
    pub(crate) fn ends(&self) -> Ends {
        let log_start = self.view.log_start();
        Ends {
            log_start,
            durable: self.durable,
            last_stable: self.leadership.high_watermark,
            high_watermark: self.leadership.high_watermark,
            log_end: self.view.log_end(),
        }
    }
}
