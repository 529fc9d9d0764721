//! When which group wants to be woken. Chapter 20 wakes transactions in the same way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use async_model::{Clock, Driver};
use message_model::Moment;

/// Something that wants to be woken: a group, or a transactional id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// When.
    pub at: Moment,
    /// The index of its shard.
    pub shard: usize,
    /// The id of the group, or of what else has alarms.
    pub id: Arc<str>,
}

/// The alarms of a coordinator, and the one sleeper for them.
#[derive(Debug)]
pub struct Deadlines {
    alarms: Mutex<BTreeSet<Alarm>>,
    driver: Driver,
}

impl Deadlines {
    /// Without alarms.
    #[must_use]
    pub fn new(clock: Clock) -> Deadlines {
        Deadlines {
            alarms: Mutex::default(),
            driver: Driver::new(clock),
        }
    }

    /// Puts `alarm` in the place of the one that the same id had at `before`. An alarm that
    /// rings although nothing wants it does no harm.
    pub fn set(&self, before: Option<Moment>, alarm: Alarm) {
        let at = alarm.at;
        let mut alarms = self.alarms();
        if let Some(before) = before {
            let at = before;
            let id = Arc::clone(&alarm.id);
            alarms.remove(&Alarm { at, id, ..alarm });
        }
        alarms.insert(alarm);
        drop(alarms);
        self.driver.note(at);
    }

    /// Never returns: calls `ring` for each alarm when its time has come.
    pub async fn drive(&self, ring: impl Fn(Alarm)) {
        let step = |now| {
            while let Some(alarm) = self.take_due(now) {
                ring(alarm);
            }
            self.alarms().first().map(|alarm| alarm.at)
        };
        self.driver.drive(step).await;
    }

    fn take_due(&self, now: Moment) -> Option<Alarm> {
        let mut alarms = self.alarms();
        let is_due = alarms.first().is_some_and(|alarm| alarm.at <= now);
        if is_due { alarms.pop_first() } else { None }
    }

    fn alarms(&self) -> MutexGuard<'_, BTreeSet<Alarm>> {
        self.alarms.lock().expect("nothing panics under this lock")
    }
}
