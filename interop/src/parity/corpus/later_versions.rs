//! What the later versions of an API have more of than those before.

use kafka_protocol::messages::{FindCoordinatorRequest, InitProducerIdRequest, ProducerId};

use crate::parity::batch::{Batch, TIMESTAMP};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{
    create_plain, creation, describing, fetch_partition, fetching, listing, metadata_request,
    production, set, text, topic,
};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        produce(),
        diverging(),
        list_offsets_epochs(),
        list_offsets_special(),
        list_offsets_max(),
        operations(),
        find_coordinator(),
        create_topics(),
        init_producer_id(),
        describe_configs(),
    ]
}

fn produce() -> Exchange {
    let batch = Batch::of(&["a"]).bytes();
    let ask = |version, partition, bytes: &[u8]| {
        Step::new(
            version,
            &production("later-produce", 1, &[(partition, Some(bytes))]),
        )
    };
    let mut broken = batch.clone();
    broken[30] ^= 1;
    Exchange::new(
        "later-produce",
        "Produce 8 and 9: a good batch, an unknown partition, a batch of no sense, one too large.",
        vec![
            create_plain(&["later-produce"]),
            ask(8, 0, &batch),
            ask(9, 0, &batch),
            ask(9, 7, &batch),
            ask(9, 0, &broken),
            ask(9, 0, &Batch::of(&["a", "b"]).bytes()),
        ],
    )
}

fn diverging() -> Exchange {
    let batch = Batch::of(&["a", "b", "c"]).bytes();
    let ask = |epoch: i32, offset: i64| {
        Step::new(
            12,
            &fetching(
                "later-fetch",
                vec![fetch_partition(0, offset).with_last_fetched_epoch(epoch)],
            ),
        )
    };
    Exchange::new(
        "later-fetch",
        "Fetch 12 with the epoch of the record before.",
        vec![
            create_plain(&["later-fetch"]),
            Step::new(9, &production("later-fetch", 1, &[(0, Some(&batch))])),
            ask(-1, 1),
            ask(0, 1),
            ask(0, 3),
            ask(0, 4),
            ask(0, 100),
            ask(1, 1),
            ask(-2, 1),
            ask(-2, 0),
            Step::new(
                12,
                &fetching(
                    "later-fetch",
                    vec![fetch_partition(0, 3).with_current_leader_epoch(-2)],
                ),
            ),
        ],
    )
}

fn list_offsets_epochs() -> Exchange {
    let batch = Batch::of(&["a", "b", "c"]).bytes();
    let ask = |epoch: i32, timestamp: i64| {
        let mut request = listing("later-list", &[(0, timestamp)]);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        Step::new(7, &request)
    };
    Exchange::new(
        "later-list",
        "ListOffsets 7: with leader epochs, of a partition with records and before.",
        vec![
            create_plain(&["later-list"]),
            ask(-1, -1),
            ask(-1, -2),
            ask(-1, -3),
            ask(-1, TIMESTAMP),
            Step::new(9, &production("later-list", 1, &[(0, Some(&batch))])),
            ask(-1, -1),
            ask(-1, -2),
            ask(-1, -3),
            ask(0, -1),
            ask(1, -1),
            ask(-2, -1),
            ask(-1, TIMESTAMP),
            ask(-1, TIMESTAMP + 1_000_000),
            ask(-1, -4),
            ask(-1, -5),
            ask(-1, -6),
        ],
    )
}

fn list_offsets_special() -> Exchange {
    let batch = Batch::of(&["a", "b", "c"]).bytes();
    let ask = |version, timestamp| Step::new(version, &listing("later-times", &[(0, timestamp)]));
    Exchange::new(
        "later-times",
        "The times below -2 by version.",
        vec![
            create_plain(&["later-times"]),
            ask(8, -4),
            ask(9, -5),
            Step::new(9, &production("later-times", 1, &[(0, Some(&batch))])),
            ask(1, -3),
            ask(6, -3),
            ask(7, -3),
            ask(7, -4),
            ask(8, -4),
            ask(8, -5),
            ask(9, -5),
            ask(9, -6),
            ask(9, -7),
        ],
    )
}

fn list_offsets_max() -> Exchange {
    let ask = |version, timestamp| Step::new(version, &listing("later-max", &[(0, timestamp)]));
    let put =
        |batch: &Batch| Step::new(9, &production("later-max", 1, &[(0, Some(&batch.bytes()))]));
    Exchange::new(
        "later-max",
        "The record with the largest timestamp is the first one that has it.",
        vec![
            create_plain(&["later-max"]),
            put(&Batch::of(&["a", "b", "c"])),
            put(&Batch::of(&["d"])),
            ask(7, -3),
            ask(9, -3),
        ],
    )
}

fn operations() -> Exchange {
    let ask = |version, cluster, topics| {
        Step::new(
            version,
            &metadata_request(&["later-metadata", "later-unknown"])
                .with_include_cluster_authorized_operations(cluster)
                .with_include_topic_authorized_operations(topics),
        )
    };
    Exchange::new(
        "later-metadata",
        "Metadata 8 and 9: what the client may do.",
        vec![
            create_plain(&["later-metadata"]),
            ask(8, false, false),
            ask(8, true, false),
            ask(8, false, true),
            ask(9, true, true),
        ],
    )
}

fn find_coordinator() -> Exchange {
    let keys = |kind, keys: &[&str]| {
        Step::new(
            4,
            &FindCoordinatorRequest::default()
                .with_key_type(kind)
                .with_coordinator_keys(keys.iter().map(|key| text(key)).collect()),
        )
    };
    Exchange::new(
        "later-coordinator",
        "FindCoordinator 4 with no, one, two and the same keys, the empty one, and a kind that is none.",
        vec![
            keys(0, &[]),
            keys(0, &["g"]),
            keys(0, &["g", "h"]),
            keys(0, &["g", "g"]),
            keys(0, &[""]),
            keys(9, &["g"]),
        ],
    )
}

fn create_topics() -> Exchange {
    let ask = |topics, validate| Step::new(5, &creation(topics).with_validate_only(validate));
    Exchange::new(
        "later-create",
        "CreateTopics 5 returns partitions, replicas and settings.",
        vec![
            ask(vec![topic("later-create", 2, 1)], true),
            ask(
                vec![set(
                    topic("later-create", 2, 1),
                    &[("retention.ms", Some("1000000"))],
                )],
                false,
            ),
            ask(vec![topic("later-create", 2, 1)], false),
            ask(vec![topic("later-default", -1, -1)], false),
        ],
    )
}

fn init_producer_id() -> Exchange {
    let ask = |version, id, epoch| {
        Step::new(
            version,
            &InitProducerIdRequest::default()
                .with_transactional_id(None)
                .with_transaction_timeout_ms(60_000)
                .with_producer_id(ProducerId(id))
                .with_producer_epoch(epoch),
        )
    };
    Exchange::new(
        "later-producer-id",
        "InitProducerId 3 and 4 with the id and the epoch that the producer has.",
        vec![
            ask(3, -1, -1),
            ask(4, -1, -1),
            ask(4, 5, 0),
            ask(4, -1, 0),
            ask(4, 5, -1),
            ask(4, 5, 32767),
        ],
    )
}

fn describe_configs() -> Exchange {
    let ask = |version, kind, name: &str, keys: Option<&[&str]>| {
        Step::new(
            version,
            &describing(&[(kind, name, keys)])
                .with_include_synonyms(true)
                .with_include_documentation(true),
        )
    };
    Exchange::new(
        "later-configs",
        "DescribeConfigs 3 and 4: types and documentation.",
        vec![
            create_plain(&["later-configs"]),
            ask(
                3,
                TOPIC,
                "later-configs",
                Some(&["retention.ms", "cleanup.policy"]),
            ),
            ask(
                4,
                TOPIC,
                "later-configs",
                Some(&["segment.bytes", "preallocate"]),
            ),
            ask(4, TOPIC, "later-configs", Some(&["message.timestamp.type"])),
            ask(
                4,
                BROKER,
                "1",
                Some(&["num.partitions", "auto.create.topics.enable"]),
            ),
        ],
    )
}
