//! The codecs through the public interface.

mod batches;
mod bombs;
mod formats;
mod laws;
