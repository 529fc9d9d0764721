//! kcat 1.7.1, which is librdkafka 2.0.2 with a command line.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use interop::{kcat, run, stored_batches};
use message_model::ProducerId;
use mqd_guard::Mqd;
use record_batch::{Codec, decode_records};
use serde_json::Value;

use crate::{lines, start_mqd};

/// kcat as a producer into `topic`.
fn producer(address: SocketAddr, topic: &str) -> Command {
    let mut command = kcat(address);
    command.args(["-P", "-t", topic]);
    command
}

/// kcat as a consumer of `topic` that starts at `offset` and ends at the end.
fn consumer(address: SocketAddr, topic: &str, offset: &str) -> Command {
    let mut command = kcat(address);
    command.args(["-C", "-q", "-e", "-t", topic, "-o", offset]);
    command
}

/// What `kcat -L -J` says.
fn metadata(address: SocketAddr) -> Value {
    let mut command = kcat(address);
    command.args(["-L", "-J"]);
    serde_json::from_str(&run(command, b"").unwrap()).unwrap()
}

fn topic_names(metadata: &Value) -> Vec<&str> {
    let topics = metadata["topics"].as_array().unwrap();
    topics
        .iter()
        .map(|topic| topic["topic"].as_str().unwrap())
        .collect()
}

/// Offset and timestamp of each record of partition 0, uncompressed.
fn stored_timestamps(mqd: &Mqd, topic: &str) -> Vec<(i64, i64)> {
    let mut timestamps = Vec::new();
    for batch in stored_batches(mqd.data_dir(), topic, 0).unwrap() {
        for record in decode_records(&batch.bytes).unwrap() {
            timestamps.push((
                batch.header.base_offset.0 + i64::from(record.offset_delta),
                batch.header.base_timestamp.0 + record.timestamp_delta,
            ));
        }
    }
    timestamps
}

#[test]
fn lists_the_broker_and_its_topics() {
    let mqd = start_mqd();
    let empty = metadata(mqd.address());
    assert_eq!(topic_names(&empty), Vec::<&str>::new());
    run(producer(mqd.address(), "first"), b"x\n").unwrap();
    run(producer(mqd.address(), "second"), b"x\n").unwrap();

    let metadata = metadata(mqd.address());
    let brokers = metadata["brokers"].as_array().unwrap();
    assert_eq!(brokers.len(), 1);
    assert_eq!(brokers[0]["name"], mqd.address().to_string());
    assert_eq!(brokers[0]["id"], metadata["controllerid"]);
    let mut names = topic_names(&metadata);
    names.sort_unstable();
    assert_eq!(names, ["first", "second"]);
    for topic in metadata["topics"].as_array().unwrap() {
        let partition = &topic["partitions"][0];
        assert_eq!(partition["leader"], brokers[0]["id"]);
        assert_eq!(partition["isrs"][0]["id"], brokers[0]["id"]);
    }
}

#[test]
fn each_codec_is_stored_as_it_was_sent() {
    let mqd = start_mqd();
    let codecs = [
        ("none", Codec::None),
        ("gzip", Codec::Gzip),
        ("snappy", Codec::Snappy),
        ("lz4", Codec::Lz4),
        ("zstd", Codec::Zstd),
    ];
    // Long enough that each batch gets smaller: librdkafka sends it plain if not.
    let sent = lines(&"the same words again and again; ".repeat(10), 200);
    for (name, codec) in codecs {
        let topic = format!("codec-{name}");
        let mut command = producer(mqd.address(), &topic);
        command.args(["-z", name]);
        run(command, sent.as_bytes()).unwrap();

        let batches = stored_batches(mqd.data_dir(), &topic, 0).unwrap();
        let stored: Vec<_> = batches.iter().map(|batch| batch.header.codec()).collect();
        assert!(!stored.is_empty());
        assert!(
            stored.iter().all(|stored| *stored == Ok(codec)),
            "sent with {name}, stored as {stored:?}"
        );
        let count: i32 = batches.iter().map(|batch| batch.header.record_count).sum();
        assert_eq!(count, 200);
        let received = run(consumer(mqd.address(), &topic, "beginning"), b"").unwrap();
        assert!(received == sent, "{name}: the lines come back as sent");
    }
}

#[test]
fn keys_headers_and_null_values_come_back() {
    let mqd = start_mqd();
    let mut command = producer(mqd.address(), "keyed");
    command.args(["-p", "0", "-K", ":", "-Z"]);
    command.args(["-H", "trace=42", "-H", "trace=43", "-H", "empty="]);
    run(command, b"apple:red\nbanana:\n:keyless\n").unwrap();

    let batches = stored_batches(mqd.data_dir(), "keyed", 0).unwrap();
    let mut stored = Vec::new();
    for batch in &batches {
        for record in decode_records(&batch.bytes).unwrap() {
            let headers: Vec<_> = record
                .headers
                .iter()
                .map(|header| (header.key, header.value))
                .collect();
            assert_eq!(
                headers,
                [
                    ("trace", Some(b"42".as_slice())),
                    ("trace", Some(b"43")),
                    ("empty", Some(b"")),
                ]
            );
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            stored.push((record.key.map(text), record.value.map(text)));
        }
    }
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        stored,
        [
            (text("apple"), text("red")),
            (text("banana"), None),
            (None, text("keyless")),
        ]
    );

    let mut command = consumer(mqd.address(), "keyed", "beginning");
    command.args(["-Z", "-f", "%p/%o %K %k %S %s %h\n"]);
    assert_eq!(
        run(command, b"").unwrap(),
        "0/0 5 apple 3 red trace=42,trace=43,empty=\n\
         0/1 6 banana -1 NULL trace=42,trace=43,empty=\n\
         0/2 -1 NULL 7 keyless trace=42,trace=43,empty=\n"
    );
}

#[test]
fn consumes_from_any_offset() {
    let mqd = start_mqd();
    run(producer(mqd.address(), "numbers"), lines("", 10).as_bytes()).unwrap();
    run(
        producer(mqd.address(), "numbers"),
        lines("1", 10).as_bytes(),
    )
    .unwrap();
    let all: Vec<String> = (0..20).map(|number| format!("{number}\n")).collect();
    for (offset, from) in [
        ("beginning", 0),
        ("0", 0),
        ("7", 7),
        ("10", 10),
        ("19", 19),
        ("20", 20),
        ("end", 20),
        ("-1", 19),
        ("-3", 17),
        ("-20", 0),
    ] {
        let received = run(consumer(mqd.address(), "numbers", offset), b"").unwrap();
        assert_eq!(received, all[from..].concat(), "from offset {offset}");
    }
}

#[test]
fn finds_records_by_time() {
    let mqd = start_mqd();
    for run_number in 0..3 {
        let input = lines(&format!("run {run_number} line "), 5);
        run(producer(mqd.address(), "timed"), input.as_bytes()).unwrap();
    }
    let stored = stored_timestamps(&mqd, "timed");
    assert_eq!(stored.len(), 15);
    let (_, first) = stored[0];
    let (_, last) = stored[14];
    assert!(first < last, "the runs are apart in time");

    let mut asked: Vec<i64> = stored.iter().map(|(_, timestamp)| *timestamp).collect();
    asked.dedup();
    asked.extend([0, first - 1, first + 1, last + 1]);
    for timestamp in asked {
        let expected = stored
            .iter()
            .find(|(_, stored)| *stored >= timestamp)
            .map(|(offset, _)| *offset);

        let mut query = kcat(mqd.address());
        query.args(["-Q", "-t", &format!("timed:0:{timestamp}")]);
        assert_eq!(
            run(query, b"").unwrap(),
            format!("timed [0] offset {}\n", expected.unwrap_or(-1)),
            "offset of the first record at or after {timestamp}"
        );
        let mut command = consumer(mqd.address(), "timed", &format!("s@{timestamp}"));
        command.args(["-f", "%o\n"]);
        let received = run(command, b"").unwrap();
        let expected: String = (expected.unwrap_or(15)..15)
            .map(|o| format!("{o}\n"))
            .collect();
        assert_eq!(received, expected, "records from {timestamp} on");
    }
}

#[test]
fn producing_creates_a_topic_and_consuming_does_not() {
    let mqd = start_mqd();
    let refused = run(
        consumer(mqd.address(), "nobody-wrote-this", "beginning"),
        b"",
    );
    let refused = format!("{:#}", refused.unwrap_err());
    assert!(refused.contains("Unknown topic"), "{refused}");
    run(producer(mqd.address(), "written"), b"hello\n").unwrap();
    assert_eq!(topic_names(&metadata(mqd.address())), ["written"]);
}

#[test]
fn large_messages_pass_and_too_large_ones_are_refused() {
    let mqd = start_mqd();
    let folder = tempfile::tempdir().unwrap();
    let mut expected = String::new();
    let mut command = producer(mqd.address(), "large");
    for (name, size) in [("a", 900_000), ("b", 1), ("c", 1_000_000 - 1_000)] {
        let path = folder.path().join(name);
        fs::write(&path, name.repeat(size)).unwrap();
        command.arg(path);
        expected.push_str(&name.repeat(size));
        expected.push('\n');
    }
    run(command, b"").unwrap();
    let received = run(consumer(mqd.address(), "large", "beginning"), b"").unwrap();
    assert!(received == expected, "{} bytes came back", received.len());

    let path = folder.path().join("too-large");
    fs::write(&path, "x".repeat(1_500_000)).unwrap();
    let mut command = producer(mqd.address(), "large");
    command.args(["-X", "message.max.bytes=2000000"]).arg(path);
    let refused = format!("{:#}", run(command, b"").unwrap_err());
    assert!(refused.contains("Message size too large"), "{refused}");
    run(producer(mqd.address(), "large"), b"still served\n").unwrap();
    let received = run(consumer(mqd.address(), "large", "3"), b"").unwrap();
    assert_eq!(received, "still served\n");
}

#[test]
fn twenty_thousand_lines_come_back_once_each_and_in_order() {
    let mqd = start_mqd();
    let sent = lines("line ", 20_000);
    run(producer(mqd.address(), "many"), sent.as_bytes()).unwrap();
    let received = run(consumer(mqd.address(), "many", "beginning"), b"").unwrap();
    assert!(received == sent, "{} bytes came back", received.len());

    let mut command = consumer(mqd.address(), "many", "beginning");
    command.args(["-f", "%o\n"]);
    assert!(
        run(command, b"").unwrap() == lines("", 20_000),
        "offsets count up by one"
    );
    for batch in stored_batches(mqd.data_dir(), "many", 0).unwrap() {
        assert_eq!(batch.header.producer_id, ProducerId::NONE);
    }
}

#[test]
fn a_key_stays_in_its_partition() {
    let mqd = Mqd::options(interop::mqd_binary())
        .set("num.partitions", "3")
        .start()
        .unwrap();
    let sent: String = (0..300).map(|i| format!("key-{}:{i}\n", i % 10)).collect();
    let mut command = producer(mqd.address(), "spread");
    command.args(["-K", ":"]);
    run(command, sent.as_bytes()).unwrap();

    let mut command = consumer(mqd.address(), "spread", "beginning");
    command.args(["-f", "%k %p %s\n"]);
    let received = run(command, b"").unwrap();
    assert_eq!(received.lines().count(), 300);
    let mut used = Vec::new();
    for key in 0..10 {
        let prefix = format!("key-{key} ");
        let of_key = received
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix));
        let (partitions, values): (Vec<&str>, Vec<&str>) =
            of_key.filter_map(|line| line.split_once(' ')).unzip();
        assert!(
            partitions
                .iter()
                .all(|partition| partition == &partitions[0])
        );
        let expected: Vec<String> = (0..30).map(|i| (i * 10 + key).to_string()).collect();
        assert_eq!(values, expected, "the records of a key keep their order");
        used.push(partitions[0]);
    }
    used.sort_unstable();
    used.dedup();
    assert!(
        used.len() > 1,
        "ten keys spread over more than one of three partitions"
    );
}
