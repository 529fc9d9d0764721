//! Every client through the same steps (`interop/clients/steps.py` lists them):
//! create a topic, produce with acks=1 and acks=all, read an assigned partition
//! from the beginning, look up offsets by time, delete the topic.

use std::process::Command;

use interop::{go, kafkajs, python, run};
use mqd_guard::Mqd;
use serde_json::{Value, json};

use crate::start_mqd;

/// Whether a client can read without a group.
#[derive(PartialEq)]
enum Reads {
    AssignedPartitions,
    InGroupsOnly,
}

fn lead(reads: &Reads, client: impl FnOnce(&Mqd) -> Command) {
    let mqd = start_mqd();
    let mut command = client(&mqd);
    command.arg("steps");
    let printed = run(command, b"").unwrap();
    let mut seen: Value = serde_json::from_str(&printed).unwrap();
    let mut expected = json!({
        "acknowledged": (0..40).collect::<Vec<i64>>(),
        "values": (0..40).map(|number| format!("value-{number}")).collect::<Vec<_>>(),
        "found": [0, 15, 39, null],
        "topics after": [],
    });
    if *reads == Reads::InGroupsOnly {
        expected.as_object_mut().unwrap().remove("values");
    }
    if seen["topics after"].is_null() {
        seen["topics after"] = json!([]);
    }
    assert_eq!(seen, expected);
}

macro_rules! clients {
    ($($name:ident, $reads:ident: $client:expr;)*) => { $(
        #[test]
        fn $name() {
            let client: fn(&Mqd) -> Command = $client;
            lead(&Reads::$reads, client);
        }
    )* };
}

clients! {
    // Sends Metadata 0 and 1.
    kafka_python_2_0_2, AssignedPartitions:
        |mqd| python("kafka-python-2.0.2", "steps_kafka_python.py", mqd.address());
    // Sends Fetch 10.
    kafka_python_2_2_15, AssignedPartitions:
        |mqd| python("kafka-python-2.2.15", "steps_kafka_python.py", mqd.address());
    kafka_python_3_0_12, AssignedPartitions:
        |mqd| python("kafka-python-3.0.12", "steps_kafka_python.py", mqd.address());
    // Sends Metadata 0 and 1.
    aiokafka_0_10, AssignedPartitions:
        |mqd| python("aiokafka-0.10.0", "steps_aiokafka.py", mqd.address());
    // Sends Fetch 4.
    aiokafka_0_13, AssignedPartitions:
        |mqd| python("aiokafka-0.13.0", "steps_aiokafka.py", mqd.address());
    aiokafka_0_14, AssignedPartitions:
        |mqd| python("aiokafka-0.14.0", "steps_aiokafka.py", mqd.address());
    // librdkafka 2.16.
    confluent_kafka_2_16, AssignedPartitions:
        |mqd| python("confluent-kafka-2.16.1", "steps_confluent_kafka.py", mqd.address());
    franz_go, AssignedPartitions: |mqd| go("franz-go", mqd.address());
    // Sends Metadata 1, CreateTopics 2, ListOffsets 1 and Fetch 10.
    kafka_go, AssignedPartitions: |mqd| go("kafka-go", mqd.address());
    sarama, AssignedPartitions: |mqd| go("sarama", mqd.address());
    // Creates topics with -1 partitions and a replication factor of -1.
    kafkajs_2_2, InGroupsOnly: |mqd| kafkajs(mqd.address());
}
