//! Connections over real sockets: what is Kafka's about them. The loop itself, its
//! bounds and its deadlines are chapter 03's.

use std::sync::{Arc, Mutex};

use broker::{Request, serving};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use wire_protocol::message::{
    ApiVersionsRequest, FetchRequest, FindCoordinatorRequest, MetadataRequest, ProduceRequest,
};
use wire_protocol::{ApiKey, ErrorCode, decode_response, encode_request};

use crate::client::{
    Answered, api_versions, closed, correlation_id, limits, receive, send, serve, serve_on, simple,
    with_broker,
};
use crate::support::{Broker, batch, fetch_request, produce_request, until_waiting};

#[tokio::test]
async fn answers_keep_the_order_of_the_requests() {
    let (mut client, _task, _stop) = serve(simple).await;
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

/// A request behind one whose answer waits is begun: here it is the one that lets the
/// first be answered. Its own answer comes second all the same.
#[tokio::test]
async fn a_request_begins_while_an_earlier_one_waits_for_its_answer() {
    let broker = Arc::new(Broker::with_topic().await);
    let answer = {
        let broker = Arc::clone(&broker);
        move |request| with_broker(Arc::clone(&broker), request)
    };
    let services = Arc::clone(&broker.services);
    let (mut client, _task, _stop) = serve_on(services, limits(), answer).await;
    let fetch = fetch_request(&[("t", 0, 0)], 60_000, 1);
    send(&mut client, &encode_request(&fetch, 11, 1, "test")).await;
    until_waiting(&broker, 1).await;
    let produce = produce_request(1, "t", batch(&["a"]));
    send(&mut client, &encode_request(&produce, 7, 2, "test")).await;
    let first = receive(&mut client).await;
    assert_eq!(correlation_id(&first), 1);
    let found = decode_response::<FetchRequest>(&first, 11).unwrap();
    assert_eq!(found.responses[0].partitions[0].high_watermark, 1);
    let second = receive(&mut client).await;
    assert_eq!(correlation_id(&second), 2);
}

/// A client that is gone gives up its waits at once, not at their deadline.
#[tokio::test]
async fn a_fetch_of_a_client_that_is_gone_waits_no_longer() {
    let broker = Arc::new(Broker::with_topic().await);
    let answer = {
        let broker = Arc::clone(&broker);
        move |request| with_broker(Arc::clone(&broker), request)
    };
    let services = Arc::clone(&broker.services);
    let (mut client, task, _stop) = serve_on(services, limits(), answer).await;
    let fetch = fetch_request(&[("t", 0, 0)], 60_000, 1);
    for id in 0..5 {
        send(&mut client, &encode_request(&fetch, 11, id, "test")).await;
    }
    until_waiting(&broker, 5).await;
    drop(client);
    task.await.unwrap();
    assert!(broker.services.fetches.is_empty());
}

/// What a producer sent before it left is kept.
#[tokio::test]
async fn acks_0_and_the_end_of_the_stream() {
    let broker = Arc::new(Broker::with_topic().await);
    let answer = {
        let broker = Arc::clone(&broker);
        move |request| with_broker(Arc::clone(&broker), request)
    };
    let services = Arc::clone(&broker.services);
    let (mut client, task, _stop) = serve_on(services, limits(), answer).await;
    for id in 0..10 {
        let request = produce_request(0, "t", batch(&["a"]));
        send(&mut client, &encode_request(&request, 7, id, "test")).await;
    }
    client.shutdown().await.unwrap();
    closed(&mut client).await;
    task.await.unwrap();
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_end.0, 10);
}

#[tokio::test]
async fn an_unknown_version_of_api_versions_is_answered_and_the_client_goes_on() {
    let (mut client, _task, _stop) = serve(simple).await;
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
    let (mut client, _task, _stop) = serve(simple).await;
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
    let (mut client, _task, _stop) = serve(simple).await;
    send(
        &mut client,
        &encode_request(&FetchRequest::default(), 11, 5, "test"),
    )
    .await;
    closed(&mut client).await;
}

/// A canary's version is decoded with the others; the handler is asked whether it is served.
#[tokio::test]
async fn a_canary_reaches_its_handler_and_says_so() {
    let answer = async |request: Request| {
        assert!(!request.is_served());
        let (body, reply) = request.decode::<ProduceRequest>()?;
        match broker::api::refuse_produce(body) {
            broker::api::Acknowledgement::Now(response) => Ok(reply.now(&response)),
            _ => Ok(networking::Answer::Close),
        }
    };
    let (mut client, _task, _stop) = serve(answer).await;
    for version in 0..3 {
        let request = produce_request(1, "t", batch(&["a"]));
        send(&mut client, &encode_request(&request, version, 5, "test")).await;
        let answer = receive(&mut client).await;
        let response = decode_response::<ProduceRequest>(&answer, version).unwrap();
        let code = response.topics[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::UNSUPPORTED_VERSION, "version {version}");
    }
}

#[tokio::test]
async fn what_we_never_offered_closes_the_connection() {
    for (key, version) in [
        (77_i16, 0_i16),
        (-1, 0),
        (0, 99),
        (3, -1),
        (3, i16::MAX),
        (1, 3),
        (2, 0),
    ] {
        let (mut client, task, _stop) = serve(simple).await;
        let mut request = api_versions(3, 5);
        request[..2].copy_from_slice(&key.to_be_bytes());
        request[2..4].copy_from_slice(&version.to_be_bytes());
        send(&mut client, &request).await;
        closed(&mut client).await;
        task.await.expect("nothing panics");
    }
}

#[tokio::test]
async fn malformed_requests_close_the_connection() {
    let huge_array = {
        let mut request = encode_request(&MetadataRequest::default(), 4, 5, "test");
        let end = request.len();
        request[end - 5..end - 1].copy_from_slice(&i32::MAX.to_be_bytes());
        request
    };
    for payload in [
        b"".to_vec(),
        vec![0, 3, 0],
        vec![0xff; 100],
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        huge_array,
    ] {
        let (mut client, task, _stop) = serve(simple).await;
        send(&mut client, &payload).await;
        closed(&mut client).await;
        task.await.expect("nothing panics");
    }
}

/// Every prefix of a request's payload, in a frame of its own.
#[tokio::test]
async fn a_request_that_is_too_short_closes_the_connection() {
    let whole = encode_request(&FindCoordinatorRequest::default(), 2, 5, "test");
    for length in 0..whole.len() {
        let (mut client, task, _stop) = serve(simple).await;
        send(&mut client, &whole[..length]).await;
        closed(&mut client).await;
        task.await.expect("nothing panics");
    }
}

#[tokio::test]
async fn a_stop_closes_an_idle_connection_and_answers_a_request_in_progress() {
    let (mut client, task, stop) = serve(simple).await;
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
    let (mut client, task, stop) = serve(answer).await;
    send(&mut client, &api_versions(3, 5)).await;
    started.notified().await;
    stop.send(true).unwrap();
    go_on.notify_one();
    assert_eq!(correlation_id(&receive(&mut client).await), 5);
    closed(&mut client).await;
    task.await.unwrap();
}

#[tokio::test]
async fn batches_pass_through_byte_by_byte() {
    let broker = Arc::new(Broker::with_topic().await);
    let services = Arc::clone(&broker.services);
    let answer = move |request| with_broker(Arc::clone(&broker), request);
    let (mut client, _task, _stop) = serve_on(services, limits(), answer).await;
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

/// What is being served is known wherever it is served, for the last words of a panic:
/// while a request begins, and while its answer is made.
#[tokio::test]
async fn it_is_known_what_is_served() {
    assert_eq!(serving(), None);
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let answer = {
        let seen = Arc::clone(&seen);
        move |request: Request| {
            let seen = Arc::clone(&seen);
            async move {
                seen.lock().unwrap().extend(serving());
                let (_, reply) = request.decode::<FetchRequest>()?;
                let answered: Answered = Ok(reply.later(async move {
                    seen.lock().unwrap().extend(serving());
                    wire_protocol::message::FetchResponse::default()
                }));
                answered
            }
        }
    };
    let (mut client, _task, _stop) = serve(answer).await;
    let mut request = fetch_request(&[("t", 0, 0)], 0, 0);
    request.isolation_level = 1;
    send(&mut client, &encode_request(&request, 11, 4711, "test")).await;
    receive(&mut client).await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for seen in seen {
        for part in ["Fetch v11", "4711", "127.0.0.1", "00 01 00 0b 00 00 12 67"] {
            assert!(seen.contains(part), "{part:?} is in {seen:?}");
        }
    }
}
