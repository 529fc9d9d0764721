//! What becomes of five batches if the broker refuses the first one once, and if the answer
//! to the third one is lost, with each rule that keeps the order.
//!
//! ```text
//! cargo run -p producer --example 14-reorder
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use message_model::{Moment, Offset, ProducerEpoch, ProducerId};
use producer::part::sender::{Effect, Event};
use producer::part::{Answer, Batch, BatchId, Identity, Order, Rules, Sender, Slot};
use wire_protocol::ErrorCode;

const BATCHES: u64 = 5;

/// A log, and the number that its broker expects next, if it checks numbers.
#[derive(Default)]
struct Broker {
    log: Vec<u64>,
    checks: bool,
    /// Of each batch that was appended: its number, and its offset.
    numbers: Vec<(i32, i64)>,
}

impl Broker {
    /// The first attempt of batch 0 is refused, and the answer to that of batch 2 is lost.
    fn answer(&mut self, batch: u64, attempt: u32, number: Option<i32>) -> Answer {
        match (batch, attempt) {
            (0, 1) => Answer::NotNow(ErrorCode::NOT_LEADER_OR_FOLLOWER),
            (2, 1) => {
                self.produce(batch, number);
                Answer::Lost
            }
            _ => self.produce(batch, number),
        }
    }

    fn produce(&mut self, batch: u64, number: Option<i32>) -> Answer {
        let next = i32::try_from(self.numbers.len()).unwrap_or(i32::MAX);
        if let (true, Some(number)) = (self.checks, number) {
            if let Some((_, offset)) = self.numbers.iter().find(|known| known.0 == number) {
                return Answer::Appended(Some(Offset(*offset)));
            }
            if number != next {
                return Answer::OutOfOrder;
            }
        }
        let offset = i64::try_from(self.log.len()).unwrap_or(i64::MAX);
        self.log.push(batch);
        self.numbers.push((number.unwrap_or(next), offset));
        Answer::Appended(Some(Offset(offset)))
    }
}

fn play(order: Order) -> Vec<u64> {
    let mut sender = Sender::new(Rules {
        order,
        numbered: order == Order::Sequenced,
        in_flight_max: 5,
        retries: u32::MAX,
        backoff: Duration::from_millis(1),
    });
    let mut broker = Broker {
        checks: order == Order::Sequenced,
        ..Broker::default()
    };
    let mut now = Moment::START;
    let mut requests = VecDeque::new();
    let mut effects = Vec::new();
    let identity = Identity {
        id: ProducerId(1),
        epoch: ProducerEpoch(0),
    };
    sender.step(now, Event::Identity(identity), &mut effects);
    for id in 0..BATCHES {
        let batch = Batch {
            id: BatchId(id),
            slot: Slot(0),
            records: 1,
            bytes: 100,
            deliver_by: Moment::after_start(Duration::from_secs(60)),
        };
        sender.step(now, Event::Batch(batch), &mut effects);
    }
    while !sender.is_idle() {
        for effect in effects.drain(..) {
            if let Effect::Send {
                batch,
                attempt,
                number,
                ..
            } = effect
            {
                requests.push_back((batch, attempt, number.map(|number| number.sequence)));
            }
        }
        let event = match requests.pop_front() {
            Some((batch, attempt, number)) => Event::Answer {
                batch,
                slot: Slot(0),
                attempt,
                answer: broker.answer(batch.0, attempt, number),
            },
            None => {
                now = sender.next_deadline().unwrap_or(now);
                Event::Tick
            }
        };
        sender.step(now, event, &mut effects);
    }
    broker.log
}

fn main() {
    println!("sent                      0 1 2 3 4");
    for (name, order) in [
        ("several in flight         ", Order::Nothing),
        ("one in flight             ", Order::OneAtATime),
        ("several, numbers checked  ", Order::Sequenced),
    ] {
        let log: Vec<String> = play(order).iter().map(u64::to_string).collect();
        println!("{name}{}", log.join(" "));
    }
}
