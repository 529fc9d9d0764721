//! Numbered batches on their way: up to five at a time, and again from the first without an
//! answer on when something goes wrong.

use std::collections::{BTreeMap, VecDeque};

use wire_protocol::message::{ProducePartition, ProduceRequest, ProduceTopic};
use wire_protocol::{ErrorCode, Records};

use super::Setting;
use crate::batch::{Instance, batch};
use crate::network::Link;
use crate::record::Begun;
use crate::request::{Request, Response};

/// How many batches may be without an answer.
const IN_FLIGHT_MAX: usize = 5;
/// How often a producer sends again before it gives up.
const TRIES: usize = 40;

/// A batch that has no answer yet.
#[derive(Debug, Clone)]
pub(super) struct Unanswered {
    pub(super) topic: &'static str,
    pub(super) partition: i32,
    first: i32,
    pub(super) values: Vec<u64>,
    /// Where each of the values is in the record: its operation, and the step of it.
    pub(super) places: Vec<(Begun, usize)>,
    /// Whether it was ever on its way.
    pub(super) was_sent: bool,
}

/// Why a producer sends no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// Another instance has taken its place.
    Fenced,
    /// Nobody knows what became of the first batch without an answer.
    GaveUp,
}

/// The batches of an instance of a producer.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) instance: Instance,
    pub(super) transactional_id: Option<String>,
    next: BTreeMap<(&'static str, i32), i32>,
    pub(super) unanswered: VecDeque<Unanswered>,
    /// A batch could not be written. If it was the first one that the partition would have
    /// known, those behind it were taken, as of a producer that was forgotten.
    was_unwritten: bool,
}

impl InFlight {
    pub(super) fn new(instance: Instance, transactional_id: Option<String>) -> InFlight {
        InFlight {
            instance,
            transactional_id,
            next: BTreeMap::new(),
            unanswered: VecDeque::new(),
            was_unwritten: false,
        }
    }

    /// Adds a batch behind all others.
    pub(super) fn add(
        &mut self,
        (topic, partition): (&'static str, i32),
        values: Vec<u64>,
        places: Vec<(Begun, usize)>,
    ) {
        let next = self.next.entry((topic, partition)).or_default();
        let first = *next;
        *next += i32::try_from(values.len()).unwrap_or(i32::MAX);
        self.unanswered.push_back(Unanswered {
            topic,
            partition,
            first,
            values,
            places,
            was_sent: false,
        });
    }

    fn request(&self, one: &Unanswered) -> Request {
        let transactional = self.transactional_id.is_some();
        let bytes = batch(self.instance, one.first, transactional, &one.values);
        Request::Produce(ProduceRequest {
            transactional_id: self.transactional_id.clone(),
            acks: -1,
            timeout_ms: 5_000,
            topics: vec![ProduceTopic {
                name: one.topic.to_owned(),
                partitions: vec![ProducePartition {
                    index: one.partition,
                    records: Records::from_bytes(bytes),
                }],
            }],
        })
    }

    /// Sends all batches, and takes each one out that is acknowledged. `acknowledged` hears of
    /// it, with the offset.
    pub(super) async fn flush(
        &mut self,
        setting: &Setting,
        link: &mut Link,
        mut acknowledged: impl FnMut(&Unanswered, i64),
    ) -> Result<(), Stopped> {
        for _ in 0..TRIES {
            if self.unanswered.is_empty() {
                return Ok(());
            }
            match self.send_once(setting, link, &mut acknowledged).await {
                Some(stopped) => return Err(stopped),
                None if self.unanswered.is_empty() => return Ok(()),
                None => setting.back_off().await,
            }
        }
        Err(Stopped::GaveUp)
    }

    /// Sends from the first batch on, until something goes wrong.
    async fn send_once(
        &mut self,
        setting: &Setting,
        link: &mut Link,
        acknowledged: &mut impl FnMut(&Unanswered, i64),
    ) -> Option<Stopped> {
        link.connect().await;
        let mut awaited = VecDeque::new();
        loop {
            while awaited.len() < IN_FLIGHT_MAX {
                let Some(one) = self.unanswered.get_mut(awaited.len()) else {
                    break;
                };
                one.was_sent = true;
                let request = self.request(&self.unanswered[awaited.len()]);
                let Ok(answer) = link.send(request) else {
                    return None;
                };
                awaited.push_back(answer);
            }
            let answer = link.answer(awaited.pop_front()?).await;
            match answer {
                Ok(Response::Produce(ErrorCode::NONE, base)) => {
                    if let Some(one) = self.unanswered.pop_front() {
                        acknowledged(&one, base);
                    }
                }
                Ok(Response::Produce(code, _)) => {
                    // Those behind it are sent again, and in their order.
                    link.close();
                    return self.judge(setting, code);
                }
                _ => return None,
            }
        }
    }

    /// What follows from a refusal of the first batch, all before which are acknowledged.
    fn judge(&mut self, setting: &Setting, code: ErrorCode) -> Option<Stopped> {
        self.was_unwritten |= code == ErrorCode::KAFKA_STORAGE_ERROR;
        match code {
            ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER if self.was_unwritten => Some(Stopped::GaveUp),
            ErrorCode::INVALID_PRODUCER_EPOCH | ErrorCode::PRODUCER_FENCED => Some(Stopped::Fenced),
            ErrorCode::REQUEST_TIMED_OUT | ErrorCode::KAFKA_STORAGE_ERROR => None,
            code => {
                let first = self.unanswered.front();
                setting.recorder.complain(
                    "a batch that is next is taken",
                    format!("code {} for {first:?} of {:?}", code.0, self.instance),
                );
                Some(Stopped::GaveUp)
            }
        }
    }
}
