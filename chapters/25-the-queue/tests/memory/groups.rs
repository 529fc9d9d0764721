//! The worst requests of groups.

use bytes::Bytes;
use consumer_groups::api::offset_fetch_size;
use wire_protocol::message::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, JoinGroupProtocol,
    JoinGroupRequest, LeaveGroupRequest, LeavingMember, ListGroupsRequest, OffsetCommitPartition,
    OffsetCommitRequest, OffsetCommitTopic, OffsetDeletePartition, OffsetDeleteRequest,
    OffsetDeleteTopic, OffsetFetchGroup, OffsetFetchRequest, OffsetFetchTopic, SyncGroupAssignment,
    SyncGroupRequest,
};

use crate::served::Served;
use crate::{Row, a, different, long_name, many, name};

/// Makes the topic for groups, which is not measured: it is made once.
pub(crate) fn make_the_topic(served: &Served) {
    served.measure(&FindCoordinatorRequest::default(), 3);
}

pub(crate) fn commit(served: &Served) -> Vec<Row> {
    let entry = |partition_index| OffsetCommitPartition {
        partition_index,
        ..OffsetCommitPartition::default()
    };
    let ask = |group_id: String, name: &str, partitions| {
        let topic = OffsetCommitTopic {
            name: name.to_owned(),
            partitions,
        };
        let request = OffsetCommitRequest {
            group_id,
            topics: vec![topic],
            ..OffsetCommitRequest::default()
        };
        served.measure(&request, 8)
    };
    let topics = OffsetCommitRequest {
        topics: many(
            4,
            OffsetCommitTopic {
                name: a(),
                partitions: vec![],
            },
        ),
        ..OffsetCommitRequest::default()
    };
    vec![
        ("commit: topics", served.measure(&topics, 8)),
        (
            "commit: unknown partitions",
            ask(a(), "t", different(18, |number| entry(number + 1))),
        ),
        ("commit: one partition", ask(a(), "t", many(18, entry(0)))),
        (
            "commit: a long group",
            ask(long_name(), "t", many(18, entry(0))),
        ),
    ]
}

pub(crate) fn fetch_offsets(served: &Served) -> Vec<Row> {
    let topic = |partition_indexes| OffsetFetchTopic {
        name: a(),
        partition_indexes,
    };
    let ask = |topics| {
        let request = OffsetFetchRequest {
            group_id: a(),
            topics: Some(topics),
            ..OffsetFetchRequest::default()
        };
        let mut took = served.measure(&request, 7);
        // The answer is counted too: it is far longer than what it answers.
        took.counted += offset_fetch_size(&request);
        took
    };
    let groups = OffsetFetchRequest {
        groups: many(
            4,
            OffsetFetchGroup {
                group_id: a(),
                topics: None,
            },
        ),
        ..OffsetFetchRequest::default()
    };
    vec![
        (
            "fetch offsets: partitions",
            ask(vec![topic(different(4, |number| number))]),
        ),
        ("fetch offsets: topics", ask(many(4, topic(vec![])))),
        ("fetch offsets: groups", served.measure(&groups, 8)),
    ]
}

pub(crate) fn delete_offsets(served: &Served) -> Vec<Row> {
    let entry = |partition_index| OffsetDeletePartition { partition_index };
    let request = OffsetDeleteRequest {
        group_id: a(),
        topics: vec![OffsetDeleteTopic {
            name: "t".to_owned(),
            partitions: different(4, entry),
        }],
    };
    vec![("delete offsets: partitions", served.measure(&request, 0))]
}

pub(crate) fn members(served: &Served) -> Vec<Row> {
    let protocol = JoinGroupProtocol {
        name: a(),
        metadata: Bytes::new(),
    };
    let join = |protocols| {
        let request = JoinGroupRequest {
            group_id: "g".to_owned(),
            session_timeout_ms: 10_000,
            protocol_type: "consumer".to_owned(),
            protocols,
            ..JoinGroupRequest::default()
        };
        served.measure(&request, 7)
    };
    let share = SyncGroupAssignment {
        member_id: a(),
        assignment: Bytes::new(),
    };
    let sync = SyncGroupRequest {
        group_id: "g".to_owned(),
        assignments: many(4, share),
        protocol_type: Some(a()),
        protocol_name: Some(a()),
        ..SyncGroupRequest::default()
    };
    let leaver = LeavingMember {
        member_id: a(),
        group_instance_id: None,
    };
    let leave = LeaveGroupRequest {
        group_id: "g".to_owned(),
        members: many(4, leaver),
        ..LeaveGroupRequest::default()
    };
    vec![
        ("join: protocols", join(many(4, protocol.clone()))),
        (
            "join: metadata",
            join(vec![JoinGroupProtocol {
                metadata: vec![7; 500_000].into(),
                ..protocol
            }]),
        ),
        ("sync: shares", served.measure(&sync, 5)),
        ("leave: members", served.measure(&leave, 4)),
    ]
}

pub(crate) fn operators(served: &Served) -> Vec<Row> {
    let describe = |groups| {
        let request = DescribeGroupsRequest {
            groups,
            ..DescribeGroupsRequest::default()
        };
        served.measure(&request, 5)
    };
    let delete = |groups_names| served.measure(&DeleteGroupsRequest { groups_names }, 2);
    let list = ListGroupsRequest {
        states_filter: many(2, a()),
        ..ListGroupsRequest::default()
    };
    vec![
        ("describe: one group", describe(many(2, a()))),
        ("describe: groups", describe(different(5, name))),
        ("delete groups: one", delete(many(2, a()))),
        ("delete groups: names", delete(different(5, name))),
        ("list: states", served.measure(&list, 4)),
    ]
}
