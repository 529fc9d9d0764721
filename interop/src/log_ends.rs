//! Where the logs of a topic end, read from the broker's files.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use record_batch::{BatchHeader, layout};

use crate::stored::segments;

/// Returns the offset behind the last whole batch of each partition. The broker may be down.
///
/// # Errors
/// When a segment cannot be read.
pub(crate) fn log_ends(
    data_dir: &Path,
    topic: &str,
    partitions: u32,
) -> Result<BTreeMap<i32, i64>> {
    let of = |partition: u32| {
        let segments = segments(data_dir, topic, partition)?;
        let last = segments.last().context("a log has a segment")?;
        Ok((i32::try_from(partition)?, log_end(last)?))
    };
    (0..partitions).map(of).collect()
}

fn log_end(last: &Path) -> Result<i64> {
    let name = last.file_stem().and_then(|name| name.to_str());
    let mut end = name.context("a segment's name")?.parse()?;
    let file = File::open(last)?;
    let (mut position, size) = (0, file.metadata()?.len());
    loop {
        let mut header = [0; layout::RECORDS];
        if file.read_exact_at(&mut header, position).is_err() {
            return Ok(end);
        }
        let header = BatchHeader::read(&header)?;
        position += header.size() as u64;
        if position > size {
            return Ok(end);
        }
        end = header.range().end.0;
    }
}
