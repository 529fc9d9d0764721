//! What the broker has stored, read from its files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use record_batch::{BatchHeader, Batches};

/// A batch as it is in a segment.
#[derive(Debug, Clone)]
pub struct StoredBatch {
    /// What is in front of its records.
    pub header: BatchHeader,
    /// The whole batch.
    pub bytes: Vec<u8>,
}

/// The batches of a partition in the order of their offsets, from the segments in `data_dir`.
///
/// # Errors
/// When a segment cannot be read, or holds something else than whole batches.
pub fn stored_batches(data_dir: &Path, topic: &str, partition: u32) -> Result<Vec<StoredBatch>> {
    let mut batches = Vec::new();
    for segment in segments(data_dir, topic, partition)? {
        let bytes = fs::read(&segment)?;
        for batch in Batches::new(&bytes) {
            let (header, bytes) = batch.with_context(|| segment.display().to_string())?;
            batches.push(StoredBatch {
                header,
                bytes: bytes.to_vec(),
            });
        }
    }
    Ok(batches)
}

/// The segments of a partition, in the order of their offsets; of a broker that is down, too.
///
/// # Errors
/// When the partition's folder cannot be listed.
pub(crate) fn segments(data_dir: &Path, topic: &str, partition: u32) -> Result<Vec<PathBuf>> {
    let folder = data_dir.join(format!("{topic}-{partition}"));
    let mut segments: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    // Named by their base offset with leading zeros, so the order of names is theirs.
    segments.sort();
    Ok(segments)
}
