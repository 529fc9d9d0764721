//! A broker on a loopback socket.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::broker::api::{self, Acknowledgement, FetchLimits};
use ::broker::{
    AdmitAll, Answer, ConnectionLimits, FrameBudget, Request, Topics, TopicsConfig, Waits,
    serve_connection, sync_on_blocking_pool,
};
use async_model::Clock;
use log_storage::{LogConfig, RealDisk};
use message_model::TopicName;
use networking::write_chunks;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use wire_protocol::{ApiKey, Malformed};

use super::Client;

const FETCH_LIMITS: FetchLimits = FetchLimits {
    response_bytes_max: 50 << 20,
    wait_max: Duration::from_secs(30),
};

/// A broker as `mqd` runs it: a runtime with a thread for each core, and a blocking pool.
pub(crate) struct Broker {
    pub(crate) topics: Arc<Topics>,
    address: SocketAddr,
    // Dropped in this order: whoever serves ends before its directory goes.
    _runtime: Runtime,
    _dir: TempDir,
}

impl Broker {
    pub(crate) fn start() -> Broker {
        let dir = super::dir();
        let runtime = runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("threads can be started");
        let config = TopicsConfig {
            log: LogConfig::default(),
            partitions_max: 1,
            producers: || Box::new(AdmitAll),
        };
        let opened = Topics::open(Arc::new(RealDisk), dir.path(), config);
        let topics = Arc::new(opened.expect("it is empty").topics);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it has one");
        runtime.spawn(accept(listener, Arc::clone(&topics)));
        Broker {
            topics,
            address,
            _runtime: runtime,
            _dir: dir,
        }
    }

    /// Makes a topic of that name with one empty partition, in place of the one that there is.
    pub(crate) fn empty_topic(&self, name: &str) -> TopicName {
        let name = TopicName::new(name).expect("it is one");
        if self.topics.get(&name).is_some() {
            self.topics.delete(&name).expect("the disk is well");
        }
        let created = self.topics.create(&name, 1, BTreeMap::new());
        created.expect("the disk is well");
        name
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.address)
    }
}

async fn accept(listener: TcpListener, topics: Arc<Topics>) {
    let clock = Clock::start();
    let waits = Arc::new(Waits::new(clock));
    let expiring = Arc::clone(&waits);
    tokio::spawn(async move { expiring.expire().await });
    let limits = ConnectionLimits {
        request_bytes_max: 1 << 20,
        budget: FrameBudget::new(10 << 20),
        idle: Duration::from_secs(600),
        transfer: Duration::from_secs(60),
    };
    while let Ok((stream, _)) = listener.accept().await {
        let (topics, waits) = (Arc::clone(&topics), Arc::clone(&waits));
        tokio::spawn(serve_connection(
            stream,
            limits.clone(),
            pending(),
            move |request| answer(Arc::clone(&topics), Arc::clone(&waits), clock, request),
            |mut socket, chunks| async move {
                write_chunks(&mut socket, chunks).await?;
                Ok(socket)
            },
        ));
    }
}

async fn answer(
    topics: Arc<Topics>,
    waits: Arc<Waits>,
    clock: Clock,
    r: Request,
) -> Result<Answer, Malformed> {
    let (topics, waits) = (&topics, &waits);
    Ok(match r.api {
        ApiKey::Produce => {
            let durable = sync_on_blocking_pool;
            match api::produce(topics, waits, clock, durable, r.decode()?).await {
                Acknowledgement::Response(response) => r.answer(&response),
                Acknowledgement::Silence => Answer::Silence,
                Acknowledgement::Close => Answer::Close,
            }
        }
        ApiKey::Fetch => {
            r.answer(&api::fetch(topics, waits, clock, FETCH_LIMITS, r.decode()?).await)
        }
        _ => Answer::Close,
    })
}
