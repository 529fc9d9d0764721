//! Operators list, describe and delete.

use std::time::Duration;

use consumer_groups::{GroupSettings, api};
use message_model::PartitionIndex;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DeleteGroupsRequest, DescribeGroupsRequest, DescribedGroup, FindCoordinatorRequest,
    ListGroupsRequest, OffsetDeletePartition, OffsetDeleteRequest, OffsetDeleteTopic,
};

use crate::support::{Queue, SIMPLE, name, settings};

fn list(queue: &Queue, states: &[&str]) -> Vec<(String, String)> {
    let request = ListGroupsRequest {
        states_filter: states.iter().map(|state| (*state).to_owned()).collect(),
        ..ListGroupsRequest::default()
    };
    let listed = api::list_groups(&queue.groups, &request);
    assert_eq!(listed.error_code, ErrorCode::NONE);
    let groups = listed.groups.into_iter();
    let mut groups: Vec<_> = groups.map(|one| (one.group_id, one.group_state)).collect();
    groups.sort();
    groups
}

fn describe(queue: &Queue, groups: &[&str]) -> Vec<DescribedGroup> {
    let request = DescribeGroupsRequest {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..DescribeGroupsRequest::default()
    };
    api::describe_groups(&queue.groups, request).groups
}

async fn delete(queue: &Queue, groups: &[&str]) -> Vec<(String, ErrorCode)> {
    let request = DeleteGroupsRequest {
        groups_names: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let deleted = api::delete_groups(&queue.groups, request).await.await;
    let results = deleted.results.into_iter();
    results.map(|one| (one.group_id, one.error_code)).collect()
}

#[tokio::test]
async fn groups_are_listed_by_state_whatever_its_case() {
    let queue = Queue::start().await;
    queue.stable("live").await;
    queue.commit("simple", SIMPLE, &[(0, 1)]).await;
    let named = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    let (live, simple) = (named("live", "Stable"), named("simple", "Empty"));
    assert_eq!(list(&queue, &[]), [live.clone(), simple.clone()]);
    assert_eq!(list(&queue, &["stable"]), [live]);
    assert_eq!(list(&queue, &["EMPTY", "nonsense"]), [simple]);
    assert_eq!(list(&queue, &["nonsense"]), []);
}

#[tokio::test]
async fn a_group_is_described_with_what_its_members_sent() {
    let queue = Queue::start().await;
    let member = queue.stable("g").await;
    let described = describe(&queue, &["g", "unknown", "g"]);
    let states: Vec<_> = described
        .iter()
        .map(|one| one.group_state.as_str())
        .collect();
    assert_eq!(states, ["Stable", "Dead", "Stable"]);
    let group = &described[0];
    assert_eq!(
        (&*group.protocol_type, &*group.protocol_data),
        ("consumer", "range")
    );
    assert_eq!(group.members[0].member_id, member);
    assert_eq!(&group.members[0].member_assignment[..], b"all");
    assert_eq!(group.members[0].client_id, "client");
    assert_eq!(group.members[0].client_host, "/127.0.0.1");
    assert_eq!(described[1].error_code, ErrorCode::NONE);
}

#[tokio::test]
async fn groups_are_deleted_once_if_they_have_no_members() {
    let queue = Queue::start().await;
    let member = queue.stable("live").await;
    queue.commit("gone", SIMPLE, &[(0, 1)]).await;
    let deleted = delete(&queue, &["gone", "live", "gone", "unknown"]).await;
    let is = |group: &str, code| (group.to_owned(), code);
    let expected = [
        is("gone", ErrorCode::NONE),
        is("live", ErrorCode::NON_EMPTY_GROUP),
        is("unknown", ErrorCode::GROUP_ID_NOT_FOUND),
    ];
    assert_eq!(deleted, expected);
    assert_eq!(queue.committed("gone").await, []);
    let restarted = queue.after_power_failure().await;
    assert_eq!(
        list(&restarted, &[]),
        [("live".to_owned(), "Stable".to_owned())]
    );
    assert_eq!(restarted.heartbeat("live", &member, 1), ErrorCode::NONE);
}

#[tokio::test]
async fn offsets_are_deleted_unless_members_read_the_topic() {
    let queue = Queue::start().await;
    let topics = &queue.broker.topics;
    topics
        .create(&name("u"), 1, topics.new_config())
        .await
        .unwrap();
    let member = queue.stable("g").await;
    let request = crate::support::commit_request("g", (&member, 1), "u", &[(0, 3)]);
    api::offset_commit(&queue.groups, request).await.await;
    queue.commit("g", (&member, 1), &[(0, 1)]).await;
    let topic = |name: &str, partition_index| OffsetDeleteTopic {
        name: name.to_owned(),
        partitions: vec![OffsetDeletePartition { partition_index }],
    };
    let request = OffsetDeleteRequest {
        group_id: "g".to_owned(),
        topics: vec![topic("t", 0), topic("u", 0), topic("u", 9)],
    };
    let deleted = api::offset_delete(&queue.groups, request).await.await;
    assert_eq!(deleted.error_code, ErrorCode::NONE);
    let topics = deleted.topics.iter();
    let codes: Vec<_> = topics.map(|topic| topic.partitions[0].error_code).collect();
    let expected = [
        ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
        ErrorCode::NONE,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    ];
    assert_eq!(codes, expected);
    assert_eq!(queue.committed("g").await, [("t".to_owned(), 0, 1)]);
    let request = OffsetDeleteRequest {
        group_id: "unknown".to_owned(),
        ..OffsetDeleteRequest::default()
    };
    let deleted = api::offset_delete(&queue.groups, request).await.await;
    assert_eq!(deleted.error_code, ErrorCode::GROUP_ID_NOT_FOUND);
}

#[tokio::test]
async fn offsets_of_a_group_without_members_expire_and_then_the_group() {
    let settings = GroupSettings {
        retention: Duration::ZERO,
        retention_check_interval: Duration::from_millis(1),
        ..settings()
    };
    let queue = Queue::start_with(settings).await;
    queue.stable("live").await;
    queue.commit("simple", SIMPLE, &[(0, 1)]).await;
    let groups = std::sync::Arc::clone(&queue.groups);
    let cleaning = tokio::spawn(async move { groups.expire_offsets().await });
    while list(&queue, &[]).len() > 1 {
        tokio::task::yield_now().await;
    }
    cleaning.abort();
    assert_eq!(
        list(&queue, &[]),
        [("live".to_owned(), "Stable".to_owned())]
    );
    assert_eq!(queue.committed("simple").await, []);
}

#[tokio::test]
async fn the_coordinator_is_this_broker_for_groups() {
    let queue = Queue::start().await;
    let ask = async |version, key_type| {
        let request = FindCoordinatorRequest {
            key: "g".to_owned(),
            key_type,
            coordinator_keys: vec!["g".to_owned(), "h".to_owned()],
        };
        api::find_coordinator(&queue.groups, version, request).await
    };
    let found = ask(3, 0).await;
    assert_eq!(
        (found.node_id, &*found.host, found.port),
        (3, "queue.example", 9092)
    );
    let found = ask(4, 0).await;
    let keys: Vec<_> = found
        .coordinators
        .iter()
        .map(|one| (&*one.key, one.port))
        .collect();
    assert_eq!(keys, [("g", 9092), ("h", 9092)]);
    let code = ErrorCode::INVALID_REQUEST;
    assert_eq!(ask(2, 7).await.error_code, code);
    assert_eq!(ask(4, 7).await.coordinators[0].error_code, code);
}

#[tokio::test]
async fn the_topic_for_groups_is_made_once_and_never_loses_records_to_age() {
    let queue = Queue::start().await;
    let before = queue.broker.offsets_topic().unwrap();
    assert_eq!(queue.find_coordinator("h").await, ErrorCode::NONE);
    assert!(std::sync::Arc::ptr_eq(
        &before,
        &queue.broker.offsets_topic().unwrap()
    ));
    assert_eq!(before.partitions.len(), 3);
    assert_eq!(before.name.as_str(), "__consumer_offsets");
    assert_eq!(before.config.overrides["cleanup.policy"], "compact");
    let partition = queue
        .broker
        .topics
        .partition(&before.name, PartitionIndex(2));
    assert!(partition.is_ok());
}
