//! How a consumer behaves.

use std::time::Duration;

use crate::assignor::Assignor;

/// Where a partition begins that has no committed offset, or whose position is gone
/// (`auto.offset.reset`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetReset {
    /// With the first record that there is.
    Earliest,
    /// With the next one that comes.
    Latest,
    /// Nowhere: the application decides, after an error.
    None,
}

/// When a record counts as done, so that the offset behind it may be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// When the application polls the next time, commits, or closes: everything that polls
    /// have returned. This is what Kafka's consumers do.
    AtNextPoll,
    /// When the application says so ([`Acks::done`](crate::Acks::done)), in any order.
    WhenSaid,
}

/// The settings of a consumer; the names of Kafka's are in brackets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its group (`group.id`). Without one it can only be assigned partitions, and commits
    /// nothing.
    pub group: Option<String>,
    /// The name of a static member (`group.instance.id`).
    pub instance: Option<String>,
    /// What it offers, the best first (`partition.assignment.strategy`). It is a
    /// cooperative member if all of these are cooperative.
    pub assignors: Vec<Assignor>,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `max.poll.interval.ms`, which is also how long the group waits for this member when
    /// it rebalances.
    pub max_poll_interval: Duration,
    /// `auto.offset.reset`.
    pub reset: OffsetReset,
    /// What makes a record done, so that its offset may be committed.
    pub done: Done,
    /// How often what is done is committed while the application polls, and before
    /// partitions are given up (`auto.commit.interval.ms`); `None`: never by itself.
    pub auto_commit: Option<Duration>,
    /// How far above what is done an application that says so itself may be handed records.
    pub span_max: u32,
    /// How long a broker waits for `fetch_min_bytes` (`fetch.max.wait.ms`).
    pub fetch_max_wait: Duration,
    /// With how few bytes a broker answers (`fetch.min.bytes`).
    pub fetch_min_bytes: u32,
    /// The most that one answer brings (`fetch.max.bytes`).
    pub fetch_max_bytes: u32,
    /// The most that one answer brings of one partition, which is about what one poll
    /// returns (`max.partition.fetch.bytes`).
    pub partition_fetch_max_bytes: u32,
    /// How much may wait to be polled (`queued.max.messages.kbytes` of librdkafka).
    pub buffer_bytes: usize,
    /// Whether only records of committed transactions are read, and a partition begins only
    /// when it is known what transactions have committed of the group (`isolation.level`).
    pub read_committed: bool,
    /// How often the consumer looks whether topics have come, gone or grown
    /// (`metadata.max.age.ms`).
    pub topics_max_age: Duration,
    /// How long commits, look-ups and the like may take (`default.api.timeout.ms`).
    pub patience: Duration,
    /// How long the consumer waits before it repeats a call that failed
    /// (`retry.backoff.ms`).
    pub retry_backoff: Duration,
}

impl Default for Settings {
    /// Kafka's defaults, without a group. The consumer commits when it is told to.
    fn default() -> Settings {
        Settings {
            group: None,
            instance: None,
            assignors: vec![Assignor::Range, Assignor::CooperativeSticky],
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            max_poll_interval: Duration::from_secs(300),
            reset: OffsetReset::Latest,
            done: Done::AtNextPoll,
            auto_commit: None,
            span_max: 100_000,
            fetch_max_wait: Duration::from_millis(500),
            fetch_min_bytes: 1,
            fetch_max_bytes: 50 * 1024 * 1024,
            partition_fetch_max_bytes: 1024 * 1024,
            buffer_bytes: 64 * 1024 * 1024,
            read_committed: false,
            topics_max_age: Duration::from_secs(300),
            patience: Duration::from_secs(60),
            retry_backoff: Duration::from_millis(100),
        }
    }
}
