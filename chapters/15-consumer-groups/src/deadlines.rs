//! When which group wants to be woken.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use async_model::{Clock, Driver};
use message_model::Moment;

/// A group that wants to be woken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alarm {
    pub(crate) at: Moment,
    /// The index of its shard.
    pub(crate) shard: usize,
    pub(crate) group: Arc<str>,
}

/// The alarms of all groups, and the one sleeper for them.
#[derive(Debug)]
pub(crate) struct Deadlines {
    alarms: Mutex<BTreeSet<Alarm>>,
    driver: Driver,
}

impl Deadlines {
    pub(crate) fn new(clock: Clock) -> Deadlines {
        Deadlines {
            alarms: Mutex::default(),
            driver: Driver::new(clock),
        }
    }

    /// Puts `alarm` in the place of the one that the group had at `before`. An alarm that
    /// rings although the group wants none does no harm.
    pub(crate) fn set(&self, before: Option<Moment>, alarm: Alarm) {
        let at = alarm.at;
        let mut alarms = self.alarms();
        if let Some(before) = before {
            let at = before;
            let group = Arc::clone(&alarm.group);
            alarms.remove(&Alarm { at, group, ..alarm });
        }
        alarms.insert(alarm);
        drop(alarms);
        self.driver.note(at);
    }

    /// Never returns: calls `ring` for each alarm when its time has come.
    pub(crate) async fn drive(&self, ring: impl Fn(Alarm)) {
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
