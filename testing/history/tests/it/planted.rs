//! A fault of each kind, planted at a random place of a correct history, is found there.

use std::collections::{BTreeMap, BTreeSet};

use history::{Action, Kind, Operation, Outcome, Record, Send, Step, check};
use proptest::prelude::*;

use crate::model::Model;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn a_planted_fault_is_found(seed: u64) {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::SendSkip) {
            let mut planting = Planting::new(seed);
            // A short history may have no place for a fault.
            let Some(value) = planting.plant(kind) else {
                prop_assert!(planting.history.len() < 300, "no place for a {kind}");
                continue;
            };
            let report = check(&planting.history).unwrap();
            let sees = |anomaly: &&history::Anomaly| {
                let saw = anomaly.witnesses.iter().any(|witness| match witness.saw {
                    history::Saw::Sent(seen, _) | history::Saw::Polled(seen, _) => seen == value,
                    history::Saw::Sought(_) => false,
                });
                anomaly.kind == kind && saw
            };
            let is_found = report.anomalies.iter().any(|anomaly| sees(&anomaly));
            let text = report.explain(&planting.history, history::Promise::Transactional);
            prop_assert!(is_found, "{kind} of {value} is not in\n{text}");
        }
    }
}

struct Planting {
    random: fastrand::Rng,
    history: Vec<Operation>,
}

impl Planting {
    fn new(seed: u64) -> Planting {
        let mut random = fastrand::Rng::with_seed(seed);
        let operations = random.usize(30..600);
        Planting {
            history: Model::run(seed, 3, 5, operations).history,
            random,
        }
    }

    /// Plants a fault, and returns a value that the proof of it names.
    fn plant(&mut self, kind: Kind) -> Option<u64> {
        match kind {
            Kind::InconsistentOffset => self.another_value(),
            Kind::Duplicate => self.another_offset(),
            Kind::Phantom => self.never_sent(),
            Kind::LostWrite => self.gone(false),
            Kind::Unseen => self.gone(true),
            Kind::AbortedRead => self.read_although_failed(),
            Kind::UncommittedRead => self.read_before_commit(),
            Kind::PollSkip => self.passed_over(),
            Kind::NonmonotonicPoll => self.read_again(),
            Kind::NonmonotonicSend => self.swapped(Outcome::Ok),
            Kind::LateSend => self.swapped(Outcome::Unknown),
            Kind::SendSkip => None,
        }
    }

    fn sends(&self) -> Vec<(usize, Send)> {
        let operations = self.history.iter().enumerate();
        let sends =
            operations.flat_map(|(at, done)| done.sends().map(move |send| (at, send.clone())));
        sends.collect()
    }

    fn records(&self) -> Vec<(usize, Record)> {
        let operations = self.history.iter().enumerate();
        let all =
            operations.flat_map(|(at, done)| done.records().map(move |one| (at, one.clone())));
        all.collect()
    }

    /// The lists of records of an operation.
    fn lists(operation: &mut Operation) -> Vec<&mut Vec<Record>> {
        match &mut operation.action {
            Action::Poll(records) => vec![records],
            Action::Transaction { steps, .. } => {
                let polls = steps.iter_mut().filter_map(|step| match step {
                    Step::Poll(records) => Some(records),
                    Step::Send(_) => None,
                });
                polls.collect()
            }
            _ => Vec::new(),
        }
    }

    fn change_records(&mut self, operation: usize, mut change: impl FnMut(&mut Vec<Record>)) {
        let lists = Planting::lists(&mut self.history[operation]);
        lists.into_iter().for_each(&mut change);
    }

    /// A record that one poll returned and another one too; the second of them.
    fn read_twice(&mut self) -> Option<(usize, Record)> {
        let mut seen = BTreeSet::new();
        let again = self
            .records()
            .into_iter()
            .filter(|(_, record)| !seen.insert(record.value));
        let again: Vec<(usize, Record)> = again.collect();
        self.random.choice(again)
    }

    fn another_value(&mut self) -> Option<u64> {
        let (operation, record) = self.read_twice()?;
        let records = self.records();
        let others = records.iter().filter(|(_, other)| {
            other.partition == record.partition && other.value != record.value
        });
        let other = self.random.choice(others.collect::<Vec<_>>())?.1.value;
        self.change_records(operation, |list| {
            let mut list = list.iter_mut();
            if let Some(found) = list.find(|found| **found == record) {
                found.value = other;
            }
        });
        Some(other)
    }

    fn another_offset(&mut self) -> Option<u64> {
        let (operation, record) = self.random.choice(self.records())?;
        let ends = self
            .records()
            .into_iter()
            .filter(|(_, other)| other.partition == record.partition);
        let end = ends.map(|(_, record)| record.offset).max()? + 100;
        let again = Record {
            offset: end,
            ..record.clone()
        };
        self.change_records(operation, |list| {
            if list.contains(&record) {
                list.push(again.clone());
            }
        });
        Some(record.value)
    }

    fn never_sent(&mut self) -> Option<u64> {
        let (operation, record) = self.random.choice(self.records())?;
        self.change_records(operation, |list| {
            for found in list.iter_mut().filter(|found| **found == record) {
                found.value = u64::MAX;
            }
        });
        Some(u64::MAX)
    }

    /// An acknowledged value that nobody reads, nor what is behind it if the log `ends` there.
    fn gone(&mut self, ends: bool) -> Option<u64> {
        let mut last: BTreeMap<_, i64> = BTreeMap::new();
        for (_, record) in self.records() {
            let last = last.entry(record.partition).or_default();
            *last = record.offset.max(*last);
        }
        let sends = self.sends().into_iter().filter(|(at, send)| {
            let place = send
                .offset
                .filter(|_| self.history[*at].outcome == Outcome::Ok);
            place.is_some_and(|place| ends || last.get(&send.partition) != Some(&place))
        });
        let sends: Vec<(usize, Send)> = sends.collect();
        let (_, send) = self.random.choice(sends)?;
        let is_gone = |record: &Record| {
            let is_behind = record.partition == send.partition && Some(record.offset) > send.offset;
            record.value == send.value || ends && is_behind
        };
        for operation in 0..self.history.len() {
            self.change_records(operation, |list| list.retain(|record| !is_gone(record)));
        }
        Some(send.value)
    }

    fn read_although_failed(&mut self) -> Option<u64> {
        let sends = self.sends().into_iter();
        let failed = sends.filter(|(at, _)| self.history[*at].outcome == Outcome::Failed);
        let failed: Vec<(usize, Send)> = failed.collect();
        let (_, send) = self.random.choice(failed)?;
        let (reader, _) = self.random.choice(self.records())?;
        let record = Record {
            partition: send.partition,
            offset: send.offset.unwrap_or(1_000_000),
            value: send.value,
        };
        self.change_records(reader, |list| list.push(record.clone()));
        Some(send.value)
    }

    fn read_before_commit(&mut self) -> Option<u64> {
        let (reader, record) = self.random.choice(self.records())?;
        let polled_by = self.history[reader].polled_by();
        let sends = self.sends();
        let (at, _) = sends.iter().find(|(_, send)| send.value == record.value)?;
        // Make it a transaction that asked to commit too late.
        let operation = &mut self.history[*at];
        let steps = match &operation.action {
            Action::Send(send) => vec![Step::Send(send.clone())],
            Action::Transaction { steps, .. } => steps.clone(),
            _ => unreachable!("it sent a value"),
        };
        let ending = Some(polled_by + 1);
        operation.action = Action::Transaction { steps, ending };
        Some(record.value)
    }

    /// A record between two others of its partition in one poll, which another poll has too.
    fn passed_over(&mut self) -> Option<u64> {
        let mut readers: BTreeMap<u64, usize> = BTreeMap::new();
        for (_, record) in self.records() {
            *readers.entry(record.value).or_default() += 1;
        }
        let mut found = Vec::new();
        for operation in 0..self.history.len() {
            self.change_records(operation, |list| {
                for near in list.windows(3) {
                    let is_one = near.iter().all(|one| one.partition == near[1].partition);
                    if is_one && readers[&near[1].value] > 1 {
                        found.push((operation, near[1].clone()));
                    }
                }
            });
        }
        let (operation, record) = self.random.choice(found)?;
        self.change_records(operation, |list| list.retain(|one| *one != record));
        Some(record.value)
    }

    fn read_again(&mut self) -> Option<u64> {
        let (operation, record) = self.random.choice(self.records())?;
        self.change_records(operation, |list| {
            if let Some(at) = list.iter().position(|found| *found == record) {
                list.insert(at, record.clone());
            }
        });
        Some(record.value)
    }

    /// Two sends of a process change their places, for all that see them.
    fn swapped(&mut self, second: Outcome) -> Option<u64> {
        let mut last: BTreeMap<_, Send> = BTreeMap::new();
        let mut pairs = Vec::new();
        let read: BTreeSet<u64> = self.records().iter().map(|(_, one)| one.value).collect();
        for (at, send) in self.sends() {
            let operation = &self.history[at];
            let is_one = !operation.is_transaction() && operation.outcome == Outcome::Ok;
            if !is_one || send.offset.is_none() || !read.contains(&send.value) {
                continue;
            }
            let key = (operation.process, send.partition.clone());
            if let Some(before) = last.insert(key, send.clone()) {
                pairs.push((before, at, send));
            }
        }
        let (first, at, then) = self.random.choice(pairs)?;
        for operation in &mut self.history {
            if let Action::Send(send) = &mut operation.action {
                if send.value == first.value {
                    send.offset = then.offset;
                } else if send.value == then.value {
                    send.offset = first.offset;
                }
            }
            for record in Planting::lists(operation).into_iter().flatten() {
                if record.value == first.value {
                    record.value = then.value;
                } else if record.value == then.value {
                    record.value = first.value;
                }
            }
        }
        self.history[at].outcome = second;
        Some(then.value)
    }
}
