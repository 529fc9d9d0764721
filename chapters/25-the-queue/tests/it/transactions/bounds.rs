//! A peer that makes as many transactional ids, or transactions as large, as it can.

use wire_protocol::message::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, InitProducerIdRequest,
};
use wire_protocol::{ErrorCode, Request, decode_response};

use crate::hostile::{MIB, survive};
use crate::raw::Raw;
use crate::support::mqd;

use super::{ID, NONE, Producer};

const FULL: ErrorCode = ErrorCode::POLICY_VIOLATION;
/// How many requests are under way at a time.
const AT_A_TIME: usize = 500;

/// Asks for instances of so many transactional ids. Returns how many got one; the others are
/// refused because there are too many.
fn make_ids(raw: &mut Raw, count: usize) -> usize {
    let version = *InitProducerIdRequest::KEY.versions().end();
    let mut made = 0;
    for from in (0..count).step_by(AT_A_TIME) {
        for number in from..from + AT_A_TIME {
            let request = InitProducerIdRequest {
                transactional_id: Some(format!("hostile-{number}")),
                transaction_timeout_ms: 60_000,
                ..InitProducerIdRequest::default()
            };
            raw.send(&request, version).unwrap();
        }
        for _ in 0..AT_A_TIME {
            let frame = raw.read_frame().unwrap().into();
            let answer = decode_response::<InitProducerIdRequest>(&frame, version).unwrap();
            match answer.error_code {
                NONE => made += 1,
                code => assert_eq!(code, FULL),
            }
        }
    }
    made
}

#[test]
fn ids_without_end_are_refused_and_the_others_go_on() {
    let mqd = mqd()
        .set("transaction.state.log.num.partitions", "3")
        .set("offsets.topic.num.partitions", "3")
        .set("mqd.transactional.ids.max", "1000")
        .start()
        .unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("out");
    let producer = Producer::new(&mut raw);
    producer.add(&mut raw, "out");
    survive(&mqd, 16 * MIB, || {
        let made = make_ids(&mut Raw::connect(&mqd), 20_000);
        // Of those that ask at the same time, one or the other comes in too.
        assert!((999..1_100).contains(&made), "{made}");
        assert_eq!(producer.write(&mut raw, "out", 0, "a"), NONE);
    });
    assert_eq!(producer.end(&mut raw, true), NONE);
    Producer::new(&mut raw).add(&mut raw, "out");
}

#[test]
fn a_million_partitions_are_refused_at_once() {
    let mqd = mqd()
        .set("transaction.state.log.num.partitions", "3")
        .set("offsets.topic.num.partitions", "3")
        .start()
        .unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("out");
    let producer = Producer::new(&mut raw);
    producer.add(&mut raw, "out");
    survive(&mqd, 64 * MIB, || {
        let request = AddPartitionsToTxnRequest {
            transactional_id: ID.to_owned(),
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            topics: vec![AddPartitionsToTxnTopic {
                name: "out".to_owned(),
                partitions: (0..1_000_000).collect(),
            }],
        };
        for _ in 0..5 {
            let answer = raw.call(&request).unwrap();
            let results = &answer.results_by_topic[0].results_by_partition;
            assert_eq!(results.len(), 1_000_000);
            assert!(results.iter().all(|one| one.partition_error_code == FULL));
        }
        assert_eq!(producer.write(&mut raw, "out", 0, "a"), NONE);
    });
    assert_eq!(producer.end(&mut raw, true), NONE);
}
