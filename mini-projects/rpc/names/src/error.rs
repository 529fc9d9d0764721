//! What can go wrong with a name service.

use std::io;
use std::path::PathBuf;

/// Why a name service cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No name service has such a URI.
    #[error("a name service is static:HOST:PORT,HOST:PORT or file:/PATH or queue:HOST:PORT/TOPIC")]
    UnknownUri,
    /// The servers are in the URI, so no other ones can register.
    #[error("the servers of static: are fixed, so none can register")]
    Fixed,
    /// It is empty, or has white space in it.
    #[error("the name of a service, and the address of a server, is one word")]
    NotOneWord,
    /// It took longer than a lease, or than its caller waits.
    #[error("the name service does not answer; if it is a file, another process may hold its lock")]
    TooSlow,
    /// The file could not be read or written.
    #[error("the file of names: {0}")]
    File(#[from] io::Error),
    /// It is a directory, a pipe or a device.
    #[error("{} is no regular file: name another one, or move it away", .0.display())]
    NoFile(PathBuf),
    /// No file of names is so long.
    #[error("the file of names is longer than 1 MiB: name another one, or move it away")]
    TooLong,
    /// The file is another program's; it is left as it is.
    #[error("the file is no file of names: name another one, or move it away")]
    Foreign,
    /// The file is not as it was written; it is left as it is.
    #[error("the file of names is damaged: move it away, and all living servers write it again")]
    Torn,
    /// The queue did not do what it was asked for.
    #[error("the queue with the names: {0}")]
    Queue(#[from] client::Error),
    /// The queue did not take a name.
    #[error("the queue with the names: {0}")]
    Send(#[from] producer::Error),
    /// What the queue has cannot be read.
    #[error("the queue with the names: {0}")]
    Record(#[from] client::ReadError),
}
