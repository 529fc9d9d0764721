//! The byte frame of the lectures' RPC framework, which is written in Java, from either side.
//!
//! The original has methods of one kind: a text in, a text out.
//!
//! The codec refuses what the original believes: a length that no frame has, another version,
//! a length inside a frame that is longer than the frame.
//!
//! Start reading at [`take_frame`].

mod frame;

pub use frame::{
    Answer, Call, Failure, Malformed, NO_PROVIDER, UNKNOWN_ERROR, answer_frame, call_frame,
    get_answer, get_call, take_frame,
};
