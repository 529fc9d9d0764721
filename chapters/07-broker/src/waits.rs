//! Those who wait for an end of a partition to pass an offset.

use async_model::Clock;
use message_model::{Moment, Offset, TopicPartition};

use crate::ends::{End, Ends};

/// The purgatory under its lock, with sleepers and a clock around it.
#[derive(Debug)]
pub struct Waits {}

impl Waits {
    /// Nobody waits.
    #[must_use]
    pub fn new(clock: Clock) -> Waits {
        let _ = clock;
        todo!()
    }

    /// Waits until one of the ends has passed its offset, or until `deadline`.
    ///
    /// `still_needed` is asked once more after the wait is registered: an end may
    /// have passed in between. A wait that is dropped leaves nothing behind.
    pub async fn any_passes(
        &self,
        deadline: Moment,
        conditions: Vec<((TopicPartition, End), Offset)>,
        still_needed: impl FnOnce() -> bool,
    ) {
        let _ = (deadline, conditions, still_needed);
        todo!()
    }

    /// A partition's ends have moved: wakes those who waited for that.
    pub fn moved(&self, partition: &TopicPartition, ends: Ends) {
        let _ = (partition, ends);
        todo!()
    }

    /// A partition is gone: wakes everyone who waits for it.
    pub fn gone(&self, partition: &TopicPartition) {
        let _ = partition;
        todo!()
    }

    /// The broker stops: ends every wait, now and from now on.
    pub fn stop(&self) {
        todo!()
    }

    /// Ends waits whose time has passed, for ever; the broker runs it as a task.
    pub async fn expire(&self) {
        todo!()
    }
}
