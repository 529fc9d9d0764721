//! What we serve: one row per API.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::codec::{Decoder, Wire};
use crate::message;
use crate::part::Malformed;

/// A request that has a row in the table.
pub trait Request: Wire {
    /// Its row.
    const KEY: ApiKey;
    /// What answers it.
    type Response: Wire;

    /// Returns how long the broker that answered wants no further request on the
    /// connection: its quota (KIP-219). Zero from a broker without quotas.
    fn throttle_time(answer: &Self::Response) -> Duration;
}

macro_rules! throttle_time {
    ($answer:ident) => {
        Duration::from_millis(u64::try_from($answer.throttle_time_ms).unwrap_or(0))
    };
    ($answer:ident unthrottled) => {{
        let _ = $answer;
        Duration::ZERO
    }};
}

macro_rules! apis {
    ($( $(#[$meta:meta])* $name:ident = $key:literal, $versions:expr, flexible $flexible:literal, $request:ident => $response:ident $($unthrottled:ident)?; )*) => {
        /// An API that we serve.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ApiKey { $( $(#[$meta])* $name = $key, )* }

        impl ApiKey {
            /// All rows, by key.
            pub const ALL: &[ApiKey] = &[ $( ApiKey::$name, )* ];

            /// The row of a key from the wire.
            #[must_use]
            pub fn from_wire(key: i16) -> Option<ApiKey> {
                match key { $( $key => Some(ApiKey::$name), )* _ => None }
            }

            /// The versions that we serve.
            #[must_use]
            pub fn versions(self) -> RangeInclusive<i16> {
                match self { $( ApiKey::$name => $versions, )* }
            }

            /// How many bytes of memory the request of this API takes that `body`
            /// has not read yet: for the strings and lists that decoding makes.
            /// Its records take none, they stay in the frame. Nothing is
            /// allocated here, so the memory can be asked for before it is taken.
            ///
            /// # Errors
            /// When `body` is not such a request: decoding it would fail too.
            pub fn decoded_size(self, body: &Decoder<'_>) -> Result<usize, Malformed> {
                let mut body = body.clone();
                match self { $( ApiKey::$name => message::$request::measure(&mut body), )* }
            }

            /// The first version with compact lengths and tagged fields.
            #[must_use]
            pub fn flexible_since(self) -> i16 {
                match self { $( ApiKey::$name => $flexible, )* }
            }
        }

        $(
            impl Request for message::$request {
                const KEY: ApiKey = ApiKey::$name;
                type Response = message::$response;

                fn throttle_time(answer: &message::$response) -> Duration {
                    throttle_time!(answer $($unthrottled)?)
                }
            }
        )*
    };
}

// ANCHOR: table
apis! {
    /// Append batches.
    Produce = 0, 3..=9, flexible 9, ProduceRequest => ProduceResponse;
    /// Read batches, waiting for them if asked to.
    Fetch = 1, 4..=12, flexible 12, FetchRequest => FetchResponse;
    // ANCHOR_END: table
    /// Find offsets by time, and the ends.
    ListOffsets = 2, 1..=9, flexible 6, ListOffsetsRequest => ListOffsetsResponse;
    /// Brokers, topics, partitions and their leaders.
    Metadata = 3, 0..=9, flexible 9, MetadataRequest => MetadataResponse;
    /// Store how far a group has read.
    OffsetCommit = 8, 2..=8, flexible 8, OffsetCommitRequest => OffsetCommitResponse;
    /// How far groups have read.
    OffsetFetch = 9, 1..=8, flexible 6, OffsetFetchRequest => OffsetFetchResponse;
    /// Which broker coordinates a group or a transaction.
    FindCoordinator = 10, 0..=4, flexible 3, FindCoordinatorRequest => FindCoordinatorResponse;
    /// Become a member of a group, and wait until the others have.
    JoinGroup = 11, 0..=7, flexible 6, JoinGroupRequest => JoinGroupResponse;
    /// Say that a member is alive, and hear of rebalances.
    Heartbeat = 12, 0..=4, flexible 4, HeartbeatRequest => HeartbeatResponse;
    /// Members leave their group at once.
    LeaveGroup = 13, 0..=4, flexible 4, LeaveGroupRequest => LeaveGroupResponse;
    /// Hand in the assignment of a group, and get one's own.
    SyncGroup = 14, 0..=5, flexible 4, SyncGroupRequest => SyncGroupResponse;
    /// The state and the members of groups.
    DescribeGroups = 15, 0..=5, flexible 5, DescribeGroupsRequest => DescribeGroupsResponse;
    /// The groups.
    ListGroups = 16, 0..=5, flexible 3, ListGroupsRequest => ListGroupsResponse;
    /// This table, on the wire.
    ApiVersions = 18, 0..=3, flexible 3, ApiVersionsRequest => ApiVersionsResponse;
    /// Create topics.
    CreateTopics = 19, 2..=5, flexible 5, CreateTopicsRequest => CreateTopicsResponse;
    /// Delete topics.
    DeleteTopics = 20, 1..=4, flexible 4, DeleteTopicsRequest => DeleteTopicsResponse;
    /// Forget the records below an offset.
    DeleteRecords = 21, 0..=2, flexible 2, DeleteRecordsRequest => DeleteRecordsResponse;
    /// A producer id, or the next epoch of a transactional id.
    InitProducerId = 22, 0..=4, flexible 2, InitProducerIdRequest => InitProducerIdResponse;
    /// Where the records of a leader's epoch end.
    OffsetForLeaderEpoch = 23, 2..=4, flexible 4, OffsetForLeaderEpochRequest => OffsetForLeaderEpochResponse;
    /// Add partitions to a transaction, or begin one.
    AddPartitionsToTxn = 24, 0..=3, flexible 3, AddPartitionsToTxnRequest => AddPartitionsToTxnResponse;
    /// Add the offsets of a group to a transaction, or begin one.
    AddOffsetsToTxn = 25, 0..=3, flexible 3, AddOffsetsToTxnRequest => AddOffsetsToTxnResponse;
    /// Commit or abort a transaction.
    EndTxn = 26, 0..=3, flexible 3, EndTxnRequest => EndTxnResponse;
    /// End transactions in partitions, whatever their coordinator says.
    WriteTxnMarkers = 27, 1..=1, flexible 1, WriteTxnMarkersRequest => WriteTxnMarkersResponse unthrottled;
    /// Store how far a group has read, if a transaction commits.
    TxnOffsetCommit = 28, 0..=3, flexible 3, TxnOffsetCommitRequest => TxnOffsetCommitResponse;
    /// The settings of topics and of the broker.
    DescribeConfigs = 32, 1..=4, flexible 4, DescribeConfigsRequest => DescribeConfigsResponse;
    /// Replace all settings of topics.
    AlterConfigs = 33, 0..=2, flexible 2, AlterConfigsRequest => AlterConfigsResponse;
    /// The folder of the broker, and what partitions take there.
    DescribeLogDirs = 35, 1..=4, flexible 2, DescribeLogDirsRequest => DescribeLogDirsResponse;
    /// Give topics more partitions.
    CreatePartitions = 37, 0..=3, flexible 2, CreatePartitionsRequest => CreatePartitionsResponse;
    /// Forget groups and what they have committed.
    DeleteGroups = 42, 0..=2, flexible 2, DeleteGroupsRequest => DeleteGroupsResponse;
    /// Let other replicas lead.
    ElectLeaders = 43, 0..=2, flexible 2, ElectLeadersRequest => ElectLeadersResponse;
    /// Change single settings of topics.
    IncrementalAlterConfigs = 44, 0..=1, flexible 1, IncrementalAlterConfigsRequest => IncrementalAlterConfigsResponse;
    /// The partitions that are on their way to other brokers.
    ListPartitionReassignments = 46, 0..=0, flexible 0, ListPartitionReassignmentsRequest => ListPartitionReassignmentsResponse;
    /// Forget offsets that a group has committed.
    OffsetDelete = 47, 0..=0, flexible 32767, OffsetDeleteRequest => OffsetDeleteResponse;
    /// The brokers, and which of them is the controller.
    DescribeCluster = 60, 0..=1, flexible 0, DescribeClusterRequest => DescribeClusterResponse;
    /// What partitions know of their producers.
    DescribeProducers = 61, 0..=0, flexible 0, DescribeProducersRequest => DescribeProducersResponse;
    /// Where transactional ids are.
    DescribeTransactions = 65, 0..=0, flexible 0, DescribeTransactionsRequest => DescribeTransactionsResponse;
    /// The transactional ids.
    ListTransactions = 66, 0..=1, flexible 0, ListTransactionsRequest => ListTransactionsResponse;
}

/// Versions that are advertised although they are not served, because a client
/// looks for exactly them before it uses a feature. A request for one is
/// answered with [`ErrorCode::UNSUPPORTED_VERSION`](crate::ErrorCode::UNSUPPORTED_VERSION).
#[derive(Debug, Clone, Copy)]
pub struct Canary {
    /// The API.
    pub api: ApiKey,
    /// The lowest version to advertise; it and those above it are not served.
    pub from: i16,
    /// Which client needs it, and what for.
    pub reason: &'static str,
}

// ANCHOR: canaries
/// All canaries. Source: the feature map in `rdkafka_feature.c` of librdkafka
/// before 2.11.1, which asks for exact versions; it never sends these.
pub const CANARIES: &[Canary] = &[Canary {
    api: ApiKey::Produce,
    from: 0,
    reason: "librdkafka < 2.11.1 compresses with gzip, snappy or lz4 only if it sees version 0",
}];
// ANCHOR_END: canaries

/// What the table says about a key and a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// A version that we serve.
    Served(ApiKey),
    /// A version that we advertise and do not serve: it is answered with
    /// [`ErrorCode::UNSUPPORTED_VERSION`](crate::ErrorCode::UNSUPPORTED_VERSION),
    /// in its own layout.
    Canary(ApiKey),
    /// A version that we never claimed to have. Only ApiVersions has an answer to it
    /// ([`encode_unknown_api_versions`](crate::encode_unknown_api_versions)); for the
    /// rest, no layout is known in which the client could read one.
    UnknownVersion(ApiKey),
    /// An API that is not in the table.
    UnknownApi,
}

impl Support {
    /// Looks up a key and a version from the wire.
    #[must_use]
    pub fn from_wire(key: i16, version: i16) -> Support {
        match ApiKey::from_wire(key) {
            None => Support::UnknownApi,
            Some(api) if api.serves(version) => Support::Served(api),
            Some(api) if api.is_canary(version) => Support::Canary(api),
            Some(api) => Support::UnknownVersion(api),
        }
    }
}

impl ApiKey {
    /// Whether a request of this version is carried out.
    #[must_use]
    pub fn serves(self, version: i16) -> bool {
        self.versions().contains(&version)
    }

    /// Whether this version is advertised and not served.
    #[must_use]
    pub fn is_canary(self, version: i16) -> bool {
        self.advertised().contains(&version) && !self.serves(version)
    }

    /// Whether this version has compact lengths and tagged fields.
    #[must_use]
    pub fn is_flexible(self, version: i16) -> bool {
        version >= self.flexible_since()
    }

    /// The versions that we say we have: those that we serve, and the canaries below them.
    #[must_use]
    pub fn advertised(self) -> RangeInclusive<i16> {
        let canary = CANARIES.iter().find(|canary| canary.api == self);
        let lowest = canary.map_or(*self.versions().start(), |canary| canary.from);
        lowest..=*self.versions().end()
    }
}
