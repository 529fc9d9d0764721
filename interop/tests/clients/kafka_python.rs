//! kafka-python 3.0.12.

use interop::{KAFKA_PYTHON, python, run, stored_batches};
use message_model::ProducerId;
use serde_json::{Value, json};

use crate::start_mqd;

/// Runs one of the scripts and reads the JSON that it prints.
fn run_script(script: &str, address: std::net::SocketAddr, arguments: &[&str]) -> Value {
    let mut command = python(KAFKA_PYTHON, script, address);
    command.args(arguments);
    serde_json::from_str(&run(command, b"").unwrap()).unwrap()
}

#[test]
fn the_producer_works_with_its_defaults() {
    let mqd = start_mqd();
    for (topic, repeats) in [("orders", 1), ("orders", 2)] {
        let offsets = run_script("produce.py", mqd.address(), &[topic, "500"]);
        let first = (repeats - 1) * 500;
        let expected: Vec<i64> = (first..first + 500).collect();
        assert_eq!(offsets, json!(expected));
    }
    // Its default is idempotence: an id from us, and sequences that count up.
    let batches = stored_batches(mqd.data_dir(), "orders", 0).unwrap();
    let mut producers = Vec::new();
    for batch in &batches {
        let header = &batch.header;
        assert_ne!(header.producer_id, ProducerId::NONE);
        if !producers.contains(&header.producer_id) {
            producers.push(header.producer_id);
            assert_eq!(header.base_sequence, 0);
        }
    }
    assert_eq!(producers.len(), 2, "each producer has an id of its own");
}

#[test]
fn a_consumer_assigns_seeks_and_finds_times() {
    let mqd = start_mqd();
    run_script("produce.py", mqd.address(), &["orders", "200"]);
    let seen = run_script("consume.py", mqd.address(), &["orders", "150"]);
    assert_eq!((&seen["beginning"], &seen["end"]), (&json!(0), &json!(200)));
    let all = seen["all"].as_array().unwrap();
    assert_eq!(all.len(), 200);
    for (number, record) in all.iter().enumerate() {
        assert_eq!(record["offset"], number);
        assert_eq!(record["key"], format!("key-{number}"));
        assert_eq!(record["value"], format!("value-{number}"));
        assert_eq!(record["headers"], json!([["number", number.to_string()]]));
    }
    assert_eq!(seen["rest"], json!(all[150..]));

    let timestamps: Vec<i64> = all
        .iter()
        .map(|record| record["timestamp"].as_i64().unwrap())
        .collect();
    assert!(timestamps.is_sorted_by(|earlier, later| earlier + 10 == *later));
    let (first, last) = (timestamps[0], timestamps[199]);
    let asked = [
        0,
        first,
        first + 1,
        first + 1000,
        first + 1003,
        last,
        last + 1,
    ];
    let mut arguments = vec!["orders".to_owned(), "200".to_owned()];
    arguments.extend(asked.iter().map(i64::to_string));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let seen = run_script("consume.py", mqd.address(), &arguments);
    let expected = asked.map(|asked| timestamps.iter().position(|stored| *stored >= asked));
    assert_eq!(seen["found"], json!(expected));
    assert_eq!(seen["rest"], json!([]));
}

#[test]
fn topics_are_created_described_and_deleted() {
    let mqd = start_mqd();
    let seen = run_script("admin.py", mqd.address(), &["made"]);
    assert_eq!(seen["topics"], json!(["made"]));
    assert_eq!(seen["partitions"], json!([0, 1, 2]));
    assert_eq!(seen["again"], "TopicAlreadyExistsError");
    assert_eq!(seen["bad name"], "InvalidTopicError");
    assert_eq!(seen["no partitions"], "InvalidPartitionsError");
    assert_eq!(seen["bad setting"], "InvalidConfigurationError");
    assert_eq!(seen["configs"]["retention.ms"], "60000");
    assert_eq!(seen["modified"], json!({"retention.ms": "60000"}));
    for name in ["segment.bytes", "max.message.bytes", "retention.bytes"] {
        assert!(
            seen["configs"][name].is_string(),
            "{name}: {}",
            seen["configs"]
        );
    }
    assert_eq!(seen["topics after delete"], json!([]));
    assert_eq!(seen["delete again"], "UnknownTopicOrPartitionError");
}
