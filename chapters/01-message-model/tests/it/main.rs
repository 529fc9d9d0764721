//! The nouns, and the model in memory, through the public API.

mod ack_window;
mod nouns;
mod token_bucket;
mod topic;
mod traces;
