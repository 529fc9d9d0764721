//! Partitions that go from one consumer to another.

use tokio::sync::oneshot;
use tokio::time::timeout;

use ordering::process_in_order;

use crate::fake::Fake;
use crate::recorder::Recorder;
use crate::{PATIENCE, client, send, settings, topics};

/// Keys that are in both partitions.
const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_hand_is_finished_before_the_partition_goes() {
    let fake = Fake::start(&[("orders", 2)]).await;
    send(&fake, &KEYS, 0, 100).await;
    // Both note in one place, so a record that both process is seen.
    let recorder = Recorder::new();
    let (stop_first, stopped_first) = oneshot::channel::<()>();
    let first = tokio::spawn(process_in_order(
        client(&fake).await,
        topics(),
        recorder.clone(),
        settings(4, 30),
        async {
            let _ = stopped_first.await;
        },
    ));
    timeout(PATIENCE, recorder.clone().settled(50))
        .await
        .unwrap();
    let (stop_second, stopped_second) = oneshot::channel::<()>();
    let second = tokio::spawn(process_in_order(
        client(&fake).await,
        topics(),
        recorder.clone(),
        settings(4, 30),
        async {
            let _ = stopped_second.await;
        },
    ));
    timeout(PATIENCE, recorder.clone().settled(600))
        .await
        .unwrap();
    // New ones, which the two of them share by now, or the first still has alone.
    send(&fake, &KEYS, 100, 50).await;
    timeout(PATIENCE, recorder.clone().settled(900))
        .await
        .unwrap();
    stop_first.send(()).unwrap();
    timeout(PATIENCE, first).await.unwrap().unwrap().unwrap();
    send(&fake, &KEYS, 150, 50).await;
    timeout(PATIENCE, recorder.clone().settled(1_200))
        .await
        .unwrap();
    stop_second.send(()).unwrap();
    timeout(PATIENCE, second).await.unwrap().unwrap().unwrap();
    for key in KEYS {
        assert_eq!(recorder.numbers(key), (0..200).collect::<Vec<_>>(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_what_is_in_hand() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &["slow", "a"], 0, 1).await;
    let recorder = Recorder::with_gate("slow");
    let (stop, stopped) = oneshot::channel::<()>();
    let run = tokio::spawn(process_in_order(
        client(&fake).await,
        topics(),
        recorder.clone(),
        settings(2, 10),
        async {
            let _ = stopped.await;
        },
    ));
    timeout(PATIENCE, recorder.begun(2)).await.unwrap();
    stop.send(()).unwrap();
    recorder.open_gate();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!(recorder.numbers("slow"), [0]);
    assert_eq!(fake.committed("billing", "orders", 0), Some(2));
}

/// The drain takes longer than the group waits, so the first is put out of the group, and the
/// second processes the record too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_comes_back_too_late_changes_nothing() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &["slow", "a"], 0, 20).await;
    let late = Recorder::with_gate("slow");
    let (stop_first, stopped_first) = oneshot::channel::<()>();
    let first = tokio::spawn(process_in_order(
        client(&fake).await,
        topics(),
        late.clone(),
        settings(4, 100),
        async {
            let _ = stopped_first.await;
        },
    ));
    // All of the other key, while the slow one holds the frontier.
    timeout(PATIENCE, late.clone().settled(20)).await.unwrap();
    let quick = Recorder::new();
    let (stop_second, stopped_second) = oneshot::channel::<()>();
    let second = tokio::spawn(process_in_order(
        client(&fake).await,
        topics(),
        quick.clone(),
        settings(4, 100),
        async {
            let _ = stopped_second.await;
        },
    ));
    timeout(PATIENCE, quick.clone().settled(40)).await.unwrap();
    late.open_gate();
    stop_second.send(()).unwrap();
    timeout(PATIENCE, second).await.unwrap().unwrap().unwrap();
    assert_eq!(fake.committed("billing", "orders", 0), Some(40));
    for key in ["slow", "a"] {
        assert_eq!(quick.numbers(key), (0..20).collect::<Vec<_>>(), "{key}");
    }
    // The first one is a member again, and goes on where the second has stopped.
    send(&fake, &["a"], 20, 5).await;
    timeout(PATIENCE, late.done("a 24")).await.unwrap();
    stop_first.send(()).unwrap();
    timeout(PATIENCE, first).await.unwrap().unwrap().unwrap();
    assert_eq!(fake.committed("billing", "orders", 0), Some(45));
    assert_eq!(late.numbers("a")[20..], [20, 21, 22, 23, 24]);
}
