//! Decoding and encoding messages, beside memcpy of the same bytes.
//!
//! - `04-produce`: one Produce 7 request with 64 KiB of records, header and
//!   body, as a broker reads it and a client writes it. Almost all is bytes.
//! - `04-metadata`: one Metadata 4 response, 100 topics of 10 partitions, 43 KB,
//!   as a broker writes it and a client reads it. Almost all is fields.
//!
//! The same message again and again: what is read and written is in the
//! second cache of a core, as bytes do that have just arrived. All that is
//! allocated is measured, and so is freeing it. `clone` allocates what `decode`
//! does, and fills it from another such struct. Not measured: the socket, the
//! frame (chapter 03), flexible versions.
//!
//! `cargo bench -p wire-protocol --bench 04-messages`

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use networking::{Chunk, PREFIX_SIZE};
use wire_protocol::message::{
    MetadataPartition, MetadataRequest, MetadataResponse, MetadataTopicResponse, ProducePartition,
    ProduceRequest, ProduceTopic,
};
use wire_protocol::{
    ApiKey, Records, RequestHeader, Wire, decode_response, encode_request, encode_response,
};

const RECORDS_SIZE: usize = 64 * 1024;

fn main() {
    let mut criterion = bench_settings::criterion();
    produce(&mut criterion);
    metadata(&mut criterion);
    criterion.final_summary();
}

fn produce(criterion: &mut Criterion) {
    let request = ProduceRequest {
        topics: vec![ProduceTopic {
            name: "orders".to_owned(),
            partitions: vec![ProducePartition {
                index: 0,
                records: Records::from_bytes(vec![7; RECORDS_SIZE]),
            }],
        }],
        ..ProduceRequest::default()
    };
    let encode = || encode_request(black_box(&request), 7, 1, "bench");
    let decode = |payload: &Bytes| {
        let (header, mut body) = RequestHeader::decode(payload).expect("it was written here");
        (
            header,
            ProduceRequest::decode(&mut body).expect("it was written here"),
        )
    };
    let payload = Bytes::from(encode());
    beside_memcpy(criterion, "04-produce", &payload, encode, decode);
}

fn metadata(criterion: &mut Criterion) {
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
    let response = MetadataResponse {
        topics: (0..100).map(topic).collect(),
        ..MetadataResponse::default()
    };
    let encode = || encode_response(ApiKey::Metadata, 4, 1, black_box(&response));
    let decode = |payload: &Bytes| {
        decode_response::<MetadataRequest>(payload, 4).expect("it was written here")
    };
    let Some(Chunk::Bytes(framed)) = encode().pop() else {
        panic!("a response without records is one run of bytes");
    };
    beside_memcpy(
        criterion,
        "04-metadata",
        &framed.slice(PREFIX_SIZE..),
        encode,
        decode,
    );
}

/// Measures a copy of `payload`, what writes it, what reads it, and a copy of what was read.
fn beside_memcpy<Written, Message: Clone>(
    criterion: &mut Criterion,
    name: &str,
    payload: &Bytes,
    encode: impl Fn() -> Written,
    decode: impl Fn(&Bytes) -> Message,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(payload.len() as u64));
    let mut copy = vec![0; payload.len()];
    group.bench_function("memcpy", |bencher| {
        bencher.iter(|| {
            copy.copy_from_slice(black_box(payload));
            black_box(&mut copy);
        });
    });
    group.bench_function("encode", |bencher| bencher.iter(&encode));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode(black_box(payload)));
    });
    let message = decode(payload);
    group.bench_function("clone", |bencher| {
        bencher.iter(|| black_box(&message).clone());
    });
    group.finish();
}
