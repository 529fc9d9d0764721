//! Which files a source reads, and the numbers of their partitions.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Cause;

use super::file_id::FileId;
use super::open_file::{Position, at};
use super::stripe::Layout;

/// Which files are wanted.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    Files(Vec<PathBuf>),
    Pattern(String),
}

/// The files of a source. Its subtasks share it, so that each partition has one number, and
/// one reader.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) wanted: Wanted,
    /// How a large file is divided.
    large: Layout,
    follow: bool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    files: Vec<Arc<Listed>>,
    paths: HashSet<PathBuf>,
    /// Files that are followed, whatever their names are now, and those that were.
    ids: HashSet<FileId>,
    /// The number of the next partition.
    next: u32,
}

/// A file when it was found.
#[derive(Debug)]
pub(super) struct Listed {
    /// The first number of its partitions.
    pub(super) first: u32,
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    /// `None` of a pipe.
    pub(super) id: Option<FileId>,
    pub(super) layout: Layout,
    /// Its lines that begin at or behind this were not there when the job began.
    pub(super) length: u64,
    /// By stripe, if it was read before: where it goes on.
    pub(super) places: Vec<u64>,
    /// Files that had its name before.
    pub(super) past: Vec<FileId>,
}

impl Catalog {
    pub(super) fn new(wanted: Wanted, large: Layout) -> Catalog {
        Catalog {
            wanted,
            large,
            follow: false,
            known: Mutex::default(),
        }
    }

    /// The same files, followed: none of them is divided, since nothing says how long it will be.
    pub(super) fn followed(&self) -> Catalog {
        Catalog {
            follow: true,
            ..Catalog::new(self.wanted.clone(), Layout::WHOLE)
        }
    }

    /// How many partitions there are, or may be, in a job that is not resumed.
    pub(super) fn partitions(&self) -> usize {
        if self.may_grow() {
            return usize::MAX;
        }
        let stripes = |path: &PathBuf| {
            let length = fs::metadata(path).map_or(0, |metadata| metadata.len());
            self.layout(length).stripes as usize
        };
        // What is wrong with a pattern is said when the source is opened.
        self.paths().iter().flatten().map(stripes).sum()
    }

    /// Whether there may be more files later.
    fn may_grow(&self) -> bool {
        self.follow && matches!(self.wanted, Wanted::Pattern(_))
    }

    fn layout(&self, length: u64) -> Layout {
        if length < self.large.length_min() {
            Layout::WHOLE
        } else {
            self.large
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files that are wanted, as they are now.
    fn paths(&self) -> Result<Vec<PathBuf>, Cause> {
        match &self.wanted {
            Wanted::Files(files) => Ok(files.clone()),
            Wanted::Pattern(pattern) => {
                let paths: Vec<PathBuf> = glob::glob(pattern)?.collect::<Result<_, _>>()?;
                Ok(paths.into_iter().filter(|path| path.is_file()).collect())
            }
        }
    }

    /// Forgets what an earlier run has found. Finds the files that it has read so far, and then
    /// all others.
    ///
    /// # Errors
    /// When one was not read to its end and is gone, or was cut.
    pub(super) fn begin(&self, positions: Vec<(u32, Position)>) -> Result<(), Cause> {
        let mut files: HashMap<u32, Vec<Position>> = HashMap::new();
        let mut known = Known::default();
        for (partition, position) in positions {
            if self.follow {
                known.ids.extend(position.past.iter().chain(&position.id));
            }
            let first = partition - position.stripe;
            let next = first + position.layout.partitions();
            known.next = known.next.max(next);
            files.entry(first).or_default().push(position);
        }
        let paths = self.paths()?;
        for (first, mut stripes) in files {
            stripes.sort_by_key(|position| position.stripe);
            if let Some(path) = self.find(&paths, &stripes)? {
                if self.follow && stripes[0].layout != Layout::WHOLE {
                    return Err(at(&path)(io::Error::other(DIVIDED)));
                }
                known.resume(first, &path, &stripes)?;
            }
        }
        known.files.sort_by_key(|file| file.first);
        *self.known() = known;
        self.look(paths)?;
        if self.known().files.is_empty() && !self.may_grow() {
            return Err("no file to read: none matches".into());
        }
        Ok(())
    }

    /// Where the file is now of which these are the stripes. `None` if it is not wanted any more,
    /// or is gone and was read to its end.
    fn find(&self, paths: &[PathBuf], stripes: &[Position]) -> Result<Option<PathBuf>, Cause> {
        let (path, id) = (PathBuf::from(&stripes[0].path), stripes[0].id);
        let is_wanted = match &self.wanted {
            Wanted::Files(files) => files.contains(&path),
            Wanted::Pattern(_) => self.follow || !path.exists() || paths.contains(&path),
        };
        if !is_wanted {
            return Ok(None);
        }
        let found = match id.filter(|_| self.follow) {
            None => Some(path.clone()).filter(|path| path.exists()),
            Some(id) if FileId::at(&path) == Some(id) => Some(path.clone()),
            Some(id) => id.find_beside(&path).map_err(at(&path))?,
        };
        if found.is_some() || stripes.iter().all(|position| position.at_end) {
            return Ok(found);
        }
        let read = stripes.iter().map(|position| position.place).min();
        Err(format!(
            "{}: the file of which {} bytes were read is not in its folder any more, so its other \
             lines are lost: put it back, or drop the state of this source to read all that is \
             there from the start",
            path.display(),
            read.unwrap_or(0),
        )
        .into())
    }

    /// Adds the files that are new.
    ///
    /// # Errors
    /// When one cannot be opened.
    fn look(&self, paths: Vec<PathBuf>) -> Result<(), Cause> {
        let mut known = self.known();
        for path in paths {
            if known.paths.contains(&path) {
                continue;
            }
            let file = match File::open(&path) {
                // It was there when the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.may_grow() => {
                    continue;
                }
                file => file.map_err(at(&path))?,
            };
            let metadata = file.metadata().map_err(at(&path))?;
            let id = FileId::of(&metadata);
            if let Some(id) = id.filter(|_| self.follow)
                && !known.ids.insert(id)
            {
                // It had another name when it was found.
                continue;
            }
            let layout = self.layout(metadata.len());
            let (first, places) = (known.next, Vec::new());
            known.next += layout.partitions();
            known.add(Listed {
                first,
                path,
                file: Arc::new(file),
                id,
                layout,
                length: layout.length(metadata.len()),
                places,
                past: Vec::new(),
            });
        }
        Ok(())
    }

    /// Adds the files that have come since the job began, if there may be any.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub(super) fn look_again(&self) -> Result<(), Cause> {
        if self.may_grow() {
            self.look(self.paths()?)?;
        }
        Ok(())
    }

    /// The files behind the first so many.
    pub(super) fn files_from(&self, count: usize) -> Vec<Arc<Listed>> {
        self.known().files[count..].to_vec()
    }

    /// Whether a partition has this file, or had it.
    pub(super) fn knows(&self, id: FileId) -> bool {
        self.known().ids.contains(&id)
    }

    /// Says that a partition has this file from now on.
    pub(super) fn add(&self, id: FileId) {
        self.known().ids.insert(id);
    }
}

impl Known {
    /// Adds a file that was read before.
    fn resume(&mut self, first: u32, path: &Path, stripes: &[Position]) -> Result<(), Cause> {
        let file = File::open(path).map_err(at(path))?;
        let metadata = file.metadata().map_err(at(path))?;
        let (length, layout) = (metadata.len(), stripes[0].layout);
        let places: Vec<u64> = stripes.iter().map(|position| position.place).collect();
        let is_cut = |place: &u64| *place > length && !layout.may_be_within_line(*place);
        if metadata.is_file() && places.iter().any(is_cut) {
            return Err(at(path)(io::Error::other(CUT)));
        }
        self.add(Listed {
            first,
            path: PathBuf::from(&stripes[0].path),
            file: Arc::new(file),
            id: FileId::of(&metadata),
            layout,
            length: layout.length(length),
            places,
            past: stripes[0].past.clone(),
        });
        Ok(())
    }

    fn add(&mut self, file: Listed) {
        self.paths.insert(file.path.clone());
        self.files.push(Arc::new(file));
    }
}

/// What is wrong with a file that is followed after a run that did not follow it.
const DIVIDED: &str = "an earlier run did not follow this file and has read it in stripes: resume \
                       the job without following it";
/// What is wrong with a file that is shorter than it was.
pub(super) const CUT: &str = "the file was cut: what was read of it is not there any more";
