//! What all shards of a coordinator share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use message_model::Moment;
use tokio::runtime::Handle;

use broker::Broker;

use crate::coordinator::GroupSettings;
use crate::deadlines::Deadlines;
use crate::part::{CallId, Settings};
use crate::room::Room;

/// What all shards share.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) broker: Arc<Broker>,
    pub(crate) settings: GroupSettings,
    /// The part of the settings that a group looks at.
    pub(crate) of_group: Arc<Settings>,
    pub(crate) deadlines: Deadlines,
    pub(crate) room: Arc<Room>,
    /// Where groups are stored in the background.
    pub(crate) runtime: Handle,
    numbers: AtomicU64,
}

impl Common {
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn new(broker: Arc<Broker>, settings: GroupSettings) -> Common {
        Common {
            of_group: Arc::new(settings.group.clone()),
            deadlines: Deadlines::new(broker.services.clock),
            room: Arc::new(Room::new(settings.groups_max, settings.bytes_max)),
            runtime: Handle::current(),
            numbers: AtomicU64::new(0),
            broker,
            settings,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.broker.services.clock.now()
    }

    /// Returns a number that was not returned before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn call(&self) -> CallId {
        CallId(self.number())
    }
}
