//! The part's finder, shared between calls and the tasks that look routes up.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_model::{Clock, Driver};
use message_model::{BrokerId, Moment, TopicName};
use networking::CallError;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::part::{Effect, Ended, Event, Finder, Route, RouteCache, Staleness, WantId};

/// What brokers are asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// The brokers, and which of them is the controller: one route.
    Cluster,
    /// A topic: a route per partition.
    Topic(TopicName),
    /// A group: its coordinator is one route.
    Group(Arc<str>),
    /// A transactional id: the coordinator of its transactions is one route.
    Transactions(Arc<str>),
}

/// Where a call waits for the end of a look-up.
type Waiter = oneshot::Sender<Result<(), Error>>;

/// What a look-up of several subjects brought.
pub(crate) type Answers = Vec<(Subject, Result<Vec<Route>, Error>)>;

/// What calls and look-ups share. The lock is held for one step, never over an await.
#[derive(Debug)]
pub(crate) struct LookUps {
    clock: Clock,
    finder: Mutex<Finder<Subject, Waiter>>,
    deadlines: Driver,
    next_id: AtomicU64,
}

impl LookUps {
    pub(crate) fn new(clock: Clock, max_age: Duration) -> LookUps {
        LookUps {
            clock,
            finder: Mutex::new(Finder::new(RouteCache::new(max_age))),
            deadlines: Driver::new(clock),
            next_id: AtomicU64::new(0),
        }
    }

    /// Returns the leader of a partition, if it is believed.
    pub(crate) fn leader(&self, of: &Subject, index: usize) -> Option<BrokerId> {
        self.finder().leader(self.clock.now(), of, index)
    }

    /// Returns all routes of a subject, if they are believed.
    pub(crate) fn routes(&self, of: &Subject) -> Option<Vec<Route>> {
        self.finder().routes(self.clock.now(), of)
    }

    /// Returns when what is wanted is known, as far as it can be; `look_up` begins a
    /// look-up that ends with [`LookUps::ended`].
    ///
    /// # Errors
    /// As the look-up; [`CallError::DeadlinePassed`] if that takes longer.
    pub(crate) async fn want(
        &self,
        subject: Subject,
        index: Option<usize>,
        deadline: Moment,
        look_up: impl Fn(BTreeSet<Subject>),
    ) -> Result<(), Error> {
        let id = WantId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let (waiter, ended) = oneshot::channel();
        let waiting = Waiting { look_ups: self, id };
        self.step(
            Event::Want {
                id,
                key: subject,
                index,
                deadline,
                waiter,
            },
            look_up,
        );
        self.deadlines.note(deadline);
        let ended = ended.await;
        drop(waiting);
        ended.unwrap_or(Err(CallError::Closed.into()))
    }

    /// The look-up that was begun last is over.
    pub(crate) fn ended(
        &self,
        answers: Result<Answers, Error>,
        look_up: impl Fn(BTreeSet<Subject>),
    ) {
        let event = match answers {
            Ok(answers) => Event::Answered(answers),
            Err(error) => Event::Failed(error),
        };
        self.step(event, look_up);
    }

    /// The route that a call took at `taken` was wrong.
    pub(crate) fn forget(&self, key: Subject, index: usize, taken: Moment) {
        // To forget begins no look-up.
        self.step(Event::Forget { key, index, taken }, |_| ());
    }

    pub(crate) fn staleness(&self) -> Staleness {
        self.finder().staleness()
    }

    /// Never returns: ends wants as they run out of time.
    pub(crate) async fn end_overdue(&self) {
        self.deadlines
            .drive(|_| {
                // Neither does the end of a want.
                self.step(Event::Tick, |_| ());
                self.finder().next_deadline()
            })
            .await;
    }

    // ANCHOR: step
    /// Does what the finder says, outside of its lock.
    fn step(&self, event: Event<Subject, Waiter, Error>, look_up: impl Fn(BTreeSet<Subject>)) {
        let effects = self.finder().step(self.clock.now(), event);
        for effect in effects {
            match effect {
                Effect::LookUp(subjects) => look_up(subjects),
                // A waiter that is gone needs no word.
                Effect::End(waiter, ended) => {
                    let _ = waiter.send(match ended {
                        Ended::Known => Ok(()),
                        Ended::Failed(error) => Err(error),
                        Ended::DeadlinePassed => Err(CallError::DeadlinePassed.into()),
                        Ended::Cancelled => Err(CallError::Closed.into()),
                    });
                }
            }
        }
    }
    // ANCHOR_END: step

    fn finder(&self) -> MutexGuard<'_, Finder<Subject, Waiter>> {
        self.finder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A want that has not ended. Dropped before its end it is taken back.
struct Waiting<'a> {
    look_ups: &'a LookUps,
    id: WantId,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.look_ups.step(Event::Cancel(self.id), |_| ());
    }
}
