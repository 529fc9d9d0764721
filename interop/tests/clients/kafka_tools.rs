//! Apache Kafka's own tools, and so its Java client, against `mqd` and its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use interop::{java, kcat, mqd_binary, run};
use mqd_guard::Mqd;

use crate::{lines, start_mqd};

/// A tool that is given the broker's address.
pub(crate) fn tool(main_class: &str, mqd: &Mqd, arguments: &str) -> Command {
    let mut command = java(&format!("org.apache.kafka.tools.{main_class}"));
    command.args(["--bootstrap-server", &mqd.address().to_string()]);
    command.args(arguments.split_whitespace());
    command
}

#[test]
fn topics_are_created_without_a_replication_factor() {
    let mqd = start_mqd();
    let create = "--create --topic made --partitions 2";
    run(tool("TopicCommand", &mqd, create), b"").unwrap();
    let topics = run(tool("TopicCommand", &mqd, "--list"), b"").unwrap();
    assert_eq!(topics, "made\n");
    let offsets = run(tool("GetOffsetShell", &mqd, "--topic made"), b"").unwrap();
    assert_eq!(offsets, "made:0:0\nmade:1:0\n");
    run(tool("TopicCommand", &mqd, "--delete --topic made"), b"").unwrap();
    let topics = run(tool("TopicCommand", &mqd, "--list"), b"").unwrap();
    assert_eq!(topics.trim(), "");
}

#[test]
fn the_console_reads_what_the_performance_tool_wrote() {
    let mqd = start_mqd();
    for acks in ["1", "all"] {
        let mut command = java("org.apache.kafka.tools.ProducerPerformance");
        command.args(["--topic", "perf", "--num-records", "500", "--throughput"]);
        command.args(["-1", "--record-size", "100", "--producer-props"]);
        command.arg(format!("bootstrap.servers={}", mqd.address()));
        command.arg(format!("acks={acks}"));
        run(command, b"").unwrap();
    }
    let read = "--topic perf --partition 0 --offset earliest --max-messages 1000";
    let received = run(tool("consumer.ConsoleConsumer", &mqd, read), b"").unwrap();
    assert_eq!(received.lines().count(), 1_000);
    assert!(received.lines().all(|line| line.len() == 100));
}

/// Kafka's check of the files with this `extension` in `folder`.
fn dump(folder: &Path, extension: &str, check: &str) -> String {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    // The last segment has its indexes in memory.
    assert!(files.len() > 2, "{} .{extension} files", files.len());
    let files: Vec<String> = files
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let mut command = java("org.apache.kafka.tools.DumpLogSegments");
    command.args(["--files", &files.join(",")]);
    command.args(check.split_whitespace());
    // It complains on stderr.
    let mut both = Command::new("sh");
    both.args(["-c", "exec \"$@\" 2>&1", "sh"]);
    both.arg(command.get_program()).args(command.get_args());
    run(both, b"").unwrap()
}

#[test]
fn kafka_accepts_the_files() {
    let mut mqd = Mqd::options(mqd_binary())
        .set("log.segment.bytes", "1000000")
        .start()
        .unwrap();
    for size in [10, 100, 1_000] {
        let mut producer = kcat(mqd.address());
        producer.args(["-P", "-t", "dumped", "-X", "batch.num.messages=50"]);
        let sent = lines(&"x".repeat(size), 3_000);
        run(producer, sent.as_bytes()).unwrap();
    }
    assert!(mqd.terminate().unwrap().success());
    let folder = mqd.data_dir().join("dumped-0");

    let log = dump(&folder, "log", "");
    assert!(log.contains("lastOffset: 8999 "), "{log}");
    assert!(!log.contains("isvalid: false"), "a batch is invalid");
    // It ends with status 0 whatever it finds.
    for (extension, check) in [
        ("index", "--index-sanity-check"),
        ("timeindex", "--index-sanity-check"),
        ("index", "--verify-index-only"),
        ("timeindex", "--verify-index-only"),
    ] {
        let said = dump(&folder, extension, check);
        let complaints: Vec<&str> = said
            .lines()
            .filter(|line| {
                !line.starts_with("Dumping ") && !line.ends_with(" passed sanity check.")
            })
            .collect();
        assert!(
            complaints.is_empty(),
            ".{extension} {check}: {} complaints:\n{}",
            complaints.len(),
            complaints[..complaints.len().min(10)].join("\n")
        );
    }
}
