//! Topics, their settings and their directories.

use std::path::Path;
use std::sync::Arc;

use broker::{Error, ProducerIds, SettingError, Topics, set_topic_setting, topic_settings};
use disk::Disk;
use message_model::{Offset, Timestamp};
use sim_disk::SimDisk;

use crate::support::{
    Broker, DATA_DIR, NOW, append, batch, config, name, open, open_topics, overrides, services,
};

fn names(topics: &Topics) -> Vec<String> {
    topics
        .all()
        .iter()
        .map(|topic| topic.name.to_string())
        .collect()
}

#[tokio::test]
async fn topics_are_there_after_a_restart() {
    let disk = SimDisk::new(7);
    let topics = open_topics(&disk);
    let settings = overrides(&[("retention.ms", "1000"), ("max.message.bytes", "300")]);
    let mut config = topics.new_config();
    for (setting, value) in &settings {
        config.set(setting, value).unwrap();
    }
    topics.create(&name("b"), 2, config).await.unwrap();
    topics
        .create(&name("a"), 1, topics.new_config())
        .await
        .unwrap();
    topics
        .create(&name("c"), 1, topics.new_config())
        .await
        .unwrap();
    topics.delete(&name("c")).await.unwrap();

    let opened = open(&disk);
    assert_eq!(names(&opened.topics), ["a", "b"]);
    let topic = opened.topics.get(&name("b")).unwrap();
    assert_eq!(topic.partitions.len(), 2);
    assert_eq!(topic.config.overrides, settings);
    assert_eq!(topic.config.settings.log.batch_size_max, 300);
    assert!(opened.strangers.is_empty() && opened.offline.is_empty());
    let too_large = batch(&["x".repeat(300).as_str()]);
    let refused = append(&topic.partitions[1], NOW, too_large).await;
    assert!(refused.is_err(), "the settings are in force");
}

#[tokio::test]
async fn a_topic_can_be_created_once_and_again_after_its_deletion() {
    let disk = SimDisk::new(7);
    let topics = open_topics(&disk);
    let topic = topics
        .create(&name("t"), 1, topics.new_config())
        .await
        .unwrap();
    let partition = &topic.partitions[0];
    append(partition, NOW, batch(&["old"])).await.unwrap();
    let twice = topics.create(&name("t"), 1, topics.new_config()).await;
    assert!(matches!(twice, Err(Error::Exists)));

    topics.delete(&name("t")).await.unwrap();
    let again = topics.delete(&name("t")).await;
    assert!(matches!(again, Err(Error::Unknown)));
    let late = append(partition, NOW, batch(&["late"])).await;
    assert!(late.is_err());
    let again = topics
        .create(&name("t"), 1, topics.new_config())
        .await
        .unwrap();
    assert_eq!(
        again.partitions[0].ends().unwrap().log_end.0,
        0,
        "none of the old records"
    );
}

#[tokio::test]
async fn the_number_of_partitions_is_limited() {
    let topics = open_topics(&SimDisk::new(7));
    for partitions in [0, 101, u32::MAX] {
        let created = topics
            .create(&name("t"), partitions, topics.new_config())
            .await;
        assert!(matches!(created, Err(Error::PartitionCount { max: 100 })));
    }
    topics
        .create(&name("t"), 100, topics.new_config())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stranger_is_never_touched() {
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
    let topics = Arc::new(opened.topics);
    let created = topics.create(&name("t"), 1, topics.new_config()).await;
    assert!(matches!(created, Err(Error::Exists)));
    topics
        .create(&name("u"), 1, topics.new_config())
        .await
        .unwrap();
    drop(open(&disk));
    assert_eq!(disk.list(&stranger).unwrap(), ["precious"]);
}

#[tokio::test]
async fn a_partition_index_beyond_the_topic_is_a_stranger() {
    let disk = SimDisk::new(7);
    let topics = open_topics(&disk);
    topics
        .create(&name("t"), 2, topics.new_config())
        .await
        .unwrap();
    disk.create_dir_all(&Path::new(DATA_DIR).join("t-2"))
        .unwrap();
    assert_eq!(open(&disk).strangers, ["t-2"]);
}

#[tokio::test]
async fn a_topics_json_that_cannot_be_read_is_an_error() {
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
        let opened = Topics::open(services(&disk), Path::new(DATA_DIR), config());
        assert!(opened.is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_failed_creation_leaves_nothing() {
    let disk = SimDisk::new(7);
    let topics = open_topics(&disk);
    let before = disk.operations();
    topics
        .create(&name("t"), 2, topics.new_config())
        .await
        .unwrap();
    let steps = disk.operations() - before;
    topics.delete(&name("t")).await.unwrap();
    for step in 0..steps {
        disk.fail_at(disk.operations() + step);
        if topics
            .create(&name("t"), 2, topics.new_config())
            .await
            .is_ok()
        {
            // An operation failed that does not matter, such as the removal of a file that is gone.
            topics.delete(&name("t")).await.unwrap();
            continue;
        }
        assert!(topics.get(&name("t")).is_none());
        assert!(names(&open(&disk.crash()).topics).is_empty(), "step {step}");
        topics
            .create(&name("t"), 1, topics.new_config())
            .await
            .unwrap();
        topics.delete(&name("t")).await.unwrap();
    }
    assert_eq!(open(&disk).strangers.len(), 0);
}

#[test]
fn settings_of_compaction_are_parsed_there_too() {
    let mut settings = config().settings;
    let mut lags = settings;
    for (name, value) in [
        ("min.compaction.lag.ms", "10"),
        ("max.compaction.lag.ms", "5"),
    ] {
        assert_eq!(lags.check(), Ok(()));
        set_topic_setting(&mut lags, name, value).unwrap();
    }
    assert_eq!(lags.check(), Err(SettingError::Lags));
    for (name, value) in [
        ("cleanup.policy", "compact"),
        ("cleanup.policy", "compact,delete"),
        ("cleanup.policy", ""),
        ("min.cleanable.dirty.ratio", "0.0"),
        ("min.cleanable.dirty.ratio", "0.5"),
        ("min.compaction.lag.ms", "60000"),
        ("max.compaction.lag.ms", "9223372036854775807"),
        ("delete.retention.ms", "0"),
    ] {
        set_topic_setting(&mut settings, name, value).unwrap();
        let shown = topic_settings(&settings);
        let shown = shown.iter().find(|(shown, _)| *shown == name);
        assert_eq!(
            shown.map(|(_, value)| value.as_str()),
            Some(value),
            "{name}"
        );
    }
    for (name, value) in [
        ("cleanup.policy", "compact,burn"),
        ("min.cleanable.dirty.ratio", "1.01"),
        ("min.cleanable.dirty.ratio", "NaN"),
        ("min.compaction.lag.ms", "-1"),
        ("max.compaction.lag.ms", "0"),
        ("delete.retention.ms", "-1"),
    ] {
        let set = set_topic_setting(&mut settings, name, value);
        assert!(
            matches!(set, Err(SettingError::Value { .. })),
            "{name}={value}"
        );
    }
}

#[test]
fn settings_are_parsed_in_one_place() {
    let mut settings = config().settings;
    let expected = |name: &str, value: &str| {
        let mut settings = config().settings;
        set_topic_setting(&mut settings, name, value).unwrap();
        let shown = topic_settings(&settings);
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
        ("message.timestamp.after.max.ms", "0"),
        ("message.timestamp.after.max.ms", "9223372036854775807"),
        ("min.insync.replicas", "1"),
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
        ("message.timestamp.type", "LogAppendTime"),
        ("message.timestamp.after.max.ms", "-1"),
        ("max.message.bytes", "1073741825"),
        ("min.insync.replicas", "2"),
    ] {
        let set = set_topic_setting(&mut settings, name, value);
        assert!(
            matches!(set, Err(SettingError::Value { .. })),
            "{name}={value}"
        );
    }
    let unknown = set_topic_setting(&mut settings, "retention.hours", "1");
    assert_eq!(unknown, Err(SettingError::Unknown));
    assert_eq!(
        settings,
        config().settings,
        "a refused value changes nothing"
    );
}

#[tokio::test]
async fn background_work_applies_retention_and_saves_recovery_points() {
    let broker = Broker::start();
    let short = [("retention.ms", "1000"), ("segment.bytes", "1024")];
    broker.create_with("t", 1, &short).await;
    let long = "x".repeat(600);
    for _ in 0..3 {
        broker.write(-1, "t", &[&long]).await;
    }
    let now = Timestamp(10_000);
    assert!(broker.topics.apply_retention(now).await.is_empty());
    assert!(broker.topics.save_recovery_points().await.is_empty());
    let ends = broker.partition("t", 0).ends().unwrap();
    assert_eq!(ends.log_start, Offset(2));
    let point = Path::new("/data/t-0/recovery-point");
    let files = broker.disk.files();
    assert!(files.iter().any(|(path, _)| path == point));
    let gone = Path::new("/data/t-0/00000000000000000000.log");
    assert!(!files.iter().any(|(path, _)| path == gone));
}

#[tokio::test]
async fn sync_all_makes_everything_safe() {
    let broker = Broker::with_topic().await;
    broker.create("u", 2).await;
    broker.write(1, "t", &["a"]).await;
    broker.write(1, "u", &["b"]).await;
    let all = broker.topics.sync_all().await;
    assert!(all.not_synced.is_empty() && all.not_saved.is_empty());
    assert_eq!(all.offline, 0);
    for _ in 0..20 {
        let topics = open_topics(&broker.disk.crash());
        for topic in topics.all() {
            assert_eq!(topic.partitions[0].ends().unwrap().log_end, Offset(1));
        }
    }
}

/// What could not be made safe is named, and the others are safe all the same.
#[tokio::test]
async fn sync_all_says_what_it_could_not_do() {
    let broker = Broker::with_topic().await;
    for topic in ["u", "v"] {
        broker.create(topic, 1).await;
    }
    broker.write(-1, "v", &["kept"]).await;
    broker.write(1, "v", &["lost"]).await;
    broker.disk.fail_at(broker.disk.operations());
    let deadline = broker
        .clock()
        .now()
        .plus(std::time::Duration::from_secs(60));
    let failed = broker.partition("v", 0).durable(Offset(2), deadline).await;
    assert!(failed.is_err());
    for topic in ["t", "u"] {
        broker.write(1, topic, &["a"]).await;
    }
    broker.disk.fail_at(broker.disk.operations());
    let all = broker.topics.sync_all().await;
    assert_eq!(all.not_synced.len(), 1, "the sync that failed");
    assert_eq!(all.offline, 1, "what was offline before");
    let failed = all.not_synced[0].0.topic.to_string();
    let safe = if failed == "t" { "u" } else { "t" };
    for _ in 0..20 {
        let topic = open_topics(&broker.disk.crash()).get(&name(safe)).unwrap();
        assert_eq!(topic.partitions[0].ends().unwrap().log_end, Offset(1));
    }
}

#[tokio::test]
async fn producer_ids_are_unique_whatever_crashes() {
    let mut disk = SimDisk::new(7);
    let mut last = -1;
    for round in 0..40 {
        disk.create_dir_all(Path::new(DATA_DIR)).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        if round % 4 == 3 {
            disk.power_off_at(disk.operations() + round / 4);
        }
        if let Ok(ids) = ProducerIds::open(&services(&disk), Path::new(DATA_DIR)) {
            for _ in 0..700 {
                let Ok(id) = ids.next().await else { break };
                assert!(id.0 > last, "{} comes after {last}", id.0);
                last = id.0;
            }
        }
        disk = disk.crash();
    }
    assert!(last > 10_000);
}
