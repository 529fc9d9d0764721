//! What the benchmarks of this chapter share.

use std::path::Path;
use std::sync::Arc;

use log_storage::{Log, LogConfig, RealDisk, SegmentCache};
use message_model::{LeaderEpoch, Timestamp};
use record_batch::{BatchBuilder, BatchHeader, RecordToSend, assign_offsets};
use tempfile::TempDir;

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

pub(crate) fn open(dir: &Path, segment_bytes: u32) -> Log {
    let config = LogConfig {
        segment_bytes,
        ..LogConfig::default()
    };
    // Of one segment: who reads another one loads it.
    let opened = Log::open(Arc::new(RealDisk), dir, config, SegmentCache::new(1, 100));
    opened.expect("the log is sound").log
}

/// Appends `batch`, at the offset that is next.
pub(crate) fn append(log: &mut Log, batch: &mut [u8]) {
    assign_offsets(batch, log.log_end(), LeaderEpoch::FIRST);
    let header = BatchHeader::read(batch).expect("it is a batch");
    log.append(Timestamp(0), batch, &header)
        .expect("the disk has room");
}
