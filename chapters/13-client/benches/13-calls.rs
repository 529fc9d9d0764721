//! Calls through the client beside the same calls over a bare connection.
//!
//! The broker is a task of the same runtime, which knows one partition and takes every
//! batch. A call is a produce request with a batch of 7 bytes, and its answer. `bare`
//! encodes the request and decodes the answer as the client does, over one connection that
//! was made before. The rest of the time is the client's: finding the route and the
//! connection, choosing the version, picking the partition's answer.
//! `route` is that look-up alone, in a cache of 1,000 topics.
//!
//! Not measured: the network, a real broker, dialling.
//!
//! `cargo bench -p client --bench 13-calls`

#[path = "../examples/support/node.rs"]
mod node;

use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use client::{Acks, Client, Route, RouteCache, Settings};
use criterion::{Criterion, Throughput};
use futures_util::future::join_all;
use message_model::{BrokerId, Moment, PartitionIndex, TopicName, TopicPartition};
use networking::{CallId, Connection, ConnectionLimits};
use node::Cluster;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use wire_protocol::message::{ProducePartition, ProduceRequest, ProduceTopic};
use wire_protocol::{Records, decode_response, encode_request};

const PATIENCE: Duration = Duration::from_secs(30);
const LIMITS: ConnectionLimits = ConnectionLimits {
    frame_bytes_max: 1 << 20,
    in_flight_max: 10_000,
};
/// The version in which both send: the highest that there is.
const VERSION: i16 = 9;
const MANY: usize = 256;

fn main() -> Result<()> {
    let mut criterion = bench_settings::criterion();
    calls(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn calls(criterion: &mut Criterion) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (_cluster, address) = runtime.block_on(Cluster::start(1))?;
    let client = runtime.block_on(Client::connect(&address, Settings::default()))?;
    let bare = runtime.block_on(async {
        let stream = TcpStream::connect(&address).await?;
        std::io::Result::Ok(Connection::new(stream, LIMITS))
    })?;
    let to = TopicPartition {
        topic: TopicName::new("t")?,
        partition: PartitionIndex(0),
    };
    let mut group = criterion.benchmark_group("13-calls");
    group.throughput(Throughput::Elements(1));
    group.bench_function("1 call, bare", |bencher| {
        bencher.iter(|| runtime.block_on(over(&bare)));
    });
    group.bench_function("1 call, client", |bencher| {
        bencher.iter(|| runtime.block_on(through(&client, &to)));
    });
    group.throughput(Throughput::Elements(MANY as u64));
    group.bench_function("256 calls, bare", |bencher| {
        bencher.iter(|| runtime.block_on(join_all((0..MANY).map(|_| over(&bare)))));
    });
    group.bench_function("256 calls, client", |bencher| {
        bencher.iter(|| runtime.block_on(join_all((0..MANY).map(|_| through(&client, &to)))));
    });
    group.throughput(Throughput::Elements(1));
    let (cache, topics) = cache()?;
    let mut next = topics.iter().cycle();
    group.bench_function("route", |bencher| {
        bencher.iter(|| {
            let topic = next.next().expect("it never ends");
            black_box(cache.leader(Moment::START, topic, 0))
        });
    });
    group.finish();
    Ok(())
}

async fn through(client: &Client, to: &TopicPartition) {
    let batch = b"a batch".to_vec();
    let produced = client.produce(to, batch, Acks::All, PATIENCE).await;
    black_box(produced).expect("the broker takes it");
}

async fn over(bare: &Connection) {
    let request = ProduceRequest {
        transactional_id: None,
        acks: -1,
        timeout_ms: 30_000,
        topics: vec![ProduceTopic {
            name: "t".to_owned(),
            partitions: vec![ProducePartition {
                index: 0,
                records: Records::from_bytes(b"a batch".to_vec()),
            }],
        }],
    };
    let payload = |id: CallId| encode_request(&request, VERSION, id.0, "client");
    let reply = bare.call(PATIENCE, payload).await.expect("a reply");
    let answer = decode_response::<ProduceRequest>(&reply, VERSION);
    black_box(answer).expect("an answer");
}

/// What is known of 1,000 topics, and their names.
fn cache() -> Result<(RouteCache<TopicName>, Vec<TopicName>)> {
    let mut cache = RouteCache::new(PATIENCE);
    let mut topics = Vec::new();
    for number in 0..1_000 {
        let topic = TopicName::new(&format!("topic-{number}"))?;
        let route = Route {
            leader: Some(BrokerId(1)),
            epoch: None,
        };
        cache.learn(Moment::START, topic.clone(), vec![route; 10]);
        topics.push(topic);
    }
    Ok((cache, topics))
}
