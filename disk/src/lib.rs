//! What the queue needs of a disk.
//!
//! Two disks implement [`Disk`]: the real one of chapter 06, and the simulated
//! one of the tests, which can lose whatever was not synced. The rules are
//! those of POSIX: bytes are safe after [`File::sync_data`]; the creation, the
//! renaming and the removal of a file are safe after [`Disk::sync_dir`] of its
//! directory. [`replace`] takes these steps in the one order that is safe for a
//! small file.
//!
//! This crate is below all others, so that a learner's part can be written over
//! the trait without the machine.

mod disk;
mod file;
mod replace;

pub use disk::{Disk, Space};
pub use file::{File, ReadAt};
pub use replace::{NEXT, replace, replace_cache};
