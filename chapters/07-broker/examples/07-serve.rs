//! The smallest broker that a real client can use: kcat produces and consumes.
//!
//! ```text
//! cargo run -p broker --example 07-serve
//! seq 5 | kcat -b 127.0.0.1:9092 -P -t numbers
//! kcat -b 127.0.0.1:9092 -C -t numbers -e
//! ```
//!
//! It keeps its data in a temporary directory; Ctrl-C ends it. A request that kcat
//! does not need ends its connection. `mqd` answers all requests, and has settings,
//! a data directory of its own and a clean stop.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use broker::api::{self, Acknowledgement, BrokerInfo, FetchLimits};
use broker::{
    Broker, ConnectionLimits, InternalTopics, LaneWidths, ProducerIds, Reply, Request, Services,
    TopicSettings, Topics, TopicsConfig, serve_connection,
};
use log_storage::{RealDisk, SegmentCache};
use message_model::BrokerId;
use networking::{AcceptLimits, Answer, ByteBudget, Chunk, accept_until};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use wire_protocol::message::ApiVersionsRequest;
use wire_protocol::{ApiKey, Malformed};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let port = std::env::args()
        .nth(1)
        .unwrap_or("9092".to_owned())
        .parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let data_dir = tempfile::tempdir()?;
    let broker = Arc::new(open(data_dir.path(), listener.local_addr()?.port())?);
    let expiring = Arc::clone(&broker.services);
    tokio::spawn(async move { expiring.expire_waits().await });
    println!("serving on {}; Ctrl-C ends it", listener.local_addr()?);

    let limits = ConnectionLimits {
        request_bytes_max: 100 << 20,
        budget: ByteBudget::new(500 << 20),
        idle: Duration::from_secs(600),
        progress: Duration::from_secs(60),
        pending_max: 128,
    };
    let accept = AcceptLimits {
        connections_max: 1_000,
        drain: Duration::ZERO,
    };
    let serve = accept_until(listener, accept, pending(), |stream, _peer| {
        let broker = Arc::clone(&broker);
        serve_connection(
            stream,
            Arc::clone(&broker.services),
            limits.clone(),
            pending(),
            move |request| answer(Arc::clone(&broker), request),
        )
    });
    serve.await;
    Ok(())
}

fn open(data_dir: &Path, port: u16) -> Result<Broker, Failure> {
    let widths = LaneWidths {
        syncs: 4,
        reads: 4,
        rolls: 4,
        administration: 4,
        openings: 2,
    };
    let segments = SegmentCache::new(100, 100);
    let services = Services::new(Arc::new(RealDisk), Clock::start(), widths, segments, None);
    let services = Arc::new(services);
    let config = TopicsConfig {
        settings: TopicSettings::default(),
        partitions_max: 100,
        partitions_total_max: 300,
        open_threads: 4,
    };
    let opened = Topics::open(Arc::clone(&services), data_dir, config)?;
    Ok(Broker {
        producer_ids: Arc::new(ProducerIds::open(&services, data_dir)?),
        services,
        topics: Arc::new(opened.topics),
        info: BrokerInfo {
            id: BrokerId(1),
            cluster_id: "07-serve".to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
        },
        auto_create: true,
        partitions_default: 1,
        internal_topics: InternalTopics::default(),
        fetch_limits: FetchLimits {
            response_bytes_max: 50 << 20,
            wait_max: Duration::from_secs(30),
        },
        waiting_places: Arc::new(Semaphore::new(100_000)),
        settings: Vec::new(),
    })
}

// ANCHOR: answer
/// Decode, act, encode: one arm for each API.
async fn answer(broker: Arc<Broker>, request: Request) -> Result<Answer<Vec<Chunk>>, Malformed> {
    Ok(match request.api {
        ApiKey::Produce if request.is_served() => {
            let (body, reply) = request.decode()?;
            acknowledge(reply, api::produce(&broker, body).await)
        }
        ApiKey::Fetch => {
            let (body, reply) = request.decode()?;
            reply.later_with_share(|share| async move { api::fetch(&broker, body, share).await })
        }
        ApiKey::ListOffsets => {
            let (body, reply) = request.decode()?;
            let version = reply.version();
            reply.later(async move { api::list_offsets(&broker, version, body).await })
        }
        ApiKey::Metadata => {
            let (body, reply) = request.decode()?;
            let response = api::metadata(&broker, &reply.peer, body).await;
            reply.now(&response)
        }
        ApiKey::ApiVersions => {
            let (_, reply) = request.decode::<ApiVersionsRequest>()?;
            reply.now(&api::api_versions())
        }
        _ => Answer::Close,
    })
}
// ANCHOR_END: answer

fn acknowledge(reply: Reply, acknowledgement: Acknowledgement) -> Answer<Vec<Chunk>> {
    match acknowledgement {
        Acknowledgement::Now(response) => reply.now(&response),
        Acknowledgement::Later(response) => reply.later(response),
        Acknowledgement::Silence => Answer::Silence,
        Acknowledgement::Close => Answer::Close,
    }
}
