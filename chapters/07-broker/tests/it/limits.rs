//! What one request, or all of them together, may cost.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::api::FetchLimits;
use broker::{ConnectionLimits, Error, error_code};
use networking::ByteBudget;
use record_batch::Batches;
use sim_disk::Call;
use tokio::sync::Semaphore;
use wire_protocol::message::DescribeConfigsRequest;
use wire_protocol::{ErrorCode, encode_request};

use crate::admin::{describe, metadata, resource, topics};
use crate::client::{limits, receive, send, serve_on, with_broker};
use crate::create_topics::{creatable, create_topics};
use crate::support::{
    Broker, LIMITS, NOW, append, batch, bytes, fetch_request, name, produce_request, until,
    until_waiting,
};

/// Each partition takes descriptors: 250 is the limit here.
#[tokio::test]
async fn partitions_of_all_topics_together() {
    let broker = Broker::start();
    broker.create("a", 100).await;
    broker.create("b", 100).await;
    let c = name("c");
    let create = async |partitions| {
        let created = broker
            .topics
            .create(&c, partitions, broker.topics.new_config());
        created.await.map(drop)
    };
    let refused = create(51).await;
    assert!(
        matches!(refused, Err(Error::PartitionCount { max: 50 })),
        "{refused:?}"
    );
    let code = error_code(&refused.unwrap_err());
    assert_eq!(code, ErrorCode::INVALID_PARTITIONS);
    create(50).await.unwrap();
    // What a deleted topic had is free again, and none is left now.
    let none_left = metadata(&broker, Some(&["d"])).await;
    assert_eq!(topics(&none_left)[0].1, ErrorCode::INVALID_PARTITIONS);
    broker.topics.delete(&c).await.unwrap();
    create(50).await.unwrap();
}

/// A request that names a thousand topics that do not exist creates a hundred; its
/// client asks again for the others.
#[tokio::test]
async fn topics_that_one_metadata_request_creates() {
    let broker = Broker::start().but(|broker| broker.partitions_default = 1);
    let names: Vec<String> = (0..150).map(|index| format!("t{index:03}")).collect();
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let ask = async || {
        let response = metadata(&broker, Some(&wanted)).await;
        let codes = topics(&response);
        let created = codes.iter().filter(|(_, code, _)| *code == ErrorCode::NONE);
        let created = created.count();
        let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        let refused = codes.iter().filter(|(_, code, _)| *code == unknown);
        assert_eq!(created + refused.count(), 150);
        created
    };
    assert_eq!(ask().await, 100);
    assert_eq!(broker.topics.all().len(), 100);
    assert_eq!(ask().await, 150);
}

/// The topic that is being created when its client leaves is finished, and it is the last one.
#[tokio::test]
async fn a_creation_stops_when_its_client_is_gone() {
    let broker = Arc::new(Broker::start());
    let creating = {
        let broker = Arc::clone(&broker);
        let names = (0..90).map(|index| format!("t{index:02}"));
        let wanted: Vec<_> = names.map(|name| creatable(&name)).collect();
        tokio::spawn(async move { create_topics(&broker, wanted, false).await })
    };
    until("the first topic is there", || {
        !broker.topics.all().is_empty()
    })
    .await;
    creating.abort();
    assert!(creating.await.unwrap_err().is_cancelled());
    let before = broker.topics.all().len();
    // Creations take turns, so by the end of this one nothing of the others is left.
    for topic in ["y", "z"] {
        broker.create(topic, 1).await;
    }
    let after = broker.topics.all().len() - 2;
    assert!(after <= before + 1, "{before}, then {after}");
    assert!(after < 90);
}

#[tokio::test]
async fn resources_of_one_describe_configs() {
    let broker = Broker::with_topic().await;
    let response = describe(&broker, vec![resource(2, "t", None); 1_500]);
    let refused = |result: &wire_protocol::message::DescribeConfigsResult| {
        result.error_code == ErrorCode::INVALID_REQUEST && result.configs.is_empty()
    };
    assert!(!response.results[..1_000].iter().any(refused));
    assert!(response.results[1_000..].iter().all(refused));
    assert_eq!(response.results.len(), 1_500);
}

/// `fetch.max.bytes` at its largest, and a request that asks for more still.
#[tokio::test]
async fn a_fetch_without_any_limit_of_its_own() {
    let largest = FetchLimits {
        response_bytes_max: 1 << 30,
        ..LIMITS
    };
    let broker = Broker::start().but(|broker| broker.fetch_limits = largest);
    broker.create("t", 100).await;
    let mut wanted = Vec::new();
    for index in 0..100 {
        append(&broker.partition("t", index), NOW, batch(&["a"]))
            .await
            .unwrap();
        wanted.extend([("t", index, 0); 24]);
    }
    let mut request = fetch_request(&wanted, 0, i32::MAX);
    request.max_bytes = i32::MAX;
    for topic in &mut request.topics {
        topic.partitions[0].partition_max_bytes = i32::MAX;
    }
    let response = broker.fetch(request).await;
    let partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions);
    let size: usize = partitions.map(|found| found.records.len()).sum();
    assert_eq!(size, 100 * batch(&["a"]).len());
}

/// A bound on the headers that are read in one go; what is behind comes with the next fetch.
#[tokio::test(start_paused = true)]
async fn batches_of_one_partition_in_a_fetch() {
    const BATCHES: i64 = 5_000;
    let broker = Broker::start();
    broker
        .create_with("t", 1, &[("segment.bytes", "10000000")])
        .await;
    let partition = broker.partition("t", 0);
    for _ in 0..BATCHES {
        append(&partition, NOW, batch(&["a"])).await.unwrap();
    }
    let fetch = async |from| {
        // It would wait for more bytes than there are, if it did not know that there are more.
        let mut request = fetch_request(&[("t", 0, from)], 60_000, 900_000);
        request.topics[0].partitions[0].partition_max_bytes = 1_000_000;
        request.max_bytes = 1_000_000;
        if from > 0 {
            request.max_wait_ms = 0;
        }
        let response = broker.fetch(request).await;
        let found = bytes(&response.responses[0].partitions[0].records);
        Batches::new(&found).count()
    };
    assert_eq!(fetch(0).await, 4_096);
    assert_eq!(fetch(4_096).await, 5_000 - 4_096);
}

/// A fetch that waits counts by the partitions at which it waits; one for which there is
/// no place left is answered with what there is.
#[tokio::test(start_paused = true)]
async fn partitions_at_which_fetches_wait() {
    let places = Arc::new(Semaphore::new(5));
    let broker = Broker::start().but(|broker| broker.waiting_places = Arc::clone(&places));
    broker.create("t", 4).await;
    let broker = Arc::new(broker);
    let wanted: Vec<_> = (0..3).map(|index| ("t", index, 0)).collect();
    let request = fetch_request(&wanted, 50_000, 1);
    let waiting = {
        let (broker, request) = (Arc::clone(&broker), request.clone());
        tokio::spawn(async move { broker.fetch(request).await })
    };
    until_waiting(&broker, 1).await;
    assert_eq!(places.available_permits(), 2);
    let before = broker.clock().now();
    let response = broker.fetch(request).await;
    assert_eq!(response.responses.len(), 3);
    assert_eq!(broker.clock().now(), before, "it has not waited");
    let pair = broker.fetch(fetch_request(&wanted[..2], 1_000, 1)).await;
    assert_eq!(pair.responses.len(), 2);
    assert!(broker.clock().now().since(before) >= Duration::from_secs(1));
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_eq!(places.available_permits(), 5);
}

/// The bytes of a request count while it begins, small ones included, and no longer
/// when it waits for records.
#[tokio::test]
async fn what_requests_hold_of_the_byte_budget() {
    let broker = Arc::new(Broker::with_topic().await);
    let (begun, seen) = (Arc::new(Mutex::new(Vec::new())), limits());
    let budget = seen.budget.clone();
    let answer = {
        let (broker, begun, budget) = (Arc::clone(&broker), Arc::clone(&begun), budget.clone());
        move |request| {
            begun.lock().unwrap().push(budget.taken());
            with_broker(Arc::clone(&broker), request)
        }
    };
    let services = Arc::clone(&broker.services);
    let (mut client, task, _stop) = serve_on(services, seen, answer).await;
    let fetch = encode_request(&fetch_request(&[("t", 0, 0)], 60_000, 1), 11, 1, "test");
    for _ in 0..3 {
        send(&mut client, &fetch).await;
    }
    until_waiting(&broker, 3).await;
    assert!(
        begun
            .lock()
            .unwrap()
            .iter()
            .all(|taken| *taken >= fetch.len())
    );
    until("the budget is free again", || budget.taken() == 0).await;
    drop(client);
    task.await.unwrap();
    assert_eq!(budget.taken(), 0);
}

/// A produce holds its bytes until its answer is on its way: they wait for the disk.
#[tokio::test]
async fn a_produce_holds_its_bytes_until_it_is_answered() {
    let broker = Arc::new(Broker::with_topic().await);
    let limits = limits();
    let budget = limits.budget.clone();
    let answer = {
        let broker = Arc::clone(&broker);
        move |request| with_broker(Arc::clone(&broker), request)
    };
    let services = Arc::clone(&broker.services);
    let (mut client, _task, _stop) = serve_on(services, limits, answer).await;
    let parking = broker.disk.park_next(Call::Sync, Path::new("/data/t-0"));
    let request = produce_request(-1, "t", batch(&["x".repeat(1_000).as_str()]));
    send(&mut client, &encode_request(&request, 7, 1, "test")).await;
    until("a sync stands still", || parking.count() == 1).await;
    assert!(budget.taken() >= 1_000, "{}", budget.taken());
    parking.release();
    receive(&mut client).await;
    until("the budget is free again", || budget.taken() == 0).await;
}

/// A short request with a long answer counts until the client has taken it. A client that
/// reads nothing has one or two of them made, however many it asks for.
#[tokio::test]
async fn an_answer_holds_its_bytes_until_it_is_written() {
    let broker = Arc::new(Broker::with_topic().await);
    let budget = ByteBudget::new(50_000_000);
    let limits = ConnectionLimits {
        budget: budget.clone(),
        pending_max: 100,
        ..limits()
    };
    let answer = {
        let broker = Arc::clone(&broker);
        move |request| with_broker(Arc::clone(&broker), request)
    };
    let services = Arc::clone(&broker.services);
    let (mut client, task, _stop) = serve_on(services, limits, answer).await;
    let request = DescribeConfigsRequest {
        resources: vec![resource(2, "t", None); 1_000],
        include_synonyms: true,
        ..DescribeConfigsRequest::default()
    };
    let one = encode_request(&request, 4, 1, "test");
    // More answers than the sockets have room for, however fast they take them.
    for _ in 0..40 {
        send(&mut client, &one).await;
    }
    until("an answer is made", || budget.taken() > 1_000_000).await;
    let length = receive(&mut client).await.len();
    assert!(length > 1_000_000, "{length}");
    for _ in 1..20 {
        assert!(budget.taken() < 2 * length, "{}", budget.taken());
        assert_eq!(receive(&mut client).await.len(), length);
    }
    drop(client);
    task.await.unwrap();
    assert_eq!(budget.taken(), 0);
}
