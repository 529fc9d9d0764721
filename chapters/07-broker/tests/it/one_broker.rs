//! What a broker alone says of epochs, leaders and the cluster.

use broker::api;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeClusterRequest, ElectLeadersRequest, ElectLeadersResponse, ElectLeadersTopic,
    OffsetForLeaderEpochPartition, OffsetForLeaderEpochRequest, OffsetForLeaderEpochTopic,
};

use crate::support::Broker;

/// Error, epoch and end.
async fn end(broker: &Broker, topic: &str, (current, epoch): (i32, i32)) -> (ErrorCode, i32, i64) {
    let request = OffsetForLeaderEpochRequest {
        topics: vec![OffsetForLeaderEpochTopic {
            topic: topic.to_owned(),
            partitions: vec![OffsetForLeaderEpochPartition {
                partition: 0,
                current_leader_epoch: current,
                leader_epoch: epoch,
            }],
        }],
        ..OffsetForLeaderEpochRequest::default()
    };
    let mut response = api::offset_for_leader_epoch(broker, request).await;
    let found = response.topics.remove(0).partitions.remove(0);
    (found.error_code, found.leader_epoch, found.end_offset)
}

#[tokio::test]
async fn all_records_are_of_the_first_epoch() {
    let broker = Broker::with_topic().await;
    let fine = ErrorCode::NONE;
    assert_eq!(end(&broker, "t", (-1, 0)).await, (fine, 0, 0));
    broker.write(1, "t", &["a", "b", "c"]).await;
    assert_eq!(end(&broker, "t", (-1, 0)).await, (fine, 0, 3));
    assert_eq!(end(&broker, "t", (0, 0)).await, (fine, 0, 3));
    // None, one that is to come, and one before the first.
    assert_eq!(end(&broker, "t", (-1, -1)).await, (fine, -1, -1));
    assert_eq!(end(&broker, "t", (-1, 1)).await, (fine, -1, -1));
    assert_eq!(end(&broker, "t", (-1, -2)).await, (fine, -2, 0));
    let newer = (ErrorCode::UNKNOWN_LEADER_EPOCH, -1, -1);
    assert_eq!(end(&broker, "t", (1, 0)).await, newer);
    let older = (ErrorCode::FENCED_LEADER_EPOCH, -1, -1);
    assert_eq!(end(&broker, "t", (-2, 0)).await, older);
    let unknown = (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1, -1);
    assert_eq!(end(&broker, "u", (-1, 0)).await, unknown);
    assert_eq!(end(&broker, "no name", (-1, 0)).await, unknown);
}

async fn elect(
    broker: &Broker,
    version: i16,
    kind: i8,
    topics: Option<&[(&str, &[i32])]>,
) -> ElectLeadersResponse {
    let topic = |(topic, partitions): &(&str, &[i32])| ElectLeadersTopic {
        topic: (*topic).to_owned(),
        partitions: partitions.to_vec(),
    };
    let request = ElectLeadersRequest {
        election_type: kind,
        topic_partitions: topics.map(|topics| topics.iter().map(topic).collect()),
        ..ElectLeadersRequest::default()
    };
    api::elect_leaders(broker, version, request).await
}

/// Topic, partition and error of each.
fn results(response: &ElectLeadersResponse) -> Vec<(&str, Vec<(i32, ErrorCode)>)> {
    let topics = response.replica_election_results.iter();
    topics
        .map(|topic| {
            let partitions = topic.partition_result.iter();
            let partitions = partitions.map(|one| (one.partition_id, one.error_code));
            (topic.topic.as_str(), partitions.collect())
        })
        .collect()
}

#[tokio::test]
async fn no_election_is_needed() {
    let broker = Broker::with_topic().await;
    broker.create("u", 2).await;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    for kind in [0, 1] {
        let some = elect(&broker, 2, kind, Some(&[("u", &[1, 7]), ("x", &[0])])).await;
        assert_eq!(some.error_code, ErrorCode::NONE);
        let needless = ErrorCode::ELECTION_NOT_NEEDED;
        let expected = [
            ("u", vec![(1, needless), (7, unknown)]),
            ("x", vec![(0, unknown)]),
        ];
        assert_eq!(results(&some), expected);
        let all = elect(&broker, 2, kind, None).await;
        assert_eq!(results(&all), [("t", vec![]), ("u", vec![])]);
    }
}

#[tokio::test]
async fn there_are_two_kinds_of_elections() {
    let broker = Broker::with_topic().await;
    let invalid = ErrorCode::INVALID_REQUEST;
    let some = elect(&broker, 2, 9, Some(&[("t", &[0])])).await;
    assert_eq!(some.error_code, invalid);
    assert_eq!(results(&some), [("t", vec![(0, invalid)])]);
    let all = elect(&broker, 2, 9, None).await;
    assert_eq!((all.error_code, results(&all)), (invalid, vec![]));
    // Version 0 has neither kinds nor an error of the whole.
    let old = elect(&broker, 0, 9, None).await;
    assert_eq!(old.error_code, ErrorCode::NONE);
}

#[test]
fn nothing_is_on_its_way_to_another_broker() {
    let response = api::list_partition_reassignments();
    assert_eq!(response.error_code, ErrorCode::NONE);
    assert!(response.topics.is_empty());
}

#[tokio::test]
async fn the_cluster_is_this_broker() {
    let broker = Broker::start();
    let ask = |endpoint_type, include_cluster_authorized_operations| {
        let request = DescribeClusterRequest {
            include_cluster_authorized_operations,
            endpoint_type,
        };
        api::describe_cluster(&broker, &request)
    };
    let plain = ask(1, false);
    assert_eq!(
        (plain.cluster_id.as_str(), plain.controller_id),
        ("a cluster", 3)
    );
    assert_eq!(plain.cluster_authorized_operations, i32::MIN);
    let [us] = plain.brokers.as_slice() else {
        panic!("one broker: {plain:?}");
    };
    assert_eq!(
        (us.broker_id, us.host.as_str(), us.port),
        (3, "127.0.0.1", 9092)
    );
    assert_eq!(ask(1, true).cluster_authorized_operations, 8_096);
    for (kind, code) in [(2, 114), (0, 115), (9, 115)] {
        let refused = ask(kind, true);
        assert_eq!(refused.error_code, ErrorCode(code));
        assert_eq!((refused.controller_id, refused.brokers.len()), (-1, 0));
    }
}
