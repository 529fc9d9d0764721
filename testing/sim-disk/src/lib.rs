//! A disk in memory that can crash, tear, lose, flip, fill up and fail.
//!
//! What it may lose is what POSIX lets a disk lose, and no less:
//! - Of a file, each sector of [`SECTOR_SIZE`] bytes is after a crash as it was at
//!   any time since the last sync, whatever became of the other sectors. So is
//!   its length: it may have grown without the data, which is then zeros or rubbish.
//! - That a file was created, renamed or removed is lost, or not, each by itself,
//!   until its directory is synced.
//! - A failed sync loses for good what it did not write.
//!
//! Everything follows from the seed.
//!
//! Start reading at [`SimDisk`].

mod disk;
mod file;
mod names;

pub use disk::SimDisk;
pub use file::SECTOR_SIZE;
