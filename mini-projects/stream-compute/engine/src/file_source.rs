//! Lines of files.

mod catalog;
mod file_id;
mod line_buffer;
mod open_file;
mod reader;
mod rotated_name;
mod stripe;

use std::path::PathBuf;
use std::sync::Arc;

use async_model::Clock;

use crate::error::Cause;
use crate::snapshot::Subtask;
use crate::source::Source;

use catalog::{Catalog, Wanted};
pub use line_buffer::{LINE_BYTES_MAX, Line};
use open_file::Position;
use reader::FileReader;
pub use rotated_name::RotatedName;
use stripe::Layout;

/// The lines of files, from their starts to their ends.
///
/// # Partitions
/// A large file is read by several subtasks. Each has some of its *stripes*, and these are a
/// partition: their lines come in the order of the file. A small file is one partition, and so is
/// one that is followed. A pipe such as `/dev/stdin` is one too. A resumed job expects the same
/// lines from it again, from the first one on.
///
/// # Resumed jobs
/// A file is found by its path. One that is followed is found even if it was renamed within its
/// folder. A file that was not read to its end, and is gone, is an error. One that was read to its
/// end may be gone, if the source has a pattern. A file that is new is read from its start.
pub struct FileSource<F> {
    catalog: Arc<Catalog>,
    parse: Arc<F>,
    /// If the files grow: what to wait by.
    follow: Option<Clock>,
}

impl<F> std::fmt::Debug for FileSource<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileSource({:?})", self.catalog.wanted)
    }
}

impl<F, T> FileSource<F>
where
    F: Fn(Line<'_>) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    /// These files. `parse` makes a value of each line. It sees the line where it is, so nothing
    /// is copied that it does not want.
    pub fn new(files: Vec<PathBuf>, parse: F) -> FileSource<F> {
        FileSource::of(Wanted::Files(files), Layout::STRIPES, parse)
    }

    /// The files whose paths match a pattern such as `/var/log/nginx/*.log` when the job begins;
    /// if they are followed, those too that match it later. `*` is any text without `/`, `?` a
    /// character, `[ab]` one of these, `**` any folders.
    ///
    /// A file that is followed never ends, and event time waits for each of its partitions. So if
    /// each day has a file with another name, set
    /// [`idle_after`](crate::OutOfOrder::idle_after).
    pub fn matching(pattern: impl Into<String>, parse: F) -> FileSource<F> {
        FileSource::of(Wanted::Pattern(pattern.into()), Layout::STRIPES, parse)
    }

    fn of(wanted: Wanted, large: Layout, parse: F) -> FileSource<F> {
        FileSource {
            catalog: Arc::new(Catalog::new(wanted, large)),
            parse: Arc::new(parse),
            follow: None,
        }
    }

    /// The files may grow, so they have no end. A last line without a line end is not whole yet.
    ///
    /// When a file was renamed and another one has its name (a log was *rotated*), it is read to
    /// its end, and then the next one that had its name. These are found in the folder by their
    /// [names](RotatedName). The name may also be a symbolic link that leads to another file from
    /// time to time. A file that was removed or compressed before the reader came to it is lost.
    #[must_use]
    pub fn follow(self, clock: Clock) -> FileSource<F> {
        FileSource {
            catalog: Arc::new(self.catalog.followed()),
            follow: Some(clock),
            ..self
        }
    }
}

impl<F, T> Source for FileSource<F>
where
    F: Fn(Line<'_>) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    type Item = T;
    type Reader = FileReader<F>;

    fn parallelism(&self, wanted: usize) -> usize {
        wanted.min(self.catalog.partitions())
    }

    fn open(
        &self,
        subtask: Subtask,
        positions: Vec<(u32, Position)>,
    ) -> Result<FileReader<F>, Cause> {
        // The subtasks are opened one after the other, and then they read. So all of them find the
        // files that the first one has found.
        if subtask.index == 0 {
            self.catalog.begin(positions)?;
        }
        let (catalog, parse) = (Arc::clone(&self.catalog), Arc::clone(&self.parse));
        Ok(FileReader::new(catalog, subtask, parse, self.follow))
    }
}
