//! The two halves of a connection that is played by hand, and what is begun on it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::part::{Answer, Answers, Requests};
use super::scene::{End, Event, Kind, Lost, PIECES, Seen};

/// What a play and the two halves of its connection share.
#[derive(Debug, Default)]
pub(super) struct World {
    pub seen: Seen,
    pub arrived: usize,
    pub has_half: bool,
    pub closed: Option<End>,
    /// How many requests the loop has taken out of the connection.
    pub given: usize,
    /// The request that is being begun.
    pub beginning: Option<usize>,
    pub effects: usize,
    pub ready: BTreeSet<usize>,
    /// How many pieces the writer still takes.
    pub room: usize,
    /// The next piece that is written fails.
    pub writer_fails: bool,
    /// A piece has failed.
    pub has_failed: bool,
    /// How many requests had begun when each piece was written.
    pub begun_when_written: Vec<usize>,
    /// What happens while this request is begun.
    pub during: Option<(usize, Event)>,
    pub stops: bool,
    /// Each future's waker, by who waits: see the constants.
    pub wakers: BTreeMap<(u8, usize), Waker>,
    /// How often futures of answers were polled.
    pub polls: usize,
    /// What must never happen, and did.
    pub wrong: Option<String>,
    /// The play is over: what is dropped now means nothing.
    pub over: bool,
}

const SOURCE: u8 = 0;
const BEGIN: u8 = 1;
const LATER: u8 = 2;
const WRITER: u8 = 3;
pub(super) const STOP: u8 = 4;

impl World {
    pub(super) fn wait(&mut self, who: (u8, usize), context: &Context<'_>) {
        self.wakers.insert(who, context.waker().clone());
    }

    fn wake(&mut self, who: (u8, usize)) {
        if let Some(waker) = self.wakers.remove(&who) {
            waker.wake();
        }
    }

    /// Lets `event` happen, and wakes what waits for it.
    pub(super) fn act(&mut self, event: Event) {
        let waits = match event {
            Event::Half => {
                self.has_half = true;
                (SOURCE, 0)
            }
            Event::Arrives => {
                self.has_half = false;
                self.arrived += 1;
                (SOURCE, 0)
            }
            Event::Effect => {
                self.effects += 1;
                (BEGIN, self.effects - 1)
            }
            Event::Ready(number) => {
                self.ready.insert(number);
                (LATER, number)
            }
            Event::Take => {
                self.room += 1;
                (WRITER, 0)
            }
            Event::WriterFails => {
                self.writer_fails = true;
                (WRITER, 0)
            }
            Event::Closes => {
                self.closed = Some(End::Peer);
                (SOURCE, 0)
            }
            Event::Breaks => {
                self.closed = Some(End::Read(Lost::Broken));
                (SOURCE, 0)
            }
            Event::Stop => {
                self.stops = true;
                (STOP, 0)
            }
        };
        self.wake(waits);
    }

    /// A writer that has failed may work again, and must not be used.
    fn use_writer(&mut self, answer: usize) {
        if self.has_failed {
            self.never(format!(
                "answer #{answer} was given to the writer after a write had failed"
            ));
        }
    }

    pub(super) fn never(&mut self, what: String) {
        if !self.over {
            self.wrong.get_or_insert(what);
        }
    }
}

/// The world behind a lock; the loop reads requests from it.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("nothing panics under this lock")
    }
}

impl Requests for Shared {
    type Request = usize;
    type Error = Lost;

    async fn next(&mut self, idle: Duration) -> Result<Option<usize>, Lost> {
        let next = poll_fn(|context| {
            let mut world = self.lock();
            if world.given < world.arrived {
                world.given += 1;
                return Poll::Ready(Ok(Some(world.given - 1)));
            }
            match world.closed {
                Some(End::Read(lost)) => Poll::Ready(Err(lost)),
                Some(_) if world.has_half => Poll::Ready(Err(Lost::InsideARequest)),
                Some(_) => Poll::Ready(Ok(None)),
                None => {
                    world.wait((SOURCE, 0), context);
                    Poll::Pending
                }
            }
        });
        if idle == Duration::MAX {
            return next.await;
        }
        let next = tokio::time::timeout(idle, next).await;
        next.unwrap_or(Err(Lost::Silent))
    }

    async fn closed(&mut self) -> Result<(), Lost> {
        poll_fn(|context| {
            let mut world = self.lock();
            let has_more = world.given < world.arrived || world.has_half;
            match world.closed {
                Some(End::Read(lost)) if !has_more => Poll::Ready(Err(lost)),
                Some(_) if !has_more => Poll::Ready(Ok(())),
                _ => {
                    world.wait((SOURCE, 0), context);
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// The writer, which is dropped when the loop drops it.
pub(super) struct Sink(pub Shared);

impl Answers for Sink {
    type Answer = usize;

    async fn write(&mut self, answer: usize) -> io::Result<()> {
        self.0.lock().use_writer(answer);
        for _ in 0..PIECES {
            poll_fn(|context| self.poll_piece(answer, context)).await?;
        }
        Ok(())
    }
}

impl Sink {
    fn poll_piece(&self, answer: usize, context: &Context<'_>) -> Poll<io::Result<()>> {
        let mut world = self.0.lock();
        if std::mem::take(&mut world.writer_fails) {
            world.has_failed = true;
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if world.room == 0 {
            world.wait((WRITER, 0), context);
            return Poll::Pending;
        }
        world.room -= 1;
        world.seen.written.push(answer);
        let begun = world.seen.begun;
        world.begun_when_written.push(begun);
        Poll::Ready(Ok(()))
    }
}

/// A request that is being begun.
pub(super) struct Beginning {
    pub world: Shared,
    pub number: usize,
    pub kind: Kind,
    pub has_effect: bool,
}

impl Future for Beginning {
    type Output = Answer<usize>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer<usize>> {
        let (shared, number) = (self.world.clone(), self.number);
        let mut world = shared.lock();
        if world.effects <= number {
            world.wait((BEGIN, number), context);
            return Poll::Pending;
        }
        self.has_effect = true;
        world.beginning = None;
        Poll::Ready(match self.kind {
            Kind::Now => Answer::Now(number),
            Kind::Silence => Answer::Silence,
            Kind::Close => Answer::Close,
            Kind::Later => {
                world.seen.waiting.insert(number);
                let world = shared.clone();
                Answer::Later(Box::pin(Waiting { world, number }))
            }
        })
    }
}

impl Drop for Beginning {
    fn drop(&mut self) {
        if !self.has_effect {
            let what = format!(
                "request {} was dropped while it was being begun",
                self.number
            );
            self.world.lock().never(what);
        }
    }
}

/// An answer that comes later.
struct Waiting {
    world: Shared,
    number: usize,
}

impl Future for Waiting {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<usize> {
        let mut world = self.world.lock();
        world.polls += 1;
        if world.ready.contains(&self.number) {
            return Poll::Ready(self.number);
        }
        world.wait((LATER, self.number), context);
        Poll::Pending
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.world.lock().seen.waiting.remove(&self.number);
    }
}
