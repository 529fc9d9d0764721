//! What a history says about each value and each offset.

use std::collections::{BTreeMap, HashMap};

use crate::anomaly::{Saw, Witness};
use crate::check::Flaw;
use crate::operation::{Action, Operation, Outcome, Partition, Record, Send};
use crate::report::Counts;

/// A history, by value and by offset.
pub(super) struct Index<'a> {
    pub(super) operations: &'a [Operation],
    /// The one send of each value.
    pub(super) sent: HashMap<u64, Sent<'a>>,
    /// Each value that was polled.
    pub(super) polled: HashMap<u64, Polled<'a>>,
    /// What each partition has, as far as it is known.
    pub(super) logs: HashMap<&'a Partition, Log>,
}

/// How a value was sent.
pub(super) struct Sent<'a> {
    pub(super) operation: usize,
    pub(super) send: &'a Send,
    /// Whether it is certain that the value should be in the log: it was acknowledged, or
    /// some value of its transaction was polled.
    pub(super) is_certain: bool,
}

/// Where a value was polled.
pub(super) struct Polled<'a> {
    /// The first poll of the value at each place.
    pub(super) places: Vec<(&'a Partition, i64, usize)>,
    /// The poll that returned it the earliest.
    pub(super) earliest: (usize, &'a Record),
}

/// What a partition has.
#[derive(Default)]
pub(super) struct Log {
    /// At each offset the values there, each with a witness. An offset comes from a poll, or
    /// from the answer to a send that is certain.
    pub(super) offsets: BTreeMap<i64, Vec<(u64, Witness)>>,
    /// At each offset that a poll returned, the first such poll.
    pub(super) polled: BTreeMap<i64, Witness>,
}

impl Sent<'_> {
    pub(super) fn witness(&self) -> Witness {
        Witness {
            operation: self.operation,
            saw: Saw::Sent(self.send.value, self.send.offset),
        }
    }
}

/// What the operation saw when it polled the record.
pub(super) fn witness_of_poll(operation: usize, record: &Record) -> Witness {
    Witness {
        operation,
        saw: Saw::Polled(record.value, record.offset),
    }
}

impl<'a> Index<'a> {
    pub(super) fn new(operations: &'a [Operation]) -> Result<Index<'a>, Flaw> {
        let mut index = Index {
            operations,
            sent: HashMap::new(),
            polled: HashMap::new(),
            logs: HashMap::new(),
        };
        index.check_order()?;
        index.collect_sends()?;
        index.collect_polls();
        index.collect_answers();
        Ok(index)
    }

    fn check_order(&self) -> Result<(), Flaw> {
        let mut last: HashMap<u32, u64> = HashMap::new();
        for (index, operation) in self.operations.iter().enumerate() {
            let last = last.entry(operation.process).or_default();
            if operation.invoked < *last {
                return Err(Flaw::OutOfOrder(index));
            }
            *last = operation.invoked;
            let never_asked = matches!(operation.action, Action::Transaction { ending: None, .. });
            if never_asked && operation.outcome == Outcome::Ok {
                return Err(Flaw::NotAsked(index));
            }
        }
        Ok(())
    }

    fn collect_sends(&mut self) -> Result<(), Flaw> {
        for (operation, done) in self.operations.iter().enumerate() {
            for send in done.sends() {
                let sent = Sent {
                    operation,
                    send,
                    is_certain: false,
                };
                if let Some(earlier) = self.sent.insert(send.value, sent) {
                    return Err(Flaw::SentTwice {
                        value: send.value,
                        first: earlier.operation,
                        second: operation,
                    });
                }
            }
        }
        Ok(())
    }

    fn collect_polls(&mut self) {
        for (operation, done) in self.operations.iter().enumerate() {
            for record in done.records() {
                let witness = witness_of_poll(operation, record);
                let log = self.logs.entry(&record.partition).or_default();
                log.note(record.offset, record.value, witness);
                log.polled.entry(record.offset).or_insert(witness);
                let first = || Polled {
                    places: Vec::new(),
                    earliest: (operation, record),
                };
                let polled = self.polled.entry(record.value).or_insert_with(first);
                let earliest = &self.operations[polled.earliest.0];
                if done.polled_by() < earliest.polled_by() {
                    polled.earliest = (operation, record);
                }
                let mut places = polled.places.iter();
                if !places.any(|place| *place.0 == record.partition && place.1 == record.offset) {
                    let place = (&record.partition, record.offset, operation);
                    polled.places.push(place);
                }
            }
        }
    }

    /// Finds the values that must be in the log. The offsets that the broker answered for
    /// these count.
    fn collect_answers(&mut self) {
        for (operation, done) in self.operations.iter().enumerate() {
            let was_polled = |send: &Send| self.polled.contains_key(&send.value);
            let is_certain = match done.outcome {
                Outcome::Ok => true,
                Outcome::Unknown => done.sends().any(was_polled),
                Outcome::Failed => false,
            };
            if !is_certain {
                continue;
            }
            for send in done.sends() {
                if let Some(sent) = self.sent.get_mut(&send.value) {
                    sent.is_certain = true;
                }
                if let Some(offset) = send.offset {
                    let saw = Saw::Sent(send.value, send.offset);
                    let log = self.logs.entry(&send.partition).or_default();
                    log.note(offset, send.value, Witness { operation, saw });
                }
            }
        }
    }

    /// Where the value of a send is: where the broker answered, else where it was first polled.
    pub(super) fn place(&self, send: &Send) -> Option<i64> {
        let polled = || {
            let places = &self.polled.get(&send.value)?.places;
            let here = places.iter().filter(|place| *place.0 == send.partition);
            here.map(|place| place.1).min()
        };
        send.offset.or_else(polled)
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for operation in self.operations {
            let sends = operation.sends().count();
            match operation.outcome {
                Outcome::Ok => counts.acknowledged += sends,
                Outcome::Failed => counts.failed += sends,
                Outcome::Unknown => {
                    let was_polled = |send: &&Send| self.polled.contains_key(&send.value);
                    counts.unknown += sends;
                    counts.unknown_read += operation.sends().filter(was_polled).count();
                }
            }
            counts.polled += operation.records().count();
            counts.transactions += usize::from(operation.is_transaction());
        }
        counts
    }
}

impl Log {
    fn note(&mut self, offset: i64, value: u64, witness: Witness) {
        let values = self.offsets.entry(offset).or_default();
        if values.iter().all(|(other, _)| *other != value) {
            values.push((value, witness));
        }
    }
}
