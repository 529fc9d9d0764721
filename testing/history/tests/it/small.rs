//! Small histories, written by hand.

use history::{Action, Kind, Operation, Outcome, Partition, Record, Report, Send, Step, check};

pub(crate) fn p(index: u32) -> Partition {
    Partition::new(&format!("orders-{index}"))
}

pub(crate) fn send(value: u64, offset: Option<i64>) -> Send {
    Send {
        partition: p(0),
        value,
        offset,
    }
}

pub(crate) fn records(of: &[(i64, u64)]) -> Vec<Record> {
    let record = |(offset, value): &(i64, u64)| Record {
        partition: p(0),
        offset: *offset,
        value: *value,
    };
    of.iter().map(record).collect()
}

/// A history that grows at its end; an operation takes a millisecond, and a pause follows.
#[derive(Debug, Default)]
pub(crate) struct Story(pub(crate) Vec<Operation>);

impl Story {
    fn add(mut self, process: u32, action: Action, outcome: Outcome) -> Story {
        let invoked = self.0.len() as u64 * 2_000;
        self.0.push(Operation {
            process,
            invoked,
            completed: invoked + 1_000,
            action,
            outcome,
        });
        self
    }

    /// An acknowledged send.
    pub(crate) fn sent(self, process: u32, value: u64, offset: i64) -> Story {
        self.add(
            process,
            Action::Send(send(value, Some(offset))),
            Outcome::Ok,
        )
    }

    /// A send without an offset.
    pub(crate) fn tried(self, process: u32, value: u64, outcome: Outcome) -> Story {
        self.add(process, Action::Send(send(value, None)), outcome)
    }

    pub(crate) fn polled(self, process: u32, of: &[(i64, u64)]) -> Story {
        self.add(process, Action::Poll(records(of)), Outcome::Ok)
    }

    /// A poll of the partition 1.
    pub(crate) fn polled_elsewhere(self, process: u32, of: &[(i64, u64)]) -> Story {
        let mut records = records(of);
        for record in &mut records {
            record.partition = p(1);
        }
        self.add(process, Action::Poll(records), Outcome::Ok)
    }

    pub(crate) fn sought(self, process: u32, offset: Option<i64>) -> Story {
        let partition = p(0);
        self.add(process, Action::Seek { partition, offset }, Outcome::Ok)
    }

    pub(crate) fn assigned(self, process: u32, partitions: &[u32]) -> Story {
        let partitions = partitions.iter().map(|index| p(*index)).collect();
        self.add(process, Action::Assign(partitions), Outcome::Ok)
    }

    pub(crate) fn subscribed(self, process: u32) -> Story {
        let topics = vec!["orders".to_owned()];
        self.add(process, Action::Subscribe(topics), Outcome::Ok)
    }

    /// A transaction that asks for its end just before it is completed.
    pub(crate) fn ran(self, process: u32, steps: Vec<Step>, outcome: Outcome) -> Story {
        let ending = Some(self.0.len() as u64 * 2_000 + 900);
        self.add(process, Action::Transaction { steps, ending }, outcome)
    }

    /// A transaction that was never asked to end.
    pub(crate) fn left(self, process: u32, steps: Vec<Step>, outcome: Outcome) -> Story {
        let ending = None;
        self.add(process, Action::Transaction { steps, ending }, outcome)
    }

    pub(crate) fn report(&self) -> Report {
        check(&self.0).expect("it is a history")
    }

    /// The kinds that are found, with the operations that prove them.
    #[track_caller]
    pub(crate) fn finds(&self, expected: &[(Kind, &[usize])]) {
        let report = self.report();
        let operations = |anomaly: &history::Anomaly| -> Vec<usize> {
            let witnesses = anomaly.witnesses.iter();
            witnesses.map(|witness| witness.operation).collect()
        };
        let found: Vec<(Kind, Vec<usize>)> = report
            .anomalies
            .iter()
            .map(|anomaly| (anomaly.kind, operations(anomaly)))
            .collect();
        let expected: Vec<(Kind, Vec<usize>)> = expected
            .iter()
            .map(|(kind, operations)| (*kind, operations.to_vec()))
            .collect();
        assert_eq!(
            found,
            expected,
            "{}",
            report.explain(&self.0, history::Promise::Transactional)
        );
    }
}
