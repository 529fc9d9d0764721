//! The smallest broker that real clients can use.
//!
//! ```text
//! cargo run -p broker --example 07-serve
//! seq 5 | kcat -b 127.0.0.1:9092 -P -t numbers
//! kcat -b 127.0.0.1:9092 -C -t numbers -e
//! ```
//!
//! It keeps its data in a temporary directory; Ctrl-C ends it. `mqd` is the same
//! with settings, a data directory of its own and a clean stop.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use broker::api::{self, Acknowledgement, AutoCreate, BrokerInfo, FetchLimits};
use broker::{
    AdmitAll, Answer, ConnectionLimits, FrameBudget, ProducerIds, Request, Topics, TopicsConfig,
    Waits, serve_connection, sync_on_blocking_pool,
};
use log_storage::{LogConfig, RealDisk};
use message_model::BrokerId;
use networking::{AcceptLimits, accept_until, write_chunks};
use tokio::net::TcpListener;
use wire_protocol::{ApiKey, Malformed};

type Failure = Box<dyn std::error::Error>;

const FETCH_LIMITS: FetchLimits = FetchLimits {
    response_bytes_max: 50 << 20,
    wait_max: Duration::from_secs(30),
};

/// The pieces that the handlers take.
struct Broker {
    topics: Arc<Topics>,
    waits: Waits,
    clock: Clock,
    ids: Arc<ProducerIds>,
    info: BrokerInfo,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let port = std::env::args()
        .nth(1)
        .unwrap_or("9092".to_owned())
        .parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let data_dir = tempfile::tempdir()?;
    let broker = Arc::new(open(&data_dir, listener.local_addr()?.port())?);
    let expiring = Arc::clone(&broker);
    tokio::spawn(async move { expiring.waits.expire().await });
    println!("serving on {}; Ctrl-C ends it", listener.local_addr()?);

    let limits = ConnectionLimits {
        request_bytes_max: 100 << 20,
        budget: FrameBudget::new(500 << 20),
        idle: Duration::from_secs(600),
        transfer: Duration::from_secs(60),
    };
    let accept = AcceptLimits {
        connections_max: 1_000,
        drain: Duration::ZERO,
    };
    let serve = accept_until(listener, accept, pending(), |stream, _peer| {
        let broker = Arc::clone(&broker);
        serve_connection(
            stream,
            limits.clone(),
            pending(),
            move |request| answer(Arc::clone(&broker), request),
            |mut socket, chunks| async move {
                write_chunks(&mut socket, chunks).await?;
                Ok(socket)
            },
        )
    });
    serve.await;
    Ok(())
}

fn open(data_dir: &tempfile::TempDir, port: u16) -> Result<Broker, Failure> {
    let config = TopicsConfig {
        log: LogConfig::default(),
        partitions_max: 100,
        producers: || Box::new(AdmitAll),
    };
    let opened = Topics::open(Arc::new(RealDisk), data_dir.path(), config)?;
    let clock = Clock::start();
    Ok(Broker {
        topics: Arc::new(opened.topics),
        waits: Waits::new(clock),
        clock,
        ids: Arc::new(ProducerIds::open(Arc::new(RealDisk), data_dir.path())?),
        info: BrokerInfo {
            id: BrokerId(1),
            cluster_id: "07-serve".to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
        },
    })
}

// ANCHOR: answer
/// Decode, act, encode: one line per API.
#[rustfmt::skip]
async fn answer(broker: Arc<Broker>, r: Request) -> Result<Answer, Malformed> {
    let Broker { topics, waits, clock, ids, info } = &*broker;
    let clock = *clock;
    Ok(match (r.api, r.is_served()) {
        (ApiKey::Produce, true) => told(&r, api::produce(topics, waits, clock, sync_on_blocking_pool, r.decode()?).await),
        (ApiKey::Produce, false) => told(&r, api::refuse_produce(r.decode()?)),
        (ApiKey::Fetch, true) => r.answer(&api::fetch(topics, waits, clock, FETCH_LIMITS, r.decode()?).await),
        (ApiKey::Fetch, false) => r.answer(&api::refuse_fetch(r.decode()?)),
        (ApiKey::ListOffsets, true) => r.answer(&api::list_offsets(topics, r.decode()?).await),
        (ApiKey::ListOffsets, false) => r.answer(&api::refuse_list_offsets(r.decode()?)),
        (ApiKey::Metadata, _) => r.answer(&api::metadata(topics, info, AutoCreate::Partitions(1), r.decode()?).await),
        (ApiKey::FindCoordinator, _) => r.answer(&api::find_coordinator(&r.decode()?)),
        (ApiKey::ApiVersions, _) => r.answer(&api::api_versions()),
        (ApiKey::CreateTopics, _) => r.answer(&api::create_topics(topics, clock, r.decode()?).await),
        (ApiKey::DeleteTopics, _) => r.answer(&api::delete_topics(topics, waits, r.decode()?).await),
        (ApiKey::InitProducerId, _) => r.answer(&api::init_producer_id(ids, r.decode()?).await),
        (ApiKey::DescribeConfigs, _) => r.answer(&api::describe_configs(topics, info.id, &[], r.decode()?)),
    })
}
// ANCHOR_END: answer

fn told(request: &Request, acknowledgement: Acknowledgement) -> Answer {
    match acknowledgement {
        Acknowledgement::Response(response) => request.answer(&response),
        Acknowledgement::Silence => Answer::Silence,
        Acknowledgement::Close => Answer::Close,
    }
}
