//! `kill -9` at 30 moments under producers with `acks=all`.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use client::{Acks, Client, Error, FetchLimits, Settings};
use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
use mqd_guard::{Mqd, Port};
use networking::CallError;
use record_batch::{BatchBuilder, Batches, RecordToSend, decode_records};
use tokio::sync::watch;

use crate::support::{PATIENCE, mqd};

const KILLS: usize = 30;
const PRODUCERS: u64 = 3;

/// What a record says: which producer sent it, and the how-manieth of it that is.
type Value = (u64, u64);

/// What the producers have seen.
#[derive(Debug, Default)]
struct Seen {
    /// What each acknowledged offset was acknowledged for.
    acknowledged: BTreeMap<i64, Value>,
    /// How often each value was sent without hearing of it.
    unheard: BTreeMap<Value, u64>,
    /// Errors that a kill does not explain.
    surprises: Vec<Error>,
}

#[derive(Debug, Default)]
struct Progress {
    seen: Mutex<Seen>,
    changed: Condvar,
}

fn partition() -> TopicPartition {
    TopicPartition {
        topic: TopicName::new("killed").unwrap(),
        partition: PartitionIndex(0),
    }
}

fn encode((producer, number): Value) -> Vec<u8> {
    [producer.to_be_bytes(), number.to_be_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Value {
    let number = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().unwrap());
    (number(&bytes[..8]), number(&bytes[8..]))
}

fn batch_of(values: &[Value]) -> Vec<u8> {
    let mut batch = BatchBuilder::new();
    for value in values {
        batch.push(&RecordToSend {
            timestamp: Timestamp(1_700_000_000_000),
            key: None,
            value: Some(&encode(*value)),
            headers: Vec::new(),
        });
    }
    batch.build()
}

async fn connect(address: &str) -> Result<Client, Error> {
    let settings = Settings {
        client_id: "killed".to_owned(),
        patience: PATIENCE,
        ..Settings::default()
    };
    Client::connect(address, settings).await
}

impl Progress {
    /// Notes what became of a batch; whether it was acknowledged.
    fn note(&self, values: &[Value], sent: Result<Offset, Error>) -> bool {
        let mut seen = self.seen.lock().unwrap();
        match sent {
            Ok(base) => {
                for (offset, value) in (base.0..).zip(values) {
                    let before = seen.acknowledged.insert(offset, *value);
                    assert_eq!(before, None, "offset {offset} was given away before");
                }
                self.changed.notify_all();
                true
            }
            Err(Error::Call(CallError::Closed)) => {
                for value in values {
                    *seen.unheard.entry(*value).or_default() += 1;
                }
                false
            }
            Err(Error::Dial { .. }) => false,
            // A broker that lives says yes, and one that dies hangs up.
            Err(surprise) => {
                seen.surprises.push(surprise);
                self.changed.notify_all();
                false
            }
        }
    }

    /// Waits until so many more records are acknowledged.
    fn wait_for(&self, more: usize, mqd: &Mqd) {
        let seen = self.seen.lock().unwrap();
        let wanted = seen.acknowledged.len() + more;
        let waits = |seen: &mut Seen| seen.acknowledged.len() < wanted && seen.surprises.is_empty();
        let waited = self.changed.wait_timeout_while(seen, PATIENCE * 2, waits);
        let (seen, timeout) = waited.unwrap();
        let fine = !timeout.timed_out() && seen.surprises.is_empty();
        assert!(fine, "no progress: {:?}\n{}", seen.surprises, mqd.stderr());
    }
}

/// Sends batches of one to three records until it is told to stop; what is not
/// acknowledged it sends again once the broker is back. `runs` counts the
/// broker's starts; 0 is the end.
async fn produce(
    producer: u64,
    address: String,
    progress: Arc<Progress>,
    mut runs: watch::Receiver<u64>,
) {
    let to = partition();
    let client = connect(&address).await.unwrap();
    let mut next = 0;
    loop {
        let run = *runs.borrow_and_update();
        if run == 0 {
            return;
        }
        let values: Vec<Value> = (next..=next + next % 3).map(|n| (producer, n)).collect();
        let sent = client
            .produce(&to, batch_of(&values), Acks::All, PATIENCE)
            .await;
        if progress.note(&values, sent) {
            next += u64::try_from(values.len()).unwrap();
        } else {
            runs.wait_for(|now| *now != run).await.unwrap();
        }
    }
}

/// Every record of the partition, by offset.
async fn read_all(address: &str) -> BTreeMap<i64, Value> {
    let client = connect(address).await.unwrap();
    let from = partition();
    let limits = FetchLimits {
        max_wait: Duration::ZERO,
        min_bytes: 0,
        max_bytes: 1024 * 1024,
    };
    let mut all = BTreeMap::new();
    let mut next = Offset::ZERO;
    loop {
        let fetched = client.fetch(&from, next, limits).await.unwrap();
        for entry in Batches::new(&fetched.batches) {
            let (header, bytes) = entry.unwrap();
            for record in decode_records(bytes).unwrap() {
                let offset = header.base_offset.plus(i64::from(record.offset_delta));
                all.insert(offset.0, decode(record.value.unwrap()));
            }
            next = header.range().end;
        }
        if next >= fetched.high_watermark {
            return all;
        }
        assert!(
            !fetched.batches.is_empty(),
            "no records at {next}, below the high watermark"
        );
    }
}

/// Every acknowledged record is where it was acknowledged; what else is there
/// are resends whose acknowledgement a kill cut off. Returns how many those are.
fn check(all: &BTreeMap<i64, Value>, seen: &Seen) -> u64 {
    for (offset, value) in &seen.acknowledged {
        assert_eq!(
            all.get(offset),
            Some(value),
            "acknowledged at offset {offset}"
        );
    }
    for (index, offset) in (0..).zip(all.keys()) {
        assert_eq!(index, *offset, "no offset is skipped");
    }
    let mut extra: BTreeMap<Value, u64> = BTreeMap::new();
    for (offset, value) in all {
        if !seen.acknowledged.contains_key(offset) {
            *extra.entry(*value).or_default() += 1;
        }
    }
    for (value, times) in &extra {
        let unheard = seen.unheard.get(value).copied().unwrap_or_default();
        assert!(
            *times <= unheard,
            "{value:?} is there {times} times more than acknowledged"
        );
    }
    for producer in 0..PRODUCERS {
        let numbers: Vec<u64> = seen
            .acknowledged
            .values()
            .filter(|(by, _)| *by == producer)
            .map(|(_, number)| *number)
            .collect();
        assert!(numbers.is_sorted(), "a producer's records keep their order");
    }
    extra.values().sum()
}

#[test]
fn at_thirty_moments_nothing_that_was_acknowledged_is_lost() {
    let mut mqd = mqd().stable_port().start().unwrap();
    let address = mqd.address().to_string();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = connect(&address).await.unwrap();
        client
            .create_topic(&partition().topic, 1, &[])
            .await
            .unwrap();
    });
    let progress = Arc::new(Progress::default());
    let (start, runs) = watch::channel(1);
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let progress = Arc::clone(&progress);
            runtime.spawn(produce(producer, address.clone(), progress, runs.clone()))
        })
        .collect();

    let mut random = fastrand::Rng::with_seed(0x0ddb_a115);
    for _ in 0..KILLS {
        // A moment: some acknowledgements from now, and then a little later,
        // so that it falls anywhere into a request.
        progress.wait_for(1 + random.usize(..40), &mqd);
        (0..random.usize(..2_000)).for_each(|_| std::thread::yield_now());
        mqd.kill_9().unwrap();
        mqd.restart(Port::Same).unwrap();
        start.send_modify(|run| *run += 1);
    }
    start.send_replace(0);
    runtime.block_on(async {
        for producer in producers {
            tokio::time::timeout(PATIENCE, producer)
                .await
                .unwrap()
                .unwrap();
        }
    });
    let all = runtime.block_on(read_all(&address));
    let seen = progress.seen.lock().unwrap();
    let extra = check(&all, &seen);
    println!(
        "{KILLS} kills: {} records acknowledged, all at their offsets; {} sent without hearing of \
         it, {extra} of those are there and were resent",
        seen.acknowledged.len(),
        seen.unheard.values().sum::<u64>(),
    );
    assert!(seen.acknowledged.len() >= KILLS);
}
