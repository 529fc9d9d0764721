//! One connection's requests: begun one after the other, answered when they can be.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::requests::{Answer, Answers, Closing, Later, Order, Requests, Terms};

/// Serves the requests of one connection until its end, and returns why it ended.
///
/// - `begin` gets the requests in their order. The next one is read only when
///   the future of the one before has completed, which says that the request
///   has taken effect. Its answer may take longer.
/// - A request is *pending* from then on until its answer is written whole. At
///   [`Terms::pending_max`] no further request is read.
/// - Answers leave one after the other in the order of [`Terms::order`], each as
///   soon as it is ready and has its turn. What is pending makes progress meanwhile.
/// - When several things are ready, a stop goes first, then what has taken effect,
///   then answers, to become ready and to be written, and the next request last:
///   a peer that sends without pause keeps neither the stop nor its answers waiting.
/// - A connection on which nothing is pending may be silent for [`Terms::idle`],
///   another one for as long as it likes ([`Duration::MAX`]).
/// - When the peer has closed the connection, or reading fails, no answer is
///   waited for any more: their futures are dropped. Those that are ready and have
///   their turn are written. The end is behind the requests that have arrived, so
///   at the bound it is noticed when there was room to read them.
/// - When writing fails, nothing more is read, futures of answers are dropped, and
///   the writer, which has half an answer behind it, is not used again.
/// - After `stop`, and after an [`Answer::Close`], no request is read, and what
///   is pending is answered, as long as the peer is there.
/// - What ends it first is returned, also when more goes wrong before the end.
/// - A future of `begin` is never dropped before it has completed, whatever happens
///   meanwhile. If it panics, so does this.
pub async fn serve_requests<Q, S, Begin, Beginning, Stop>(
    mut requests: Q,
    answers: S,
    terms: Terms,
    mut begin: Begin,
    stop: Stop,
) -> Closing<Q::Error>
where
    Q: Requests,
    S: Answers,
    Begin: FnMut(Q::Request) -> Beginning,
    Beginning: Future<Output = Answer<S::Answer>>,
    Stop: Future<Output = ()>,
{
    // task 3.4: serve a connection: begin in order, answer as the terms say, leave when the peer is gone
    todo!(
        "3.4: serve a connection: begin in order, answer as the terms say, leave when the peer is gone"
    )
    // end
}

/// The next request, whose first byte comes within `idle`, or with `None` no request;
/// `Ok(None)` when the peer has closed the connection.
async fn arrival<Q: Requests>(
    requests: &mut Q,
    idle: Option<Duration>,
) -> Result<Option<Q::Request>, Q::Error> {
    // task 3.4: read, or only watch for the end
    todo!("3.4: read, or only watch for the end")
    // end
}

/// The output of the future that is there; without one it waits for ever.
///
/// `Pin` says that the future stays where it is: once polled, it may not be moved.
/// So it is made in its place, `let mut slot = pin!(None);`, which is filled with
/// `slot.set(Some(future))`, waited for with `completed(slot.as_mut()).await`, and
/// empty again after `slot.set(None)`.
async fn completed<F: Future>(future: Pin<&mut Option<F>>) -> F::Output {
    match future.as_pin_mut() {
        Some(future) => future.await,
        None => pending().await,
    }
}

/// Writes a whole answer, and gives the writer back; after an error it must not
/// be used again.
async fn write<S: Answers>(mut writer: S, answer: S::Answer) -> (S, io::Result<()>) {
    let written = writer.write(answer).await;
    (writer, written)
}

/// The answers that are pending.
struct Pending<A> {
    order: Order,
    /// Those that are not there yet, each with the number of its request.
    waiting: FuturesUnordered<Numbered<A>>,
    /// Those that are ready, by their place in what is written.
    ready: BTreeMap<u64, A>,
    /// How many requests wanted an answer so far; the next one's number.
    asked: u64,
    /// How many answers were ready so far.
    placed: u64,
    /// How many answers were taken out to be written; the place of the next one.
    taken: u64,
    /// How many answers were written.
    written: u64,
    /// The peer is gone: nothing is waited for any more.
    is_abandoned: bool,
}

impl<A> Pending<A> {
    fn new(order: Order) -> Pending<A> {
        Pending {
            order,
            waiting: FuturesUnordered::new(),
            ready: BTreeMap::new(),
            asked: 0,
            placed: 0,
            taken: 0,
            written: 0,
            is_abandoned: false,
        }
    }

    /// How many requests are begun and not answered.
    fn count(&self) -> usize {
        // task 3.4: how many are pending
        todo!("3.4: how many are pending")
        // end
    }

    /// An answer that is there when its request has taken effect.
    fn push_ready(&mut self, answer: A) {
        // task 3.4: an answer that is there at once
        todo!("3.4: an answer that is there at once")
        // end
    }

    /// An answer that comes later.
    fn push_waiting(&mut self, later: Later<A>) {
        // task 3.4: an answer that comes later
        todo!("3.4: an answer that comes later")
        // end
    }

    /// Drops every answer that is not ready, and all that are pushed later.
    fn abandon(&mut self) {
        // task 3.4: the peer is gone
        todo!("3.4: the peer is gone")
        // end
    }

    /// Keeps an answer that is ready until its turn has come.
    fn place(&mut self, number: u64, answer: A) {
        // task 3.4: where an answer leaves
        todo!("3.4: where an answer leaves")
        // end
    }

    /// The answer whose turn it is, if it is ready.
    fn next_to_write(&mut self) -> Option<A> {
        // task 3.4: whose turn it is
        todo!("3.4: whose turn it is")
        // end
    }
}

/// The answer to the request of this number.
struct Numbered<A> {
    number: u64,
    later: Later<A>,
}

impl<A> Future for Numbered<A> {
    type Output = (u64, A);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<(u64, A)> {
        let number = self.number;
        self.later
            .as_mut()
            .poll(context)
            .map(|answer| (number, answer))
    }
}
