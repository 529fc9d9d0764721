//! The messages of a connection, one in each frame of chapter 03.
//!
//! A frame holds a message as postcard writes it, and behind it the *body*, if the message
//! has one: arguments, a result, an error or an item, as a codec wrote them.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use networking::PREFIX_SIZE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A frame is longer than the body in it by at most this, in bytes.
pub const HEADER_MAX: usize = 48;

/// The first message of a connection, from either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Says that the peer speaks this protocol.
    pub magic: [u8; 4],
    /// The version of the protocol.
    pub version: u8,
}

impl Hello {
    /// The only one that we speak with.
    pub const OURS: Hello = Hello {
        magic: *b"mqrp",
        version: 1,
    };
}

/// Travels with a call and comes back with what answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub u32);

impl CallId {
    /// Of a call that nobody answers.
    pub const ONE_WAY: CallId = CallId(0);
}

/// The method that a call is for, and the codec of its body and of what answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// [`name_id`](crate::name_id) of the service.
    pub service: u32,
    /// [`name_id`](crate::name_id) of the method.
    pub method: u32,
    /// The codec's type id.
    pub codec: u8,
}

// ANCHOR: call
/// A call as it travels; the body behind it has the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Chosen by the client; [`CallId::ONE_WAY`] if nothing shall answer.
    pub id: CallId,
    /// How long the caller still waits, in milliseconds.
    pub patience_ms: u32,
    /// How many items the server may send before it gets more credit; 0 for a single reply.
    pub credit: u32,
    /// What is called.
    pub target: Target,
    /// The same number in all spans of this call, and of the calls that its method makes;
    /// 0: the caller has no spans.
    pub trace: u64,
}
// ANCHOR_END: call

/// Returns patience as it travels: in whole milliseconds. It is rounded up, for a call must
/// not end earlier on the server than its caller wants.
#[must_use]
pub fn whole_millis(patience: Duration) -> u32 {
    let seconds = patience.as_secs().saturating_mul(1000);
    let millis = seconds.saturating_add(patience.subsec_nanos().div_ceil(1_000_000).into());
    u32::try_from(millis).unwrap_or(u32::MAX)
}

/// Which side of its `Result` a method has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Its value, or what it returned if that is no `Result`; a stream has ended.
    Value,
    /// Its own error.
    Error,
}

/// What a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToServer {
    /// The first message of a connection.
    Hello(Hello),
    /// Run a method, with the arguments that are in the body.
    Call(Call),
    /// Nothing that answers this call is wanted any more.
    Cancel(CallId),
    /// This many further items of a call may be sent.
    Credit(CallId, u32),
    /// Are you there?
    Ping,
}

// ANCHOR: to-client
/// What a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToClient {
    /// The first message of a connection.
    Hello(Hello),
    /// A call has ended; what its method returned is the body.
    Reply(CallId, Result<Side, Error>),
    /// One item of a call's stream, which is the body.
    Item(CallId),
    /// The answer to a ping.
    Pong,
    /// Make no further calls on this connection: the server stops.
    GoAway,
}
// ANCHOR_END: to-client

/// A frame that is no message; the connection must be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame is no message of this protocol")]
pub struct Malformed;

/// Puts a whole frame behind what is in `out`.
///
/// # Panics
/// If the body is not far smaller than 2 GiB.
pub fn put(message: &impl Serialize, body: &[u8], out: &mut Vec<u8>) {
    let mut header = [0; HEADER_MAX];
    let header = postcard::to_slice(message, &mut header).expect("a message is short");
    let length = i32::try_from(header.len() + body.len()).expect("bodies are bounded");
    out.reserve(PREFIX_SIZE + header.len() + body.len());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(header);
    out.extend_from_slice(body);
}

/// Returns the message that the payload of a frame begins with, and the body behind it.
///
/// # Errors
/// If it begins with none.
pub fn get<M: DeserializeOwned>(mut payload: Bytes) -> Result<(M, Bytes), Malformed> {
    let (message, body) = postcard::take_from_bytes(&payload).map_err(|_| Malformed)?;
    let header = payload.len() - body.len();
    payload.advance(header);
    Ok((message, payload))
}
