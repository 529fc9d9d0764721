//! Frames, connections, and the loop that serves one: the queue's way to the network.
//!
//! Clients hold a [`Connection`]: many calls in flight over one socket, each of
//! which ends. A server takes connections in with [`accept_until`] and serves
//! each with [`serve_requests`], which reads from a [`RequestReader`] and
//! answers through a [`ChunkWriter`]. What all connections together hold of
//! requests is bounded by a [`ByteBudget`].
//!
//! Start reading at [`FrameReader`], then [`serve_requests`].

mod accept;
mod budget;
mod byte_budget;
mod calls;
mod chunk;
mod chunk_writer;
mod connection;
mod frame_reader;
mod pace;
mod part;
mod request_reader;
mod shortage;

pub use accept::{AcceptLimits, accept_until};
pub use byte_budget::{ByteBudget, Share};
pub use chunk::{Chunk, FileRange};
pub use chunk_writer::{ChunkWriter, write_chunks};
pub use connection::{CallError, Connection, ConnectionLimits};
pub use frame_reader::{FrameReader, ReadError};
pub use part::*;
pub use request_reader::{Frame, Peer, RequestLimits, RequestReader};
