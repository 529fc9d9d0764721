//! Calls over the queue: a request is a record of one topic, and its reply a record of another.
//!
//! [`OverQueue`] is the caller's end, a [`Transport`](rpc::Transport). [`serve_topic`] is the
//! server's. Caller and server need not run at the same time: a request waits in its topic
//! until its deadline, and a reply in its own for as long as the topic keeps it.
//!
//! # Records
//! A record's value is what one frame carries over a connection: a call, or a reply.
//! What a connection would know besides is in headers, whose names and forms are those of
//! Spring's `ReplyingKafkaTemplate`:
//!
//! | header | of | value |
//! |---|---|---|
//! | `kafka_correlationId` | both | the call's name, UTF-8 |
//! | `kafka_replyTopic` | requests that want a reply | the topic, UTF-8 |
//! | `kafka_replyPartition` | requests that want a reply | the partition, `i32`, big-endian |
//!
//! A call's patience is how much was left of it at the record's timestamp. So what a request
//! has waited is measured with two clocks, the caller's and the server's.
//!
//! # Invariants
//! - Every call ends by its deadline, whatever the broker and the servers do.
//! - A request is not committed before its reply is written, so no request is lost. A server
//!   that dies may leave requests that were carried out and are not committed: another
//!   server carries them out again, as far as their deadlines have not passed.
//! - A reply that is late, comes twice, or names an unknown call changes nothing.
//!
//! Start reading at [`OverQueue::named`], then [`serve_topic`].

mod in_flight;
mod over_queue;
mod recent;
mod record;
mod replies;
mod serve_topic;

pub use in_flight::{InFlight, Waiting};
pub use over_queue::{CallerSettings, OverQueue};
pub use serve_topic::{TopicSettings, serve_topic};
