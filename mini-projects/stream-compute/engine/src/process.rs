//! What a job does by itself with the records of each key: its own state, and timers.

mod keyed_states;
mod processed;

use message_model::Timestamp;

use crate::element::Record;
use crate::windowed::Stored;

pub use keyed_states::Held;
pub(crate) use keyed_states::event_timers;
pub use processed::Processed;

/// Decides, key by key, what becomes of the records of a keyed stream.
///
/// What must not be forgotten is in the state of the key: checkpoints have that, and the timers.
///
/// What is emitted for a record has the time of the record. What is emitted for a timer of event
/// time has the time of the timer, which no watermark has passed before. What is emitted for a
/// timer of the clock has the time of the watermark.
pub trait Process<K, V> {
    /// What is kept of a key.
    type State: Stored;
    /// What is emitted.
    type Out: Send + 'static;

    /// A record of a key has come.
    fn on_record(
        &self,
        record: Record<V>,
        held: &mut Held<'_, K, Self::State>,
        emit: &mut impl FnMut(Self::Out),
    );

    /// A timer of a key fires, and is not set any more.
    fn on_timer(
        &self,
        timer: Timer,
        held: &mut Held<'_, K, Self::State>,
        emit: &mut impl FnMut(Self::Out),
    );
}

/// Fires once, for the key that has set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// When all records before this time have come: the watermark has reached it. The timers of
    /// a key fire in their order.
    Event(Timestamp),
    /// When the calendar shows this time; if no records come, up to a tenth of a second later.
    /// A timer that was due while the job was down fires when the job is back. When the sources
    /// have no more records, timers of the clock do not fire any more, and stay in the last
    /// checkpoint.
    Clock(Timestamp),
}
