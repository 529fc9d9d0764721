//! Topics, their settings and their directories.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use broker::{Error, ProducerIds, SettingError, Topics, set_topic_setting, topic_settings};
use disk::Disk;
use message_model::Timestamp;
use sim_disk::SimDisk;

use crate::support::{Broker, DATA_DIR, batch, config, name, open};

fn overrides(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    settings.iter().map(owned).collect()
}

fn names(topics: &Topics) -> Vec<String> {
    topics
        .all()
        .iter()
        .map(|topic| topic.name.to_string())
        .collect()
}

#[test]
fn topics_are_there_after_a_restart() {
    let disk = SimDisk::new(7);
    let topics = open(&disk).topics;
    let settings = overrides(&[("retention.ms", "1000"), ("max.message.bytes", "300")]);
    topics.create(&name("b"), 2, settings.clone()).unwrap();
    topics.create(&name("a"), 1, overrides(&[])).unwrap();
    topics.create(&name("c"), 1, overrides(&[])).unwrap();
    topics.delete(&name("c")).unwrap();

    let opened = open(&disk);
    assert_eq!(names(&opened.topics), ["a", "b"]);
    let topic = opened.topics.get(&name("b")).unwrap();
    assert_eq!(topic.partitions.len(), 2);
    assert_eq!(topic.config.overrides, settings);
    assert_eq!(topic.config.log.batch_size_max, 300);
    assert!(opened.strangers.is_empty() && opened.offline.is_empty());
    let too_large =
        topic.partitions[1].append(Timestamp(0), &mut batch(&["x".repeat(300).as_str()]));
    assert!(too_large.is_err(), "the settings are in force");
}

#[test]
fn a_topic_can_be_created_once_and_again_after_its_deletion() {
    let disk = SimDisk::new(7);
    let topics = open(&disk).topics;
    let topic = topics.create(&name("t"), 1, overrides(&[])).unwrap();
    topic.partitions[0]
        .append(Timestamp(0), &mut batch(&["old"]))
        .unwrap();
    let twice = topics.create(&name("t"), 1, overrides(&[]));
    assert!(matches!(twice, Err(Error::Exists)));

    topics.delete(&name("t")).unwrap();
    assert!(matches!(topics.delete(&name("t")), Err(Error::Unknown)));
    assert!(
        topic.partitions[0]
            .append(Timestamp(0), &mut batch(&["late"]))
            .is_err()
    );
    let again = topics.create(&name("t"), 1, overrides(&[])).unwrap();
    assert_eq!(
        again.partitions[0].ends().unwrap().log_end.0,
        0,
        "none of the old records"
    );
}

#[test]
fn the_number_of_partitions_is_limited() {
    let topics = open(&SimDisk::new(7)).topics;
    for partitions in [0, 101, u32::MAX] {
        let created = topics.create(&name("t"), partitions, overrides(&[]));
        assert!(matches!(created, Err(Error::PartitionCount { max: 100 })));
    }
    assert!(topics.create(&name("t"), 100, overrides(&[])).is_ok());
}

#[test]
fn a_stranger_is_never_touched() {
    let disk = SimDisk::new(7);
    let stranger = Path::new(DATA_DIR).join("t-0");
    disk.create_dir_all(&stranger).unwrap();
    disk.create(&stranger.join("precious"))
        .unwrap()
        .write_all_at(b"!", 0)
        .unwrap();
    for other in ["lost+found", "notes.txt", "t-x", "x-4294967296"] {
        disk.create_dir_all(&Path::new(DATA_DIR).join(other))
            .unwrap();
    }

    let opened = open(&disk);
    assert_eq!(opened.strangers, ["t-0"]);
    let created = opened.topics.create(&name("t"), 1, overrides(&[]));
    assert!(matches!(created, Err(Error::Exists)));
    assert!(opened.topics.create(&name("u"), 1, overrides(&[])).is_ok());
    drop(open(&disk));
    assert_eq!(disk.list(&stranger).unwrap(), ["precious"]);
}

#[test]
fn a_partition_index_beyond_the_topic_is_a_stranger() {
    let disk = SimDisk::new(7);
    let topics = open(&disk).topics;
    topics.create(&name("t"), 2, overrides(&[])).unwrap();
    disk.create_dir_all(&Path::new(DATA_DIR).join("t-2"))
        .unwrap();
    assert_eq!(open(&disk).strangers, ["t-2"]);
}

#[test]
fn a_topics_json_that_cannot_be_read_is_an_error() {
    let disk = SimDisk::new(7);
    drop(open(&disk));
    for text in [
        "",
        "{",
        "[]",
        r#"{"topics":[{"name":"../x","partitions":1,"state":"live","settings":{}}]}"#,
    ] {
        let file = disk
            .create(&Path::new(DATA_DIR).join("topics.json"))
            .unwrap();
        file.write_all_at(text.as_bytes(), 0).unwrap();
        let opened = Topics::open(Arc::new(disk.clone()), Path::new(DATA_DIR), config());
        assert!(opened.is_err(), "{text}");
    }
}

#[test]
fn a_failed_creation_leaves_nothing() {
    let disk = SimDisk::new(7);
    let topics = open(&disk).topics;
    let before = disk.operations();
    topics.create(&name("t"), 2, overrides(&[])).unwrap();
    let steps = disk.operations() - before;
    topics.delete(&name("t")).unwrap();
    for step in 0..steps {
        disk.fail_at(disk.operations() + step);
        if topics.create(&name("t"), 2, overrides(&[])).is_ok() {
            // An operation failed that does not matter, such as the removal of a file that is gone.
            topics.delete(&name("t")).unwrap();
            continue;
        }
        assert!(topics.get(&name("t")).is_none());
        assert!(names(&open(&disk.crash()).topics).is_empty(), "step {step}");
        topics.create(&name("t"), 1, overrides(&[])).unwrap();
        topics.delete(&name("t")).unwrap();
    }
    assert_eq!(open(&disk).strangers.len(), 0);
}

#[test]
fn settings_are_parsed_in_one_place() {
    let mut log = config().log;
    let expected = |name: &str, value: &str| {
        let mut log = config().log;
        set_topic_setting(&mut log, name, value).unwrap();
        let shown = topic_settings(&log);
        shown
            .into_iter()
            .find(|(other, _)| *other == name)
            .unwrap()
            .1
    };
    for (name, value) in [
        ("retention.ms", "0"),
        ("retention.ms", "-1"),
        ("retention.ms", "604800000"),
        ("retention.bytes", "-1"),
        ("retention.bytes", "9223372036854775807"),
        ("segment.bytes", "1024"),
        ("segment.bytes", "2147483647"),
        ("segment.ms", "1"),
        ("max.message.bytes", "1048588"),
        ("index.interval.bytes", "0"),
        ("cleanup.policy", "delete"),
    ] {
        assert_eq!(expected(name, value), value, "{name}");
    }
    for (name, value) in [
        ("retention.ms", "-2"),
        ("retention.ms", "1d"),
        ("retention.ms", ""),
        ("retention.bytes", "9223372036854775808"),
        ("segment.bytes", "1023"),
        ("segment.bytes", "2147483648"),
        ("segment.bytes", "-1"),
        ("segment.ms", "0"),
        ("segment.ms", "-1"),
        ("max.message.bytes", "60"),
        ("cleanup.policy", "compact"),
        ("message.timestamp.type", "LogAppendTime"),
    ] {
        let set = set_topic_setting(&mut log, name, value);
        assert!(
            matches!(set, Err(SettingError::Value { .. })),
            "{name}={value}"
        );
    }
    let unknown = set_topic_setting(&mut log, "retention.hours", "1");
    assert_eq!(unknown, Err(SettingError::Unknown));
    assert_eq!(log, config().log, "a refused value changes nothing");
}

#[tokio::test]
async fn background_work_applies_retention_and_saves_recovery_points() {
    let broker = Broker::start();
    let short = overrides(&[("retention.ms", "1000"), ("segment.bytes", "1024")]);
    broker.topics.create(&name("t"), 1, short).unwrap();
    let long = "x".repeat(600);
    for _ in 0..3 {
        broker.produce(1, "t", batch(&[&long])).await;
    }
    let now = Timestamp(10_000);
    assert!(broker.topics.apply_retention(now, &broker.waits).is_empty());
    assert!(broker.topics.save_recovery_points().is_empty());
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_start.0, 2);
    let point = Path::new("/data/t-0/recovery-point");
    assert!(broker.disk.files().iter().any(|(path, _)| path == point));
}

#[tokio::test]
async fn sync_all_makes_everything_safe() {
    let broker = Broker::with_topic();
    broker.create("u", 1);
    broker.produce(1, "t", batch(&["a"])).await;
    broker.produce(1, "u", batch(&["b"])).await;
    assert!(broker.topics.sync_all().is_empty());
    for _ in 0..20 {
        let topics = open(&broker.disk.crash()).topics;
        for topic in topics.all() {
            assert_eq!(topic.partitions[0].ends().unwrap().log_end.0, 1);
        }
    }
}

#[test]
fn producer_ids_are_unique_whatever_crashes() {
    let mut disk = SimDisk::new(7);
    let mut last = -1;
    for round in 0..40 {
        disk.create_dir_all(Path::new(DATA_DIR)).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        if round % 4 == 3 {
            disk.power_off_at(disk.operations() + round / 4);
        }
        if let Ok(ids) = ProducerIds::open(Arc::new(disk.clone()), Path::new(DATA_DIR)) {
            for _ in 0..700 {
                let Ok(id) = ids.next() else { break };
                assert!(id.0 > last, "{} comes after {last}", id.0);
                last = id.0;
            }
        }
        disk = disk.crash();
    }
    assert!(last > 10_000);
}
