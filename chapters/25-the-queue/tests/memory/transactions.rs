//! The worst requests of transactions.

use exactly_once::api::describe_producers_size;
use wire_protocol::message::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, DescribeProducersRequest,
    DescribeProducersTopic, DescribeTransactionsRequest, FindCoordinatorRequest,
    ListTransactionsRequest, TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition,
    TxnOffsetCommitRequestTopic, WritableTxnMarker, WritableTxnMarkerTopic, WriteTxnMarkersRequest,
};

use crate::served::Served;
use crate::{Row, a, different, many, name};

/// Makes the topic for transactions, which is not measured: it is made once.
pub(crate) fn make_the_topic(served: &Served) {
    let request = FindCoordinatorRequest {
        key_type: 1,
        ..FindCoordinatorRequest::default()
    };
    served.measure(&request, 3);
}

pub(crate) fn producers(served: &Served) -> Vec<Row> {
    let add = |topics| {
        let request = AddPartitionsToTxnRequest {
            transactional_id: a(),
            topics,
            ..AddPartitionsToTxnRequest::default()
        };
        served.measure(&request, 3)
    };
    let topic = |name: String, partitions| AddPartitionsToTxnTopic { name, partitions };
    let entry = |partition_index| TxnOffsetCommitRequestPartition {
        partition_index,
        ..TxnOffsetCommitRequestPartition::default()
    };
    let commit = |name: &str, partitions| {
        let request = TxnOffsetCommitRequest {
            group_id: a(),
            topics: vec![TxnOffsetCommitRequestTopic {
                name: name.to_owned(),
                partitions,
            }],
            ..TxnOffsetCommitRequest::default()
        };
        served.measure(&request, 3)
    };
    vec![
        ("add partitions: topics", add(many(4, topic(a(), vec![])))),
        (
            "add partitions: one",
            add(vec![topic("t".to_owned(), many(4, 0))]),
        ),
        (
            "add partitions: unknown",
            add(vec![topic("t".to_owned(), different(4, |number| number))]),
        ),
        (
            "transactional commit: one partition",
            commit("t", many(19, entry(0))),
        ),
        (
            "transactional commit: unknown",
            commit("t", different(19, |number| entry(number + 1))),
        ),
    ]
}

pub(crate) fn operators(served: &Served) -> Vec<Row> {
    let topic = |name: String, partition_indexes| WritableTxnMarkerTopic {
        name,
        partition_indexes,
    };
    let marker = |topics| WritableTxnMarker {
        topics,
        ..WritableTxnMarker::default()
    };
    let mark = |markers| served.measure(&WriteTxnMarkersRequest { markers }, 1);
    let producers = |name: &str, partition_indexes| {
        let request = DescribeProducersRequest {
            topics: vec![DescribeProducersTopic {
                name: name.to_owned(),
                partition_indexes,
            }],
        };
        let mut took = served.measure(&request, 0);
        // The answer is counted too: it is far longer than what it answers.
        let size = describe_producers_size(&served.queue.transactions, &request);
        took.counted += served.run(size);
        took
    };
    let describe = |transactional_ids| {
        let request = DescribeTransactionsRequest { transactional_ids };
        served.measure(&request, 0)
    };
    let list = ListTransactionsRequest {
        state_filters: many(2, a()),
        ..ListTransactionsRequest::default()
    };
    let unknown = || different(4, |number| number + 1);
    vec![
        ("write markers: markers", mark(many(17, marker(vec![])))),
        (
            "write markers: unknown",
            mark(vec![marker(vec![topic("t".to_owned(), unknown())])]),
        ),
        ("describe producers: unknown", producers("t", unknown())),
        ("describe producers: one", producers("t", many(4, 0))),
        ("describe transactions: one", describe(many(2, a()))),
        ("describe transactions: ids", describe(different(5, name))),
        ("list transactions: states", served.measure(&list, 1)),
    ]
}
