//! The tools of Apache Kafka that change and describe topics, records and groups.

use std::fs;
use std::process::Command;

use interop::{java, mqd_binary, run};
use mqd_guard::Mqd;

use crate::kafka_tools::tool;
use crate::lines;

const GROUPS: &str = "consumer.group.ConsumerGroupCommand";

fn start_mqd() -> Mqd {
    Mqd::options(mqd_binary())
        .set("group.initial.rebalance.delay.ms", "0")
        .start()
        .unwrap()
}

fn configs(mqd: &Mqd, arguments: &str) -> Command {
    let mut command = java("kafka.admin.ConfigCommand");
    command.args(["--bootstrap-server", &mqd.address().to_string()]);
    command.args(arguments.split_whitespace());
    command
}

/// Writes `count` records to the one partition of `orders`.
fn produce(mqd: &Mqd, count: usize) {
    let arguments = "--topic orders --reader-property parse.key=true \
                     --reader-property key.separator=:";
    run(
        tool("ConsoleProducer", mqd, arguments),
        lines("key:", count).as_bytes(),
    )
    .unwrap();
}

/// Whether a line of a table begins with these words.
fn has_row(table: &str, words: &str) -> bool {
    let words: Vec<&str> = words.split(' ').collect();
    table.lines().any(|line| {
        let row: Vec<&str> = line.split_whitespace().collect();
        row.starts_with(&words)
    })
}

#[test]
fn topics_and_their_settings_are_changed_and_described() {
    let mqd = start_mqd();
    let create = "--create --topic orders --replication-factor 1 --config retention.ms=60000";
    run(tool("TopicCommand", &mqd, create), b"").unwrap();
    let again = "--create --topic orders --if-not-exists";
    run(tool("TopicCommand", &mqd, again), b"").unwrap();
    let alter = "--alter --topic orders --partitions 3";
    run(tool("TopicCommand", &mqd, alter), b"").unwrap();
    let describe = "--describe --topic orders";
    let described = run(tool("TopicCommand", &mqd, describe), b"").unwrap();
    let head =
        "Topic: orders\tPartitionCount: 3\tReplicationFactor: 1\tConfigs: retention.ms=60000";
    assert_eq!(described.lines().next(), Some(head));
    assert_eq!(
        described.matches("Leader: 1\tReplicas: 1\tIsr: 1").count(),
        3,
        "{described}"
    );

    let alter = "--alter --entity-type topics --entity-name orders --delete-config retention.ms \
                 --add-config max.message.bytes=2000,cleanup.policy=[compact,delete]";
    run(configs(&mqd, alter), b"").unwrap();
    let described = run(configs(&mqd, describe), b"").unwrap();
    let settings: Vec<&str> = described
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        settings,
        ["cleanup.policy=compact,delete", "max.message.bytes=2000"]
    );
    let all = "--describe --entity-type brokers --entity-name 1 --all";
    let described = run(configs(&mqd, all), b"").unwrap();
    assert!(
        described.contains(" group.initial.rebalance.delay.ms=0 "),
        "{described}"
    );
}

#[test]
fn records_are_deleted_up_to_an_offset() {
    let mqd = start_mqd();
    produce(&mqd, 100);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets.json");
    let text =
        r#"{"version": 1, "partitions": [{"topic": "orders", "partition": 0, "offset": 60}]}"#;
    fs::write(&file, text).unwrap();
    let delete = format!("--offset-json-file {}", file.display());
    let deleted = run(tool("DeleteRecordsCommand", &mqd, &delete), b"").unwrap();
    assert!(
        deleted.contains("partition: orders-0\tlow_watermark: 60"),
        "{deleted}"
    );
    let earliest = "--topic orders --time earliest";
    let offsets = run(tool("GetOffsetShell", &mqd, earliest), b"").unwrap();
    assert_eq!(offsets, "orders:0:60\n");

    let sizes = run(
        tool("LogDirsCommand", &mqd, "--describe --topic-list orders"),
        b"",
    )
    .unwrap();
    let sizes: serde_json::Value = serde_json::from_str(sizes.lines().last().unwrap()).unwrap();
    let partition = &sizes["brokers"][0]["logDirs"][0]["partitions"][0];
    assert_eq!(partition["partition"], "orders-0");
    assert!(partition["size"].as_u64().unwrap() > 0, "{sizes}");
}

#[test]
fn offsets_of_a_group_are_reset_in_every_way() {
    let mqd = start_mqd();
    produce(&mqd, 100);
    let consume = "--topic orders --group readers --from-beginning --max-messages 100 \
                   --formatter-property print.key=true";
    let received = run(tool("consumer.ConsoleConsumer", &mqd, consume), b"").unwrap();
    assert_eq!(received, lines("key\t", 100));

    let group = |arguments: &str| {
        let arguments = format!("--group readers {arguments}");
        run(tool(GROUPS, &mqd, &arguments), b"").unwrap()
    };
    let described = group("--describe");
    assert!(
        has_row(&described, "readers orders 0 100 100 0"),
        "{described}"
    );

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets.csv");
    fs::write(&file, "orders,0,42\n").unwrap();
    let from_file = format!("--from-file {}", file.display());
    for (way, offset) in [
        ("--topic orders --to-earliest", "0"),
        ("--topic orders --to-latest", "100"),
        ("--topic orders --shift-by -3", "97"),
        ("--topic orders --to-offset 4", "4"),
        (
            "--topic orders:0 --to-datetime 2020-01-01T00:00:00.000",
            "0",
        ),
        (&from_file, "42"),
        ("--all-topics --by-duration PT1H", "0"),
        ("--topic orders --to-offset 7", "7"),
        ("--topic orders --to-current", "7"),
    ] {
        let reset = group(&format!("--reset-offsets --execute {way}"));
        assert!(
            has_row(&reset, &format!("readers orders 0 {offset}")),
            "{way}: {reset}"
        );
    }
    let described = group("--describe --offsets");
    assert!(
        has_row(&described, "readers orders 0 7 100 93"),
        "{described}"
    );

    let deleted = group("--delete-offsets --topic orders");
    assert!(has_row(&deleted, "orders 0 Successful"), "{deleted}");
    group("--delete");
    assert_eq!(run(tool(GROUPS, &mqd, "--list"), b"").unwrap().trim(), "");
}
