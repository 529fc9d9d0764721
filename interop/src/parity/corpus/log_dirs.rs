//! DescribeLogDirs.

use kafka_protocol::messages::DescribeLogDirsRequest;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;

use crate::parity::batch::Batch;
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, name, produce, topic};

pub(super) fn all() -> Vec<Exchange> {
    vec![by_version(), of_unknown(), of_what()]
}

fn ask(version: i16, topics: Option<&[(&str, &[i32])]>) -> Step {
    let topics = topics.map(|topics| {
        let topics = topics.iter().map(|(topic, partitions)| {
            DescribableLogDirTopic::default()
                .with_topic(name(topic))
                .with_partitions(partitions.to_vec())
        });
        topics.collect()
    });
    Step::new(
        version,
        &DescribeLogDirsRequest::default().with_topics(topics),
    )
}

fn by_version() -> Exchange {
    let id = "dirs-versions";
    let mut steps = vec![
        create(vec![topic(id, 2, 1)]),
        produce(id, &Batch::of(&["a", "b"])),
    ];
    steps.extend((1..=4).map(|version| ask(version, Some(&[(id, &[0, 1])]))));
    steps.push(ask(4, None));
    Exchange::new(id, "DescribeLogDirs 1 to 4 of a topic, and of all.", steps)
}

fn of_unknown() -> Exchange {
    let id = "dirs-unknown";
    let mut steps = vec![create(vec![topic(id, 1, 1)])];
    steps.extend((1..=4).flat_map(|version| {
        [
            ask(version, Some(&[("dirs-no-topic", &[0])])),
            ask(version, Some(&[(id, &[7])])),
            ask(version, Some(&[])),
            ask(version, None),
        ]
    }));
    Exchange::new(
        id,
        "DescribeLogDirs 1 to 4 of what is not there, of nothing, and of all.",
        steps,
    )
}

fn of_what() -> Exchange {
    let id = "dirs-what";
    Exchange::new(
        id,
        "DescribeLogDirs of nothing, of a part of a topic, of what is not there, and twice of the same.",
        vec![
            create(vec![topic(id, 2, 1)]),
            ask(4, Some(&[])),
            ask(4, Some(&[(id, &[])])),
            ask(4, Some(&[(id, &[1])])),
            ask(4, Some(&[(id, &[0, 7, -1])])),
            ask(4, Some(&[("dirs-no-topic", &[0]), ("a b", &[0])])),
            ask(4, Some(&[(id, &[0, 0])])),
            ask(4, Some(&[(id, &[0]), (id, &[1])])),
        ],
    )
}
