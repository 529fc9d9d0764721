//! A broker on a loopback socket, which can be stopped and started again.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use broker::api::{BrokerInfo, FetchLimits};
use broker::{
    Broker, ConnectionLimits, InternalTopics, LaneWidths, ProducerIds, Services, TopicSettings,
    Topics, TopicsConfig, serve_connection,
};
use consumer_groups::{Coordinator, GroupSettings};
use exactly_once::{Coordinator as Transactions, CoordinatorSettings};
use log_storage::{RealDisk, SegmentCache};
use message_model::BrokerId;
use mqd::Queue;
use networking::ByteBudget;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::sync::Semaphore;

use crate::PATIENCE;

/// A broker with an empty data directory.
pub(crate) struct Served {
    address: SocketAddr,
    /// `None`: it is stopped.
    runtime: Option<Runtime>,
    dir: TempDir,
}

impl Served {
    pub(crate) fn start() -> Served {
        let mut served = Served {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            runtime: None,
            dir: TempDir::new().unwrap(),
        };
        served.start_again();
        served
    }

    /// The URI of a topic with names.
    pub(crate) fn names(&self) -> String {
        format!("queue:{}/names", self.address)
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends it as a crash of its process would.
    pub(crate) fn stop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Starts it where it was before, with the data that it has.
    pub(crate) fn start_again(&mut self) {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let _in_runtime = runtime.enter();
        let listener = std::net::TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        self.address = listener.local_addr().unwrap();
        let broker = Arc::new(open(&self.dir, self.address));
        let groups = Coordinator::new(Arc::clone(&broker), GroupSettings::default());
        let groups = Arc::new(groups);
        let transactions = Transactions::new(
            Arc::clone(&broker),
            Arc::clone(&groups),
            CoordinatorSettings::default(),
        );
        let queue = Arc::new(Queue {
            broker,
            groups,
            transactions: Arc::new(transactions),
        });
        let waits = Arc::clone(&queue.broker.services);
        runtime.spawn(async move { waits.expire_waits().await });
        runtime.spawn(accept(listener, queue));
        drop(_in_runtime);
        self.runtime = Some(runtime);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, queue: Arc<Queue>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let limits = ConnectionLimits {
            request_bytes_max: 1 << 20,
            budget: ByteBudget::new(1 << 24),
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

fn open(dir: &TempDir, address: SocketAddr) -> Broker {
    let widths = LaneWidths {
        syncs: 2,
        reads: 2,
        rolls: 2,
        administration: 2,
        openings: 2,
    };
    let segments = SegmentCache::new(4, 100);
    let services = Services::new(Arc::new(RealDisk), Clock::start(), widths, segments, None);
    let services = Arc::new(services);
    let config = TopicsConfig {
        settings: TopicSettings::default(),
        partitions_max: 100,
        partitions_total_max: 100,
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
            host: address.ip().to_string(),
            port: address.port(),
        },
        auto_create: false,
        partitions_default: 1,
        internal_topics: InternalTopics::default(),
        fetch_limits: FetchLimits {
            response_bytes_max: 1 << 20,
            wait_max: Duration::from_secs(1),
        },
        waiting_places: Arc::new(Semaphore::new(1_000)),
        settings: Vec::new(),
    }
}
