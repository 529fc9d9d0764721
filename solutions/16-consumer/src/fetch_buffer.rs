//! What was fetched and not taken yet, and what is to be fetched next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use message_model::Offset;
use tokio::sync::watch;

/// Between the loops that fetch, one for each broker, and the application that takes.
///
/// A partition has a *position*: where the next fetch of it begins. A seek changes it, so
/// what was fetched for the old one is of no use any more, whether it is in the buffer or
/// still on its way.
///
/// # Invariants
/// - Of each partition chunks are taken in order, without a gap, from the last seek on.
/// - Nothing that was fetched before a seek is taken after it.
/// - Nothing is asked for while `bytes_max` bytes or more wait here. So the buffer holds
///   less than that, and one answer of each broker.
#[derive(Debug)]
pub struct FetchBuffer<P, R> {
    state: Mutex<State<P, R>>,
    /// Is sent with each change, so that a waiting task sees those that came before it waits.
    changes: watch::Sender<()>,
    bytes_max: usize,
}

/// That a partition is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want<P> {
    /// The partition to fetch from.
    pub partition: P,
    /// From where on.
    pub from: Offset,
    /// How often the partition had sought, or been added, when this was wanted.
    pub seeks: u64,
}

/// What a fetch brought for a [`Want`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched<P, R> {
    /// For what.
    pub want: Want<P>,
    /// What came: records, or why there are none.
    pub records: R,
    /// How much memory `records` takes.
    pub bytes: usize,
    /// Where the next fetch begins. `None`: nowhere, until the application seeks, because
    /// the partition cannot be read here.
    pub next: Option<Offset>,
}

/// What the application takes: one fetch of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk<P, R> {
    /// Of which partition.
    pub partition: P,
    /// The records that the fetch brought, also those below `from`.
    pub records: R,
    /// The offset that was asked for; records below it are not wanted.
    pub from: Offset,
}

#[derive(Debug)]
struct State<P, R> {
    partitions: BTreeMap<P, Partition<P, R>>,
    /// The partitions that have chunks, in the order in which they are next.
    turns: VecDeque<P>,
    /// Of all chunks.
    bytes: usize,
    seeks: u64,
    is_closed: bool,
}

#[derive(Debug)]
struct Partition<P, R> {
    /// The id of the broker that leads the partition.
    node: i32,
    position: Option<Offset>,
    seeks: u64,
    is_paused: bool,
    chunks: VecDeque<Fetched<P, R>>,
}

impl<P: Ord + Clone, R> FetchBuffer<P, R> {
    /// Returns a buffer without partitions.
    #[must_use]
    pub fn new(bytes_max: usize) -> FetchBuffer<P, R> {
        FetchBuffer {
            state: Mutex::new(State {
                partitions: BTreeMap::new(),
                turns: VecDeque::new(),
                bytes: 0,
                seeks: 0,
                is_closed: false,
            }),
            changes: watch::Sender::new(()),
            bytes_max,
        }
    }

    /// Adds a partition that `node` leads, to be read from `position` on. What was here of
    /// it is dropped. It is not paused.
    pub fn add(&self, partition: P, node: i32, position: Offset) {
        self.change(|state| {
            state.forget_chunks(&partition);
            state.seeks += 1;
            let added = Partition {
                node,
                position: Some(position),
                seeks: state.seeks,
                is_paused: false,
                chunks: VecDeque::new(),
            };
            state.partitions.insert(partition, added);
        });
    }

    /// Removes a partition, and what was fetched of it.
    pub fn remove(&self, partition: &P) {
        self.change(|state| {
            state.forget_chunks(partition);
            state.partitions.remove(partition);
        });
    }

    /// Makes `position` the place where `partition` is read next. A partition that is paused
    /// stays paused.
    pub fn seek(&self, partition: &P, position: Offset) {
        // task 16.4: what was fetched for another place is of no use
        self.change(|state| {
            state.forget_chunks(partition);
            state.seeks += 1;
            let seeks = state.seeks;
            if let Some(here) = state.partitions.get_mut(partition) {
                here.position = Some(position);
                here.seeks = seeks;
            }
        });
        // end
    }

    /// Stops or goes on to fetch and to hand out `partition`. What was fetched of it is
    /// kept meanwhile.
    pub fn set_paused(&self, partition: &P, is_paused: bool) {
        self.change(|state| {
            if let Some(partition) = state.partitions.get_mut(partition) {
                partition.is_paused = is_paused;
            }
        });
    }

    /// Makes `node` the broker that is asked for `partition`. A fetch that is on its way from
    /// the broker before it may still be answered.
    pub fn set_node(&self, partition: &P, node: i32) {
        self.change(|state| {
            if let Some(partition) = state.partitions.get_mut(partition) {
                partition.node = node;
            }
        });
    }

    /// Ends the loops, and everything that waits in [`take`](FetchBuffer::take).
    pub fn close(&self) {
        self.change(|state| state.is_closed = true);
    }

    /// Returns whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Returns what `node` is to be asked for: of the partitions that it leads those that
    /// are not paused, have a position, and have less than an even share of `bytes_max`
    /// waiting. Nothing if the buffer is full.
    #[must_use]
    pub fn wants(&self, node: i32) -> Vec<Want<P>> {
        let state = self.lock();
        if state.bytes >= self.bytes_max {
            return Vec::new();
        }
        let share = self.bytes_max / state.partitions.len().max(1);
        let partitions = state.partitions.iter();
        let led = partitions.filter(|(_, partition)| partition.node == node);
        led.filter_map(|(name, partition)| {
            let waiting: usize = partition.chunks.iter().map(|chunk| chunk.bytes).sum();
            let is_wanted = !partition.is_paused && (waiting == 0 || waiting < share);
            Some(Want {
                partition: name.clone(),
                from: partition.position.filter(|_| is_wanted)?,
                seeks: partition.seeks,
            })
        })
        .collect()
    }

    /// Keeps what a fetch brought, if it is still wanted.
    ///
    /// - Its partition is here, and has not sought since the fetch was asked for.
    /// - The partition's position is still where the fetch began. If the leader has moved
    ///   meanwhile, two brokers were asked for the same offsets. The first answer counts.
    pub fn put(&self, fetched: Vec<Fetched<P, R>>) {
        // task 16.4: keep what is still wanted
        self.change(|state| {
            for fetched in fetched {
                let Some(partition) = state.partitions.get_mut(&fetched.want.partition) else {
                    continue;
                };
                if partition.seeks != fetched.want.seeks {
                    continue;
                }
                if partition.position != Some(fetched.want.from) {
                    continue;
                }
                partition.position = fetched.next;
                if partition.chunks.is_empty() {
                    state.turns.push_back(fetched.want.partition.clone());
                }
                state.bytes += fetched.bytes;
                partition.chunks.push_back(fetched);
            }
        });
        // end
    }

    /// Returns the next chunk, if there is one of a partition that is not paused. The
    /// partitions take turns.
    #[must_use]
    pub fn try_take(&self) -> Option<Chunk<P, R>> {
        self.try_take_of(|_| true)
    }

    /// As [`try_take`](FetchBuffer::try_take), and passes over partitions that are not
    /// `wanted` now.
    #[must_use]
    pub fn try_take_of(&self, wanted: impl Fn(&P) -> bool) -> Option<Chunk<P, R>> {
        let mut state = self.lock();
        let chunk = state.take(wanted);
        drop(state);
        if chunk.is_some() {
            self.changes.send_replace(());
        }
        chunk
    }

    /// Returns the next chunk, and waits for one; `None` if the buffer is closed. It may be
    /// dropped while it waits, and then has taken nothing.
    pub async fn take(&self) -> Option<Chunk<P, R>> {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            if let Some(chunk) = self.try_take() {
                return Some(chunk);
            }
            if self.is_closed() || changes.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Returns what hears of the changes. `changed()` of it returns at once if there was one
    /// since it last returned, or since `mark_unchanged()`.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Returns how many bytes wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn change(&self, change: impl FnOnce(&mut State<P, R>)) {
        change(&mut self.lock());
        self.changes.send_replace(());
    }

    /// Nothing panics while it holds the lock; if something did, the maps are whole.
    fn lock(&self) -> MutexGuard<'_, State<P, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Ord + Clone, R> State<P, R> {
    fn take(&mut self, wanted: impl Fn(&P) -> bool) -> Option<Chunk<P, R>> {
        let is_next = |name: &P| {
            let partition = self.partitions.get(name);
            partition.is_some_and(|partition| !partition.is_paused) && wanted(name)
        };
        let turn = self.turns.iter().position(is_next)?;
        let name = self.turns.remove(turn)?;
        let partition = self.partitions.get_mut(&name)?;
        let fetched = partition.chunks.pop_front()?;
        self.bytes -= fetched.bytes;
        if !partition.chunks.is_empty() {
            self.turns.push_back(name.clone());
        }
        Some(Chunk {
            partition: name,
            records: fetched.records,
            from: fetched.want.from,
        })
    }

    fn forget_chunks(&mut self, name: &P) {
        if let Some(partition) = self.partitions.get_mut(name) {
            let dropped = std::mem::take(&mut partition.chunks);
            self.bytes -= dropped.iter().map(|chunk| chunk.bytes).sum::<usize>();
            self.turns.retain(|turn| turn != name);
        }
    }
}
