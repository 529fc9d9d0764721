//! Connections over real sockets: order, silence, a stop, and batches from end to end.

use std::sync::{Arc, Mutex};

use broker::api::Acknowledgement;
use broker::{
    AbortedTransaction, Admission, Answer, Entry, Producers, Request, TopicsConfig, serving,
};
use message_model::{Offset, OffsetRange, ProducerEpoch, ProducerId};
use record_batch::BatchHeader;
use sim_disk::SimDisk;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use wire_protocol::message::{
    ApiVersionsRequest, FetchRequest, FindCoordinatorRequest, MetadataRequest,
};
use wire_protocol::{ApiKey, ErrorCode, Malformed, decode_response, encode_request};

use crate::client::{api_versions, closed, correlation_id, limits, receive, send, serve, simple};
use crate::support::{Broker, batch, config, fetch_request, produce_request};

#[tokio::test]
async fn answers_keep_the_order_of_the_requests() {
    let (mut client, _task, _stop) = serve(limits(), simple).await;
    let find = encode_request(&FindCoordinatorRequest::default(), 2, 8, "test");
    let requests = [api_versions(3, 7), find, api_versions(0, 9)];
    let all: Vec<u8> = requests
        .iter()
        .flat_map(|one| networking::frame(one))
        .collect();
    client.write_all(&all).await.unwrap();
    let answers = [
        receive(&mut client).await,
        receive(&mut client).await,
        receive(&mut client).await,
    ];
    assert_eq!(
        answers.each_ref().map(|answer| correlation_id(answer)),
        [7, 8, 9]
    );
    let versions = decode_response::<ApiVersionsRequest>(&answers[0], 3).unwrap();
    assert_eq!(versions.api_keys.len(), ApiKey::ALL.len());
    let coordinator = decode_response::<FindCoordinatorRequest>(&answers[1], 2).unwrap();
    assert_eq!(coordinator.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_and_the_client_goes_on() {
    let (mut client, _task, _stop) = serve(limits(), simple).await;
    for version in [4, 99, -1] {
        let mut request = api_versions(3, 5);
        request[2..4].copy_from_slice(&i16::to_be_bytes(version));
        send(&mut client, &request).await;
        let answer = decode_response::<ApiVersionsRequest>(&receive(&mut client).await, 0).unwrap();
        assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION);
        let row = &answer.api_keys[0];
        assert_eq!((row.api_key, row.min_version, row.max_version), (18, 0, 3));
    }
    send(&mut client, &api_versions(3, 6)).await;
    assert_eq!(correlation_id(&receive(&mut client).await), 6);
}

#[tokio::test]
async fn a_request_without_an_answer_gets_none() {
    let (mut client, _task, _stop) = serve(limits(), simple).await;
    send(
        &mut client,
        &encode_request(&MetadataRequest::default(), 4, 5, "test"),
    )
    .await;
    send(&mut client, &api_versions(3, 6)).await;
    assert_eq!(
        correlation_id(&receive(&mut client).await),
        6,
        "not a byte for the first one"
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_given_closes_the_connection() {
    let (mut client, _task, _stop) = serve(limits(), simple).await;
    send(
        &mut client,
        &encode_request(&FetchRequest::default(), 11, 5, "test"),
    )
    .await;
    closed(&mut client).await;
}

#[tokio::test]
async fn a_stop_closes_an_idle_connection_and_answers_a_request_in_progress() {
    let (mut client, task, stop) = serve(limits(), simple).await;
    stop.send(true).unwrap();
    closed(&mut client).await;
    task.await.unwrap();

    let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (start, wait) = (Arc::clone(&started), Arc::clone(&go_on));
    let answer = move |request| {
        let (start, wait) = (Arc::clone(&start), Arc::clone(&wait));
        async move {
            start.notify_one();
            wait.notified().await;
            simple(request).await
        }
    };
    let (mut client, task, stop) = serve(limits(), answer).await;
    send(&mut client, &api_versions(3, 5)).await;
    send(&mut client, &api_versions(3, 6)).await;
    started.notified().await;
    stop.send(true).unwrap();
    go_on.notify_one();
    assert_eq!(correlation_id(&receive(&mut client).await), 5);
    closed(&mut client).await;
    task.await.unwrap();
}

/// What the-queue does for these two APIs.
async fn produce_and_fetch(broker: Arc<Broker>, request: Request) -> Result<Answer, Malformed> {
    Ok(match request.api {
        ApiKey::Produce => match broker.acknowledge(request.decode()?).await {
            Acknowledgement::Response(response) => request.answer(&response),
            Acknowledgement::Silence => Answer::Silence,
            Acknowledgement::Close => Answer::Close,
        },
        ApiKey::Fetch => request.answer(&broker.fetch(request.decode()?).await),
        _ => Answer::Close,
    })
}

#[tokio::test]
async fn batches_pass_through_byte_by_byte() {
    let broker = Arc::new(Broker::with_topic());
    let answer = move |request| produce_and_fetch(Arc::clone(&broker), request);
    let (mut client, _task, _stop) = serve(limits(), answer).await;
    let sent = batch(&["a", "b"]);
    for acks in [0, 1, -1] {
        let request = produce_request(acks, "t", sent.clone());
        send(
            &mut client,
            &encode_request(&request, 7, i32::from(acks) + 10, "test"),
        )
        .await;
    }
    assert_eq!(correlation_id(&receive(&mut client).await), 11);
    assert_eq!(correlation_id(&receive(&mut client).await), 9);
    send(
        &mut client,
        &encode_request(&fetch_request(&[("t", 0, 1)], 0, 0), 11, 12, "test"),
    )
    .await;
    let answer = receive(&mut client).await;
    let mut response = decode_response::<FetchRequest>(&answer, 11).unwrap();
    let found = response.responses.remove(0).partitions.remove(0);
    let records = found.records.into_bytes();
    assert_eq!(records.len(), 3 * sent.len());
    assert_eq!(
        records[..sent.len()],
        sent,
        "offset 0, epoch 0: not a byte differs"
    );
}

/// What a panic hook would see at its deepest: in a partition, on the blocking pool.
#[derive(Debug)]
struct Spy;

static SEEN: Mutex<Option<String>> = Mutex::new(None);

impl Producers for Spy {
    fn check(&self, _header: &BatchHeader) -> Admission {
        Admission::Append
    }
    fn record(&mut self, _entry: Entry<'_>, _base_offset: Offset) {}
    fn restore(&mut self, _snapshot: &[u8]) -> Option<Offset> {
        None
    }
    fn first_unstable(&self) -> Option<Offset> {
        None
    }
    fn aborted(&self, _range: OffsetRange) -> Vec<AbortedTransaction> {
        *SEEN.lock().unwrap() = serving();
        Vec::new()
    }
    fn begin(&mut self, _producer_id: ProducerId, _epoch: ProducerEpoch) {}
}

/// What is being served is known wherever it is served, for the last words of a panic.
#[tokio::test]
async fn it_is_known_what_is_served() {
    assert_eq!(serving(), None);
    let spied = TopicsConfig {
        producers: || Box::new(Spy),
        ..config()
    };
    let broker = Arc::new(Broker::start_with(SimDisk::new(7), spied));
    broker.create("t", 1);
    broker.produce(1, "t", batch(&["a"])).await;
    let answer = move |request| produce_and_fetch(Arc::clone(&broker), request);
    let (mut client, _task, _stop) = serve(limits(), answer).await;
    let mut request = fetch_request(&[("t", 0, 0)], 0, 0);
    request.isolation_level = 1;
    send(&mut client, &encode_request(&request, 11, 4711, "test")).await;
    receive(&mut client).await;
    let seen = SEEN
        .lock()
        .unwrap()
        .clone()
        .expect("a request is being served");
    for part in ["Fetch v11", "4711", "127.0.0.1", "00 01 00 0b 00 00 12 67"] {
        assert!(seen.contains(part), "{part:?} is in {seen:?}");
    }
}
