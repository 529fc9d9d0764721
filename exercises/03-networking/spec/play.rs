//! The loop under test, and the connection that it serves.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::connection::{Beginning, STOP, Shared, Sink};
use super::part::{Closing, Terms, serve_requests};
use super::scene::{End, Event, IDLE, Lost, Scene, Seen};

/// No event has this many consequences in the histories that are played.
const POLLS_MAX: usize = 500;

/// Whether the loop is to be polled again.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The loop, and the connection that it serves.
pub(super) struct Play {
    world: Shared,
    served: Option<Pin<Box<dyn Future<Output = Closing<Lost>>>>>,
    flag: Arc<Flag>,
    /// How often the loop was polled.
    pub polls: usize,
}

impl Play {
    /// A connection on which nothing has happened.
    pub(super) fn new(scene: &Scene) -> Play {
        let world = Shared::default();
        world.lock().room = if scene.takes_all { usize::MAX } else { 0 };
        world.lock().effects = if scene.effects_at_once { usize::MAX } else { 0 };
        world.lock().during = scene.during;
        let terms = Terms {
            order: scene.order,
            pending_max: scene.pending_max,
            idle: IDLE,
        };
        let (beginning, kinds) = (world.clone(), scene.kinds.clone());
        let begin = move |number: usize| {
            let mut world = beginning.lock();
            if let Some(other) = world.beginning.replace(number) {
                world.never(format!(
                    "request {number} was begun while request {other} was still being begun"
                ));
            }
            if number != world.seen.begun {
                let due = world.seen.begun;
                world.never(format!(
                    "request {number} was begun when {due} had its turn"
                ));
            }
            world.seen.begun += 1;
            if let Some((_, event)) = world.during.take_if(|(during, _)| *during == number) {
                world.act(event);
            }
            Beginning {
                world: beginning.clone(),
                number,
                kind: kinds[number],
                has_effect: false,
            }
        };
        let stopping = world.clone();
        let stop = poll_fn(move |context| {
            let mut world = stopping.lock();
            if world.stops {
                return Poll::Ready(());
            }
            world.wait((STOP, 0), context);
            Poll::Pending
        });
        let sink = Sink(world.clone());
        let served = serve_requests(world.clone(), sink, terms, begin, stop);
        Play {
            world,
            served: Some(Box::pin(served)),
            flag: Arc::new(Flag(AtomicBool::new(true))),
            polls: 0,
        }
    }

    /// Lets `event` happen, and wakes what waits for it.
    pub(super) fn act(&mut self, event: Event) {
        self.world.lock().act(event);
    }

    /// Runs the loop until it waits; what can be seen then, or what must never happen.
    pub(super) async fn settle(&mut self) -> Result<Seen, String> {
        self.run().await?;
        Ok(self.world.lock().seen.clone())
    }

    /// Runs the loop until it waits. An error says what must never happen.
    pub(super) async fn run(&mut self) -> Result<(), String> {
        for _ in 0..POLLS_MAX {
            if !self.flag.0.swap(false, Ordering::SeqCst) {
                // Perhaps it has tasks of its own.
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                if !self.flag.0.swap(false, Ordering::SeqCst) {
                    return self.check();
                }
            }
            self.poll_once();
        }
        Err(format!(
            "after the last event it asked to be polled {POLLS_MAX} times, and nothing happens"
        ))
    }

    /// Polls the loop once, whether it wants it or not.
    pub(super) fn poll_once(&mut self) {
        let Some(served) = &mut self.served else {
            return;
        };
        self.polls += 1;
        let waker = Waker::from(Arc::clone(&self.flag));
        if let Poll::Ready(closing) = served.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.world.lock().seen.end = Some(end(&closing));
            self.served = None;
        }
    }

    /// How often futures of answers were polled.
    pub(super) fn answer_polls(&self) -> usize {
        self.world.lock().polls
    }

    /// How many requests had begun when each piece of an answer was written.
    pub(super) fn begun_when_written(&self) -> Vec<usize> {
        self.world.lock().begun_when_written.clone()
    }

    fn check(&self) -> Result<(), String> {
        let world = self.world.lock();
        match &world.wrong {
            Some(wrong) => Err(wrong.clone()),
            None if world.given != world.seen.begun => Err(format!(
                "{} requests were read and {} were begun",
                world.given, world.seen.begun
            )),
            None => Ok(()),
        }
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        self.world.lock().over = true;
    }
}

fn end(closing: &Closing<Lost>) -> End {
    match closing {
        Closing::Peer => End::Peer,
        Closing::Stop => End::Stop,
        Closing::Read(lost) => End::Read(*lost),
        Closing::Write(_) => End::Write,
        Closing::Unanswerable => End::Unanswerable,
    }
}
