//! The part of the RPC case study: what a call is on the wire, and on both sides of it.
//!
//! - [`ToServer`] and [`ToClient`] are the messages.
//! - [`CallPath`] follows the calls of one connection on the client's side, each to its one end.
//! - [`DispatchTable`] finds the method that a call is for.
//! - [`Leases`] knows the servers of a service by their heartbeats.
//! - [`Balancer`] picks one of them for each call.

mod balancer;
mod call_path;
mod dispatch_table;
mod error;
mod leases;
mod message;

pub use balancer::{Balancer, CallOutcome, Ejection, Picked, Policy, ServerId};
pub use call_path::{CallPath, Received};
pub use dispatch_table::{DispatchTable, Duplicate, name_id};
pub use error::Error;
pub use leases::Leases;
pub use message::{
    Call, CallId, HEADER_MAX, Hello, Malformed, Side, Target, ToClient, ToServer, get, put,
    whole_millis,
};
