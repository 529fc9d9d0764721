//! What the operating system lets a process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::settings::Settings;

/// Standard streams, the listener, the lock, the runtime, and files that are open for a moment.
const FILES_FOR_THE_REST: usize = 64;

/// With segments of a sensible size a broker never has so many at a time.
const UNSYNCED_SEGMENTS_MAX: usize = 4096;

/// How many of each may be open at a time, so that descriptors do not run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenFiles {
    pub(crate) connections: usize,
    /// For each there may be three open files: in the cache, and for answers that are sent.
    pub(crate) loaded_segments: usize,
    /// Closed segments that are not on disk yet.
    pub(crate) unsynced_segments: usize,
    /// Each has its active segment open.
    pub(crate) partitions: usize,
}

impl OpenFiles {
    /// What the settings ask for, if `limit` descriptors are enough for that;
    /// else a quarter of them for connections, an eighth for closed segments, a sixteenth for
    /// those that are not on disk yet, and the rest for partitions.
    pub(crate) fn share(settings: &Settings, limit: usize) -> OpenFiles {
        let connections = settings.max_connections.min(limit / 4);
        let loaded_segments = settings.loaded_segments_max.min(limit / 24).max(1);
        let unsynced_segments = UNSYNCED_SEGMENTS_MAX.min(limit / 16).max(1);
        let taken = connections + 3 * loaded_segments + unsynced_segments + FILES_FOR_THE_REST;
        let partitions = settings.partitions_total_max;
        OpenFiles {
            connections,
            loaded_segments,
            unsynced_segments,
            partitions: partitions.min(limit.saturating_sub(taken)).max(1),
        }
    }
}

/// How many files the process may have open. Asks for as many as it may have:
/// the usual start value, 1,024, is soon used up.
pub(crate) fn allow_many_open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = match setrlimit(Resource::Nofile, most) {
        Ok(()) => most.current,
        // macOS does not allow all that it says: go on with what there is.
        Err(error) => {
            tracing::warn!("may open {:?} files only: {error}", limit.current);
            limit.current
        }
    };
    tracing::debug!("may open {current:?} files");
    current.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The usual limits of Linux and macOS, and small ones.
    #[test]
    fn what_may_be_open_together_is_within_the_limit() {
        for limit in [128, 256, 1_024, 4_096, 10_240, 524_288, 1_048_576] {
            let files = OpenFiles::share(&Settings::default(), limit);
            let together = files.connections
                + 3 * files.loaded_segments
                + files.unsynced_segments
                + files.partitions
                + FILES_FOR_THE_REST;
            assert!(together <= limit, "{limit}: {files:?}");
        }
    }
}
