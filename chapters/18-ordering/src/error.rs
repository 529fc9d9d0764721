//! Why processing ended.

/// What ends [`process_in_order`](crate::process_in_order) by itself.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The consumer cannot go on.
    #[error(transparent)]
    Consumer(#[from] consumer::Error),
    /// A batch of the log cannot be read.
    #[error(transparent)]
    Unreadable(#[from] client::ReadError),
}
