//! How fast a peer takes what is written to it.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::byte_budget::ByteBudget;
use crate::shortage::{Movement, SHORTAGE_WINDOW};

/// How long a peer may take nothing, or too little.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The longest time without a byte.
    pub(crate) progress: Duration,
    /// In which others may wait for room.
    budget: Option<ByteBudget>,
    /// Of the answer that is being written.
    movement: Movement,
}

impl Pace {
    pub(crate) fn new(progress: Duration) -> Pace {
        Pace {
            progress,
            budget: None,
            movement: Movement::new(),
        }
    }

    /// The same, and while others wait for room in `budget` the peer must not be too slow for that.
    pub(crate) fn in_shortages(progress: Duration, budget: ByteBudget) -> Pace {
        Pace {
            budget: Some(budget),
            ..Pace::new(progress)
        }
    }

    /// An answer begins; before, there was nothing to take.
    pub(crate) fn begin(&mut self) {
        self.movement = Movement::new();
    }

    /// What `write` returns, how many bytes it has written.
    ///
    /// # Errors
    /// As `write`; [`io::ErrorKind::TimedOut`] when the peer is too slow.
    pub(crate) async fn keep(
        &mut self,
        write: impl Future<Output = io::Result<usize>>,
    ) -> io::Result<usize> {
        let began = Instant::now();
        let mut write = pin!(write);
        loop {
            let look = match self.budget {
                Some(_) => self.progress.min(SHORTAGE_WINDOW),
                None => self.progress,
            };
            let written = timeout(look, &mut write).await;
            let written = written.ok().transpose()?;
            self.movement.moved(written.unwrap_or(0));
            let is_still = written.is_none() && began.elapsed() >= self.progress;
            if is_still || self.is_slow_in_a_shortage() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if let Some(written) = written {
                return Ok(written);
            }
        }
    }

    fn is_slow_in_a_shortage(&mut self) -> bool {
        let is_short = self.budget.as_ref().is_some_and(ByteBudget::is_short);
        self.movement.is_slow_in_a_shortage(is_short)
    }
}
