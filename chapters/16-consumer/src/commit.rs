//! Committing, and asking what is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use message_model::{Moment, TopicPartition};
use tokio::sync::oneshot;

use crate::acks::Acks;
use crate::consumer::Consumer;
use crate::error::Error;
use crate::group_calls::{Committed, GroupCalls, problem};
use crate::group_member::GroupMember;
use crate::part::Event;

type Offsets = BTreeMap<TopicPartition, Committed>;

/// A commit that was begun.
#[derive(Debug)]
pub struct CommitOutcome {
    outcome: oneshot::Receiver<Result<(), Error>>,
}

impl CommitOutcome {
    /// Waits until the commit is answered.
    ///
    /// # Errors
    /// When it was refused or not answered; [`Error::TimedOut`] if the consumer is gone.
    pub async fn wait(self) -> Result<(), Error> {
        self.outcome.await.unwrap_or(Err(Error::TimedOut))
    }
}

impl Consumer {
    /// Commits everything that is done, and waits for the answer; repeats the call while it
    /// may succeed and there is time. With [`Done::AtNextPoll`](crate::Done::AtNextPoll)
    /// everything that was polled is done now.
    ///
    /// # Errors
    /// When it was refused: then another member may own the partitions, and what was done
    /// is done again.
    pub async fn commit_sync(&mut self) -> Result<(), Error> {
        self.finish_polled();
        let deadline = self.deadline();
        self.commit_done(deadline).await
    }

    /// Commits these offsets, whatever is done, and waits for the answer.
    ///
    /// # Errors
    /// As [`commit_sync`](Consumer::commit_sync).
    pub async fn commit_offsets(
        &mut self,
        offsets: BTreeMap<TopicPartition, Committed>,
    ) -> Result<(), Error> {
        let deadline = self.deadline();
        let _turn = Arc::clone(&self.commits).lock_owned().await;
        self.commit_now(&offsets, deadline).await
    }

    /// Begins to commit everything that is done, as
    /// [`commit_sync`](Consumer::commit_sync) does, and does not wait. It is tried once: a
    /// later commit makes up for it.
    ///
    /// # Errors
    /// When the consumer has no group.
    pub fn commit_async(&mut self) -> Result<CommitOutcome, Error> {
        self.finish_polled();
        let calls = self.group_calls()?;
        Ok(self.begin_commit(calls, None))
    }

    /// Begins to commit these offsets, whatever is done, and does not wait.
    ///
    /// # Errors
    /// When the consumer has no group.
    pub fn commit_offsets_async(
        &mut self,
        offsets: BTreeMap<TopicPartition, Committed>,
    ) -> Result<CommitOutcome, Error> {
        let calls = self.group_calls()?;
        Ok(self.begin_commit(calls, Some(offsets)))
    }

    /// Returns what is committed for these partitions; those without a commit are left out.
    ///
    /// # Errors
    /// When the coordinator cannot be asked, or the consumer has no group.
    pub async fn committed(
        &self,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<BTreeMap<TopicPartition, Committed>, Error> {
        let calls = self.group_calls()?;
        calls.committed(Some(partitions), self.deadline()).await
    }

    /// Commits by itself, if it is time.
    pub(crate) fn commit_if_due(&mut self) {
        let now = self.client.clock().now();
        let Some(interval) = self.settings.auto_commit else {
            return;
        };
        if now < self.commit_at {
            return;
        }
        self.commit_at = now.plus(interval);
        if let Ok(calls) = self.group_calls() {
            // No caller waits for this commit. What it does not commit the next one does.
            let _outcome = self.begin_commit(calls, None);
        }
    }

    /// Commits what is done, until `deadline`.
    pub(crate) async fn commit_done(&mut self, deadline: Moment) -> Result<(), Error> {
        let _turn = Arc::clone(&self.commits).lock_owned().await;
        let offsets = to_commit(&self.acks);
        if offsets.is_empty() {
            return Ok(());
        }
        self.commit_now(&offsets, deadline).await
    }

    /// The caller has the turn.
    pub(crate) async fn commit_now(
        &mut self,
        offsets: &Offsets,
        deadline: Moment,
    ) -> Result<(), Error> {
        let calls = self.group_calls()?;
        let identity = self.identity();
        let generation = identity.1;
        let outcome = calls.commit_until(identity, offsets, deadline).await;
        note(
            &self.acks,
            self.member.as_ref(),
            offsets,
            (generation, &outcome),
        );
        Ok(outcome?)
    }

    /// Commits `offsets`, or what is done by the time of its turn.
    fn begin_commit(&mut self, calls: GroupCalls, offsets: Option<Offsets>) -> CommitOutcome {
        let identity = self.identity();
        let generation = identity.1;
        let deadline = self.deadline();
        let (said, outcome) = oneshot::channel();
        let (acks, member) = (self.acks.clone(), self.member.clone());
        let commits = Arc::clone(&self.commits);
        tokio::spawn(async move {
            let _turn = commits.lock_owned().await;
            let offsets = offsets.unwrap_or_else(|| to_commit(&acks));
            let mut outcome = Ok(());
            if !offsets.is_empty() {
                outcome = calls.commit(identity, &offsets, deadline).await;
                note(&acks, member.as_ref(), &offsets, (generation, &outcome));
            }
            let _ = said.send(outcome.map_err(Error::from));
        });
        CommitOutcome { outcome }
    }

    /// What a commit names: the member and its generation, or neither without a membership.
    fn identity(&self) -> (String, i32) {
        let member = self.member.as_ref();
        member.map_or((String::new(), -1), |member| member.identity())
    }
}

/// What is done and not committed. A commit looks it up when it has the turn, so none
/// overtakes another one of higher offsets.
fn to_commit(acks: &Acks) -> Offsets {
    let committable = acks.tracker().committable().into_iter();
    let entry = |(partition, offset)| {
        let metadata = String::new();
        (partition, Committed { offset, metadata })
    };
    committable.map(entry).collect()
}

/// Notes what has become of a commit of this generation: for the next one, and for the
/// member.
fn note(
    acks: &Acks,
    member: Option<&Arc<GroupMember>>,
    offsets: &Offsets,
    (generation, outcome): (i32, &Result<(), client::Error>),
) {
    match outcome {
        Ok(()) => {
            let mut tracker = acks.tracker();
            for (partition, committed) in offsets {
                tracker.committed(partition, committed.offset);
            }
        }
        Err(error) => {
            if let Some(member) = member {
                member.step(Event::CommitRefused {
                    generation,
                    problem: problem(error),
                });
            }
        }
    }
}
