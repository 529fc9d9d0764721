//! Which batch a record goes into, when a batch is sent, and what happens if there is no
//! room.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use message_model::Moment;

use crate::batch::{Batch, BatchId, Slot};

/// How much is accumulated, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes of records in a batch; a record above it has a batch of its own.
    pub batch_bytes: usize,
    /// How long a batch waits for more records, from its first one on.
    pub linger: Duration,
    /// The most bytes of all records that are not settled.
    pub memory: usize,
}

/// The number of a call of `send`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A record that wants to be in a batch.
///
/// Deadlines count from the call of `send`, and a call that must look its topic up comes
/// here later than one that was made after it. So a later record can have an earlier
/// deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Append {
    /// The call that it belongs to.
    pub ticket: Ticket,
    /// The partition whose batches it joins.
    pub slot: Slot,
    /// The most bytes that the record takes in a batch.
    pub size: usize,
    /// How long the call may wait for room.
    pub admit_by: Moment,
    /// When the record must have been delivered.
    pub deliver_by: Moment,
}

/// What happens to the accumulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A record comes: for the first time, or again after [`Effect::Admit`].
    Append(Append),
    /// The call, which was parked, is not interested any more.
    Withdraw(Ticket),
    /// The records of a batch that was sent or has expired are settled: they hold no
    /// memory any more. These are its [`bytes`](Batch::bytes).
    Release(usize),
    /// The sender takes one more batch of this partition.
    Room(Slot),
    /// What is there now is sent as soon as the sender takes it, without linger.
    Flush,
    /// Time has passed.
    Tick,
}

/// What the producer must do, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The record is the next one of `batch`.
    Put {
        /// The record's call.
        ticket: Ticket,
        /// The batch that the record is put into.
        batch: BatchId,
        /// It is the batch's first record: [`Accumulator::next_deadline`] may be earlier.
        is_first: bool,
    },
    /// There is no room: the call waits for `Admit` or `Refuse`.
    Park(Ticket),
    /// There is room, and it is the call's: the record shall come again.
    Admit(Ticket),
    /// The record will be in no batch.
    Refuse(Ticket, Refusal),
    /// The batch gets no more records and goes to the sender.
    Send(Batch),
    /// The batch was not sent in time. Its records have failed.
    Expire(Batch),
}

/// Why a record is in no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is larger than the whole memory.
    TooLarge,
    /// No room was released before [`Append::admit_by`].
    NoRoom,
}

/// The batches that are not sent yet, and the calls that wait for room.
///
/// # Invariants
/// - A partition's records are in its batches, and the batches are sent, in the order of
///   the appends.
/// - The records in batches and what was promised with `Admit` hold at most
///   [`Limits::memory`] bytes.
/// - Calls get room in the order in which they came: nothing passes a call that waits,
///   however small it is.
#[derive(Debug, Clone)]
pub struct Accumulator {
    limits: Limits,
    partitions: Vec<Partition>,
    /// Bytes of records in batches that were not released, and of admitted calls.
    used: usize,
    /// The calls that wait for room, in the order in which they came.
    waiting: VecDeque<Append>,
    /// The sizes of the records that may come again.
    admitted: BTreeMap<Ticket, usize>,
    next_batch: u64,
}

/// The batches of one partition.
#[derive(Debug, Clone, Default)]
struct Partition {
    /// How many batches the sender takes.
    room: usize,
    /// Those that get no more records, the oldest first.
    closed: VecDeque<Batch>,
    /// The one that gets records, behind all closed ones.
    open: Option<Open>,
}

/// A batch that gets records.
#[derive(Debug, Clone, Copy)]
struct Open {
    batch: Batch,
    /// When it has waited long enough.
    due: Moment,
}

impl Accumulator {
    /// Nothing is accumulated, and the sender takes nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Accumulator {
        Accumulator {
            limits,
            partitions: Vec::new(),
            used: 0,
            waiting: VecDeque::new(),
            admitted: BTreeMap::new(),
            next_batch: 0,
        }
    }

    /// Adds to `effects` what follows from `event`, which happens at `now`.
    ///
    /// An `Append` costs O(1), except that the first call that must wait looks at every
    /// partition.
    pub fn step(&mut self, now: Moment, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Append(record) => self.append(now, record, effects),
            Event::Withdraw(ticket) => {
                self.waiting.retain(|record| record.ticket != ticket);
                self.used -= self.admitted.remove(&ticket).unwrap_or(0);
                self.admit(effects);
            }
            Event::Release(bytes) => {
                self.used -= bytes;
                self.admit(effects);
            }
            Event::Room(slot) => {
                self.partition(slot).room += 1;
                self.send(now, slot, effects);
            }
            Event::Flush => {
                let open = self.partitions.iter_mut().flat_map(|one| &mut one.open);
                open.for_each(|open| open.due = open.due.min(now));
                self.send_all(now, effects);
            }
            Event::Tick => self.tick(now, effects),
        }
    }

    /// A record comes. If it was admitted, its room is counted already.
    ///
    /// - A record that can never fit is refused.
    /// - If there is no room, or another call waits for some, the call waits; but not if
    ///   it must have been admitted by now, then it is refused. The first call that waits
    ///   makes every batch due, because only what is sent makes room.
    fn append(&mut self, now: Moment, record: Append, effects: &mut Vec<Effect>) {
        // task 14.3: into a batch, or into the queue of those that wait for room
        let ticket = record.ticket;
        if self.admitted.remove(&ticket).is_some() {
            return self.put(now, record, effects);
        }
        if record.size > self.limits.memory {
            effects.push(Effect::Refuse(ticket, Refusal::TooLarge));
        } else if self.waiting.is_empty() && self.used + record.size <= self.limits.memory {
            self.used += record.size;
            self.put(now, record, effects);
        } else if record.admit_by <= now {
            effects.push(Effect::Refuse(ticket, Refusal::NoRoom));
        } else {
            self.waiting.push_back(record);
            effects.push(Effect::Park(ticket));
            if self.waiting.len() == 1 {
                self.send_all(now, effects);
            }
        }
        // end
    }

    /// Puts a record that has its room into the partition's open batch. If the batch
    /// would have more than [`Limits::batch_bytes`] with it, it is closed, and the record
    /// is the first one of a new batch. A batch that has so many bytes is closed at once.
    /// Then what can be sent is sent.
    fn put(&mut self, now: Moment, record: Append, effects: &mut Vec<Effect>) {
        // task 14.3: the next record of the open batch, or the first one of a new batch
        let limits = self.limits;
        let id = BatchId(self.next_batch);
        let partition = self.partition(record.slot);
        let has_no_place = |open: &mut Open| open.batch.bytes + record.size > limits.batch_bytes;
        let full = partition.open.take_if(has_no_place);
        partition.closed.extend(full.map(|full| full.batch));
        let is_first = partition.open.is_none();
        let open = partition.open.get_or_insert(Open {
            batch: Batch {
                id,
                slot: record.slot,
                records: 0,
                bytes: 0,
                deliver_by: record.deliver_by,
            },
            due: now.plus(limits.linger),
        });
        open.batch.records += 1;
        open.batch.bytes += record.size;
        open.batch.deliver_by = open.batch.deliver_by.min(record.deliver_by);
        effects.push(Effect::Put {
            ticket: record.ticket,
            batch: open.batch.id,
            is_first,
        });
        let is_full = |open: &mut Open| open.batch.bytes >= limits.batch_bytes;
        let full = partition.open.take_if(is_full);
        partition.closed.extend(full.map(|full| full.batch));
        self.next_batch += u64::from(is_first);
        self.send(now, record.slot, effects);
        // end
    }

    /// Gives the sender what it takes of a partition: its closed batches, the oldest
    /// first, and then the open one if that is due, or if a call waits for room.
    fn send(&mut self, now: Moment, slot: Slot, effects: &mut Vec<Effect>) {
        // task 14.3: as many batches as the sender takes, and none too early
        let is_pressed = !self.waiting.is_empty();
        let partition = self.partition(slot);
        while partition.room > 0 {
            let is_due = |open: &mut Open| is_pressed || open.due <= now;
            let next = partition.closed.pop_front();
            let next = next.or_else(|| partition.open.take_if(is_due).map(|open| open.batch));
            let Some(batch) = next else { break };
            partition.room -= 1;
            effects.push(Effect::Send(batch));
        }
        // end
    }

    fn send_all(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        for slot in 0..self.partitions.len() {
            self.send(now, Slot(slot), effects);
        }
    }

    /// Gives room to the calls that wait, in their order, as long as there is enough for
    /// the first one.
    fn admit(&mut self, effects: &mut Vec<Effect>) {
        // task 14.3: first come, first served
        while let Some(record) = self.waiting.front().copied() {
            if self.used + record.size > self.limits.memory {
                break;
            }
            self.waiting.pop_front();
            self.used += record.size;
            self.admitted.insert(record.ticket, record.size);
            effects.push(Effect::Admit(record.ticket));
        }
        // end
    }

    /// What time does, in this order: batches whose records must have been delivered by
    /// now expire, calls that must have been admitted by now are refused, room that this
    /// makes is given away, and batches that are due are sent. A batch may expire, or a call
    /// be refused, before one in front of it.
    fn tick(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        // task 14.3: all that is due now
        for partition in &mut self.partitions {
            let open = partition.open.take_if(|open| open.batch.deliver_by <= now);
            partition.closed.retain(|batch| {
                let is_over = batch.deliver_by <= now;
                if is_over {
                    effects.push(Effect::Expire(*batch));
                }
                !is_over
            });
            effects.extend(open.map(|open| Effect::Expire(open.batch)));
        }
        self.waiting.retain(|record| {
            let is_over = record.admit_by <= now;
            if is_over {
                effects.push(Effect::Refuse(record.ticket, Refusal::NoRoom));
            }
            !is_over
        });
        self.admit(effects);
        self.send_all(now, effects);
        // end
    }

    /// Returns when the next [`Event::Tick`] has something to do; `None`: never, as far
    /// as is known now.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let batches = self.partitions.iter().flat_map(Partition::deadlines);
        let calls = self.waiting.iter().map(|record| record.admit_by);
        batches.chain(calls).min()
    }

    /// Returns how many bytes the records that are not settled hold.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used
    }

    /// Returns how many batches of a partition are not sent yet.
    #[must_use]
    pub fn queued(&self, slot: Slot) -> usize {
        let partition = self.partitions.get(slot.0);
        partition.map_or(0, |one| one.closed.len() + usize::from(one.open.is_some()))
    }

    /// Returns whether the next record of a partition begins a batch.
    #[must_use]
    pub fn is_between_batches(&self, slot: Slot) -> bool {
        let partition = self.partitions.get(slot.0);
        partition.is_none_or(|one| one.open.is_none())
    }

    fn partition(&mut self, slot: Slot) -> &mut Partition {
        if slot.0 >= self.partitions.len() {
            self.partitions.resize_with(slot.0 + 1, Partition::default);
        }
        &mut self.partitions[slot.0]
    }
}

impl Partition {
    fn deadlines(&self) -> impl Iterator<Item = Moment> + '_ {
        let open = self.open.as_ref();
        let due = open.filter(|_| self.room > 0).map(|open| open.due);
        let batches = self.closed.iter().chain(open.map(|open| &open.batch));
        due.into_iter().chain(batches.map(|batch| batch.deliver_by))
    }
}
