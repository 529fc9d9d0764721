//! A light member of a group: it joins, hands out shares if it leads, and beats its heart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use client::{Client, Target};
use tokio::sync::watch;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    HeartbeatRequest, JoinGroupProtocol, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeavingMember, SyncGroupAssignment, SyncGroupRequest,
};

use crate::Latencies;

const PROTOCOL: &str = "shares";

/// How the members of a group behave.
#[derive(Debug, Clone)]
pub(super) struct Habits {
    pub(super) group: &'static str,
    /// What the leader shares out: so many partitions.
    pub(super) partitions: u32,
    pub(super) session: Duration,
    pub(super) rebalance: Duration,
    pub(super) heartbeat: Duration,
}

/// What a member is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Stay,
    Leave,
    /// Says nothing any more.
    Stall,
}

/// What the members of a group have seen, all of them together.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) heartbeats: Latencies,
    /// From the first JoinGroup of a round to the answer of its SyncGroup.
    pub(super) joins: Latencies,
    /// Members that heard that the group does not know them.
    pub(super) expired: usize,
    /// Who has which share, and since which generation.
    pub(super) shares: BTreeMap<usize, (i32, usize)>,
}

/// Shared by the members of a group.
#[derive(Debug, Clone, Default)]
pub(super) struct Witness(Arc<Mutex<Seen>>);

impl Witness {
    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so many members share everything in one generation.
    pub(super) fn is_shared(&self, members: usize, partitions: u32) -> bool {
        let seen = self.seen();
        let mut shares = seen.shares.values();
        let Some(first) = shares.next() else {
            return members == 0;
        };
        let is_one = shares.all(|share| share.0 == first.0);
        let sum: usize = seen.shares.values().map(|share| share.1).sum();
        is_one && seen.shares.len() == members && sum == partitions as usize
    }
}

/// A member, which is also its number among those of its group.
pub(super) struct Member {
    pub(super) number: usize,
    pub(super) client: Arc<Client>,
    pub(super) habits: Habits,
    pub(super) witness: Witness,
    pub(super) wish: watch::Receiver<Wish>,
    pub(super) id: String,
    pub(super) generation: i32,
}

impl Member {
    /// Is a member until it is to leave, or to stall; the member then.
    pub(super) async fn live(mut self) -> Result<Member> {
        loop {
            self.join().await?;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(self.habits.heartbeat) => {}
                    changed = self.wish.changed() => changed?,
                }
                let wish = *self.wish.borrow();
                match wish {
                    Wish::Stay => {}
                    Wish::Leave => {
                        self.witness.seen().shares.remove(&self.number);
                        self.leave().await?;
                        return Ok(self);
                    }
                    Wish::Stall => {
                        self.witness.seen().shares.remove(&self.number);
                        return Ok(self);
                    }
                }
                match self.beat().await? {
                    ErrorCode::NONE => {}
                    ErrorCode::REBALANCE_IN_PROGRESS => break,
                    ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION => {
                        self.witness.seen().expired += 1;
                        self.id.clear();
                        break;
                    }
                    code => bail!("a heartbeat was answered with {code}"),
                }
            }
        }
    }

    /// One heartbeat; the code of its answer.
    pub(super) async fn beat(&mut self) -> Result<ErrorCode> {
        let request = HeartbeatRequest {
            group_id: self.habits.group.to_owned(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: None,
        };
        let clock = self.client.clock();
        let before = clock.now();
        let answer = self
            .client
            .call(&self.target(), &request, self.client.deadline())
            .await?;
        let took = clock.now().since(before);
        self.witness.seen().heartbeats.add(took);
        Ok(answer.error_code)
    }

    async fn leave(&self) -> Result<()> {
        let request = LeaveGroupRequest {
            group_id: self.habits.group.to_owned(),
            members: vec![LeavingMember {
                member_id: self.id.clone(),
                group_instance_id: None,
            }],
            ..LeaveGroupRequest::default()
        };
        self.client
            .call(&self.target(), &request, self.client.deadline())
            .await?;
        Ok(())
    }

    /// Joins until it has a share.
    async fn join(&mut self) -> Result<()> {
        let clock = self.client.clock();
        let before = clock.now();
        loop {
            let request = JoinGroupRequest {
                group_id: self.habits.group.to_owned(),
                session_timeout_ms: millis(self.habits.session)?,
                rebalance_timeout_ms: millis(self.habits.rebalance)?,
                member_id: self.id.clone(),
                group_instance_id: None,
                protocol_type: "consumer".to_owned(),
                protocols: vec![JoinGroupProtocol {
                    name: PROTOCOL.to_owned(),
                    metadata: Bytes::new(),
                }],
            };
            let joined = self
                .client
                .call(&self.target(), &request, self.client.deadline())
                .await?;
            match joined.error_code {
                ErrorCode::NONE => {}
                ErrorCode::MEMBER_ID_REQUIRED => {
                    self.id = joined.member_id;
                    continue;
                }
                ErrorCode::UNKNOWN_MEMBER_ID => {
                    self.witness.seen().expired += 1;
                    self.id.clear();
                    continue;
                }
                code => bail!("a JoinGroup was answered with {code}"),
            }
            self.id.clone_from(&joined.member_id);
            self.generation = joined.generation_id;
            if self.sync(&joined).await? {
                self.witness.seen().joins.add(clock.now().since(before));
                return Ok(());
            }
        }
    }

    /// Whether the member has its share now.
    async fn sync(&mut self, joined: &JoinGroupResponse) -> Result<bool> {
        let count = joined.members.len();
        let shares = joined.members.iter().enumerate().map(|(place, member)| {
            let all = 0..self.habits.partitions as usize;
            let its = all.filter(|partition| partition % count == place).count();
            SyncGroupAssignment {
                member_id: member.member_id.clone(),
                assignment: its.to_string().into(),
            }
        });
        let request = SyncGroupRequest {
            group_id: self.habits.group.to_owned(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            protocol_type: Some("consumer".to_owned()),
            protocol_name: Some(PROTOCOL.to_owned()),
            assignments: shares.collect(),
            ..SyncGroupRequest::default()
        };
        let synced = self
            .client
            .call(&self.target(), &request, self.client.deadline())
            .await?;
        match synced.error_code {
            ErrorCode::NONE => {
                let share = std::str::from_utf8(&synced.assignment)?.parse()?;
                let share = (self.generation, share);
                self.witness.seen().shares.insert(self.number, share);
                Ok(true)
            }
            ErrorCode::REBALANCE_IN_PROGRESS | ErrorCode::ILLEGAL_GENERATION => Ok(false),
            ErrorCode::UNKNOWN_MEMBER_ID => {
                self.witness.seen().expired += 1;
                self.id.clear();
                Ok(false)
            }
            code => bail!("a SyncGroup was answered with {code}"),
        }
    }

    fn target(&self) -> Target {
        Target::Coordinator(self.habits.group.into())
    }
}

fn millis(duration: Duration) -> Result<i32> {
    Ok(i32::try_from(duration.as_millis())?)
}
