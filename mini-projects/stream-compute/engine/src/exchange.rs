//! What is between two tasks: a bounded channel from each subtask of one to each of the other, or
//! from each to the one that gets all its records.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::element::{Element, Record};
use crate::error::Error;
use crate::key::{Grouped, subtask_of};
use crate::snapshot::Subtask;

/// How many records go together.
pub(crate) const BATCH: usize = 1024;
/// How many batches may be on their way in one channel.
const CHANNEL_BATCHES: usize = 4;

/// An edge of the job's graph. Its channels are made anew each time the job begins.
pub(crate) struct Edge<T> {
    pub(crate) number: usize,
    pub(crate) route: Route<T>,
    /// By sending subtask, which takes them when it connects.
    senders: Arc<Mutex<Vec<Senders<T>>>>,
}

/// One to each receiving subtask.
type Senders<T> = Vec<Sender<Element<T>>>;

/// To which subtask a record goes.
pub(crate) enum Route<T> {
    /// Always from one to one, so records keep their order.
    Straight,
    /// To each in turn.
    InTurn,
    /// To the one that has the key group.
    ByGroup(fn(&T) -> u16),
}

impl<T> Clone for Route<T> {
    fn clone(&self) -> Route<T> {
        *self
    }
}

impl<T> Copy for Route<T> {}

impl<K, V> Grouped<K, V> {
    pub(crate) fn group(&self) -> u16 {
        self.place.group
    }
}

impl<T> Clone for Edge<T> {
    fn clone(&self) -> Edge<T> {
        Edge {
            number: self.number,
            route: self.route,
            senders: Arc::clone(&self.senders),
        }
    }
}

impl<T> fmt::Debug for Edge<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edge({})", self.number)
    }
}

impl<T> Edge<T> {
    pub(crate) fn new(number: usize, route: Route<T>) -> Edge<T> {
        Edge {
            number,
            route,
            senders: Arc::default(),
        }
    }

    /// Makes the channels; returns the receivers of each receiving subtask. If each of them gets the
    /// records of one sender, it has a channel from no other: watermarks and barriers go through all
    /// channels, and 128 senders to each of 128 receivers are 16,384.
    pub(crate) fn wire(&self, from: usize, to: usize) -> Vec<Vec<Receiver<Element<T>>>> {
        let is_one_to_one = matches!(self.route, Route::Straight) && from == to;
        let mut receivers: Vec<Vec<_>> = (0..to).map(|_| Vec::new()).collect();
        let mut senders = Vec::new();
        for index in 0..from {
            let mut row = Vec::new();
            let mine = if is_one_to_one {
                index..index + 1
            } else {
                0..to
            };
            for receivers in &mut receivers[mine] {
                let (sender, receiver) = channel(CHANNEL_BATCHES);
                row.push(sender);
                receivers.push(receiver);
            }
            senders.push(row);
        }
        *self.senders.lock().unwrap_or_else(PoisonError::into_inner) = senders;
        receivers
    }

    /// The sending end of a subtask. Each takes its own, once.
    pub(crate) fn connect(&self, subtask: Subtask, key_groups: u16) -> Exchange<T> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = std::mem::take(&mut senders[subtask.index]);
        let straight = subtask.index * senders.len() / subtask.count;
        let target = |sender| Target {
            sender,
            batch: Vec::new(),
            waiting: VecDeque::new(),
        };
        Exchange {
            route: self.route,
            key_groups,
            current: straight,
            count: 0,
            targets: senders.into_iter().map(target).collect(),
        }
    }
}

/// The sending end of an edge, of one subtask.
pub(crate) struct Exchange<T> {
    route: Route<T>,
    key_groups: u16,
    /// The target of the next record that goes to whichever.
    current: usize,
    /// How many records went in turn to `current`.
    count: usize,
    targets: Vec<Target<T>>,
}

struct Target<T> {
    sender: Sender<Element<T>>,
    /// Records that are not on their way yet, behind all that is in `waiting`.
    batch: Vec<Record<T>>,
    waiting: VecDeque<Element<T>>,
}

impl<T: Send> Exchange<T> {
    // ANCHOR: record
    pub(crate) fn record(&mut self, record: Record<T>) {
        let count = self.targets.len();
        let target = match self.route {
            Route::Straight => self.current,
            Route::InTurn => {
                self.count += 1;
                if self.count > BATCH {
                    self.count = 1;
                    self.current = (self.current + 1) % count;
                }
                self.current
            }
            Route::ByGroup(group_of) => subtask_of(group_of(&record.value), self.key_groups, count),
        };
        let target = &mut self.targets[target];
        if target.batch.capacity() == 0 {
            target.batch.reserve_exact(BATCH);
        }
        target.batch.push(record);
        if target.batch.len() == BATCH {
            target.close_batch();
        }
    }
    // ANCHOR_END: record

    /// Behind all records so far, to each target.
    pub(crate) fn broadcast(&mut self, element: impl Fn() -> Element<T>) {
        for target in &mut self.targets {
            target.close_batch();
            target.waiting.push_back(element());
        }
    }

    /// Sends what is full, or everything; waits for room.
    pub(crate) async fn send(&mut self, everything: bool) -> Result<(), Error> {
        for target in &mut self.targets {
            if everything {
                target.close_batch();
            }
            while let Some(element) = target.waiting.pop_front() {
                let sent = target.sender.send(element).await;
                sent.map_err(|_| Error::Neighbour)?;
            }
        }
        Ok(())
    }
}

impl<T> Target<T> {
    fn close_batch(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.waiting.push_back(Element::Batch(batch));
        }
    }
}

#[cfg(test)]
mod tests {
    use message_model::Timestamp;

    use super::*;

    /// By receiving subtask, how many channels it has, and what comes first of what each of the
    /// senders sends, which is its index.
    fn received(route: Route<usize>, from: usize, to: usize) -> Vec<(usize, Vec<usize>)> {
        let edge = Edge::new(0, route);
        let receivers = edge.wire(from, to);
        for index in 0..from {
            let subtask = Subtask { index, count: from };
            let mut exchange = edge.connect(subtask, 128);
            exchange.record(Record {
                time: Timestamp(0),
                value: index,
            });
            exchange.targets.iter_mut().for_each(Target::close_batch);
            for target in &mut exchange.targets {
                for element in target.waiting.drain(..) {
                    assert!(target.sender.try_send(element).is_ok());
                }
            }
        }
        let values = |receiver: &mut Receiver<Element<usize>>| match receiver.try_recv() {
            Ok(Element::Batch(records)) => records.into_iter().map(|record| record.value).collect(),
            _ => Vec::new(),
        };
        let of_one = |mut receivers: Vec<_>| {
            let count = receivers.len();
            (count, receivers.iter_mut().flat_map(values).collect())
        };
        receivers.into_iter().map(of_one).collect()
    }

    #[test]
    fn one_to_one_there_is_one_channel_for_each_and_records_stay_in_their_subtask() {
        let one = |index| (1, vec![index]);
        assert_eq!(received(Route::Straight, 3, 3), [one(0), one(1), one(2)]);
        // The others get watermarks and barriers of all.
        let few = [(2, vec![0]), (2, vec![]), (2, vec![1]), (2, vec![])];
        assert_eq!(received(Route::Straight, 2, 4), few);
        let by_group = received(Route::ByGroup(|_| 127), 2, 2);
        assert_eq!(by_group, [(2, vec![]), (2, vec![0, 1])]);
    }
}
