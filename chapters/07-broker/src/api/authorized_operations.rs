//! What a client may do: everything, because there are no access rights.
//!
//! A bit for each operation: 3 read, 4 write, 5 create, 6 delete, 7 alter,
//! 8 describe, 9 act as the cluster, 10 describe settings, 11 alter settings,
//! 12 write idempotently. The values are Kafka's without an authorizer.

/// To a topic: 3 to 8, 10 and 11.
const TOPIC: i32 = 0b1101_1111_1000;
/// To the cluster: 5 and 7 to 12.
const CLUSTER: i32 = 0b1_1111_1010_0000;
/// That nobody asked.
const NOT_ASKED: i32 = i32::MIN;

/// What a client may do to a topic, if it asks.
pub(super) fn of_topic(asked: bool) -> i32 {
    if asked { TOPIC } else { NOT_ASKED }
}

/// What a client may do to the cluster, if it asks.
pub(super) fn of_cluster(asked: bool) -> i32 {
    if asked { CLUSTER } else { NOT_ASKED }
}
