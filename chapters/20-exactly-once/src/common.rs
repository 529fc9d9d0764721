//! What all shards of a coordinator share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use broker::Broker;
use consumer_groups::{Coordinator as Groups, Deadlines, Room};
use tokio::runtime::Handle;

use crate::coordinator::CoordinatorSettings;
use crate::part::{CallId, Now, Settings};

/// What all shards share.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) broker: Arc<Broker>,
    /// Where offsets are that transactions commit.
    pub(crate) groups: Arc<Groups>,
    pub(crate) settings: CoordinatorSettings,
    /// The part of the settings that a transactional id looks at.
    pub(crate) of_transactions: Arc<Settings>,
    pub(crate) deadlines: Deadlines,
    pub(crate) room: Arc<Room>,
    /// Where work is done in the background.
    pub(crate) runtime: Handle,
    numbers: AtomicU64,
}

impl Common {
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn new(
        broker: Arc<Broker>,
        groups: Arc<Groups>,
        settings: CoordinatorSettings,
    ) -> Common {
        Common {
            of_transactions: Arc::new(settings.transactions.clone()),
            deadlines: Deadlines::new(broker.services.clock),
            room: Arc::new(Room::new(settings.ids_max, settings.bytes_max)),
            runtime: Handle::current(),
            numbers: AtomicU64::new(0),
            broker,
            groups,
            settings,
        }
    }

    pub(crate) fn now(&self) -> Now {
        let clock = self.broker.services.clock;
        Now {
            moment: clock.now(),
            wall: clock.wall(),
        }
    }

    /// Returns a number that was not returned before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn call(&self) -> CallId {
        CallId(self.number())
    }
}
