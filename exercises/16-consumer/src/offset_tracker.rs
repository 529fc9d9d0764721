//! What a consumer may commit, while workers finish its records in any order.

use std::collections::{BTreeMap, VecDeque};

use message_model::{Offset, OffsetRange, TopicPartition};

/// The partitions of one consumer: what of them was handed out to workers, what is done,
/// and what the coordinator knows of it.
///
/// The ack window of chapter 01 does this for one partition and for as long as it lives.
/// Here partitions come and go. A worker can finish a record of a partition that was
/// taken away meanwhile and has come back with another position. So each piece of work
/// names the *stay* of its partition in which it was handed out, and means nothing in
/// another stay. A piece is a run of records: what one poll returned, or what one worker
/// took. It ends where the next piece may begin, behind offsets that have no record.
///
/// # Invariants
/// - Nothing at or above a record that was handed out and is not done may be committed.
/// - Nothing that was handed out before a seek, or in another stay, changes what may be
///   committed.
/// - No piece begins `span_max` offsets or more above what may be committed.
#[derive(Debug, Clone)]
pub struct OffsetTracker {
    partitions: BTreeMap<TopicPartition, Progress>,
    span_max: i64,
    /// How often partitions were assigned; each assignment is a stay with its own number.
    stays: u64,
}

/// Records of one partition that were handed out together, and are done together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Of which partition.
    pub partition: TopicPartition,
    /// From the first record up to where the next piece may begin.
    pub offsets: OffsetRange,
    stay: u64,
}

#[derive(Debug, Clone)]
struct Progress {
    stay: u64,
    /// In ascending order; the first one is not done.
    pieces: VecDeque<Piece>,
    /// Where the next piece may begin.
    next: Offset,
    /// What the coordinator has, as far as is known.
    committed: Option<Offset>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    start: Offset,
    is_done: bool,
}

impl Progress {
    /// Returns the offset below which everything is done.
    fn frontier(&self) -> Offset {
        self.pieces.front().map_or(self.next, |piece| piece.start)
    }
}

impl OffsetTracker {
    /// Returns a tracker without partitions. `span_max` is how many offsets above the
    /// frontier of a partition a piece may begin.
    #[must_use]
    pub fn new(span_max: u32) -> OffsetTracker {
        OffsetTracker {
            partitions: BTreeMap::new(),
            span_max: i64::from(span_max),
            stays: 0,
        }
    }

    /// Begins a stay of `partition`, which was assigned. Reading begins at `position`; the
    /// coordinator has `committed`. What was handed out of it before is forgotten.
    pub fn begin(
        &mut self,
        partition: TopicPartition,
        position: Offset,
        committed: Option<Offset>,
    ) {
        self.stays += 1;
        let progress = Progress {
            stay: self.stays,
            pieces: VecDeque::new(),
            next: position,
            committed,
        };
        self.partitions.insert(partition, progress);
    }

    /// Begins another stay of `partition`, at `position`: the consumer has sought.
    pub fn seek(&mut self, partition: &TopicPartition, position: Offset) {
        if let Some(progress) = self.partitions.get(partition) {
            let committed = progress.committed;
            self.begin(partition.clone(), position, committed);
        }
    }

    /// Ends the stay of `partition`: it was revoked or lost.
    pub fn end(&mut self, partition: &TopicPartition) {
        self.partitions.remove(partition);
    }

    /// Returns whether a piece may be handed out that begins where the last one ended.
    #[must_use]
    pub fn has_room(&self, partition: &TopicPartition) -> bool {
        let progress = self.partitions.get(partition);
        progress.is_some_and(|progress| {
            let is_first = progress.pieces.is_empty();
            is_first || progress.next.since(progress.frontier()) < self.span_max
        })
    }

    /// Hands out the records at `offsets`. Returns the piece, which the worker gives back
    /// when it is done; `None` if the partition is not here, if there is no room, or if
    /// `offsets` begins below what was handed out already. A piece that begins where there
    /// is room may end as far ahead as it likes.
    pub fn hand_out(&mut self, partition: &TopicPartition, offsets: OffsetRange) -> Option<Work> {
        // task 16.3: note a piece, unless it is too far ahead
        todo!("16.3: note a piece, unless it is too far ahead")
        // end
    }

    /// Notes that `work` is done. Work of another stay, and work that was done before,
    /// changes nothing.
    pub fn done(&mut self, work: &Work) {
        // task 16.3: note that a piece is done, and let go what need not be remembered
        todo!("16.3: note that a piece is done, and let go what need not be remembered")
        // end
    }

    /// Returns what is to be committed: of each partition the offset below which
    /// everything is done, if the coordinator has another one, or none.
    #[must_use]
    pub fn committable(&self) -> Vec<(TopicPartition, Offset)> {
        // task 16.3: where the frontier is not what the coordinator has
        todo!("16.3: where the frontier is not what the coordinator has")
        // end
    }

    /// Notes that the coordinator has `offset` now.
    pub fn committed(&mut self, partition: &TopicPartition, offset: Offset) {
        if let Some(progress) = self.partitions.get_mut(partition) {
            progress.committed = Some(offset);
        }
    }

    /// Returns how many pieces of `partition` are remembered: none when all that was
    /// handed out is done.
    #[must_use]
    pub fn unfinished(&self, partition: &TopicPartition) -> usize {
        let progress = self.partitions.get(partition);
        progress.map_or(0, |progress| progress.pieces.len())
    }
}
