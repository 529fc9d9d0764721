//! The protocol's error codes.

use std::fmt;

use crate::codec::{Decoder, Encoder, Form, Wire};
use crate::part::Malformed;

/// An error as the protocol carries it; 0 is "no error".
///
/// A number, not an enum: a peer may send one that we do not know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ErrorCode(pub i16);

macro_rules! error_codes {
    ($( $(#[$meta:meta])* $name:ident = $code:literal, retriable $retriable:literal; )*) => {
        impl ErrorCode {
            $( $(#[$meta])* pub const $name: ErrorCode = ErrorCode($code); )*

            /// Kafka's name of the code; `None` if we do not use it.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self.0 { $( $code => Some(stringify!($name)), )* _ => None }
            }

            /// Whether the same request may succeed later.
            #[must_use]
            pub fn is_retriable(self) -> bool {
                match self.0 { $( $code => $retriable, )* _ => false }
            }
        }
    };
}

error_codes! {
    /// No error.
    NONE = 0, retriable false;
    /// The offset is below the log's start or above its end.
    OFFSET_OUT_OF_RANGE = 1, retriable false;
    /// A batch whose CRC or structure is wrong.
    CORRUPT_MESSAGE = 2, retriable true;
    /// No such topic, or no such partition of it.
    UNKNOWN_TOPIC_OR_PARTITION = 3, retriable true;
    /// The partition has no leader at the moment.
    LEADER_NOT_AVAILABLE = 5, retriable true;
    /// Another broker leads the partition.
    NOT_LEADER_OR_FOLLOWER = 6, retriable true;
    /// It was not done in time.
    REQUEST_TIMED_OUT = 7, retriable true;
    /// A batch above `max.message.bytes`.
    MESSAGE_TOO_LARGE = 10, retriable false;
    /// The coordinator is still reading its log.
    COORDINATOR_LOAD_IN_PROGRESS = 14, retriable true;
    /// There is no coordinator (yet).
    COORDINATOR_NOT_AVAILABLE = 15, retriable true;
    /// A topic name that no topic can have.
    INVALID_TOPIC_EXCEPTION = 17, retriable false;
    /// `acks` is none of -1, 0 and 1.
    INVALID_REQUIRED_ACKS = 21, retriable false;
    /// A timestamp too far from the broker's clock.
    INVALID_TIMESTAMP = 32, retriable false;
    /// A version of an API that we do not serve.
    UNSUPPORTED_VERSION = 35, retriable false;
    /// The topic exists.
    TOPIC_ALREADY_EXISTS = 36, retriable false;
    /// Below 1 or too many partitions.
    INVALID_PARTITIONS = 37, retriable false;
    /// Below 1 or too many replicas.
    INVALID_REPLICATION_FACTOR = 38, retriable false;
    /// Replicas were assigned by hand in a way that cannot be.
    INVALID_REPLICA_ASSIGNMENT = 39, retriable false;
    /// A setting with an unknown name or a value that it cannot have.
    INVALID_CONFIG = 40, retriable false;
    /// A request that contradicts itself.
    INVALID_REQUEST = 42, retriable false;
    /// A request that the broker's limits forbid.
    POLICY_VIOLATION = 44, retriable false;
    /// A transactional id that no producer has.
    INVALID_PRODUCER_ID_MAPPING = 49, retriable false;
    /// A transactional batch in a request without a transactional id.
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53, retriable false;
    /// The disk failed; the partition is offline.
    KAFKA_STORAGE_ERROR = 56, retriable true;
    /// The client has seen an older leader than the broker's.
    FENCED_LEADER_EPOCH = 74, retriable true;
    /// The client has seen a newer leader than the broker's.
    UNKNOWN_LEADER_EPOCH = 75, retriable true;
    /// A compression codec that does not exist.
    UNSUPPORTED_COMPRESSION_TYPE = 76, retriable false;
    /// A record that breaks the rules of its batch.
    INVALID_RECORD = 87, retriable false;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name().unwrap_or("unknown error"), self.0)
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Wire for ErrorCode {
    fn size_min(form: Form) -> usize {
        i16::size_min(form)
    }
    fn encode(&self, out: &mut Encoder) {
        self.0.encode(out);
    }
    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        i16::decode(input).map(ErrorCode)
    }
    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        i16::measure(input)
    }
}
