//! Waiting until an end of a partition passes an offset.
//!
//! What this file needs of the [`Timers`] of chapter 02:
//!
//! ```text
//! schedule(&mut self, deadline: Moment, key: K) -> TimerId
//! cancel(&mut self, id: TimerId) -> Option<K>  // None, and harmless, if the key came out before
//! expire(&mut self, now: Moment) -> Vec<K>     // what is due, by deadline, then as scheduled
//! next_deadline(&self) -> Option<Moment>       // after expire(now) it is after `now`
//! ```

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_model::{TimerId, Timers};
use message_model::{Moment, Offset};

use crate::notes::{NoteId, Notes};

/// Why a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// An end has passed its offset, something else is worth another look, or the
    /// look after the notes has found something.
    Moved,
    /// The deadline is over.
    Expired,
    /// The broker stops: no wait begins any more.
    Stopped,
}

/// The notes of one partition, under a lock of their own.
///
/// `K` names an end of the partition.
#[derive(Debug)]
pub struct Board<K> {
    notes: Mutex<Notes<K, Arc<Ticket>>>,
}

/// That an end of the partition that `board` belongs to passes an offset: is above it.
#[derive(Debug)]
pub struct Condition<K> {
    /// The partition's notes.
    pub board: Arc<Board<K>>,
    /// Which of its ends.
    pub end: K,
    /// The offset, which may be any `i64`.
    pub offset: Offset,
}

/// The waits of a broker: their deadlines, and whether it stops.
pub struct Waits {
    state: Mutex<State>,
    /// Is called with the deadline of each new wait, when its timer is set, without a lock.
    alarm: Box<dyn Fn(Moment) + Send + Sync>,
}

#[derive(Debug)]
struct State {
    /// A timer for each wait.
    timers: Timers<Arc<Ticket>>,
    stopped: bool,
}

/// One wait, shared by what sleeps and by all that can wake it.
#[derive(Debug)]
struct Ticket {
    sleep: Mutex<Sleep>,
}

#[derive(Debug)]
enum Sleep {
    /// With the waker of the last poll, if there was one.
    Asleep(Option<Waker>),
    Over(Woken),
}

/// What a wait has left where; it is taken back when this is dropped, which is when
/// the fetch leaves, however it does.
struct Wait<'a, K: Clone + Ord> {
    waits: &'a Waits,
    ticket: Arc<Ticket>,
    timer: TimerId,
    notes: Vec<(Arc<Board<K>>, NoteId<K>)>,
}

impl Ticket {
    fn new() -> Ticket {
        Ticket {
            sleep: Mutex::new(Sleep::Asleep(None)),
        }
    }

    /// Ends the sleep, for this reason, and wakes the task that polled last, if one
    /// has. It holds no lock when it does. The first call counts; a later one changes
    /// nothing and wakes nothing.
    fn wake(&self, woken: Woken) {
        // task 7.3: build the waiting
        todo!("7.3: build the waiting")
        // end
    }

    /// Why the sleep is over; `Pending` if it is not, and then its end wakes the task of
    /// `context`.
    fn poll(&self, context: &mut Context<'_>) -> Poll<Woken> {
        // task 7.3: ready once woken, else remember whom to wake
        todo!("7.3: ready once woken, else remember whom to wake")
        // end
    }
}

impl<K: Clone + Ord> Board<K> {
    /// No notes.
    #[must_use]
    pub fn new() -> Board<K> {
        Board {
            notes: Mutex::new(Notes::new()),
        }
    }

    /// Wakes what waits for `end` to pass an offset below `at`, where it is now, in
    /// the order in which the notes were left, without a lock. A waker may do anything,
    /// such as dropping another wait. Is called after the end has moved.
    pub fn moved(&self, end: &K, at: Offset) {
        // task 7.3: wake those whose offset the end has passed, without holding a lock
        todo!("7.3: wake those whose offset the end has passed, without holding a lock")
        // end
    }

    /// Wakes everything that waits here, because the partition has gone offline, was
    /// deleted, or has another leader. Is called after that is so.
    pub fn wake_all(&self) {
        let all = lock(&self.notes).take_all();
        for ticket in all {
            ticket.wake(Woken::Moved);
        }
    }

    /// How many notes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.notes).len()
    }

    /// Whether there is no note.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Clone + Ord> Default for Board<K> {
    fn default() -> Board<K> {
        Board::new()
    }
}

impl fmt::Debug for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &self.state;
        f.debug_struct("Waits").field("state", state).finish()
    }
}

impl Waits {
    /// No waits. [`any_passes`](Waits::any_passes) calls `alarm` with the deadline of
    /// each new wait, the later ones too, when its timer is set, and without a lock:
    /// [`expire`](Waits::expire) must be called at the deadline, and `alarm` may do so.
    #[must_use]
    pub fn new(alarm: impl Fn(Moment) + Send + Sync + 'static) -> Waits {
        Waits {
            state: Mutex::new(State {
                timers: Timers::new(),
                stopped: false,
            }),
            alarm: Box::new(alarm),
        }
    }

    /// Sleeps until one of `conditions` holds, until `deadline`, or until the broker
    /// stops, and returns which. Without conditions the last two are left. If the broker
    /// has stopped, it returns at once and asks for nothing.
    ///
    /// `still_needed` is asked once, when all notes are left, whatever has happened to the
    /// wait by then: an end may have passed its offset since the caller looked.
    /// - False: there is something. [`Woken::Moved`] is returned, also if the deadline is over.
    /// - True: there is nothing. The wait sleeps, unless it is over already.
    ///
    /// However it ends, nothing of it is left on any board, and no timer, and its task is
    /// not woken any more. It may also be dropped, because the client is gone, and
    /// `conditions`, `still_needed` and the alarm may panic.
    pub async fn any_passes<K: Clone + Ord>(
        &self,
        deadline: Moment,
        conditions: impl IntoIterator<Item = Condition<K>>,
        still_needed: impl FnOnce() -> bool,
    ) -> Woken {
        // task 7.3: leave the notes, look again, sleep
        todo!("7.3: leave the notes, look again, sleep")
        // end
    }

    /// A wait without notes yet, of which the alarm has been told; `None` if the broker
    /// stops.
    fn register<K: Clone + Ord>(&self, deadline: Moment) -> Option<Wait<'_, K>> {
        // task 7.3: a ticket and its timer
        todo!("7.3: a ticket and its timer")
        // end
    }

    /// Ends all waits whose deadline is at or before `now`, in the order of the
    /// deadlines, without a lock. Returns when to call again; `None` if there is no other
    /// deadline yet.
    pub fn expire(&self, now: Moment) -> Option<Moment> {
        // task 7.3: wake those whose time is over, and say when the next one's is
        todo!("7.3: wake those whose time is over, and say when the next one's is")
        // end
    }

    /// Ends every wait, now and from now on.
    pub fn stop(&self) {
        let all = {
            let mut state = lock(&self.state);
            state.stopped = true;
            state.timers.expire(Moment::after_start(Duration::MAX))
        };
        for ticket in all {
            ticket.wake(Woken::Stopped);
        }
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.state).timers.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Clone + Ord> Wait<'_, K> {
    /// Leaves a note for the ticket, and remembers where.
    fn leave_note(&mut self, condition: Condition<K>) {
        // task 7.3: one more note
        todo!("7.3: one more note")
        // end
    }
}

impl<K: Clone + Ord> Drop for Wait<'_, K> {
    /// Takes back the timer, the notes and the waker. A ticket that was taken out of a
    /// board or of the timers a moment ago may still be woken: without its waker, that
    /// wakes nothing. What else the ticket says from now on is never read.
    fn drop(&mut self) {
        // task 7.3: take back what is left of it anywhere
        todo!("7.3: take back what is left of it anywhere")
        // end
    }
}

/// Nothing panics while it holds one of these locks; if something did, the map is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
