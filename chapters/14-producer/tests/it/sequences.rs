//! A number in each record, and a consumer that finds out what is missing.

use client::records;
use message_model::{Offset, PartitionIndex, TopicPartition};
use producer::{Interceptor, Producer, Record, SEQUENCE_HEADER, Seen, Watch};
use wire_protocol::ErrorCode;

use crate::broker::{Broker, Then};
use crate::{connect, settings, topic};

#[tokio::test]
async fn a_lost_record_is_named() {
    let broker = Broker::start(&[Then::Append, Then::Refuse(ErrorCode::INVALID_RECORD)]).await;
    let interceptor = Interceptor::sequence("billing");
    let producer = Producer::with_interceptor(connect(&broker).await, settings(), interceptor);
    let partition = PartitionIndex(1);
    for value in [b"a", b"b", b"c"] {
        let record = Record {
            partition: Some(partition),
            ..Record::of_value(value)
        };
        // Put and forget: the failure is not looked at.
        let _ = producer.send(&topic(), record).await.await;
    }
    let from = TopicPartition {
        topic: topic(),
        partition,
    };
    let mut watch = Watch::new(8);
    let mut seen = Vec::new();
    for batch in std::mem::take(&mut broker.state().bytes) {
        for record in records(batch, Offset(0)) {
            let headers = record.unwrap().headers;
            let header = headers.iter().find(|one| one.0 == SEQUENCE_HEADER).unwrap();
            seen.push(watch.seen(&from, header.1.as_ref().unwrap()).unwrap());
        }
    }
    assert_eq!(seen, [Seen::Next, Seen::Ahead(1..2)]);
    let (_, producer, detector) = watch.detectors().next().unwrap();
    assert_eq!(producer, b"billing");
    let mut missing = detector.missing();
    assert_eq!((missing.next(), missing.next()), (Some(1..2), None));
}
