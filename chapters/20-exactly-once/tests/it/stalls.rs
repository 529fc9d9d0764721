//! A disk that hangs, fails or is full at one place: the others go on, and so does it afterwards.

use std::path::{Path, PathBuf};
use std::time::Duration;

use consumer_groups::partition_of;
use exactly_once::api;
use message_model::{Moment, PartitionIndex};
use sim_disk::{Call, Parking};
use wire_protocol::ErrorCode;
use wire_protocol::message::ListTransactionsRequest;

use crate::asking::{Producer, TRIES, end, init_request, until};
use crate::support::{NOW, Queue, Settings, name, sent};

const NONE: ErrorCode = ErrorCode::NONE;
const NOT_AVAILABLE: ErrorCode = ErrorCode::COORDINATOR_NOT_AVAILABLE;

/// Where a transactional id is stored.
fn stored_in(id: &str) -> PathBuf {
    PathBuf::from(format!("/data/__transaction_state-{}", partition_of(id, 3)))
}

/// Answers wait `write` for the disk, and hardly for markers that cannot be written.
async fn start(write: Duration) -> Queue {
    let mut settings = Settings::default();
    settings.coordinator.write_timeout = write;
    let transactions = &mut settings.coordinator.transactions;
    transactions.answer_timeout = Duration::from_millis(1);
    transactions.retry_backoff = Duration::from_millis(1);
    let queue = Queue::start_with(settings).await;
    let topics = &queue.broker.topics;
    topics
        .create(&name("u"), 1, topics.new_config())
        .await
        .unwrap();
    assert_eq!(queue.find_coordinator("x").await, NONE);
    assert_ne!(stored_in("x"), stored_in("y"));
    queue
}

fn never() -> Duration {
    Duration::from_hours(1)
}

/// Waits until a call is parked.
async fn parked(parking: &Parking) {
    let parking = parking.clone();
    let waiting = tokio::task::spawn_blocking(move || parking.wait());
    waiting.await.unwrap();
}

/// Lets the parked call fail. The disk has nothing else to do by now.
fn fail(queue: &Queue, parking: &Parking) {
    queue.disk.fail_at(queue.disk.operations());
    parking.release();
}

/// A producer with a transaction that has written to partition 0 of `t`, on disk.
async fn open(queue: &Queue, id: &str, topics: &[(&str, &[i32])]) -> Producer {
    let producer = queue.producer(id).await;
    let added = queue.add(&producer, topics).await;
    assert!(added.iter().all(|code| *code == NONE), "{added:?}");
    let batch = sent(producer.id, 0).epoch(producer.epoch);
    let written = queue.send(batch.in_transaction(), &["a"]).await;
    let partition = queue.partition(0);
    let end = message_model::Offset(written.unwrap() + 1);
    partition
        .durable(end, Moment::after_start(never()))
        .await
        .unwrap();
    producer
}

async fn until_state(queue: &Queue, id: &str, state: &str) {
    until(state, || queue.state(id) == state).await;
}

/// A whole transaction of another id on another partition, and what operators ask.
async fn others_go_on(queue: &Queue) {
    let producer = open(queue, "y", &[("t", &[0])]).await;
    assert_eq!(end(queue, &producer, true).await, NONE);
    until_state(queue, "y", "CompleteCommit").await;
    let all = ListTransactionsRequest::default();
    let listed = api::list_transactions(&queue.transactions, all);
    assert_eq!(listed.error_code, NONE);
    let ids = listed.transaction_states.iter();
    assert!(ids.clone().any(|one| one.transactional_id == "y"));
    assert_eq!(queue.find_coordinator("x").await, NONE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_of_one_partition_that_fails_ends_no_other() {
    let queue = start(never()).await;
    let x = open(&queue, "x", &[("t", &[0])]).await;
    let parking = queue.disk.park_next(Call::Sync, &stored_in("x"));
    let (ending, ()) = tokio::join!(queue.end_txn(&x, true), async {
        parked(&parking).await;
        fail(&queue, &parking);
    });
    assert_eq!(ending, NOT_AVAILABLE);
    let gone = ErrorCode::NOT_COORDINATOR;
    assert_eq!(queue.end_txn(&x, true).await, gone);
    assert_eq!(queue.init(init_request("x")).await.error_code, gone);
    assert_eq!(queue.describe("x").error_code, gone);
    others_go_on(&queue).await;
    let queue = queue.after_power_failure().await;
    assert_eq!(end(&queue, &x, true).await, NONE);
    until_state(&queue, "x", "CompleteCommit").await;
    let ends = queue.partition(0).ends().unwrap();
    assert_eq!(ends.last_stable, ends.log_end);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_hangs_holds_up_no_other_partition() {
    let queue = start(never()).await;
    let x = open(&queue, "x", &[("t", &[0])]).await;
    let parking = queue.disk.park_next(Call::Sync, &stored_in("x"));
    let (ending, ()) = tokio::join!(queue.end_txn(&x, true), async {
        parked(&parking).await;
        others_go_on(&queue).await;
        // Nothing is decided that is not on disk.
        assert_eq!(queue.state("x"), "Ongoing");
        let meanwhile = queue.end_txn(&x, true).await;
        assert_eq!(meanwhile, ErrorCode::CONCURRENT_TRANSACTIONS);
        parking.release();
    });
    assert_eq!(ending, NONE);
    until_state(&queue, "x", "CompleteCommit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_hangs_for_too_long_is_answered_and_goes_on_later() {
    let queue = start(Duration::from_millis(1)).await;
    let mut x = None;
    // A sync that is slow is no reason to fail here.
    for _ in 0..TRIES {
        let got = queue.init(init_request("x")).await;
        if got.error_code == NONE {
            x = Some(Producer {
                transactional_id: "x".to_owned(),
                id: got.producer_id,
                epoch: got.producer_epoch,
            });
            break;
        }
    }
    let x = x.expect("some sync is fast enough");
    let parking = queue.disk.park_every(Call::Sync, &stored_in("x"));
    for _ in 0..3 {
        assert_eq!(queue.add(&x, &[("t", &[0])]).await, [NOT_AVAILABLE]);
    }
    assert_eq!(queue.state("x"), "Empty");
    parking.release();
    for _ in 0..TRIES {
        if queue.add(&x, &[("t", &[0])]).await == [NONE] {
            break;
        }
    }
    for _ in 0..TRIES {
        if end(&queue, &x, true).await == NONE {
            break;
        }
    }
    until_state(&queue, "x", "CompleteCommit").await;
}

/// The log of `x` begins a new segment, and the disk makes no file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_hangs_holds_up_no_other_partition() {
    let queue = start(never()).await;
    let parking = queue.disk.park_every(Call::Create, &stored_in("x"));
    let (last, ()) = tokio::join!(
        async {
            let mut last = queue.producer("x").await;
            for _ in 0..TRIES {
                if parking.count() > 0 {
                    break;
                }
                last = queue.producer("x").await;
            }
            last
        },
        async {
            parked(&parking).await;
            others_go_on(&queue).await;
            parking.release();
        }
    );
    assert_eq!(queue.add(&last, &[("t", &[0])]).await, [NONE]);
    assert_eq!(end(&queue, &last, true).await, NONE);
    until_state(&queue, "x", "CompleteCommit").await;
}

/// The disk is full after so many bytes of the end of a transaction, at each place of it.
#[tokio::test]
async fn a_full_disk_loses_nothing_and_it_goes_on_when_there_is_space() {
    let queue = start(never()).await;
    let (mut before, mut within) = (0, 0);
    for space in (0..600).step_by(20) {
        for commits in [true, false] {
            let x = open(&queue, "x", &[("t", &[0])]).await;
            let start = queue.partition(0).ends().unwrap().log_end;
            queue.disk.set_space(Some(space));
            let first = queue.end_txn(&x, commits).await;
            match (first, queue.state("x").as_str()) {
                (NOT_AVAILABLE, "Ongoing") => before += 1,
                (NONE, "PrepareCommit" | "PrepareAbort") => within += 1,
                (NONE, "CompleteCommit" | "CompleteAbort") => {}
                other => panic!("{space}: {other:?}"),
            }
            let ends = queue.partition(0).ends().unwrap();
            let is_marked = ends.log_end > start;
            assert_eq!(ends.last_stable == ends.log_end, is_marked, "{space}");
            queue.disk.set_space(None);
            assert_eq!(end(&queue, &x, commits).await, NONE, "{space}");
            let state = if commits {
                "CompleteCommit"
            } else {
                "CompleteAbort"
            };
            until_state(&queue, "x", state).await;
            let ends = queue.partition(0).ends().unwrap();
            assert_eq!(ends.last_stable, ends.log_end, "{space}");
        }
    }
    assert!(before > 0 && within > 0, "{before} {within}");
}

/// How many bytes the log of `id` has.
fn size(queue: &Queue, id: &str) -> u64 {
    let files = queue.disk.files().into_iter();
    let files = files.filter(|(path, _)| path.starts_with(stored_in(id)));
    files.map(|(_, bytes)| bytes.len() as u64).sum()
}

#[tokio::test]
async fn a_transaction_that_times_out_on_a_full_disk_is_aborted_when_there_is_space() {
    let queue = start(never()).await;
    let before = queue.producer("x").await;
    let empty = size(&queue, "x");
    assert_eq!(queue.add(&before, &[("t", &[0])]).await, [NONE]);
    let of_one = size(&queue, "x") - empty;
    assert_eq!(end(&queue, &before, true).await, NONE);
    until_state(&queue, "x", "CompleteCommit").await;
    let mut request = init_request("x");
    request.transaction_timeout_ms = 1;
    let got = queue.init(request).await;
    let x = Producer {
        id: got.producer_id,
        epoch: got.producer_epoch,
        ..before
    };
    // The room is enough for the begin, and for no abort.
    queue.disk.set_space(Some(of_one + of_one / 2));
    let begin = queue.disk.counts().writes;
    assert_eq!(queue.add(&x, &[("t", &[0])]).await, [NONE]);
    let is_tried = || queue.disk.counts().writes >= begin + 4;
    until("the abort is tried again", is_tried).await;
    assert_eq!(queue.state("x"), "Ongoing");
    queue.disk.set_space(None);
    until_state(&queue, "x", "CompleteAbort").await;
    let fenced = queue.end_txn(&x, true).await;
    assert_eq!(fenced, ErrorCode::PRODUCER_FENCED);
    let queue = queue.after_power_failure().await;
    until_state(&queue, "x", "CompleteAbort").await;
}

/// `u` is offline between the decision and its marker.
async fn without_u(queue: &Queue) -> Producer {
    let x = open(queue, "x", &[("t", &[0]), ("u", &[0])]).await;
    let u = queue.broker.topics.partition(&name("u"), PartitionIndex(0));
    let u = u.unwrap();
    let parking = queue.disk.park_next(Call::Sync, Path::new("/data/u-0"));
    let ((), ended) = tokio::join!(
        async {
            parked(&parking).await;
            let is_marked = || queue.partition(0).ends().unwrap().durable.0 == 2;
            until("a marker beside the one that hangs", is_marked).await;
            fail(queue, &parking);
            until("the partition is offline", || u.ends().is_err()).await;
        },
        queue.end_txn(&x, true)
    );
    // What is decided is answered, and what can be marked is.
    assert_eq!(ended, NONE);
    assert_eq!(queue.last_stable(), 2);
    assert_eq!(queue.state("x"), "PrepareCommit");
    let next = queue.init(init_request("x")).await.error_code;
    assert_eq!(next, ErrorCode::CONCURRENT_TRANSACTIONS);
    others_go_on(queue).await;
    x
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_is_offline_gets_its_marker_after_a_restart() {
    let queue = start(never()).await;
    let x = without_u(&queue).await;
    let queue = queue.after_power_failure().await;
    assert_eq!(end(&queue, &x, true).await, NONE);
    until_state(&queue, "x", "CompleteCommit").await;
    assert_eq!(queue.producer("x").await.epoch, x.epoch + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_deleted_before_its_marker_ends_the_wait() {
    let queue = start(never()).await;
    let x = without_u(&queue).await;
    queue.broker.topics.delete(&name("u")).await.unwrap();
    until_state(&queue, "x", "CompleteCommit").await;
    assert_eq!(queue.producer("x").await.epoch, x.epoch + 1);
}

/// A client that asks while a partition's log is read is told to ask again; the others are served.
/// Writes to a partition in a transaction that has only named it.
async fn write(queue: &Queue, producer: i64) -> Result<(), ErrorCode> {
    let sent = sent(producer, 0).in_transaction();
    queue.send_to(3, NOW, sent, &["a"]).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_is_being_read_answers_so_and_holds_up_nobody() {
    let queue = start(never()).await;
    let x = open(&queue, "x", &[("t", &[0, 3])]).await;
    queue.producer("y").await;
    let queue = Queue::open(&queue.disk.crash(), queue.settings.clone());
    queue.groups.load().await;
    let parking = queue.disk.park_next(Call::Read, &stored_in("x"));
    let (all, ()) = tokio::join!(queue.transactions.load(), async {
        parked(&parking).await;
        let loading = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
        assert_eq!(queue.end_txn(&x, true).await, loading);
        assert_eq!(queue.add(&x, &[("t", &[0])]).await, [loading]);
        assert_eq!(queue.add_offsets(&x, "g").await, loading);
        assert_eq!(queue.init(init_request("x")).await.error_code, loading);
        assert_eq!(queue.describe("x").error_code, loading);
        let listed =
            api::list_transactions(&queue.transactions, ListTransactionsRequest::default());
        assert_eq!(listed.error_code, loading);
        // Its transaction goes on, as soon as that is known.
        let later = write(&queue, x.id).await;
        assert_eq!(later, Err(ErrorCode::NOT_ENOUGH_REPLICAS));
        let is_served = || queue.describe("y").error_code != loading;
        until("the other partition is served", is_served).await;
        let y = queue.producer("y").await;
        assert_eq!(queue.add(&y, &[("t", &[1])]).await, [NONE]);
        assert_eq!(end(&queue, &y, true).await, NONE);
        queue.send(sent(77, 0), &["b"]).await.unwrap();
        parking.release();
    });
    let () = all;
    assert_eq!(write(&queue, x.id).await, Ok(()));
    let unknown = write(&queue, 99).await;
    assert_eq!(unknown, Err(ErrorCode::INVALID_TXN_STATE));
    assert_eq!(end(&queue, &x, true).await, NONE);
}
