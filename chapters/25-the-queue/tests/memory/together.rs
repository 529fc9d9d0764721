//! Many requests that come together, each short and with a long answer.

use bytes::Bytes;
use message_model::TopicName;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, CreatableTopic, CreateTopicsRequest,
    DescribeConfigsRequest, DescribeConfigsResource, DescribeGroupsRequest,
    DescribeProducersRequest, DescribeProducersTopic, DescribeTransactionsRequest,
    InitProducerIdRequest, JoinGroupProtocol, JoinGroupRequest, ListGroupsRequest,
    ListTransactionsRequest, MetadataRequest, MetadataTopics, OffsetCommitPartition,
    OffsetCommitRequest, OffsetCommitTopic, OffsetFetchGroup, OffsetFetchRequest,
    SyncGroupAssignment, SyncGroupRequest, WritableTxnMarker, WritableTxnMarkerTopic,
    WriteTxnMarkersRequest,
};

use crate::served::Served;
use crate::{counting, groups, transactions};

/// How many requests come together.
const COUNT: usize = 20;
/// What all requests may hold.
const BUDGET: usize = 1 << 20;

/// That all together hold little more than one alone, and what the budget has room for.
fn check<R: wire_protocol::Request>(served: &Served, what: &str, request: &R, version: i16) {
    let alone = served.measure(request, version);
    let together = served.measure_together(request, version, COUNT);
    println!("{what}: {alone:?}, together {together}");
    let requests = COUNT * alone.arrived * 4;
    assert!(
        together <= alone.peak + 3 * BUDGET + requests,
        "{what}: {alone:?}, {COUNT} together held {together}"
    );
}

#[test]
fn many_long_answers_are_made_one_after_the_other() {
    let _counts_alone = counting::alone();
    let served = Served::with_budget(BUDGET);
    groups::make_the_topic(&served);
    transactions::make_the_topic(&served);
    topics(&served);
    of_transactions(&served);
    of_producers(&served);
    of_groups(&served);
}

/// Twenty topics of twenty partitions, their settings, and topics that could be.
fn topics(served: &Served) {
    let topics = &served.queue.broker.topics;
    for number in 0..20 {
        let name = TopicName::new(&format!("{}{number}", "u".repeat(200))).unwrap();
        served
            .run(topics.create(&name, 20, topics.new_config()))
            .unwrap();
    }
    let all = MetadataRequest {
        topics: MetadataTopics(None),
        ..MetadataRequest::default()
    };
    check(served, "metadata", &all, 9);
    let resource = DescribeConfigsResource {
        resource_type: 2,
        resource_name: "t".to_owned(),
        configuration_keys: None,
    };
    let settings = DescribeConfigsRequest {
        resources: vec![resource; 1_000],
        include_synonyms: true,
        include_documentation: true,
    };
    check(served, "settings", &settings, 4);
    let topic = |number: i32| CreatableTopic {
        name: format!("new-{number}"),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let create = CreateTopicsRequest {
        topics: (0..1_000).map(topic).collect(),
        timeout_ms: 60_000,
        validate_only: true,
    };
    check(served, "topics that could be", &create, 5);
}

fn of_transactions(served: &Served) {
    let mut ids: Vec<_> = (0..100)
        .map(|number| format!("{}{number}", "x".repeat(20_000)))
        .collect();
    ids.push("x".to_owned());
    for id in ids {
        let request = InitProducerIdRequest {
            transactional_id: Some(id.clone()),
            transaction_timeout_ms: 60_000,
            ..InitProducerIdRequest::default()
        };
        let made = served.ask(&request, 4);
        assert_eq!(made.error_code, ErrorCode::NONE);
        let add = AddPartitionsToTxnRequest {
            transactional_id: id,
            producer_id: made.producer_id,
            producer_epoch: made.producer_epoch,
            topics: vec![AddPartitionsToTxnTopic {
                name: format!("{}0", "u".repeat(200)),
                partitions: (0..20).collect(),
            }],
        };
        let added = served.ask(&add, 3);
        let code = added.results_by_topic[0].results_by_partition[0].partition_error_code;
        assert_eq!(code, ErrorCode::NONE);
    }
    check(
        served,
        "transactions",
        &ListTransactionsRequest::default(),
        1,
    );
    let describe = DescribeTransactionsRequest {
        transactional_ids: vec!["x".to_owned(); 9_000],
    };
    check(served, "one transaction", &describe, 0);
}

/// 4,000 producers in one partition, which is named ten times.
fn of_producers(served: &Served) {
    let marker = |producer_id| WritableTxnMarker {
        producer_id,
        topics: vec![WritableTxnMarkerTopic {
            name: "t".to_owned(),
            partition_indexes: vec![0],
        }],
        ..WritableTxnMarker::default()
    };
    let markers = (1_000_000..1_004_000).map(marker).collect();
    served.ask(&WriteTxnMarkersRequest { markers }, 1);
    let describe = DescribeProducersRequest {
        topics: vec![DescribeProducersTopic {
            name: "t".to_owned(),
            partition_indexes: vec![0; 10],
        }],
    };
    check(served, "producers", &describe, 0);
}

fn of_groups(served: &Served) {
    let commit = |group_id: String| {
        let request = OffsetCommitRequest {
            group_id,
            generation_id: -1,
            topics: vec![OffsetCommitTopic {
                name: format!("{}0", "u".repeat(200)),
                partitions: (0..20)
                    .map(|partition_index| OffsetCommitPartition {
                        partition_index,
                        committed_metadata: Some("m".repeat(4_000)),
                        ..OffsetCommitPartition::default()
                    })
                    .collect(),
            }],
            ..OffsetCommitRequest::default()
        };
        let committed = served.ask(&request, 8);
        assert_eq!(
            committed.topics[0].partitions[0].error_code,
            ErrorCode::NONE
        );
    };
    (0..100).for_each(|number| commit(format!("{}{number}", "g".repeat(20_000))));
    commit("offsets".to_owned());
    check(served, "groups", &ListGroupsRequest::default(), 4);
    let offsets = OffsetFetchGroup {
        group_id: "offsets".to_owned(),
        topics: None,
    };
    let fetch = OffsetFetchRequest {
        groups: vec![offsets; 50],
        ..OffsetFetchRequest::default()
    };
    check(served, "offsets", &fetch, 8);
    of_members(served);
}

/// One member, whose share is large.
fn of_members(served: &Served) {
    let join = JoinGroupRequest {
        group_id: "members".to_owned(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".to_owned(),
        protocols: vec![JoinGroupProtocol {
            name: "range".to_owned(),
            metadata: Bytes::new(),
        }],
        ..JoinGroupRequest::default()
    };
    let joined = served.ask(&join, 3);
    assert_eq!(joined.error_code, ErrorCode::NONE);
    let mut sync = SyncGroupRequest {
        group_id: "members".to_owned(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: vec![SyncGroupAssignment {
            member_id: joined.member_id,
            assignment: vec![7; 900_000].into(),
        }],
        ..SyncGroupRequest::default()
    };
    assert_eq!(served.ask(&sync, 3).error_code, ErrorCode::NONE);
    sync.assignments.clear();
    check(served, "a share", &sync, 3);
    let describe = DescribeGroupsRequest {
        groups: vec!["members".to_owned(); 8],
        ..DescribeGroupsRequest::default()
    };
    check(served, "members", &describe, 5);
}
