//! Opening all topics at the start, and making good what a crash has left.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

use disk::Disk;
use log_storage::Truncated;
use message_model::{PartitionIndex, TopicName, TopicPartition};

use crate::error::Error;
use crate::registry::{Entry, Existence, Registry};
use crate::replace_file::io_error;
use crate::topic_settings::set_topic_setting;
use crate::topics::{Topic, TopicConfig, Topics, TopicsConfig, names};

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

impl Topics {
    /// Opens what the data directory holds, finishes deletions and undoes
    /// creations that a crash interrupted, and recovers every log.
    ///
    /// A partition whose log is damaged or cannot be opened is there, offline.
    ///
    /// # Errors
    /// When the directory or `topics.json` cannot be read, or what a crash has
    /// left cannot be removed.
    pub fn open(
        disk: Arc<dyn Disk>,
        data_dir: &Path,
        config: TopicsConfig,
    ) -> Result<Opened, Error> {
        create_data_dir(&*disk, data_dir).map_err(|source| io_error(data_dir, source))?;
        let registry = Registry::open(Arc::clone(&disk), data_dir)?;
        let topics = Topics {
            disk,
            data_dir: data_dir.to_owned(),
            config,
            registry: Mutex::new(registry),
            live: RwLock::default(),
        };
        let mut opened = Opened {
            topics,
            truncated: Vec::new(),
            offline: Vec::new(),
            strangers: Vec::new(),
        };
        opened.open_topics()?;
        Ok(opened)
    }
}

impl Opened {
    fn open_topics(&mut self) -> Result<(), Error> {
        let topics = &mut self.topics;
        let mut registry = topics.registry.lock().expect("nobody else has it");
        let entries = registry.entries().clone();
        let mut live = BTreeMap::new();
        for (name, entry) in entries {
            if entry.state == Existence::Live {
                live.insert(name, entry);
            } else {
                topics.clear(&mut registry, &name)?;
            }
        }
        drop(registry);
        let ours = |directory: &TopicPartition| {
            let entry = live.get(&directory.topic);
            entry
                .is_some_and(|entry| i64::from(directory.partition.0) < i64::from(entry.partitions))
        };
        let present = topics.list_data_dir()?;
        let directories = present.iter().filter_map(|name| parse_directory(name));
        let strangers = directories.filter(|directory| !ours(directory));
        self.strangers = strangers.map(|directory| directory.to_string()).collect();
        for (name, entry) in live {
            self.open_topic(name, entry)?;
        }
        Ok(())
    }

    fn open_topic(&mut self, name: TopicName, entry: Entry) -> Result<(), Error> {
        let mut log = self.topics.config.log;
        for (setting, value) in &entry.settings {
            set_topic_setting(&mut log, setting, value)?;
        }
        let mut partitions = Vec::new();
        for partition in names(&name, entry.partitions) {
            let opened = self.topics.open_partition(partition.clone(), log);
            if let Some(truncated) = opened.truncated {
                self.truncated.push((partition.clone(), truncated));
            }
            if let Some(error) = opened.offline {
                self.offline.push((partition, error));
            }
            partitions.push(Arc::new(opened.partition));
        }
        let overrides = entry.settings;
        let config = TopicConfig { log, overrides };
        self.topics.insert_live(Arc::new(Topic {
            name,
            partitions,
            config,
        }));
        Ok(())
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
