//! A broker with one partition, which checks the numbers of batches as Kafka's does.

use std::collections::VecDeque;

use message_model::Offset;

use super::super::part::{Answer, Identity, Number};

/// How many batches of a producer the broker remembers.
const REMEMBERED: usize = 5;

/// Consecutive records of the producer: the number of the first one, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Records {
    pub(super) first: u32,
    pub(super) count: u32,
}

impl Records {
    pub(super) fn all(self) -> impl Iterator<Item = u32> {
        self.first..self.first + self.count
    }
}

/// Its log, and what it knows of the one producer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Broker {
    /// Whether it looks at numbers at all.
    pub(super) checks: bool,
    /// The number of each record.
    pub(super) log: Vec<u32>,
    identity: Option<Identity>,
    /// The first number, the last number and the offset of the last batches.
    last: VecDeque<(i32, i32, i64)>,
}

impl Broker {
    pub(super) fn new(checks: bool) -> Broker {
        Broker {
            checks,
            log: Vec::new(),
            identity: None,
            last: VecDeque::new(),
        }
    }

    pub(super) fn produce(&mut self, records: Records, number: Option<Number>) -> Answer {
        match number {
            Some(number) if self.checks => self.produce_checked(records, number),
            _ => self.append(records),
        }
    }

    fn produce_checked(&mut self, records: Records, number: Number) -> Answer {
        let Number { identity, sequence } = number;
        let last_number = sequence + records.count.cast_signed() - 1;
        match self.identity {
            Some(known) if identity.epoch < known.epoch => {
                return Answer::Fatal(wire_protocol::ErrorCode(47));
            }
            Some(known) if identity.epoch == known.epoch => {
                let is_known = |one: &&(i32, i32, i64)| (one.0, one.1) == (sequence, last_number);
                if let Some((_, _, offset)) = self.last.iter().find(is_known) {
                    return Answer::Appended(Some(Offset(*offset)));
                }
                if self.last.back().is_some_and(|one| one.1 + 1 != sequence) {
                    return Answer::OutOfOrder;
                }
            }
            Some(_) if sequence != 0 => return Answer::OutOfOrder,
            // The first batch of a producer may have any number, as with Kafka: the
            // earlier ones may have been deleted.
            _ => self.last.clear(),
        }
        self.identity = Some(identity);
        let offset = i64::try_from(self.log.len()).expect("a short log");
        self.last.push_back((sequence, last_number, offset));
        if self.last.len() > REMEMBERED {
            self.last.pop_front();
        }
        self.append(records)
    }

    fn append(&mut self, records: Records) -> Answer {
        let offset = i64::try_from(self.log.len()).expect("a short log");
        self.log.extend(records.all());
        Answer::Appended(Some(Offset(offset)))
    }
}
