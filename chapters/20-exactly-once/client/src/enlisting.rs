//! How the partitions of records come into the transaction.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use client::Client;
use producer::{Identity, Producer, Transaction};
use wire_protocol::ErrorCode;

use crate::calls::Calls;
use crate::error::Error;
use crate::settings::Settings;

/// What is known of the open transaction, by the producer and by the task that sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Enlisting(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The coordinator has been asked to add something to the transaction: it may be open
    /// there.
    is_begun: bool,
    /// Why something could not be added, the first time.
    failed: Option<Error>,
}

impl Enlisting {
    /// A producer of records whose partitions come into the transactions of this identity.
    pub(crate) fn producer(
        &self,
        (client, settings): (Arc<Client>, &Settings),
        calls: &Calls,
        identity: Identity,
    ) -> Producer {
        let (enlisting, calls) = (self.clone(), calls.clone());
        let id = settings.id.clone();
        let transaction = Transaction::new(id, identity, move |partitions| {
            let (enlisting, calls) = (enlisting.clone(), calls.clone());
            Box::pin(async move {
                enlisting.begin();
                let added = calls.add_partitions(identity, &partitions).await;
                added.map_err(|error| enlisting.fail(error))
            })
        });
        Producer::transactional(client, settings.for_records(), transaction)
    }

    /// Something is about to be added.
    pub(crate) fn begin(&self) {
        self.state().is_begun = true;
    }

    pub(crate) fn is_begun(&self) -> bool {
        self.state().is_begun
    }

    pub(crate) fn failed(&self) -> Option<Error> {
        self.state().failed.clone()
    }

    /// The next transaction has nothing.
    pub(crate) fn reset(&self) {
        *self.state() = State::default();
    }

    /// Notes why something could not be added, and returns the code for the records.
    fn fail(&self, error: Error) -> ErrorCode {
        let code = match &error {
            Error::Fenced(code) => *code,
            Error::Client(error) => error.code().unwrap_or(ErrorCode::REQUEST_TIMED_OUT),
            _ => ErrorCode::UNKNOWN_SERVER_ERROR,
        };
        self.state().failed.get_or_insert(error);
        code
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
