//! The part of chapter 04: the protocol's primitive types, to and from bytes.
//!
//! - varints (task 4.1), compact strings (4.2), arrays bounded by what arrived
//!   (4.3) and tagged fields (4.4) are read by [`Reader`];
//! - [`put`] writes the same types.

mod reader;

pub mod put;

pub use reader::{Malformed, Reader};
