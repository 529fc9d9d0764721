//! Programs over the RPC framework, and what they share.
//!
//! | program | what it does |
//! |---|---|
//! | `rpc-hello` | a server that greets, and its client: over TCP, over the queue, or in the original's frames |
//! | `rpc-call` | calls any method of any service, for people |
//! | `flash-sale` | a gateway that waits for the results of messages, and a stock that sells |
//!
//! Start reading at [`serve()`].

mod balanced;
pub mod flash_sale;
mod hello;
mod hint;
mod original;
mod print;
mod program;
mod serve;
mod topics;

pub use balanced::{balanced, default_names, server_names, some_of};
pub use hello::{HelloError, HelloService, HelloServiceClient, HelloServiceServer};
pub use hint::hint;
pub use original::{greet_original, serve_original};
pub use print::{complain, print, printable, printable_json, tell};
pub use program::{program, seconds};
pub use serve::{Place, serve, stop};
pub use topics::{call_over, serve_over};
