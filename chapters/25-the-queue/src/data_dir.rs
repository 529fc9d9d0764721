//! The data directory: one process at a time, and the cluster's id.

use std::fs::{self, File, TryLockError};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use log_storage::RealDisk;

/// The file whose lock says that the directory is in use.
const LOCK_FILE: &str = ".lock";

/// The file with the cluster's id.
const CLUSTER_ID_FILE: &str = "cluster-id";

/// A data directory that is ours for as long as this lives.
///
/// The operating system gives the lock back however the process ends, so
/// nothing is left to clean up after a crash.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the directory if there is none, and takes it.
    pub(crate) fn take(path: &Path) -> Result<DataDir> {
        fs::create_dir_all(path)
            .with_context(|| format!("cannot create the data directory {}", path.display()))?;
        let lock_path = path.join(LOCK_FILE);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .with_context(|| format!("cannot open {}", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(DataDir {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => bail!(
                "another mqd is using the data directory {}: stop that one first, or give this one \
                 another --data-dir",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", lock_path.display()))
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster's id: made up at the first start, the same from then on.
    pub(crate) fn cluster_id(&self) -> Result<String> {
        let path = self.path.join(CLUSTER_ID_FILE);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            _ => {
                let id = make_up_id();
                disk::replace(&RealDisk, &path, format!("{id}\n").as_bytes())
                    .with_context(|| format!("cannot write {}", path.display()))?;
                Ok(id)
            }
        }
    }
}

/// 22 characters, as long as Kafka's. Unlikely to be another cluster's, no secret.
fn make_up_id() -> String {
    let random = || RandomState::new().hash_one("mqd");
    let mut id = format!("{:016x}{:016x}", random(), random());
    id.truncate(22);
    id
}
