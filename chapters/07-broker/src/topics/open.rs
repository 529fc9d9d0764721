//! Opening all topics at the start, and making good what a crash has left.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use disk::Disk;
use log_storage::Truncated;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::registry::{Entry, Existence, Registry};
use super::{Topic, Topics, TopicsConfig, names};
use crate::error::{Error, io_error};
use crate::partition::{OpenedPartition, Partition};
use crate::services::Services;
use crate::topic_settings::TopicSettings;

/// What [`Topics::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// The topics.
    pub topics: Topics,
    /// Torn tails that were cut off.
    pub truncated: Vec<(TopicPartition, Truncated)>,
    /// Partitions that are offline, and why.
    pub offline: Vec<(TopicPartition, Error)>,
    /// Directories that look like a partition's and belong to no topic; they are left alone.
    pub strangers: Vec<String>,
}

/// A partition that is to be opened, and what came of it.
struct Opening {
    name: TopicPartition,
    settings: TopicSettings,
    opened: Option<OpenedPartition>,
}

impl Topics {
    /// The topics that the data directory holds. Finishes deletions and undoes
    /// creations and growth that a crash interrupted, and recovers every log, several at a time.
    ///
    /// A partition whose log is damaged or cannot be opened exists too, offline.
    /// What is left of a topic or a partition that does not exist, and cannot be
    /// removed, is removed when it is created again, or at the next start.
    ///
    /// # Errors
    /// When the directory or `topics.json` cannot be read.
    pub fn open(
        services: Arc<Services>,
        data_dir: &Path,
        config: TopicsConfig,
    ) -> Result<Opened, Error> {
        let disk = Arc::clone(&services.disk);
        create_data_dir(&*disk, data_dir).map_err(|source| io_error(data_dir, source))?;
        let registry = Registry::open(disk, data_dir)?;
        let entries = registry.entries().clone();
        let topics = Topics {
            services,
            data_dir: data_dir.to_owned(),
            config,
            registry: Arc::new(AsyncMutex::new(registry)),
            live: RwLock::default(),
            busy: Mutex::default(),
            freed: Notify::new(),
        };
        let mut opened = Opened {
            strangers: topics.strangers(&entries)?,
            topics,
            truncated: Vec::new(),
            offline: Vec::new(),
        };
        let (live, leftover): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|(_, entry)| entry.state == Existence::Live);
        for (name, entry) in leftover {
            warn_of_leftovers(&name, opened.topics.clear_at_start(&name, &entry));
        }
        for (name, entry) in live.iter().filter(|(_, entry)| entry.growing_to.is_some()) {
            warn_of_leftovers(name, opened.topics.clear_growth_at_start(name, entry));
        }
        opened.open_topics(live)?;
        Ok(opened)
    }

    /// Directories that look like a partition's and belong to no topic.
    fn strangers(&self, entries: &BTreeMap<TopicName, Entry>) -> Result<Vec<String>, Error> {
        let is_ours = |directory: &TopicPartition| {
            let index = i64::from(directory.partition.0);
            let entry = entries.get(&directory.topic);
            entry.is_some_and(|entry| index < i64::from(entry.reserved()))
        };
        let present = self.list_data_dir()?;
        let directories = present.iter().filter_map(|name| parse_directory(name));
        let strangers = directories.filter(|directory| !is_ours(directory));
        Ok(strangers.map(|directory| directory.to_string()).collect())
    }

    fn clear_at_start(&self, name: &TopicName, entry: &Entry) -> Result<(), Error> {
        self.remove_at_start(name, 0..entry.reserved())?;
        let mut registry = self.registry.try_lock().expect("nothing else runs yet");
        registry.remove(name)
    }

    fn clear_growth_at_start(&self, name: &TopicName, entry: &Entry) -> Result<(), Error> {
        self.remove_at_start(name, entry.partitions..entry.reserved())?;
        let mut registry = self.registry.try_lock().expect("nothing else runs yet");
        let grown = Entry {
            growing_to: None,
            ..entry.clone()
        };
        registry.set(name, grown)
    }

    fn remove_at_start(&self, name: &TopicName, partitions: Range<u32>) -> Result<(), Error> {
        for partition in names(name, partitions) {
            self.remove_directory(&partition.to_string())?;
        }
        self.sync_data_dir()
    }
}

fn warn_of_leftovers(topic: &TopicName, cleared: Result<(), Error>) {
    if let Err(error) = cleared {
        tracing::warn!(%topic, %error, "files that no topic needs are still there");
    }
}

impl Opened {
    fn open_topics(&mut self, live: Vec<(TopicName, Entry)>) -> Result<(), Error> {
        let mut configs = Vec::new();
        let mut all = Vec::new();
        for (name, entry) in live {
            let mut config = self.topics.new_config();
            for (setting, value) in &entry.settings {
                config.set(setting, value)?;
            }
            let settings = config.settings;
            all.extend(names(&name, 0..entry.partitions).map(|name| Opening {
                name,
                settings,
                opened: None,
            }));
            configs.push((name, config));
        }
        self.topics.open_partitions(&mut all);
        let mut all = all.into_iter().peekable();
        for (name, config) in configs {
            let mut partitions = Vec::new();
            while let Some(one) = all.next_if(|one| one.name.topic == name) {
                partitions.extend(self.take(one));
            }
            self.topics.insert_live(Arc::new(Topic {
                name,
                partitions,
                config,
            }));
        }
        Ok(())
    }

    fn take(&mut self, opening: Opening) -> Option<Arc<Partition>> {
        let Opening { name, opened, .. } = opening;
        let opened = opened?;
        let truncated = opened.truncated;
        self.truncated
            .extend(truncated.map(|truncated| (name.clone(), truncated)));
        self.offline
            .extend(opened.offline.map(|error| (name, error)));
        Some(Arc::new(opened.partition))
    }
}

impl Topics {
    /// Opens the logs, each on one of a few threads: most of the time goes into waiting for the disk.
    fn open_partitions(&self, all: &mut [Opening]) {
        let next = Mutex::new(all.iter_mut());
        let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
        let open_some = || {
            while let Some(one) = take() {
                let dir = self.data_dir.join(one.name.to_string());
                let (name, settings) = (one.name.clone(), one.settings);
                one.opened = Some(Partition::open(&self.services, &dir, name, settings));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.config.open_threads {
                scope.spawn(open_some);
            }
            open_some();
        });
    }
}

/// On disk too: without its own entry in the directory above, nothing in it is safe.
fn create_data_dir(disk: &dyn Disk, data_dir: &Path) -> io::Result<()> {
    disk.create_dir_all(data_dir)?;
    match data_dir.parent() {
        None => Ok(()),
        Some(above) if above == Path::new("") => disk.sync_dir(Path::new(".")),
        Some(above) => match disk.sync_dir(above) {
            // A directory that we may not open was there before us, and so was ours.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        },
    }
}

/// The partition whose directory would be called so.
fn parse_directory(name: &str) -> Option<TopicPartition> {
    let (topic, partition) = name.rsplit_once('-')?;
    let index: u32 = partition.parse().ok()?;
    Some(TopicPartition {
        topic: TopicName::new(topic).ok()?,
        partition: PartitionIndex(i32::try_from(index).ok()?),
    })
}
