//! Which files and directories there are, and which of them are on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastrand::Rng;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Directory,
    /// The file's number.
    File(usize),
}

type Entries = BTreeMap<PathBuf, Entry>;

/// A change in one directory that is not on disk yet.
#[derive(Debug, Clone)]
struct Change {
    removed: Option<PathBuf>,
    added: Option<(PathBuf, Entry)>,
}

/// All names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    live: Entries,
    synced: Entries,
    changes: Vec<Change>,
}

impl Names {
    pub(crate) fn get(&self, path: &Path) -> Option<Entry> {
        if path.parent().is_none() || path == Path::new("") {
            return Some(Entry::Directory);
        }
        self.live.get(path).copied()
    }

    /// Whether a file can be made there.
    pub(crate) fn has_parent_of(&self, path: &Path) -> bool {
        let parent = path.parent();
        parent.is_some_and(|parent| self.get(parent) == Some(Entry::Directory))
    }

    pub(crate) fn add(&mut self, path: &Path, entry: Entry) {
        self.change(None, Some((path.to_owned(), entry)));
    }

    pub(crate) fn remove(&mut self, path: &Path) {
        self.change(Some(path.to_owned()), None);
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path, entry: Entry) {
        self.change(Some(from.to_owned()), Some((to.to_owned(), entry)));
    }

    fn change(&mut self, removed: Option<PathBuf>, added: Option<(PathBuf, Entry)>) {
        let change = Change { removed, added };
        apply(&mut self.live, &change);
        self.changes.push(change);
    }

    /// What is directly in a directory, by name.
    pub(crate) fn list<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = &'a PathBuf> {
        self.live
            .keys()
            .filter(move |path| path.parent() == Some(dir))
    }

    pub(crate) fn sync(&mut self, dir: &Path) {
        for change in std::mem::take(&mut self.changes) {
            if touches(&change, dir) {
                if let Some(removed) = &change.removed {
                    // What was not on disk yet of a directory that is gone.
                    self.changes.retain(|change| !touches(change, removed));
                }
                apply(&mut self.synced, &change);
            } else {
                self.changes.push(change);
            }
        }
    }

    /// The names that a crash leaves: any of the changes are lost. What is in a
    /// directory that is lost is lost with it.
    pub(crate) fn survivor(&self, random: &mut Rng) -> Names {
        let mut survivor = self.synced.clone();
        let taste = random.usize(..4);
        for change in &self.changes {
            let kept = match taste {
                0 => false,
                1 => true,
                _ => random.bool(),
            };
            if kept {
                apply(&mut survivor, change);
            }
        }
        let names = Names {
            live: survivor.clone(),
            ..Names::default()
        };
        survivor.retain(|path, _| {
            let mut above = path.ancestors().skip(1);
            above.all(|dir| names.get(dir) == Some(Entry::Directory))
        });
        Names {
            live: survivor.clone(),
            synced: survivor,
            changes: Vec::new(),
        }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&PathBuf, usize)> {
        self.live.iter().filter_map(|(path, entry)| match entry {
            Entry::File(number) => Some((path, *number)),
            Entry::Directory => None,
        })
    }
}

fn touches(change: &Change, dir: &Path) -> bool {
    let added = change.added.as_ref().map(|(path, _)| path);
    let mut paths = change.removed.iter().chain(added);
    paths.any(|path| path.parent() == Some(dir))
}

/// A directory that is removed takes what is in it along: another one of that name is new.
fn apply(entries: &mut Entries, change: &Change) {
    if let Some(path) = &change.removed
        && entries.remove(path) == Some(Entry::Directory)
    {
        entries.retain(|below, _| !below.starts_with(path));
    }
    if let Some((path, entry)) = &change.added {
        entries.insert(path.clone(), *entry);
    }
}
