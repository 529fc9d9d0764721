//! What can happen to a connection, and what can be seen of it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::part::Order;

/// How an answer looks to the writer: it takes one piece at a time.
pub(super) const PIECES: usize = 2;

/// How long a connection on which nothing is pending may be silent.
pub(super) const IDLE: Duration = Duration::from_secs(60);

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Now,
    Later,
    Silence,
    Close,
}

/// What is played.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub order: Order,
    pub pending_max: usize,
    /// The requests that may arrive, in their order.
    pub kinds: Vec<Kind>,
    /// Whether requests take effect when they are begun, without an event.
    pub effects_at_once: bool,
    /// Whether the writer takes everything, without an event.
    pub takes_all: bool,
    /// An event that happens inside of the call of `begin` for this request.
    pub during: Option<(usize, Event)>,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Part of the next request has arrived.
    Half,
    /// The next request has arrived whole.
    Arrives,
    /// The request that is being begun has taken effect.
    Effect,
    /// An answer that was to come later is ready.
    Ready(usize),
    /// The writer takes one piece of the answer that is being written.
    Take,
    /// The next piece that is written fails, and none after it.
    WriterFails,
    /// The peer closes the connection.
    Closes,
    /// The connection breaks.
    Breaks,
    /// The server is to stop.
    Stop,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Peer,
    Stop,
    Read(Lost),
    Write,
    Unanswerable,
}

/// Why no request can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    InsideARequest,
    Broken,
    Silent,
}

/// What can be seen of a connection once everything has come to rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How many requests were begun.
    pub begun: usize,
    /// The answers whose futures exist.
    pub waiting: BTreeSet<usize>,
    /// The answer of each piece that was written.
    pub written: Vec<usize>,
    pub end: Option<End>,
}
