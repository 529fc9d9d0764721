//! What happens to a batch between the accumulator and its outcome.

use message_model::Moment;

use crate::batch::{Batch, BatchId, Slot};
pub use crate::event::{Effect, Event};
use crate::line::{Entry, Line, State};
use crate::number::Identity;
use crate::outcome::{Answer, Failure, Outcome};
use crate::rules::{Order, Rules};

/// The batches that the accumulator gave, until their outcome is known.
///
/// # Invariants
/// - Each batch has one outcome: one [`Effect::Done`], or one for each of its parts.
/// - With [`Order::Sequenced`], and a broker that checks the numbers, the log has each
///   record once at most, in the order of the batches, whatever the network does.
/// - A number is given to a batch when the batch is sent for the first time, and not
///   before: a batch that expires unsent leaves no gap.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sender {
    pub(crate) rules: Rules,
    /// The newest one that is known.
    pub(crate) identity: Option<Identity>,
    /// A newer one was asked for.
    pub(crate) is_renewing: bool,
    stopped: Option<Failure>,
    lines: Vec<Line>,
    /// How many batches the sender has numbered itself.
    pub(crate) parts: u64,
}

impl Sender {
    /// No batch was given.
    ///
    /// # Panics
    /// If no batch may be in flight, if the broker shall check numbers that batches do not
    /// have, or if batches have numbers and [`Order::Nothing`].
    #[must_use]
    pub fn new(rules: Rules) -> Sender {
        assert!(rules.in_flight_max > 0, "a batch can be in flight");
        assert!(
            rules.numbered || rules.order != Order::Sequenced,
            "only numbered batches can be checked"
        );
        assert!(
            !rules.numbered || rules.order != Order::Nothing,
            "numbered batches are kept in order"
        );
        Sender {
            rules,
            identity: None,
            is_renewing: false,
            stopped: None,
            lines: Vec::new(),
            parts: 0,
        }
    }

    /// Adds to `effects` what follows from `event`, which happens at `now`.
    pub fn step(&mut self, now: Moment, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Batch(batch) => match self.stopped {
                Some(failure) => effects.push(Effect::Done(batch, Outcome::Failed(failure))),
                None => {
                    let slot = batch.slot;
                    self.line(slot).entries.push_back(Entry::new(batch));
                    self.send(now, slot, effects);
                }
            },
            Event::Identity(identity) => {
                self.identity = Some(identity);
                self.is_renewing = false;
                self.send_all(now, effects);
            }
            Event::Answer {
                batch,
                slot,
                attempt,
                answer,
            } => {
                // An attempt that has been given up is of no interest any more.
                if let Some(place) = self.line(slot).in_flight(batch, attempt) {
                    self.answer(now, (slot, place), answer, effects);
                    self.line(slot).forget_settled();
                    self.send(now, slot, effects);
                }
            }
            Event::Tick => {
                for slot in (0..self.lines.len()).map(Slot) {
                    self.expire(now, slot, effects);
                    self.line(slot).forget_settled();
                }
                self.send_all(now, effects);
            }
            Event::Stop(failure) => self.stop(failure, effects),
        }
    }

    /// Sends what can be sent of a partition, the oldest batch first.
    ///
    /// - As many of its batches as [`window`](Sender::window) says may be in flight,
    ///   counted from the oldest one that is not settled.
    /// - Nothing overtakes a batch that waits to be sent again, except with
    ///   [`Order::Nothing`].
    /// - If batches are numbered, a batch without a number gets one now, or cannot be
    ///   sent yet.
    fn send(&mut self, now: Moment, slot: Slot, effects: &mut Vec<Effect>) {
        // task 14.4: the oldest batches, as many as may be in flight
        let mut places = 0..;
        while let Some(place) = places.next()
            && place < self.window(slot).min(self.line(slot).entries.len())
        {
            match self.line(slot).entries[place].state {
                State::InFlight | State::Delivered | State::Failed => continue,
                State::Waiting(until) if until > now => match self.rules.order {
                    Order::Nothing => continue,
                    Order::OneAtATime | Order::Sequenced => break,
                },
                State::Waiting(_) => {}
            }
            // The window may become smaller: a new identity is not proven.
            if self.rules.numbered && !self.number(slot, place, effects) {
                break;
            }
            let line = self.line(slot);
            let is_first = line.entries.iter().take(place).all(Entry::is_settled);
            let entry = &mut line.entries[place];
            entry.state = State::InFlight;
            entry.attempts += 1;
            entry.was_first = is_first;
            effects.push(Effect::Send {
                batch: entry.batch.id,
                slot,
                attempt: entry.attempts,
                number: entry.number,
                deliver_by: entry.batch.deliver_by,
            });
        }
        // end
    }

    /// Returns how many batches of a partition may be in flight.
    ///
    /// - With [`Order::OneAtATime`] one, also without retries: a batch that is too large is
    ///   cut, and its parts must not arrive behind the next batch.
    /// - With [`Order::Sequenced`] one until the broker has acknowledged a batch of this
    ///   identity, because a broker that has never heard of a producer takes any first
    ///   number for the right one. Then `in_flight_max`.
    /// - With [`Order::Nothing`] `in_flight_max`.
    fn window(&mut self, slot: Slot) -> usize {
        // task 14.4: how many may be in flight
        let rules = self.rules;
        match rules.order {
            Order::OneAtATime => 1,
            Order::Sequenced if !self.line(slot).is_proven => 1,
            Order::Sequenced | Order::Nothing => rules.in_flight_max,
        }
        // end
    }

    /// Gives the batch at `place` its number, if it has none, and returns whether it has
    /// one.
    ///
    /// - The numbers of a partition follow on each other: a batch's is the one behind the
    ///   last record that got a number.
    /// - The first batch of a new identity has 0. As long as an unsettled batch before it
    ///   has a number of the old identity, a batch gets none of the new one.
    /// - Behind a [hole](Line::is_behind_hole) no batch gets a number of the same
    ///   identity.
    ///
    /// If that needs an identity that the sender does not have, it asks for one at once,
    /// also while batches before this one are unsettled; and not again until one has come.
    fn number(&mut self, slot: Slot, place: usize, effects: &mut Vec<Effect>) -> bool {
        // task 14.4: a number, or the reason why there is none yet
        let newest = self.identity;
        let line = self.line(slot);
        if line.entries[place].number.is_some() {
            return true;
        }
        let before = line.entries.iter().take(place);
        let mut unsettled = before.filter(|one| !one.is_settled());
        if line.identity != newest {
            if unsettled.any(|one| one.number.is_some()) {
                return false;
            }
            line.begin(newest);
        }
        if line.identity.is_none() || line.is_behind_hole(place) {
            if !self.is_renewing {
                self.is_renewing = true;
                effects.push(Effect::Renew(newest));
            }
            return false;
        }
        line.take_number(place);
        true
        // end
    }

    /// What an answer to the attempt in flight of the batch at `place` means.
    ///
    /// - Appended: it is delivered.
    /// - Lost: it may be in the log. It is sent again.
    /// - Not now: it is sent again.
    /// - Too large: it is cut in two, or is [refused](Line::refuse) if it is one record.
    /// - Refused: it is [refused](Line::refuse).
    /// - Out of order: if a batch before it was not settled when it was sent, or it is
    ///   behind a [hole](Line::is_behind_hole), it came too early, and is sent again.
    ///   Otherwise the broker has lost records that it acknowledged, and the sender stops.
    /// - Fatal: the sender stops, and every batch without an outcome has failed.
    ///
    /// If a batch behind it was appended, and the broker checks the numbers, then this one
    /// is in the log. So it is delivered, without an offset, and not cut, refused, sent
    /// again or a reason to stop when the answer is one of these three: too large, refused,
    /// out of order.
    fn answer(
        &mut self,
        now: Moment,
        (slot, place): (Slot, usize),
        answer: Answer,
        effects: &mut Vec<Effect>,
    ) {
        // task 14.4: delivered, sent again, cut in two, failed, or the end of all
        let is_checked = self.rules.order == Order::Sequenced;
        let line = self.line(slot);
        let entry = &mut line.entries[place];
        entry.in_doubt |= answer == Answer::Lost;
        let is_one = entry.batch.records == 1;
        let came_early = !entry.was_first;
        match answer {
            Answer::Appended(offset) => {
                line.is_proven = true;
                line.settle(place, Outcome::Delivered(offset), effects);
            }
            Answer::Lost | Answer::NotNow(_) => self.again(now, (slot, place), effects),
            Answer::TooLarge | Answer::Refused(_) | Answer::OutOfOrder
                if is_checked && line.is_followed(place) =>
            {
                line.settle(place, Outcome::Delivered(None), effects);
            }
            Answer::TooLarge if is_one => line.refuse(place, Failure::TooLarge, effects),
            Answer::TooLarge => self.split((slot, place), effects),
            Answer::Refused(code) => line.refuse(place, Failure::Refused(code), effects),
            Answer::OutOfOrder if came_early || line.is_behind_hole(place) => {
                self.again(now, (slot, place), effects);
            }
            Answer::OutOfOrder => {
                self.stop(Failure::BrokerLost, effects);
            }
            Answer::Fatal(code) => self.stop(Failure::Fatal(code), effects),
        }
        // end
    }

    /// The batch at `place`, whose attempt has ended, waits for its next one, or has
    /// failed if it has had all of them.
    fn again(&mut self, now: Moment, (slot, place): (Slot, usize), effects: &mut Vec<Effect>) {
        // task 14.4: once more, after a pause, if it may
        let rules = self.rules;
        let line = self.line(slot);
        let entry = &mut line.entries[place];
        entry.state = State::Waiting(now.plus(rules.backoff));
        if entry.attempts > rules.retries {
            line.give_up(place, rules.order == Order::Sequenced, effects);
        }
        // end
    }

    /// The batch at `place` becomes two, with half of the records and half of the bytes each
    /// (the first one has one more if the count is odd), whatever the sizes of the records.
    ///
    /// - The first part has the number of the whole, the second one the number behind the
    ///   first part's records.
    /// - They can be sent at once, and have all their attempts before them.
    /// - What may be in the log of the whole may be of a part: `in_doubt` is the whole's.
    /// - Their ids are `u64::MAX - parts` and the one below it; `parts` counts them.
    fn split(&mut self, (slot, place): (Slot, usize), effects: &mut Vec<Effect>) {
        // task 14.4: two batches where one was
        let ids = [0, 1].map(|part| BatchId(u64::MAX - self.parts - part));
        self.parts += 2;
        let line = self.line(slot);
        let whole = line.entries[place];
        let (records, bytes) = (whole.batch.records, whole.batch.bytes);
        let sizes = [
            (records.div_ceil(2), bytes.div_ceil(2)),
            (records / 2, bytes / 2),
        ];
        let part = |part: usize| Batch {
            id: ids[part],
            records: sizes[part].0,
            bytes: sizes[part].1,
            ..whole.batch
        };
        let parts = [part(0), part(1)];
        effects.push(Effect::Split(whole.batch.id, parts));
        let mut entries = parts.map(Entry::new);
        entries[0].number = whole.number;
        entries[1].number = whole.number.map(|number| number.behind(parts[0].records));
        for entry in &mut entries {
            entry.in_doubt = whole.in_doubt;
        }
        line.entries[place] = entries[0];
        line.entries.insert(place + 1, entries[1]);
        // end
    }

    /// The batches whose time is over fail, whether they are in flight or not.
    fn expire(&mut self, now: Moment, slot: Slot, effects: &mut Vec<Effect>) {
        // task 14.4: what must have been delivered by now
        let is_checked = self.rules.order == Order::Sequenced;
        let line = self.line(slot);
        for place in 0..line.entries.len() {
            let entry = &line.entries[place];
            if !entry.is_settled() && entry.batch.deliver_by <= now {
                line.give_up(place, is_checked, effects);
            }
        }
        // end
    }

    fn stop(&mut self, failure: Failure, effects: &mut Vec<Effect>) {
        self.stopped.get_or_insert(failure);
        for line in &mut self.lines {
            for entry in line.entries.drain(..) {
                if !entry.is_settled() {
                    effects.push(Effect::Done(entry.batch, Outcome::Failed(failure)));
                }
            }
        }
    }

    fn send_all(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        for slot in (0..self.lines.len()).map(Slot) {
            self.send(now, slot, effects);
        }
    }

    /// Returns when the next [`Event::Tick`] has something to do; `None`: never, as far
    /// as is known now.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let entries = self.lines.iter().flat_map(|line| &line.entries);
        let unsettled = entries.filter(|entry| !entry.is_settled());
        let deadline = |entry: &Entry| match entry.state {
            State::Waiting(until) if entry.attempts > 0 => until.min(entry.batch.deliver_by),
            _ => entry.batch.deliver_by,
        };
        unsettled.map(deadline).min()
    }

    /// Returns whether every batch has its outcome.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lines.iter().all(|line| line.entries.is_empty())
    }

    pub(crate) fn line(&mut self, slot: Slot) -> &mut Line {
        if slot.0 >= self.lines.len() {
            self.lines.resize_with(slot.0 + 1, Line::default);
        }
        &mut self.lines[slot.0]
    }
}
