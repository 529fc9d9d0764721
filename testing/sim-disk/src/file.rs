//! One file: what its readers see, and what is on disk.

use fastrand::Rng;

/// The disk writes a sector whole or not at all.
pub const SECTOR_SIZE: usize = 512;

/// A change that is not on disk yet.
#[derive(Debug, Clone)]
enum Change {
    Write { position: usize, bytes: Vec<u8> },
    SetLength(usize),
}

/// A file's bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileState {
    /// What readers see.
    pub(crate) bytes: Vec<u8>,
    /// What a crash leaves at least.
    synced: Vec<u8>,
    /// What has happened since, in order.
    changes: Vec<Change>,
    /// The starts of sectors that a failed sync has spoiled: writing to them again
    /// changes what readers see, and never what is on disk.
    spoiled: Vec<usize>,
}

impl FileState {
    /// A file that has lain on disk for long.
    pub(crate) fn of(bytes: Vec<u8>) -> FileState {
        FileState {
            synced: bytes.clone(),
            bytes,
            changes: Vec::new(),
            spoiled: Vec::new(),
        }
    }

    pub(crate) fn write(&mut self, position: usize, bytes: &[u8]) {
        self.change(Change::Write {
            position,
            bytes: bytes.to_vec(),
        });
    }

    pub(crate) fn set_length(&mut self, length: usize) {
        self.change(Change::SetLength(length));
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.bytes, &change);
        self.changes.push(change);
    }

    /// A sync makes safe what was changed since the last one, and nothing else:
    /// what a failed one has lost is not written again.
    pub(crate) fn sync(&mut self) {
        let before = self.synced.clone();
        for change in self.changes.drain(..) {
            if let Change::SetLength(length) = change {
                self.spoiled.retain(|start| *start < length);
            }
            apply(&mut self.synced, &change);
        }
        for &start in &self.spoiled {
            let old = sector(&before, start);
            for (byte, old) in self.synced.iter_mut().skip(start).zip(old) {
                *byte = old;
            }
        }
    }

    /// A sync that fails: some sectors are on disk, the others never will be.
    /// With `spoils`, what is written to the same place later is not made safe either.
    pub(crate) fn fail_to_sync(&mut self, random: &mut Rng, spoils: bool) {
        self.synced = self.survivor(random);
        self.changes.clear();
        if spoils {
            let starts = (0..self.bytes.len()).step_by(SECTOR_SIZE);
            let lost = starts
                .filter(|start| !sector(&self.bytes, *start).eq(sector(&self.synced, *start)));
            self.spoiled = lost.collect();
        }
    }

    /// Changes one bit on disk and in memory.
    pub(crate) fn flip(&mut self, bit: usize) {
        for bytes in [&mut self.bytes, &mut self.synced] {
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// What a crash may leave of it.
    pub(crate) fn survivor(&self, random: &mut Rng) -> Vec<u8> {
        if self.changes.is_empty() {
            return self.synced.clone();
        }
        let versions = self.versions();
        let taste = random.usize(..4);
        let choose = |random: &mut Rng| match taste {
            0 => 0,
            1 => versions.len() - 1,
            _ => random.usize(..versions.len()),
        };
        let length = versions[choose(random)].len();
        let rubbish = random.bool();
        let mut survivor = Vec::with_capacity(length);
        while survivor.len() < length {
            let start = survivor.len();
            let size = SECTOR_SIZE.min(length - start);
            let version = versions[choose(random)].get(start..).unwrap_or_default();
            let kept = &version[..size.min(version.len())];
            survivor.extend_from_slice(kept);
            if kept.is_empty() && rubbish {
                survivor.resize_with(start + size, || random.u8(..));
            }
            survivor.resize(start + size, 0);
        }
        survivor
    }

    /// The file as it was since the last sync, oldest first.
    fn versions(&self) -> Vec<Vec<u8>> {
        let mut versions = vec![self.synced.clone()];
        for change in &self.changes {
            let mut version = versions.last().cloned().unwrap_or_default();
            apply(&mut version, change);
            versions.push(version);
        }
        versions
    }
}

/// The bytes of the sector at `start`, with zeros behind the end of the file.
fn sector(bytes: &[u8], start: usize) -> impl Iterator<Item = u8> {
    let rest = bytes.get(start..).unwrap_or_default().iter().copied();
    rest.chain(std::iter::repeat(0)).take(SECTOR_SIZE)
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::SetLength(length) => bytes.resize(*length, 0),
        Change::Write {
            position,
            bytes: new,
        } => {
            let end = position + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*position..end].copy_from_slice(new);
        }
    }
}
