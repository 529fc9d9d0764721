//! The partitions that are being processed, for the poll loop, the workers and the listener.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_model::Clock;
use client::ReadError;
use consumer::{Acks, Committed, Polled};
use message_model::{Moment, TopicPartition};
use tokio::sync::{Notify, watch};

use crate::part::schedule::Event;
use crate::processor::Processor;
use crate::settings::Settings;
use crate::stay::Stay;
use crate::worker::spawn_tasks;

/// What all of the tasks share. The lock is held for memory work only.
pub(crate) struct Shared<P> {
    pub(crate) processor: P,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    acks: Acks,
    state: Mutex<State>,
    /// Is sent when something was done.
    news: watch::Sender<()>,
    /// A partition has few records left that wait, or one cannot be read.
    pub(crate) hungry: Notify,
}

type Offsets = BTreeMap<TopicPartition, Committed>;
type Stays = BTreeMap<TopicPartition, Stay>;

#[derive(Default)]
struct State {
    stays: Stays,
    /// How many there were.
    count: u64,
    unreadable: Option<ReadError>,
}

/// Which stay of which partition a task works for.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) partition: TopicPartition,
    pub(crate) stay: u64,
}

impl<P: Processor> Shared<P> {
    pub(crate) fn new(
        processor: P,
        settings: Settings,
        clock: Clock,
        acks: Acks,
    ) -> Arc<Shared<P>> {
        Arc::new(Shared {
            processor,
            settings,
            clock,
            acks,
            state: Mutex::default(),
            news: watch::Sender::new(()),
            hungry: Notify::new(),
        })
    }

    /// Takes what a poll has returned; the partition's stay begins with its first records.
    pub(crate) fn polled(self: &Arc<Self>, polled: Polled) {
        let mut state = self.lock();
        let partition = polled.partition.clone();
        if !state.stays.contains_key(&partition) {
            state.count += 1;
            let place = Place {
                partition: partition.clone(),
                stay: state.count,
            };
            let start = polled.work.offsets.start;
            let tasks = spawn_tasks(self, &place);
            let stay = Stay::new(place.stay, start, self.settings.limits, tasks);
            state.stays.insert(partition.clone(), stay);
        }
        if let Some(stay) = state.stays.get_mut(&partition) {
            stay.push(polled);
        }
        self.go_on(&mut state, &partition);
    }

    /// Notes what has become of a record. `worker` is idle again, if it was one.
    pub(crate) fn happened(&self, place: &Place, worker: Option<usize>, event: Event) {
        let mut state = self.lock();
        let stay = state.stays.get_mut(&place.partition);
        let Some(stay) = stay.filter(|stay| stay.number == place.stay) else {
            return;
        };
        worker.into_iter().for_each(|worker| stay.came_back(worker));
        stay.step(self.clock.now(), event);
        self.go_on(&mut state, &place.partition);
    }

    /// Lets all know that the pauses are over that are over.
    pub(crate) fn tick(&self) {
        let now = self.clock.now();
        let mut state = self.lock();
        for stay in state.stays.values_mut() {
            if stay
                .scheduler
                .next_deadline()
                .is_some_and(|next| next <= now)
            {
                stay.step(now, Event::Tick);
            }
        }
    }

    /// Fills the partition's window, and forgets what is done.
    fn go_on(&self, state: &mut State, partition: &TopicPartition) {
        if let Some(stay) = state.stays.get_mut(partition) {
            let had_enough = stay.has_enough();
            let filled = stay.fill(self.clock.now());
            stay.tidy(&self.acks);
            if had_enough && !stay.has_enough() || filled.is_err() {
                self.hungry.notify_one();
            }
            state.unreadable = filled.err().or(state.unreadable.take());
        }
        self.news.send_replace(());
    }

    /// The error of a batch that cannot be read, if one was met.
    pub(crate) fn unreadable(&self) -> Option<ReadError> {
        self.lock().unreadable
    }

    /// When the next pause is over.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        let state = self.lock();
        let stays = state.stays.values();
        stays
            .filter_map(|stay| stay.scheduler.next_deadline())
            .min()
    }

    /// Returns the partitions that have enough, and those that have not.
    pub(crate) fn by_need(&self) -> (BTreeSet<TopicPartition>, BTreeSet<TopicPartition>) {
        let state = self.lock();
        let named = |has_enough: bool| {
            let stays = state.stays.iter();
            let wanted = stays.filter(|(_, stay)| stay.has_enough() == has_enough);
            wanted.map(|(partition, _)| partition.clone()).collect()
        };
        (named(true), named(false))
    }

    /// Returns the frontiers that are not committed.
    pub(crate) fn to_commit(&self) -> Offsets {
        let state = self.lock();
        let stays = state.stays.iter();
        let moved = stays.filter(|(_, stay)| stay.committed != Some(stay.scheduler.frontier()));
        moved.map(frontier).collect()
    }

    /// Notes that these are committed.
    pub(crate) fn committed(&self, frontiers: &Offsets) {
        let mut state = self.lock();
        for (partition, frontier) in frontiers {
            if let Some(stay) = state.stays.get_mut(partition) {
                stay.committed = Some(frontier.offset);
            }
        }
    }

    /// Begins nothing above what was begun of these partitions, and returns their frontiers
    /// when everything below is settled, or when patience ends.
    pub(crate) async fn drain(&self, partitions: &BTreeSet<TopicPartition>) -> Offsets {
        // Subscribed to before anything is looked at.
        let mut news = self.news.subscribe();
        let deadline = self.revoke(partitions);
        loop {
            news.mark_unchanged();
            if self.are_drained(partitions) || self.clock.now() >= deadline {
                break;
            }
            let next = self.next_deadline().unwrap_or(deadline);
            tokio::select! {
                _ = news.changed() => {}
                () = self.clock.sleep_until(next.min(deadline)) => self.tick(),
            }
        }
        let state = self.lock();
        let stays = state.stays.iter();
        let named = stays.filter(|(partition, _)| partitions.contains(partition));
        named.map(frontier).collect()
    }

    /// Returns when the patience with these partitions ends.
    fn revoke(&self, partitions: &BTreeSet<TopicPartition>) -> Moment {
        let now = self.clock.now();
        let deadline = now.plus(self.settings.drain_patience);
        let mut state = self.lock();
        let named = partitions.iter();
        let deadlines = named.filter_map(|partition| {
            let stay = state.stays.get_mut(partition)?;
            stay.revoke(now, deadline);
            stay.drain_by
        });
        deadlines.max().unwrap_or(deadline)
    }

    fn are_drained(&self, partitions: &BTreeSet<TopicPartition>) -> bool {
        let state = self.lock();
        let mut named = partitions.iter().filter_map(|one| state.stays.get(one));
        named.all(|stay| stay.is_drained)
    }

    /// Ends the stays of these partitions. Their tasks end when they have nothing in hand.
    pub(crate) fn forget(&self, partitions: &BTreeSet<TopicPartition>) {
        let mut state = self.lock();
        state
            .stays
            .retain(|partition, _| !partitions.contains(partition));
    }

    /// The partitions that are processed.
    pub(crate) fn partitions(&self) -> BTreeSet<TopicPartition> {
        self.lock().stays.keys().cloned().collect()
    }

    /// Nothing panics while it holds the lock, except the part, which ends the process.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What to commit of a partition.
fn frontier((partition, stay): (&TopicPartition, &Stay)) -> (TopicPartition, Committed) {
    let committed = Committed {
        offset: stay.scheduler.frontier(),
        metadata: String::new(),
    };
    (partition.clone(), committed)
}
