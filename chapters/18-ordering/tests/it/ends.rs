//! What is left when a run does not end by itself.

use std::sync::Mutex;
use std::time::Duration;

use client::ConsumedRecord;
use message_model::TopicPartition;
use ordering::{Failed, Processor, Settings, process_in_order};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::fake::Fake;
use crate::recorder::Recorder;
use crate::{PATIENCE, client, send, settings, topics};

/// Its receiver hears when the processor is dropped, which each worker has a share of.
struct Held {
    _ends: oneshot::Sender<()>,
    begun: Mutex<Option<oneshot::Sender<()>>>,
}

impl Processor for Held {
    async fn process(&self, _: &TopicPartition, _: &ConsumedRecord) -> Result<(), Failed> {
        let begun = self.begun.lock().unwrap().take();
        begun.into_iter().for_each(|begun| begun.send(()).unwrap());
        Ok(())
    }

    async fn give_up(&self, _: &TopicPartition, _: &ConsumedRecord) -> Result<(), Failed> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_dropped_leaves_no_worker_behind() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &["a"], 0, 5).await;
    let ((ends, ended), (begun, has_begun)) = (oneshot::channel(), oneshot::channel());
    let held = Held {
        _ends: ends,
        begun: Mutex::new(Some(begun)),
    };
    let run = tokio::spawn(process_in_order(
        client(&fake).await,
        topics(),
        held,
        settings(3, 10),
        std::future::pending(),
    ));
    timeout(PATIENCE, has_begun).await.unwrap().unwrap();
    run.abort();
    let dropped = timeout(PATIENCE, ended).await;
    assert!(dropped.unwrap().is_err(), "nothing is sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_hangs_does_not_hold_up_a_stop_for_ever() {
    let fake = Fake::start(&[("orders", 1)]).await;
    send(&fake, &["a"], 0, 3).await;
    send(&fake, &["slow", "a"], 3, 3).await;
    let recorder = Recorder::with_gate("slow");
    let impatient = Settings {
        drain_patience: Duration::from_millis(50),
        ..settings(2, 20)
    };
    let stop = recorder.clone().settled(6);
    let topics = topics();
    let run = process_in_order(
        client(&fake).await,
        topics,
        recorder.clone(),
        impatient,
        stop,
    );
    timeout(PATIENCE, run).await.unwrap().unwrap();
    let committed = fake.committed("billing", "orders", 0);
    assert_eq!(committed, Some(3), "the record that hangs is not done");
}
