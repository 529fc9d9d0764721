//! Bytes that are no snapshot.

use wire_protocol::Malformed;

/// Why bytes cannot be read as a snapshot. The log has all that is in one, so the caller
/// reads the log from its start instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They end too early, or go on behind the end.
    #[error("the snapshot has another length than it says")]
    Length,
    /// Another version of the workbook wrote it.
    #[error("the snapshot has version {0}, which is unknown")]
    Version(i8),
    /// A value that no snapshot has: a producer twice, for example.
    #[error("the snapshot has a value that cannot be")]
    Value,
}

impl From<Malformed> for Unreadable {
    /// A snapshot consists of numbers, and reading a number fails at the end of the bytes only.
    fn from(_: Malformed) -> Unreadable {
        Unreadable::Length
    }
}
