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
    /// The first offset of the oldest transaction that is open.
    first_unstable: Option<Offset>,
    /// How many bytes were ever appended up to the high watermark, since the start:
    /// the difference of two readings says how much a reader can have in between.
    bytes: u64,
    pub(crate) sync_turn: SyncTurn,
    /// Where the oldest snapshot of producers begins that is on disk, or on its way there.
    pub(crate) oldest_snapshot: Option<Offset>,
}

impl Online {
    /// A log that was just opened: all of it is on disk.
    pub(crate) fn new(
        view: LogView,
        first_unstable: Option<Offset>,
        oldest_snapshot: Option<Offset>,
    ) -> Online {
        let end = view.log_end();
        Online {
            leadership: Leadership {
                epoch: LeaderEpoch::FIRST,
                high_watermark: end,
            },
            durable: end,
            first_unstable,
            bytes: 0,
            sync_turn: SyncTurn::default(),
            oldest_snapshot,
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
    pub(crate) fn appended(&mut self, view: LogView, size: usize, first_unstable: Option<Offset>) {
        self.first_unstable = first_unstable;
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

    /// Records may be deleted in the middle of a transaction that is open: what is left of
    /// it is not stable.
    pub(crate) fn ends(&self) -> Ends {
        let log_start = self.view.log_start();
        let high_watermark = self.leadership.high_watermark;
        let unstable = self.first_unstable.map(|first| first.max(log_start));
        Ends {
            log_start,
            durable: self.durable,
            last_stable: unstable.map_or(high_watermark, |first| first.min(high_watermark)),
            high_watermark,
            log_end: self.view.log_end(),
        }
    }
}
