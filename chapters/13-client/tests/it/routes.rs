//! How calls find their broker, and how many connections and questions that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use client::{Client, Error, FetchLimits, Settings, Target};
use futures_util::future::join_all;
use message_model::{BrokerId, LeaderEpoch, Offset, TopicName};
use wire_protocol::message::{
    DescribeConfigsRequest, DescribeConfigsResponse, FindCoordinatorRequest,
    FindCoordinatorResponse,
};
use wire_protocol::{ApiKey, ErrorCode, Wire as _};

use crate::LIMIT;
use crate::calls::{connect, partition, produce, produced};
use crate::scripted::{Broker, Then, answer, cluster, move_leader};

const FETCH: FetchLimits = FetchLimits {
    max_wait: Duration::from_secs(1),
    min_bytes: 1,
    max_bytes: 1000,
};

#[tokio::test]
async fn a_waiting_fetch_holds_up_no_produce() {
    let broker = Broker::start(|api, _| match api {
        ApiKey::Fetch => Then::Hold,
        _ => produced(ErrorCode::NONE),
    })
    .await;
    let client = Arc::new(connect(&broker).await);
    let fetching = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.fetch(&partition(), Offset(0), FETCH).await.map(drop) }
    });
    broker.has_seen(ApiKey::Fetch).await;
    assert_eq!(produce(&client).await.unwrap(), Offset(42));
    assert!(!fetching.is_finished());
    fetching.abort();
}

#[tokio::test]
async fn connections_of_its_own_wait_for_no_others_and_close_with_their_client() {
    let mut holds = true;
    let broker = Broker::start(move |_, _| match std::mem::take(&mut holds) {
        true => Then::Hold,
        false => produced(ErrorCode::NONE),
    })
    .await;
    let client = Arc::new(connect(&broker).await);
    let waiting = tokio::spawn({
        let client = Arc::clone(&client);
        async move { produce(&client).await.map(drop) }
    });
    broker.has_seen(ApiKey::Produce).await;
    let other = client.with_own_connections();
    assert_eq!(broker.open(), 2, "none is made before it is needed");
    assert_eq!(produce(&other).await.unwrap(), Offset(42));
    assert_eq!(broker.open(), 4);
    drop(other);
    broker.has_open(2).await;
    assert!(!waiting.is_finished());
    waiting.abort();
}

/// The broker that the first client was given the address of is gone.
#[tokio::test]
async fn connections_of_its_own_go_to_the_brokers_that_the_client_has_learned_of() {
    let nodes = cluster(2);
    let mut first = Broker::join(&nodes, 1, |_, _| Then::Close).await;
    let second = Broker::join(&nodes, 2, |_, _| produced(ErrorCode::NONE)).await;
    let client = connect(&first).await;
    produce(&client).await.unwrap();
    first.stop_accepting().await;
    let other = client.with_own_connections();
    assert_eq!(produce(&other).await.unwrap(), Offset(42));
    assert_eq!(second.count(ApiKey::Produce), 2);
}

#[tokio::test]
async fn calls_that_come_together_share_a_look_up_and_a_dial() {
    let broker = Broker::start(|_, _| produced(ErrorCode::NONE)).await;
    let client = connect(&broker).await;
    for sent in join_all((0..50).map(|_| produce(&client))).await {
        assert_eq!(sent.unwrap(), Offset(42));
    }
    assert_eq!(broker.count(ApiKey::Produce), 50);
    assert_eq!(broker.count(ApiKey::Metadata), 1);
    let dials = broker.count(ApiKey::ApiVersions);
    assert_eq!(dials, 2, "for batches, and for metadata");
}

/// Node 1 refuses once it leads no more; node 2 takes batches.
#[tokio::test]
async fn a_call_that_is_repeated_finds_the_new_leader() {
    let nodes = cluster(1);
    let leads = Arc::new(AtomicBool::new(true));
    let first = Broker::join(&nodes, 1, {
        let leads = Arc::clone(&leads);
        move |_, _| {
            produced(match leads.load(Ordering::Relaxed) {
                true => ErrorCode::NONE,
                false => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            })
        }
    })
    .await;
    let second = Broker::join(&nodes, 2, |_, _| produced(ErrorCode::NONE)).await;
    let client = Arc::new(connect(&first).await);
    produce(&client).await.unwrap();
    leads.store(false, Ordering::Relaxed);
    move_leader(&nodes, 2);
    // In a task of its own: what `retry` returns can be sent to another thread.
    let repeated = tokio::spawn({
        let client = Arc::clone(&client);
        async move {
            let target = Target::Leader(partition());
            let attempt = async || produce(&client).await;
            client.retry(&target, client.deadline(), attempt).await
        }
    });
    assert_eq!(repeated.await.unwrap().unwrap(), Offset(42));
    assert_eq!(first.count(ApiKey::Produce), 2);
    assert_eq!(second.count(ApiKey::Produce), 1);
    assert_eq!(client.staleness().found, 1);
    let topic = TopicName::new("t").unwrap();
    let topic = client.topic(&topic, client.deadline()).await.unwrap();
    assert_eq!(topic.partitions.len(), 1);
    assert_eq!(topic.partitions[0].leader, Some(BrokerId(2)));
    assert_eq!(topic.partitions[0].leader_epoch, Some(LeaderEpoch(0)));
}

#[tokio::test]
async fn a_partition_that_the_topic_lacks_is_unknown() {
    let broker = Broker::start(|_, _| Then::Close).await;
    let client = connect(&broker).await;
    let mut beyond = partition();
    beyond.partition.0 = 1;
    let error = client.fetch(&beyond, Offset(0), FETCH).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    assert_eq!(broker.count(ApiKey::Fetch), 0);
}

#[tokio::test]
async fn a_group_is_asked_at_its_coordinator_which_is_remembered() {
    let nodes = cluster(1);
    let coordinator = Broker::join(&nodes, 2, |_, _| answer(DescribeConfigsResponse::default()));
    let coordinator = coordinator.await;
    let (port, mut is_loading) = (coordinator.port, true);
    let first = Broker::join(&nodes, 1, move |api, mut body| {
        assert_eq!(api, ApiKey::FindCoordinator);
        let request = FindCoordinatorRequest::decode(&mut body).unwrap();
        assert_eq!((request.key.as_str(), request.key_type), ("readers", 0));
        if std::mem::take(&mut is_loading) {
            return answer(FindCoordinatorResponse {
                error_code: ErrorCode::COORDINATOR_NOT_AVAILABLE,
                ..FindCoordinatorResponse::default()
            });
        }
        answer(FindCoordinatorResponse {
            node_id: 2,
            host: "127.0.0.1".to_owned(),
            port: i32::from(port),
            ..FindCoordinatorResponse::default()
        })
    })
    .await;
    let client = connect(&first).await;
    let target = Target::Coordinator("readers".into());
    let request = DescribeConfigsRequest::default();
    let call = async || client.call(&target, &request, client.deadline()).await;
    client
        .retry(&target, client.deadline(), call)
        .await
        .unwrap();
    client
        .call(&target, &request, client.deadline())
        .await
        .unwrap();
    assert_eq!(first.count(ApiKey::FindCoordinator), 2);
    assert_eq!(coordinator.count(ApiKey::DescribeConfigs), 2);
    client.forget(&target);
    client
        .call(&target, &request, client.deadline())
        .await
        .unwrap();
    assert_eq!(first.count(ApiKey::FindCoordinator), 3);
}

#[tokio::test]
async fn a_broker_is_found_by_its_id() {
    let nodes = cluster(1);
    let first = Broker::join(&nodes, 1, |_, _| Then::Close).await;
    let second = Broker::join(&nodes, 2, |_, _| answer(DescribeConfigsResponse::default())).await;
    let client = connect(&first).await;
    let request = DescribeConfigsRequest::default();
    let target = Target::Node(BrokerId(2));
    client
        .call(&target, &request, client.deadline())
        .await
        .unwrap();
    assert_eq!(second.count(ApiKey::DescribeConfigs), 1);
    let nobody = Target::Node(BrokerId(3));
    let error = client.call(&nobody, &request, client.deadline()).await;
    assert!(matches!(error, Err(Error::UnknownBroker(BrokerId(3)))));
}

/// It accepts connections, and answers nothing.
#[tokio::test]
async fn a_bootstrap_broker_that_is_stuck_leaves_time_for_the_next() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stuck = listener.local_addr().unwrap();
    let broker = Broker::start(|_, _| produced(ErrorCode::NONE)).await;
    let settings = Settings {
        patience: Duration::from_millis(400),
        ..Settings::default()
    };
    let bootstrap = format!("{stuck},{}", broker.address());
    let client = Client::connect(&bootstrap, settings).await.unwrap();
    assert_eq!(produce(&client).await.unwrap(), Offset(42));
}

#[tokio::test]
async fn a_retry_ends_before_its_deadline() {
    let broker = Broker::start(|_, _| Then::Close).await;
    let client = connect(&broker).await;
    // From here on there is no socket, so the time may be skipped.
    tokio::time::pause();
    let tries = AtomicU32::new(0);
    let attempt = async || {
        tries.fetch_add(1, Ordering::Relaxed);
        Err::<(), _>(Error::Broker(ErrorCode::REQUEST_TIMED_OUT))
    };
    let began = client.clock().now();
    let deadline = began.plus(LIMIT);
    let error = client.retry(&Target::Any, deadline, attempt).await;
    assert_eq!(
        error.unwrap_err().code(),
        Some(ErrorCode::REQUEST_TIMED_OUT)
    );
    assert!(client.clock().now() < deadline);
    // Pauses of half a second to a second, but for the first ones.
    let tries = tries.load(Ordering::Relaxed);
    assert!((20..45).contains(&tries), "{tries} attempts in 20 s");
}
