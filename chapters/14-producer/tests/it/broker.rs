//! A broker with two partitions of the topic `t`, which appends what it is sent, unless a
//! test says otherwise.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use client::records;
use message_model::Offset;
use networking::{Chunk, FrameReader, write_chunks};
use record_batch::BatchHeader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use wire_protocol::message::{
    ApiVersion, ApiVersionsResponse, InitProducerIdResponse, MetadataBroker, MetadataPartition,
    MetadataResponse, MetadataTopicResponse, ProducePartitionResponse, ProduceRequest,
    ProduceResponse, ProduceTopicResponse,
};
use wire_protocol::{ApiKey, ErrorCode, RequestHeader, Wire, encode_response};

use crate::LIMIT;

/// What the broker does with a produce request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Append,
    /// Appends, and closes the connection.
    Vanish,
    /// Appends nothing, and answers with this code.
    Refuse(ErrorCode),
    /// Says nothing, and appends nothing.
    Silence,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// The values in each partition.
    pub(crate) logs: [Vec<Vec<u8>>; 2],
    /// The headers of the batches that came, appended or not.
    pub(crate) batches: Vec<BatchHeader>,
    /// The batches that were appended.
    pub(crate) bytes: Vec<Bytes>,
    /// What is done with the next requests; the others are appended.
    pub(crate) script: VecDeque<Then>,
    /// The most records of a batch.
    pub(crate) records_max: Option<i32>,
    /// How many partitions the topic has, of the two.
    pub(crate) partitions: i32,
}

pub(crate) struct Broker {
    port: u16,
    state: Arc<Mutex<State>>,
    /// Requests are served while it is true.
    serves: watch::Sender<bool>,
    /// How many produce requests have come.
    came: watch::Receiver<usize>,
}

impl Broker {
    pub(crate) async fn start(script: &[Then]) -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            script: script.iter().copied().collect(),
            partitions: 2,
            ..State::default()
        }));
        let (serves, is_serving) = watch::channel(true);
        let (coming, came) = watch::channel(0);
        let broker = Broker {
            port,
            state: Arc::clone(&state),
            serves,
            came,
        };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&state);
                tokio::spawn(serve(
                    stream,
                    port,
                    state,
                    (is_serving.clone(), coming.clone()),
                ));
            }
        });
        broker
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Produce requests wait as long as it does not serve.
    pub(crate) fn serve(&self, serves: bool) {
        self.serves.send_replace(serves);
    }

    pub(crate) async fn until_came(&self, count: usize) {
        let mut came = self.came.clone();
        let came = came.wait_for(|came| *came >= count);
        tokio::time::timeout(LIMIT, came).await.unwrap().unwrap();
    }
}

async fn serve(
    stream: TcpStream,
    port: u16,
    state: Arc<Mutex<State>>,
    (mut serves, came): (watch::Receiver<bool>, watch::Sender<usize>),
) {
    let (reader, mut writer) = stream.into_split();
    let mut requests = FrameReader::new(reader, 1 << 24);
    while let Ok(Some(frame)) = requests.next(LIMIT).await {
        let (header, mut body) = RequestHeader::decode(&frame).unwrap();
        let chunks = match ApiKey::from_wire(header.api_key).unwrap() {
            ApiKey::ApiVersions => encode(&header, &versions()),
            ApiKey::Metadata => {
                let count = state.lock().unwrap().partitions;
                encode(&header, &metadata(port, count))
            }
            ApiKey::InitProducerId => encode(&header, &identity()),
            ApiKey::Produce => {
                let request = ProduceRequest::decode(&mut body).unwrap();
                came.send_modify(|came| *came += 1);
                serves.wait_for(|serves| *serves).await.unwrap();
                let then = state.lock().unwrap().script.pop_front();
                let then = then.unwrap_or(Then::Append);
                let acks = request.acks;
                let response = produce(&mut state.lock().unwrap(), request, then);
                match then {
                    Then::Vanish => return,
                    Then::Silence => continue,
                    _ if acks == 0 => continue,
                    _ => encode(&header, &response),
                }
            }
            other => panic!("{other:?} is not served"),
        };
        let cold = |_| async { unreachable!("nothing here is in a file") };
        if write_chunks(&mut writer, chunks, LIMIT, &cold)
            .await
            .is_err()
        {
            return;
        }
    }
}

fn produce(state: &mut State, request: ProduceRequest, then: Then) -> ProduceResponse {
    let mut response = ProduceResponse::default();
    for topic in request.topics {
        let mut partitions = Vec::new();
        for partition in topic.partitions {
            let bytes = partition.records.into_bytes();
            let header = record_batch::validate(&bytes, 1 << 24).unwrap();
            let is_large = state
                .records_max
                .is_some_and(|max| header.record_count > max);
            state.batches.push(header);
            let code = match then {
                Then::Refuse(code) => code,
                _ if is_large => ErrorCode::MESSAGE_TOO_LARGE,
                _ => ErrorCode::NONE,
            };
            let log = &mut state.logs[usize::try_from(partition.index).unwrap()];
            let base_offset = i64::try_from(log.len()).unwrap();
            if code == ErrorCode::NONE && then != Then::Silence {
                state.bytes.push(bytes.clone());
                let values = records(bytes, Offset(0)).map(|one| one.unwrap().value.unwrap());
                log.extend(values.map(|value| value.to_vec()));
            }
            partitions.push(ProducePartitionResponse {
                index: partition.index,
                error_code: code,
                base_offset,
                ..ProducePartitionResponse::default()
            });
        }
        response.topics.push(ProduceTopicResponse {
            name: topic.name,
            partitions,
        });
    }
    response
}

fn encode<M: Wire>(header: &RequestHeader, body: &M) -> Vec<Chunk> {
    let api = ApiKey::from_wire(header.api_key).unwrap();
    encode_response(api, header.api_version, header.correlation_id, body)
}

fn identity() -> InitProducerIdResponse {
    InitProducerIdResponse {
        producer_id: 77,
        producer_epoch: 0,
        ..InitProducerIdResponse::default()
    }
}

fn versions() -> ApiVersionsResponse {
    let row = |api: &ApiKey| ApiVersion {
        api_key: *api as i16,
        min_version: 0,
        max_version: 100,
    };
    ApiVersionsResponse {
        error_code: ErrorCode::NONE,
        api_keys: ApiKey::ALL.iter().map(row).collect(),
        throttle_time_ms: 0,
    }
}

fn metadata(port: u16, count: i32) -> MetadataResponse {
    let partition = |partition_index| MetadataPartition {
        partition_index,
        leader_id: 7,
        ..MetadataPartition::default()
    };
    MetadataResponse {
        brokers: vec![MetadataBroker {
            node_id: 7,
            host: "127.0.0.1".to_owned(),
            port: i32::from(port),
            rack: None,
        }],
        controller_id: 7,
        topics: vec![MetadataTopicResponse {
            name: "t".to_owned(),
            partitions: (0..count).map(partition).collect(),
            ..MetadataTopicResponse::default()
        }],
        ..MetadataResponse::default()
    }
}
