//! The part of chapter 20: transactions over several partitions.
//!
//! - [`OpenTransactions`] says of one partition up to where everything has ended (task 20.1).
//! - [`aborted_in`] finds the aborted transactions that a reader must know (task 20.2).
//! - [`Transactions`] are those of one transactional id, as its coordinator sees them
//!   (task 20.3).
//!
//! A transactional id has no clock, no disk and no random numbers. Its methods are told the time
//! and return [`Effect`]s: which call is answered with what, what is stored, and which
//! partitions are told what.

mod aborted;
mod adding;
mod effect;
mod ending;
mod expiring;
mod initializing;
mod markers;
mod metadata;
mod nouns;
mod open_transactions;
mod storing;
mod transactions;
mod work;

pub use aborted::{Aborted, aborted_in};
pub use effect::{Effect, Init};
pub use metadata::{State, TransactionMetadata};
pub use nouns::{CallId, Instance, Now, Outcome, Refusal, WorkId};
pub use open_transactions::OpenTransactions;
pub use transactions::{Settings, Transactions};
