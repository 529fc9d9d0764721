//! A member of a group that lives in the background: it runs what the part asks for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_model::Driver;
use message_model::{Moment, TopicName, TopicPartition};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use wire_protocol::message::{JoinGroupProtocol, JoinGroupResponse, SyncGroupAssignment};

use crate::assignor::Assignor;
use crate::error::Error;
use crate::group_calls::{GroupCalls, Joining};
use crate::part::{Assignments, Effect, Event, Joined, MemberSettings, Membership, Problem};
use crate::part::{Subscriber, Ticket};
use crate::protocol::{Subscription, read_assignment, write_assignment};
use crate::settings::Settings;

/// What the application is to be told, where it polls.
#[derive(Debug, Clone)]
pub(crate) enum Callback {
    Revoke(Ticket, BTreeSet<TopicPartition>),
    Assign(Ticket, BTreeSet<TopicPartition>),
    Lose(Ticket, BTreeSet<TopicPartition>),
}

/// The member. Its calls run in tasks of their own, which end with it.
#[derive(Debug)]
pub(crate) struct GroupMember {
    calls: GroupCalls,
    settings: Settings,
    state: Mutex<State>,
    driver: Driver,
    /// Counts what the application has to look at.
    news: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    membership: Membership<TopicPartition>,
    /// What the member reads, as it is said to the leader.
    topics: Option<BTreeSet<TopicName>>,
    callbacks: VecDeque<Callback>,
    failed: Option<Problem>,
    is_closed: bool,
    /// The answer to the last JoinGroup.
    joined: Option<JoinGroupResponse>,
    /// What it had before it gave everything up, and in which generation.
    had: (i32, BTreeSet<TopicPartition>),
    /// What the leader has shared, if this member is the leader.
    shared: Option<BTreeMap<TopicName, i32>>,
    tasks: JoinSet<()>,
    /// The last LeaveGroup.
    leave: Option<JoinHandle<()>>,
}

impl GroupMember {
    /// Returns a member that has not joined. Until it is dropped, its tasks run.
    pub(crate) fn new(calls: GroupCalls, settings: Settings) -> Arc<GroupMember> {
        let clock = calls.client.clock();
        let assignors = &settings.assignors;
        let is_cooperative = assignors.iter().all(|assignor| assignor.is_cooperative());
        let member_settings = MemberSettings {
            is_static: settings.instance.is_some(),
            is_cooperative: is_cooperative && !assignors.is_empty(),
            session_timeout: settings.session_timeout,
            heartbeat_interval: settings.heartbeat_interval,
            max_poll_interval: settings.max_poll_interval,
            retry_backoff: settings.retry_backoff,
        };
        let member = Arc::new(GroupMember {
            calls,
            settings,
            state: Mutex::new(State {
                membership: Membership::new(clock.now(), member_settings),
                topics: None,
                callbacks: VecDeque::new(),
                failed: None,
                is_closed: false,
                joined: None,
                had: (-1, BTreeSet::new()),
                shared: None,
                tasks: JoinSet::new(),
                leave: None,
            }),
            driver: Driver::new(clock),
            news: watch::Sender::new(0),
        });
        let driving = Arc::clone(&member);
        member.lock().tasks.spawn(async move {
            driving.driver.drive(|_| driving.tick()).await;
        });
        member
    }

    /// Makes the member read these topics; it joins (again) if they are others than before.
    pub(crate) fn subscribe(self: &Arc<Self>, topics: BTreeSet<TopicName>) {
        let is_new = {
            let mut state = self.lock();
            let is_new = state.topics.as_ref() != Some(&topics);
            state.topics = Some(topics);
            is_new
        };
        if is_new {
            self.step(Event::Rejoin);
        }
    }

    // ANCHOR: step
    /// Tells the member what has happened, and begins what it asks for.
    pub(crate) fn step(self: &Arc<Self>, event: Event<TopicPartition>) {
        let now = self.now();
        let deadline = {
            let mut state = self.lock();
            let effects = state.membership.step(now, event);
            for effect in effects {
                self.begin(&mut state, effect);
            }
            while state.tasks.try_join_next().is_some() {}
            state.membership.next_deadline()
        };
        if let Some(deadline) = deadline {
            self.driver.note(deadline);
        }
    }
    // ANCHOR_END: step

    /// Returns what the application is to be told next.
    pub(crate) fn next_callback(&self) -> Option<Callback> {
        self.lock().callbacks.front().cloned()
    }

    /// Says that the application was told.
    pub(crate) fn called_back(self: &Arc<Self>, ticket: Ticket) {
        self.lock().callbacks.pop_front();
        self.step(Event::CalledBack(ticket));
    }

    /// Returns what ended the membership, if something did.
    pub(crate) fn failed(&self) -> Option<Problem> {
        self.lock().failed.clone()
    }

    /// Returns whether the member has closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Returns what commits name.
    pub(crate) fn identity(&self) -> (String, i32) {
        let state = self.lock();
        let (id, generation) = state.membership.identity();
        (id.to_owned(), generation)
    }

    /// Returns the partition counts that this member has shared as the leader.
    pub(crate) fn shared(&self) -> Option<BTreeMap<TopicName, i32>> {
        self.lock().shared.clone()
    }

    /// Returns what counts the news for the application.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Waits until the coordinator has heard that the member leaves, or until `deadline`, and
    /// ends all other tasks.
    pub(crate) async fn finish(&self, deadline: Moment) {
        let leave = self.lock().leave.take();
        if let Some(leave) = leave {
            let patience = deadline.since(self.now());
            let _ = tokio::time::timeout(patience, leave).await;
        }
        self.stop();
    }

    /// Ends all tasks. They hold the member, so it lives until then.
    pub(crate) fn stop(&self) {
        self.lock().tasks.abort_all();
    }

    fn tick(self: &Arc<Self>) -> Option<Moment> {
        self.step(Event::Tick);
        self.lock().membership.next_deadline()
    }

    fn begin(self: &Arc<Self>, state: &mut State, effect: Effect<TopicPartition>) {
        match effect {
            Effect::Join {
                ticket,
                member_id,
                owned,
                generation,
            } => {
                let joining = self.joining(state, member_id, &owned, generation);
                self.spawn(state, async move |member: Arc<GroupMember>| {
                    let answer = member.calls.join(joining).await;
                    member.joined(ticket, answer);
                });
            }
            Effect::Sync {
                ticket,
                member_id,
                generation,
                is_leader,
            } => {
                let joined = state.joined.clone().unwrap_or_default();
                self.spawn(state, async move |member: Arc<GroupMember>| {
                    let identity = (member_id, generation);
                    let share = member.share_and_sync(identity, &joined, is_leader).await;
                    member.step(Event::Synced(ticket, share));
                });
            }
            Effect::Heartbeat {
                ticket,
                member_id,
                generation,
            } => self.spawn(state, async move |member: Arc<GroupMember>| {
                let answer = member.heartbeat(member_id, generation).await;
                member.step(Event::HeartbeatAnswered(ticket, answer));
            }),
            Effect::Leave { member_id } => {
                let (calls, patience) = (self.calls.clone(), self.settings.patience);
                let leave = async move { calls.leave(member_id, patience).await };
                state.leave = Some(tokio::spawn(leave));
            }
            Effect::Revoke(ticket, partitions) => {
                let (_, generation) = state.membership.identity();
                state.had = (generation, state.membership.owned().clone());
                self.call_back(state, Callback::Revoke(ticket, partitions));
            }
            Effect::Assign(ticket, partitions) => {
                self.call_back(state, Callback::Assign(ticket, partitions));
            }
            Effect::Lose(ticket, partitions) => {
                state.had = (-1, BTreeSet::new());
                self.call_back(state, Callback::Lose(ticket, partitions));
            }
            Effect::Fail(problem) => {
                state.failed = Some(problem);
                self.tell_news();
            }
            Effect::Closed => {
                state.is_closed = true;
                self.tell_news();
            }
        }
    }

    fn call_back(&self, state: &mut State, callback: Callback) {
        state.callbacks.push_back(callback);
        self.tell_news();
    }

    fn tell_news(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    async fn heartbeat(&self, member_id: String, generation: i32) -> Result<(), Problem> {
        // A connection that has gone silent is replaced while there is time for another one.
        let patience = self.settings.session_timeout / 3;
        self.calls.heartbeat(member_id, generation, patience).await
    }

    fn spawn<F>(self: &Arc<Self>, state: &mut State, call: impl FnOnce(Arc<GroupMember>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        state.tasks.spawn(call(Arc::clone(self)));
    }

    fn joining(
        &self,
        state: &State,
        member_id: String,
        owned: &BTreeSet<TopicPartition>,
        generation: i32,
    ) -> Joining {
        let topics = || state.topics.iter().flatten();
        let names = || topics().map(|topic| topic.as_str().to_owned());
        let protocol = |assignor: &Assignor| JoinGroupProtocol {
            name: assignor.name().to_owned(),
            metadata: assignor
                .subscription(names().collect(), owned, &state.had, generation)
                .write(),
        };
        Joining {
            member_id,
            session_timeout: self.settings.session_timeout,
            rebalance_timeout: self.settings.max_poll_interval,
            protocols: self.settings.assignors.iter().map(protocol).collect(),
        }
    }

    fn joined(self: &Arc<Self>, ticket: Ticket, answer: Result<JoinGroupResponse, Problem>) {
        let answer = answer.map(|answer| {
            let joined = Joined {
                member_id: answer.member_id.clone(),
                generation: answer.generation_id,
                is_leader: answer.leader == answer.member_id,
            };
            let mut state = self.lock();
            state.shared = None;
            state.joined = Some(answer);
            joined
        });
        self.step(Event::Joined(ticket, answer));
    }

    /// Sends the SyncGroup, as the leader with everybody's shares.
    async fn share_and_sync(
        &self,
        identity: (String, i32),
        joined: &JoinGroupResponse,
        is_leader: bool,
    ) -> Result<BTreeSet<TopicPartition>, Problem> {
        let mut assignments = Vec::new();
        if is_leader {
            assignments = match self.share(joined).await {
                Ok(shares) => written(&shares),
                Err(Error::Client(error)) if error.is_retriable() => {
                    return Err(Problem::Retriable);
                }
                Err(_) => return Err(Problem::Fatal),
            };
        }
        let patience = self.settings.max_poll_interval;
        let protocol = joined.protocol_name.clone();
        let sync = self.calls.sync(identity, protocol, assignments, patience);
        read_assignment(&sync.await?).map_err(|_| Problem::Fatal)
    }

    // ANCHOR: share
    /// Returns the bytes of each member's share. This member leads.
    async fn share(&self, joined: &JoinGroupResponse) -> Result<Assignments, Error> {
        let assignors = self.settings.assignors.iter();
        let chosen =
            |assignor: &&Assignor| Some(assignor.name()) == joined.protocol_name.as_deref();
        let assignor = assignors.copied().find(|assignor| chosen(&assignor));
        let assignor = assignor.ok_or(Error::UnknownAssignor)?;
        let mut members = Vec::new();
        for member in &joined.members {
            let subscription = Subscription::read(&member.metadata)?;
            let (owned, generation) = subscription.claims();
            let names = subscription.topics.iter();
            members.push(Subscriber {
                id: member.member_id.clone(),
                instance: member.group_instance_id.clone(),
                topics: names.filter_map(|name| TopicName::new(name).ok()).collect(),
                owned: owned.into_iter().collect(),
                generation,
            });
        }
        let wanted = members.iter().flat_map(|member| member.topics.clone());
        let topics = self.count_partitions(wanted.collect()).await?;
        let shares = assignor.assign(&members, &topics);
        self.lock().shared = Some(topics);
        Ok(shares)
    }
    // ANCHOR_END: share

    /// How many partitions the topics have; those that do not exist are left out.
    pub(crate) async fn count_partitions(
        &self,
        topics: BTreeSet<TopicName>,
    ) -> Result<BTreeMap<TopicName, i32>, Error> {
        let names: Vec<TopicName> = topics.into_iter().collect();
        let answer = self.calls.client.metadata(Some(&names)).await?;
        let mut counts = BTreeMap::new();
        for topic in answer.topics {
            let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
            if let Ok(name) = TopicName::new(&topic.name)
                && count > 0
            {
                counts.insert(name, count);
            }
        }
        Ok(counts)
    }

    fn now(&self) -> Moment {
        self.calls.client.clock().now()
    }

    /// Nothing panics while it holds the lock, except the part, which ends the process.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn written(shares: &Assignments) -> Vec<SyncGroupAssignment> {
    let assignment = |(id, share): (&String, &Vec<TopicPartition>)| SyncGroupAssignment {
        member_id: id.clone(),
        assignment: write_assignment(&share.iter().cloned().collect()),
    };
    shares.iter().map(assignment).collect()
}
