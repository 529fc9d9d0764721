//! Several workers, the order of each key, and what is committed.

use tokio::time::timeout;

use ordering::process_in_order;

use crate::fake::Fake;
use crate::recorder::Recorder;
use crate::{PATIENCE, client, send, settings, topics};

const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_a_key_keep_their_order() {
    let fake = Fake::start(&[("orders", 2)]).await;
    send(&fake, &KEYS, 0, 100).await;
    let recorder = Recorder::new();
    let stop = recorder.clone().settled(500);
    let run = process_in_order(
        client(&fake).await,
        topics(),
        recorder.clone(),
        settings(4, 50),
        stop,
    );
    timeout(PATIENCE, run).await.unwrap().unwrap();
    for key in KEYS {
        assert_eq!(recorder.numbers(key), (0..100).collect::<Vec<_>>(), "{key}");
    }
    let committed: i64 = (0..2)
        .map(|index| fake.committed("billing", "orders", index).unwrap())
        .sum();
    assert_eq!(committed, 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_one_goes_on_where_this_one_stopped() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &KEYS, 0, 40).await;
    let recorder = Recorder::new();
    for stopped_after in [37, 111, 200] {
        let stop = recorder.clone().settled(stopped_after);
        let run = process_in_order(
            client(&fake).await,
            topics(),
            recorder.clone(),
            settings(3, 20),
            stop,
        );
        timeout(PATIENCE, run).await.unwrap().unwrap();
    }
    for key in KEYS {
        assert_eq!(recorder.numbers(key), (0..40).collect::<Vec<_>>(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_record_holds_up_its_key_and_fills_the_window_at_most() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &["slow"], 0, 1).await;
    send(&fake, &KEYS, 0, 40).await;
    let recorder = Recorder::with_gate("slow");
    let stop = recorder.clone().settled(201);
    let run = tokio::spawn(process_in_order(
        client(&fake).await,
        topics(),
        recorder.clone(),
        settings(4, 20),
        stop,
    ));
    let meanwhile = recorder.clone().settled(19);
    timeout(PATIENCE, meanwhile).await.unwrap();
    assert_eq!(recorder.processed().len(), 19, "beside the slow one");
    assert_eq!(fake.committed("billing", "orders", 0).unwrap_or(0), 0);
    recorder.open_gate();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!(fake.committed("billing", "orders", 0), Some(201));
    for key in KEYS {
        assert_eq!(recorder.numbers(key), (0..40).collect::<Vec<_>>(), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_is_committed_while_others_work() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &["a"], 0, 30).await;
    send(&fake, &["slow"], 0, 1).await;
    let recorder = Recorder::with_gate("slow");
    let committed = async {
        // The slow one is in hand, and everything before it is committed.
        while fake.committed("billing", "orders", 0) != Some(30) {
            tokio::task::yield_now().await;
        }
        recorder.open_gate();
    };
    let run = process_in_order(
        client(&fake).await,
        topics(),
        recorder.clone(),
        settings(2, 20),
        committed,
    );
    timeout(PATIENCE, run).await.unwrap().unwrap();
    assert_eq!(fake.committed("billing", "orders", 0), Some(31));
}
