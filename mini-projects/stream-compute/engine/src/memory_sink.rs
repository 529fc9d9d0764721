//! Sinks that keep records in memory, or nowhere.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::element::Record;
use crate::error::Cause;
use crate::sink::{Sink, Writer};
use crate::snapshot::Subtask;

/// Drops the records.
#[derive(Debug)]
pub struct Nowhere<T>(PhantomData<fn(T)>);

impl<T> Default for Nowhere<T> {
    fn default() -> Nowhere<T> {
        Nowhere(PhantomData)
    }
}

impl<T: Send + 'static> Sink for Nowhere<T> {
    type Item = T;
    type Writer = Nowhere<T>;

    fn open(&self, _: Subtask) -> Result<Nowhere<T>, Cause> {
        Ok(Nowhere::default())
    }
}

impl<T: Send + 'static> Writer for Nowhere<T> {
    type Item = T;
    type Prepared = ();

    async fn write(&mut self, records: &mut Vec<Record<T>>) -> Result<(), Cause> {
        records.clear();
        Ok(())
    }

    async fn prepare(&mut self, _: u64) -> Result<(), Cause> {
        Ok(())
    }

    async fn commit(&mut self, (): ()) -> Result<(), Cause> {
        Ok(())
    }
}

/// Values in memory: all that were written, and those that are committed. Its copies share
/// them, so they outlive the job.
#[derive(Debug)]
pub struct MemorySink<T> {
    kept: Arc<Mutex<Kept<T>>>,
}

#[derive(Debug)]
struct Kept<T> {
    written: Vec<T>,
    /// By transaction, in the order in which they were prepared.
    prepared: BTreeMap<u64, Vec<T>>,
    committed: Vec<T>,
    last_transaction: u64,
}

impl<T> Default for MemorySink<T> {
    fn default() -> MemorySink<T> {
        let kept = Kept {
            written: Vec::new(),
            prepared: BTreeMap::new(),
            committed: Vec::new(),
            last_transaction: 0,
        };
        MemorySink {
            kept: Arc::new(Mutex::new(kept)),
        }
    }
}

impl<T> Clone for MemorySink<T> {
    fn clone(&self) -> MemorySink<T> {
        MemorySink {
            kept: Arc::clone(&self.kept),
        }
    }
}

impl<T: Clone> MemorySink<T> {
    /// What is committed, in the order of the commits.
    #[must_use]
    pub fn committed(&self) -> Vec<T> {
        self.kept().committed.clone()
    }

    /// What was ever written, committed or not.
    #[must_use]
    pub fn written(&self) -> Vec<T> {
        self.kept().written.clone()
    }
}

impl<T> MemorySink<T> {
    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone + Send + 'static> Sink for MemorySink<T> {
    type Item = T;
    type Writer = MemoryWriter<T>;

    fn open(&self, _: Subtask) -> Result<MemoryWriter<T>, Cause> {
        Ok(MemoryWriter {
            sink: self.clone(),
            open: Vec::new(),
        })
    }
}

/// Writes into memory, in transactions.
#[derive(Debug)]
pub struct MemoryWriter<T> {
    sink: MemorySink<T>,
    open: Vec<T>,
}

impl<T: Clone + Send + 'static> Writer for MemoryWriter<T> {
    type Item = T;
    type Prepared = u64;

    async fn write(&mut self, records: &mut Vec<Record<T>>) -> Result<(), Cause> {
        let values = records.drain(..).map(|record| record.value);
        let values: Vec<T> = values.collect();
        self.sink.kept().written.extend(values.iter().cloned());
        self.open.extend(values);
        Ok(())
    }

    async fn prepare(&mut self, _: u64) -> Result<u64, Cause> {
        let mut kept = self.sink.kept();
        kept.last_transaction += 1;
        let transaction = kept.last_transaction;
        kept.prepared
            .insert(transaction, std::mem::take(&mut self.open));
        Ok(transaction)
    }

    async fn commit(&mut self, transaction: u64) -> Result<(), Cause> {
        let mut kept = self.sink.kept();
        let values = kept.prepared.remove(&transaction);
        kept.committed.extend(values.into_iter().flatten());
        Ok(())
    }
}
