//! What can go wrong with a call.

use std::io;
use std::sync::Arc;

use message_model::{BrokerId, TopicPartition};
use networking::CallError;
use wire_protocol::{ApiKey, ErrorCode, Malformed};

use crate::address::{BrokerAddress, InvalidAddress};

/// Why a call has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The bootstrap list has an entry that is no address, or none at all.
    #[error(transparent)]
    Bootstrap(#[from] InvalidAddress),
    /// No connection could be made.
    #[error("cannot connect to {address}: {source}")]
    Dial {
        /// The address that was dialled.
        address: BrokerAddress,
        /// What the system, or the time limit, said.
        source: Arc<io::Error>,
    },
    /// No answer came. A batch that was sent may have been appended.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer is no message of its API and version.
    #[error("the broker's answer cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The answer leaves out what was asked for.
    #[error("the broker's answer lacks what was asked for")]
    Incomplete,
    /// The broker and this client have no version of the API in common.
    #[error("the broker speaks no version of {0:?} that this client speaks")]
    UnsupportedApi(ApiKey),
    /// The partition has no leader that could be asked, now.
    #[error("{0} has no leader at the moment")]
    NoLeader(TopicPartition),
    /// The cluster has no broker with this id, now.
    #[error("no broker has the id {0} at the moment")]
    UnknownBroker(BrokerId),
    /// It was not sent: the broker's quota wants no request on the connection by the deadline.
    #[error("the broker's quota wants no requests at the moment")]
    Throttled,
    /// The broker refused the call with this code.
    #[error("the broker answered {0}")]
    Broker(ErrorCode),
}

impl Error {
    /// Whether the same call may succeed later.
    ///
    /// Whether it is safe to repeat is another question: after [`Error::Call`]
    /// a batch may already be in the log, and would be there twice.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            Error::Dial { .. }
            | Error::Call(_)
            | Error::NoLeader(_)
            | Error::UnknownBroker(_)
            | Error::Throttled => true,
            Error::Broker(code) => code.is_retriable(),
            Error::Bootstrap(_)
            | Error::Malformed(_)
            | Error::Incomplete
            | Error::UnsupportedApi(_) => false,
        }
    }

    /// Whether the request went to the wrong broker, or to one that cannot be reached:
    /// what led there is to be forgotten ([`Client::forget`](crate::Client::forget)) before
    /// the next attempt.
    #[must_use]
    pub fn is_stale_route(&self) -> bool {
        match self {
            Error::Dial { .. } | Error::Call(_) | Error::NoLeader(_) | Error::UnknownBroker(_) => {
                true
            }
            Error::Broker(code) => STALE_ROUTE.contains(code),
            _ => false,
        }
    }

    /// The broker's own code, if it is the broker that said no.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Error::Broker(code) => Some(*code),
            _ => None,
        }
    }
}

/// The codes with which a broker says that another one should have been asked.
const STALE_ROUTE: [ErrorCode; 8] = [
    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode::LEADER_NOT_AVAILABLE,
    ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ErrorCode::COORDINATOR_NOT_AVAILABLE,
    ErrorCode::NOT_COORDINATOR,
    ErrorCode::NOT_CONTROLLER,
    ErrorCode::KAFKA_STORAGE_ERROR,
    ErrorCode::FENCED_LEADER_EPOCH,
];

/// The code of an answer as a result.
pub(crate) fn check(code: ErrorCode) -> Result<(), Error> {
    if code == ErrorCode::NONE {
        Ok(())
    } else {
        Err(Error::Broker(code))
    }
}
