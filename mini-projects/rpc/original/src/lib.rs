//! The byte frame of the lectures' RPC framework, which is written in Java: a Rust client
//! calls its server, and its client calls a Rust server.
//!
//! The original has methods of one kind: a text in, a text out. [`call`] calls them. [`serve`]
//! answers such calls with the methods of an [`rpc::Server`].
//!
//! The codec refuses what the original believes: a length that no frame has, another version,
//! a length inside a frame that is longer than the frame.
//!
//! Start reading at [`take_frame`].

mod caller;
mod frame;
mod lengths;
mod served;

pub use caller::{call, connect};
pub use frame::{
    Answer, Call, Failure, Malformed, NO_PROVIDER, UNKNOWN_ERROR, answer_frame, call_frame,
    get_answer, get_call, take_frame,
};
pub use served::serve;
