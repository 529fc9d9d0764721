//! What the benchmarks of this chapter share: a broker on a loopback socket, a peer
//! that does nothing but the work of the limit, and a client for both.

mod broker;
mod client;

use message_model::Timestamp;
use record_batch::{BatchBuilder, RecordToSend};
use tempfile::TempDir;

pub(crate) use broker::Broker;
pub(crate) use client::{Client, connect_to_limit};

/// A directory below `target/tmp`, so on the disk that the repository is on.
pub(crate) fn dir() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("target/tmp can be written to")
}

/// A batch of one record, `size` bytes long.
pub(crate) fn batch(size: usize) -> Vec<u8> {
    let with_value = |length: usize| {
        let mut builder = BatchBuilder::new();
        builder.push(&RecordToSend {
            timestamp: Timestamp(0),
            key: None,
            value: Some(&vec![b'x'; length]),
            headers: vec![],
        });
        builder.build()
    };
    let overhead = with_value(size).len() - size;
    let batch = with_value(size - overhead);
    assert_eq!(batch.len(), size, "the lengths in it have as many digits");
    batch
}
