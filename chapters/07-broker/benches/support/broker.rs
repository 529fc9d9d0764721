//! A broker on a loopback socket.

use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::broker::api::{self, Acknowledgement, BrokerInfo, FetchLimits};
use ::broker::{
    ConnectionLimits, InternalTopics, LaneWidths, ProducerIds, Request, Services, TopicSettings,
    Topics, TopicsConfig, serve_connection,
};
use async_model::Clock;
use log_storage::{RealDisk, SegmentCache};
use message_model::{BrokerId, TopicName};
use networking::{Answer, ByteBudget, Chunk};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::sync::Semaphore;
use wire_protocol::{ApiKey, Malformed};

use super::Client;

/// A broker as `mqd` runs it: a runtime with a thread for each core, and lanes beside it.
pub(crate) struct Broker {
    pub(crate) broker: Arc<::broker::Broker>,
    pub(crate) runtime: Runtime,
    pub(crate) address: SocketAddr,
    // Dropped last: the server ends before its directory is removed.
    _dir: TempDir,
}

impl Broker {
    pub(crate) fn start() -> Broker {
        let dir = super::dir();
        let runtime = runtime::Builder::new_multi_thread()
            .thread_name(super::THREAD_NAME)
            .enable_all()
            .build();
        let runtime = runtime.expect("threads can be started");
        let broker = Arc::new(open(dir.path()));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it has one");
        let expiring = Arc::clone(&broker.services);
        runtime.spawn(async move { expiring.expire_waits().await });
        runtime.spawn(accept(listener, Arc::clone(&broker)));
        Broker {
            broker,
            runtime,
            address,
            _dir: dir,
        }
    }

    /// Makes a topic of that name with one empty partition, in place of the one that there is.
    pub(crate) fn empty_topic(&self, name: &str) -> TopicName {
        let name = TopicName::new(name).expect("it is one");
        let topics = &self.broker.topics;
        self.runtime.block_on(async {
            if topics.get(&name).is_some() {
                topics.delete(&name).await.expect("the disk is well");
            }
            let created = topics.create(&name, 1, topics.new_config()).await;
            created.expect("the disk is well");
        });
        name
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }
}

fn open(dir: &Path) -> ::broker::Broker {
    let widths = LaneWidths {
        syncs: 8,
        reads: 8,
        rolls: 4,
        administration: 4,
        openings: 2,
    };
    let segments = SegmentCache::new(100, 100);
    let services = Services::new(Arc::new(RealDisk), Clock::start(), widths, segments, None);
    let services = Arc::new(services);
    let config = TopicsConfig {
        settings: TopicSettings::default(),
        partitions_max: 1,
        partitions_total_max: 10,
        open_threads: 1,
    };
    let opened = Topics::open(Arc::clone(&services), dir, config);
    let producer_ids = ProducerIds::open(&services, dir);
    ::broker::Broker {
        topics: Arc::new(opened.expect("it is empty").topics),
        producer_ids: Arc::new(producer_ids.expect("it is empty")),
        services,
        info: BrokerInfo {
            id: BrokerId(1),
            cluster_id: "bench".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 9092,
        },
        auto_create: false,
        partitions_default: 1,
        internal_topics: InternalTopics::default(),
        fetch_limits: FetchLimits {
            response_bytes_max: 50 << 20,
            wait_max: Duration::from_secs(30),
        },
        waiting_places: Arc::new(Semaphore::new(100)),
        settings: Vec::new(),
    }
}

async fn accept(listener: TcpListener, broker: Arc<::broker::Broker>) {
    let limits = ConnectionLimits {
        request_bytes_max: 2 << 20,
        budget: ByteBudget::new(64 << 20),
        idle: Duration::from_secs(600),
        progress: Duration::from_secs(60),
        pending_max: 128,
    };
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("it is a socket");
        let broker = Arc::clone(&broker);
        tokio::spawn(serve_connection(
            stream,
            Arc::clone(&broker.services),
            limits.clone(),
            pending(),
            move |request| answer(Arc::clone(&broker), request),
        ));
    }
}

async fn answer(
    broker: Arc<::broker::Broker>,
    request: Request,
) -> Result<Answer<Vec<Chunk>>, Malformed> {
    Ok(match request.api {
        ApiKey::Produce => {
            let (body, reply) = request.decode()?;
            match api::produce(&broker, body).await {
                Acknowledgement::Now(response) => reply.now(&response),
                Acknowledgement::Later(response) => reply.later(response),
                Acknowledgement::Silence => Answer::Silence,
                Acknowledgement::Close => Answer::Close,
            }
        }
        ApiKey::Fetch => {
            let (body, reply) = request.decode()?;
            reply.later_with_share(|share| async move { api::fetch(&broker, body, share).await })
        }
        _ => Answer::Close,
    })
}
