//! A connection that is made when it is wanted, and made again when it is lost.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::Moment;
use tokio::sync::{mpsc, oneshot};

use crate::attempts::{Attempts, Backoff};

/// A connection.
pub trait Session {
    /// Whether the connection is gone, so that another one must be made.
    fn is_closed(&self) -> bool;
}

/// A call that wants the session, or why there is none. A call that does not wait any
/// more has dropped the receiver.
pub type Want<S, E> = oneshot::Sender<Result<Arc<S>, E>>;

/// No pause between two dials is given up.
const FOREVER: Moment = Moment::after_start(Duration::MAX);

/// Serves `wants` with one session at a time; returns when all senders of wants are gone
/// and every want that they have sent is served. A dial or a pause under way is not cut
/// short for that.
///
/// - While the last session lives, each want gets it, at once.
/// - Else `dial` is called, for the first want that still waits. No want makes a second
///   dial while one runs, and none that is given up stops it.
/// - The result is for all wants that are there when the dial ends.
/// - After a dial that failed, the next one waits as [`Attempts`] says, with a fresh
///   `jitter()`. Wants that come in the meantime wait too. A dial that succeeds
///   makes the pauses short again.
/// - No dial is made without a want: not at the start, not when a session is lost, and
///   not after a pause in which all calls gave up.
pub async fn keep_connected<S, E, D>(
    mut wants: mpsc::Receiver<Want<S, E>>,
    mut dial: impl FnMut() -> D,
    backoff: Backoff,
    clock: Clock,
    mut jitter: impl FnMut() -> f64,
) where
    S: Session,
    E: Clone,
    D: Future<Output = Result<S, E>>,
{
    // task 13.3: dial once for all that wait, and pause after a failure
    todo!("13.3: dial once for all that wait, and pause after a failure")
    // end
}
