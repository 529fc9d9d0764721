//! Members come, share and go.

use std::time::Duration;

use wire_protocol::ErrorCode;

use crate::support::{Queue, join, settings};

#[tokio::test]
async fn a_second_member_makes_the_first_join_again_and_both_get_their_share() {
    let queue = Queue::start().await;
    let first = queue.stable("g").await;
    assert_eq!(queue.heartbeat("g", &first, 1), ErrorCode::NONE);
    let id = queue.join(join("g", "")).await.member_id;
    let second = tokio::spawn(queue.join(join("g", &id)));
    assert_eq!(
        queue.heartbeat("g", &first, 1),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    let first = queue.join(join("g", &first)).await;
    let second = second.await.unwrap();
    assert_eq!((first.generation_id, second.generation_id), (2, 2));
    assert_eq!(first.leader, first.member_id);
    assert_eq!((first.members.len(), second.members.len()), (2, 0));
    let follower = tokio::spawn(queue.sync("g", &second, &[]));
    let shares = [(&*first.member_id, "left"), (&*second.member_id, "right")];
    let leader = queue.sync("g", &first, &shares).await;
    assert_eq!(&leader.assignment[..], b"left");
    assert_eq!(&follower.await.unwrap().assignment[..], b"right");
    assert_eq!(queue.heartbeat("g", &id, 2), ErrorCode::NONE);
}

#[tokio::test]
async fn a_member_that_leaves_is_gone_at_once() {
    let queue = Queue::start().await;
    let member = queue.stable("g").await;
    assert_eq!(queue.leave("g", &member), ErrorCode::NONE);
    assert_eq!(queue.leave("g", &member), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(
        queue.leave("unknown", &member),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(
        queue.heartbeat("g", &member, 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_member_is_removed_and_its_calls_are_refused() {
    let queue = Queue::start().await;
    let member = queue.stable("g").await;
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(queue.heartbeat("g", &member, 1), ErrorCode::NONE);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(queue.heartbeat("g", &member, 1), ErrorCode::NONE);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(
        queue.heartbeat("g", &member, 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    let commit = queue.commit("g", (&member, 1), &[(0, 5)]).await;
    assert_eq!(commit, [ErrorCode::UNKNOWN_MEMBER_ID]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_group_waits_for_more_members_before_its_first_generation() {
    let mut settings = settings();
    settings.group.initial_rebalance_delay = Duration::from_secs(3);
    let queue = Queue::start_with(settings).await;
    let before = queue.broker.services.clock.now();
    let first = tokio::spawn(queue.join_version(3, join("g", "")));
    let second = tokio::spawn(queue.join_version(3, join("g", "")));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let waited = queue.broker.services.clock.now().since(before);
    assert!(waited >= Duration::from_secs(3), "{waited:?}");
    assert_eq!((first.generation_id, second.generation_id), (1, 1));
    assert_ne!(first.member_id, second.member_id);
}

#[tokio::test]
async fn a_static_member_that_returns_causes_no_rebalance_and_fences_the_one_before() {
    let queue = Queue::start().await;
    let request = |member: &str| {
        let mut request = join("g", member);
        request.group_instance_id = Some("one".to_owned());
        request
    };
    let before = queue.join(request("")).await;
    let shares = [(&*before.member_id, "all")];
    queue.sync("g", &before, &shares).await;
    let after = queue.join(request("")).await;
    assert_eq!(after.error_code, ErrorCode::NONE);
    assert_eq!(after.generation_id, before.generation_id);
    assert_ne!(after.member_id, before.member_id);
    // It does not think that it leads.
    assert_eq!(after.leader, before.member_id);
    let synced = queue.sync("g", &after, &[]).await;
    assert_eq!(&synced.assignment[..], b"all");
    let fenced = queue.join(request(&before.member_id)).await;
    assert_eq!(fenced.error_code, ErrorCode::FENCED_INSTANCE_ID);
}

/// The client of a parked JoinGroup leaves; the others do not wait for it for ever.
#[tokio::test(start_paused = true)]
async fn a_join_that_is_abandoned_holds_up_nobody_for_longer_than_its_session() {
    let queue = Queue::start().await;
    let first = queue.stable("g").await;
    let id = queue.join(join("g", "")).await.member_id;
    let abandoned = tokio::spawn(queue.join(join("g", &id)));
    tokio::task::yield_now().await;
    abandoned.abort();
    let _ = abandoned.await;
    let before = queue.broker.services.clock.now();
    let again = queue.join(join("g", &first)).await;
    assert_eq!(
        (again.error_code, again.generation_id),
        (ErrorCode::NONE, 2)
    );
    let waited = queue.broker.services.clock.now().since(before);
    assert!(waited <= Duration::from_secs(60), "{waited:?}");
}

#[tokio::test]
async fn a_stop_answers_what_is_parked() {
    let mut settings = settings();
    settings.group.initial_rebalance_delay = Duration::from_secs(3_600);
    let queue = Queue::start_with(settings).await;
    let parked = queue.join_version(3, join("g", ""));
    queue.groups.stop();
    let answer = parked.await;
    assert_eq!(answer.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!(queue.heartbeat("g", "m", 1), ErrorCode::NOT_COORDINATOR);
}
