//! What a call sends, and how it ends.

use std::time::Duration;

use bytes::Bytes;
use client::{Acks, Client, Error, FetchLimits, OffsetSpec, Settings, Target};
use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
use networking::CallError;
use wire_protocol::message::{
    CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse, FetchPartitionResponse,
    FetchRequest, FetchResponse, FetchTopicResponse, FindCoordinatorRequest,
    FindCoordinatorResponse, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse, ProducePartition, ProducePartitionResponse, ProduceRequest,
    ProduceResponse, ProduceTopic, ProduceTopicResponse,
};
use wire_protocol::{ApiKey, Decoder, ErrorCode, Records, Wire, encode_request, request_pieces};

use crate::LIMIT;
use crate::scripted::{Broker, Then, answer};

pub(crate) async fn connect(broker: &Broker) -> Client {
    let settings = Settings {
        patience: LIMIT,
        ..Settings::default()
    };
    Client::connect(&broker.address(), settings).await.unwrap()
}

pub(crate) fn partition() -> TopicPartition {
    TopicPartition {
        topic: TopicName::new("t").unwrap(),
        partition: PartitionIndex(0),
    }
}

/// Appended at 42, or refused.
pub(crate) fn produced(error_code: ErrorCode) -> Then {
    answer(ProduceResponse {
        topics: vec![ProduceTopicResponse {
            name: "t".to_owned(),
            partitions: vec![ProducePartitionResponse {
                error_code,
                base_offset: 42,
                ..ProducePartitionResponse::default()
            }],
        }],
        throttle_time_ms: 0,
    })
}

pub(crate) async fn produce(client: &Client) -> Result<Offset, Error> {
    let batch = b"a batch".to_vec();
    client.produce(&partition(), batch, Acks::All, LIMIT).await
}

#[tokio::test]
async fn produce_sends_the_batch_as_it_is_and_returns_its_offset() {
    let broker = Broker::start(|api, mut body| {
        assert_eq!(api, ApiKey::Produce);
        let mut request = ProduceRequest::decode(&mut body).unwrap();
        assert_eq!(request.acks, -1);
        let mut topic = request.topics.remove(0);
        assert_eq!(topic.name, "t");
        let partition = topic.partitions.remove(0);
        assert_eq!(partition.index, 0);
        assert_eq!(partition.records.into_bytes(), &b"a batch"[..]);
        produced(ErrorCode::NONE)
    })
    .await;
    let client = connect(&broker).await;
    assert_eq!(produce(&client).await.unwrap(), Offset(42));
    assert_eq!(produce(&client).await.unwrap(), Offset(42));
    assert_eq!(
        broker.count(ApiKey::Metadata),
        1,
        "the leader is remembered"
    );
    assert_eq!(
        broker.count(ApiKey::ApiVersions),
        2,
        "so are the two connections: one for batches, one for metadata"
    );
}

#[tokio::test]
async fn a_dead_connection_is_replaced_at_the_next_call_and_nothing_is_sent_twice() {
    let mut first = true;
    let broker = Broker::start(move |_, _| {
        if std::mem::take(&mut first) {
            Then::Close
        } else {
            produced(ErrorCode::NONE)
        }
    })
    .await;
    let client = connect(&broker).await;
    let error = produce(&client).await.unwrap_err();
    assert!(matches!(error, Error::Call(CallError::Closed)), "{error}");
    assert!(error.is_retriable());
    assert_eq!(broker.count(ApiKey::Produce), 1, "the caller decides");
    assert_eq!(produce(&client).await.unwrap(), Offset(42));
}

#[tokio::test]
async fn a_call_ends_when_the_broker_stays_silent() {
    let mut first = true;
    let broker = Broker::start(move |_, _| {
        if std::mem::take(&mut first) {
            Then::Silence
        } else {
            produced(ErrorCode::NONE)
        }
    })
    .await;
    let client = connect(&broker).await;
    let timeout = Duration::from_millis(50);
    let to = partition();
    let call = client.produce(&to, Vec::new(), Acks::Leader, timeout);
    let error = call.await.unwrap_err();
    assert!(
        matches!(error, Error::Call(CallError::DeadlinePassed)),
        "{error}"
    );
    assert_eq!(produce(&client).await.unwrap(), Offset(42));
    assert_eq!(
        broker.count(ApiKey::ApiVersions),
        3,
        "not over the connection that still owes an answer"
    );
}

#[tokio::test]
async fn the_leader_is_looked_up_again_after_a_broker_says_it_is_not() {
    let mut codes = vec![
        ErrorCode::NONE,
        ErrorCode::MESSAGE_TOO_LARGE,
        ErrorCode::NOT_LEADER_OR_FOLLOWER,
    ];
    let broker = Broker::start(move |_, _| produced(codes.pop().unwrap())).await;
    let client = connect(&broker).await;
    let error = produce(&client).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::NOT_LEADER_OR_FOLLOWER));
    assert!(error.is_retriable());
    let error = produce(&client).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::MESSAGE_TOO_LARGE));
    assert!(!error.is_retriable());
    assert_eq!(produce(&client).await.unwrap(), Offset(42));
    assert_eq!(broker.count(ApiKey::Metadata), 2);
}

#[tokio::test]
async fn an_unacknowledged_batch_waits_for_nobody() {
    let (sent, mut arrived) = tokio::sync::mpsc::channel(1);
    let broker = Broker::start(move |_, mut body| {
        let acks = ProduceRequest::decode(&mut body).unwrap().acks;
        sent.try_send(acks).unwrap();
        Then::Silence
    })
    .await;
    let client = connect(&broker).await;
    let to = partition();
    let sent = client.produce_unacknowledged(&to, Vec::new()).await;
    sent.unwrap();
    assert_eq!(arrived.recv().await, Some(0));
}

#[tokio::test]
async fn fetch_says_what_is_wanted_and_returns_the_batches() {
    let broker = Broker::start(|api, mut body| {
        assert_eq!(api, ApiKey::Fetch);
        let request = FetchRequest::decode(&mut body).unwrap();
        let wanted = &request.topics[0].partitions[0];
        assert_eq!((request.max_wait_ms, request.min_bytes), (250, 1));
        assert_eq!((wanted.fetch_offset, wanted.partition_max_bytes), (7, 1000));
        assert_eq!((request.replica_id, request.session_epoch), (-1, -1));
        answer(fetched(b"batches"))
    })
    .await;
    let limits = FetchLimits {
        max_wait: Duration::from_millis(250),
        min_bytes: 1,
        max_bytes: 1000,
    };
    let client = connect(&broker).await;
    let fetched = client.fetch(&partition(), Offset(7), limits).await.unwrap();
    assert_eq!(fetched.batches, &b"batches"[..]);
    assert_eq!(
        (fetched.high_watermark, fetched.log_start),
        (Offset(9), Offset(3))
    );
}

fn fetched(batches: &[u8]) -> FetchResponse {
    FetchResponse {
        responses: vec![FetchTopicResponse {
            topic: "t".to_owned(),
            partitions: vec![FetchPartitionResponse {
                high_watermark: 9,
                log_start_offset: 3,
                records: Records::from_bytes(batches.to_vec()),
                ..FetchPartitionResponse::default()
            }],
        }],
        ..FetchResponse::default()
    }
}

#[tokio::test]
async fn offsets_are_found_by_place_and_by_time() {
    let broker = Broker::start(|_, body| answer(found(body))).await;
    let client = connect(&broker).await;
    for (spec, expected) in [
        (OffsetSpec::Latest, Some(100)),
        (OffsetSpec::Earliest, Some(10)),
        (OffsetSpec::AtOrAfter(Timestamp(1_000)), Some(50)),
        (OffsetSpec::AtOrAfter(Timestamp(2_000)), None),
    ] {
        let offset = client.list_offset(&partition(), spec).await.unwrap();
        assert_eq!(offset, expected.map(Offset), "{spec:?}");
    }
}

fn found(mut body: Decoder<'_>) -> ListOffsetsResponse {
    let request = ListOffsetsRequest::decode(&mut body).unwrap();
    let offset = match request.topics[0].partitions[0].timestamp {
        -1 => 100,
        -2 => 10,
        1_000 => 50,
        _ => -1,
    };
    ListOffsetsResponse {
        topics: vec![ListOffsetsTopicResponse {
            name: "t".to_owned(),
            partitions: vec![ListOffsetsPartitionResponse {
                offset,
                ..ListOffsetsPartitionResponse::default()
            }],
        }],
        throttle_time_ms: 0,
    }
}

#[tokio::test]
async fn a_topic_is_created_by_the_controller() {
    let broker = Broker::start(|api, mut body| {
        assert_eq!(api, ApiKey::CreateTopics);
        let request = CreateTopicsRequest::decode(&mut body).unwrap();
        let topic = &request.topics[0];
        assert_eq!((topic.num_partitions, topic.replication_factor), (3, 1));
        assert_eq!(topic.configs[0].name, "retention.ms");
        answer(CreateTopicsResponse {
            topics: vec![CreatableTopicResult {
                name: topic.name.clone(),
                error_code: ErrorCode::TOPIC_ALREADY_EXISTS,
                error_message: None,
                ..CreatableTopicResult::default()
            }],
            throttle_time_ms: 0,
        })
    })
    .await;
    let client = connect(&broker).await;
    let configs = [("retention.ms", "1000")];
    let created = client.create_topic(&partition().topic, 3, &configs).await;
    let code = created.unwrap_err().code();
    assert_eq!(code, Some(ErrorCode::TOPIC_ALREADY_EXISTS));
}

#[tokio::test]
async fn an_api_that_the_broker_lacks_is_not_sent() {
    let broker = Broker::start(|_, _| Then::Close).await;
    let client = connect(&broker).await;
    let error = client.delete_topic(&partition().topic).await.unwrap_err();
    assert!(
        matches!(error, Error::UnsupportedApi(ApiKey::DeleteTopics)),
        "{error}"
    );
}

#[tokio::test]
async fn any_bootstrap_address_that_answers_will_do() {
    let broker = Broker::start(|_, _| produced(ErrorCode::NONE)).await;
    let unused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let bootstrap = format!("{unused}, {}", broker.address());
    let client = Client::connect(&bootstrap, Settings::default())
        .await
        .unwrap();
    assert_eq!(produce(&client).await.unwrap(), Offset(42));
    let error = Client::connect(&unused.to_string(), Settings::default()).await;
    assert!(matches!(error, Err(Error::Dial { .. })));
}

#[test]
fn records_leave_from_where_they_are() {
    let batch = Bytes::from(vec![7; 20_000]);
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 1,
        topics: vec![ProduceTopic {
            name: "t".to_owned(),
            partitions: vec![ProducePartition {
                index: 0,
                records: Records::from_bytes(batch.clone()),
            }],
        }],
        transactional_id: None,
    };
    for version in [7, 9] {
        let pieces = request_pieces(&request, version, 1, "test");
        let is_its = |piece: &Bytes| piece.as_ptr() == batch.as_ptr();
        assert!(pieces.iter().any(is_its), "version {version}");
        let whole = encode_request(&request, version, 1, "test");
        assert_eq!(pieces.concat(), whole, "version {version}");
    }
}

#[tokio::test]
async fn a_connection_is_left_alone_as_long_as_the_broker_says() {
    let mut times = [20, 3_600_000, 0].into_iter();
    let broker = Broker::start(move |_, _| {
        answer(FindCoordinatorResponse {
            throttle_time_ms: times.next().unwrap(),
            ..FindCoordinatorResponse::default()
        })
    });
    let broker = broker.await;
    let client = connect(&broker).await;
    let request = FindCoordinatorRequest::default();
    let ask = async |patience| {
        let deadline = client.clock().now().plus(patience);
        client.call(&Target::Any, &request, deadline).await
    };
    // The second one waits for the 20 ms, and the third one would have to wait for an hour.
    let before = client.clock().now();
    ask(LIMIT).await.unwrap();
    ask(LIMIT).await.unwrap();
    assert!(client.clock().now().since(before) >= Duration::from_millis(20));
    let held = ask(Duration::from_millis(10)).await;
    assert!(matches!(held, Err(Error::Throttled)), "{held:?}");
    assert_eq!(broker.count(ApiKey::FindCoordinator), 2);
    // The connection was not replaced.
    assert_eq!(broker.count(ApiKey::ApiVersions), 1);
}
