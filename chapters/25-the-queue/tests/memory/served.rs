//! A broker on a loopback socket, and a client that measures it.

use std::future::pending;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use broker::api::{BrokerInfo, FetchLimits};
use broker::{
    Broker, ConnectionLimits, InternalTopics, LaneWidths, ProducerIds, Services, TopicSettings,
    Topics, TopicsConfig, serve_connection,
};
use bytes::Bytes;
use consumer_groups::{Coordinator, GroupSettings};
use exactly_once::{
    AllProducers, Coordinator as Transactions, CoordinatorSettings, ProducerSettings,
};
use log_storage::{RealDisk, SegmentCache};
use message_model::{BrokerId, TopicName};
use mqd::Queue;
use networking::ByteBudget;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::sync::Semaphore;
use wire_protocol::message::ApiVersionsRequest;
use wire_protocol::{Request, RequestHeader, decode_response, encode_request};

use crate::counting;

/// A broken test fails after so long, instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker with the topic `t` of one partition, and a connection to it.
pub(crate) struct Served {
    client: TcpStream,
    address: SocketAddr,
    pub(crate) queue: Arc<Queue>,
    // Dropped last: the broker ends before its directory goes.
    runtime: Runtime,
    _dir: TempDir,
}

/// What one request took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Its bytes on the wire.
    pub(crate) arrived: usize,
    /// The most that the byte budget counts for it: those, and what decoding makes of
    /// them; and once the answer is made, its bytes.
    pub(crate) counted: usize,
    /// The most that the broker held for it, from its first byte to the last one of its answer.
    pub(crate) peak: usize,
}

impl Served {
    /// One whose byte budget is never used up.
    pub(crate) fn start() -> Served {
        Served::with_budget(1 << 30)
    }

    pub(crate) fn with_budget(bytes: usize) -> Served {
        let dir = TempDir::new().unwrap();
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let broker = Arc::new(open(&dir));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.block_on(async {
            let topics = &broker.topics;
            let t = TopicName::new("t").unwrap();
            topics.create(&t, 1, topics.new_config()).await.unwrap();
        });
        let queue = {
            let _in_runtime = runtime.enter();
            let mut settings = GroupSettings::default();
            settings.group.initial_rebalance_delay = Duration::ZERO;
            let groups = Coordinator::new(Arc::clone(&broker), settings);
            let groups = Arc::new(groups);
            let transactions = Transactions::new(
                Arc::clone(&broker),
                Arc::clone(&groups),
                CoordinatorSettings::default(),
            );
            Arc::new(Queue {
                broker,
                groups,
                transactions: Arc::new(transactions),
            })
        };
        let driven = Arc::clone(&queue.groups);
        runtime.spawn(async move { driven.drive().await });
        let budget = ByteBudget::new(bytes);
        runtime.spawn(accept(listener, Arc::clone(&queue), budget));
        counting::become_client();
        Served {
            client: connect(address),
            address,
            queue,
            runtime,
            _dir: dir,
        }
    }

    /// Runs what is asked for without a request.
    pub(crate) fn run<T>(&self, asked: impl Future<Output = T>) -> T {
        self.runtime.block_on(asked)
    }

    /// The answer to a request.
    pub(crate) fn ask<R: Request>(&self, request: &R, version: i16) -> R::Response {
        send(&self.client, &encode_request(request, version, 1, ""));
        let mut answer = Vec::new();
        read(&self.client, |piece| answer.extend_from_slice(piece));
        decode_response::<R>(&answer.into(), version).unwrap()
    }

    /// Sends a request on each of `count` connections, and then takes the answers. Returns the
    /// most that the broker held for all of them.
    pub(crate) fn measure_together<R: Request>(
        &self,
        request: &R,
        version: i16,
        count: usize,
    ) -> usize {
        let clients: Vec<TcpStream> = (0..count).map(|_| connect(self.address)).collect();
        let small = encode_request(&ApiVersionsRequest::default(), 3, 1, "");
        for client in [&self.client].into_iter().chain(&clients) {
            call(client, &small);
        }
        let frame = encode_request(request, version, 1, "");
        let before = counting::start();
        clients.iter().for_each(|client| send(client, &frame));
        std::thread::scope(|scope| {
            for client in &clients {
                scope.spawn(move || {
                    counting::become_client();
                    read(client, |_| {});
                });
            }
        });
        usize::try_from(counting::peak() - before).unwrap()
    }

    /// Sends a request, and takes its answer.
    pub(crate) fn measure<R: Request>(&self, request: &R, version: i16) -> Measured {
        // Once this is answered, nothing is left of the request before it.
        let small = ApiVersionsRequest::default();
        call(&self.client, &encode_request(&small, 3, 1, ""));
        let frame = encode_request(request, version, 1, "");
        let before = counting::start();
        let answer = call(&self.client, &frame);
        let peak = usize::try_from(counting::peak() - before).unwrap();
        Measured {
            arrived: frame.len(),
            counted: answer.max(frame.len() + decoded_size::<R>(frame)),
            peak,
        }
    }
}

fn decoded_size<R: Request>(frame: Vec<u8>) -> usize {
    let frame = Bytes::from(frame);
    let (_, body) = RequestHeader::decode(&frame).unwrap();
    R::KEY.decoded_size(&body).unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).unwrap();
    client.set_nodelay(true).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.set_write_timeout(Some(PATIENCE)).unwrap();
    client
}

/// Sends a frame; reads the answer in pieces and does not keep it. Returns its length.
fn call(stream: &TcpStream, frame: &[u8]) -> usize {
    send(stream, frame);
    read(stream, |_| {})
}

fn send(mut stream: &TcpStream, frame: &[u8]) {
    let length = u32::try_from(frame.len()).unwrap();
    stream.write_all(&length.to_be_bytes()).unwrap();
    stream.write_all(frame).unwrap();
}

/// Reads an answer, which `take` gets in pieces. Returns its length.
fn read(mut stream: &TcpStream, mut take: impl FnMut(&[u8])) -> usize {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
    let mut left = length;
    let mut piece = vec![0; 64 * 1024];
    while left > 0 {
        let size = left.min(piece.len());
        stream.read_exact(&mut piece[..size]).unwrap();
        take(&piece[..size]);
        left -= size;
    }
    length
}

async fn accept(listener: TcpListener, queue: Arc<Queue>, budget: ByteBudget) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let limits = ConnectionLimits {
            request_bytes_max: 100 << 20,
            budget: budget.clone(),
            idle: PATIENCE,
            progress: PATIENCE,
            pending_max: 16,
        };
        let services = Arc::clone(&queue.broker.services);
        let queue = Arc::clone(&queue);
        let answer = move |request| mqd::answer(Arc::clone(&queue), request);
        tokio::spawn(serve_connection(
            stream,
            services,
            limits,
            pending(),
            answer,
        ));
    }
}

fn open(dir: &TempDir) -> Broker {
    let widths = LaneWidths {
        syncs: 2,
        reads: 2,
        rolls: 2,
        administration: 2,
        openings: 2,
    };
    let segments = SegmentCache::new(4, 100);
    let disk = Arc::new(RealDisk);
    let mut services = Services::new(disk, Clock::start(), widths, segments, None);
    let producers = AllProducers::new(ProducerSettings::default());
    services.producers = Some(Arc::new(producers));
    let services = Arc::new(services);
    let config = TopicsConfig {
        settings: TopicSettings::default(),
        partitions_max: 100,
        partitions_total_max: 1_000,
        open_threads: 1,
    };
    let opened = Topics::open(Arc::clone(&services), dir.path(), config).unwrap();
    let producer_ids = ProducerIds::open(&services, dir.path()).unwrap();
    Broker {
        services,
        topics: Arc::new(opened.topics),
        producer_ids: Arc::new(producer_ids),
        info: BrokerInfo {
            id: BrokerId(1),
            cluster_id: "c".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 9092,
        },
        auto_create: false,
        partitions_default: 1,
        internal_topics: InternalTopics::default(),
        fetch_limits: FetchLimits {
            response_bytes_max: 1 << 20,
            wait_max: Duration::from_secs(1),
        },
        waiting_places: Arc::new(Semaphore::new(1_000_000)),
        settings: Vec::new(),
    }
}
