//! ListTransactions (66): the transactional ids that a coordinator knows.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks a coordinator for its transactions. Those are listed that pass every filter.
    ListTransactionsRequest {
        /// Kafka's names of states, such as `Ongoing`; empty: any state.
        state_filters: Vec<String>;
        /// Empty: any producer.
        producer_id_filters: Vec<i64>;
        /// Only those that have been open for longer, in milliseconds; below 0: all.
        duration_filter: i64 [1..] = -1;
    }
    /// The transactions.
    ListTransactionsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        error_code: ErrorCode;
        /// The filters of the request that name no state.
        unknown_state_filters: Vec<String>;
        transaction_states: Vec<ListedTransaction>;
    }
    /// A transaction of a [`ListTransactionsResponse`].
    ListedTransaction {
        transactional_id: String;
        producer_id: i64;
        /// Kafka's name of it, such as `Ongoing`.
        transaction_state: String;
    }
}
