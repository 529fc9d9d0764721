//! Transactions and idempotent producers, against the real process.

mod bounds;
mod compacted;

use mqd_guard::{Mqd, Port};
use record_batch::layout;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AddPartitionsToTxnTopic,
    DeleteTopicsRequest, DescribeTransactionsRequest, EndTxnRequest, FetchPartitionResponse,
    FetchRequest, FindCoordinatorRequest, InitProducerIdRequest, OffsetFetchGroup,
    OffsetFetchRequest, OffsetFetchTopic, ProduceRequest, TxnOffsetCommitRequest,
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};

use crate::raw::{Raw, batch, fetch_request, produce_request};
use crate::support::{PATIENCE, mqd, run, stderr};

const NONE: ErrorCode = ErrorCode::NONE;
const ID: &str = "x";
/// How often a test asks again before it fails.
const TRIES: usize = 100_000;

/// With few partitions for transactions and groups, so that a start is short.
fn start() -> Mqd {
    mqd()
        .set("transaction.state.log.num.partitions", "3")
        .set("offsets.topic.num.partitions", "3")
        .start()
        .unwrap()
}

/// An instance of a producer.
struct Producer {
    id: i64,
    epoch: i16,
}

impl Producer {
    fn new(raw: &mut Raw) -> Producer {
        for (key, key_type) in [(ID, 1), ("g", 0)] {
            let request = FindCoordinatorRequest {
                key_type,
                coordinator_keys: vec![key.to_owned()],
                ..FindCoordinatorRequest::default()
            };
            let found = raw.call(&request).unwrap();
            assert_eq!(found.coordinators[0].error_code, NONE);
        }
        let request = InitProducerIdRequest {
            transactional_id: Some(ID.to_owned()),
            transaction_timeout_ms: 60_000,
            ..InitProducerIdRequest::default()
        };
        let mut answers = (0..TRIES).map(|_| raw.call(&request).unwrap());
        let wait = ErrorCode::CONCURRENT_TRANSACTIONS;
        let answer = answers.find(|answer| answer.error_code != wait).unwrap();
        assert_eq!(answer.error_code, NONE);
        Producer {
            id: answer.producer_id,
            epoch: answer.producer_epoch,
        }
    }

    fn add(&self, raw: &mut Raw, topic: &str) {
        let request = AddPartitionsToTxnRequest {
            transactional_id: ID.to_owned(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            topics: vec![AddPartitionsToTxnTopic {
                name: topic.to_owned(),
                partitions: vec![0],
            }],
        };
        let added = raw.call(&request).unwrap();
        let code = added.results_by_topic[0].results_by_partition[0].partition_error_code;
        assert_eq!(code, NONE);
    }

    fn write(&self, raw: &mut Raw, topic: &str, first: i32, value: &str) -> ErrorCode {
        let attributes = 1 << 4;
        let batch = numbered(value, (self.id, self.epoch, first), attributes);
        let request = ProduceRequest {
            transactional_id: Some(ID.to_owned()),
            ..produce_request(topic, -1, batch)
        };
        let mut codes = (0..TRIES).map(|_| {
            let written = raw.call(&request).unwrap();
            written.topics[0].partitions[0].error_code
        });
        // After a start it may not be known yet that the transaction is open.
        let wait = ErrorCode::NOT_ENOUGH_REPLICAS;
        codes.find(|code| *code != wait).unwrap()
    }

    fn add_offsets(&self, raw: &mut Raw) {
        let request = AddOffsetsToTxnRequest {
            transactional_id: ID.to_owned(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            group_id: "g".to_owned(),
        };
        assert_eq!(raw.call(&request).unwrap().error_code, NONE);
    }

    /// Commits `offset` of partition 0 of `in` for the group.
    fn commit(&self, raw: &mut Raw, offset: i64) {
        let request = TxnOffsetCommitRequest {
            transactional_id: ID.to_owned(),
            group_id: "g".to_owned(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            topics: vec![TxnOffsetCommitRequestTopic {
                name: "in".to_owned(),
                partitions: vec![TxnOffsetCommitRequestPartition {
                    committed_offset: offset,
                    ..TxnOffsetCommitRequestPartition::default()
                }],
            }],
            ..TxnOffsetCommitRequest::default()
        };
        let committed = raw.call(&request).unwrap();
        assert_eq!(committed.topics[0].partitions[0].error_code, NONE);
    }

    fn end(&self, raw: &mut Raw, committed: bool) -> ErrorCode {
        let request = EndTxnRequest {
            transactional_id: ID.to_owned(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            committed,
        };
        let mut answers = (0..TRIES).map(|_| raw.call(&request).unwrap().error_code);
        let wait = [
            ErrorCode::CONCURRENT_TRANSACTIONS,
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
        ];
        answers.find(|code| !wait.contains(code)).unwrap()
    }
}

/// A batch of one record, with who has sent it, and its number.
pub(crate) fn numbered(
    value: &str,
    (id, epoch, first): (i64, i16, i32),
    attributes: i16,
) -> Vec<u8> {
    let mut batch = batch(&[value.as_bytes()]);
    let mut put = |at: usize, bytes: &[u8]| batch[at..at + bytes.len()].copy_from_slice(bytes);
    put(layout::ATTRIBUTES, &attributes.to_be_bytes());
    put(layout::PRODUCER_ID, &id.to_be_bytes());
    put(layout::PRODUCER_EPOCH, &epoch.to_be_bytes());
    put(layout::BASE_SEQUENCE, &first.to_be_bytes());
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    batch
}

/// What a consumer of committed records gets from the start of partition 0.
fn read_committed(raw: &mut Raw, topic: &str) -> FetchPartitionResponse {
    let request = FetchRequest {
        isolation_level: 1,
        ..fetch_request(topic, 0, 0)
    };
    let mut response = raw.call(&request).unwrap();
    response.responses.remove(0).partitions.remove(0)
}

/// What the group has committed of partition 0 of `in`.
fn committed(raw: &mut Raw) -> (i64, ErrorCode) {
    let request = OffsetFetchRequest {
        require_stable: true,
        groups: vec![OffsetFetchGroup {
            group_id: "g".to_owned(),
            topics: Some(vec![OffsetFetchTopic {
                name: "in".to_owned(),
                partition_indexes: vec![0],
            }]),
        }],
        ..OffsetFetchRequest::default()
    };
    let mut answers = (0..TRIES).map(|_| raw.call(&request).unwrap().groups.remove(0));
    let wait = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
    let fetched = answers.find(|group| group.error_code != wait).unwrap();
    let one = &fetched.topics[0].partitions[0];
    (one.committed_offset, one.error_code)
}

#[test]
fn records_and_offsets_of_a_transaction_survive_kill_9_and_count_together() {
    let mut mqd = start();
    let mut raw = Raw::connect(&mqd);
    for topic in ["in", "out"] {
        raw.create_topic(topic);
    }
    let producer = Producer::new(&mut raw);
    producer.add(&mut raw, "out");
    assert_eq!(producer.write(&mut raw, "out", 0, "a"), NONE);
    producer.add_offsets(&mut raw);
    producer.commit(&mut raw, 7);
    mqd.kill_9().unwrap();
    mqd.restart(Port::Any).unwrap();
    let mut raw = Raw::connect(&mqd);
    let read = read_committed(&mut raw, "out");
    assert_eq!((read.last_stable_offset, read.high_watermark), (0, 1));
    assert_eq!(committed(&mut raw), (-1, ErrorCode::UNSTABLE_OFFSET_COMMIT));
    // It goes on where it was.
    assert_eq!(producer.write(&mut raw, "out", 0, "a"), NONE);
    assert_eq!(producer.write(&mut raw, "out", 1, "b"), NONE);
    assert_eq!(producer.end(&mut raw, true), NONE);
    assert_eq!(committed(&mut raw), (7, NONE));
    mqd.kill_9().unwrap();
    mqd.restart(Port::Any).unwrap();
    let mut raw = Raw::connect(&mqd);
    let read = read_committed(&mut raw, "out");
    assert_eq!(read.last_stable_offset, read.high_watermark);
    assert!(read.aborted_transactions.unwrap_or_default().is_empty());
    assert_eq!(committed(&mut raw), (7, NONE));
    assert_eq!(producer.end(&mut raw, true), NONE, "said again");
}

#[test]
fn a_second_instance_fences_the_first() {
    let mqd = start();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("out");
    let first = Producer::new(&mut raw);
    first.add(&mut raw, "out");
    assert_eq!(first.write(&mut raw, "out", 0, "a"), NONE);
    let second = Producer::new(&mut raw);
    assert_eq!((second.id, second.epoch), (first.id, first.epoch + 2));
    let late = first.write(&mut raw, "out", 1, "late");
    assert_eq!(late, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(first.end(&mut raw, true), ErrorCode::PRODUCER_FENCED);
    let read = read_committed(&mut raw, "out");
    let aborted = read.aborted_transactions.unwrap();
    let aborted: Vec<_> = aborted
        .iter()
        .map(|one| (one.producer_id, one.first_offset))
        .collect();
    assert_eq!(aborted, [(first.id, 0)]);
}

#[test]
fn a_transaction_is_aborted_after_its_timeout() {
    let mqd = start();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("out");
    Producer::new(&mut raw);
    let request = InitProducerIdRequest {
        transactional_id: Some(ID.to_owned()),
        transaction_timeout_ms: 1,
        ..InitProducerIdRequest::default()
    };
    let answer = raw.call(&request).unwrap();
    let producer = Producer {
        id: answer.producer_id,
        epoch: answer.producer_epoch,
    };
    producer.add(&mut raw, "out");
    let request = DescribeTransactionsRequest {
        transactional_ids: vec![ID.to_owned()],
    };
    let mut states = (0..TRIES).map(|_| {
        let mut described = raw.call(&request).unwrap().transaction_states;
        described.remove(0).transaction_state
    });
    assert!(states.any(|state| state == "CompleteAbort"));
    assert_eq!(producer.end(&mut raw, true), ErrorCode::PRODUCER_FENCED);
}

#[test]
fn a_batch_that_is_sent_again_after_a_restart_is_stored_once() {
    let mut mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    let producer = raw.call(&InitProducerIdRequest::default()).unwrap();
    let sent = |first| numbered("a", (producer.producer_id, 0, first), 0);
    let mut offsets = Vec::new();
    for end in ["kill -9", "SIGTERM", ""] {
        for first in 0..3 {
            let answer = raw.produce("t", -1, sent(first)).unwrap();
            assert_eq!(answer.error_code, NONE, "{end}");
            offsets.push(answer.base_offset);
        }
        let gap = raw.produce("t", -1, sent(4)).unwrap();
        assert_eq!(gap.error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
        match end {
            "kill -9" => mqd.kill_9().unwrap(),
            "SIGTERM" => assert!(mqd.terminate().unwrap().success()),
            _ => break,
        }
        mqd.restart(Port::Any).unwrap();
        raw = Raw::connect(&mqd);
    }
    assert_eq!(offsets, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    assert_eq!(raw.log_end("t"), 3);
}

#[test]
fn a_rule_that_is_left_out_is_named_loudly() {
    let mqd = mqd()
        .argument("--without-rule")
        .argument("duplicates")
        .start()
        .unwrap();
    let warning = "THE RULE duplicates DOES NOT HOLD";
    assert!(mqd.says(warning, PATIENCE), "{}", mqd.stderr());
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    for offset in [0, 1] {
        let answer = raw.produce("t", -1, numbered("a", (5, 0, 0), 0)).unwrap();
        assert_eq!((answer.error_code, answer.base_offset), (NONE, offset));
    }
    let unknown = run(&["--data-dir", "d", "--without-rule", "gravity"]);
    assert_eq!(unknown.status.code(), Some(2));
    let said = stderr(&unknown);
    assert!(said.contains("ordering, duplicates, fence"), "{said}");
}

#[test]
fn the_topics_of_transactions_and_offsets_are_deleted_and_all_goes_on() {
    let mqd = start();
    let mut raw = Raw::connect(&mqd);
    for topic in ["in", "out"] {
        raw.create_topic(topic);
    }
    for offset in 1..4 {
        let producer = Producer::new(&mut raw);
        producer.add(&mut raw, "out");
        assert_eq!(producer.write(&mut raw, "out", 0, "a"), NONE);
        producer.add_offsets(&mut raw);
        producer.commit(&mut raw, offset);
        if offset < 3 {
            let request = DeleteTopicsRequest {
                topic_names: vec![
                    "__transaction_state".to_owned(),
                    "__consumer_offsets".to_owned(),
                ],
                timeout_ms: 10_000,
            };
            let deleted = raw.call(&request).unwrap().responses;
            assert!(deleted.iter().all(|topic| topic.error_code == NONE));
        } else {
            assert_eq!(producer.end(&mut raw, true), NONE);
        }
    }
    assert_eq!(committed(&mut raw), (3, NONE));
}
