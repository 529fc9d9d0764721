//! What is refused, in every version of the APIs for records and topics.

use std::ops::RangeInclusive;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::{
    AlterConfigsRequest, ApiVersionsRequest, CreatePartitionsRequest, DeleteRecordsRequest,
    IncrementalAlterConfigsRequest, InitProducerIdRequest, MetadataRequest,
};
use kafka_protocol::messages::{alter_configs_request, incremental_alter_configs_request};

use crate::parity::batch::{Batch, TIMESTAMP};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{
    create, create_plain, creation, deletion, describing, fetch_partition, fetching, listing,
    metadata_request, name, produce, production, set, text, topic,
};

const TOPIC: i8 = 2;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        produces(),
        fetches(),
        listings(),
        metadata(),
        creations(),
        deletions(),
        record_deletions(),
        partitions(),
        descriptions(),
        alterations(),
        increments(),
        greetings(),
    ]
}

/// The steps of each version, behind `before`.
fn each(
    before: Vec<Step>,
    versions: RangeInclusive<i16>,
    of: impl Fn(i16) -> Vec<Step>,
) -> Vec<Step> {
    before.into_iter().chain(versions.flat_map(of)).collect()
}

fn produces() -> Exchange {
    let id = "refused-produce";
    let good = Batch::of(&["a"]).bytes();
    let large = Batch::of(&["x".repeat(300).as_str()]).bytes();
    let broken = Batch::of(&["a"]).but(|batch| batch.crc_error = 1).bytes();
    let before = create(vec![set(
        topic(id, 1, 1),
        &[("max.message.bytes", Some("200"))],
    )]);
    let steps = each(vec![before], 3..=9, |version| {
        let to = |topic: &str, acks, partition, bytes: &[u8]| {
            let request = production(topic, acks, &[(partition, Some(bytes))]);
            Step::new(version, &request)
        };
        vec![
            to("refused-no-topic", 1, 0, &good),
            to("a b", 1, 0, &good),
            to(id, 1, 7, &good),
            to(id, 1, -1, &good),
            to(id, 5, 0, &good),
            to(id, -1, 0, &large),
            to(id, 1, 0, &broken),
        ]
    });
    Exchange::new(
        id,
        "Produce 3 to 9: unknown topics and partitions, acks that are none, a batch too large and one that is broken.",
        steps,
    )
}

fn fetches() -> Exchange {
    let id = "refused-fetch";
    let before = vec![create_plain(&[id]), produce(id, &Batch::of(&["a"]))];
    let steps = each(before, 4..=12, |version| {
        let of = |topic: &str, partition, offset, epoch| {
            let partition = fetch_partition(partition, offset).with_current_leader_epoch(epoch);
            Step::new(version, &fetching(topic, vec![partition]))
        };
        let mut steps = vec![
            of("refused-no-topic", 0, 0, -1),
            of("a b", 0, 0, -1),
            of(id, 7, 0, -1),
            of(id, -1, 0, -1),
            of(id, 0, 2, -1),
            of(id, 0, -1, -1),
        ];
        if version >= 9 {
            steps.extend([of(id, 0, 0, 1), of(id, 0, 0, -2), of(id, 7, 0, 1)]);
        }
        steps
    });
    Exchange::new(
        id,
        "Fetch 4 to 12: unknown topics and partitions, offsets out of range, epochs that are not the leader's.",
        steps,
    )
}

fn listings() -> Exchange {
    let id = "refused-list";
    let before = vec![create_plain(&[id]), produce(id, &Batch::of(&["a"]))];
    let steps = each(before, 1..=9, |version| {
        let of = |topic: &str, partition, epoch| {
            let mut request = listing(topic, &[(partition, TIMESTAMP)]);
            request.topics[0].partitions[0].current_leader_epoch = epoch;
            Step::new(version, &request)
        };
        let mut steps = vec![
            of("refused-no-topic", 0, -1),
            of("a b", 0, -1),
            of(id, 7, -1),
            of(id, -1, -1),
        ];
        if version >= 4 {
            steps.extend([of(id, 0, 1), of(id, 0, -2), of(id, 7, 1)]);
        }
        steps
    });
    Exchange::new(
        id,
        "ListOffsets 1 to 9: unknown topics and partitions, epochs that are not the leader's.",
        steps,
    )
}

fn metadata() -> Exchange {
    let id = "refused-metadata";
    let steps = each(vec![create_plain(&[id])], 0..=9, |version| {
        let of = |names: &[&str]| {
            let request = metadata_request(names);
            // Before version 4 a client cannot forbid a creation.
            Step::new(
                version,
                &request.with_allow_auto_topic_creation(version < 4),
            )
        };
        let mut steps = vec![of(&["a b"]), of(&[""]), of(&[id, "a b"])];
        if version >= 1 {
            let all = MetadataRequest::default().with_topics(None);
            steps.extend([of(&[]), Step::new(version, &all)]);
        }
        if version >= 4 {
            steps.push(of(&["refused-no-topic", id]));
        }
        steps
    });
    Exchange::new(
        id,
        "Metadata 0 to 9 of topics that cannot be, that are not there, of none, and of all.",
        steps,
    )
}

fn creations() -> Exchange {
    let id = "refused-create";
    let steps = each(vec![create_plain(&[id])], 2..=5, |version| {
        let of = |topics| Step::new(version, &creation(topics));
        let one = |settings: &[(&str, Option<&str>)]| {
            of(vec![set(topic("refused-create-not", 1, 1), settings)])
        };
        vec![
            of(vec![topic(id, 1, 1)]),
            of(vec![topic("a b", 1, 1)]),
            of(vec![topic("refused-create-not", 0, 1)]),
            of(vec![topic("refused-create-not", 1, 9)]),
            one(&[("nonsense", Some("1"))]),
            one(&[("retention.ms", Some("soon"))]),
            one(&[("cleanup.policy", Some("burn"))]),
            one(&[("retention.ms", None)]),
            of(vec![]),
        ]
    });
    Exchange::new(
        id,
        "CreateTopics 2 to 5: a topic that is there, names, counts and settings that cannot be.",
        steps,
    )
}

fn deletions() -> Exchange {
    let steps = each(vec![], 1..=4, |version| {
        let of = |names: &[&str]| Step::new(version, &deletion(names));
        vec![of(&["refused-no-topic"]), of(&["a b"]), of(&[""]), of(&[])]
    });
    Exchange::new(
        "refused-delete",
        "DeleteTopics 1 to 4 of topics that are not there, or cannot be.",
        steps,
    )
}

fn record_deletions() -> Exchange {
    let id = "refused-records";
    let steps = each(vec![create_plain(&[id])], 0..=2, |version| {
        let of = |topic: &str, partition, offset| {
            let partition = DeleteRecordsPartition::default()
                .with_partition_index(partition)
                .with_offset(offset);
            let topic = DeleteRecordsTopic::default()
                .with_name(name(topic))
                .with_partitions(vec![partition]);
            let request = DeleteRecordsRequest::default().with_timeout_ms(10_000);
            Step::new(version, &request.with_topics(vec![topic]))
        };
        vec![
            of("refused-no-topic", 0, 0),
            of("a b", 0, 0),
            of(id, 7, 0),
            of(id, 0, 1),
            of(id, 0, -2),
            Step::new(version, &DeleteRecordsRequest::default()),
        ]
    });
    Exchange::new(
        id,
        "DeleteRecords 0 to 2 of what is not there, and of offsets that are not.",
        steps,
    )
}

fn partitions() -> Exchange {
    let id = "refused-partitions";
    let before = create(vec![topic(id, 2, 1)]);
    let steps = each(vec![before], 0..=3, |version| {
        let of = |topic: &str, count| {
            let topic = CreatePartitionsTopic::default()
                .with_name(name(topic))
                .with_count(count)
                .with_assignments(None);
            let request = CreatePartitionsRequest::default().with_timeout_ms(10_000);
            Step::new(version, &request.with_topics(vec![topic]))
        };
        vec![
            of("refused-no-topic", 2),
            of("a b", 2),
            of(id, 2),
            of(id, 1),
            of(id, 0),
            of(id, -1),
            Step::new(version, &CreatePartitionsRequest::default()),
        ]
    });
    Exchange::new(
        id,
        "CreatePartitions 0 to 3 of topics that are not there, and to counts that cannot be.",
        steps,
    )
}

fn descriptions() -> Exchange {
    let id = "refused-describe";
    let steps = each(vec![create_plain(&[id])], 1..=4, |version| {
        let of = |kind, named: &str, keys: Option<&[&str]>| {
            Step::new(version, &describing(&[(kind, named, keys)]))
        };
        vec![
            of(TOPIC, id, Some(&["retention.ms", "nonsense"])),
            of(TOPIC, "refused-no-topic", None),
            of(TOPIC, "", None),
            of(4, "9", None),
            of(4, "one", None),
            of(0, "x", None),
            Step::new(version, &describing(&[])),
        ]
    });
    Exchange::new(
        id,
        "DescribeConfigs 1 to 4 of what is not there, and of types that there are not.",
        steps,
    )
}

fn alterations() -> Exchange {
    use alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let id = "refused-alter";
    let steps = each(vec![create_plain(&[id])], 0..=2, |version| {
        let of = |kind, named: &str, setting: (&str, Option<&str>)| {
            let setting = AlterableConfig::default()
                .with_name(text(setting.0))
                .with_value(setting.1.map(text));
            let resource = AlterConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(text(named))
                .with_configs(vec![setting]);
            let request = AlterConfigsRequest::default();
            Step::new(version, &request.with_resources(vec![resource]))
        };
        vec![
            of(TOPIC, id, ("retention.ms", Some("100000"))),
            of(TOPIC, id, ("nonsense", Some("1"))),
            of(TOPIC, id, ("retention.ms", Some("soon"))),
            of(TOPIC, id, ("retention.ms", None)),
            of(TOPIC, "refused-no-topic", ("retention.ms", Some("1"))),
            of(9, "x", ("retention.ms", Some("1"))),
            Step::new(version, &AlterConfigsRequest::default()),
        ]
    });
    Exchange::new(
        id,
        "AlterConfigs 0 to 2: names and values that cannot be, of topics and types that there are not.",
        steps,
    )
}

fn increments() -> Exchange {
    use incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let id = "refused-increment";
    let steps = each(vec![create_plain(&[id])], 0..=1, |version| {
        let of = |named: &str, operation, setting: (&str, Option<&str>)| {
            let setting = AlterableConfig::default()
                .with_name(text(setting.0))
                .with_config_operation(operation)
                .with_value(setting.1.map(text));
            let resource = AlterConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(text(named))
                .with_configs(vec![setting]);
            let request = IncrementalAlterConfigsRequest::default();
            Step::new(version, &request.with_resources(vec![resource]))
        };
        vec![
            of(id, 0, ("retention.ms", Some("100000"))),
            of(id, 1, ("retention.ms", None)),
            of(id, 0, ("nonsense", Some("1"))),
            of(id, 0, ("retention.ms", Some("soon"))),
            of(id, 0, ("retention.ms", None)),
            of(id, 2, ("retention.ms", Some("1"))),
            of(id, 9, ("retention.ms", Some("1"))),
            of("refused-no-topic", 0, ("retention.ms", Some("1"))),
            Step::new(version, &IncrementalAlterConfigsRequest::default()),
        ]
    });
    Exchange::new(
        id,
        "IncrementalAlterConfigs 0 and 1: names, values and operations that cannot be.",
        steps,
    )
}

fn greetings() -> Exchange {
    let id = |version| {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(60_000);
        Step::new(version, &request)
    };
    let hello = |version| {
        let request = ApiVersionsRequest::default();
        Step::new(
            version,
            &match version {
                3.. => request
                    .with_client_software_name(text("parity"))
                    .with_client_software_version(text("1")),
                _ => request,
            },
        )
    };
    Exchange::new(
        "greetings",
        "ApiVersions 0 to 3, and InitProducerId 0 to 4 without a transactional id.",
        (0..=3).map(hello).chain((0..=4).map(id)).collect(),
    )
}
