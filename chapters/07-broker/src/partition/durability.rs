//! The end up to which a partition is on disk, and the syncs that move it.

use std::sync::Arc;
use std::time::Duration;

use message_model::{Moment, Offset};
use wire_protocol::ErrorCode;

use super::{Online, Partition};
use crate::ends::End;
use crate::error::Error;
use crate::part::Woken;
use crate::services::once;

/// After a sync that several waited for, the next one waits until as many have
/// come back, but at most this part of the last one's duration. Without it the
/// first to come back syncs alone, the others wait for that sync and then for
/// their own, and half of the throughput is lost.
const COMPANY_PART: u32 = 4;

/// Whose turn it is to sync: one sync at a time, covering all who wait.
#[derive(Debug, Default)]
pub(crate) struct SyncTurn {
    /// A task of this partition syncs, or is about to.
    running: bool,
    /// That task waits for company.
    gathering: bool,
    /// The highest end that was asked for.
    wanted: Offset,
    /// How many asked since the last sync began.
    waiters: usize,
    /// How many the last sync was for, and how long it took.
    last: (usize, Duration),
}

/// What a request for a sync has changed.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Nothing: a sync is coming.
    Counted,
    /// The caller must start the syncing.
    Starts,
    /// The sync that is coming need not wait for company any longer.
    IsComplete,
}

impl SyncTurn {
    /// Asks for everything below `end`.
    fn ask(&mut self, end: Offset) -> Asked {
        self.wanted = self.wanted.max(end);
        self.waiters += 1;
        if !std::mem::replace(&mut self.running, true) {
            return Asked::Starts;
        }
        if self.gathering && self.waiters >= self.last.0 {
            self.gathering = false;
            return Asked::IsComplete;
        }
        Asked::Counted
    }

    /// How long the next sync waits for company: not at all after one that was for one request.
    fn gather(&mut self) -> Option<Duration> {
        let (count, took) = self.last;
        self.gathering = count > 1 && self.waiters < count;
        self.gathering.then_some(took / COMPANY_PART)
    }

    /// A sync begins: how many it is for.
    fn begin(&mut self) -> usize {
        self.gathering = false;
        std::mem::take(&mut self.waiters)
    }

    /// A sync for `count` has ended. Returns whether another one is wanted; if
    /// not, nobody syncs from now on.
    fn end(&mut self, durable: Offset, count: usize, took: Duration) -> bool {
        self.last = (count, took);
        self.running = self.wanted > durable;
        self.running
    }
}

impl Partition {
    /// Completes when everything below `end` is on disk. At most one sync of
    /// this partition runs at a time, and only if `end` is not on disk yet.
    ///
    /// # Errors
    /// Code 7 at `deadline`; when a sync fails, for the partition is offline from then on.
    // ANCHOR: durable
    pub async fn durable(self: &Arc<Self>, end: Offset, deadline: Moment) -> Result<(), Error> {
        let waits = &self.services.acknowledgements;
        let is_missing = |online: &mut Online| online.ends().durable < end;
        while self.online(is_missing)? {
            self.start_sync(end);
            let passes = [self.passes(End::Durable, end.plus(-1))];
            let still_needed = || self.online(is_missing).unwrap_or(false);
            if waits.any_passes(deadline, passes, still_needed).await != Woken::Moved {
                return Err(Error::Rejected(ErrorCode::REQUEST_TIMED_OUT));
            }
        }
        Ok(())
    }
    // ANCHOR_END: durable

    /// Begins a sync of everything below `end`, unless it is on disk or one is coming.
    pub(super) fn start_sync(self: &Arc<Self>, end: Offset) {
        let ask = |online: &mut Online| match online.ends().durable < end {
            true => online.sync_turn.ask(end),
            false => Asked::Counted,
        };
        match self.online(ask) {
            Ok(Asked::Starts) => {
                tokio::spawn(Arc::clone(self).sync_for_all());
            }
            Ok(Asked::IsComplete) => self.company.notify_one(),
            // An error says that the partition is offline: nothing is left to sync.
            Ok(Asked::Counted) | Err(_) => {}
        }
    }

    /// Completes when everything that was appended so far is on disk.
    ///
    /// # Errors
    /// As [`Partition::durable`], without a deadline.
    pub(crate) async fn sync_now(self: &Arc<Self>) -> Result<(), Error> {
        let end = self.ends()?.log_end;
        self.durable(end, Moment::after_start(Duration::MAX)).await
    }

    /// Syncs until everything is on disk that was asked for.
    // ANCHOR: sync
    async fn sync_for_all(self: Arc<Self>) {
        let clock = self.services.clock;
        loop {
            self.wait_for_company().await;
            let Ok((view, durable, count)) = self.online(|online| {
                let count = online.sync_turn.begin();
                (online.view().clone(), online.ends().durable, count)
            }) else {
                return;
            };
            let before = clock.now();
            let sync = move || view.sync(durable);
            let synced = once(&self.services.lanes.syncs, self.name.clone(), sync).await;
            let took = clock.now().since(before);
            let end = match synced {
                Ok(end) => end,
                Err(error) => {
                    tracing::error!("{} is offline: a sync failed: {error}", self.name);
                    return self.take_offline();
                }
            };
            let again = self.online(|online| {
                online.synced(end);
                online.sync_turn.end(end, count, took)
            });
            self.board.moved(&End::Durable, end);
            if !again.unwrap_or(false) {
                return;
            }
        }
    }
    // ANCHOR_END: sync

    async fn wait_for_company(&self) {
        if let Ok(Some(patience)) = self.online(|online| online.sync_turn.gather()) {
            let _came_or_not = tokio::time::timeout(patience, self.company.notified()).await;
        }
    }
}
