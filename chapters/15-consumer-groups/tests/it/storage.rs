//! What is there after a restart.

use std::path::Path;
use std::time::Duration;

use consumer_groups::api;
use sim_disk::{Call, SimDisk};
use wire_protocol::ErrorCode;
use wire_protocol::message::{ListGroupsRequest, OffsetFetchGroup, OffsetFetchRequest};

use crate::support::{Queue, SIMPLE, commit_request, name, settings};

#[tokio::test]
async fn a_group_and_its_offsets_survive_a_power_failure() {
    let queue = Queue::start().await;
    let member = queue.stable("g").await;
    queue.commit("g", (&member, 1), &[(0, 5), (1, 6)]).await;
    let restarted = queue.after_power_failure().await;
    assert_eq!(restarted.committed("g").await, queue.committed("g").await);
    // The member goes on as if nothing had been.
    assert_eq!(restarted.heartbeat("g", &member, 1), ErrorCode::NONE);
    let codes = restarted.commit("g", (&member, 1), &[(0, 7)]).await;
    assert_eq!(codes, [ErrorCode::NONE]);
}

#[tokio::test]
async fn until_it_is_read_a_group_is_loading() {
    let queue = Queue::start().await;
    let member = queue.stable("g").await;
    queue.commit("g", (&member, 1), &[(0, 5)]).await;
    let restarted = Queue::open(&queue.disk.crash(), settings());
    let loading = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
    assert_eq!(
        restarted.commit("g", (&member, 1), &[(0, 6)]).await,
        [loading]
    );
    assert_eq!(restarted.fetch_all("g").await.groups[0].error_code, loading);
    let listed = api::list_groups(&restarted.groups, &ListGroupsRequest::default());
    assert_eq!(listed.error_code, loading);
    // As in Kafka: a member need not know.
    assert_eq!(restarted.heartbeat("g", &member, 1), ErrorCode::NONE);
    restarted.groups.load().await;
    assert_eq!(restarted.committed("g").await, [("t".to_owned(), 0, 5)]);
}

/// A topic of the same name is another one, and has none of the offsets.
async fn make_t_again(queue: &Queue) {
    let topics = &queue.broker.topics;
    let made = topics.create(&name("t"), 4, topics.new_config()).await;
    made.unwrap();
}

#[tokio::test]
async fn a_topic_that_is_replaced_while_offsets_are_read_has_none_of_them() {
    let queue = Queue::start().await;
    queue.find_coordinator("g").await;
    queue.commit("g", SIMPLE, &[(0, 5)]).await;
    let restarted = Queue::open(&queue.disk.crash(), settings());
    restarted.broker.topics.delete(&name("t")).await.unwrap();
    restarted.groups.forget_topics(&[name("t")]).await;
    make_t_again(&restarted).await;
    restarted.groups.load().await;
    assert_eq!(restarted.committed("g").await, []);
    restarted.commit("g", SIMPLE, &[(1, 6)]).await;
    let restarted = restarted.after_power_failure().await;
    assert_eq!(restarted.committed("g").await, [("t".to_owned(), 1, 6)]);
}

#[tokio::test]
async fn what_a_start_forgets_is_forgotten_whatever_crashes_afterwards() {
    let queue = Queue::start().await;
    queue.find_coordinator("g").await;
    queue.commit("g", SIMPLE, &[(0, 5)]).await;
    // A crash comes before the offsets are forgotten.
    queue.broker.topics.delete(&name("t")).await.unwrap();
    let restarted = queue.after_power_failure().await;
    make_t_again(&restarted).await;
    for _ in 0..5 {
        let again = restarted.after_power_failure().await;
        assert_eq!(again.committed("g").await, []);
    }
}

#[tokio::test]
async fn a_stop_is_not_undone_by_what_is_being_read() {
    let queue = Queue::start().await;
    queue.find_coordinator("g").await;
    queue.commit("g", SIMPLE, &[(0, 5)]).await;
    let restarted = Queue::open(&queue.disk.crash(), settings());
    let parking = restarted.disk.park_every(Call::Read, Path::new("/"));
    tokio::join!(restarted.groups.load(), async {
        restarted.groups.stop();
        parking.release();
    });
    let refused = restarted.fetch_all("g").await.groups[0].error_code;
    assert_eq!(refused, ErrorCode::NOT_COORDINATOR);
}

/// The power fails before each operation on the disk: what was answered is there, and an
/// offset is one that was committed, never an older one than was answered or read.
#[tokio::test]
async fn whenever_the_power_fails_what_was_answered_is_there() {
    let operations = script(&SimDisk::new(5)).await.operations;
    assert!(operations > 30, "{operations}");
    // What is before them, a start without a topic, is not about groups.
    let before = {
        let disk = SimDisk::new(5);
        let _queue = Queue::open(&disk, settings());
        disk.operations()
    };
    for operation in before..operations {
        let disk = SimDisk::new(5);
        disk.power_off_at(operation);
        let done = script(&disk).await;
        let restarted = Queue::open(&disk.crash(), settings());
        restarted.groups.load().await;
        if restarted.broker.offsets_topic().is_none() {
            assert_eq!((done.committed, done.is_deleted), (0, false));
            continue;
        }
        let found = restarted.committed("g").await;
        let offset = found.first().map_or(0, |(_, _, offset)| *offset);
        assert!(offset >= done.committed, "{operation}: {offset}, {done:?}");
        assert!(offset <= done.asked, "{operation}: {offset}, {done:?}");
        if done.is_deleted {
            assert_eq!(restarted.committed("h").await, [], "{operation}");
        }
    }
}

#[derive(Debug, Default)]
struct Done {
    operations: u64,
    /// The last offset that was asked to be committed.
    asked: i64,
    /// The last offset whose commit was answered well, or that was read.
    committed: i64,
    /// The group `h` was deleted, and that was answered.
    is_deleted: bool,
}

async fn script(disk: &SimDisk) -> Done {
    let mut done = Done::default();
    let queue = Queue::open(disk, settings());
    let topics = &queue.broker.topics;
    let t = crate::support::name("t");
    if topics.create(&t, 4, topics.new_config()).await.is_ok() {
        queue.find_coordinator("g").await;
        for offset in 1..=8 {
            done.asked = offset;
            let codes = queue.commit("g", SIMPLE, &[(0, offset)]).await;
            if codes == [ErrorCode::NONE] {
                done.committed = offset;
            }
        }
        let deleted = queue.commit("h", SIMPLE, &[(0, 1)]).await;
        if deleted == [ErrorCode::NONE] {
            let request = wire_protocol::message::DeleteGroupsRequest {
                groups_names: vec!["h".to_owned()],
            };
            let deleted = api::delete_groups(&queue.groups, request).await.await;
            done.is_deleted = deleted.results[0].error_code == ErrorCode::NONE;
        }
    }
    done.operations = disk.operations();
    done
}

/// A commit that is not on disk yet is not read: a power failure could take it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_is_on_disk() {
    let queue = Queue::start().await;
    queue.commit("g", SIMPLE, &[(0, 1)]).await;
    let parking = queue
        .disk
        .park_next(sim_disk::Call::Sync, std::path::Path::new("/data"));
    let request = commit_request("g", SIMPLE, "t", &[(0, 2)]);
    let committing = tokio::spawn(api::offset_commit(&queue.groups, request).await);
    parking.wait();
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchGroup {
            group_id: "g".to_owned(),
            topics: None,
        }],
        ..OffsetFetchRequest::default()
    };
    let reading = tokio::spawn(api::offset_fetch(&queue.groups, 8, request));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!reading.is_finished() && !committing.is_finished());
    parking.release();
    let read = reading.await.unwrap();
    assert_eq!(read.groups[0].topics[0].partitions[0].committed_offset, 2);
}

/// A disk that is full refuses commits, and loses none that was answered.
#[tokio::test]
async fn a_full_disk_refuses_and_forgets_nothing() {
    let queue = Queue::start().await;
    queue.commit("g", SIMPLE, &[(0, 1)]).await;
    queue.disk.set_space(Some(0));
    let refused = queue.commit("g", SIMPLE, &[(0, 2)]).await;
    assert_eq!(refused, [ErrorCode::NOT_COORDINATOR]);
    assert_eq!(queue.committed("g").await, [("t".to_owned(), 0, 1)]);
    queue.disk.set_space(None);
    assert_eq!(
        queue.commit("g", SIMPLE, &[(0, 3)]).await,
        [ErrorCode::NONE]
    );
    assert_eq!(queue.committed("g").await, [("t".to_owned(), 0, 3)]);
}

/// A client goes away while its commit appends what another group had to store, at a place
/// where the log begins a new segment. The other group's member is answered all the same.
#[tokio::test]
async fn a_commit_that_is_given_up_leaves_no_group_waiting() {
    let queue = Queue::start().await;
    for round in 0..40 {
        let group = format!("g{round}");
        let joined = queue.member(&group).await;
        let syncing = queue.sync(&group, &joined, &[(&joined.member_id, "all")]);
        // One of them is stored where the group is.
        for other in 0..6 {
            let request = commit_request(&format!("h{other}"), SIMPLE, "t", &[(0, round)]);
            tokio::select! {
                biased;
                committing = api::offset_commit(&queue.groups, request) => drop(committing),
                () = std::future::ready(()) => {}
            }
        }
        let synced = tokio::time::timeout(Duration::from_secs(20), syncing).await;
        let synced = synced.unwrap_or_else(|_| panic!("round {round}: no answer"));
        assert_eq!(synced.error_code, ErrorCode::NONE, "round {round}");
    }
}
