//! What the machines want to be done.

use message_model::Moment;

use super::{Building, Core};
use crate::error::Error;
use crate::held::{Held, Outgoing};
use crate::part::accumulator::{self, Ticket};
use crate::part::sender::{self, Effect};
use crate::part::{Batch, Failure, Outcome};

impl Core {
    pub(super) fn step_sender(&mut self, now: Moment, event: sender::Event) {
        let mut effects = Vec::new();
        self.sender.step(now, event, &mut effects);
        self.sent.extend(effects);
        self.run(now);
    }

    /// Carries out effects until there are none.
    pub(super) fn run(&mut self, now: Moment) {
        loop {
            // An empty list keeps its memory for the next record.
            if !self.appended.is_empty() {
                for effect in std::mem::take(&mut self.appended) {
                    self.carry_out(now, effect);
                }
            }
            match self.sent.pop_front() {
                Some(effect) => self.carry_out_sent(now, effect),
                None if self.appended.is_empty() => return,
                None => {}
            }
        }
    }

    fn carry_out(&mut self, now: Moment, effect: accumulator::Effect) {
        use accumulator::Effect::{Admit, Expire, Park, Put, Refuse, Send};
        match effect {
            Put { .. } | Park(_) => unreachable!("only `offer` appends, and carries these out"),
            Admit(ticket) => self.end_parked(ticket, Ok(())),
            Refuse(ticket, refusal) => self.end_parked(ticket, Err(refusal.into())),
            Send(batch) => {
                // After a stop the batch is gone already.
                if let Some(building) = self.take_building(&batch) {
                    self.held
                        .insert(batch.id, Held::new(building.buffer, building.outcome));
                }
                let mut effects = Vec::new();
                self.sender
                    .step(now, sender::Event::Batch(batch), &mut effects);
                self.sent.extend(effects);
            }
            Expire(batch) => {
                let expired = Failure::Expired {
                    may_be_in_log: false,
                };
                if let Some(building) = self.take_building(&batch) {
                    let (outcome, count) = (building.outcome, batch.records);
                    let error = Err(expired.into());
                    self.after.settled.push((outcome, 0, count, error));
                }
                self.release(now, batch.bytes);
                self.note_failed(now, expired);
            }
        }
    }

    fn carry_out_sent(&mut self, now: Moment, effect: Effect) {
        match effect {
            Effect::Send {
                batch,
                slot,
                attempt,
                number,
                deliver_by,
            } => self.after.outbox.push(Outgoing {
                batch,
                slot,
                attempt,
                number,
                deliver_by,
            }),
            Effect::Done(batch, outcome) => {
                let mut failed = None;
                if let Some(held) = self.held.remove(&batch.id) {
                    let outcome = match outcome {
                        Outcome::Delivered(offset) => Ok(offset),
                        Outcome::Failed(failure) => {
                            failed = Some(failure);
                            Err(failure.into())
                        }
                    };
                    let Held {
                        first,
                        count,
                        outcome: whole,
                        ..
                    } = held;
                    self.after.settled.push((whole, first, count, outcome));
                }
                self.release(now, batch.bytes);
                let lane = &mut self.lanes[batch.slot.0];
                if lane.debt > 0 {
                    lane.debt -= 1;
                } else {
                    let room = accumulator::Event::Room(batch.slot);
                    self.accumulator.step(now, room, &mut self.appended);
                }
                if let Some(failure) = failed {
                    self.note_failed(now, failure);
                }
            }
            Effect::Split(whole, parts) => {
                self.lanes[parts[0].slot.0].debt += 1;
                if let Some(held) = self.held.remove(&whole) {
                    let halves = held.split(parts[0].records);
                    let ids = parts.map(|part| part.id);
                    self.held.extend(ids.into_iter().zip(halves));
                }
            }
            Effect::Renew(last) => self.after.renew = Some(last),
        }
    }

    fn release(&mut self, now: Moment, bytes: usize) {
        let event = accumulator::Event::Release(bytes);
        self.accumulator.step(now, event, &mut self.appended);
    }

    pub(super) fn end_parked(&mut self, ticket: Ticket, end: Result<(), Error>) {
        if let Some(parked) = self.parked.get_mut(&ticket) {
            // An admitted call that is refused later, when the producer closes.
            parked.end = Some(end);
            self.after.wakers.extend(parked.waker.take());
        }
    }

    fn take_building(&mut self, batch: &Batch) -> Option<Building> {
        let batches = &mut self.lanes[batch.slot.0].batches;
        let place = batches.iter().position(|one| one.id == batch.id)?;
        batches.remove(place)
    }
}
