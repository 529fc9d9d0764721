//! Which topics there are, on disk.
//!
//! # On disk
//! `topics.json` in the data directory, replaced as a whole:
//! `{"topics": [{"name": …, "partitions": …, "state": …, "settings": {…}}]}`.
//! A topic exists if the file says that it is `live`. `creating` and `deleting` say
//! which directories are ours although their topic does not exist: the next
//! start removes them. So does `growing_to`, beside `partitions`, with the
//! directories of partitions that a live topic does not have yet.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::Disk;
use message_model::TopicName;
use serde::{Deserialize, Serialize};

use crate::error::{Error, io_error};
use crate::read_file::read_file;

/// In the data directory.
pub(crate) const FILE: &str = "topics.json";

/// Whether a topic exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Existence {
    /// Not yet: its directories are being made.
    Creating,
    /// Yes.
    Live,
    /// No more: its directories are being removed.
    Deleting,
}

/// A topic, as `topics.json` has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) partitions: u32,
    pub(crate) state: Existence,
    pub(crate) settings: BTreeMap<String, String>,
    /// While the topic grows: how many partitions it is to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) growing_to: Option<u32>,
}

impl Entry {
    /// How many directories are the topic's, if they are there.
    pub(crate) fn reserved(&self) -> u32 {
        self.growing_to
            .map_or(self.partitions, |count| count.max(self.partitions))
    }
}

#[derive(Serialize, Deserialize)]
struct NamedEntry {
    name: String,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Serialize, Deserialize)]
struct File {
    topics: Vec<NamedEntry>,
}

/// `topics.json`, and its content in memory.
#[derive(Debug)]
pub(crate) struct Registry {
    disk: Arc<dyn Disk>,
    data_dir: PathBuf,
    entries: BTreeMap<TopicName, Entry>,
}

impl Registry {
    /// Reads `topics.json`; no file is no topics.
    pub(crate) fn open(disk: Arc<dyn Disk>, data_dir: &Path) -> Result<Registry, Error> {
        let path = data_dir.join(FILE);
        let entries = match read_file(&*disk, &path)? {
            None => BTreeMap::new(),
            Some(bytes) => parse(&bytes).map_err(|source| io_error(&path, source))?,
        };
        Ok(Registry {
            disk,
            data_dir: data_dir.to_owned(),
            entries,
        })
    }

    pub(crate) fn entries(&self) -> &BTreeMap<TopicName, Entry> {
        &self.entries
    }

    /// The entry of a topic that exists.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub(crate) fn live(&self, name: &TopicName) -> Result<&Entry, Error> {
        let entry = self.entries.get(name);
        entry
            .filter(|entry| entry.state == Existence::Live)
            .ok_or(Error::Unknown)
    }

    /// Puts an entry in place of the one that the topic has, if any. On failure
    /// memory keeps the old one, and the disk has either.
    pub(crate) fn set(&mut self, name: &TopicName, entry: Entry) -> Result<(), Error> {
        self.set_all([(name.clone(), entry)])
    }

    /// As [`Registry::set`], for several topics at once: all of them, or none.
    pub(crate) fn set_all(
        &mut self,
        changed: impl IntoIterator<Item = (TopicName, Entry)>,
    ) -> Result<(), Error> {
        let mut entries = self.entries.clone();
        entries.extend(changed);
        self.replace(entries)
    }

    /// Removes an entry; failure as in [`Registry::set`].
    pub(crate) fn remove(&mut self, name: &TopicName) -> Result<(), Error> {
        let mut entries = self.entries.clone();
        entries.remove(name);
        self.replace(entries)
    }

    fn replace(&mut self, entries: BTreeMap<TopicName, Entry>) -> Result<(), Error> {
        let named = |(name, entry): (&TopicName, &Entry)| NamedEntry {
            name: name.as_str().to_owned(),
            entry: entry.clone(),
        };
        let file = File {
            topics: entries.iter().map(named).collect(),
        };
        let path = self.data_dir.join(FILE);
        let mut bytes =
            serde_json::to_vec_pretty(&file).map_err(|error| io_error(&path, error.into()))?;
        bytes.push(b'\n');
        disk::replace(&*self.disk, &path, &bytes).map_err(|source| io_error(&path, source))?;
        self.entries = entries;
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> io::Result<BTreeMap<TopicName, Entry>> {
    let file: File = serde_json::from_slice(bytes)?;
    let mut entries = BTreeMap::new();
    for NamedEntry { name, entry } in file.topics {
        let name = TopicName::new(&name)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        entries.insert(name, entry);
    }
    Ok(entries)
}
