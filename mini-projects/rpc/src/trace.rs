//! What joins the spans of a call, and of the calls that its method makes.

use tracing::Level;
use tracing::level_filters::LevelFilter;

/// Whether spans of calls are wanted. Even a span that is disabled costs something.
pub(crate) fn is_on() -> bool {
    LevelFilter::current() >= Level::DEBUG
}

/// Returns the trace of a call: `given`, or a new one if that is 0 and spans are wanted.
pub(crate) fn of_call(given: u64) -> u64 {
    match given {
        0 if is_on() => fastrand::u64(1..),
        _ => given,
    }
}
