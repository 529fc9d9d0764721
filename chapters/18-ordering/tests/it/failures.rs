//! Records that cannot be processed.

use tokio::time::timeout;

use ordering::process_in_order;

use crate::fake::Fake;
use crate::recorder::Recorder;
use crate::{PATIENCE, client, send, settings, topics};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_record_is_tried_again_then_kept_and_others_go_on() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &["a", "b"], 0, 20).await;
    let recorder = Recorder::failing("a 7");
    let stop = recorder.clone().settled(40);
    let run = process_in_order(
        client(&fake).await,
        topics(),
        recorder.clone(),
        settings(2, 10),
        stop,
    );
    timeout(PATIENCE, run).await.unwrap().unwrap();
    assert_eq!(recorder.kept(), ["a 7"]);
    assert_eq!(recorder.tries("a 7"), 2);
    let others: Vec<_> = (0..20).filter(|number| *number != 7).collect();
    assert_eq!(recorder.numbers("a"), others);
    assert_eq!(recorder.numbers("b"), (0..20).collect::<Vec<_>>());
    assert_eq!(fake.committed("billing", "orders", 0), Some(40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_what_pauses() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &["a"], 0, 3).await;
    let recorder = Recorder::failing("a 0");
    let begun = recorder.clone();
    let stop = async move { begun.begun(1).await };
    let run = process_in_order(
        client(&fake).await,
        topics(),
        recorder.clone(),
        settings(2, 10),
        stop,
    );
    timeout(PATIENCE / 2, run).await.unwrap().unwrap();
    assert_eq!(recorder.kept(), ["a 0"]);
    assert_eq!(recorder.tries("a 0"), 2);
    assert!(fake.committed("billing", "orders", 0) >= Some(1));
}
