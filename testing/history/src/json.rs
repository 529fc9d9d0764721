//! A history as lines of JSON, an operation each.

use std::io::{self, BufRead, Write};

use crate::operation::Operation;

/// Why a history cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is no operation.
    #[error("line {line}: {source}")]
    Line {
        /// Which one, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Writes a line for each operation.
///
/// # Errors
/// As `to`.
pub fn write(operations: &[Operation], mut to: impl Write) -> io::Result<()> {
    for operation in operations {
        serde_json::to_writer(&mut to, operation)?;
        to.write_all(b"\n")?;
    }
    to.flush()
}

/// Returns the operations that [`write()`] wrote.
///
/// # Errors
/// When a line cannot be read, or is no operation.
pub fn read(from: impl BufRead) -> Result<Vec<Operation>, ReadError> {
    let mut operations = Vec::new();
    for (index, line) in from.lines().enumerate() {
        let operation = serde_json::from_str(&line?).map_err(|source| ReadError::Line {
            line: index + 1,
            source,
        })?;
        operations.push(operation);
    }
    Ok(operations)
}
