//! What an append costs beside those who wait for other things, counted.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use message_model::Offset;
use tokio::task::JoinHandle;
use wire_protocol::message::FetchRequest;

use crate::support::{Broker, batch, fetch_request, notes, until, until_waiting};

/// The waits that were polled.
type Polled = Arc<Mutex<BTreeSet<usize>>>;

/// A fetch in a task that notes whenever it is looked at.
fn spawn(
    broker: &Arc<Broker>,
    number: usize,
    polled: &Polled,
    request: FetchRequest,
) -> JoinHandle<()> {
    let (broker, polled) = (Arc::clone(broker), Arc::clone(polled));
    tokio::spawn(async move {
        let mut fetch = pin!(broker.fetch(request));
        let watched = std::future::poll_fn(|context| {
            polled.lock().unwrap().insert(number);
            fetch.as_mut().poll(context)
        });
        watched.await;
    })
}

/// A thousand consumers wait at a hundred partitions each; ten of them at one more. A
/// record there wakes those ten, and nobody looks at the notes of any other partition.
#[tokio::test(start_paused = true)]
async fn a_thousand_fetches_of_a_hundred_partitions() {
    const FETCHES: usize = 1_000;
    const WOKEN: usize = 10;
    let broker = Arc::new(Broker::start());
    broker.create("wide", 100).await;
    broker.create("t", 1).await;
    let polled = Polled::default();
    let wide: Vec<_> = (0..100).map(|index| ("wide", index, 0)).collect();
    let fetches: Vec<_> = (0..FETCHES)
        .map(|number| {
            let mut wanted = wide.clone();
            if number < WOKEN {
                wanted.push(("t", 0, 0));
            }
            let request = fetch_request(&wanted, 60_000, 1);
            spawn(&broker, number, &polled, request)
        })
        .collect();
    until_waiting(&broker, FETCHES).await;
    let (t, last) = (broker.partition("t", 0), broker.partition("wide", 99));
    assert_eq!((notes(&t), notes(&last)), (WOKEN, FETCHES));

    polled.lock().unwrap().clear();
    broker.write(1, "t", &["a"]).await;
    assert_eq!(notes(&t), 0, "they are handed out");
    until("the ten have ended", || {
        fetches[..WOKEN].iter().all(JoinHandle::is_finished)
    })
    .await;
    let woken: Vec<usize> = polled.lock().unwrap().iter().copied().collect();
    assert_eq!(woken, (0..WOKEN).collect::<Vec<_>>());
    assert_eq!(broker.services.fetches.len(), FETCHES - WOKEN);
    assert_eq!(notes(&last), FETCHES - WOKEN, "theirs are withdrawn");

    for fetch in &fetches {
        fetch.abort();
    }
    for fetch in fetches {
        // An error says that it was aborted.
        let _ = fetch.await;
    }
    assert!(broker.services.fetches.is_empty());
    for index in 0..100 {
        assert_eq!(notes(&broker.partition("wide", index)), 0);
    }
}

/// A fetch that has woken and left takes back the notes that it left elsewhere.
#[tokio::test(start_paused = true)]
async fn expiry_leaves_nothing_either() {
    let broker = Arc::new(Broker::start());
    broker.create("t", 20).await;
    let wanted: Vec<_> = (0..20).map(|index| ("t", index, 0)).collect();
    let response = broker.fetch(fetch_request(&wanted, 5_000, 1)).await;
    assert_eq!(response.responses.len(), 20);
    assert!(broker.services.fetches.is_empty());
    for index in 0..20 {
        assert_eq!(notes(&broker.partition("t", index)), 0);
    }
}

/// How many bytes came is a subtraction: no header is read before there is enough.
#[tokio::test(start_paused = true)]
async fn min_bytes_reads_nothing_before_there_is_enough() {
    let broker = Arc::new(Broker::start());
    let large = [("segment.bytes", "10000000")];
    broker.create_with("t", 1, &large).await;
    let size = batch(&["a"]).len();
    for _ in 0..600 {
        broker.write(1, "t", &["a"]).await;
    }
    let min_bytes = i32::try_from(603 * size).unwrap();
    let polled = Polled::default();
    let fetch = spawn(
        &broker,
        0,
        &polled,
        fetch_request(&[("t", 0, 0)], 60_000, min_bytes),
    );
    until_waiting(&broker, 1).await;
    let reads = || broker.disk.counts().reads;
    let before = reads();
    assert!(before > 0, "the first look reads headers");
    for _ in 0..2 {
        polled.lock().unwrap().clear();
        broker.write(1, "t", &["a"]).await;
        until("it has looked again", || !polled.lock().unwrap().is_empty()).await;
        until_waiting(&broker, 1).await;
        assert_eq!(reads(), before);
    }
    broker.write(1, "t", &["a"]).await;
    fetch.await.unwrap();
    assert!(reads() > before);
    let ends = broker.partition("t", 0).ends().unwrap();
    assert_eq!(ends.high_watermark, Offset(603));
}

/// An acknowledgement's note is at its own offset: an earlier sync does not wake it.
#[tokio::test]
async fn an_acknowledgement_is_woken_once() {
    let broker = Arc::new(Broker::with_topic().await);
    let path = std::path::Path::new("/data/t-0");
    let parking = broker.disk.park_next(sim_disk::Call::Sync, path);
    let produce = |polls: Arc<Mutex<usize>>| {
        let broker = Arc::clone(&broker);
        tokio::spawn(async move {
            let mut produce = pin!(broker.produce(-1, "t", batch(&["a"])));
            std::future::poll_fn(|context| {
                *polls.lock().unwrap() += 1;
                match produce.as_mut().poll(context) {
                    Poll::Ready(answer) => Poll::Ready(answer.error_code),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await
        })
    };
    let polls: [Arc<Mutex<usize>>; 2] = Default::default();
    let first = produce(Arc::clone(&polls[0]));
    until("a sync stands still", || parking.count() == 1).await;
    let second = produce(Arc::clone(&polls[1]));
    until("both wait", || broker.services.acknowledgements.len() == 2).await;
    let before = *polls[1].lock().unwrap();
    parking.release();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(*polls[1].lock().unwrap(), before + 1);
}
