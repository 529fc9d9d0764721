//! The worst requests about what topics hold, and about their settings.

use wire_protocol::message::{
    AlterConfigsRequest, AlterConfigsResource, AlterableConfig, CreatePartitionsAssignment,
    CreatePartitionsRequest, CreatePartitionsTopic, DeleteRecordsPartition, DeleteRecordsRequest,
    DeleteRecordsTopic, DescribableLogDirTopic, DescribeConfigsRequest, DescribeConfigsResource,
    DescribeLogDirsRequest, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResource,
    IncrementallyAlterableConfig,
};

use crate::served::Served;
use crate::{Row, a, different, long_name, many, name};

pub(crate) fn delete_records(served: &Served) -> Vec<Row> {
    let entry = |partition_index| DeleteRecordsPartition {
        partition_index,
        offset: 0,
    };
    let topic = |name, partitions| DeleteRecordsTopic { name, partitions };
    let ask = |topics| {
        let request = DeleteRecordsRequest {
            topics,
            timeout_ms: 1_000,
        };
        served.measure(&request, 2)
    };
    vec![
        ("delete records: topics", ask(many(4, topic(a(), vec![])))),
        (
            "delete records: partitions",
            ask(vec![topic(a(), different(13, entry))]),
        ),
        (
            "delete records: one partition",
            ask(vec![topic(a(), many(13, entry(0)))]),
        ),
        (
            "delete records: topics of one partition",
            ask(different(20, |number| topic(name(number), vec![entry(0)]))),
        ),
    ]
}

pub(crate) fn create_partitions(served: &Served) -> Vec<Row> {
    let topic = |name| CreatePartitionsTopic {
        name,
        count: 2,
        assignments: None,
    };
    let ask = |topics| {
        let request = CreatePartitionsRequest {
            topics,
            timeout_ms: 60_000,
            validate_only: true,
        };
        served.measure(&request, 3)
    };
    let assigned = CreatePartitionsTopic {
        assignments: Some(many(2, CreatePartitionsAssignment::default())),
        ..topic("t".to_owned())
    };
    vec![
        ("create partitions: one topic", ask(many(8, topic(a())))),
        (
            "create partitions: topics",
            ask(different(11, |number| topic(name(number)))),
        ),
        ("create partitions: assignments", ask(vec![assigned])),
    ]
}

pub(crate) fn alter_configs(served: &Served) -> Vec<Row> {
    let resource = |resource_name, configs| AlterConfigsResource {
        resource_type: 2,
        resource_name,
        configs,
    };
    let config = |name: String| AlterableConfig {
        name,
        value: Some(String::new()),
    };
    let ask = |resources| {
        let request = AlterConfigsRequest {
            resources,
            validate_only: false,
        };
        served.measure(&request, 2)
    };
    vec![
        ("alter: one topic", ask(many(5, resource(a(), vec![])))),
        (
            "alter: topics",
            ask(different(8, |number| resource(name(number), vec![]))),
        ),
        (
            "alter: one setting",
            ask(vec![resource("t".to_owned(), many(4, config(a())))]),
        ),
        (
            "alter: settings",
            ask(vec![resource(
                "t".to_owned(),
                different(7, |number| config(name(number))),
            )]),
        ),
        (
            "alter: topics of a long setting",
            ask(different(30_010, |number| {
                resource(name(number), vec![config(long_name())])
            })),
        ),
    ]
}

pub(crate) fn incremental_alter_configs(served: &Served) -> Vec<Row> {
    let resource = |resource_name, configs| IncrementalAlterConfigsResource {
        resource_type: 2,
        resource_name,
        configs,
    };
    let config = |name: String| IncrementallyAlterableConfig {
        name,
        config_operation: 1,
        value: None,
    };
    let ask = |resources| {
        let request = IncrementalAlterConfigsRequest {
            resources,
            validate_only: false,
        };
        served.measure(&request, 1)
    };
    vec![
        (
            "alter some: topics",
            ask(different(8, |number| resource(name(number), vec![]))),
        ),
        (
            "alter some: settings",
            ask(vec![resource(
                "t".to_owned(),
                different(8, |number| config(name(number))),
            )]),
        ),
    ]
}

pub(crate) fn named_log_dirs(served: &Served) -> Vec<Row> {
    let topic = |topic, partitions| DescribableLogDirTopic { topic, partitions };
    let ask = |topics| {
        let request = DescribeLogDirsRequest {
            topics: Some(topics),
        };
        served.measure(&request, 4)
    };
    vec![
        (
            "log dirs: topics",
            ask(different(7, |number| topic(name(number), vec![]))),
        ),
        (
            "log dirs: partitions",
            ask(vec![topic("t".to_owned(), different(4, |index| index))]),
        ),
    ]
}

/// Short requests with long answers, about what exists.
pub(crate) fn descriptions(served: &Served) -> Vec<Row> {
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
    let all = DescribeLogDirsRequest { topics: None };
    vec![
        ("the settings of 1,000 topics", served.measure(&settings, 4)),
        ("the sizes of all partitions", served.measure(&all, 4)),
    ]
}
