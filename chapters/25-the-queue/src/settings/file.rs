//! The configuration file: lines of `name=value`, as in Kafka's `server.properties`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{SettingError, Settings, Source};

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; give --config a text file with lines of name=value")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// One of its lines says something that cannot be.
    #[error("{path}, line {line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: SettingError,
    },
}

impl Settings {
    /// Sets what the file says. Empty lines, and those that begin with `#`, are skipped.
    ///
    /// # Errors
    /// When it cannot be read, or at its first line that cannot be followed.
    pub fn read_file(&mut self, path: &Path) -> Result<(), FileError> {
        let text = fs::read_to_string(path).map_err(|source| FileError::Read {
            path: path.to_owned(),
            source,
        })?;
        for (index, text) in text.lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let line = index + 1;
            let source = Source::File {
                path: path.to_owned(),
                line,
            };
            self.assign(text, source)
                .map_err(|problem| FileError::Line {
                    path: path.to_owned(),
                    line,
                    problem,
                })?;
        }
        Ok(())
    }
}
