//! What a partition knows of its producers: the rules of chapters 18, 19 and 20 over one
//! entry for each, in the table of chapter 19.
//!
//! A batch is asked about in this order: the fence, the window of duplicates, the sequence,
//! the transaction. Each rule can be left out for an experiment ([`Rules`]).

mod all_producers;
mod known;
mod partition_producers;
mod producer_state;
mod room;
mod rules;

pub use all_producers::{AllProducers, ProducerSettings};
pub use rules::{Rule, Rules, UnknownRule};
