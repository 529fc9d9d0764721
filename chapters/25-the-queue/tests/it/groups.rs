//! Groups and committed offsets, against the real process.

use mqd_guard::{Mqd, Port};
use wire_protocol::message::{
    DeleteTopicsRequest, FindCoordinatorRequest, HeartbeatRequest, JoinGroupProtocol,
    JoinGroupRequest, JoinGroupResponse, MetadataRequest, MetadataTopic, MetadataTopics,
    OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic, OffsetFetchGroup,
    OffsetFetchRequest, SyncGroupAssignment, SyncGroupRequest,
};
use wire_protocol::{ApiKey, ErrorCode, decode_response};

use crate::raw::{Raw, batch};
use crate::support::mqd;

const OFFSETS: &str = "__consumer_offsets";
/// How often a test asks again before it fails.
const TRIES: usize = 100_000;

/// Without the delay of a first rebalance, and with few partitions for groups.
fn start() -> Mqd {
    mqd()
        .set("group.initial.rebalance.delay.ms", "0")
        .set("offsets.topic.num.partitions", "4")
        .start()
        .unwrap()
}

fn find_coordinator(raw: &mut Raw) {
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["g".to_owned()],
        ..FindCoordinatorRequest::default()
    };
    let found = raw.call(&request).unwrap();
    assert_eq!(found.coordinators[0].error_code, ErrorCode::NONE);
}

fn join_request(member: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: "g".to_owned(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![JoinGroupProtocol {
            name: "range".to_owned(),
            metadata: b"metadata".as_slice().into(),
        }],
        ..JoinGroupRequest::default()
    }
}

/// Joins as the only member, and shares out.
fn stable(raw: &mut Raw) -> JoinGroupResponse {
    let id = raw.call(&join_request("")).unwrap();
    assert_eq!(id.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    let joined = raw.call(&join_request(&id.member_id)).unwrap();
    assert_eq!(joined.error_code, ErrorCode::NONE);
    let request = SyncGroupRequest {
        group_id: "g".to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: vec![SyncGroupAssignment {
            member_id: joined.member_id.clone(),
            assignment: b"share".as_slice().into(),
        }],
        protocol_type: Some("consumer".to_owned()),
        protocol_name: joined.protocol_name.clone(),
        ..SyncGroupRequest::default()
    };
    let synced = raw.call(&request).unwrap();
    assert_eq!(
        (synced.error_code, &synced.assignment[..]),
        (ErrorCode::NONE, &b"share"[..])
    );
    joined
}

fn heartbeat(raw: &mut Raw, member: &JoinGroupResponse) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: "g".to_owned(),
        generation_id: member.generation_id,
        member_id: member.member_id.clone(),
        ..HeartbeatRequest::default()
    };
    raw.call(&request).unwrap().error_code
}

/// A commit for partition 0 of `t`: by a member, or by nobody's.
fn commit_request(member: Option<&JoinGroupResponse>, offset: i64) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: "g".to_owned(),
        generation_id: member.map_or(-1, |member| member.generation_id),
        member_id: member.map_or(String::new(), |member| member.member_id.clone()),
        topics: vec![OffsetCommitTopic {
            name: "t".to_owned(),
            partitions: vec![OffsetCommitPartition {
                committed_offset: offset,
                ..OffsetCommitPartition::default()
            }],
        }],
        ..OffsetCommitRequest::default()
    }
}

fn commit(raw: &mut Raw, member: Option<&JoinGroupResponse>, offset: i64) -> ErrorCode {
    let committed = raw.call(&commit_request(member, offset)).unwrap();
    committed.topics[0].partitions[0].error_code
}

/// What `g` has committed for partition 0 of `t`; waits until the group is loaded.
fn committed(raw: &mut Raw) -> Option<i64> {
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchGroup {
            group_id: "g".to_owned(),
            topics: None,
        }],
        ..OffsetFetchRequest::default()
    };
    for _ in 0..TRIES {
        let group = raw.call(&request).unwrap().groups.remove(0);
        if group.error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
            assert_eq!(group.error_code, ErrorCode::NONE);
            let topic = group.topics.first();
            return topic.map(|topic| topic.partitions[0].committed_offset);
        }
    }
    panic!("it is still loading");
}

#[test]
fn kill_9_keeps_groups_and_offsets() {
    let mut mqd = start();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    find_coordinator(&mut raw);
    let member = stable(&mut raw);
    for round in 1..=5 {
        assert_eq!(commit(&mut raw, Some(&member), round), ErrorCode::NONE);
        mqd.kill_9().unwrap();
        mqd.restart(Port::Any).unwrap();
        raw = Raw::connect(&mqd);
        assert_eq!(committed(&mut raw), Some(round));
        assert_eq!(heartbeat(&mut raw, &member), ErrorCode::NONE);
    }
}

/// Commits without pause, until the process is killed. What was answered is there
/// afterwards, and nothing that was not sent.
#[test]
fn offsets_never_go_back_whenever_the_process_is_killed() {
    let mut mqd = start();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    find_coordinator(&mut raw);
    let mut next = 1;
    for round in 0..8 {
        let address = mqd.address();
        let committing = std::thread::spawn(move || {
            let mut raw = Raw::connect_to(address).unwrap();
            let mut answered = next - 1;
            let mut offset = next;
            while let Ok(response) = raw.call(&commit_request(None, offset)) {
                if response.topics[0].partitions[0].error_code == ErrorCode::NONE {
                    answered = offset;
                }
                offset += 1;
            }
            (answered, offset)
        });
        // So that the kill comes at another moment each time: after some commits.
        while committed(&mut raw).unwrap_or(0) < next + 20 * round {}
        mqd.kill_9().unwrap();
        let (answered, sent) = committing.join().unwrap();
        mqd.restart(Port::Any).unwrap();
        raw = Raw::connect(&mqd);
        let found = committed(&mut raw).unwrap_or(0);
        assert!(
            (answered..=sent).contains(&found),
            "{answered} {found} {sent}"
        );
        next = found + 1;
    }
}

/// The connection that waits in a JoinGroup is in nobody's way, and neither is its group.
#[test]
fn a_join_that_waits_blocks_nobody_else() {
    let mqd = start();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    find_coordinator(&mut raw);
    let member = stable(&mut raw);
    let mut waiting = Raw::connect(&mqd);
    let id = waiting.call(&join_request("")).unwrap().member_id;
    waiting.send(&join_request(&id), 7).unwrap();
    // The group has taken it when this request of the same connection has begun.
    waiting.send(&join_request(""), 7).unwrap();
    let mut tries = 0..TRIES;
    while heartbeat(&mut raw, &member) != ErrorCode::REBALANCE_IN_PROGRESS {
        assert!(tries.next().is_some(), "the join is not taken");
    }
    assert_eq!(commit(&mut raw, Some(&member), 3), ErrorCode::NONE);
    let again = raw.call(&join_request(&member.member_id)).unwrap();
    assert_eq!(
        (again.error_code, again.generation_id),
        (ErrorCode::NONE, 2)
    );
    let answer = waiting.read_frame().unwrap();
    let answer = decode_response::<JoinGroupRequest>(&answer.into(), 7).unwrap();
    assert_eq!(
        (answer.error_code, answer.generation_id),
        (ErrorCode::NONE, 2)
    );
}

#[test]
fn a_stop_does_not_wait_for_a_join() {
    let mut mqd = mqd()
        .set("group.initial.rebalance.delay.ms", "60000")
        .set("offsets.topic.num.partitions", "4")
        .set("mqd.drain.ms", "60000")
        .start()
        .unwrap();
    let mut raw = Raw::connect(&mqd);
    find_coordinator(&mut raw);
    let id = raw.call(&join_request("")).unwrap().member_id;
    raw.send(&join_request(&id), 7).unwrap();
    let mut other = Raw::connect(&mqd);
    other.expect_served();
    // Within the guard's patience, which is shorter than the delay and the drain.
    assert!(mqd.terminate().unwrap().success());
}

#[test]
fn every_version_of_every_api_of_groups_is_answered() {
    let mqd = start();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    find_coordinator(&mut raw);
    for version in ApiKey::OffsetCommit.versions() {
        let mut request = commit_request(None, i64::from(version));
        request.retention_time_ms = if version < 5 { 1_000_000 } else { -1 };
        let committed = raw.call_version(&request, version).unwrap();
        let code = committed.topics[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::NONE, "version {version}");
        assert_eq!(committed_in_each_version(&mut raw), i64::from(version));
    }
    for version in ApiKey::JoinGroup.versions() {
        let mut request = join_request("");
        request.group_id = format!("j{version}");
        let mut joined = raw.call_version(&request, version).unwrap();
        if version >= 4 {
            assert_eq!(joined.error_code, ErrorCode::MEMBER_ID_REQUIRED);
            request.member_id = joined.member_id;
            joined = raw.call_version(&request, version).unwrap();
        }
        assert_eq!(joined.error_code, ErrorCode::NONE, "version {version}");
        assert_eq!(joined.members.len(), 1);
        assert!(joined.member_id.starts_with("raw-"), "{}", joined.member_id);
    }
    for version in ApiKey::FindCoordinator.versions() {
        let request = match version {
            4.. => FindCoordinatorRequest {
                coordinator_keys: vec!["g".to_owned()],
                ..FindCoordinatorRequest::default()
            },
            _ => FindCoordinatorRequest {
                key: "g".to_owned(),
                ..FindCoordinatorRequest::default()
            },
        };
        let found = raw.call_version(&request, version).unwrap();
        assert_eq!(found.error_code, ErrorCode::NONE);
        let several = found.coordinators.first().map(|one| one.port);
        assert_eq!(
            several.unwrap_or(found.port),
            i32::from(mqd.address().port())
        );
    }
}

/// The offset, which all versions of OffsetFetch agree on.
fn committed_in_each_version(raw: &mut Raw) -> i64 {
    let offset = committed(raw).unwrap();
    for version in 1..8 {
        let request = OffsetFetchRequest {
            group_id: "g".to_owned(),
            topics: Some(vec![wire_protocol::message::OffsetFetchTopic {
                name: "t".to_owned(),
                partition_indexes: vec![0],
            }]),
            ..OffsetFetchRequest::default()
        };
        let found = raw.call_version(&request, version).unwrap();
        assert_eq!(found.topics[0].partitions[0].committed_offset, offset);
    }
    offset
}

#[test]
fn the_topic_of_offsets_is_internal_and_only_the_broker_writes_to_it() {
    let mqd = start();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    find_coordinator(&mut raw);
    assert_eq!(commit(&mut raw, None, 7), ErrorCode::NONE);
    let named = |name: &str| MetadataTopic {
        name: name.to_owned(),
    };
    let request = MetadataRequest {
        topics: MetadataTopics(Some(vec![named(OFFSETS), named("t")])),
        ..MetadataRequest::default()
    };
    let topics = raw.call(&request).unwrap().topics;
    let found: Vec<_> = topics
        .iter()
        .map(|one| (&*one.name, one.is_internal, one.partitions.len()))
        .collect();
    assert_eq!(found, [(OFFSETS, true, 4), ("t", false, 1)]);
    let refused = raw.produce(OFFSETS, 1, batch(&[b"x"])).unwrap();
    assert_eq!(refused.error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
    // With the topic go its offsets.
    let request = DeleteTopicsRequest {
        topic_names: vec!["t".to_owned()],
        timeout_ms: 10_000,
    };
    raw.call(&request).unwrap();
    assert_eq!(committed(&mut raw), None);
}
