//! What a member is told, and what it asks for.

use std::collections::BTreeSet;
use std::time::Duration;

/// The settings of a member's protocol with its coordinator.
#[derive(Debug, Clone)]
pub struct MemberSettings {
    /// Whether it has a `group.instance.id`: then it does not leave when it closes, so that
    /// it can come back within its session without a rebalance.
    pub is_static: bool,
    /// Whether it keeps its partitions while the group rebalances, and gives up only
    /// those that go elsewhere; else (*eager*) it gives up all of them before it joins.
    pub is_cooperative: bool,
    /// How long the coordinator keeps a member that it does not hear of.
    pub session_timeout: Duration,
    /// How often the member lets the coordinator hear of it.
    pub heartbeat_interval: Duration,
    /// How long the application may take from one poll to the next.
    pub max_poll_interval: Duration,
    /// How long it waits before it repeats a JoinGroup or SyncGroup that failed, by another
    /// JoinGroup. A heartbeat that failed is not repeated: the next one is due after the
    /// interval.
    pub retry_backoff: Duration,
}

/// The number of a call or a callback, which comes back with its result. A result with
/// another number than that of the last one of its kind belongs to the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub u64);

/// What a member is told: by the application, by answers, and by the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<P> {
    /// The member is to join: for the first time, because it wants to read other topics,
    /// or because the topics have other partitions.
    Rejoin,
    /// The application asks for records.
    Polled,
    /// An [`Effect::Join`] has ended.
    Joined(Ticket, Result<Joined, Problem>),
    /// An [`Effect::Sync`] has ended, with the partitions that are the member's now.
    Synced(Ticket, Result<BTreeSet<P>, Problem>),
    /// An [`Effect::Heartbeat`] has ended.
    HeartbeatAnswered(Ticket, Result<(), Problem>),
    /// A commit of this generation was refused.
    CommitRefused {
        /// The generation that the commit named.
        generation: i32,
        /// What the coordinator or the connection said.
        problem: Problem,
    },
    /// The callback of an [`Effect::Revoke`], [`Effect::Assign`] or [`Effect::Lose`] has
    /// returned.
    CalledBack(Ticket),
    /// The application wants to leave the group. Until the last callback has returned the
    /// member stays in it: heartbeats go on, and so do all deadlines.
    Close,
    /// Time has passed.
    Tick,
}

/// What a JoinGroup was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The id that the coordinator gave this member.
    pub member_id: String,
    /// The generation that began with this join.
    pub generation: i32,
    /// Whether this member shares the partitions.
    pub is_leader: bool,
}

/// Why a call to the coordinator has no result, by what the member does about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The coordinator has given out this id, with which the member is to join.
    MemberIdRequired(String),
    /// The group rebalances: the member is to join again. The coordinator has heard of it,
    /// and counts it as a member.
    RebalanceInProgress,
    /// The group has gone on without this member, which is still one.
    IllegalGeneration,
    /// The member is none any more.
    UnknownMember,
    /// Another process has the same `group.instance.id`, and came later.
    FencedInstance,
    /// The coordinator cannot be reached, has moved, or is loading: try again. This is no
    /// sign that the coordinator counts the member as one.
    Retriable,
    /// Trying again is of no use: the group has another kind of members, or this one may
    /// not join it.
    Fatal,
}

/// What a member asks for. Callbacks are asked for one at a time, and run where the
/// application polls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<P> {
    /// Send a JoinGroup.
    Join {
        /// Comes back with the answer.
        ticket: Ticket,
        /// Empty if the member has none yet.
        member_id: String,
        /// What the member reads, for the assignor.
        owned: BTreeSet<P>,
        /// The generation in which it got them; −1 if it was lost.
        generation: i32,
    },
    /// Send a SyncGroup, with everybody's shares if this member is the leader.
    Sync {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The id that this member has.
        member_id: String,
        /// The generation that was joined.
        generation: i32,
        /// Whether this member shares the partitions.
        is_leader: bool,
    },
    /// Send a Heartbeat.
    Heartbeat {
        /// Comes back with the answer.
        ticket: Ticket,
        /// The id that this member has.
        member_id: String,
        /// The generation that this member believes in.
        generation: i32,
    },
    /// Send a LeaveGroup. Its answer does not matter.
    Leave {
        /// The id that this member has.
        member_id: String,
    },
    /// Stop reading these partitions, commit what is done of them, and tell the
    /// application. They are the member's until the callback returns.
    Revoke(Ticket, BTreeSet<P>),
    /// Begin to read these partitions, and tell the application. There may be none. They
    /// are the member's as soon as the callback begins.
    Assign(Ticket, BTreeSet<P>),
    /// Stop reading these partitions, and tell the application. Another member may be
    /// reading them already, so nothing can be committed. They are the member's no more as
    /// soon as the callback begins.
    Lose(Ticket, BTreeSet<P>),
    /// The member has ended, and why. `Closed` does not come after it, also if the member
    /// was closing. A callback that gives up what it owned may still come.
    Fail(Problem),
    /// The member has ended, because it was closed.
    Closed,
}
