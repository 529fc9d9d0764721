//! The partitions of the fake broker.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use message_model::{LeaderEpoch, Offset, Timestamp};
use record_batch::{BatchBuilder, BatchHeader, RecordToSend, assign_offsets};
use wire_protocol::message::{
    FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopicResponse,
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse, ProducePartitionResponse, ProduceRequest, ProduceResponse,
    ProduceTopicResponse,
};
use wire_protocol::{ErrorCode, Records};

#[derive(Default)]
struct Log {
    /// By the first offset.
    batches: BTreeMap<i64, (BatchHeader, Bytes)>,
    start: i64,
    end: i64,
}

pub(super) struct Logs {
    logs: BTreeMap<(String, i32), Log>,
}

impl Log {
    fn append(&mut self, batch: &[u8]) -> i64 {
        let mut batch = batch.to_vec();
        assign_offsets(&mut batch, Offset(self.end), LeaderEpoch(0));
        let header = BatchHeader::read(&batch).expect("our own clients send whole batches");
        let base = self.end;
        self.end = header.range().end.0;
        self.batches.insert(base, (header, batch.into()));
        base
    }

    /// The batches from the one that contains `from` on.
    fn read(&self, from: i64, max_bytes: usize) -> Bytes {
        let first = self.batches.range(..=from).next_back();
        let first = first.map_or(from, |(base, _)| *base);
        let mut out = BytesMut::new();
        for (header, batch) in self.batches.range(first..).map(|(_, batch)| batch) {
            if header.range().end.0 <= from {
                continue;
            }
            if !out.is_empty() && out.len() + batch.len() > max_bytes {
                break;
            }
            out.extend_from_slice(batch);
        }
        out.freeze()
    }

    fn at_or_after(&self, time: i64) -> i64 {
        let mut batches = self.batches.values();
        let found = batches.find(|(header, _)| header.max_timestamp.0 >= time);
        found.map_or(-1, |(header, _)| header.base_offset.0)
    }
}

impl Logs {
    pub(super) fn new(topics: &[(&str, i32)]) -> Logs {
        let mut logs = Logs {
            logs: BTreeMap::new(),
        };
        for (topic, partitions) in topics {
            logs.add(topic, *partitions);
        }
        logs
    }

    pub(super) fn add(&mut self, topic: &str, partitions: i32) {
        for partition in 0..partitions {
            self.logs.entry((topic.to_owned(), partition)).or_default();
        }
    }

    pub(super) fn topics(&self) -> BTreeMap<String, i32> {
        let mut topics = BTreeMap::new();
        for (topic, _) in self.logs.keys() {
            *topics.entry(topic.clone()).or_insert(0) += 1;
        }
        topics
    }

    pub(super) fn append_values(&mut self, topic: &str, partition: i32, values: &[String]) {
        let mut batch = BatchBuilder::new();
        for value in values {
            batch.push(&RecordToSend {
                timestamp: Timestamp(1_000),
                key: None,
                value: Some(value.as_bytes()),
                headers: Vec::new(),
            });
        }
        let log = self.logs.entry((topic.to_owned(), partition)).or_default();
        log.append(&batch.build());
    }

    pub(super) fn delete_below(&mut self, topic: &str, partition: i32, offset: i64) {
        if let Some(log) = self.logs.get_mut(&(topic.to_owned(), partition)) {
            log.start = offset;
        }
    }

    pub(super) fn produce(&mut self, request: ProduceRequest) -> ProduceResponse {
        let mut responses = Vec::new();
        for topic in request.topics {
            let mut partitions = Vec::new();
            for partition in topic.partitions {
                let key = (topic.name.clone(), partition.index);
                let (base_offset, error_code) = match self.logs.get_mut(&key) {
                    Some(log) => {
                        let batch = partition.records.into_bytes();
                        (log.append(&batch), ErrorCode::NONE)
                    }
                    None => (-1, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
                };
                partitions.push(ProducePartitionResponse {
                    index: partition.index,
                    error_code,
                    base_offset,
                    ..ProducePartitionResponse::default()
                });
            }
            responses.push(ProduceTopicResponse {
                name: topic.name,
                partitions,
            });
        }
        ProduceResponse {
            topics: responses,
            ..ProduceResponse::default()
        }
    }

    pub(super) fn list_offsets(&self, request: &ListOffsetsRequest) -> ListOffsetsResponse {
        let mut topics = Vec::new();
        for topic in &request.topics {
            let answer = |wanted: &wire_protocol::message::ListOffsetsPartition| {
                let log = &self.logs[&(topic.name.clone(), wanted.partition_index)];
                ListOffsetsPartitionResponse {
                    partition_index: wanted.partition_index,
                    offset: match wanted.timestamp {
                        -1 => log.end,
                        -2 => log.start,
                        time => log.at_or_after(time),
                    },
                    ..ListOffsetsPartitionResponse::default()
                }
            };
            topics.push(ListOffsetsTopicResponse {
                name: topic.name.clone(),
                partitions: topic.partitions.iter().map(answer).collect(),
            });
        }
        ListOffsetsResponse {
            topics,
            ..ListOffsetsResponse::default()
        }
    }

    /// `None` while there is nothing and there is time.
    pub(super) fn fetch(&self, request: &FetchRequest, is_over: bool) -> Option<FetchResponse> {
        let mut has_something = is_over;
        let mut responses = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for wanted in &topic.partitions {
                let key = (topic.topic.clone(), wanted.partition);
                let mut answer = FetchPartitionResponse {
                    partition_index: wanted.partition,
                    records: Records::from_bytes(Bytes::new()),
                    ..FetchPartitionResponse::default()
                };
                match self.logs.get(&key) {
                    Some(log) if (log.start..=log.end).contains(&wanted.fetch_offset) => {
                        let most = usize::try_from(wanted.partition_max_bytes).unwrap_or(0);
                        let batches = log.read(wanted.fetch_offset, most);
                        has_something |= !batches.is_empty();
                        answer.records = Records::from_bytes(batches);
                        answer.high_watermark = log.end;
                        answer.log_start_offset = log.start;
                    }
                    Some(_) => answer.error_code = ErrorCode::OFFSET_OUT_OF_RANGE,
                    None => answer.error_code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                }
                has_something |= answer.error_code != ErrorCode::NONE;
                partitions.push(answer);
            }
            responses.push(FetchTopicResponse {
                topic: topic.topic.clone(),
                partitions,
            });
        }
        has_something.then(|| FetchResponse {
            responses,
            ..FetchResponse::default()
        })
    }
}

pub(super) fn patience(request: &FetchRequest) -> Duration {
    Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0))
}
