//! How should a consumer ask for records that are not there yet?
//!
//! A producer writes 100 records at irregular times. Five consumers, one after the
//! other, read them: four ask again after a pause, one asks the broker to keep the
//! question until there is an answer. Each request takes 1 ms to the broker and
//! 1 ms back. Time is simulated: the experiment says what takes place in a minute,
//! and takes a second.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use broker::api::{self, BrokerInfo, FetchLimits};
use broker::{
    Broker, InternalTopics, LaneWidths, ProducerIds, Services, TopicSettings, Topics, TopicsConfig,
};
use log_storage::{RealDisk, SegmentCache};
use message_model::{BrokerId, Moment, Timestamp, TopicName};
use record_batch::{BatchBuilder, RecordToSend};
use tokio::sync::Semaphore;
use wire_protocol::Records;
use wire_protocol::message::{
    FetchPartition, FetchRequest, FetchTopic, ProducePartition, ProduceRequest, ProduceTopic,
};

const RECORDS: i64 = 100;
/// From the client to the broker, or back.
const ONE_WAY: Duration = Duration::from_millis(1);

type Failure = Box<dyn std::error::Error>;

/// How a consumer waits for records.
#[derive(Debug, Clone, Copy)]
enum Waiting {
    /// It asks, and asks again after a pause.
    Poll(Duration),
    /// It asks once, and the broker answers when there is a record.
    LongPoll,
}

struct Outcome {
    requests: u32,
    /// From the append of a record to its arrival, on average.
    latency: Duration,
}

fn main() -> Result<(), Failure> {
    let ways = [
        ("poll every 1000 ms", Waiting::Poll(Duration::from_secs(1))),
        (
            "poll every 100 ms",
            Waiting::Poll(Duration::from_millis(100)),
        ),
        ("poll every 10 ms", Waiting::Poll(Duration::from_millis(10))),
        ("poll without a pause", Waiting::Poll(Duration::ZERO)),
        ("long poll", Waiting::LongPoll),
    ];
    let mut outcomes = Vec::new();
    for (name, waiting) in ways {
        outcomes.push((name, run(waiting)?));
    }
    let best = outcomes.iter().map(|(_, outcome)| outcome.latency).min();
    let best = best.unwrap_or_default().as_secs_f64();
    println!("{RECORDS} records in a minute; a request takes 2 ms there and back\n");
    println!(
        "{:<22}{:>10}{:>14}{:>10}",
        "", "requests", "latency", "ratio"
    );
    for (name, Outcome { requests, latency }) in outcomes {
        let millis = latency.as_secs_f64() * 1000.0;
        let ratio = latency.as_secs_f64() / best;
        println!("{name:<22}{requests:>10}{millis:>11.1} ms{ratio:>9.0}x");
    }
    Ok(())
}

fn run(waiting: Waiting) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    let dir = tempfile::tempdir()?;
    runtime.block_on(async {
        let broker = Arc::new(open(dir.path()).await?);
        let expiring = Arc::clone(&broker.services);
        tokio::spawn(async move { expiring.expire_waits().await });
        let producing = Arc::clone(&broker);
        let produced = tokio::spawn(async move { produce_all(&producing).await });
        let (requests, arrived) = consume_all(&broker, waiting).await;
        let appended = produced.await?;
        let each = appended.iter().zip(&arrived);
        let waited: Duration = each
            .map(|(appended, arrived)| arrived.since(*appended))
            .sum();
        let latency = waited / u32::try_from(RECORDS)?;
        Ok(Outcome { requests, latency })
    })
}

/// A broker with a topic `t` of one partition.
async fn open(data_dir: &Path) -> Result<Broker, Failure> {
    let widths = LaneWidths {
        syncs: 1,
        reads: 1,
        rolls: 1,
        administration: 1,
        openings: 2,
    };
    let segments = SegmentCache::new(1, 100);
    let services = Services::new(Arc::new(RealDisk), Clock::start(), widths, segments, None);
    let services = Arc::new(services);
    let config = TopicsConfig {
        settings: TopicSettings::default(),
        partitions_max: 1,
        partitions_total_max: 1,
        open_threads: 1,
    };
    let topics = Arc::new(Topics::open(Arc::clone(&services), data_dir, config)?.topics);
    let name = TopicName::new("t")?;
    topics.create(&name, 1, topics.new_config()).await?;
    Ok(Broker {
        producer_ids: Arc::new(ProducerIds::open(&services, data_dir)?),
        services,
        topics,
        info: BrokerInfo {
            id: BrokerId(1),
            cluster_id: "07-long-poll".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 9092,
        },
        auto_create: false,
        partitions_default: 1,
        internal_topics: InternalTopics::default(),
        fetch_limits: FetchLimits {
            response_bytes_max: 1 << 20,
            wait_max: Duration::from_secs(30),
        },
        waiting_places: Arc::new(Semaphore::new(1)),
        settings: Vec::new(),
    })
}

/// When each record was appended. The pauses between them are 0 to 1.2 s.
async fn produce_all(broker: &Broker) -> Vec<Moment> {
    let mut appended = Vec::new();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..RECORDS {
        tokio::time::sleep(Duration::from_micros(random.u64(..1_200_000))).await;
        api::produce(broker, one_record()).await;
        appended.push(broker.services.clock.now());
    }
    appended
}

/// How many requests it took, and when each record arrived.
async fn consume_all(broker: &Broker, waiting: Waiting) -> (u32, Vec<Moment>) {
    let clock = broker.services.clock;
    let mut requests = 0;
    let mut arrived = Vec::new();
    let mut next = 0;
    while next < RECORDS {
        requests += 1;
        tokio::time::sleep(ONE_WAY).await;
        let response = api::fetch(broker, fetch_from(next, waiting), None).await;
        tokio::time::sleep(ONE_WAY).await;
        let end = response.responses[0].partitions[0].high_watermark;
        arrived.extend((next..end).map(|_| clock.now()));
        next = end;
        if let Waiting::Poll(pause) = waiting {
            tokio::time::sleep(pause).await;
        }
    }
    (requests, arrived)
}

fn one_record() -> ProduceRequest {
    let mut batch = BatchBuilder::new();
    batch.push(&RecordToSend {
        timestamp: Timestamp(0),
        key: None,
        value: Some(b"a record"),
        headers: vec![],
    });
    let records = Records::from_bytes(batch.build());
    ProduceRequest {
        acks: 1,
        topics: vec![ProduceTopic {
            name: "t".to_owned(),
            partitions: vec![ProducePartition { index: 0, records }],
        }],
        ..ProduceRequest::default()
    }
}

fn fetch_from(fetch_offset: i64, waiting: Waiting) -> FetchRequest {
    FetchRequest {
        max_wait_ms: match waiting {
            Waiting::Poll(_) => 0,
            Waiting::LongPoll => 10_000,
        },
        min_bytes: 1,
        topics: vec![FetchTopic {
            topic: "t".to_owned(),
            partitions: vec![FetchPartition {
                fetch_offset,
                partition_max_bytes: 1 << 20,
                ..FetchPartition::default()
            }],
        }],
        ..FetchRequest::default()
    }
}
