//! A source whose records come when a test allows it.

use std::sync::Arc;

use stream_engine::{Cause, Read, Reader, Source, Subtask};
use tokio::sync::watch;

/// Partitions of values, of each of which so many may be read.
#[derive(Debug)]
pub(crate) struct Gated<T> {
    partitions: Arc<Vec<Vec<T>>>,
    allowed: watch::Receiver<Vec<usize>>,
}

/// Allows more.
#[derive(Debug)]
pub(crate) struct Gate(watch::Sender<Vec<usize>>);

impl Gate {
    /// The first `count` values of a partition may be read.
    pub(crate) fn allow(&self, partition: usize, count: usize) {
        self.0.send_modify(|allowed| allowed[partition] = count);
    }

    /// All values may be read.
    pub(crate) fn open(&self) {
        self.0.send_modify(|allowed| allowed.fill(usize::MAX));
    }
}

/// A source of which nothing may be read yet.
pub(crate) fn gated<T>(partitions: &Arc<Vec<Vec<T>>>) -> (Gate, Gated<T>) {
    let (sender, allowed) = watch::channel(vec![0; partitions.len()]);
    let source = Gated {
        partitions: Arc::clone(partitions),
        allowed,
    };
    (Gate(sender), source)
}

impl<T: Clone + Send + Sync + 'static> Source for Gated<T> {
    type Item = T;
    type Reader = GatedReader<T>;

    fn parallelism(&self, wanted: usize) -> usize {
        wanted.min(self.partitions.len())
    }

    fn open(
        &self,
        subtask: Subtask,
        positions: Vec<(u32, usize)>,
    ) -> Result<GatedReader<T>, Cause> {
        let own = (0..self.partitions.len()).filter(|n| n % subtask.count == subtask.index);
        let partition = |number: usize| {
            let found = positions
                .iter()
                .find(|(other, _)| *other as usize == number);
            (number, found.map_or(0, |(_, position)| *position))
        };
        Ok(GatedReader {
            partitions: Arc::clone(&self.partitions),
            allowed: self.allowed.clone(),
            own: own.map(partition).collect(),
            opened: 0,
            ended: Vec::new(),
        })
    }
}

#[derive(Debug)]
pub(crate) struct GatedReader<T> {
    partitions: Arc<Vec<Vec<T>>>,
    allowed: watch::Receiver<Vec<usize>>,
    /// Number and position.
    own: Vec<(usize, usize)>,
    opened: usize,
    ended: Vec<usize>,
}

impl<T: Clone + Send + Sync + 'static> Reader for GatedReader<T> {
    type Item = T;
    type Position = usize;

    async fn read(&mut self, values: &mut Vec<T>) -> Result<Read, Cause> {
        if let Some((number, _)) = self.own.get(self.opened) {
            self.opened += 1;
            return Ok(Read::Opened(u32::try_from(*number)?));
        }
        loop {
            let allowed = self.allowed.borrow_and_update().clone();
            for (number, position) in &mut self.own {
                let all = &self.partitions[*number];
                let end = all.len().min(allowed[*number]);
                if *position < end {
                    // A few at a time, so that much happens between.
                    let end = end.min(*position + 5);
                    values.extend_from_slice(&all[*position..end]);
                    *position = end;
                    return Ok(Read::From(u32::try_from(*number)?));
                }
                if *position == all.len()
                    && allowed[*number] == usize::MAX
                    && !self.ended.contains(number)
                {
                    self.ended.push(*number);
                    return Ok(Read::Ended(u32::try_from(*number)?));
                }
            }
            if self.ended.len() == self.own.len() {
                return Ok(Read::Exhausted);
            }
            self.allowed.changed().await?;
        }
    }

    fn positions(&self) -> Vec<(u32, usize)> {
        let own = self.own.iter();
        own.map(|(number, position)| (u32::try_from(*number).unwrap_or(0), *position))
            .collect()
    }
}
