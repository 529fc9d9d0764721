//! A disk in memory that can crash, tear, lose, flip, fill up and fail.
//!
//! What it may lose is what POSIX lets a disk lose, and no less:
//! - Of a file, each sector of [`SECTOR_SIZE`] bytes is after a crash as it was at
//!   any time since the last sync, whatever became of the other sectors. So is
//!   its length: it may have grown without the data, which is then zeros or rubbish.
//! - That a file was created, renamed or removed is lost, or not, each by itself,
//!   until its directory is synced.
//! - A failed sync loses for good what it did not write. Readers go on seeing it,
//!   and a later sync makes safe only what was written since.
//! - A read may fail once, and may return fewer bytes than there are.
//!
//! Everything follows from the seed. A test can also hold up any call
//! ([`SimDisk::park_next`]), count what was asked of the disk ([`Counts`]), and
//! how many files are open ([`SimDisk::open_files`]).
//!
//! Start reading at [`SimDisk`].

mod disk;
mod faults;
mod file;
mod names;
mod parking;
mod sim_file;

pub use disk::{Counts, SimDisk};
pub use file::SECTOR_SIZE;
pub use parking::{Call, Parking};
