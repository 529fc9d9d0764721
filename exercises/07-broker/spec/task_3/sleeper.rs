//! One fetch that sleeps.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};

use message_model::Offset;

use super::super::part::{Board, Condition, Waits, Woken};
use super::step::at;

/// A partition's notes; its ends are names.
pub(super) type Names = Arc<Board<&'static str>>;

pub(super) fn silent() -> Arc<Waits> {
    Arc::new(Waits::new(|_| {}))
}

pub(super) fn boards(count: usize) -> Vec<Names> {
    let boards = std::iter::repeat_with(|| Arc::new(Board::new()));
    boards.take(count).collect()
}

/// How many notes there are at all of them.
pub(super) fn notes(boards: &[Names]) -> usize {
    boards.iter().map(|board| board.len()).sum()
}

/// That the end of this partition passes `offset`.
pub(super) fn passes(board: &Names, offset: i64) -> Condition<&'static str> {
    Condition {
        board: Arc::clone(board),
        end: "end",
        offset: Offset(offset),
    }
}

/// Counts how often it is woken.
#[derive(Default)]
pub(super) struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    pub(super) fn rung(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

pub(super) fn poll(
    wait: Pin<&mut (impl Future<Output = Woken> + ?Sized)>,
    waker: &Waker,
) -> Poll<Woken> {
    wait.poll(&mut Context::from_waker(waker))
}

/// A wait, and the bell of the task that polls it.
pub(super) struct Sleeper {
    wait: Pin<Box<dyn Future<Output = Woken>>>,
    pub(super) bell: Arc<Bell>,
}

impl Sleeper {
    /// Waits until millisecond `deadline`; was not polled yet.
    pub(super) fn new<C>(
        waits: &Arc<Waits>,
        deadline: u64,
        conditions: C,
        still_needed: impl FnOnce() -> bool + 'static,
    ) -> Sleeper
    where
        C: IntoIterator<Item = Condition<&'static str>> + 'static,
    {
        let waits = Arc::clone(waits);
        let wait = async move {
            let wait = waits.any_passes(at(deadline), conditions, still_needed);
            wait.await
        };
        Sleeper {
            wait: Box::pin(wait),
            bell: Arc::default(),
        }
    }

    /// Waits until millisecond 500 for one of these partitions to pass offset 10, and sleeps.
    pub(super) fn asleep(waits: &Arc<Waits>, boards: &[Names]) -> Sleeper {
        let conditions: Vec<_> = boards.iter().map(|board| passes(board, 10)).collect();
        let mut sleeper = Sleeper::new(waits, 500, conditions, || true);
        let _ = sleeper.poll();
        sleeper
    }

    pub(super) fn poll(&mut self) -> Poll<Woken> {
        let waker = Waker::from(Arc::clone(&self.bell));
        self.poll_with(&waker)
    }

    pub(super) fn poll_with(&mut self, waker: &Waker) -> Poll<Woken> {
        poll(self.wait.as_mut(), waker)
    }

    /// How often it was woken.
    pub(super) fn rung(&self) -> usize {
        self.bell.rung()
    }
}

/// When it is woken, sends its number.
pub(super) struct Numbered(pub(super) usize, pub(super) mpsc::Sender<usize>);

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        let _ = self.1.send(self.0);
    }
}
