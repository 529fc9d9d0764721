//! A connection on which the broker wants no request for a while.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_model::Clock;
use message_model::Moment;
use tokio::sync::Mutex as AsyncMutex;

use crate::error::Error;

/// The time until which a broker wants no further request on a connection.
///
/// A broker answers at once and says how long its quota wants the client to be silent
/// (KIP-219). If the client went on, the broker would not read its requests meanwhile, and
/// their deadlines would run.
#[derive(Debug)]
pub(crate) struct Throttle {
    clock: Clock,
    until: Mutex<Moment>,
    /// Requests that wait go on in their order.
    turn: AsyncMutex<()>,
}

impl Throttle {
    pub(crate) fn new(clock: Clock) -> Throttle {
        Throttle {
            clock,
            until: Mutex::new(Moment::START),
            turn: AsyncMutex::new(()),
        }
    }

    /// An answer said that nothing is to be sent for so long.
    pub(crate) fn note(&self, time: Duration) {
        if !time.is_zero() {
            let until = self.clock.now().plus(time);
            let mut held = self.until.lock().unwrap_or_else(PoisonError::into_inner);
            *held = until.max(*held);
        }
    }

    /// Returns when a request may be sent.
    ///
    /// # Errors
    /// [`Error::Throttled`] at `deadline`, if that is earlier.
    pub(crate) async fn passed(&self, deadline: Moment) -> Result<(), Error> {
        if let Ok(_turn) = self.turn.try_lock()
            && self.until() <= self.clock.now()
        {
            return Ok(());
        }
        let left = deadline.since(self.clock.now());
        let waiting = tokio::time::timeout(left, self.wait());
        waiting.await.map_err(|_| Error::Throttled)
    }

    async fn wait(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let until = self.until();
            if until <= self.clock.now() {
                return;
            }
            self.clock.sleep_until(until).await;
        }
    }

    fn until(&self) -> Moment {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
