//! The power fails before every operation of creating, growing, changing and deleting topics.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::{Error, TopicConfig, Topics};
use disk::Disk;
use message_model::Moment;
use sim_disk::SimDisk;

use crate::support::{DATA_DIR, NOW, append, batch, config, name, open, services};

#[derive(Debug, Clone, Copy)]
enum Step {
    Create(&'static str, u32),
    Grow(&'static str, u32),
    /// `retention.ms`.
    Retain(&'static str, &'static str),
    Delete(&'static str),
    /// One durable record.
    Produce(&'static str),
}

use Step::{Create, Delete, Grow, Produce, Retain};

const SCRIPT: &[Step] = &[
    Create("a", 2),
    Produce("a"),
    Create("b", 1),
    Produce("b"),
    Grow("b", 3),
    Retain("a", "7000"),
    Grow("a", 4),
    Retain("b", "8000"),
    Produce("b"),
    Delete("a"),
    Create("a", 1),
    Produce("a"),
    Produce("a"),
    Create("c", 3),
    Delete("b"),
    Delete("c"),
    Create("b", 2),
    Grow("b", 3),
];

/// Partitions, records and `retention.ms` of a topic.
type Described = (usize, i64, &'static str);

type Expected = BTreeMap<&'static str, Described>;

fn apply(expected: &mut Expected, step: Step) {
    match step {
        Create(topic, partitions) => {
            expected.insert(topic, (partitions as usize, 0, ""));
        }
        Grow(topic, partitions) => expected.get_mut(topic).unwrap().0 = partitions as usize,
        Retain(topic, value) => expected.get_mut(topic).unwrap().2 = value,
        Delete(topic) => {
            expected.remove(topic);
        }
        Produce(topic) => expected.get_mut(topic).unwrap().1 += 1,
    }
}

async fn perform(topics: &Arc<Topics>, step: Step) -> Result<(), Error> {
    match step {
        Create(topic, partitions) => {
            topics
                .create(&name(topic), partitions, topics.new_config())
                .await?;
        }
        Grow(topic, partitions) => topics.grow(&name(topic), partitions).await?,
        Retain(topic, value) => {
            let change = move |config: &TopicConfig| {
                let mut config = config.clone();
                config.set("retention.ms", value)?;
                Ok(config)
            };
            let changed: Vec<Result<(), Error>> =
                topics.configure(vec![(name(topic), change)]).await;
            changed.into_iter().collect::<Result<(), Error>>()?;
        }
        Delete(topic) => {
            topics.delete(&name(topic)).await?;
        }
        Produce(topic) => {
            let topic = topics.get(&name(topic)).ok_or(Error::Unknown)?;
            let appended = append(&topic.partitions[0], NOW, batch(&["a"])).await?;
            let deadline = Moment::after_start(Duration::MAX);
            topic.partitions[0]
                .durable(appended.range.end, deadline)
                .await?;
        }
    }
    Ok(())
}

/// Performs the script until the power fails. What must be there then, and what
/// may be there instead.
async fn run(disk: &SimDisk) -> (Expected, Expected) {
    let mut expected = Expected::new();
    let opened = Topics::open(services(disk), Path::new(DATA_DIR), config());
    let Ok(opened) = opened else {
        return (expected.clone(), expected);
    };
    let topics = Arc::new(opened.topics);
    for step in SCRIPT {
        let mut or_else = expected.clone();
        apply(&mut or_else, *step);
        if perform(&topics, *step).await.is_err() {
            return (expected, or_else);
        }
        expected = or_else;
    }
    (expected.clone(), expected)
}

type There = BTreeMap<String, (usize, i64, String)>;

fn there(topics: &Topics) -> There {
    let all = topics.all();
    let describe = |topic: &Arc<broker::Topic>| {
        let records = topic.partitions[0].ends().unwrap().log_end.0;
        let retention = topic.config.overrides.get("retention.ms");
        let retention = retention.cloned().unwrap_or_default();
        let described = (topic.partitions.len(), records, retention);
        (topic.name.to_string(), described)
    };
    all.iter().map(describe).collect()
}

fn named(expected: &Expected) -> There {
    let owned = |(topic, (partitions, records, retention)): (&&str, &Described)| {
        let described = (*partitions, *records, (*retention).to_owned());
        ((*topic).to_owned(), described)
    };
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn topics_are_created_grown_changed_and_deleted_as_a_whole() {
    let disk = SimDisk::new(1);
    run(&disk).await;
    let operations = disk.operations();
    assert!(operations > 60, "{operations} operations");
    for operation in 0..operations {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let (expected, or_else) = run(&disk).await;
        for _ in 0..8 {
            let survivor = disk.crash();
            let opened = open(&survivor);
            let found = there(&opened.topics);
            let allowed = [named(&expected), named(&or_else)];
            assert!(
                allowed.contains(&found),
                "power off before operation {operation}: {found:?} is none of {allowed:?}"
            );
            assert!(
                opened.strangers.is_empty(),
                "{operation}: {:?}",
                opened.strangers
            );
            assert!(
                opened.offline.is_empty(),
                "{operation}: {:?}",
                opened.offline
            );
            assert_directories(&survivor, &found);
            assert_eq!(
                there(&open(&survivor).topics),
                found,
                "the next start finds the same"
            );
        }
    }
}

/// There is a directory for each partition, and for nothing else.
fn assert_directories(disk: &SimDisk, topics: &There) {
    let mut expected = Vec::new();
    for (topic, (partitions, ..)) in topics {
        expected.extend((0..*partitions).map(|index| format!("{topic}-{index}")));
    }
    let mut present = disk.list(Path::new(DATA_DIR)).unwrap();
    present.retain(|name| !name.starts_with("topics.json"));
    expected.sort();
    assert_eq!(present, expected);
}
