//! Where the producers of a group are asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, ConsumedRecord};
use consumer::{Consumer, OffsetReset, Topics};
use message_model::Offset;

use crate::error::Error;
use crate::group::Group;
use crate::part::Decision;
use crate::producer::TransactionProducer;
use crate::record::{HALF_HEADER, ID_HEADER, text};

/// The question what became of a local transaction.
#[derive(Debug, Clone)]
pub struct Check {
    /// The half message that it is about.
    pub half: Offset,
    /// The id of the local transaction.
    pub id: String,
    /// The half message: key, value and headers are the message's. Of one that is nearly too
    /// large for a topic only the id is left.
    pub message: ConsumedRecord,
}

/// Hears the checks of a group, which all producers that are here share among them.
#[derive(Debug)]
pub struct Checks {
    consumer: Consumer,
    answers: TransactionProducer,
}

impl Checks {
    /// Joins the producers of the group. Its fetches wait for checks, so the client should
    /// have no others.
    ///
    /// # Errors
    /// When the consumer cannot subscribe.
    pub async fn join(client: Arc<Client>, group: &Group) -> Result<Checks, Error> {
        let settings = consumer::Settings {
            group: Some(group.producers()),
            reset: OffsetReset::Earliest,
            // The checks of a producer that has died go to the others after this.
            session_timeout: Duration::from_secs(10),
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&client), settings);
        let topics = BTreeSet::from([group.checks.clone()]);
        consumer.subscribe(Topics::Named(topics)).await?;
        Ok(Checks {
            consumer,
            answers: TransactionProducer::new(client, group.clone()),
        })
    }

    /// Waits for checks, at most `timeout`, has `decide` look each up, and answers; returns
    /// how many there were. A check that this producer could not answer before it died comes
    /// to another one.
    ///
    /// `decide` may say [`Decision::RollBack`] only if the local transaction cannot be
    /// committed any more: that it has not been committed *yet* is not enough.
    ///
    /// # Errors
    /// When checks cannot be read, or an answer may not have arrived.
    // ANCHOR: answer
    pub async fn answer(
        &mut self,
        timeout: Duration,
        mut decide: impl FnMut(&Check) -> Decision,
    ) -> Result<usize, Error> {
        let Some(polled) = self.consumer.poll(timeout).await? else {
            return Ok(0);
        };
        let mut answered = 0;
        for record in polled.records {
            if let Some(check) = check(record?) {
                let decision = decide(&check);
                self.answers.decide(check.half, decision).await?;
                answered += 1;
            }
        }
        self.consumer.commit_sync().await?;
        Ok(answered)
    }
    // ANCHOR_END: answer

    /// Leaves the group: the others are asked from now on.
    ///
    /// # Errors
    /// When the queue cannot be told.
    pub async fn leave(self, patience: Duration) -> Result<(), Error> {
        Ok(self.consumer.close(patience).await?)
    }
}

/// Reads a check; `None`: some other program's record.
fn check(message: ConsumedRecord) -> Option<Check> {
    Some(Check {
        half: Offset(text(&message, HALF_HEADER)?.parse().ok()?),
        id: text(&message, ID_HEADER)?.to_owned(),
        message,
    })
}
