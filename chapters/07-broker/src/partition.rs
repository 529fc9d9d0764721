//! One partition: a log, its five ends, and the notes of those who wait for one.

mod append;
mod compaction;
mod durability;
mod fetch;
mod keyless;
mod producer_snapshot;
mod read_all;
mod reading;
mod replay;
mod size;
mod state;
mod transactions;
mod upkeep;
mod validation;
mod written;

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use log_storage::{Log, Truncated};
use message_model::{LeaderEpoch, Offset, TopicPartition};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};

use crate::ends::{End, Ends};
use crate::error::Error;
use crate::part::{Board, Condition};
use crate::services::Services;
use crate::topic_settings::TopicSettings;

use producer_snapshot::Saving;
use replay::replay;
use written::Written;

pub use append::Appended;
pub use fetch::{Fetched, Reader, Room};
pub(crate) use state::{Online, Role};
pub(crate) use validation::is_compressed;
pub use validation::{Produced, validate_produced};

/// The writer of a partition's log, held by the one who appends, with what is known about
/// the log's producers.
///
/// A task that waits for it parks no thread. An append that creates a segment
/// file takes the writer along to the blocking pool, so that a slow creation
/// holds up nothing but appends to the same partition.
type Writer = OwnedMutexGuard<Option<Written>>;

/// One partition, shared by all connections.
///
/// # Locks
/// `saving` comes before `upkeep`, `upkeep` before `writer`, and `writer` before `state`. `state` is held for memory work only: never
/// over an await, a system call or another lock.
#[derive(Debug)]
pub struct Partition {
    name: Arc<TopicPartition>,
    /// Locked for a copy, in or out.
    settings: RwLock<TopicSettings>,
    services: Arc<Services>,
    /// `None` when the log could not be opened, or the topic is gone.
    writer: Arc<AsyncMutex<Option<Written>>>,
    state: Mutex<Role>,
    /// The notes of those who wait for one of the ends.
    board: Arc<Board<End>>,
    /// As many have asked for a sync as shared the last one.
    company: Notify,
    /// Held by the one who adds or removes segment files, but for rolls: retention, the
    /// deletion of records, a piece of compaction. Comes before `writer`.
    upkeep: Arc<AsyncMutex<()>>,
    /// Held by the one who saves what is known about producers.
    saving: AsyncMutex<Saving>,
    /// What is saved about producers must not be believed at the next start.
    snapshot_is_useless: AtomicBool,
}

/// What [`Partition::open`] found.
#[derive(Debug)]
pub(crate) struct OpenedPartition {
    pub(crate) partition: Partition,
    pub(crate) truncated: Option<Truncated>,
    /// Why it is offline.
    pub(crate) offline: Option<Error>,
}

impl Partition {
    /// The partition whose log is in `dir`, which is created if there is none.
    /// Blocks for as long as recovery takes.
    ///
    /// A partition whose log cannot be opened exists too: it answers every call with an error.
    pub(crate) fn open(
        services: &Arc<Services>,
        dir: &Path,
        name: TopicPartition,
        settings: TopicSettings,
    ) -> OpenedPartition {
        let disk = Arc::clone(&services.disk);
        let opened = Log::open(disk, dir, settings.log, services.segments.clone());
        Partition::with_log(services, dir, opened, (name, settings))
    }

    /// A new partition, whose log is created in `dir`. It exists after a power failure once the
    /// directory above is synced.
    pub(crate) fn create(
        services: &Arc<Services>,
        dir: &Path,
        name: TopicPartition,
        settings: TopicSettings,
    ) -> OpenedPartition {
        let disk = Arc::clone(&services.disk);
        let created = Log::create(disk, dir, settings.log, services.segments.clone());
        Partition::with_log(services, dir, created, (name, settings))
    }

    fn with_log(
        services: &Arc<Services>,
        dir: &Path,
        opened: Result<log_storage::Opened, log_storage::Error>,
        (name, settings): (TopicPartition, TopicSettings),
    ) -> OpenedPartition {
        let (mut truncated, mut saved) = (None, None);
        let opened = opened.map_err(Error::from).and_then(|opened| {
            truncated = opened.truncated;
            let replayed = replay(services, dir, &name, opened.log)?;
            saved = replayed.saved;
            Ok(replayed.written)
        });
        let (written, offline) = match opened {
            Ok(written) => (Some(written), None),
            Err(error) => (None, Some(error)),
        };
        let role = match &written {
            Some(one) => Role::Leader(Online::new(one.log.view(), one.first_unstable(), saved)),
            None => Role::Offline,
        };
        OpenedPartition {
            partition: Partition {
                name: Arc::new(name),
                settings: RwLock::new(settings),
                services: Arc::clone(services),
                writer: Arc::new(AsyncMutex::new(written)),
                state: Mutex::new(role),
                board: Arc::new(Board::new()),
                company: Notify::new(),
                upkeep: Arc::default(),
                saving: AsyncMutex::new(Saving::new(dir, saved)),
                snapshot_is_useless: AtomicBool::new(false),
            },
            truncated,
            offline,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &TopicPartition {
        &self.name
    }

    /// Its name, as the key of a lane.
    pub(crate) fn shared_name(&self) -> &Arc<TopicPartition> {
        &self.name
    }

    /// What its topic says about records and segments.
    #[must_use]
    pub fn settings(&self) -> TopicSettings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the partition other settings, which hold from now on.
    pub fn set_settings(&self, settings: TopicSettings) {
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = settings;
        // One that is offline is opened with new settings at the next start.
        let _ = self.online(|online| online.view().set_config(settings.log));
    }

    /// Where its ends are.
    ///
    /// # Errors
    /// When the partition is offline.
    pub fn ends(&self) -> Result<Ends, Error> {
        self.online(|online| online.ends())
    }

    /// How often its leader has changed.
    ///
    /// # Errors
    /// When the partition is offline.
    pub fn leader_epoch(&self) -> Result<LeaderEpoch, Error> {
        self.online(|online| online.leadership().epoch)
    }

    /// Checks the epoch that a client takes for the leader's; -1 is none.
    ///
    /// # Errors
    /// [`Error::LeaderEpoch`], or when the partition is offline.
    pub(crate) fn check_epoch(&self, theirs: i32) -> Result<(), Error> {
        let ours = self.leader_epoch()?.0;
        if theirs != -1 && theirs != ours {
            return Err(Error::LeaderEpoch { theirs, ours });
        }
        Ok(())
    }

    /// That `end` passes `offset`, to be waited for.
    pub(crate) fn passes(&self, end: End, offset: Offset) -> Condition<End> {
        Condition {
            board: Arc::clone(&self.board),
            end,
            offset,
        }
    }

    /// The topic is being deleted: every later call fails, and everything that waits is woken.
    pub(crate) async fn close(&self) {
        // Nothing is written to the directory while it is removed.
        let _upkeep = self.upkeep().await;
        self.take_offline();
        self.writer().await.take();
    }

    /// What `act` makes of the state.
    ///
    /// # Errors
    /// When the partition is offline.
    fn online<T>(&self, act: impl FnOnce(&mut Online) -> T) -> Result<T, Error> {
        match &mut *self.state() {
            Role::Leader(online) => Ok(act(online)),
            Role::Offline => Err(Error::Log(log_storage::Error::Offline)),
        }
    }

    /// From now on every call fails until the log is opened again.
    fn take_offline(&self) {
        *self.state() = Role::Offline;
        self.board.wake_all();
    }

    /// The right to add or remove segment files, when it is this caller's turn.
    async fn upkeep(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.upkeep).lock_owned().await
    }

    /// The writer, when it is this caller's turn.
    async fn writer(&self) -> Writer {
        Arc::clone(&self.writer).lock_owned().await
    }

    fn state(&self) -> MutexGuard<'_, Role> {
        self.state.lock().expect("nobody panics under this lock")
    }
}

/// What the writer holds.
///
/// # Errors
/// When the partition is offline.
fn written(writer: &mut Writer) -> Result<&mut Written, Error> {
    let written = writer.as_mut();
    written.ok_or(Error::Log(log_storage::Error::Offline))
}
