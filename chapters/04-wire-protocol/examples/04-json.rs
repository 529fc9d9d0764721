//! The same two messages as JSON and as the protocol writes them: how many
//! bytes, and how long it takes to write and to read them.

use std::time::Duration;

use async_model::Clock;
use bytes::Bytes;
use networking::Chunk;
use serde::{Deserialize, Serialize};
use wire_protocol::message::{
    MetadataPartition, MetadataResponse, MetadataTopicResponse, ProducePartition, ProduceRequest,
    ProduceTopic,
};
use wire_protocol::{Decoder, Encoder, Records, Wire};

/// Metadata of 100 topics with 10 partitions each, as a struct for serde.
#[derive(Serialize, Deserialize)]
struct Metadata {
    topics: Vec<Topic>,
}

#[derive(Serialize, Deserialize)]
struct Topic {
    error_code: i16,
    name: String,
    is_internal: bool,
    partitions: Vec<Partition>,
}

#[derive(Serialize, Deserialize)]
struct Partition {
    error_code: i16,
    partition_index: i32,
    leader_id: i32,
    replica_nodes: Vec<i32>,
    isr_nodes: Vec<i32>,
}

/// 10,000 bytes of records for one partition. JSON has no bytes: serde writes a list of numbers.
#[derive(Serialize, Deserialize)]
struct Produce {
    topic: String,
    partition: i32,
    records: Vec<u8>,
}

/// What one way of writing a message costs.
struct Cost {
    bytes: usize,
    write: Duration,
    read: Duration,
}

fn main() -> anyhow::Result<()> {
    let clock = Clock::start();
    println!("                                     bytes     write      read");
    let metadata = metadata();
    let json = json_cost(clock, &as_serde(&metadata))?;
    let binary = binary_cost(clock, &metadata, 4)?;
    print_costs("metadata, 100 topics of 10", &json, &binary);

    let records: Vec<u8> = (0..10_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let json = json_cost(
        clock,
        &Produce {
            topic: "orders".to_owned(),
            partition: 0,
            records: records.clone(),
        },
    )?;
    let binary = binary_cost(clock, &produce(records), 7)?;
    print_costs("produce, 10,000 bytes", &json, &binary);
    Ok(())
}

fn print_costs(name: &str, json: &Cost, binary: &Cost) {
    println!("{name}");
    for (form, cost) in [("JSON", json), ("protocol", binary)] {
        println!(
            "  {form:<32} {:>7} {:>6.1} µs {:>6.1} µs",
            cost.bytes,
            cost.write.as_secs_f64() * 1e6,
            cost.read.as_secs_f64() * 1e6,
        );
    }
    let times = |json: Duration, binary: Duration| json.as_secs_f64() / binary.as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a ratio to print")]
    let bytes = json.bytes as f64 / binary.bytes as f64;
    println!(
        "  {:<32} {bytes:>6.1}x {:>8.1}x {:>8.1}x",
        "JSON costs",
        times(json.write, binary.write),
        times(json.read, binary.read)
    );
}

fn json_cost<T: Serialize + for<'a> Deserialize<'a>>(
    clock: Clock,
    value: &T,
) -> anyhow::Result<Cost> {
    let bytes = serde_json::to_vec(value)?;
    Ok(Cost {
        bytes: bytes.len(),
        write: best(clock, || serde_json::to_vec(value).is_ok()),
        read: best(clock, || serde_json::from_slice::<T>(&bytes).is_ok()),
    })
}

fn binary_cost<T: Wire>(clock: Clock, value: &T, version: i16) -> anyhow::Result<Cost> {
    let write = || {
        let mut out = Encoder::new(version, false);
        value.encode(&mut out);
        out.finish()
    };
    let mut bytes = Vec::new();
    for chunk in write() {
        if let Chunk::Bytes(part) = chunk {
            bytes.extend(part);
        }
    }
    let frame = Bytes::from(bytes);
    let read = || T::decode(&mut Decoder::new(&frame, version, false)).is_ok();
    anyhow::ensure!(read(), "what was written can be read");
    Ok(Cost {
        bytes: frame.len(),
        write: best(clock, || !write().is_empty()),
        read: best(clock, read),
    })
}

/// The shortest of 200 runs.
fn best(clock: Clock, work: impl Fn() -> bool) -> Duration {
    let once = || {
        let start = clock.now();
        std::hint::black_box(work());
        clock.now().since(start)
    };
    (0..200).map(|_| once()).min().unwrap_or_default()
}

fn metadata() -> MetadataResponse {
    let partition = |index| MetadataPartition {
        partition_index: index,
        leader_id: index % 3,
        replica_nodes: vec![0, 1, 2],
        isr_nodes: vec![0, 1, 2],
        ..MetadataPartition::default()
    };
    let topic = |number| MetadataTopicResponse {
        name: format!("orders-{number}"),
        partitions: (0..10).map(partition).collect(),
        ..MetadataTopicResponse::default()
    };
    MetadataResponse {
        topics: (0..100).map(topic).collect(),
        ..MetadataResponse::default()
    }
}

fn as_serde(response: &MetadataResponse) -> Metadata {
    let partition = |partition: &MetadataPartition| Partition {
        error_code: partition.error_code.0,
        partition_index: partition.partition_index,
        leader_id: partition.leader_id,
        replica_nodes: partition.replica_nodes.clone(),
        isr_nodes: partition.isr_nodes.clone(),
    };
    let topic = |topic: &MetadataTopicResponse| Topic {
        error_code: topic.error_code.0,
        name: topic.name.clone(),
        is_internal: topic.is_internal,
        partitions: topic.partitions.iter().map(partition).collect(),
    };
    Metadata {
        topics: response.topics.iter().map(topic).collect(),
    }
}

fn produce(records: Vec<u8>) -> ProduceRequest {
    ProduceRequest {
        topics: vec![ProduceTopic {
            name: "orders".to_owned(),
            partitions: vec![ProducePartition {
                index: 0,
                records: Records::from_bytes(records),
            }],
        }],
        ..ProduceRequest::default()
    }
}
