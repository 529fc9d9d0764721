//! DescribeTransactions (65): the state of transactions, by their transactional ids.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks a coordinator for the state of some transactions.
    DescribeTransactionsRequest {
        transactional_ids: Vec<String>;
    }
    /// Their states.
    DescribeTransactionsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// One for each transactional id of the request.
        transaction_states: Vec<DescribedTransaction>;
    }
    /// A transaction of a [`DescribeTransactionsResponse`].
    DescribedTransaction {
        error_code: ErrorCode;
        transactional_id: String;
        /// Kafka's name of it, such as `Ongoing`.
        transaction_state: String;
        transaction_timeout_ms: i32;
        /// When it began; -1: none is open.
        transaction_start_time_ms: i64;
        producer_id: i64;
        producer_epoch: i16;
        /// The partitions that belong to it and have no marker yet.
        topics: Vec<DescribedTransactionTopic>;
    }
    /// A topic of a [`DescribedTransaction`].
    DescribedTransactionTopic {
        topic: String;
        partitions: Vec<i32>;
    }
}
