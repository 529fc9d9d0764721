//! A transactional producer: what transactors and transforms have in common.

use std::collections::BTreeSet;

use history::{Outcome, Partition};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, EndTxnRequest,
    InitProducerIdRequest,
};

use super::Setting;
use super::in_flight::{InFlight, Stopped};
use crate::batch::Instance;
use crate::network::Link;
use crate::record::{Begun, place};
use crate::request::{Request, Response};

/// After how many milliseconds the coordinator aborts a transaction.
pub(crate) const TIMEOUT: i32 = 700;
/// How often a call is made again before it is given up.
const TRIES: usize = 60;

/// Why a transaction cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another instance has taken its place, or the transaction took too long.
    Fenced,
    /// It must be aborted, and the producer needs the next epoch.
    Abort,
}

/// A producer with a transactional id.
pub(super) struct Transactional {
    pub(super) setting: Setting,
    pub(super) link: Link,
    pub(super) id: String,
    pub(super) batches: InFlight,
    enlisted: BTreeSet<(&'static str, i32)>,
    has_begun: bool,
}

impl Transactional {
    /// Returns the next instance of `id`; `None` if another one is in its way.
    pub(super) async fn init(setting: &Setting, id: &str) -> Option<Transactional> {
        let mut link = Link::new(&setting.network, true);
        let instance = init(setting, &mut link, id, None).await?;
        Some(Transactional {
            setting: setting.clone(),
            link,
            id: id.to_owned(),
            batches: InFlight::new(instance, Some(id.to_owned())),
            enlisted: BTreeSet::new(),
            has_begun: false,
        })
    }

    fn instance(&self) -> Instance {
        self.batches.instance
    }

    /// Makes a call again and again until its answer says something.
    async fn insist(&mut self, request: Request) -> Result<(), Trouble> {
        for _ in 0..TRIES {
            let code = match self.link.call(request.clone()).await {
                Ok(Response::Done(code)) => code,
                _ => ErrorCode::NOT_COORDINATOR,
            };
            match code {
                ErrorCode::NONE => return Ok(()),
                ErrorCode::CONCURRENT_TRANSACTIONS
                | ErrorCode::COORDINATOR_NOT_AVAILABLE
                | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
                | ErrorCode::NOT_COORDINATOR => self.setting.back_off().await,
                ErrorCode::INVALID_PRODUCER_EPOCH | ErrorCode::PRODUCER_FENCED => {
                    return Err(Trouble::Fenced);
                }
                ErrorCode::ILLEGAL_GENERATION
                | ErrorCode::UNKNOWN_MEMBER_ID
                | ErrorCode::REBALANCE_IN_PROGRESS => return Err(Trouble::Abort),
                code => {
                    let about = format!("code {} for {}", code.0, crate::show::request(&request));
                    self.setting
                        .recorder
                        .complain("a right call is taken", about);
                    return Err(Trouble::Fenced);
                }
            }
        }
        Err(Trouble::Abort)
    }

    /// Adds partitions to the transaction.
    pub(super) async fn enlist(
        &mut self,
        partitions: &BTreeSet<(&'static str, i32)>,
    ) -> Result<(), Trouble> {
        let new: Vec<_> = partitions.difference(&self.enlisted).copied().collect();
        if new.is_empty() {
            return Ok(());
        }
        let topics = new
            .iter()
            .map(|(topic, partition)| AddPartitionsToTxnTopic {
                name: (*topic).to_owned(),
                partitions: vec![*partition],
            });
        let request = Request::AddPartitions(AddPartitionsToTxnRequest {
            transactional_id: self.id.clone(),
            producer_id: self.instance().id,
            producer_epoch: self.instance().epoch,
            topics: topics.collect(),
        });
        self.has_begun = true;
        self.insist(request).await?;
        self.enlisted.extend(new);
        Ok(())
    }

    /// Adds the offsets of a group to the transaction.
    pub(super) async fn enlist_offsets(&mut self, group: &str) -> Result<(), Trouble> {
        let request = Request::AddOffsets(AddOffsetsToTxnRequest {
            transactional_id: self.id.clone(),
            producer_id: self.instance().id,
            producer_epoch: self.instance().epoch,
            group_id: group.to_owned(),
        });
        self.has_begun = true;
        self.insist(request).await
    }

    /// Makes any other call of the transaction.
    pub(super) async fn call(&mut self, request: Request) -> Result<(), Trouble> {
        self.insist(request).await
    }

    /// Puts values on their way to a partition, and into the record.
    pub(super) fn add(&mut self, begun: Begun, to: (&'static str, i32), values: Vec<u64>) {
        let partition: Partition = place(to.0, to.1);
        let recorder = &self.setting.recorder;
        let step = |value: &u64| (begun, recorder.sends(begun, &partition, *value));
        let places = values.iter().map(step).collect();
        self.batches.add(to, values, places);
    }

    /// Sends what is on its way, until all of it is acknowledged.
    pub(super) async fn flush(&mut self) -> Result<(), Trouble> {
        let recorder = self.setting.recorder.clone();
        let acknowledged = |one: &super::in_flight::Unanswered, base: i64| {
            for ((begun, step), at) in one.places.iter().zip(base..) {
                recorder.sent_at(*begun, *step, at);
            }
        };
        let flushed = self
            .batches
            .flush(&self.setting, &mut self.link, acknowledged)
            .await;
        flushed.map_err(|stopped| match stopped {
            Stopped::Fenced => Trouble::Fenced,
            Stopped::GaveUp => Trouble::Abort,
        })
    }

    /// Ends the transaction. Returns what came of it for the record, and whether the producer
    /// can go on.
    pub(super) async fn end(&mut self, begun: Begun, commits: bool) -> bool {
        if commits {
            self.setting.recorder.asks_to_commit(begun);
        }
        let had_begun = std::mem::take(&mut self.has_begun);
        self.enlisted.clear();
        let ended = match had_begun {
            true => self.insist(self.end_request(commits)).await,
            false => Ok(()),
        };
        let outcome = match (ended, commits) {
            (Ok(()), true) => Outcome::Ok,
            (_, false) => Outcome::Failed,
            (Err(_), true) => Outcome::Unknown,
        };
        self.setting.recorder.end(begun, outcome);
        if ended.is_err() {
            return false;
        }
        // A batch without an answer may still arrive: only the next epoch keeps it out.
        self.batches.unanswered.is_empty() || self.next_epoch().await
    }

    fn end_request(&self, committed: bool) -> Request {
        Request::EndTxn(EndTxnRequest {
            transactional_id: self.id.clone(),
            producer_id: self.instance().id,
            producer_epoch: self.instance().epoch,
            committed,
        })
    }

    async fn next_epoch(&mut self) -> bool {
        let before = self.instance();
        let next = init(&self.setting, &mut self.link, &self.id, Some(before)).await;
        let Some(instance) = next else {
            return false;
        };
        self.batches = InFlight::new(instance, Some(self.id.clone()));
        true
    }
}

/// Asks for the next instance of `id`; `None` if another one has come meanwhile.
async fn init(
    setting: &Setting,
    link: &mut Link,
    id: &str,
    before: Option<Instance>,
) -> Option<Instance> {
    let request = Request::InitProducerId(InitProducerIdRequest {
        transactional_id: Some(id.to_owned()),
        transaction_timeout_ms: TIMEOUT,
        producer_id: before.map_or(-1, |one| one.id),
        producer_epoch: before.map_or(-1, |one| one.epoch),
    });
    loop {
        let answer = match link.call(request.clone()).await {
            Ok(Response::InitProducerId(answer)) => answer,
            _ => {
                setting.back_off().await;
                continue;
            }
        };
        match answer.error_code {
            ErrorCode::NONE => {
                return Some(Instance {
                    id: answer.producer_id,
                    epoch: answer.producer_epoch,
                });
            }
            ErrorCode::CONCURRENT_TRANSACTIONS
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
            | ErrorCode::NOT_COORDINATOR => setting.back_off().await,
            ErrorCode::INVALID_PRODUCER_EPOCH | ErrorCode::PRODUCER_FENCED => return None,
            code => {
                let about = format!("code {} for an InitProducerId of {id}", code.0);
                setting.recorder.complain("a right call is taken", about);
                return None;
            }
        }
    }
}
