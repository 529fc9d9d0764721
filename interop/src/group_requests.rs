//! Requests of consumer groups with few words. What a function does not ask for is its
//! client's usual.

use bytes::{BufMut as _, Bytes, BytesMut};
use kafka_protocol::messages::consumer_protocol_subscription::TopicPartition;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    ConsumerProtocolSubscription, DeleteGroupsRequest, DescribeGroupsRequest,
    FindCoordinatorRequest, GroupId, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest,
    ListGroupsRequest, OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
};
use kafka_protocol::protocol::Encodable as _;

use crate::parity::Step;
use crate::requests::{name, text};

/// How long a member may be silent, or take to join again, in milliseconds.
const TIMEOUT: i32 = 30_000;

/// A group's id.
#[must_use]
pub fn group(id: &str) -> GroupId {
    GroupId(text(id))
}

/// The coordinator of one group, whose offsets can be served from then on.
#[must_use]
pub fn find(id: &str) -> Step {
    Step::new(3, &FindCoordinatorRequest::default().with_key(text(id)))
}

/// What a consumer of these topics tells the leader, in version 1, with the partitions that
/// it owns.
#[must_use]
pub fn subscription(topics: &[&str], owned: &[(&str, &[i32])]) -> Bytes {
    let topics = topics.iter().map(|topic| text(topic)).collect();
    let owned = owned.iter().map(|(topic, partitions)| {
        TopicPartition::default()
            .with_topic(name(topic))
            .with_partitions(partitions.to_vec())
    });
    let subscription = ConsumerProtocolSubscription::default()
        .with_topics(topics)
        .with_owned_partitions(owned.collect());
    let mut bytes = BytesMut::new();
    bytes.put_i16(1);
    subscription
        .encode(&mut bytes, 1)
        .expect("version 1 has these fields");
    bytes.freeze()
}

/// A consumer joins with these protocols, each with its metadata. Metadata of six bytes or
/// more must be a [`subscription`]: Kafka makes room for as many topics as it announces, and
/// may run out of memory.
#[must_use]
pub fn joining(id: &str, member: &str, protocols: &[(&str, &[u8])]) -> JoinGroupRequest {
    let protocols = protocols.iter().map(|(called, metadata)| {
        JoinGroupRequestProtocol::default()
            .with_name(text(called))
            .with_metadata(Bytes::copy_from_slice(metadata))
    });
    JoinGroupRequest::default()
        .with_group_id(group(id))
        .with_session_timeout_ms(TIMEOUT)
        .with_rebalance_timeout_ms(TIMEOUT)
        .with_member_id(text(member))
        .with_protocol_type(text("consumer"))
        .with_protocols(protocols.collect())
}

/// A consumer with the protocol `range` joins, in version 5.
#[must_use]
pub fn join(id: &str, member: &str) -> Step {
    Step::new(5, &joining(id, member, &[("range", b"m")]))
}

/// The static member `instance` joins, in version 5.
#[must_use]
pub fn join_as(id: &str, member: &str, instance: &str) -> Step {
    let request = joining(id, member, &[("range", b"m")]);
    Step::new(5, &request.with_group_instance_id(Some(text(instance))))
}

/// The coordinator of a new group, and its first member `{NAME}`, which leads generation 1.
#[must_use]
pub fn first(id: &str, member: &str) -> Vec<Step> {
    vec![
        find(id),
        join(id, "").names(member),
        join(id, &format!("{{{member}}}")),
    ]
}

/// The same, and the member has its share `s`.
#[must_use]
pub fn stable(id: &str, member: &str) -> Vec<Step> {
    let called = format!("{{{member}}}");
    let share = sync(id, 1, &called, &[(&called, "s")]);
    [first(id, member), vec![share]].concat()
}

/// A member asks for its share; the leader brings shares.
#[must_use]
pub fn syncing(
    id: &str,
    generation: i32,
    member: &str,
    shares: &[(&str, &str)],
) -> SyncGroupRequest {
    let shares = shares.iter().map(|(member, share)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(member))
            .with_assignment(Bytes::copy_from_slice(share.as_bytes()))
    });
    SyncGroupRequest::default()
        .with_group_id(group(id))
        .with_generation_id(generation)
        .with_member_id(text(member))
        .with_assignments(shares.collect())
}

/// The same in version 3.
#[must_use]
pub fn sync(id: &str, generation: i32, member: &str, shares: &[(&str, &str)]) -> Step {
    Step::new(3, &syncing(id, generation, member, shares))
}

/// A member is alive.
#[must_use]
pub fn beating(id: &str, generation: i32, member: &str) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(group(id))
        .with_generation_id(generation)
        .with_member_id(text(member))
}

/// The same in version 3.
#[must_use]
pub fn beat(id: &str, generation: i32, member: &str) -> Step {
    Step::new(3, &beating(id, generation, member))
}

/// One member leaves, in version 2.
#[must_use]
pub fn leave(id: &str, member: &str) -> Step {
    let request = LeaveGroupRequest::default().with_group_id(group(id));
    Step::new(2, &request.with_member_id(text(member)))
}

/// Members leave, each with its member id and its instance id, in version 3.
#[must_use]
pub fn leave_all(id: &str, members: &[(&str, Option<&str>)]) -> Step {
    let members = members.iter().map(|(member, instance)| {
        MemberIdentity::default()
            .with_member_id(text(member))
            .with_group_instance_id(instance.map(text))
    });
    let request = LeaveGroupRequest::default().with_group_id(group(id));
    Step::new(3, &request.with_members(members.collect()))
}

/// A commit of offsets of one topic: partition, offset and metadata. It is by a member if it
/// has a generation and a member id.
#[must_use]
pub fn committing(
    id: &str,
    (generation, member): (i32, &str),
    topic: &str,
    offsets: &[(i32, i64, Option<&str>)],
) -> OffsetCommitRequest {
    let partitions = offsets.iter().map(|(partition, offset, metadata)| {
        OffsetCommitRequestPartition::default()
            .with_partition_index(*partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(metadata.map(text))
    });
    OffsetCommitRequest::default()
        .with_group_id(group(id))
        .with_generation_id_or_member_epoch(generation)
        .with_member_id(text(member))
        .with_topics(vec![
            OffsetCommitRequestTopic::default()
                .with_name(name(topic))
                .with_partitions(partitions.collect()),
        ])
}

/// A commit of one offset of partition 0, in version 7.
#[must_use]
pub fn commit(id: &str, member: (i32, &str), topic: &str, offset: i64) -> Step {
    Step::new(7, &committing(id, member, topic, &[(0, offset, Some("m"))]))
}

/// How far a group has read in these partitions; all if there are no topics.
#[must_use]
pub fn reading(id: &str, topics: Option<&[(&str, &[i32])]>) -> OffsetFetchRequest {
    let topics = topics.map(|topics| {
        let topics = topics.iter().map(|(topic, partitions)| {
            OffsetFetchRequestTopic::default()
                .with_name(name(topic))
                .with_partition_indexes(partitions.to_vec())
        });
        topics.collect()
    });
    let request = OffsetFetchRequest::default().with_group_id(group(id));
    request.with_topics(topics)
}

/// The same in version 5.
#[must_use]
pub fn read(id: &str, topics: Option<&[(&str, &[i32])]>) -> Step {
    Step::new(5, &reading(id, topics))
}

/// A group with its topics and their partitions.
pub type Wanted<'a> = (&'a str, Option<&'a [(&'a str, &'a [i32])]>);

/// The same of several groups, in version 8.
#[must_use]
pub fn read_groups(groups: &[Wanted<'_>]) -> Step {
    let groups = groups.iter().map(|(id, topics)| {
        let topics = topics.map(|topics| {
            let topics = topics.iter().map(|(topic, partitions)| {
                OffsetFetchRequestTopics::default()
                    .with_name(name(topic))
                    .with_partition_indexes(partitions.to_vec())
            });
            topics.collect()
        });
        OffsetFetchRequestGroup::default()
            .with_group_id(group(id))
            .with_topics(topics)
    });
    let request = OffsetFetchRequest::default();
    Step::new(8, &request.with_groups(groups.collect()))
}

/// Describes groups.
#[must_use]
pub fn describing_groups(ids: &[&str]) -> DescribeGroupsRequest {
    DescribeGroupsRequest::default().with_groups(ids.iter().map(|id| group(id)).collect())
}

/// Describes groups, in version 4.
#[must_use]
pub fn describe_groups(ids: &[&str]) -> Step {
    Step::new(4, &describing_groups(ids))
}

/// Lists groups in these states and of these types, in version 5.
#[must_use]
pub fn list_groups(states: &[&str], types: &[&str]) -> Step {
    let texts = |all: &[&str]| all.iter().map(|one| text(one)).collect();
    let request = ListGroupsRequest::default()
        .with_states_filter(texts(states))
        .with_types_filter(texts(types));
    Step::new(5, &request)
}

/// Deletes groups.
#[must_use]
pub fn deleting_groups(ids: &[&str]) -> DeleteGroupsRequest {
    DeleteGroupsRequest::default().with_groups_names(ids.iter().map(|id| group(id)).collect())
}

/// The same in version 2.
#[must_use]
pub fn delete_groups(ids: &[&str]) -> Step {
    Step::new(2, &deleting_groups(ids))
}
