//! How an attempt ends, and how a batch does.

use message_model::Offset;
use wire_protocol::ErrorCode;

/// How an attempt to send a batch has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The batch is in the log, since this attempt or an earlier one; the offset of its
    /// first record, if the broker still knows it.
    Appended(Option<Offset>),
    /// No answer came, and none will. The broker may append the batch yet.
    Lost,
    /// The broker did not append it, and may do so next time.
    NotNow(ErrorCode),
    /// The batch's number is not the one that the broker expects.
    OutOfOrder,
    /// The batch is too large for the topic.
    TooLarge,
    /// The broker will never append it.
    Refused(ErrorCode),
    /// The broker will append nothing of this producer any more.
    Fatal(ErrorCode),
}

/// What became of the records of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// They are in the log; the offset of the first one, if it is known.
    Delivered(Option<Offset>),
    /// They were not delivered, as far as the producer knows.
    Failed(Failure),
}

/// Why records were not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Their time was over, or no attempt is left. If an attempt had no answer, the
    /// records may be in the log, or come into it.
    Expired {
        /// Whether there was such an attempt.
        may_be_in_log: bool,
    },
    /// The broker refused the batch with this code, for good.
    Refused(ErrorCode),
    /// One record alone is too large for the topic.
    TooLarge,
    /// The broker takes nothing of this producer any more.
    Fatal(ErrorCode),
    /// The broker has lost records that it had acknowledged. What comes behind them is
    /// not sent, so that their absence is noticed.
    BrokerLost,
    /// The producer was closed before there was an outcome.
    Closed,
}
