//! What the application does with a record.

use client::ConsumedRecord;
use message_model::TopicPartition;

/// A record could not be processed, or not be kept. It is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

/// The application's side: what is done with a record.
pub trait Processor: Send + Sync + 'static {
    /// Processes a record.
    fn process(
        &self,
        partition: &TopicPartition,
        record: &ConsumedRecord,
    ) -> impl Future<Output = Result<(), Failed>> + Send;

    /// Keeps a record that could not be processed, in the dead letter queue of chapter 16 for
    /// example. Until it is kept, the records of its key wait, and it is not committed.
    fn give_up(
        &self,
        partition: &TopicPartition,
        record: &ConsumedRecord,
    ) -> impl Future<Output = Result<(), Failed>> + Send;
}
