//! A broker that answers as a test says.

use std::sync::{Arc, Mutex};

use networking::{Chunk, FrameReader, write_chunks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire_protocol::message::{
    ApiVersion, ApiVersionsResponse, MetadataBroker, MetadataPartition, MetadataResponse,
    MetadataTopicResponse,
};
use wire_protocol::{ApiKey, Decoder, ErrorCode, RequestHeader, Wire, encode_response};

use crate::LIMIT;

/// What the script does with a request.
pub(crate) enum Then {
    /// Sends this body.
    Answer(Box<dyn Encode + Send>),
    /// Says nothing.
    Silence,
    /// Says nothing, and does not read on: as a broker that keeps its answers in order.
    Hold,
    /// Closes the connection.
    Close,
}

/// A message of any type.
pub(crate) trait Encode {
    fn encode(&self, header: &RequestHeader) -> Vec<Chunk>;
}

impl<M: Wire> Encode for M {
    fn encode(&self, header: &RequestHeader) -> Vec<Chunk> {
        let api = ApiKey::from_wire(header.api_key).unwrap();
        encode_response(api, header.api_version, header.correlation_id, self)
    }
}

/// Answers with `body`.
pub(crate) fn answer<M: Wire + Send + 'static>(body: M) -> Then {
    Then::Answer(Box::new(body))
}

/// Decides what becomes of the requests that are neither ApiVersions nor Metadata.
type Script = dyn FnMut(ApiKey, Decoder<'_>) -> Then + Send;

/// What the brokers of a cluster say about it.
pub(crate) type Cluster = Arc<Mutex<MetadataResponse>>;

/// A running broker.
pub(crate) struct Broker {
    pub(crate) port: u16,
    /// The keys of all requests, in the order in which they came.
    seen: Arc<watch::Sender<Vec<ApiKey>>>,
    /// How many connections there are.
    open: Arc<watch::Sender<usize>>,
    accepting: JoinHandle<()>,
}

impl Broker {
    /// Listens as node 7, and leads partition 0 of the topic `t`.
    pub(crate) async fn start(
        script: impl FnMut(ApiKey, Decoder<'_>) -> Then + Send + 'static,
    ) -> Broker {
        Broker::join(&cluster(7), 7, script).await
    }

    /// Listens, and is a node of `cluster`.
    pub(crate) async fn join(
        cluster: &Cluster,
        node_id: i32,
        script: impl FnMut(ApiKey, Decoder<'_>) -> Then + Send + 'static,
    ) -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(watch::Sender::new(Vec::new()));
        let open = Arc::new(watch::Sender::new(0));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(script));
        let node = MetadataBroker {
            node_id,
            host: "127.0.0.1".to_owned(),
            port: i32::from(port),
            rack: None,
        };
        cluster.lock().unwrap().brokers.push(node);
        let accepting = tokio::spawn({
            let (cluster, seen, open) = (Arc::clone(cluster), Arc::clone(&seen), Arc::clone(&open));
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (cluster, seen) = (Arc::clone(&cluster), Arc::clone(&seen));
                    let serving = serve(stream, cluster, seen, Arc::clone(&script));
                    let open = Arc::clone(&open);
                    open.send_modify(|open| *open += 1);
                    tokio::spawn(async move {
                        serving.await;
                        open.send_modify(|open| *open -= 1);
                    });
                }
            }
        });
        Broker {
            port,
            seen,
            open,
            accepting,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn count(&self, api: ApiKey) -> usize {
        let seen = self.seen.borrow();
        seen.iter().filter(|key| **key == api).count()
    }

    /// Returns when there was a request of this API.
    pub(crate) async fn has_seen(&self, api: ApiKey) {
        let mut seen = self.seen.subscribe();
        let seen = seen.wait_for(|seen| seen.contains(&api));
        tokio::time::timeout(LIMIT, seen).await.unwrap().unwrap();
    }

    /// Returns how many connections there are.
    pub(crate) fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Returns when there are this many connections.
    pub(crate) async fn has_open(&self, count: usize) {
        let mut open = self.open.subscribe();
        let open = open.wait_for(|open| *open == count);
        tokio::time::timeout(LIMIT, open).await.unwrap().unwrap();
    }

    /// Refuses connections from now on.
    pub(crate) async fn stop_accepting(&mut self) {
        self.accepting.abort();
        let stopped = (&mut self.accepting).await;
        assert!(stopped.unwrap_err().is_cancelled());
    }
}

async fn serve(
    stream: TcpStream,
    cluster: Cluster,
    seen: Arc<watch::Sender<Vec<ApiKey>>>,
    script: Arc<Mutex<Script>>,
) {
    let (reader, mut writer) = stream.into_split();
    let mut requests = FrameReader::new(reader, 1 << 20);
    while let Ok(Some(frame)) = requests.next(LIMIT).await {
        let (header, body) = RequestHeader::decode(&frame).unwrap();
        let api = ApiKey::from_wire(header.api_key).unwrap();
        seen.send_modify(|seen| seen.push(api));
        let then = match api {
            ApiKey::ApiVersions => answer(versions()),
            ApiKey::Metadata => answer(cluster.lock().unwrap().clone()),
            other => (script.lock().unwrap())(other, body),
        };
        match then {
            Then::Answer(body) => {
                let chunks = body.encode(&header);
                let cold = |_| async { unreachable!("nothing here is in a file") };
                let written = write_chunks(&mut writer, chunks, LIMIT, &cold).await;
                written.unwrap();
            }
            Then::Silence => {}
            Then::Hold => std::future::pending().await,
            Then::Close => return,
        }
    }
}

/// Every API that we know except deletion: as an older broker would say.
fn versions() -> ApiVersionsResponse {
    let row = |api: &ApiKey| ApiVersion {
        api_key: *api as i16,
        min_version: 0,
        max_version: 100,
    };
    ApiVersionsResponse {
        error_code: ErrorCode::NONE,
        api_keys: ApiKey::ALL
            .iter()
            .filter(|api| **api != ApiKey::DeleteTopics)
            .map(row)
            .collect(),
        throttle_time_ms: 0,
    }
}

/// A cluster without brokers, whose node `leader` leads partition 0 of the topic `t`.
pub(crate) fn cluster(leader: i32) -> Cluster {
    Arc::new(Mutex::new(MetadataResponse {
        controller_id: leader,
        topics: vec![MetadataTopicResponse {
            name: "t".to_owned(),
            partitions: vec![MetadataPartition {
                leader_id: leader,
                ..MetadataPartition::default()
            }],
            ..MetadataTopicResponse::default()
        }],
        ..MetadataResponse::default()
    }))
}

/// The leader of partition 0 of `t` is another one now.
pub(crate) fn move_leader(cluster: &Cluster, leader: i32) {
    let mut cluster = cluster.lock().unwrap();
    let partition = &mut cluster.topics[0].partitions[0];
    partition.leader_id = leader;
    partition.leader_epoch += 1;
}
