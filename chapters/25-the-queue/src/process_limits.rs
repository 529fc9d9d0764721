//! What the operating system lets a process have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asks for as many open files as the process may have: each connection and
/// each segment takes one, and the usual start value, 1,024, is soon used up.
pub(crate) fn allow_many_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, most) {
        Ok(()) => tracing::debug!("may open {:?} files", most.current),
        // macOS does not allow all that it says: go on with what there is.
        Err(error) => tracing::warn!("may open {:?} files only: {error}", limit.current),
    }
}
