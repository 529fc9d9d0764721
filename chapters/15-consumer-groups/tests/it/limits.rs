//! What clients can make grow, and how far.

use std::time::Duration;

use consumer_groups::api;
use wire_protocol::ErrorCode;
use wire_protocol::message::ListGroupsRequest;

use crate::support::{Queue, SIMPLE, commit_request, join, settings};

fn groups(queue: &Queue) -> usize {
    api::list_groups(&queue.groups, &ListGroupsRequest::default())
        .groups
        .len()
}

#[tokio::test]
async fn names_that_cannot_be_stored_are_refused() {
    let queue = Queue::start().await;
    let long = "x".repeat(40_000);
    let joined = queue.join(join(&long, "")).await;
    assert_eq!(joined.error_code, ErrorCode::INVALID_GROUP_ID);
    assert_eq!(
        queue.join(join("", "")).await.error_code,
        ErrorCode::INVALID_GROUP_ID
    );
    let committed = queue.commit(&long, SIMPLE, &[(0, 1)]).await;
    assert_eq!(committed, [ErrorCode::INVALID_GROUP_ID]);
    // Under the empty id it may be committed.
    assert_eq!(queue.commit("", SIMPLE, &[(0, 1)]).await, [ErrorCode::NONE]);
    let mut request = join("g", "");
    request.protocol_type.clone_from(&long);
    assert_eq!(
        queue.join(request).await.error_code,
        ErrorCode::INVALID_REQUEST
    );
    let mut request = join("g", "");
    request.group_instance_id = Some(long);
    assert_eq!(
        queue.join(request).await.error_code,
        ErrorCode::INVALID_REQUEST
    );
    assert_eq!(groups(&queue), 1);
}

#[tokio::test]
async fn a_wrong_session_timeout_makes_no_group() {
    let queue = Queue::start().await;
    for millis in [0, -1, 5_999, 1_800_001, i32::MAX] {
        let mut request = join("g", "");
        request.session_timeout_ms = millis;
        let joined = queue.join(request).await;
        assert_eq!(joined.error_code, ErrorCode::INVALID_SESSION_TIMEOUT);
    }
    let joined = queue.join(join("g", "made up")).await;
    assert_eq!(joined.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(groups(&queue), 0);
}

/// Member ids that are asked for and never used are forgotten, and their groups too.
#[tokio::test(start_paused = true)]
async fn groups_that_nobody_joins_in_the_end_are_forgotten() {
    let queue = Queue::start().await;
    for number in 0..100 {
        let joined = queue.join(join(&format!("g{number}"), "")).await;
        assert_eq!(joined.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    }
    assert_eq!(groups(&queue), 100);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(groups(&queue), 0);
}

#[tokio::test]
async fn there_are_at_most_so_many_groups() {
    let settings = consumer_groups::GroupSettings {
        groups_max: 2,
        ..settings()
    };
    let queue = Queue::start_with(settings).await;
    queue.stable("a").await;
    assert_eq!(
        queue.commit("b", SIMPLE, &[(0, 1)]).await,
        [ErrorCode::NONE]
    );
    let joined = queue.join(join("c", "")).await;
    assert_eq!(joined.error_code, ErrorCode::GROUP_MAX_SIZE_REACHED);
    let committed = queue.commit("c", SIMPLE, &[(0, 1)]).await;
    assert_eq!(committed, [ErrorCode::POLICY_VIOLATION]);
    assert_eq!(
        queue.commit("b", SIMPLE, &[(1, 1)]).await,
        [ErrorCode::NONE]
    );
}

#[tokio::test]
async fn members_and_offsets_take_at_most_so_much_memory() {
    let settings = consumer_groups::GroupSettings {
        bytes_max: 100_000,
        ..settings()
    };
    let queue = Queue::start_with(settings).await;
    let mut request = join("g", "");
    request.protocols[0].metadata = vec![0; 90_000].into();
    let id = queue.join(request.clone()).await;
    assert_eq!(id.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    request.member_id = id.member_id;
    assert_eq!(
        queue.join(request.clone()).await.error_code,
        ErrorCode::NONE
    );
    request.group_id = "h".to_owned();
    request.member_id = String::new();
    let second = queue.join(request).await;
    assert_eq!(second.error_code, ErrorCode::GROUP_MAX_SIZE_REACHED);
    let mut commit = commit_request("i", SIMPLE, "t", &[(0, 1), (1, 1), (2, 1)]);
    for partition in &mut commit.topics[0].partitions {
        partition.committed_metadata = Some("m".repeat(4_000));
    }
    let committed = api::offset_commit(&queue.groups, commit).await.await;
    let code = committed.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::POLICY_VIOLATION);
    // When the member leaves, there is room again.
    let members = api::list_groups(&queue.groups, &ListGroupsRequest::default());
    assert_eq!(members.groups.len(), 1);
}
