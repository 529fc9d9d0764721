//! A client that can misbehave: requests and bytes over a plain socket.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use message_model::Timestamp;
use mqd_guard::Mqd;
use record_batch::{BatchBuilder, RecordToSend};
use wire_protocol::message::{
    CreatableTopic, CreateTopicsRequest, FetchPartition, FetchPartitionResponse, FetchRequest,
    FetchTopic, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic, MetadataRequest,
    MetadataTopics, ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceTopic,
};
use wire_protocol::{ErrorCode, Records, Request, decode_response, encode_request};

use crate::support::PATIENCE;

/// The longest answer that a test reads, in bytes.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// One connection, one request at a time.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    next_id: i32,
}

impl Raw {
    pub(crate) fn connect(mqd: &Mqd) -> Raw {
        Raw::connect_to(mqd.address()).expect("mqd takes the connection")
    }

    pub(crate) fn connect_to(address: SocketAddr) -> io::Result<Raw> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Raw { stream, next_id: 0 })
    }

    /// Sends a request in the newest version that is served, and reads its response.
    pub(crate) fn call<R: Request>(&mut self, request: &R) -> io::Result<R::Response> {
        self.call_version(request, *R::KEY.versions().end())
    }

    pub(crate) fn call_version<R: Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> io::Result<R::Response> {
        self.send(request, version)?;
        let answer = self.read_frame()?;
        assert_eq!(
            answer[..4],
            self.next_id.to_be_bytes(),
            "the correlation id"
        );
        Ok(decode_response::<R>(&answer.into(), version).expect("a well-formed response"))
    }

    /// Sends a request and reads nothing.
    pub(crate) fn send<R: Request>(&mut self, request: &R, version: i16) -> io::Result<()> {
        self.next_id += 1;
        self.send_frame(&encode_request(request, version, self.next_id, "raw"))
    }

    pub(crate) fn send_frame(&mut self, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).expect("a request is short");
        self.stream
            .write_all(&[&length.to_be_bytes()[..], payload].concat())
    }

    pub(crate) fn read_frame(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).expect("32 bits fit");
        assert!(length <= ANSWER_MAX, "an answer of {length} bytes");
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload)?;
        Ok(payload)
    }

    /// Waits until the other side has closed; fails if it sends something instead.
    pub(crate) fn expect_close(mut self, what: &str) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => assert!(rest.is_empty(), "{what}: answered {rest:02x?}"),
            Err(error) => assert!(
                matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
                ),
                "{what}: {error}"
            ),
        }
    }

    pub(crate) fn create_topic(&mut self, name: &str) {
        assert_eq!(self.try_to_create(name), ErrorCode::NONE, "{name}");
    }

    /// What is said of the creation of a topic of one partition.
    pub(crate) fn try_to_create(&mut self, name: &str) -> ErrorCode {
        self.create_partitions(name, 1)
    }

    /// What is said of the creation of a topic.
    pub(crate) fn create_partitions(&mut self, name: &str, num_partitions: i32) -> ErrorCode {
        let topic = CreatableTopic {
            name: name.to_owned(),
            num_partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            ..CreateTopicsRequest::default()
        };
        let response = self.call(&request).expect("an answer");
        response.topics[0].error_code
    }

    /// Produces `batch` to partition 0 with `acks`.
    pub(crate) fn produce(
        &mut self,
        topic: &str,
        acks: i16,
        batch: Vec<u8>,
    ) -> io::Result<ProducePartitionResponse> {
        let request = produce_request(topic, acks, batch);
        let mut response = self.call(&request)?;
        Ok(response.topics.remove(0).partitions.remove(0))
    }

    /// Fetches partition 0 from `offset` on, waiting for a record if there is none.
    pub(crate) fn fetch(&mut self, topic: &str, offset: i64) -> io::Result<FetchPartitionResponse> {
        self.fetch_waiting(topic, offset, 2_000)
    }

    /// As [`Raw::fetch`], waiting at most `max_wait_ms`.
    pub(crate) fn fetch_waiting(
        &mut self,
        topic: &str,
        offset: i64,
        max_wait_ms: i32,
    ) -> io::Result<FetchPartitionResponse> {
        let request = fetch_request(topic, offset, max_wait_ms);
        let mut response = self.call(&request)?;
        Ok(response.responses.remove(0).partitions.remove(0))
    }

    /// The offset of the next record in partition 0.
    pub(crate) fn log_end(&mut self, topic: &str) -> i64 {
        let request = ListOffsetsRequest {
            topics: vec![ListOffsetsTopic {
                name: topic.to_owned(),
                partitions: vec![ListOffsetsPartition {
                    partition_index: 0,
                    timestamp: -1,
                    ..ListOffsetsPartition::default()
                }],
            }],
            ..ListOffsetsRequest::default()
        };
        let response = self.call(&request).expect("an answer");
        let partition = &response.topics[0].partitions[0];
        assert_eq!(partition.error_code, ErrorCode::NONE);
        partition.offset
    }

    /// That the broker answers at all, with something that needs its data.
    pub(crate) fn expect_served(&mut self) {
        let request = MetadataRequest {
            topics: MetadataTopics(None),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let response = self.call(&request).expect("everyone else is served");
        assert_eq!(response.brokers.len(), 1);
    }
}

/// Asks for partition 0 from `offset` on.
pub(crate) fn fetch_request(topic: &str, offset: i64, max_wait_ms: i32) -> FetchRequest {
    FetchRequest {
        max_wait_ms,
        min_bytes: 1,
        topics: vec![FetchTopic {
            topic: topic.to_owned(),
            partitions: vec![FetchPartition {
                fetch_offset: offset,
                partition_max_bytes: 8 * 1024 * 1024,
                ..FetchPartition::default()
            }],
        }],
        ..FetchRequest::default()
    }
}

/// Asks for `batch` to be appended to partition 0.
pub(crate) fn produce_request(topic: &str, acks: i16, batch: Vec<u8>) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 10_000,
        topics: vec![ProduceTopic {
            name: topic.to_owned(),
            partitions: vec![ProducePartition {
                index: 0,
                records: Records::from_bytes(batch),
            }],
        }],
        ..ProduceRequest::default()
    }
}

/// A batch with one record per value.
pub(crate) fn batch(values: &[&[u8]]) -> Vec<u8> {
    let mut batch = BatchBuilder::new();
    for (index, value) in values.iter().enumerate() {
        batch.push(&RecordToSend {
            timestamp: Timestamp(1_700_000_000_000 + i64::try_from(index).expect("few values")),
            key: None,
            value: Some(value),
            headers: Vec::new(),
        });
    }
    batch.build()
}

/// A batch of one record, compressed with gzip.
pub(crate) fn gzipped() -> Vec<u8> {
    compression::close_batch(&batch(&[b"from gzip"]), record_batch::Codec::Gzip)
}
