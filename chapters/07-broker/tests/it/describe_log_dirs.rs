//! DescribeLogDirs: where the partitions are, and how large.

use broker::api;
use wire_protocol::message::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribedLogDir, DescribedLogDirTopic,
};

use crate::support::{Broker, DATA_DIR, batch};

async fn ask(broker: &Broker, topics: Option<&[(&str, &[i32])]>) -> DescribedLogDir {
    let topic = |(topic, partitions): &(&str, &[i32])| DescribableLogDirTopic {
        topic: (*topic).to_owned(),
        partitions: partitions.to_vec(),
    };
    let request = DescribeLogDirsRequest {
        topics: topics.map(|topics| topics.iter().map(topic).collect()),
    };
    let mut response = api::describe_log_dirs(broker, request).await;
    assert_eq!(response.results.len(), 1);
    response.results.remove(0)
}

/// Topic, partition and size.
fn sizes(dir: &DescribedLogDir) -> Vec<(&str, i32, i64)> {
    let of = |topic: &DescribedLogDirTopic| {
        let partitions = topic.partitions.clone();
        partitions
            .into_iter()
            .map(|one| (one.partition_index, one.partition_size))
    };
    let topics = dir.topics.iter();
    let all =
        topics.flat_map(|topic| of(topic).map(|(index, size)| (topic.name.as_str(), index, size)));
    all.collect()
}

#[tokio::test]
async fn sizes_are_those_of_the_segments() {
    let broker = Broker::start();
    broker.create("a", 2).await;
    broker
        .create_with("b", 1, &[("segment.bytes", "1024")])
        .await;
    let long = "x".repeat(600);
    for _ in 0..4 {
        broker.write(1, "b", &[&long]).await;
    }
    broker.write(1, "a", &["one"]).await;
    let one = i64::try_from(batch(&["one"]).len()).unwrap();
    let four = 4 * i64::try_from(batch(&[&long]).len()).unwrap();
    let all = ask(&broker, None).await;
    assert_eq!(sizes(&all), [("a", 0, one), ("a", 1, 0), ("b", 0, four)]);
    assert_eq!(all.log_dir, DATA_DIR);
    // The simulated disk cannot say.
    assert_eq!((all.total_bytes, all.usable_bytes), (-1, -1));
    let wanted: &[(&str, &[i32])] = &[
        ("a", &[1, 9, -1]),
        ("gone", &[0]),
        ("a", &[1]),
        ("not a name", &[0]),
        ("b", &[]),
    ];
    assert_eq!(sizes(&ask(&broker, Some(wanted)).await), [("a", 1, 0)]);
    assert_eq!(sizes(&ask(&broker, Some(&[])).await), []);
}
