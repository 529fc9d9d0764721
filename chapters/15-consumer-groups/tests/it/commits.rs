//! Committing offsets, and reading them.

use consumer_groups::api;
use wire_protocol::ErrorCode;
use wire_protocol::message::{OffsetFetchRequest, OffsetFetchTopic};

use crate::support::{Queue, SIMPLE, commit_request, name};

fn t(offsets: &[(i32, i64)]) -> Vec<(String, i32, i64)> {
    let of_t = offsets.iter();
    of_t.map(|(partition, offset)| ("t".to_owned(), *partition, *offset))
        .collect()
}

#[tokio::test]
async fn what_was_committed_last_is_read_with_its_metadata() {
    let queue = Queue::start().await;
    queue.commit("g", SIMPLE, &[(0, 5), (2, 7)]).await;
    let codes = queue.commit("g", SIMPLE, &[(0, 6)]).await;
    assert_eq!(codes, [ErrorCode::NONE]);
    assert_eq!(queue.committed("g").await, t(&[(0, 6), (2, 7)]));
    let all = queue.fetch_all("g").await;
    let first = &all.groups[0].topics[0].partitions[0];
    assert_eq!(first.metadata.as_deref(), Some("about 6"));
    assert_eq!(queue.committed("another").await, []);
}

#[tokio::test]
async fn what_was_never_committed_is_minus_one_without_an_error() {
    let queue = Queue::start().await;
    queue.commit("g", SIMPLE, &[(0, 5)]).await;
    for version in 1..8 {
        for group in ["g", "unknown"] {
            let request = OffsetFetchRequest {
                group_id: group.to_owned(),
                topics: Some(vec![OffsetFetchTopic {
                    name: "t".to_owned(),
                    partition_indexes: vec![1, 77],
                }]),
                ..OffsetFetchRequest::default()
            };
            let found = api::offset_fetch(&queue.groups, version, request).await;
            assert_eq!(found.error_code, ErrorCode::NONE);
            for one in &found.topics[0].partitions {
                assert_eq!(
                    (one.error_code, one.committed_offset),
                    (ErrorCode::NONE, -1)
                );
                assert_eq!(one.metadata.as_deref(), Some(""));
            }
        }
    }
}

#[tokio::test]
async fn a_partition_that_does_not_exist_is_refused_and_the_others_are_stored() {
    let queue = Queue::start().await;
    let codes = queue
        .commit("g", SIMPLE, &[(0, 5), (4, 5), (-1, 5), (3, 9)])
        .await;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(codes, [ErrorCode::NONE, unknown, unknown, ErrorCode::NONE]);
    assert_eq!(queue.committed("g").await, t(&[(0, 5), (3, 9)]));
    // If none exists, the group is not even asked.
    let request = commit_request("g", ("nobody", 7), "nowhere", &[(0, 1)]);
    let committed = api::offset_commit(&queue.groups, request).await.await;
    assert_eq!(committed.topics[0].partitions[0].error_code, unknown);
}

#[tokio::test]
async fn metadata_that_is_too_long_is_refused_and_the_others_are_stored() {
    let queue = Queue::start().await;
    let mut request = commit_request("g", SIMPLE, "t", &[(0, 1), (1, 2)]);
    // Two bytes each, and one character.
    request.topics[0].partitions[0].committed_metadata = Some("é".repeat(4_096));
    let committed = api::offset_commit(&queue.groups, request.clone())
        .await
        .await;
    assert_eq!(
        committed.topics[0].partitions[0].error_code,
        ErrorCode::NONE
    );
    request.topics[0].partitions[0].committed_metadata = Some("e".repeat(4_097));
    let committed = api::offset_commit(&queue.groups, request).await.await;
    let codes: Vec<_> = committed.topics[0]
        .partitions
        .iter()
        .map(|one| one.error_code)
        .collect();
    assert_eq!(
        codes,
        [ErrorCode::OFFSET_METADATA_TOO_LARGE, ErrorCode::NONE]
    );
}

#[tokio::test]
async fn members_commit_in_their_generation_and_others_do_not() {
    let queue = Queue::start().await;
    let one = |codes: Vec<ErrorCode>| codes[0];
    let offsets = [(0, 1)];
    assert_eq!(
        one(queue.commit("g", ("", 3), &offsets).await),
        ErrorCode::ILLEGAL_GENERATION
    );
    let member = queue.stable("g").await;
    let by = |member, generation| queue.commit("g", (member, generation), &offsets);
    assert_eq!(one(by(&member, 1).await), ErrorCode::NONE);
    assert_eq!(one(by(&member, 2).await), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(one(by("nobody", 1).await), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(one(by("", -1).await), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(queue.leave("g", &member), ErrorCode::NONE);
    assert_eq!(one(by("", -1).await), ErrorCode::NONE);
}

#[tokio::test]
async fn a_commit_that_fits_into_no_batch_is_refused_as_a_whole() {
    let queue = Queue::start().await;
    let offsets: Vec<(i32, i64)> = (0..40_000).map(|number| (number % 4, 1)).collect();
    let codes = queue.commit("g", SIMPLE, &offsets).await;
    assert!(
        codes
            .iter()
            .all(|code| *code == ErrorCode::UNKNOWN_SERVER_ERROR)
    );
    assert_eq!(queue.committed("g").await, []);
}

#[tokio::test]
async fn the_offsets_of_a_deleted_topic_go_with_it() {
    let queue = Queue::start().await;
    let topics = &queue.broker.topics;
    topics
        .create(&name("u"), 1, topics.new_config())
        .await
        .unwrap();
    let request = commit_request("g", SIMPLE, "u", &[(0, 3)]);
    api::offset_commit(&queue.groups, request).await.await;
    queue.commit("g", SIMPLE, &[(1, 4)]).await;
    topics.delete(&name("u")).await.unwrap();
    queue.groups.forget_topics(&[name("u")]).await;
    assert_eq!(queue.committed("g").await, t(&[(1, 4)]));
    // A crash between the two is made good at the next start.
    topics.delete(&name("t")).await.unwrap();
    let restarted = queue.after_power_failure().await;
    assert_eq!(restarted.committed("g").await, []);
}
