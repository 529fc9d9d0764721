//! Frames, connections and chunks: the queue's way to the network.
//!
//! Clients hold a [`Connection`]: many calls in flight over one socket, each of
//! which ends. The broker takes connections in with [`accept_until`], reads
//! with [`FrameReader`] and answers with a list of [`Chunk`]s, which
//! [`write_chunks`] puts on the wire.
//!
//! Start reading at [`FrameReader`], then [`Connection`].

mod accept;
mod calls;
mod chunk;
mod connection;
mod frame_reader;
mod part;

pub use accept::{AcceptLimits, accept_until};
pub use chunk::{Chunk, FileRange, write_chunks};
pub use connection::{CallError, Connection, ConnectionLimits};
pub use frame_reader::{FrameReader, ReadError};
pub use part::*;
