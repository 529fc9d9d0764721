//! Record batches, message format v2: closed from the producer to the consumer.
//!
//! A batch's bytes are the same on the producer's wire, on disk and on the
//! consumer's wire, but for base offset and leader epoch, which the CRC does
//! not cover. Brokers read [`BatchHeader`]s and walk along [`Batches`]; only
//! producers and consumers look at [`Record`]s.
//!
//! Start reading at [`layout`], then [`Batches`].

mod batches;
mod part;

pub use batches::Batches;
pub use part::*;
