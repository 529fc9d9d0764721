//! Names in a topic of a broker in this process.

use std::sync::Arc;
use std::time::Duration;

use client::{Client, OffsetSpec, Settings};
use message_model::{PartitionIndex, TopicName, TopicPartition};
use producer::{Producer, Record};
use rpc_names::{Error, open};
use tokio::time::timeout;

use crate::broker::Served;
use crate::{LONG, PATIENCE, until};

const SHORT: Duration = Duration::from_secs(1);

async fn client(served: &Served) -> Arc<Client> {
    let address = served.address();
    let client = Client::connect(&address, Settings::default());
    Arc::new(client.await.unwrap())
}

#[tokio::test]
async fn a_server_is_known_from_its_registration_until_it_is_closed() {
    let served = Served::start();
    let mut early = open(&served.names(), LONG).await.unwrap();
    assert_eq!(early.living("Greeter"), [""; 0]);
    let server = open(&served.names(), LONG).await.unwrap();
    let registration = server.register("Greeter", "127.0.0.1:1").await.unwrap();
    let _other = server.register("Other", "127.0.0.1:1").await.unwrap();
    until(&mut early, "Greeter", &["127.0.0.1:1"]).await;
    let late = open(&served.names(), LONG).await.unwrap();
    assert_eq!(late.living("Greeter"), ["127.0.0.1:1"]);
    registration.close().await.unwrap();
    until(&mut early, "Greeter", &[]).await;
    let late = open(&served.names(), LONG).await.unwrap();
    assert_eq!(late.living("Greeter"), [""; 0]);
    assert_eq!(late.living("Other"), ["127.0.0.1:1"]);
}

#[tokio::test]
async fn heartbeats_keep_a_server_known() {
    let served = Served::start();
    let mut names = open(&served.names(), SHORT).await.unwrap();
    let _kept = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:1"]).await;
    let client = client(&served).await;
    let topic = topic_partition();
    // The lease of the registration would have ended with the third heartbeat.
    loop {
        let end = client
            .list_offset(&topic, OffsetSpec::Latest)
            .await
            .unwrap();
        if end.unwrap().0 > 6 {
            break;
        }
        assert_eq!(names.living("Greeter"), ["127.0.0.1:1"]);
        tokio::task::yield_now().await;
    }
}

fn topic_partition() -> TopicPartition {
    TopicPartition {
        topic: TopicName::new("names").unwrap(),
        partition: PartitionIndex(0),
    }
}

#[tokio::test]
async fn a_topic_that_is_larger_than_a_fetch_is_read_to_its_end() {
    let served = Served::start();
    let server = open(&served.names(), LONG).await.unwrap();
    let _first = server.register("Other", "127.0.0.1:1").await.unwrap();
    let producer = Producer::new(client(&served).await, producer::Settings::default());
    let (topic, large) = (TopicName::new("names").unwrap(), vec![b'x'; 400_000]);
    for _ in 0..4 {
        let sent = producer
            .send(&topic, Record::of_key(b"large", &large))
            .await;
        sent.await.unwrap();
    }
    let _kept = server.register("Greeter", "127.0.0.1:1").await.unwrap();
    let names = open(&served.names(), LONG).await.unwrap();
    assert_eq!(names.living("Greeter"), ["127.0.0.1:1"]);
}

#[tokio::test]
async fn records_that_are_no_names_are_passed_over() {
    let served = Served::start();
    let mut names = open(&served.names(), LONG).await.unwrap();
    let _first = names.register("Other", "127.0.0.1:1").await.unwrap();
    let producer = Producer::new(client(&served).await, producer::Settings::default());
    let topic = TopicName::new("names").unwrap();
    let records: [(&[u8], &[u8]); 6] = [
        (b"Greeter", b"9999999999999"),
        (b"Greeter 127.0.0.1:1", b"soon"),
        (b"Greeter 127.0.0.1:1", b"1"),
        (b"\xff\xff", b"\xff"),
        (b"Greeter 127.0.0.1:1", b"-9223372036854775808"),
        (b"", b""),
    ];
    for (key, value) in records {
        let sent = producer.send(&topic, Record::of_key(key, value)).await;
        sent.await.unwrap();
    }
    let _kept = names.register("Greeter", "127.0.0.1:2").await.unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:2"]).await;
    let late = open(&served.names(), LONG).await.unwrap();
    assert_eq!(late.living("Greeter"), ["127.0.0.1:2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_stays_known_while_the_queue_is_gone() {
    let lease = SHORT * 5;
    let mut served = Served::start();
    let mut names = open(&served.names(), lease).await.unwrap();
    let server = open(&served.names(), lease).await.unwrap();
    let registration = server.register("Greeter", "127.0.0.1:1").await.unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:1"]).await;
    served.stop();
    // This takes the length of a lease.
    let refused = names.register("Greeter", "127.0.0.1:2").await;
    assert!(
        matches!(refused, Err(Error::TooSlow | Error::Queue(_))),
        "{refused:?}"
    );
    assert_eq!(names.living("Greeter"), ["127.0.0.1:1"]);
    let opened = open(&served.names(), lease).await;
    assert!(matches!(opened, Err(Error::Queue(_))), "{opened:?}");
    // When it is back, heartbeats are heard before the lease ends.
    served.start_again();
    let new = loop {
        if let Ok(registration) = server.register("Greeter", "127.0.0.1:3").await {
            break registration;
        }
        assert_eq!(names.living("Greeter"), ["127.0.0.1:1"]);
    };
    while !names.living("Greeter").contains(&"127.0.0.1:3".to_owned()) {
        assert!(names.living("Greeter").contains(&"127.0.0.1:1".to_owned()));
        names.changed().await;
    }
    assert!(names.living("Greeter").contains(&"127.0.0.1:1".to_owned()));
    registration.close().await.unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:3"]).await;
    drop(new);
}

#[tokio::test]
async fn a_topic_that_is_deleted_and_made_again_is_read_from_its_beginning() {
    let served = Served::start();
    let mut names = open(&served.names(), LONG).await.unwrap();
    for _ in 0..5 {
        let registration = names.register("Greeter", "127.0.0.1:1").await.unwrap();
        until(&mut names, "Greeter", &["127.0.0.1:1"]).await;
        registration.close().await.unwrap();
        until(&mut names, "Greeter", &[]).await;
    }
    client(&served)
        .await
        .delete_topic(&topic_partition().topic)
        .await
        .unwrap();
    let server = open(&served.names(), LONG).await.unwrap();
    let _kept = server.register("Greeter", "127.0.0.1:2").await.unwrap();
    until(&mut names, "Greeter", &["127.0.0.1:2"]).await;
}

#[tokio::test]
async fn a_topic_is_created_when_a_server_registers_and_not_when_it_is_read() {
    let served = Served::start();
    let mut names = open(&served.names(), LONG).await.unwrap();
    let client = client(&served).await;
    let topics = async || client.metadata(None).await.unwrap().topics.len();
    assert_eq!(names.living("Greeter"), [""; 0]);
    assert_eq!(topics().await, 0);
    let _kept = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    assert_eq!(topics().await, 1);
    until(&mut names, "Greeter", &["127.0.0.1:1"]).await;
}

#[tokio::test]
async fn a_topic_that_is_gone_comes_back_with_the_next_heartbeat() {
    let served = Served::start();
    let names = open(&served.names(), SHORT).await.unwrap();
    let _kept = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    let client = client(&served).await;
    let deleted = client.delete_topic(&topic_partition().topic).await;
    deleted.unwrap();
    // Nothing but the server's heartbeats can bring it back.
    let comes_back = async {
        let end = async || {
            client
                .list_offset(&topic_partition(), OffsetSpec::Latest)
                .await
        };
        while !matches!(end().await, Ok(Some(end)) if end.0 > 0) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, comes_back).await.unwrap();
    let mut late = open(&served.names(), SHORT).await.unwrap();
    until(&mut late, "Greeter", &["127.0.0.1:1"]).await;
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_a_topic_that_is_gone() {
    let served = Served::start();
    let names = open(&served.names(), LONG).await.unwrap();
    let registration = names.register("Greeter", "127.0.0.1:1").await.unwrap();
    let client = client(&served).await;
    let deleted = client.delete_topic(&topic_partition().topic).await;
    deleted.unwrap();
    let closed = timeout(PATIENCE, registration.close()).await;
    closed.unwrap().unwrap();
    assert_eq!(client.metadata(None).await.unwrap().topics.len(), 0);
}
