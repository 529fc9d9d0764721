//! Layouts, byte for byte, written down from Kafka's message schemas. The
//! oracle in `interop` compares most versions with another implementation; the
//! ones here are those that it does not have, and what is special about ours.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use bytes::Bytes;
use disk::ReadAt;
use networking::{Chunk, FileRange};
use wire_protocol::message::*;
use wire_protocol::{
    ApiKey, Decoder, ErrorCode, Form, Malformed, Records, RequestHeader, Wire, encode_request,
    encode_response,
};

use crate::bodies::{encode, joined};

fn form(version: i16) -> Form {
    Form {
        version,
        flexible: false,
    }
}

fn produce_request() -> ProduceRequest {
    ProduceRequest {
        transactional_id: Some("t".to_owned()),
        acks: -1,
        timeout_ms: 1500,
        topics: vec![ProduceTopic {
            name: "a".to_owned(),
            partitions: vec![ProducePartition {
                index: 2,
                records: Records::from_bytes(vec![0xee; 3]),
            }],
        }],
    }
}

#[test]
fn produce_requests_have_a_transactional_id_from_version_3_on() {
    let old = [
        &[0xff, 0xff, 0, 0, 0x05, 0xdc][..], // acks, timeout
        &[0, 0, 0, 1, 0, 1, b'a'],           // one topic, its name
        &[0, 0, 0, 1, 0, 0, 0, 2],           // one partition, its index
        &[0, 0, 0, 3, 0xee, 0xee, 0xee],     // records
    ]
    .concat();
    let plain = ProduceRequest {
        transactional_id: None,
        ..produce_request()
    };
    for version in 0..3 {
        assert_eq!(encode(&plain, form(version)), old);
    }
    let new = [&[0, 1, b't'], &old[..]].concat();
    for version in 3..=7 {
        assert_eq!(encode(&produce_request(), form(version)), new);
    }
}

#[test]
#[should_panic(expected = "this version has no `self.transactional_id` to say so")]
fn what_a_version_cannot_say_is_not_dropped() {
    encode(&produce_request(), form(2));
}

#[test]
fn what_an_older_peer_does_without_is_dropped() {
    let request = FetchRequest {
        rack_id: "north".to_owned(),
        ..FetchRequest::default()
    };
    assert_eq!(
        encode(&request, form(10)),
        encode(&FetchRequest::default(), form(10))
    );
    assert_eq!(
        encode(&request, form(11)).len(),
        encode(&request, form(10)).len() + 7
    );
}

#[test]
fn metadata_0_asks_for_all_topics_with_an_empty_list() {
    let topics = |bytes: &[u8], version| {
        let frame = Bytes::copy_from_slice(bytes);
        let mut input = Decoder::new(&frame, version, false);
        MetadataRequest::decode(&mut input).map(|request| request.topics)
    };
    let all = Ok(MetadataTopics(None));
    let none = Ok(MetadataTopics(Some(vec![])));
    assert_eq!(topics(&[0; 4], 0), all);
    assert_eq!(topics(&[0xff; 4], 0), Err(Malformed::UnexpectedNull));
    assert_eq!(topics(&[0; 4], 1), none);
    assert_eq!(topics(&[0xff; 4], 1), all);
    assert_eq!(encode(&MetadataTopics(None), form(0)), [0; 4]);
    assert_eq!(encode(&MetadataTopics(None), form(1)), [0xff; 4]);
}

#[test]
#[should_panic(expected = "version 0 cannot ask about no topic")]
fn metadata_0_cannot_ask_about_no_topic() {
    encode(&MetadataTopics(Some(vec![])), form(0));
}

#[test]
fn produce_responses_grow_with_their_version() {
    let response = ProduceResponse {
        topics: vec![ProduceTopicResponse {
            name: "a".to_owned(),
            partitions: vec![ProducePartitionResponse {
                index: 2,
                error_code: ErrorCode::UNSUPPORTED_VERSION,
                ..ProducePartitionResponse::default()
            }],
        }],
        throttle_time_ms: 0,
    };
    let minus_1 = [0xff; 8];
    let head = [
        &[0, 0, 0, 1, 0, 1, b'a', 0, 0, 0, 1][..],
        &[0, 0, 0, 2, 0, 35],
        &minus_1,
    ]
    .concat();
    let with = |tail: &[&[u8]]| [&head[..], &tail.concat()].concat();
    let throttle = [0; 4];
    assert_eq!(encode(&response, form(0)), head);
    assert_eq!(encode(&response, form(1)), with(&[&throttle]));
    for version in 2..5 {
        assert_eq!(
            encode(&response, form(version)),
            with(&[&minus_1, &throttle])
        );
    }
    for version in 5..=7 {
        let expected = with(&[&minus_1, &minus_1, &throttle]);
        assert_eq!(encode(&response, form(version)), expected);
    }
}

#[test]
fn defaults_are_those_that_clients_rely_on() {
    let partition = FetchPartitionResponse::default();
    assert_eq!(partition.preferred_read_replica, -1);
    assert_eq!(partition.log_start_offset, -1);
    assert!(partition.aborted_transactions.is_none());
    let request = FetchRequest::default();
    assert_eq!((request.replica_id, request.session_epoch), (-1, -1));
    assert_eq!(request.max_bytes, i32::MAX);
    assert!(MetadataRequest::default().allow_auto_topic_creation);
}

#[test]
fn empty_records_are_not_null() {
    // From version 11 on: index, error, three offsets, no aborted transactions, replica, records.
    let bytes = encode(&FetchPartitionResponse::default(), form(11));
    assert_eq!(
        bytes[bytes.len() - 12..],
        [
            0xff, 0xff, 0xff, 0xff, // aborted transactions: null
            0xff, 0xff, 0xff, 0xff, // preferred read replica: -1
            0, 0, 0, 0, // records: 0 bytes, not null
        ]
    );
}

/// A file that must not be read.
#[derive(Debug)]
struct Unread;

impl ReadAt for Unread {
    fn read_at(&self, _buffer: &mut [u8], _position: u64) -> io::Result<usize> {
        panic!("encoding reads no file")
    }
    fn read_cached_at(&self, _buffer: &mut [u8], _position: u64) -> io::Result<Option<usize>> {
        Ok(None)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

#[test]
fn records_in_a_file_stay_there() {
    let range = FileRange {
        file: Arc::new(Unread),
        position: 4096,
        length: 1000,
    };
    let response = FetchResponse {
        responses: vec![FetchTopicResponse {
            topic: "a".to_owned(),
            partitions: vec![FetchPartitionResponse {
                records: Records {
                    chunks: vec![Chunk::File(range.clone()), Chunk::File(range)],
                },
                ..FetchPartitionResponse::default()
            }],
        }],
        ..FetchResponse::default()
    };
    let chunks = encode_response(ApiKey::Fetch, 11, 9, &response);
    let [Chunk::Bytes(head), Chunk::File(first), Chunk::File(_)] = &chunks[..] else {
        panic!("{chunks:?}");
    };
    assert_eq!((first.position, first.length), (4096, 1000));
    let announced = i32::from_be_bytes(head[..4].try_into().unwrap());
    assert_eq!(usize::try_from(announced).unwrap(), head.len() - 4 + 2000);
    assert_eq!(head[head.len() - 4..], 2000_i32.to_be_bytes());
}

/// A frame, and where its records are in memory.
fn decoded_produce(payload: Vec<u8>) -> (Records, *const u8) {
    let frame = Bytes::from(payload);
    let start = frame.as_ptr().wrapping_add(frame.len() - 3);
    let (_, mut body) = RequestHeader::decode(&frame).expect("it was written here");
    let mut request = ProduceRequest::decode(&mut body).expect("it was written here");
    let partition = request.topics[0].partitions.remove(0);
    (partition.records, start)
}

#[test]
fn the_only_holder_of_a_frame_changes_its_records_in_place() {
    let payload = encode_request(&produce_request(), 7, 1, "c");
    let (records, start) = decoded_produce(payload.clone());
    let mut batch = records.into_mut();
    assert_eq!(batch.as_ptr(), start, "no copy");
    batch[0] = 1;
    assert_eq!(batch[..], [1, 0xee, 0xee]);

    let (records, start) = decoded_produce(payload);
    let other = records.clone();
    let mut batch = records.into_mut();
    assert_ne!(
        batch.as_ptr(),
        start,
        "a copy, since somebody else reads the frame"
    );
    batch[0] = 1;
    let other = other.into_bytes();
    assert_eq!(other[..], [0xee; 3]);
    assert_eq!(other.as_ptr(), start);
}

#[test]
fn records_of_a_response_go_out_as_they_are() {
    let batch = Bytes::from(vec![0xee; 1000]);
    let partition = |records: Bytes| FetchPartitionResponse {
        records: Records::from_bytes(records),
        ..FetchPartitionResponse::default()
    };
    let response = FetchResponse {
        responses: vec![FetchTopicResponse {
            topic: "a".to_owned(),
            partitions: vec![
                partition(batch.clone()),
                partition(Bytes::new()),
                partition(batch.clone()),
            ],
        }],
        ..FetchResponse::default()
    };
    let chunks = encode_response(ApiKey::Fetch, 11, 9, &response);
    let places: Vec<usize> = chunks.iter().map(Chunk::len).collect();
    assert_eq!(places[1], 1000);
    assert_eq!(places.len(), 4, "{places:?}");
    for chunk in [&chunks[1], &chunks[3]] {
        let Chunk::Bytes(bytes) = chunk else {
            panic!("{chunk:?}")
        };
        assert_eq!(bytes.as_ptr(), batch.as_ptr(), "no copy");
    }
    let frame = joined(chunks);
    let announced = i32::from_be_bytes(frame[..4].try_into().unwrap());
    assert_eq!(usize::try_from(announced).unwrap(), frame.len() - 4);
    let payload = Bytes::from(frame).slice(4..);
    let read = wire_protocol::decode_response::<FetchRequest>(&payload, 11).unwrap();
    let sizes = read.responses[0]
        .partitions
        .iter()
        .map(|partition| partition.records.len());
    assert_eq!(sizes.collect::<Vec<_>>(), [1000, 0, 1000]);
}

#[test]
fn an_error_message_that_quotes_a_long_name_is_cut() {
    let long = CreatableTopicResult {
        name: "a".to_owned(),
        error_code: ErrorCode::INVALID_TOPIC_EXCEPTION,
        error_message: Some(format!("xx{}", "é".repeat(20_000))),
        ..CreatableTopicResult::default()
    };
    let bytes = encode(&long, form(3));
    // The last é that fits as a whole ends at 32,766: 2 + 16,382 × 2.
    assert_eq!(bytes[5..7], 32_766_i16.to_be_bytes());
    assert_eq!(bytes.len(), 7 + 32_766);
    let response = CreateTopicsResponse {
        topics: vec![long],
        throttle_time_ms: 0,
    };
    assert!(!joined(encode_response(ApiKey::CreateTopics, 3, 9, &response)).is_empty());
}
