//! Where clients write down what they do.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_model::Clock;
use message_model::{Moment, TopicPartition};

use crate::operation::{Action, Operation, Outcome, Partition};

/// Where clients write down what they do; clones write to the same history.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    clock: Clock,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    next_process: AtomicU32,
    next_value: AtomicU64,
    next_number: AtomicU64,
    /// Operations that are completed, each with its number: the order of the invocations.
    done: Mutex<Vec<(u64, Operation)>>,
}

/// An operation that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    process: u32,
    number: u64,
    at: u64,
}

impl Recorder {
    /// Returns a recorder of an empty history, whose time begins now.
    pub(super) fn start() -> Recorder {
        Recorder {
            clock: Clock::start(),
            shared: Arc::default(),
        }
    }

    /// Returns the number of a process that is new.
    pub(super) fn process(&self) -> u32 {
        self.shared.next_process.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns a value that no other call returns.
    pub(super) fn value(&self) -> u64 {
        self.shared.next_value.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the time since the start, in microseconds.
    pub(super) fn now(&self) -> u64 {
        let micros = self.clock.now().since(Moment::START).as_micros();
        u64::try_from(micros).unwrap_or(u64::MAX)
    }

    /// Begins an operation of a process now.
    pub(super) fn begin(&self, process: u32) -> Begun {
        self.began(process, self.now())
    }

    /// Begins an operation whose invocation was at `at`, behind those that the process has
    /// begun so far.
    pub(super) fn began(&self, process: u32, at: u64) -> Begun {
        let number = self.shared.next_number.fetch_add(1, Ordering::Relaxed);
        Begun {
            process,
            number,
            at,
        }
    }

    /// Writes down what came of an operation.
    pub(super) fn end(&self, begun: Begun, action: Action, outcome: Outcome) {
        let operation = Operation {
            process: begun.process,
            invoked: begun.at,
            completed: self.now(),
            action,
            outcome,
        };
        let done = self.shared.done.lock();
        let mut done = done.unwrap_or_else(PoisonError::into_inner);
        done.push((begun.number, operation));
    }

    /// Returns the history so far, in the order of the invocations.
    pub(super) fn history(&self) -> Vec<Operation> {
        let done = self.shared.done.lock();
        let mut done = std::mem::take(&mut *done.unwrap_or_else(PoisonError::into_inner));
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, operation)| operation).collect()
    }
}

/// The name of a partition in the history.
pub(super) fn name(partition: &TopicPartition) -> Partition {
    Partition::new(&partition.to_string())
}
