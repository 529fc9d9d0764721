//! ListTransactions (66): versions 0 and 1.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use message_model::Timestamp;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    ListTransactionsRequest, ListTransactionsResponse, ListedTransaction,
};

use crate::coordinator::Coordinator;
use crate::part::{State, TransactionMetadata};
use crate::shard::Shard;

/// Kafka's names of the states that a client may ask for.
const STATES: [State; 7] = [
    State::Empty,
    State::Ongoing,
    State::PrepareCommit,
    State::PrepareAbort,
    State::CompleteCommit,
    State::CompleteAbort,
    State::Dead,
];

/// What a request asks for, in a form in which each transactional id is looked at quickly.
struct Filter {
    /// `None`: any state.
    states: Option<Vec<State>>,
    /// Empty: any producer.
    producers: HashSet<i64>,
    /// Those are asked for that are open for longer; `None`: all.
    longer_than: Option<Duration>,
}

/// How much memory a listed transactional id takes beside its name, in bytes: in the answer, and
/// while that is made.
const LISTED: usize = 256;

/// How much memory the answer takes if all transactional ids pass, in bytes.
#[must_use]
pub fn list_transactions_size(coordinator: &Coordinator) -> usize {
    let of_shard = |shard: &Arc<Shard>| {
        let state = shard.serving().ok();
        state.map_or(0, |state| {
            let names = state.ids.keys().map(|id| 2 * id.len() + LISTED);
            names.sum()
        })
    };
    coordinator.shards().iter().map(of_shard).sum()
}

/// All transactional ids that pass the filters of a request; all if it has none.
#[must_use]
pub fn list_transactions(
    coordinator: &Coordinator,
    request: ListTransactionsRequest,
) -> ListTransactionsResponse {
    let listed = list(coordinator, &Filter::of(&request));
    match listed {
        Ok(transaction_states) => ListTransactionsResponse {
            // Made where the request was, so that they take no memory of their own.
            unknown_state_filters: request
                .state_filters
                .into_iter()
                .filter(|name| STATES.iter().all(|state| state.name() != name))
                .collect(),
            transaction_states,
            ..ListTransactionsResponse::default()
        },
        Err(error_code) => ListTransactionsResponse {
            error_code,
            ..ListTransactionsResponse::default()
        },
    }
}

fn list(coordinator: &Coordinator, filter: &Filter) -> Result<Vec<ListedTransaction>, ErrorCode> {
    let now = coordinator.common.now().wall;
    let mut listed = Vec::new();
    for shard in coordinator.shards().iter() {
        let state = match shard.serving() {
            Ok(state) => state,
            // As Kafka: what is on another broker is not listed here.
            Err(ErrorCode::NOT_COORDINATOR) => continue,
            Err(code) => return Err(code),
        };
        for (id, entry) in &state.ids {
            let metadata = entry.transactions.metadata();
            if filter.passes(metadata, now) {
                listed.push(ListedTransaction {
                    transactional_id: id.to_string(),
                    producer_id: metadata.producer.id.0,
                    transaction_state: metadata.state.name().to_owned(),
                });
            }
        }
    }
    Ok(listed)
}

impl Filter {
    fn of(request: &ListTransactionsRequest) -> Filter {
        let names = &request.state_filters;
        let is_named = |state: &State| names.iter().any(|name| name == state.name());
        let states = || STATES.into_iter().filter(is_named).collect();
        Filter {
            states: (!names.is_empty()).then(states),
            producers: request.producer_id_filters.iter().copied().collect(),
            longer_than: u64::try_from(request.duration_filter)
                .ok()
                .map(Duration::from_millis),
        }
    }

    fn passes(&self, metadata: &TransactionMetadata, now: Timestamp) -> bool {
        // As Kafka, also for one that has never begun: its time counts from 1970.
        let duration = now.since(metadata.started);
        let states = self.states.as_ref();
        metadata.state != State::Dead
            && self.longer_than.is_none_or(|limit| duration > limit)
            && states.is_none_or(|states| states.contains(&metadata.state))
            && (self.producers.is_empty() || self.producers.contains(&metadata.producer.id.0))
    }
}
