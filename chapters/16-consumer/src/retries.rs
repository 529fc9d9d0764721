//! Repeating a call under one deadline.

use std::time::Duration;

use client::{Client, Error, Target};
use message_model::Moment;

/// The pauses between the attempts of one call. [`Client::retry`] does the same with a
/// closure; a future that holds such a closure cannot be spawned, and those of a consumer
/// must be.
#[derive(Debug)]
pub(crate) struct Retries<'a> {
    client: &'a Client,
    target: Target,
    deadline: Moment,
    pause: Duration,
}

impl<'a> Retries<'a> {
    pub(crate) fn new(client: &'a Client, target: Target, deadline: Moment) -> Retries<'a> {
        Retries {
            client,
            target,
            deadline,
            pause: client.settings().backoff_first,
        }
    }

    /// Returns when it is time for another attempt.
    ///
    /// # Errors
    /// The error of the last attempt, if another one is of no use or would come too late.
    pub(crate) async fn pause_after(&mut self, error: Error) -> Result<(), Error> {
        if !error.is_retriable() {
            return Err(error);
        }
        if error.is_stale_route() {
            self.client.forget(&self.target);
        }
        let next = self.client.clock().now().plus(self.pause);
        if next >= self.deadline {
            return Err(error);
        }
        self.client.clock().sleep_until(next).await;
        self.pause = (self.pause * 2).min(self.client.settings().backoff_max);
        Ok(())
    }
}
