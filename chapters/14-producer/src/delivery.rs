//! What becomes of a record.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use message_model::{Offset, PartitionIndex};

use crate::error::Error;

/// The place of a record that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// In which partition.
    pub partition: PartitionIndex,
    /// At which offset. `None` if the broker did not say: with `acks=0`, or because it
    /// answered after a later batch had proved that this one is in the log.
    pub offset: Option<Offset>,
}

/// A record on its way: a future of where it is, or why it is not there.
///
/// It may be dropped, which changes nothing for the record. Every delivery ends, at the
/// latest when the record's time is over, or the producer is closed.
#[derive(Debug)]
pub struct Delivery(State);

#[derive(Debug)]
enum State {
    Failed(Error),
    Sent {
        batch: Arc<BatchOutcome>,
        /// Which record of the batch.
        index: u32,
    },
}

impl Delivery {
    pub(crate) fn failed(error: Error) -> Delivery {
        Delivery(State::Failed(error))
    }

    pub(crate) fn sent(batch: Arc<BatchOutcome>, index: u32) -> Delivery {
        Delivery(State::Sent { batch, index })
    }

    /// Returns why the record was not even put into a batch, if it was not.
    #[must_use]
    pub fn failure(&self) -> Option<&Error> {
        match &self.0 {
            State::Failed(error) => Some(error),
            State::Sent { .. } => None,
        }
    }

    /// Blocks this thread until the outcome is known, and returns it. For threads outside
    /// of the runtime.
    ///
    /// # Errors
    /// As the future's.
    pub fn wait(self) -> Result<Delivered, Error> {
        block_on(self)
    }
}

impl Future for Delivery {
    type Output = Result<Delivered, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.0 {
            State::Failed(error) => Poll::Ready(Err(error.clone())),
            State::Sent { batch, index } => batch.poll(*index, context),
        }
    }
}

/// The outcome of a batch's records, which their deliveries share.
#[derive(Debug)]
pub(crate) struct BatchOutcome {
    partition: PartitionIndex,
    state: Mutex<Outcomes>,
}

#[derive(Debug, Default)]
struct Outcomes {
    /// Of the records from each number on, as many as are given: what became of them. A
    /// batch that was cut has several.
    settled: Vec<(u32, u32, Result<Option<Offset>, Error>)>,
    wakers: Vec<Waker>,
}

impl BatchOutcome {
    pub(crate) fn new(partition: PartitionIndex) -> BatchOutcome {
        BatchOutcome {
            partition,
            state: Mutex::default(),
        }
    }

    /// The records from `first` on have this outcome; the offset is the first one's.
    pub(crate) fn settle(&self, first: u32, count: u32, outcome: Result<Option<Offset>, Error>) {
        let mut state = self.state();
        state.settled.push((first, count, outcome));
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns when the records before `count` have their outcome.
    pub(crate) async fn settled(&self, count: u32) {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            let settled: u32 = state.settled.iter().map(|one| one.1).sum();
            if settled >= count {
                return Poll::Ready(());
            }
            state.wait(context);
            Poll::Pending
        })
        .await;
    }

    fn poll(&self, index: u32, context: &mut Context<'_>) -> Poll<Result<Delivered, Error>> {
        let mut state = self.state();
        let mut settled = state.settled.iter();
        let its = settled.find(|(first, count, _)| (*first..first + count).contains(&index));
        let Some((first, _, outcome)) = its else {
            state.wait(context);
            return Poll::Pending;
        };
        let delivered = |offset: &Option<Offset>| Delivered {
            partition: self.partition,
            offset: offset.map(|offset| offset.plus(i64::from(index - first))),
        };
        Poll::Ready(outcome.as_ref().map(delivered).map_err(Error::clone))
    }

    fn state(&self) -> MutexGuard<'_, Outcomes> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outcomes {
    fn wait(&mut self, context: &Context<'_>) {
        // A task that waits for many records of a batch is woken once.
        if !self
            .wakers
            .iter()
            .rev()
            .take(4)
            .any(|one| one.will_wake(context.waker()))
        {
            self.wakers.push(context.waker().clone());
        }
    }
}

/// Runs a future on this thread, which sleeps while the future waits.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
