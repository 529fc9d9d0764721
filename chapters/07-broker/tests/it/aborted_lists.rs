//! Which aborted transactions a reader of committed data is told of, against a model.

use std::collections::BTreeSet;
use std::sync::Arc;

use broker::{Partition, Reader, Room};
use fastrand::Rng;
use message_model::{Offset, OffsetRange, ProducerEpoch, ProducerId};
use record_batch::{Batches, Marker, decode_records};
use sim_disk::SimDisk;

use crate::producers::end;
use crate::rules::{Rules, Sent};
use crate::support::{Broker, NOW, append, batch, read};

/// A transaction as the model has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Transaction {
    producer: i64,
    first: i64,
    /// Its values.
    values: Vec<String>,
    /// The offset of its marker, and what it says; `None` while it is open.
    end: Option<(i64, Marker)>,
}

/// What was written.
#[derive(Debug, Default)]
struct Model {
    transactions: Vec<Transaction>,
    /// Value by offset, outside of transactions too.
    values: Vec<(i64, String)>,
    sequences: [i32; 4],
    log_end: i64,
}

impl Model {
    fn open(&mut self, producer: i64) -> Option<&mut Transaction> {
        let mut all = self.transactions.iter_mut();
        all.find(|one| one.producer == producer && one.end.is_none())
    }

    fn last_stable(&self) -> i64 {
        let open = self.transactions.iter().filter(|one| one.end.is_none());
        open.map(|one| one.first).min().unwrap_or(self.log_end)
    }

    /// Those that were aborted and overlap these offsets, by marker.
    fn aborted(&self, range: OffsetRange) -> Vec<(i64, i64)> {
        let overlap = self.transactions.iter().filter_map(|one| match one.end {
            Some((last, Marker::Abort)) => {
                let overlaps = one.first < range.end.0 && last >= range.start.0;
                overlaps.then_some((last, one.producer, one.first))
            }
            _ => None,
        });
        let by_marker: BTreeSet<_> = overlap.collect();
        let named = by_marker.into_iter();
        named
            .map(|(_, producer, first)| (producer, first))
            .collect()
    }

    /// What a reader of committed data sees from `from` on.
    fn committed(&self, from: i64) -> Vec<String> {
        let aborted = self.transactions.iter().filter(|one| match one.end {
            Some((_, marker)) => marker == Marker::Abort,
            None => false,
        });
        let hidden: BTreeSet<&String> = aborted.flat_map(|one| &one.values).collect();
        let stable = self.last_stable();
        let visible = self.values.iter().filter(|(offset, value)| {
            *offset >= from && *offset < stable && !hidden.contains(value)
        });
        visible.map(|(_, value)| value.clone()).collect()
    }
}

/// Does one thing by chance.
async fn step(partition: &Arc<Partition>, model: &mut Model, rng: &mut Rng) {
    let producer = rng.i64(0..4);
    let values: Vec<String> = (0..rng.i64(1..4))
        .map(|index| {
            format!(
                "{} {}",
                model.log_end + index,
                "x".repeat(rng.usize(0..600))
            )
        })
        .collect();
    let words: Vec<&str> = values.iter().map(String::as_str).collect();
    let at = model.log_end;
    let number = usize::try_from(producer).unwrap();
    match (rng.u8(0..10), model.open(producer).is_some()) {
        (0..2, false) => {
            append(partition, NOW, batch(&words)).await.unwrap();
        }
        (0..4, true) => {
            let marker = [Marker::Abort, Marker::Commit][usize::from(rng.bool())];
            let ended = end(partition, producer, marker).await.unwrap();
            assert_eq!(ended.range.start.0, at);
            model.open(producer).unwrap().end = Some((at, marker));
            model.log_end += 1;
            return;
        }
        (_, is_open) => {
            if !is_open {
                let (id, epoch) = (ProducerId(producer), ProducerEpoch(0));
                partition.begin_transaction(NOW, id, epoch).await.unwrap();
                model.transactions.push(Transaction {
                    producer,
                    first: at,
                    values: Vec::new(),
                    end: None,
                });
            }
            let sent = Sent::new(producer, model.sequences[number]).in_transaction();
            append(partition, NOW, sent.batch(&words)).await.unwrap();
            model.sequences[number] += i32::try_from(words.len()).unwrap();
            model.open(producer).unwrap().values.extend(values.clone());
        }
    }
    let numbered = (at..).zip(values);
    model.values.extend(numbered);
    model.log_end = partition.ends().unwrap().log_end.0;
}

/// What a consumer sees that leaves out what it is told to, as Kafka's does: from the first
/// record of an aborted transaction to its marker it drops what the producer has written.
async fn consume(
    partition: &Partition,
    model: &Model,
    mut from: Offset,
    rng: &mut Rng,
) -> Vec<String> {
    let mut seen = Vec::new();
    let start = from;
    loop {
        let room = Room {
            bytes: rng.u32(0..3_000),
            at_least_one: true,
        };
        let fetched = partition
            .fetch(Reader::Committed, from, room)
            .await
            .unwrap();
        let told: Vec<_> = fetched
            .aborted
            .iter()
            .flat_map(|list| &list.transactions)
            .map(|one| (one.producer.0, one.first.0))
            .collect();
        let Some(slice) = &fetched.slice else {
            assert!(told.is_empty());
            return seen;
        };
        assert_eq!(told, model.aborted(fetched.range), "{:?}", fetched.range);
        let bytes = read(slice);
        let mut to_come = told;
        to_come.sort_unstable_by_key(|(_, first)| *first);
        let mut dropped = BTreeSet::new();
        for batch in Batches::new(&bytes) {
            let (header, bytes) = batch.unwrap();
            let is_due = |(_, first): &mut (i64, i64)| *first < header.range().end.0;
            dropped.extend(to_come.extract_if(.., is_due).map(|(producer, _)| producer));
            let producer = header.producer_id.0;
            if header.is_control() {
                dropped.remove(&producer);
            } else if !(header.is_transactional() && dropped.contains(&producer)) {
                let records = decode_records(bytes).unwrap();
                let wanted = records.iter().filter(|one| header.offset_of(one) >= start);
                seen.extend(
                    wanted.map(|one| String::from_utf8(one.value.unwrap().to_vec()).unwrap()),
                );
            }
        }
        from = fetched.range.end;
    }
}

#[tokio::test]
async fn over_random_histories_committed_readers_see_what_the_model_says() {
    for seed in 0..30 {
        let mut rng = Rng::with_seed(seed);
        let rules = Arc::new(Rules::default());
        let disk = SimDisk::new(seed);
        let mut broker = Broker::start_with_rules(&disk, &rules);
        broker.create("t", 1).await;
        let mut model = Model::default();
        for _ in 0..8 {
            for _ in 0..20 {
                step(&broker.partition("t", 0), &mut model, &mut rng).await;
            }
            if rng.bool() {
                // Of what is not saved the log tells the next start.
                if rng.bool() {
                    assert!(broker.topics.save_recovery_points().await.is_empty());
                }
                drop(broker);
                broker = Broker::start_with_rules(&disk, &rules);
            }
            let partition = broker.partition("t", 0);
            assert_eq!(partition.ends().unwrap().last_stable.0, model.last_stable());
            for _ in 0..4 {
                let from = rng.i64(0..=model.last_stable());
                let seen = consume(&partition, &model, Offset(from), &mut rng).await;
                assert_eq!(seen, model.committed(from), "seed {seed}, from {from}");
            }
        }
    }
}

/// More transactions than an answer may name: it has fewer batches, and the next one goes on.
#[tokio::test]
async fn so_many_aborted_transactions_that_an_answer_has_fewer_batches() {
    const PRODUCERS: i64 = 10_050;
    let rules = Arc::new(Rules::default());
    let broker = Broker::start_with_rules(&SimDisk::new(7), &rules);
    broker
        .create_with("t", 1, &[("segment.bytes", "10000000")])
        .await;
    let partition = broker.partition("t", 0);
    for producer in 0..PRODUCERS {
        let (id, epoch) = (ProducerId(producer), ProducerEpoch(0));
        partition.begin_transaction(NOW, id, epoch).await.unwrap();
        let sent = Sent::new(producer, 0).in_transaction();
        append(&partition, NOW, sent.batch(&["a"])).await.unwrap();
    }
    for producer in 0..PRODUCERS {
        end(&partition, producer, Marker::Abort).await.unwrap();
    }
    let room = Room {
        bytes: 10_000_000,
        at_least_one: true,
    };
    let fetch = |from| partition.fetch(Reader::Committed, Offset(from), room);
    let first = fetch(9_000).await.unwrap();
    assert_eq!(first.range.end, Offset(10_000));
    assert_eq!(first.aborted.unwrap().transactions.len(), 10_000);
    let mut from = 10_000;
    while from < PRODUCERS {
        let next = fetch(from).await.unwrap();
        assert!(next.range.start == Offset(from) && next.range.end > next.range.start);
        from = next.range.end.0;
        let last = Offset(from.min(PRODUCERS) - 1);
        assert!(
            next.aborted
                .unwrap()
                .transactions
                .iter()
                .any(|one| one.first == last)
        );
    }
    let none = partition
        .fetch(Reader::Uncommitted, Offset(9_000), room)
        .await;
    assert!(
        none.unwrap().range.end > Offset(10_000),
        "other readers get more"
    );
}
