//! Every API is answered by its own handler, in every version that is advertised.

use mqd_guard::Port;
use wire_protocol::message::{
    ApiVersionsRequest, ApiVersionsResponse, CreatableTopic, CreateTopicsRequest,
    DeleteTopicsRequest, DescribeConfigsRequest, DescribeConfigsResource, InitProducerIdRequest,
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic, MetadataRequest, MetadataTopic,
    MetadataTopics,
};
use wire_protocol::{ApiKey, CANARIES, ErrorCode};

use crate::raw::{Raw, batch, fetch_request, produce_request};
use crate::support::mqd;

fn versions(answer: &ApiVersionsResponse) -> Vec<(i16, i16, i16)> {
    let row =
        |row: &wire_protocol::message::ApiVersion| (row.api_key, row.min_version, row.max_version);
    answer.api_keys.iter().map(row).collect()
}

#[test]
fn api_versions_is_the_table() {
    let mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    let table: Vec<(i16, i16, i16)> = ApiKey::ALL
        .iter()
        .map(|api| {
            (
                *api as i16,
                *api.advertised().start(),
                *api.advertised().end(),
            )
        })
        .collect();
    for version in ApiKey::ApiVersions.versions() {
        let request = ApiVersionsRequest::default();
        let answer = raw.call_version(&request, version).unwrap();
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert_eq!(versions(&answer), table, "version {version}");
    }
}

#[test]
fn a_topic_that_is_asked_for_is_created_if_that_is_allowed() {
    let ask = |raw: &mut Raw, allow_auto_topic_creation| {
        let name = "wanted".to_owned();
        let request = MetadataRequest {
            topics: MetadataTopics(Some(vec![MetadataTopic { name }])),
            allow_auto_topic_creation,
            ..MetadataRequest::default()
        };
        let topic = raw.call(&request).unwrap().topics.remove(0);
        (topic.error_code, topic.partitions.len())
    };
    let unknown = (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, 0);
    let strict = mqd()
        .set("auto.create.topics.enable", "false")
        .start()
        .unwrap();
    assert_eq!(ask(&mut Raw::connect(&strict), true), unknown);
    let willing = mqd().set("num.partitions", "3").start().unwrap();
    assert_eq!(ask(&mut Raw::connect(&willing), false), unknown);
    assert_eq!(ask(&mut Raw::connect(&willing), true), (ErrorCode::NONE, 3));
}

#[test]
fn clients_are_told_the_advertised_address() {
    let mqd = mqd()
        .set("advertised.listeners", "queue.example:4711")
        .set("node.id", "9")
        .start()
        .unwrap();
    let request = MetadataRequest {
        topics: MetadataTopics(None),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    };
    let answer = Raw::connect(&mqd).call(&request).unwrap();
    let broker = &answer.brokers[0];
    assert_eq!((broker.node_id, answer.controller_id), (9, 9));
    assert_eq!((broker.host.as_str(), broker.port), ("queue.example", 4711));
}

#[test]
fn producer_ids_are_never_given_twice() {
    let mut mqd = mqd().start().unwrap();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let mut raw = Raw::connect(&mqd);
        for version in ApiKey::InitProducerId.versions() {
            let request = InitProducerIdRequest::default();
            ids.push(raw.call_version(&request, version).unwrap().producer_id);
        }
        mqd.kill_9().unwrap();
        mqd.restart(Port::Any).unwrap();
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

#[test]
fn the_settings_of_the_broker_can_be_asked_for() {
    let mqd = mqd().set("node.id", "5").start().unwrap();
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: 4,
            resource_name: "5".to_owned(),
            configuration_keys: None,
        }],
        ..DescribeConfigsRequest::default()
    };
    let result = Raw::connect(&mqd).call(&request).unwrap().results.remove(0);
    assert_eq!(result.error_code, ErrorCode::NONE);
    assert_eq!(result.configs.len(), mqd::settings::TABLE.len());
    let find = |name: &str| {
        let found = result
            .configs
            .iter()
            .find(|entry| entry.name == name)
            .unwrap();
        (found.value.clone().unwrap_or_default(), found.config_source)
    };
    assert_eq!(find("node.id"), ("5".to_owned(), 4));
    assert_eq!(find("num.partitions"), ("1".to_owned(), 5));
}

#[test]
fn deleted_topics_are_gone() {
    let mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("brief");
    let request = DeleteTopicsRequest {
        topic_names: vec!["brief".to_owned()],
        ..DeleteTopicsRequest::default()
    };
    let delete = |raw: &mut Raw| raw.call(&request).unwrap().responses[0].error_code;
    assert_eq!(delete(&mut raw), ErrorCode::NONE);
    assert_eq!(delete(&mut raw), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert!(!mqd.data_dir().join("brief-0").exists());
}

#[test]
fn versions_that_are_only_advertised_are_refused_politely() {
    let mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    let apis: Vec<ApiKey> = CANARIES.iter().map(|canary| canary.api).collect();
    assert_eq!(apis, [ApiKey::Produce]);
    // Before version 3 a produce request begins without a transactional id.
    let request = produce_request("t", 1, batch(&[b"x"]));
    for version in CANARIES[0].from..*ApiKey::Produce.versions().start() {
        let answer = raw.call_version(&request, version).unwrap();
        let code = answer.topics[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::UNSUPPORTED_VERSION, "version {version}");
    }
    assert_eq!(raw.log_end("t"), 0);
}

/// Old clients speak old versions: the same records through the lowest and the highest.
#[test]
fn every_version_reads_and_writes_the_same_records() {
    let mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    let mut end = 0;
    for version in ApiKey::Produce.versions() {
        let request = produce_request("t", 1, batch(&[b"x"]));
        let answer = raw.call_version(&request, version).unwrap();
        let partition = &answer.topics[0].partitions[0];
        assert_eq!(partition.error_code, ErrorCode::NONE, "version {version}");
        assert_eq!(partition.base_offset, end);
        end += 1;
    }
    for version in ApiKey::Fetch.versions() {
        let request = fetch_request("t", 0, 0);
        let answer = raw.call_version(&request, version).unwrap();
        let partition = &answer.responses[0].partitions[0];
        assert_eq!(partition.high_watermark, end, "version {version}");
        assert!(!partition.records.is_empty(), "version {version}");
    }
    for version in ApiKey::ListOffsets.versions() {
        let request = ListOffsetsRequest {
            topics: vec![ListOffsetsTopic {
                name: "t".to_owned(),
                partitions: vec![ListOffsetsPartition {
                    timestamp: -1,
                    ..ListOffsetsPartition::default()
                }],
            }],
            ..ListOffsetsRequest::default()
        };
        let answer = raw.call_version(&request, version).unwrap();
        assert_eq!(answer.topics[0].partitions[0].offset, end, "{version}");
    }
}

#[test]
fn every_version_creates_describes_and_deletes_topics() {
    let mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    for version in ApiKey::CreateTopics.versions() {
        let topic = CreatableTopic {
            name: format!("v{version}"),
            num_partitions: -1,
            replication_factor: -1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            ..CreateTopicsRequest::default()
        };
        let answer = raw.call_version(&request, version).unwrap();
        assert_eq!(answer.topics[0].error_code, ErrorCode::NONE, "{version}");
    }
    for version in ApiKey::Metadata.versions() {
        let name = "v2".to_owned();
        let request = MetadataRequest {
            topics: MetadataTopics(Some(vec![MetadataTopic { name }])),
            ..MetadataRequest::default()
        };
        let answer = raw.call_version(&request, version).unwrap();
        assert_eq!(answer.topics[0].partitions.len(), 1, "version {version}");
    }
    for version in ApiKey::DescribeConfigs.versions() {
        let request = DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type: 2,
                resource_name: "v2".to_owned(),
                configuration_keys: None,
            }],
            ..DescribeConfigsRequest::default()
        };
        let answer = raw.call_version(&request, version).unwrap();
        assert!(answer.results[0].configs.len() > 10, "version {version}");
    }
    for version in ApiKey::DeleteTopics.versions() {
        let request = DeleteTopicsRequest {
            topic_names: vec![format!("v{}", version + 1)],
            ..DeleteTopicsRequest::default()
        };
        let answer = raw.call_version(&request, version).unwrap();
        assert_eq!(answer.responses[0].error_code, ErrorCode::NONE, "{version}");
    }
}

#[test]
fn who_asks_for_no_answer_gets_none_or_is_hung_up_on() {
    let mqd = mqd().start().unwrap();
    let mut raw = Raw::connect(&mqd);
    raw.create_topic("t");
    let good = batch(&[b"x"]);
    raw.send(&produce_request("t", 0, good.clone()), 7).unwrap();
    // The next answer is that of the next request.
    assert_eq!(raw.log_end("t"), 1);
    let mut bad = good;
    bad[record_batch::layout::RECORDS] ^= 1;
    raw.send(&produce_request("t", 0, bad), 7).unwrap();
    raw.expect_close("a bad batch without an answer");
    assert_eq!(Raw::connect(&mqd).log_end("t"), 1);
}
