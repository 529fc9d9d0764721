//! What a failed sync leaves, and how a log gets rid of it.
//!
//! After a failed `fdatasync(2)` the kernel takes the pages that it could not
//! write for clean: readers still see their bytes, and no later sync writes them.
//! To write the same bytes to the same place is not enough either. On ext4 the
//! blocks that such a page was given may stay marked as never written, and read
//! as zeros after a loss of power, although the second sync succeeded. A new file
//! has new blocks.
//!
//! # On disk
//! `sync-failed` in the log's directory, empty. While it is there, opening the
//! log first copies every segment with an offset at or above the recovery point
//! to a new file.

use std::io;
use std::path::Path;

use disk::{Disk, File};
use message_model::Offset;

use crate::error::{At, Error};
use crate::part::{segment_base, segment_path};

const NAME: &str = "sync-failed";
/// What the copy of a segment is called until it is whole.
const COPY: &str = "copy";
/// How much is copied at a time, in bytes.
const PIECE_SIZE: usize = 256 * 1024;

/// Notes that a sync has failed, for the next process. Nothing is synced: a loss
/// of power takes the page cache with it, and with that what must be repaired.
/// If the file cannot be made, the next start writes the uncertain bytes again to
/// the same place, which is all it can do.
pub(crate) fn note(disk: &dyn Disk, dir: &Path) {
    if let Err(error) = disk.create(&dir.join(NAME)) {
        tracing::error!(
            "{}: cannot note that a sync has failed: {error}",
            dir.display()
        );
    }
}

/// If a sync has failed, moves every segment that is not wholly below
/// `recovery_point` to a new file. `names` are those in the log's directory.
///
/// # Errors
/// As the disk says. Each segment is in its old file or in its new one then.
// ANCHOR: repair
pub(crate) fn repair(
    disk: &dyn Disk,
    dir: &Path,
    names: &[String],
    recovery_point: Offset,
) -> Result<(), Error> {
    if !names.iter().any(|name| name == NAME) {
        return Ok(());
    }
    let mut bases: Vec<Offset> = names.iter().filter_map(|name| segment_base(name)).collect();
    bases.sort_unstable();
    let above = bases.iter().skip(1).position(|next| *next > recovery_point);
    let first = above.unwrap_or(bases.len().saturating_sub(1));
    for base_offset in bases.iter().skip(first) {
        move_to_new_file(disk, &segment_path(dir, *base_offset))?;
    }
    disk.sync_dir(dir).at(dir)?;
    let noted = dir.join(NAME);
    disk.remove(&noted).at(&noted)
}
// ANCHOR_END: repair

fn move_to_new_file(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    let copy = path.with_extension(COPY);
    let old = disk.open(path).at(path)?;
    let new = disk.create(&copy).at(&copy)?;
    copy_all(&*old, &*new).at(path)?;
    new.sync_data().at(&copy)?;
    disk.rename(&copy, path).at(path)
}

fn copy_all(old: &dyn File, new: &dyn File) -> io::Result<()> {
    let mut piece = vec![0; PIECE_SIZE];
    let mut position = 0;
    loop {
        let count = old.read_at(&mut piece, position)?;
        if count == 0 {
            return Ok(());
        }
        new.write_all_at(&piece[..count], position)?;
        position += count as u64;
    }
}
