//! What is behind the producer's lock: the part's two machines, and the bytes that they
//! decide about.

mod effects;
#[cfg(test)]
mod lingering;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use client::TopicMetadata;
use message_model::{Moment, Offset, Timestamp, TopicName, TopicPartition};

use crate::batch_buffer::{BatchBuffer, ExtraHeaders};
use crate::delivery::{BatchOutcome, Delivery};
use crate::error::Error;
use crate::held::{Contents, Held, Outgoing};
use crate::part::accumulator::{self, Append, Refusal, Ticket};
use crate::part::sender::{self, Effect};
use crate::part::{Accumulator, Answer, BatchId, Failure, Identity, Sender, Slot};
use crate::record::Record;
use crate::sequence::Interceptor;
use crate::settings::Settings;
use crate::topics::{Place, Topics};
use crate::transaction::Enlisted;

/// The producer's state.
pub(crate) struct Core {
    settings: Settings,
    accumulator: Accumulator,
    sender: Sender,
    pub(crate) topics: Topics,
    lanes: Vec<Lane>,
    /// The batches that the sender has.
    held: HashMap<BatchId, Held>,
    /// The calls that wait for room.
    parked: HashMap<Ticket, Parked>,
    next_ticket: u64,
    interceptor: Option<Interceptor>,
    extra: ExtraHeaders,
    is_closed: bool,
    /// With transactions: the one that is open.
    transaction: Option<Enlisted>,
    /// Effects of the accumulator and of the sender that are not carried out yet.
    appended: Vec<accumulator::Effect>,
    sent: VecDeque<Effect>,
    after: After,
}

/// The batches of a partition that still get records, or wait to be sent.
struct Lane {
    /// The oldest first; the last one gets records.
    batches: VecDeque<Building>,
    /// How many outcomes make no room, since their batch was cut.
    debt: usize,
}

struct Building {
    id: BatchId,
    buffer: BatchBuffer,
    outcome: Arc<BatchOutcome>,
    /// When it was begun, on both clocks.
    begun: (Moment, Timestamp),
}

/// A call of `send` that waits for room.
#[derive(Default)]
struct Parked {
    waker: Option<Waker>,
    /// Whether it was admitted or refused.
    end: Option<Result<(), Error>>,
}

type Settled = (Arc<BatchOutcome>, u32, u32, Result<Option<Offset>, Error>);

/// What is to be done when the lock is free again.
#[derive(Default)]
pub(crate) struct After {
    /// The records of a batch from one on, how many, and what became of them.
    pub(crate) settled: Vec<Settled>,
    pub(crate) wakers: Vec<Waker>,
    /// There is something to send.
    pub(crate) outbox: Vec<Outgoing>,
    /// An identity is needed, after this one.
    pub(crate) renew: Option<Option<Identity>>,
    /// Something is due then.
    pub(crate) deadline: Option<Moment>,
}

/// The time, on both clocks.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    pub(crate) moment: Moment,
    /// Read only if needed.
    pub(crate) wall: fn() -> Timestamp,
}

/// One call of `send`, as it comes to the lock.
pub(crate) struct Call<'a> {
    pub(crate) topic: &'a TopicName,
    pub(crate) record: Record<'a>,
    pub(crate) admit_by: Moment,
    pub(crate) deliver_by: Moment,
    /// Where the record goes, and the call's number, if it was parked before.
    pub(crate) parked: Option<(Ticket, Place)>,
}

/// What a call of `send` leads to.
pub(crate) enum Offered {
    Sent(Delivery),
    Parked(Ticket, Place),
    UnknownTopic,
}

impl Core {
    pub(crate) fn new(settings: &Settings, interceptor: Option<Interceptor>) -> Core {
        Core {
            accumulator: Accumulator::new(settings.limits()),
            sender: Sender::new(settings.rules()),
            settings: settings.clone(),
            topics: Topics::default(),
            lanes: Vec::new(),
            held: HashMap::new(),
            parked: HashMap::new(),
            next_ticket: 0,
            interceptor,
            extra: ExtraHeaders::default(),
            is_closed: false,
            transaction: None,
            appended: Vec::new(),
            sent: VecDeque::new(),
            after: After::default(),
        }
    }

    /// What is to be done now that the lock is free.
    pub(crate) fn take_after(&mut self) -> Option<After> {
        let after = &self.after;
        let is_empty = after.settled.is_empty()
            && after.wakers.is_empty()
            && after.outbox.is_empty()
            && after.renew.is_none()
            && after.deadline.is_none();
        (!is_empty).then(|| std::mem::take(&mut self.after))
    }

    /// Puts a record into its batch, or lets its call wait.
    // ANCHOR: offer
    pub(crate) fn offer(&mut self, now: Now, call: &Call<'_>) -> Offered {
        if self.is_closed {
            return Offered::Sent(Delivery::failed(Error::Closed));
        }
        let (ticket, place) = match call.parked {
            Some(parked) => parked,
            None => {
                let Some(topic) = self.topics.find(call.topic) else {
                    return Offered::UnknownTopic;
                };
                let place = self.topics.choose(topic, &call.record, &self.accumulator);
                let Some(place) = place else {
                    return Offered::Sent(Delivery::failed(Error::NoPartition));
                };
                self.next_ticket += 1;
                (Ticket(self.next_ticket), place)
            }
        };
        let extra = self.interceptor.as_ref().map_or(0, |one| one.bytes_max);
        let size = BatchBuffer::bound(&call.record) + extra;
        if size > self.settings.request_bytes {
            return Offered::Sent(Delivery::failed(Error::TooLarge));
        }
        let append = Append {
            ticket,
            slot: place.slot,
            size,
            admit_by: call.admit_by,
            deliver_by: call.deliver_by,
        };
        let event = accumulator::Event::Append(append);
        self.accumulator.step(now.moment, event, &mut self.appended);
        let offered = self.append(now, call, &append, place);
        self.run(now.moment);
        offered
    }
    // ANCHOR_END: offer

    /// Carries out what the accumulator says of the call's own record, which it says
    /// before anything of its batch.
    fn append(&mut self, now: Now, call: &Call<'_>, append: &Append, place: Place) -> Offered {
        use accumulator::Effect::{Park, Put, Refuse};
        let is_own =
            |effect: &accumulator::Effect| matches!(effect, Put { .. } | Park(_) | Refuse(..));
        let at = self.appended.iter().position(is_own);
        match at.map(|at| self.appended.remove(at)) {
            Some(Put {
                batch, is_first, ..
            }) => {
                if is_first {
                    self.after.deadline = Some(match self.settings.linger {
                        // It is due at once, and sent when there is room.
                        Duration::ZERO => append.deliver_by,
                        linger => now.moment.plus(linger).min(append.deliver_by),
                    });
                }
                let delivery = self.put(now, batch, place.slot, &call.record);
                self.topics.produced(place, append.size, &self.accumulator);
                Offered::Sent(delivery)
            }
            Some(Refuse(_, refusal)) => Offered::Sent(Delivery::failed(refusal.into())),
            _ => {
                self.parked.insert(append.ticket, Parked::default());
                self.after.deadline = Some(append.admit_by);
                Offered::Parked(append.ticket, place)
            }
        }
    }

    /// The one copy of a record.
    fn put(&mut self, now: Now, id: BatchId, slot: Slot, record: &Record<'_>) -> Delivery {
        let lane = &mut self.lanes[slot.0];
        if lane.batches.back().is_none_or(|last| last.id != id) {
            let partition = self.topics.partition(slot).partition;
            lane.batches.push_back(Building {
                id,
                buffer: BatchBuffer::new(Vec::new()),
                outcome: Arc::new(BatchOutcome::new(partition)),
                begun: (now.moment, (now.wall)()),
            });
        }
        let batch = lane.batches.back_mut().expect("it was just pushed");
        self.extra.clear();
        if let Some(interceptor) = &mut self.interceptor {
            interceptor.call(self.topics.partition(slot), &mut self.extra);
        }
        let timestamp = record.timestamp.unwrap_or_else(|| {
            let since = now.moment.since(batch.begun.0).as_millis();
            Timestamp(batch.begun.1.0 + i64::try_from(since).unwrap_or(0))
        });
        let index = batch.buffer.count();
        batch.buffer.push(timestamp, record, &self.extra);
        Delivery::sent(Arc::clone(&batch.outcome), index)
    }

    /// Notes what the cluster says of a topic.
    pub(crate) fn learn(&mut self, now: Moment, name: &TopicName, metadata: &TopicMetadata) {
        let size = self.settings.batch_bytes;
        for slot in self.topics.learn(name, metadata, size) {
            self.lanes.push(Lane {
                batches: VecDeque::new(),
                debt: 0,
            });
            for _ in 0..self.settings.ahead() {
                let room = accumulator::Event::Room(slot);
                self.accumulator.step(now, room, &mut self.appended);
            }
        }
        self.run(now);
    }

    pub(crate) fn tick(&mut self, now: Moment) -> Option<Moment> {
        let tick = accumulator::Event::Tick;
        self.accumulator.step(now, tick, &mut self.appended);
        self.run(now);
        self.step_sender(now, sender::Event::Tick);
        let deadlines = [
            self.accumulator.next_deadline(),
            self.sender.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// A call that was parked: how it ended, or `None` as long as it waits.
    pub(crate) fn poll_parked(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
    ) -> Option<Result<(), Error>> {
        let parked = self.parked.get_mut(&ticket)?;
        match parked.end.take() {
            Some(end) => {
                self.parked.remove(&ticket);
                Some(end)
            }
            None => {
                parked.waker = Some(waker.clone());
                None
            }
        }
    }

    /// A call that was parked is gone.
    pub(crate) fn withdraw(&mut self, now: Moment, ticket: Ticket) {
        self.parked.remove(&ticket);
        let event = accumulator::Event::Withdraw(ticket);
        self.accumulator.step(now, event, &mut self.appended);
        self.run(now);
    }

    /// An attempt to send a batch has ended. These are the bytes that were sent.
    pub(crate) fn answered(&mut self, now: Moment, sent: Outgoing, bytes: Bytes, answer: Answer) {
        if let Some(held) = self.held.get_mut(&sent.batch) {
            held.contents = Contents::Sealed(bytes, sent.number);
        }
        let event = sender::Event::Answer {
            batch: sent.batch,
            slot: sent.slot,
            attempt: sent.attempt,
            answer,
        };
        self.step_sender(now, event);
        // Where there is room now, a batch that was begun meanwhile is due soon. A tick that
        // came while there was none has not waited for it.
        let due = self.accumulator.next_deadline();
        let again = match answer {
            Answer::Appended(_) => None,
            // It is sent again after a pause.
            _ => self.sender.next_deadline(),
        };
        self.after.deadline = [due, again].into_iter().flatten().min();
    }

    pub(crate) fn identify(&mut self, now: Moment, identity: Identity) {
        self.step_sender(now, sender::Event::Identity(identity));
    }

    /// Takes the records of a batch that is to be sent; `None` if it has its outcome.
    pub(crate) fn take_contents(&mut self, batch: BatchId) -> Option<Contents> {
        let held = self.held.get_mut(&batch)?;
        Some(std::mem::replace(&mut held.contents, Contents::OnTheWay))
    }

    /// Makes everything that is there due; returns the batches and how many records each
    /// has.
    pub(crate) fn flush(&mut self, now: Moment) -> Vec<(Arc<BatchOutcome>, u32)> {
        let batches = self.lanes.iter().flat_map(|lane| &lane.batches);
        let building = batches.map(|one| (Arc::clone(&one.outcome), one.buffer.count()));
        let held = self.held.values();
        let held = held.map(|one| (Arc::clone(&one.outcome), one.first + one.count));
        let unsettled = building.chain(held).collect();
        self.accumulator
            .step(now, accumulator::Event::Flush, &mut self.appended);
        self.run(now);
        unsettled
    }

    /// Takes no more records. Calls that wait for room fail.
    pub(crate) fn close(&mut self, now: Moment) {
        self.is_closed = true;
        let parked: Vec<Ticket> = self.parked.keys().copied().collect();
        for ticket in parked {
            self.end_parked(ticket, Err(Error::Closed));
            let event = accumulator::Event::Withdraw(ticket);
            self.accumulator.step(now, event, &mut self.appended);
        }
        self.run(now);
    }

    /// Makes all batches parts of transactions of this producer.
    pub(crate) fn begin_transactions(&mut self, now: Moment, identity: Identity) {
        self.transaction = Some(Enlisted::default());
        self.identify(now, identity);
    }

    /// The partitions that are in the transaction; `None`: there are no transactions.
    pub(crate) fn transaction(&mut self) -> Option<&mut Enlisted> {
        self.transaction.as_mut()
    }

    /// A record was not delivered. In a transaction that leaves nothing to be done for the
    /// others.
    fn note_failed(&mut self, now: Moment, failure: Failure) {
        if let Some(transaction) = &mut self.transaction
            && transaction.failed.is_none()
        {
            transaction.failed = Some(failure.into());
            self.stop(now, failure);
        }
    }

    /// Ends everything that has no outcome yet.
    pub(crate) fn stop(&mut self, now: Moment, failure: Failure) {
        if let Some(transaction) = &mut self.transaction {
            transaction.failed.get_or_insert(failure.into());
        }
        self.close(now);
        for lane in &mut self.lanes {
            for batch in lane.batches.drain(..) {
                let (outcome, count) = (batch.outcome, batch.buffer.count());
                self.after
                    .settled
                    .push((outcome, 0, count, Err(failure.into())));
            }
        }
        self.step_sender(now, sender::Event::Stop(failure));
    }

    pub(crate) fn partition(&self, slot: Slot) -> TopicPartition {
        self.topics.partition(slot).clone()
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        match refusal {
            Refusal::TooLarge => Error::TooLarge,
            Refusal::NoRoom => Error::NoRoom,
        }
    }
}
