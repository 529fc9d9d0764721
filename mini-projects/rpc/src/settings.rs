//! Limits of a client and of a server.

use std::time::Duration;

use client::Backoff;

/// Limits of a client.
#[derive(Debug, Clone, Copy)]
pub struct ClientSettings {
    /// How long a call may take, from the moment at which it is made.
    pub patience: Duration,
    /// How many calls of a connection may be in flight; a further one waits its turn.
    pub in_flight_max: usize,
    /// The largest message, in bytes.
    pub frame_bytes_max: usize,
    /// How many items of a stream the server may be ahead of the caller; at least 1.
    pub stream_window: u32,
    /// A server that is silent for so long is asked whether it is there. When it is silent
    /// for as long again, the connection is closed.
    pub heartbeat: Duration,
    /// How long a write may stand still.
    pub progress: Duration,
    /// How long it may take to connect.
    pub dial: Duration,
    /// The pauses between attempts to connect.
    pub backoff: Backoff,
}

impl Default for ClientSettings {
    fn default() -> ClientSettings {
        ClientSettings {
            patience: Duration::from_secs(10),
            in_flight_max: 1024,
            frame_bytes_max: 4 * 1024 * 1024,
            stream_window: 32,
            heartbeat: Duration::from_secs(5),
            progress: Duration::from_secs(10),
            dial: Duration::from_secs(3),
            backoff: Backoff {
                first: Duration::from_millis(50),
                max: Duration::from_secs(2),
            },
        }
    }
}

/// Limits of a server.
#[derive(Debug, Clone, Copy)]
pub struct ServerSettings {
    /// How many connections are served at a time; a further one is closed at once.
    pub connections_max: usize,
    /// How many calls of a connection may run at a time; a further one is answered as
    /// [`Error::Overloaded`](crate::Error::Overloaded), at once.
    pub running_max: usize,
    /// The largest message, in bytes. To decode it takes its time, in which its thread does nothing
    /// else. On a runtime with one thread, let `event_interval` be 1: otherwise calls of others
    /// may wait for 61 such messages.
    pub frame_bytes_max: usize,
    /// How many bytes the calls of all connections together may hold: half of them for what
    /// arrives, half for the arguments of calls that run, of which each connection has 16 KiB
    /// besides. A further call is answered as [`Error::Overloaded`](crate::Error::Overloaded);
    /// and one that holds far more than others ends then, when it has run for `progress`.
    pub calls_bytes_max: usize,
    /// How many bytes of replies and items may wait to be written, over all connections; then the
    /// connection with the most is closed. Take a few times `frame_bytes_max` at least.
    pub replies_bytes_max: usize,
    /// The longest that a call may take, whatever its caller says.
    pub patience_max: Duration,
    /// How many one-way calls may run at a time, for all connections together: they go on when
    /// their client is gone. A further one is dropped.
    pub one_way_max: usize,
    /// How long a connection on which no call runs may be silent.
    pub idle: Duration,
    /// How long a transfer may stand still.
    pub progress: Duration,
    /// How many methods that block may run at a time, for all connections together.
    pub blocking_max: usize,
    /// How long calls that run may go on after a stop.
    pub drain: Duration,
}

impl Default for ServerSettings {
    fn default() -> ServerSettings {
        ServerSettings {
            connections_max: 10_000,
            running_max: 1024,
            frame_bytes_max: 4 * 1024 * 1024,
            calls_bytes_max: 64 * 1024 * 1024,
            replies_bytes_max: 128 * 1024 * 1024,
            patience_max: Duration::from_secs(600),
            one_way_max: 1024,
            idle: Duration::from_secs(30),
            progress: Duration::from_secs(10),
            blocking_max: 32,
            drain: Duration::from_secs(10),
        }
    }
}
