//! The tools of Apache Kafka that verify and that measure. What they measure decides nothing here.

use std::collections::BTreeSet;

use interop::{java, run};
use mqd_guard::Mqd;
use serde_json::Value;

use crate::kafka_tools::tool;
use crate::start_mqd;

/// What a tool prints, an event per line.
fn events(main_class: &str, mqd: &Mqd, arguments: &str) -> Vec<Value> {
    let text = run(tool(main_class, mqd, arguments), b"").unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    events.collect()
}

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["name"] == name)
        .collect()
}

/// Where a record is, and what it holds; in an event about it.
fn record(event: &Value) -> String {
    let names = ["partition", "offset", "key", "value"];
    let fields: Vec<String> = names.map(|name| event[name].to_string()).into();
    fields.join(" ")
}

#[test]
fn a_group_of_verifiable_consumers_reads_each_acknowledged_record_once() {
    let mqd = start_mqd();
    let create = "--create --topic verified --partitions 4";
    run(tool("TopicCommand", &mqd, create), b"").unwrap();
    let produce = "--topic verified --max-messages 1000 --value-prefix 7 --repeating-keys 13";
    let sent = events("VerifiableProducer", &mqd, produce);
    let acknowledged: BTreeSet<String> = named(&sent, "producer_send_success")
        .into_iter()
        .map(record)
        .collect();
    assert_eq!(acknowledged.len(), 1_000);
    let total = named(&sent, "tool_data");
    assert_eq!(
        (&total[0]["sent"], &total[0]["acked"]),
        (&1_000.into(), &1_000.into())
    );

    // The second goes on where the group has committed, in the middle of a partition.
    let mut consumed = Vec::new();
    for count in [600, 400] {
        let consume =
            format!("--topic verified --group-id verifiers --max-messages {count} --verbose");
        let received = events("VerifiableConsumer", &mqd, &consume);
        let records = named(&received, "record_data");
        assert_eq!(records.len(), count);
        consumed.extend(records.into_iter().map(record));
        let commits = named(&received, "offsets_committed");
        assert!(!commits.is_empty());
        assert!(
            commits.iter().all(|commit| commit["success"] == true),
            "{commits:?}"
        );
        let assigned = named(&received, "partitions_assigned");
        assert_eq!(assigned[0]["partitions"].as_array().unwrap().len(), 4);
    }
    assert_eq!(consumed.len(), 1_000);
    let consumed: BTreeSet<String> = consumed.into_iter().collect();
    assert!(
        consumed == acknowledged,
        "other records than the acknowledged ones"
    );
}

#[test]
fn the_performance_tools_count_all_records() {
    let mqd = start_mqd();
    let produce = "--topic measured --num-records 5000 --record-size 100 --throughput -1";
    let sent = run(tool("ProducerPerformance", &mqd, produce), b"").unwrap();
    assert!(sent.starts_with("5000 records sent, "), "{sent}");

    let consume = "--topic measured --group measurers --num-records 5000";
    let received = run(tool("ConsumerPerformance", &mqd, consume), b"").unwrap();
    let [names, values] = received.lines().collect::<Vec<_>>()[..] else {
        panic!("{received}");
    };
    let column = names
        .split(", ")
        .position(|name| name == "data.consumed.in.nMsg");
    assert_eq!(
        values.split(", ").nth(column.unwrap()),
        Some("5000"),
        "{received}"
    );
    // It read in the group, which has committed the end.
    let describe = "--describe --offsets --group measurers";
    let described = run(
        tool("consumer.group.ConsumerGroupCommand", &mqd, describe),
        b"",
    )
    .unwrap();
    let row = described.lines().find(|line| line.starts_with("measurers"));
    let row: Vec<&str> = row.unwrap().split_whitespace().collect();
    assert_eq!(row[1..3], ["measured", "0"], "{described}");
    assert!(
        row.windows(3).any(|part| part == ["5000", "5000", "0"]),
        "{described}"
    );
}

#[test]
fn the_latency_tool_reads_back_what_it_sends() {
    let mqd = start_mqd();
    let mut command = java("org.apache.kafka.tools.EndToEndLatency");
    command.args(["--bootstrap-server", &mqd.address().to_string()]);
    command
        .args("--topic echoed --num-records 50 --producer-acks all --record-size 100".split(' '));
    // It compares each record with what it sent, and ends with an error if one differs.
    let measured = run(command, b"").unwrap();
    assert!(measured.contains("Percentiles: 50th = "), "{measured}");
    let end = run(tool("GetOffsetShell", &mqd, "--topic echoed"), b"").unwrap();
    assert_eq!(end, "echoed:0:50\n");
}
