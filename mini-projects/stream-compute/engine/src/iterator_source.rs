//! A source of values that are made, not read.

use std::sync::Arc;

use crate::error::Cause;
use crate::exchange::BATCH;
use crate::snapshot::Subtask;
use crate::source::{Read, Reader, Source};

/// The values of iterators, each of which is a partition. What makes an iterator makes the same
/// values each time, so the job can go back to any of them.
pub struct IteratorSource<F> {
    partitions: u32,
    make: Arc<F>,
}

impl<F> std::fmt::Debug for IteratorSource<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IteratorSource({})", self.partitions)
    }
}

impl<F, I> IteratorSource<F>
where
    F: Fn(u32) -> I + Send + Sync + 'static,
    I: IntoIterator<IntoIter: Send + 'static, Item: Send + 'static>,
{
    /// So many partitions, with the values that `make` returns for each.
    pub fn new(partitions: u32, make: F) -> IteratorSource<F> {
        IteratorSource {
            partitions,
            make: Arc::new(make),
        }
    }
}

impl<F, I> Source for IteratorSource<F>
where
    F: Fn(u32) -> I + Send + Sync + 'static,
    I: IntoIterator<IntoIter: Send + 'static, Item: Send + 'static>,
{
    type Item = I::Item;
    type Reader = IteratorReader<I::IntoIter>;

    fn parallelism(&self, wanted: usize) -> usize {
        wanted.min(self.partitions as usize)
    }

    fn open(&self, subtask: Subtask, positions: Vec<(u32, u64)>) -> Result<Self::Reader, Cause> {
        let own = |number: &u32| *number as usize % subtask.count == subtask.index;
        let partition = |number| {
            let position = positions.iter().find(|(other, _)| *other == number);
            let position = position.map_or(0, |(_, position)| *position);
            let mut values = (self.make)(number).into_iter();
            let skip = usize::try_from(position).unwrap_or(usize::MAX);
            if let Some(last) = skip.checked_sub(1) {
                let _ = values.nth(last);
            }
            Partition {
                number,
                values,
                position,
                standing: Standing::Unopened,
            }
        };
        Ok(IteratorReader {
            partitions: (0..self.partitions).filter(own).map(partition).collect(),
            turn: 0,
        })
    }
}

/// Reads the partitions of a subtask in turn.
#[derive(Debug)]
pub struct IteratorReader<I> {
    partitions: Vec<Partition<I>>,
    turn: usize,
}

#[derive(Debug)]
struct Partition<I> {
    number: u32,
    values: I,
    position: u64,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unopened,
    Open,
    Ended,
}

impl<I: Iterator<Item: Send + 'static> + Send + 'static> Reader for IteratorReader<I> {
    type Item = I::Item;
    type Position = u64;

    async fn read(&mut self, values: &mut Vec<I::Item>) -> Result<Read, Cause> {
        let mut unopened = self.partitions.iter_mut();
        if let Some(next) = unopened.find(|next| next.standing == Standing::Unopened) {
            next.standing = Standing::Open;
            return Ok(Read::Opened(next.number));
        }
        for _ in 0..self.partitions.len() {
            let turn = self.turn % self.partitions.len();
            self.turn = turn + 1;
            let partition = &mut self.partitions[turn];
            if partition.standing == Standing::Ended {
                continue;
            }
            values.extend(partition.values.by_ref().take(BATCH));
            if values.is_empty() {
                partition.standing = Standing::Ended;
                return Ok(Read::Ended(partition.number));
            }
            partition.position += values.len() as u64;
            return Ok(Read::From(partition.number));
        }
        Ok(Read::Exhausted)
    }

    fn positions(&self) -> Vec<(u32, u64)> {
        let partitions = self.partitions.iter();
        partitions
            .map(|partition| (partition.number, partition.position))
            .collect()
    }
}
