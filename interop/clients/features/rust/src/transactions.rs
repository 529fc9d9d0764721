//! Transactions.

use std::sync::Mutex;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::{Broker, PATIENCE, Sent, expect, read, value};

const COMMITTED: (&str, &str) = ("isolation.level", "read_committed");

/// Notes what could not be delivered.
#[derive(Default)]
struct Deliveries(Mutex<Vec<RDKafkaErrorCode>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let code = error.rdkafka_error_code().expect("a code");
            self.0.lock().expect("no other thread").push(code);
        }
    }
}

type Transactional = BaseProducer<Deliveries>;

fn words(kind: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{kind}-{number}"))
        .collect()
}

/// Sends each word; what could not be delivered.
fn send(
    producer: &Transactional,
    topic: &str,
    partition: i32,
    words: &[String],
) -> Vec<RDKafkaErrorCode> {
    let failed = |producer: &Transactional| {
        std::mem::take(&mut *producer.context().0.lock().expect("no other thread"))
    };
    let mut at_once = Vec::new();
    for word in words {
        let record = BaseRecord::<(), str>::to(topic)
            .partition(partition)
            .payload(word);
        if let Err((error, _)) = producer.send(record) {
            at_once.push(error.rdkafka_error_code().expect("a code"));
        }
    }
    producer.flush(PATIENCE).expect("an end of every record");
    at_once.extend(failed(producer));
    at_once
}

fn is_fenced(result: Result<(), KafkaError>) -> bool {
    let code = result.err().and_then(|error| match error {
        KafkaError::Transaction(error) => Some(error.code()),
        other => other.rdkafka_error_code(),
    });
    code == Some(RDKafkaErrorCode::Fenced)
}

impl Broker {
    fn transactional(&self, name: &str, timeout_ms: &str) -> Transactional {
        let id = self.topic(name);
        let producer: Transactional = self
            .config(&[
                ("transactional.id", &id),
                ("transaction.timeout.ms", timeout_ms),
            ])
            .create_with_context(Deliveries::default())
            .expect("a producer");
        producer.init_transactions(PATIENCE).expect("a producer id");
        producer
    }

    /// Reads until a last record, which is sent outside of transactions, and compares.
    fn end_to_end(&self, topic: &str, mut expected: Vec<String>) {
        let end = Sent {
            value: Some(b"end"),
            ..Sent::default()
        };
        self.produce(topic, &[end], &[]);
        expected.push("end".to_owned());
        let found = self.read_assigned((topic, 1), expected.len(), &[COMMITTED], value);
        expect("records of partition 0", found, expected);
    }

    pub(crate) fn transaction(&self) {
        let topic = self.topic("transaction");
        expect("created", self.create(&topic, 2, &[]), Ok(()));
        let producer = self.transactional("t", "30000");
        for kind in ["one", "no", "two"] {
            producer.begin_transaction().expect("a transaction");
            for partition in [0, 1] {
                let failed = send(&producer, &topic, partition, &words(kind, 5));
                expect("not delivered", failed, vec![]);
            }
            let ended = match kind {
                "no" => producer.abort_transaction(PATIENCE),
                _ => producer.commit_transaction(PATIENCE),
            };
            ended.expect("an end");
        }
        let committed = [words("one", 5), words("two", 5)].concat();
        let pair =
            |message: &rdkafka::message::BorrowedMessage<'_>| (message.partition(), value(message));
        let found = self.read_assigned((&topic, 2), 20, &[COMMITTED], pair);
        for partition in [0, 1] {
            let got = found.iter().filter(|(from, _)| *from == partition);
            let got: Vec<_> = got.map(|(_, word)| word.clone()).collect();
            expect("committed", got, committed.clone());
        }
        self.end_to_end(&topic, committed);
        let all = [("isolation.level", "read_uncommitted")];
        let all = self.read_assigned((&topic, 2), 31, &all, value);
        expect(
            "uncommitted",
            all.iter().filter(|word| *word != "end").count(),
            30,
        );
    }

    pub(crate) fn fencing(&self) {
        let topic = self.topic("fencing");
        expect("created", self.create(&topic, 1, &[]), Ok(()));
        let first = self.transactional("f", "30000");
        first.begin_transaction().expect("a transaction");
        expect(
            "not delivered",
            send(&first, &topic, 0, &words("first", 3)),
            vec![],
        );
        let second = self.transactional("f", "30000");
        second.begin_transaction().expect("a transaction");
        expect(
            "not delivered",
            send(&second, &topic, 0, &words("second", 3)),
            vec![],
        );
        let failed = send(&first, &topic, 0, &words("zombie", 3));
        let old_epoch = vec![RDKafkaErrorCode::InvalidProducerEpoch; 3];
        expect("what the zombie sent", failed, old_epoch);
        let ended = is_fenced(first.commit_transaction(PATIENCE));
        expect("the zombie's commit is fenced", ended, true);
        second.commit_transaction(PATIENCE).expect("an end");
        self.end_to_end(&topic, words("second", 3));
    }

    pub(crate) fn transactional_offsets(&self) {
        let [source, target, group] = ["source", "target", "copiers"].map(|name| self.topic(name));
        expect("created", self.create(&source, 1, &[]), Ok(()));
        expect("created", self.create(&target, 1, &[]), Ok(()));
        let sent = words("in", 10);
        let records: Vec<_> = sent
            .iter()
            .map(|word| Sent {
                value: Some(word.as_bytes()),
                ..Sent::default()
            })
            .collect();
        self.produce(&source, &records, &[]);
        let reader = self.consumer(&group, &[COMMITTED]);
        reader.subscribe(&[&source]).expect("a subscription");
        let copied = read(&reader, 10, value);
        let producer = self.transactional("c", "30000");
        for (words, offset) in [(copied[..5].to_vec(), 5), (words("lost", 5), 10)] {
            producer.begin_transaction().expect("a transaction");
            expect("not delivered", send(&producer, &target, 0, &words), vec![]);
            let mut offsets = TopicPartitionList::new();
            let at = Offset::Offset(offset);
            offsets
                .add_partition_offset(&source, 0, at)
                .expect("a place");
            let member = reader.group_metadata().expect("a member");
            let added = producer.send_offsets_to_transaction(&offsets, &member, PATIENCE);
            added.expect("offsets in the transaction");
            let ended = match offset {
                5 => producer.commit_transaction(PATIENCE),
                _ => producer.abort_transaction(PATIENCE),
            };
            ended.expect("an end");
        }
        drop(reader);
        let other = self.consumer(&group, &[]);
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&source, 0);
        let found = other.committed_offsets(asked, PATIENCE).expect("offsets");
        expect("committed", found.elements()[0].offset(), Offset::Offset(5));
        self.end_to_end(&target, words("in", 5));
    }

    pub(crate) fn transaction_timeout(&self) {
        let topic = self.topic("timeout");
        expect("created", self.create(&topic, 1, &[]), Ok(()));
        let producer = self.transactional("o", "2000");
        producer.begin_transaction().expect("a transaction");
        expect(
            "not delivered",
            send(&producer, &topic, 0, &words("late", 3)),
            vec![],
        );
        self.end_to_end(&topic, vec![]);
        producer.poll(Duration::ZERO);
        let ended = is_fenced(producer.commit_transaction(PATIENCE));
        expect("the late commit is fenced", ended, true);
    }
}
