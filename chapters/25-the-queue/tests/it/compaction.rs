//! A compacted topic while it is written, compacted and killed.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use client::{Acks, Client, FetchLimits, Settings, records};
use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
use mqd_guard::{Mqd, Port};
use record_batch::{BatchBuilder, Codec, RecordToSend};

use crate::support::{PATIENCE, mqd};

/// A producer writes at most so many batches until a pass is over.
const BATCHES_MAX: u64 = 20_000;
const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::Gzip,
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd,
];

/// The last value of each key; `None` for one that was deleted.
type Table = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

fn partition() -> TopicPartition {
    TopicPartition {
        topic: TopicName::new("table").unwrap(),
        partition: PartitionIndex(0),
    }
}

async fn connect(mqd: &Mqd) -> Client {
    let settings = Settings {
        client_id: "compaction".to_owned(),
        patience: PATIENCE,
        ..Settings::default()
    };
    Client::connect(&mqd.address().to_string(), settings)
        .await
        .unwrap()
}

/// Appends a batch, and notes in the table what it says.
async fn write(client: &Client, number: u64, table: &mut Table) {
    let mut batch = BatchBuilder::new();
    for index in 0..4 {
        let key = format!("key {}", (number * 7 + index * 3) % 23).into_bytes();
        let is_deleted = (number + index).is_multiple_of(5);
        let value = (!is_deleted).then(|| format!("value {number:060}").into_bytes());
        batch.push(&RecordToSend {
            timestamp: Timestamp(1_700_000_000_000),
            key: Some(&key),
            value: value.as_deref(),
            headers: Vec::new(),
        });
        table.insert(key, value);
    }
    let batch = batch.build();
    let codec = usize::try_from(number).unwrap() % CODECS.len();
    let batch = match CODECS[codec] {
        Codec::None => batch,
        codec => compression::close_batch(&batch, codec),
    };
    let to = partition();
    let sent = client.produce(&to, batch, Acks::All, PATIENCE).await;
    sent.unwrap();
}

/// What a consumer finds from the start; and how many records that took.
async fn read(client: &Client) -> (Table, usize) {
    let limits = FetchLimits {
        max_wait: Duration::ZERO,
        min_bytes: 0,
        max_bytes: 1_000_000,
    };
    let (mut table, mut count, mut next) = (Table::new(), 0, Offset(0));
    loop {
        let fetched = client.fetch(&partition(), next, limits).await.unwrap();
        let mut found = records(fetched.batches, next);
        for record in found.by_ref() {
            let record = record.unwrap();
            assert!(record.offset >= next, "offsets ascend");
            next = record.offset.plus(1);
            table.insert(
                record.key.unwrap().to_vec(),
                record.value.map(|value| value.to_vec()),
            );
            count += 1;
        }
        next = found.next_offset();
        if next >= fetched.high_watermark {
            return (table, count);
        }
    }
}

/// A consumer knows a key that it never saw no better than one that was deleted.
fn known(table: &Table) -> BTreeMap<&[u8], &[u8]> {
    let known = table
        .iter()
        .filter_map(|(key, value)| Some((&key[..], value.as_deref()?)));
    known.collect()
}

#[tokio::test]
async fn a_table_survives_compaction_and_kills() {
    let mut mqd = mqd()
        .stable_port()
        .set("log.segment.bytes", "4096")
        .set("log.cleaner.backoff.ms", "1")
        .set("log.cleaner.min.cleanable.ratio", "0.1")
        .set("log.cleaner.delete.retention.ms", "20")
        .start()
        .unwrap();
    let client = connect(&mqd).await;
    let compact = [("cleanup.policy", "compact")];
    client
        .create_topic(&partition().topic, 1, &compact)
        .await
        .unwrap();
    let checkpoint = mqd.data_dir().join("table-0/compacted-to");
    let (mut table, mut number) = (Table::new(), 0);
    for round in 0..5 {
        let before = fs::read(&checkpoint).ok();
        // A pass ends, and the kill may come in the middle of the next one.
        let first = number;
        while fs::read(&checkpoint).ok() == before || number < first + 60 {
            write(&client, number, &mut table).await;
            number += 1;
            assert!(number < BATCHES_MAX, "no pass ends: {}", mqd.stderr());
        }
        mqd.kill_9().unwrap();
        mqd.restart(Port::Same).unwrap();
        let client = connect(&mqd).await;
        let (found, count) = read(&client).await;
        assert_eq!(known(&found), known(&table), "round {round}");
        let written = usize::try_from(number).unwrap() * 4;
        assert!(count < written, "{count} of {written} records");
    }
    assert!(
        !mqd.stderr().contains("cannot be compacted"),
        "{}",
        mqd.stderr()
    );
}
