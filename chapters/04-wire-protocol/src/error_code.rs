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
    /// Something that the server did not foresee.
    UNKNOWN_SERVER_ERROR = -1, retriable false;
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
    /// The replica cannot be reached.
    REPLICA_NOT_AVAILABLE = 9, retriable true;
    /// A batch above `max.message.bytes`.
    MESSAGE_TOO_LARGE = 10, retriable false;
    /// What a consumer wants to keep with an offset is too long.
    OFFSET_METADATA_TOO_LARGE = 12, retriable false;
    /// The connection broke before the answer came.
    NETWORK_EXCEPTION = 13, retriable true;
    /// The coordinator is still reading its log.
    COORDINATOR_LOAD_IN_PROGRESS = 14, retriable true;
    /// There is no coordinator (yet).
    COORDINATOR_NOT_AVAILABLE = 15, retriable true;
    /// Another broker coordinates the group or the transaction.
    NOT_COORDINATOR = 16, retriable true;
    /// A topic name that no topic can have.
    INVALID_TOPIC_EXCEPTION = 17, retriable false;
    /// More records than a segment can have.
    RECORD_LIST_TOO_LARGE = 18, retriable false;
    /// Fewer replicas are in sync than `min.insync.replicas` asks for.
    NOT_ENOUGH_REPLICAS = 19, retriable true;
    /// As above, and the records are in the leader's log.
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20, retriable true;
    /// `acks` is none of -1, 0 and 1.
    INVALID_REQUIRED_ACKS = 21, retriable false;
    /// The group is in another generation.
    ILLEGAL_GENERATION = 22, retriable false;
    /// The member speaks no protocol that all others speak.
    INCONSISTENT_GROUP_PROTOCOL = 23, retriable false;
    /// A group id that no group can have.
    INVALID_GROUP_ID = 24, retriable false;
    /// The group has no such member.
    UNKNOWN_MEMBER_ID = 25, retriable false;
    /// A session timeout outside the broker's limits.
    INVALID_SESSION_TIMEOUT = 26, retriable false;
    /// The group is on its way to another generation: join again.
    REBALANCE_IN_PROGRESS = 27, retriable false;
    /// The offsets to commit are too much for one batch.
    INVALID_COMMIT_OFFSET_SIZE = 28, retriable false;
    /// The client may not use the topic.
    TOPIC_AUTHORIZATION_FAILED = 29, retriable false;
    /// The client may not use the group.
    GROUP_AUTHORIZATION_FAILED = 30, retriable false;
    /// The client may not do this to the cluster.
    CLUSTER_AUTHORIZATION_FAILED = 31, retriable false;
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
    /// Another broker is the controller.
    NOT_CONTROLLER = 41, retriable true;
    /// A request that contradicts itself.
    INVALID_REQUEST = 42, retriable false;
    /// The log's message format is too old for it.
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43, retriable false;
    /// A request that the broker's limits forbid.
    POLICY_VIOLATION = 44, retriable false;
    /// A batch of an idempotent producer came before the one that precedes it.
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45, retriable false;
    /// A batch of an idempotent producer came again, long after the first time.
    DUPLICATE_SEQUENCE_NUMBER = 46, retriable false;
    /// A newer producer has taken the producer id.
    INVALID_PRODUCER_EPOCH = 47, retriable false;
    /// The transaction is in a state in which this cannot be done.
    INVALID_TXN_STATE = 48, retriable false;
    /// A transactional id that no producer has.
    INVALID_PRODUCER_ID_MAPPING = 49, retriable false;
    /// A transaction timeout above the broker's limit.
    INVALID_TRANSACTION_TIMEOUT = 50, retriable false;
    /// The producer's transaction before this one is not finished.
    CONCURRENT_TRANSACTIONS = 51, retriable true;
    /// A newer coordinator has written to the partition.
    TRANSACTION_COORDINATOR_FENCED = 52, retriable false;
    /// A transactional batch in a request without a transactional id.
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53, retriable false;
    /// The broker has no security to be asked about.
    SECURITY_DISABLED = 54, retriable false;
    /// It was not tried because another part of the request failed.
    OPERATION_NOT_ATTEMPTED = 55, retriable false;
    /// The disk failed; the partition is offline.
    KAFKA_STORAGE_ERROR = 56, retriable true;
    /// The broker has no such folder.
    LOG_DIR_NOT_FOUND = 57, retriable false;
    /// The broker knows nothing of the producer id any more.
    UNKNOWN_PRODUCER_ID = 59, retriable false;
    /// The partition is on its way to other brokers.
    REASSIGNMENT_IN_PROGRESS = 60, retriable false;
    /// The group has members.
    NON_EMPTY_GROUP = 68, retriable false;
    /// There is no such group.
    GROUP_ID_NOT_FOUND = 69, retriable false;
    /// There is no such fetch session.
    FETCH_SESSION_ID_NOT_FOUND = 70, retriable true;
    /// The fetch session is further or not so far.
    INVALID_FETCH_SESSION_EPOCH = 71, retriable true;
    /// The leader has no address for this client.
    LISTENER_NOT_FOUND = 72, retriable true;
    /// The broker deletes no topics.
    TOPIC_DELETION_DISABLED = 73, retriable false;
    /// The client has seen an older leader than the broker's.
    FENCED_LEADER_EPOCH = 74, retriable true;
    /// The client has seen a newer leader than the broker's.
    UNKNOWN_LEADER_EPOCH = 75, retriable true;
    /// A compression codec that does not exist.
    UNSUPPORTED_COMPRESSION_TYPE = 76, retriable false;
    /// The leader does not know its high watermark yet.
    OFFSET_NOT_AVAILABLE = 78, retriable true;
    /// Join again with the member id that comes with this answer.
    MEMBER_ID_REQUIRED = 79, retriable false;
    /// The preferred replica is not in sync.
    PREFERRED_LEADER_NOT_AVAILABLE = 80, retriable true;
    /// The group has as many members as it may.
    GROUP_MAX_SIZE_REACHED = 81, retriable false;
    /// Another member has come with the same instance id.
    FENCED_INSTANCE_ID = 82, retriable false;
    /// No replica can lead.
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83, retriable true;
    /// The leader is the one that was to be elected.
    ELECTION_NOT_NEEDED = 84, retriable true;
    /// The partition is not moving.
    NO_REASSIGNMENT_IN_PROGRESS = 85, retriable false;
    /// A member of the group reads the topic.
    GROUP_SUBSCRIBED_TO_TOPIC = 86, retriable false;
    /// A record that breaks the rules of its batch.
    INVALID_RECORD = 87, retriable false;
    /// A transaction is about to commit an offset.
    UNSTABLE_OFFSET_COMMIT = 88, retriable true;
    /// The client has used up what it may.
    THROTTLING_QUOTA_EXCEEDED = 89, retriable true;
    /// A newer producer has the transactional id.
    PRODUCER_FENCED = 90, retriable false;
    /// There is no such transactional id.
    TRANSACTIONAL_ID_NOT_FOUND = 105, retriable false;
    /// The server is of another kind than the one asked about.
    MISMATCHED_ENDPOINT_TYPE = 114, retriable false;
    /// A kind of server that does not exist.
    UNSUPPORTED_ENDPOINT_TYPE = 115, retriable false;
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
