//! Which batch a record goes into, and when a batch is sent.

use std::time::Duration;

use message_model::Moment;
use spec_harness::{case, expect_eq};

use super::part::accumulator::{Effect, Event};
use super::part::{Accumulator, Append, Batch, BatchId, Limits, Slot, Ticket};

fn millis(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

/// An accumulator, and the number of the next call.
struct Calls {
    accumulator: Accumulator,
    next: u64,
}

/// Batches of 100 bytes, 5 ms of linger, and this much memory.
fn calls(memory: usize) -> Calls {
    with_linger(memory, 5)
}

fn with_linger(memory: usize, linger: u64) -> Calls {
    let limits = Limits {
        batch_bytes: 100,
        linger: Duration::from_millis(linger),
        memory,
    };
    let accumulator = Accumulator::new(limits);
    Calls {
        accumulator,
        next: 0,
    }
}

impl Calls {
    fn step(&mut self, now: u64, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.accumulator.step(millis(now), event, &mut effects);
        effects
    }

    /// The next call, with a record of `size` bytes for partition `slot`. It may wait
    /// until 60, and must be delivered by 1,000.
    fn send(&mut self, now: u64, slot: usize, size: usize) -> Vec<Effect> {
        let record = append(self.next, slot, size);
        self.next += 1;
        self.step(now, Event::Append(record))
    }

    /// The records of the batches that are sent now.
    fn sent(&mut self, now: u64, event: Event) -> Vec<u32> {
        let records = |effect| match effect {
            Effect::Send(batch) => Some(batch.records),
            _ => None,
        };
        self.step(now, event)
            .into_iter()
            .filter_map(records)
            .collect()
    }
}

fn append(ticket: u64, slot: usize, size: usize) -> Append {
    Append {
        ticket: Ticket(ticket),
        slot: Slot(slot),
        size,
        admit_by: millis(60),
        deliver_by: millis(1_000),
    }
}

fn put(ticket: u64, batch: u64, is_first: bool) -> Effect {
    Effect::Put {
        ticket: Ticket(ticket),
        batch: BatchId(batch),
        is_first,
    }
}

fn batch(id: u64, slot: usize, records: u32, bytes: usize) -> Batch {
    Batch {
        id: BatchId(id),
        slot: Slot(slot),
        records,
        bytes,
        deliver_by: millis(1_000),
    }
}

const ROOM: Event = Event::Room(Slot(0));

#[test]
fn records_share_a_batch() {
    case!(
        "Records of one partition go into one batch as long as they fit.",
        || {
            let mut calls = calls(1_000);
            expect_eq(
                "the 1st, 40 bytes",
                calls.send(0, 0, 40),
                vec![put(0, 0, true)],
            );
            expect_eq(
                "the 2nd, 50 bytes",
                calls.send(0, 0, 50),
                vec![put(1, 0, false)],
            );
            expect_eq(
                "the 3rd, 11 bytes",
                calls.send(0, 0, 11),
                vec![put(2, 1, true)],
            );
        }
    );
}

#[test]
fn partitions_have_batches_of_their_own() {
    case!("A batch has records of one partition.", || {
        let mut calls = calls(1_000);
        expect_eq("partition 0", calls.send(0, 0, 10), vec![put(0, 0, true)]);
        expect_eq("partition 2", calls.send(0, 2, 10), vec![put(1, 1, true)]);
        expect_eq("partition 0", calls.send(0, 0, 10), vec![put(2, 0, false)]);
        calls.step(0, Event::Room(Slot(2)));
        let effects = calls.step(9, Event::Tick);
        let expected = vec![Effect::Send(batch(1, 2, 1, 10))];
        expect_eq("a tick, and room for partition 2", effects, expected);
    });
}

#[test]
fn a_full_batch_does_not_linger() {
    case!(
        "A batch is sent when the next record does not fit, or exactly fills it.",
        || {
            let mut calls = calls(1_000);
            calls.step(0, ROOM);
            calls.step(0, ROOM);
            calls.send(0, 0, 60);
            let expected = vec![put(1, 1, true), Effect::Send(batch(0, 0, 1, 60))];
            expect_eq("60 bytes more, of 100", calls.send(0, 0, 60), expected);
            let expected = vec![put(2, 1, false), Effect::Send(batch(1, 0, 2, 100))];
            expect_eq("exactly 40 bytes more", calls.send(0, 0, 40), expected);
        }
    );
}

#[test]
fn a_record_above_the_size_of_a_batch() {
    case!(
        "A record that is larger than a batch has a batch of its own.",
        || {
            let mut calls = calls(1_000);
            calls.send(0, 0, 10);
            expect_eq("300 bytes", calls.send(0, 0, 300), vec![put(1, 1, true)]);
            expect_eq("10 bytes", calls.send(0, 0, 10), vec![put(2, 2, true)]);
            let sizes: Vec<u32> = (0..3).flat_map(|_| calls.sent(9, ROOM)).collect();
            expect_eq("three batches, of one record each", sizes, vec![1, 1, 1]);
        }
    );
}

#[test]
fn a_batch_lingers() {
    case!(
        "A batch that is not full waits for more, from its first record on.",
        || {
            let mut calls = calls(1_000);
            calls.step(10, ROOM);
            calls.send(10, 0, 10);
            expect_eq(
                "the next deadline",
                calls.accumulator.next_deadline(),
                Some(millis(15)),
            );
            calls.send(13, 0, 10);
            expect_eq("a tick at 14, sent", calls.sent(14, Event::Tick), vec![]);
            expect_eq("a tick at 15, sent", calls.sent(15, Event::Tick), vec![2]);
            expect_eq("a tick at 99, sent", calls.sent(99, Event::Tick), vec![]);
        }
    );
}

#[test]
fn without_linger_a_record_is_sent_at_once() {
    case!(
        "Without linger a record is sent at once if the sender takes it.",
        || {
            let mut calls = with_linger(1_000, 0);
            calls.step(0, ROOM);
            let expected = vec![put(0, 0, true), Effect::Send(batch(0, 0, 1, 10))];
            expect_eq("10 bytes", calls.send(0, 0, 10), expected);
        }
    );
}

#[test]
fn a_batch_grows_as_long_as_the_sender_takes_none() {
    case!(
        "Without room a batch that is due grows on: the next request is larger.",
        || {
            let mut calls = with_linger(1_000, 0);
            for _ in 0..7 {
                calls.send(0, 0, 10);
            }
            expect_eq("a tick, without room", calls.sent(50, Event::Tick), vec![]);
            let deadline = calls.accumulator.next_deadline();
            expect_eq(
                "the next deadline, without room",
                deadline,
                Some(millis(1_000)),
            );
            expect_eq("room for one", calls.sent(50, ROOM), vec![7]);
            expect_eq("room for one more", calls.sent(50, ROOM), vec![]);
            calls.send(50, 0, 10);
            calls.send(50, 0, 10);
            expect_eq(
                "the room was used by the next record",
                calls.sent(50, ROOM),
                vec![1],
            );
        }
    );
}

#[test]
fn the_oldest_batch_first() {
    case!(
        "Batches are sent in the order of their records, one for each room.",
        || {
            let mut calls = calls(1_000);
            for size in [60, 61, 62] {
                calls.send(0, 0, size);
            }
            expect_eq("batches not sent", calls.accumulator.queued(Slot(0)), 3);
            expect_eq(
                "room",
                calls.step(0, ROOM),
                vec![Effect::Send(batch(0, 0, 1, 60))],
            );
            expect_eq(
                "room",
                calls.step(0, ROOM),
                vec![Effect::Send(batch(1, 0, 1, 61))],
            );
            expect_eq("room, the third is not due", calls.step(0, ROOM), vec![]);
            let accumulator = &calls.accumulator;
            expect_eq("batches not sent", accumulator.queued(Slot(0)), 1);
            let is_between = accumulator.is_between_batches(Slot(0));
            expect_eq("the next record begins a batch", is_between, false);
            let expected = vec![Effect::Send(batch(2, 0, 1, 62))];
            expect_eq("a tick at 5", calls.step(5, Event::Tick), expected);
            let accumulator = &calls.accumulator;
            expect_eq("batches not sent", accumulator.queued(Slot(0)), 0);
            let is_between = accumulator.is_between_batches(Slot(0));
            expect_eq("the next record begins a batch", is_between, true);
        }
    );
}

#[test]
fn a_flush_ends_the_linger() {
    case!(
        "A flush makes what is there due, and nothing that comes later.",
        || {
            let mut calls = calls(1_000);
            calls.step(0, ROOM);
            calls.send(0, 0, 10);
            calls.send(0, 1, 10);
            expect_eq("a flush", calls.sent(1, Event::Flush), vec![1]);
            calls.step(1, ROOM);
            calls.send(1, 0, 10);
            expect_eq("a tick at 2", calls.sent(2, Event::Tick), vec![]);
            let room = Event::Room(Slot(1));
            expect_eq("room for the other partition", calls.sent(2, room), vec![1]);
        }
    );
}

#[test]
fn batches_expire() {
    case!(
        "A batch whose first deadline passes expires; the others stay.",
        || {
            let mut calls = calls(1_000);
            let mut record = append(0, 0, 70);
            record.deliver_by = millis(30);
            calls.step(0, Event::Append(record));
            calls.send(0, 0, 80);
            record = append(2, 0, 10);
            record.deliver_by = millis(40);
            calls.step(0, Event::Append(record));
            expect_eq("a tick at 29", calls.step(29, Event::Tick), vec![]);
            let expired = |id, records, bytes, deliver_by| {
                vec![Effect::Expire(Batch {
                    deliver_by: millis(deliver_by),
                    ..batch(id, 0, records, bytes)
                })]
            };
            expect_eq(
                "a tick at 30",
                calls.step(30, Event::Tick),
                expired(0, 1, 70, 30),
            );
            expect_eq(
                "a tick at 40",
                calls.step(40, Event::Tick),
                expired(1, 2, 90, 40),
            );
            expect_eq("the memory in use", calls.accumulator.used(), 160);
            expect_eq("room", calls.step(41, ROOM), vec![]);
        }
    );
}

#[test]
fn a_later_batch_may_expire_first() {
    case!("A batch may expire before one in front of it.", || {
        let mut calls = calls(1_000);
        calls.send(0, 0, 70);
        let mut record = append(1, 0, 80);
        record.deliver_by = millis(30);
        calls.step(0, Event::Append(record));
        calls.step(0, Event::Append(append(2, 0, 50)));
        let expired = Effect::Expire(Batch {
            deliver_by: millis(30),
            ..batch(1, 0, 1, 80)
        });
        let effects = calls.step(30, Event::Tick);
        expect_eq("a tick at 30, which is batch 1's", effects, vec![expired]);
    });
}

#[test]
fn what_expires_is_not_sent() {
    case!(
        "At its deadline a batch expires, even if it is due as well.",
        || {
            let mut calls = calls(1_000);
            calls.step(0, ROOM);
            let mut record = append(0, 0, 10);
            record.deliver_by = millis(5);
            calls.step(0, Event::Append(record));
            calls.send(0, 1, 10);
            let expected = Batch {
                deliver_by: millis(5),
                ..batch(0, 0, 1, 10)
            };
            expect_eq(
                "a tick at 5",
                calls.step(5, Event::Tick),
                vec![Effect::Expire(expected)],
            );
        }
    );
}

mod room;

mod histories;
