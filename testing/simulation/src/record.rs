//! What clients did and saw, and what the broker answered.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::exchange::{Exchange, Exchanged};
use crate::sim::Sim;
use history::{Action, Operation, Outcome, Partition, Record, Send, Step};

/// What is kept of a run. Clones are the same record.
#[derive(Clone)]
pub(crate) struct Recorder(Rc<Shared>);

struct Shared {
    sim: Sim,
    record: RefCell<RunRecord>,
}

/// What is kept of a run.
#[derive(Debug, Default)]
pub(crate) struct RunRecord {
    /// What clients did and saw.
    pub(crate) operations: Vec<Operation>,
    /// What the broker answered, in the order in which the answers left.
    pub(crate) exchanges: Vec<Exchange>,
    /// The input of each output of a transform: its partition and offset.
    pub(crate) outputs: BTreeMap<u64, (i32, i64)>,
    /// What readers of everything saw: partition, offset and value.
    pub(crate) uncommitted: Vec<(Partition, i64, u64)>,
    /// What clients took for wrong on the spot.
    pub(crate) complaints: Vec<(&'static str, String)>,
    /// The last time, value and process that were handed out.
    pub(crate) last: Last,
}

/// The last of what is handed out once.
#[derive(Debug, Default)]
pub(crate) struct Last {
    time: u64,
    value: u64,
    process: u32,
}

/// An operation that has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun(usize);

impl Recorder {
    pub(crate) fn new(sim: &Sim) -> Recorder {
        Recorder(Rc::new(Shared {
            sim: sim.clone(),
            record: RefCell::default(),
        }))
    }

    fn with<T>(&self, act: impl FnOnce(&mut RunRecord) -> T) -> T {
        act(&mut self.0.record.borrow_mut())
    }

    /// Returns the time in microseconds, another one each time.
    pub(crate) fn now(&self) -> u64 {
        let now = self.0.sim.now() * 1_000;
        self.with(|record| {
            record.last.time = now.max(record.last.time + 1);
            record.last.time
        })
    }

    /// Returns a value that was not sent before.
    pub(crate) fn value(&self) -> u64 {
        self.with(|record| {
            record.last.value += 1;
            record.last.value
        })
    }

    /// Returns the number of a new process.
    pub(crate) fn process(&self) -> u32 {
        self.with(|record| {
            record.last.process += 1;
            record.last.process
        })
    }

    /// An operation begins. Until it ends, its outcome is not known.
    pub(crate) fn begin(&self, process: u32, action: Action) -> Begun {
        let now = self.now();
        self.with(|record| {
            record.operations.push(Operation {
                process,
                invoked: now,
                completed: now,
                action,
                outcome: Outcome::Unknown,
            });
            Begun(record.operations.len() - 1)
        })
    }

    /// The outcome of an operation is known.
    pub(crate) fn end(&self, begun: Begun, outcome: Outcome) {
        let now = self.now();
        self.with(|record| {
            let operation = &mut record.operations[begun.0];
            operation.completed = now;
            operation.outcome = outcome;
        });
    }

    /// Something that happened at once.
    pub(crate) fn done(&self, process: u32, action: Action) {
        let begun = self.begin(process, action);
        self.end(begun, Outcome::Ok);
    }

    /// A transaction sends a value. Returns the number of the step.
    pub(crate) fn sends(&self, begun: Begun, partition: &Partition, value: u64) -> usize {
        let send = Step::Send(Send {
            partition: partition.clone(),
            value,
            offset: None,
        });
        self.step(begun, send)
    }

    /// A transaction takes another step.
    pub(crate) fn step(&self, begun: Begun, step: Step) -> usize {
        self.with(|record| match &mut record.operations[begun.0].action {
            Action::Transaction { steps, .. } => {
                steps.push(step);
                steps.len() - 1
            }
            _ => 0,
        })
    }

    /// The broker has answered the offset of what was sent.
    pub(crate) fn sent_at(&self, begun: Begun, step: usize, at: i64) {
        self.with(|record| match &mut record.operations[begun.0].action {
            Action::Transaction { steps, .. } => {
                if let Some(Step::Send(send)) = steps.get_mut(step) {
                    send.offset = Some(at);
                }
            }
            Action::Send(send) => send.offset = Some(at),
            _ => {}
        });
    }

    /// A transaction is asked to commit.
    pub(crate) fn asks_to_commit(&self, begun: Begun) {
        let now = self.now();
        self.with(|record| {
            if let Action::Transaction { ending, .. } = &mut record.operations[begun.0].action {
                *ending = Some(now);
            }
        });
    }

    /// A transform makes `value` of the record at an offset of a partition of `in`.
    pub(crate) fn makes(&self, value: u64, of: (i32, i64)) {
        self.with(|record| record.outputs.insert(value, of));
    }

    /// A reader of everything saw a record.
    pub(crate) fn saw(&self, partition: &Partition, offset: i64, value: u64) {
        self.with(|record| record.uncommitted.push((partition.clone(), offset, value)));
    }

    /// The broker has answered.
    pub(crate) fn exchange(&self, exchange: Exchange) {
        if !matches!(exchange.what, Exchanged::Other) {
            self.with(|record| record.exchanges.push(exchange));
        }
    }

    /// A client takes something for wrong.
    pub(crate) fn complain(&self, law: &'static str, about: String) {
        self.0.sim.note(|| format!("WRONG: {law}: {about}"));
        self.with(|record| record.complaints.push((law, about)));
    }

    /// Whether a client has taken something for wrong.
    pub(crate) fn has_complaints(&self) -> bool {
        self.with(|record| !record.complaints.is_empty())
    }

    /// Returns all that was kept.
    pub(crate) fn take(&self) -> RunRecord {
        self.with(std::mem::take)
    }
}

/// Returns the partition of a topic, as histories call it.
pub(crate) fn place(topic: &str, index: i32) -> Partition {
    Partition::new(&format!("{topic}-{index}"))
}

/// Returns what a poll of a partition returned, as histories have it.
pub(crate) fn polled(topic: &str, index: i32, records: &[(i64, u64)]) -> Vec<Record> {
    let partition = place(topic, index);
    let record = |(offset, value): &(i64, u64)| Record {
        partition: partition.clone(),
        offset: *offset,
        value: *value,
    };
    records.iter().map(record).collect()
}
