//! A disk that loses what it said it had written.

use std::fs::{self, OpenOptions};
use std::path::Path;

use anyhow::Result;

/// The topic of a run, whose partitions' folders begin with it.
const FOLDERS: &str = "orders-";

/// Cuts up to 400 bytes off the end of each partition's last segment. The broker does not run.
pub(super) fn cut_logs(data_dir: &Path, random: &mut fastrand::Rng) -> Result<()> {
    for folder in fs::read_dir(data_dir)? {
        let folder = folder?;
        if !folder.file_name().to_string_lossy().starts_with(FOLDERS) {
            continue;
        }
        let mut segments = Vec::new();
        for file in fs::read_dir(folder.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                segments.push(path);
            }
        }
        if let Some(last) = segments.iter().max() {
            let file = OpenOptions::new().write(true).open(last)?;
            let length = file.metadata()?.len();
            file.set_len(length.saturating_sub(random.u64(0..400)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_segment_of_a_partition_loses_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        for folder in ["orders-0", "__consumer_offsets-0"] {
            fs::create_dir(file(folder)).unwrap();
        }
        let untouched = [
            "orders-0/00.log",
            "orders-0/07.index",
            "__consumer_offsets-0/00.log",
        ];
        for name in untouched.iter().chain(&["orders-0/07.log"]) {
            fs::write(file(name), [0; 1_000]).unwrap();
        }
        cut_logs(dir.path(), &mut fastrand::Rng::with_seed(1)).unwrap();
        let length = |name: &str| fs::metadata(file(name)).unwrap().len();
        assert!(untouched.iter().all(|name| length(name) == 1_000));
        assert!((601..1_000).contains(&length("orders-0/07.log")));
    }
}
