//! A broker of one process, for experiments and tests: topics in memory, one coordinator,
//! no disk. It answers what this repository's clients ask for.

mod group;
mod log;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use networking::{Chunk, FrameReader, write_chunks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use wire_protocol::message::{
    ApiVersion, ApiVersionsResponse, FindCoordinatorResponse, MetadataBroker, MetadataPartition,
    MetadataRequest, MetadataResponse, MetadataTopicResponse,
};
use wire_protocol::{ApiKey, Decoder, ErrorCode, RequestHeader, Wire, encode_response};

use group::Groups;
use log::Logs;

/// How long a transfer may take; nothing here is slow.
const LIMIT: Duration = Duration::from_secs(60);
const NODE: i32 = 1;

/// A running broker. All of it ends with the runtime.
pub(crate) struct Fake {
    port: u16,
    state: Arc<State>,
}

struct State {
    logs: Mutex<Logs>,
    groups: Mutex<Groups>,
    /// Whether no member is thrown out because it has not joined in time.
    waits_for_all: AtomicBool,
    /// How many fetches have come.
    fetches: AtomicUsize,
    /// How many connections there are.
    connections: watch::Sender<usize>,
    /// Counts what something may wait for: appends, and steps of groups.
    changes: watch::Sender<u64>,
}

impl Fake {
    /// Listens, with these topics and their partitions.
    pub(crate) async fn start(topics: &[(&str, i32)]) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::new(State {
            logs: Mutex::new(Logs::new(topics)),
            groups: Mutex::default(),
            waits_for_all: AtomicBool::new(false),
            fetches: AtomicUsize::new(0),
            connections: watch::Sender::new(0),
            changes: watch::Sender::new(0),
        });
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                tokio::spawn(async move {
                    state.connections.send_modify(|count| *count += 1);
                    serve(stream, port, &state).await;
                    state.connections.send_modify(|count| *count -= 1);
                });
            }
        });
        Fake { port, state }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Appends records with these values to a partition, in one batch.
    #[allow(dead_code, reason = "not every experiment appends by itself")]
    pub(crate) fn append(&self, topic: &str, partition: i32, values: &[String]) {
        lock(&self.state.logs).append_values(topic, partition, values);
        self.state.changed();
    }

    /// What a group has committed for a partition.
    #[allow(dead_code, reason = "not every experiment asks")]
    pub(crate) fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        lock(&self.state.groups).committed(group, topic, partition)
    }

    /// Deletes the records of a partition below an offset.
    #[allow(dead_code, reason = "not every experiment deletes")]
    pub(crate) fn delete_below(&self, topic: &str, partition: i32, offset: i64) {
        lock(&self.state.logs).delete_below(topic, partition, offset);
    }

    /// Adds a topic.
    #[allow(dead_code, reason = "not every experiment adds one")]
    pub(crate) fn add_topic(&self, topic: &str, partitions: i32) {
        lock(&self.state.logs).add(topic, partitions);
    }

    /// Makes the coordinator wait until all members of a group have joined again.
    #[allow(dead_code, reason = "not every experiment has members that are slow")]
    pub(crate) fn wait_for_all_members(&self) {
        self.state.waits_for_all.store(true, Ordering::Relaxed);
    }

    /// How many fetches have come, with those that wait for records.
    #[allow(dead_code, reason = "not every experiment asks")]
    pub(crate) fn fetches(&self) -> usize {
        self.state.fetches.load(Ordering::Relaxed)
    }

    /// Returns when there are this many connections.
    #[allow(dead_code, reason = "not every experiment waits for them")]
    pub(crate) async fn has_connections(&self, count: usize) {
        let mut connections = self.state.connections.subscribe();
        let there_are = connections.wait_for(|connections| *connections == count);
        there_are.await.expect("the state is there");
    }
}

impl State {
    fn join_patience(&self) -> Duration {
        match self.waits_for_all.load(Ordering::Relaxed) {
            true => LIMIT,
            false => group::JOIN_PATIENCE,
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Asks `look` until it has something to say, or `patience` is over, after which it
    /// must say something.
    async fn wait<T>(&self, patience: Duration, mut look: impl FnMut(bool) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        let over = tokio::time::sleep(patience);
        tokio::pin!(over);
        let mut is_over = false;
        loop {
            changes.mark_unchanged();
            if let Some(found) = look(is_over) {
                return found;
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = &mut over, if !is_over => is_over = true,
            }
        }
    }
}

async fn serve(stream: TcpStream, port: u16, state: &State) {
    let _ = stream.set_nodelay(true);
    let (reader, mut writer) = stream.into_split();
    let mut requests = FrameReader::new(reader, 64 << 20);
    while let Ok(Some(frame)) = requests.next(LIMIT).await {
        let Ok((header, body)) = RequestHeader::decode(&frame) else {
            return;
        };
        let Some(api) = ApiKey::from_wire(header.api_key) else {
            return;
        };
        let chunks = answer(state, port, (api, &header), body).await;
        let cold = |_| async { Ok(bytes::Bytes::new()) };
        let written = write_chunks(&mut writer, chunks, LIMIT, &cold).await;
        if written.is_err() {
            return;
        }
    }
}

/// Decodes, asks the one that knows, encodes.
async fn answer(
    state: &State,
    port: u16,
    (api, header): (ApiKey, &RequestHeader),
    mut body: Decoder<'_>,
) -> Vec<Chunk> {
    match api {
        ApiKey::ApiVersions => encoded(api, header, &versions()),
        ApiKey::Metadata => {
            let request: MetadataRequest = read(&mut body);
            encoded(api, header, &metadata(state, port, &request))
        }
        ApiKey::FindCoordinator => encoded(api, header, &coordinator(port)),
        ApiKey::Produce => {
            let answer = lock(&state.logs).produce(read(&mut body));
            state.changed();
            encoded(api, header, &answer)
        }
        ApiKey::ListOffsets => {
            let answer = lock(&state.logs).list_offsets(&read(&mut body));
            encoded(api, header, &answer)
        }
        ApiKey::Fetch => {
            let request = read(&mut body);
            let patience = log::patience(&request);
            state.fetches.fetch_add(1, Ordering::Relaxed);
            let look = |is_over| lock(&state.logs).fetch(&request, is_over);
            encoded(api, header, &state.wait(patience, look).await)
        }
        ApiKey::JoinGroup => {
            let waits = lock(&state.groups).join(read(&mut body));
            state.changed();
            let look = |is_over| lock(&state.groups).joined(&waits, is_over);
            let answer = state.wait(state.join_patience(), look).await;
            state.changed();
            encoded(api, header, &answer)
        }
        ApiKey::SyncGroup => {
            let request = read(&mut body);
            lock(&state.groups).sync(&request);
            state.changed();
            let look = |_| lock(&state.groups).synced(&request);
            encoded(api, header, &state.wait(LIMIT, look).await)
        }
        ApiKey::Heartbeat => encoded(
            api,
            header,
            &lock(&state.groups).heartbeat(&read(&mut body)),
        ),
        ApiKey::LeaveGroup => {
            let answer = lock(&state.groups).leave(&read(&mut body));
            state.changed();
            encoded(api, header, &answer)
        }
        ApiKey::OffsetCommit => encoded(api, header, &lock(&state.groups).commit(&read(&mut body))),
        ApiKey::OffsetFetch => encoded(api, header, &lock(&state.groups).offsets(&read(&mut body))),
        _ => Vec::new(),
    }
}

fn read<M: Wire>(body: &mut Decoder<'_>) -> M {
    M::decode(body).expect("our own clients send what they should")
}

fn encoded<M: Wire>(api: ApiKey, header: &RequestHeader, answer: &M) -> Vec<Chunk> {
    encode_response(api, header.api_version, header.correlation_id, answer)
}

fn versions() -> ApiVersionsResponse {
    let row = |api: &ApiKey| ApiVersion {
        api_key: *api as i16,
        min_version: *api.versions().start(),
        max_version: *api.versions().end(),
    };
    ApiVersionsResponse {
        error_code: ErrorCode::NONE,
        api_keys: ApiKey::ALL.iter().map(row).collect(),
        throttle_time_ms: 0,
    }
}

fn metadata(state: &State, port: u16, request: &MetadataRequest) -> MetadataResponse {
    let counts: BTreeMap<String, i32> = lock(&state.logs).topics();
    let names: Vec<String> = match &request.topics.0 {
        Some(topics) => topics.iter().map(|topic| topic.name.clone()).collect(),
        None => counts.keys().cloned().collect(),
    };
    let topic = |name: String| {
        let count = counts.get(&name).copied().unwrap_or(0);
        let partition = |index| MetadataPartition {
            partition_index: index,
            leader_id: NODE,
            leader_epoch: 0,
            replica_nodes: vec![NODE],
            isr_nodes: vec![NODE],
            ..MetadataPartition::default()
        };
        MetadataTopicResponse {
            error_code: match count {
                0 => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                _ => ErrorCode::NONE,
            },
            name,
            partitions: (0..count).map(partition).collect(),
            ..MetadataTopicResponse::default()
        }
    };
    MetadataResponse {
        brokers: vec![MetadataBroker {
            node_id: NODE,
            host: "127.0.0.1".to_owned(),
            port: i32::from(port),
            rack: None,
        }],
        controller_id: NODE,
        topics: names.into_iter().map(topic).collect(),
        ..MetadataResponse::default()
    }
}

fn coordinator(port: u16) -> FindCoordinatorResponse {
    FindCoordinatorResponse {
        node_id: NODE,
        host: "127.0.0.1".to_owned(),
        port: i32::from(port),
        ..FindCoordinatorResponse::default()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
