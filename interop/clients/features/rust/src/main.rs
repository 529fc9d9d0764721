//! The rdkafka crate: `interop-rdkafka ADDRESS FEATURE PREFIX`; see ../README.md.

mod transactions;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const PATIENCE: Duration = Duration::from_secs(50);
const FIRST_TIMESTAMP: i64 = 1_700_000_000_000;

/// A remark for the table, or nothing.
type Remark = &'static str;

struct Broker {
    address: String,
    prefix: String,
}

/// Ends the feature: the client has no such thing.
struct Lacking(&'static str);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, feature, prefix] = arguments.as_slice() else {
        eprintln!("interop-rdkafka ADDRESS FEATURE PREFIX");
        return ExitCode::from(2);
    };
    let broker = Broker {
        address: address.clone(),
        prefix: prefix.clone(),
    };
    match broker.try_feature(feature) {
        Ok(remark) => {
            println!("{remark}");
            ExitCode::SUCCESS
        }
        Err(Lacking(what)) => {
            println!("{what}");
            ExitCode::from(3)
        }
    }
}

/// A failure is a panic: its message is what was expected and what came.
fn expect<T: PartialEq + Debug>(what: &str, got: T, expected: T) {
    assert!(
        got == expected,
        "{what}: expected {expected:?}, got {got:?}"
    );
}

fn until(what: &str, mut look: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !look() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
    }
}

fn timestamp(number: i64) -> i64 {
    FIRST_TIMESTAMP + number * 10
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// One record to be sent.
#[derive(Default, Clone)]
struct Sent<'a> {
    partition: i32,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    timestamp: Option<i64>,
    headers: Option<OwnedHeaders>,
}

/// A record as text.
fn show(message: &BorrowedMessage<'_>) -> String {
    let text = |bytes: Option<&[u8]>| {
        bytes
            .map(String::from_utf8_lossy)
            .map(|text| text.into_owned())
    };
    let headers: Vec<_> = message
        .headers()
        .map(|headers| {
            headers
                .iter()
                .map(|h| (h.key.to_owned(), text(h.value)))
                .collect()
        })
        .unwrap_or_default();
    let at = message.timestamp().to_millis();
    format!(
        "{:?} {:?} {at:?} {headers:?}",
        text(message.key()),
        text(message.payload())
    )
}

impl Broker {
    fn try_feature(&self, feature: &str) -> Result<Remark, Lacking> {
        match feature {
            "topics" => self.topics(),
            "configs" => return Ok(self.configs()),
            "partitions" => self.partitions(),
            "acks" => self.acks(),
            "records" => self.records(),
            "codecs" => self.codecs(),
            "idempotent" => self.idempotent(),
            "large" => self.large(),
            "many-partitions" => self.many_partitions(),
            "seek-time" => self.seek_time(),
            "delete-records" => self.delete_records(),
            "commit" => self.commit(),
            "group" => self.group(),
            "static" => self.static_members(),
            "cooperative" => return Ok(self.cooperative()),
            "regex" => self.regex(),
            "group-admin" => return Ok(self.group_admin()),
            "transaction" => self.transaction(),
            "fencing" => self.fencing(),
            "transactional-offsets" => self.transactional_offsets(),
            "transaction-timeout" => self.transaction_timeout(),
            _ => return Err(Lacking("not in this program")),
        }
        Ok("")
    }

    fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    fn config(&self, more: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        for (name, value) in more {
            config.set(*name, *value);
        }
        config
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config(&[]).create().expect("an admin client")
    }

    fn create(
        &self,
        topic: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Result<(), RDKafkaErrorCode> {
        let mut wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        for (name, value) in configs {
            wanted = wanted.set(name, value);
        }
        let mut created = block_on(self.admin().create_topics([&wanted], &AdminOptions::new()))
            .expect("an answer to CreateTopics");
        created.remove(0).map(drop).map_err(|(_, code)| code)
    }

    fn produce(&self, topic: &str, records: &[Sent<'_>], config: &[(&str, &str)]) {
        let producer: BaseProducer = self.config(config).create().expect("a producer");
        for sent in records {
            let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(sent.partition);
            record.key = sent.key;
            record.payload = sent.value;
            record.timestamp = sent.timestamp;
            record.headers = sent.headers.clone();
            producer
                .send(record)
                .map_err(|(error, _)| error)
                .expect("room in the queue");
            producer.poll(Duration::ZERO);
        }
        producer.flush(PATIENCE).expect("everything is delivered");
    }

    fn produce_numbers(&self, topic: &str, partitions: i32, count: usize, config: &[(&str, &str)]) {
        let values = numbers(0..count);
        let records: Vec<_> = values
            .iter()
            .zip((0..partitions).cycle())
            .map(|(value, partition)| Sent {
                partition,
                value: Some(value.as_bytes()),
                ..Sent::default()
            })
            .collect();
        self.produce(topic, &records, config);
    }

    fn consumer(&self, group: &str, more: &[(&str, &str)]) -> BaseConsumer {
        let mut config = self.config(&[
            ("group.id", group),
            ("enable.auto.commit", "false"),
            ("auto.offset.reset", "earliest"),
        ]);
        for (name, value) in more {
            config.set(*name, *value);
        }
        config.create().expect("a consumer")
    }

    fn read_assigned<T>(
        &self,
        (topic, partitions): (&str, i32),
        count: usize,
        more: &[(&str, &str)],
        take: impl Fn(&BorrowedMessage<'_>) -> T,
    ) -> Vec<T> {
        let consumer = self.consumer(&format!("{topic}-none"), more);
        let mut all = TopicPartitionList::new();
        for partition in 0..partitions {
            all.add_partition_offset(topic, partition, Offset::Beginning)
                .expect("a place");
        }
        consumer.assign(&all).expect("an assignment");
        read(&consumer, count, take)
    }

    fn described_partitions(&self, topic: &str) -> Option<usize> {
        let admin = self.admin();
        let metadata = admin
            .inner()
            .fetch_metadata(None, PATIENCE)
            .expect("metadata");
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        found.map(|found| {
            found
                .partitions()
                .iter()
                .filter(|part| part.leader() >= 0)
                .count()
        })
    }

    fn topics(&self) {
        let topic = self.topic("topics");
        expect("created", self.create(&topic, 3, &[]), Ok(()));
        until("three partitions with a leader", || {
            self.described_partitions(&topic) == Some(3)
        });
        let again = self.create(&topic, 3, &[]);
        expect(
            "created again",
            again,
            Err(RDKafkaErrorCode::TopicAlreadyExists),
        );
        let deleted = block_on(self.admin().delete_topics(&[&topic], &AdminOptions::new()));
        expect("deleted", deleted.expect("an answer")[0].is_ok(), true);
        until("it is gone", || self.described_partitions(&topic).is_none());
    }

    fn retention(&self, topic: &str) -> Option<String> {
        let asked = ResourceSpecifier::Topic(topic);
        let mut found = block_on(
            self.admin()
                .describe_configs([&asked], &AdminOptions::new()),
        )
        .expect("an answer to DescribeConfigs");
        let found = found.remove(0).expect("a topic's settings");
        found
            .get("retention.ms")
            .and_then(|entry| entry.value.clone())
    }

    fn configs(&self) -> Remark {
        let topic = self.topic("configs");
        expect(
            "created",
            self.create(&topic, 1, &[("retention.ms", "60000")]),
            Ok(()),
        );
        expect(
            "as created",
            self.retention(&topic).as_deref(),
            Some("60000"),
        );
        let change =
            AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("retention.ms", "120000");
        let altered = block_on(self.admin().alter_configs([&change], &AdminOptions::new()));
        expect("altered", altered.expect("an answer")[0].is_ok(), true);
        until("as altered", || {
            self.retention(&topic).as_deref() == Some("120000")
        });
        "by AlterConfigs"
    }

    fn partitions(&self) {
        let topic = self.topic("partitions");
        expect("created", self.create(&topic, 2, &[]), Ok(()));
        let one = |partition, value| Sent {
            partition,
            value: Some(value),
            ..Sent::default()
        };
        self.produce(&topic, &[one(1, b"before")], &[]);
        let wanted = NewPartitions::new(&topic, 5);
        let grown = block_on(
            self.admin()
                .create_partitions([&wanted], &AdminOptions::new()),
        );
        expect("grown", grown.expect("an answer")[0].is_ok(), true);
        until("five partitions", || {
            self.described_partitions(&topic) == Some(5)
        });
        self.produce(&topic, &[one(4, b"after")], &[]);
        let mut found = self.read_assigned((&topic, 5), 2, &[], value);
        found.sort();
        expect(
            "records",
            found,
            vec!["after".to_owned(), "before".to_owned()],
        );
    }

    fn acks(&self) {
        let topic = self.topic("acks");
        expect("created", self.create(&topic, 1, &[]), Ok(()));
        for acks in ["0", "1", "all"] {
            self.produce_numbers(&topic, 1, 10, &[("acks", acks)]);
        }
        let found = self.read_assigned((&topic, 1), 30, &[], value);
        expect(
            "records",
            found,
            [numbers(0..10), numbers(0..10), numbers(0..10)].concat(),
        );
    }

    fn records(&self) {
        let topic = self.topic("records");
        expect("created", self.create(&topic, 1, &[]), Ok(()));
        let header = |key, value| Header { key, value };
        let headers = OwnedHeaders::new()
            .insert(header("a", Some("1")))
            .insert(header("a", Some("")))
            .insert(Header::<&str> {
                key: "b",
                value: None,
            });
        let sent = |key, value, number| Sent {
            key,
            value,
            timestamp: Some(timestamp(number)),
            ..Sent::default()
        };
        let records = [
            Sent {
                headers: Some(headers),
                ..sent(Some(&b"key"[..]), Some(&b"value"[..]), 1)
            },
            sent(None, Some(b"without a key"), 2),
            sent(Some(b"deleted"), None, 3),
            sent(Some(b""), Some(b""), 4),
        ];
        self.produce(&topic, &records, &[]);
        let found = self.read_assigned((&topic, 1), 4, &[], show);
        let none: [(); 0] = [];
        let row = |key: Option<&str>, value: Option<&str>, number| {
            format!("{key:?} {value:?} {:?} {none:?}", Some(timestamp(number)))
        };
        let headers = [("a", Some("1")), ("a", Some("")), ("b", None::<&str>)];
        expect(
            "records",
            found,
            vec![
                format!(
                    "{:?} {:?} {:?} {headers:?}",
                    Some("key"),
                    Some("value"),
                    Some(timestamp(1))
                ),
                row(None, Some("without a key"), 2),
                row(Some("deleted"), None, 3),
                row(Some(""), Some(""), 4),
            ],
        );
    }

    fn codecs(&self) {
        for codec in ["gzip", "snappy", "lz4", "zstd", "none"] {
            let topic = self.topic(codec);
            expect("created", self.create(&topic, 1, &[]), Ok(()));
            self.produce_numbers(
                &topic,
                1,
                100,
                &[("compression.type", codec), ("linger.ms", "50")],
            );
            expect(
                codec,
                self.read_assigned((&topic, 1), 100, &[], value),
                numbers(0..100),
            );
        }
    }

    fn idempotent(&self) {
        let topic = self.topic("idempotent");
        expect("created", self.create(&topic, 1, &[]), Ok(()));
        self.produce_numbers(&topic, 1, 1_000, &[("enable.idempotence", "true")]);
        let found = self.read_assigned((&topic, 1), 1_000, &[], value);
        expect("records", found, numbers(0..1_000));
    }

    fn large(&self) {
        let topic = self.topic("large");
        let created = self.create(&topic, 1, &[("max.message.bytes", "11534336")]);
        expect("created", created, Ok(()));
        // Bytes that do not compress: a generator of 64 bits, its high half.
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        let bytes: Vec<u8> = (0..10 << 20).map(|_| next()).collect();
        let sent = Sent {
            value: Some(&bytes),
            ..Sent::default()
        };
        self.produce(&topic, &[sent], &[("message.max.bytes", "11534336")]);
        let limit = [("fetch.message.max.bytes", "11534336")];
        let same = |message: &BorrowedMessage<'_>| message.payload() == Some(&bytes[..]);
        expect(
            "10 MiB",
            self.read_assigned((&topic, 1), 1, &limit, same),
            vec![true],
        );
    }

    fn many_partitions(&self) {
        let topic = self.topic("many");
        expect("created", self.create(&topic, 1_000, &[]), Ok(()));
        until("1,000 partitions", || {
            self.described_partitions(&topic) == Some(1_000)
        });
        self.produce_numbers(&topic, 1_000, 1_000, &[]);
        let same =
            |message: &BorrowedMessage<'_>| (message.partition().to_string(), value(message));
        let found: BTreeSet<_> = self
            .read_assigned((&topic, 1_000), 1_000, &[], same)
            .into_iter()
            .collect();
        expect(
            "records",
            found,
            numbers(0..1_000)
                .into_iter()
                .map(|n| (n.clone(), n))
                .collect(),
        );
    }

    fn seek_time(&self) {
        let topic = self.topic("time");
        expect("created", self.create(&topic, 1, &[]), Ok(()));
        let values = numbers(0..40);
        let records: Vec<_> = values
            .iter()
            .zip(0..)
            .map(|(value, number)| Sent {
                value: Some(value.as_bytes()),
                timestamp: Some(timestamp(number)),
                ..Sent::default()
            })
            .collect();
        self.produce(&topic, &records, &[]);
        let consumer = self.consumer(&topic, &[]);
        let found: Vec<_> = [
            timestamp(0),
            timestamp(15) - 1,
            timestamp(39),
            timestamp(39) + 1,
        ]
        .into_iter()
        .map(|when| {
            let mut asked = TopicPartitionList::new();
            asked
                .add_partition_offset(&topic, 0, Offset::Offset(when))
                .expect("a place");
            let answer = consumer
                .offsets_for_times(asked, PATIENCE)
                .expect("offsets");
            answer.elements()[0].offset()
        })
        .collect();
        let offsets = [0, 15, 39].map(Offset::Offset);
        expect("offsets", found, [&offsets[..], &[Offset::End]].concat());
        let mut all = TopicPartitionList::new();
        all.add_partition_offset(&topic, 0, Offset::Beginning)
            .expect("a place");
        consumer.assign(&all).expect("an assignment");
        read(&consumer, 1, value);
        consumer
            .seek(&topic, 0, Offset::Offset(15), PATIENCE)
            .expect("a seek");
        expect(
            "behind the seek",
            read(&consumer, 1, value),
            vec!["15".to_owned()],
        );
    }

    fn delete_records(&self) {
        let topic = self.topic("delete");
        expect("created", self.create(&topic, 1, &[]), Ok(()));
        self.produce_numbers(&topic, 1, 10, &[]);
        let mut below = TopicPartitionList::new();
        below
            .add_partition_offset(&topic, 0, Offset::Offset(6))
            .expect("a place");
        let deleted = block_on(self.admin().delete_records(&below, &AdminOptions::new()));
        expect(
            "low watermark",
            deleted.expect("an answer").elements()[0].offset(),
            Offset::Offset(6),
        );
        let (low, _) = self
            .consumer(&topic, &[])
            .fetch_watermarks(&topic, 0, PATIENCE)
            .expect("ends");
        expect("earliest", low, 6);
        let consumer = self.consumer(&topic, &[]);
        let mut all = TopicPartitionList::new();
        all.add_partition_offset(&topic, 0, Offset::Offset(0))
            .expect("a place");
        consumer.assign(&all).expect("an assignment");
        expect("records", read(&consumer, 4, value), numbers(6..10));
    }

    fn commit(&self) {
        let topic = self.topic("commit");
        expect("created", self.create(&topic, 1, &[]), Ok(()));
        self.produce_numbers(&topic, 1, 10, &[]);
        let consumer = self.consumer(&topic, &[]);
        let mut wanted = TopicPartitionList::new();
        let mut place = wanted.add_partition(&topic, 0);
        place.set_offset(Offset::Offset(7)).expect("an offset");
        place.set_metadata("note");
        consumer
            .commit(&wanted, CommitMode::Sync)
            .expect("a commit");
        drop(consumer);
        let consumer = self.consumer(&topic, &[]);
        let mut asked = TopicPartitionList::new();
        asked.add_partition(&topic, 0);
        let found = consumer
            .committed_offsets(asked, PATIENCE)
            .expect("offsets");
        let found = &found.elements()[0];
        expect(
            "committed",
            (found.offset(), found.metadata()),
            (Offset::Offset(7), "note"),
        );
        consumer.subscribe(&[&topic]).expect("a subscription");
        expect(
            "the next record",
            read(&consumer, 1, value),
            vec!["7".to_owned()],
        );
    }
}

fn value(message: &BorrowedMessage<'_>) -> String {
    String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned()
}

/// What `take` makes of the next `count` messages.
fn read<C: ConsumerContext, T>(
    consumer: &BaseConsumer<C>,
    count: usize,
    take: impl Fn(&BorrowedMessage<'_>) -> T,
) -> Vec<T> {
    let mut found = Vec::new();
    until(&format!("{count} messages"), || {
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            found.push(take(&message.expect("a message")));
        }
        found.len() >= count
    });
    found
}

/// What a member of a group was told.
#[derive(Default)]
struct Told {
    rebalances: usize,
    revoked: Vec<usize>,
}

#[derive(Default)]
struct Watched(Mutex<Told>);

impl ClientContext for Watched {}

impl ConsumerContext for Watched {
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let mut told = self.0.lock().expect("no other thread");
        match rebalance {
            Rebalance::Assign(_) => told.rebalances += 1,
            Rebalance::Revoke(partitions) => told.revoked.push(partitions.count()),
            Rebalance::Error(error) => panic!("a rebalance failed: {error}"),
        }
    }
}

struct Member {
    consumer: BaseConsumer<Watched>,
    seen: BTreeSet<(i32, i64)>,
}

impl Member {
    fn new(broker: &Broker, topic: &str, more: &[(&str, &str)]) -> Member {
        let mut config = broker.config(&[
            ("group.id", topic),
            ("enable.auto.commit", "false"),
            ("auto.offset.reset", "earliest"),
        ]);
        for (name, value) in more {
            config.set(*name, *value);
        }
        let consumer: BaseConsumer<Watched> = config
            .create_with_context(Watched::default())
            .expect("a consumer");
        consumer.subscribe(&[topic]).expect("a subscription");
        Member {
            consumer,
            seen: BTreeSet::new(),
        }
    }

    fn poll(&mut self) {
        if let Some(message) = self.consumer.poll(Duration::from_millis(50)) {
            let message = message.expect("a message");
            self.seen.insert((message.partition(), message.offset()));
            self.consumer
                .commit_message(&message, CommitMode::Async)
                .expect("a commit");
        }
    }

    fn owned(&self) -> Vec<i32> {
        let owned = self.consumer.assignment().expect("an assignment");
        let mut owned: Vec<i32> = owned
            .elements()
            .iter()
            .map(|part| part.partition())
            .collect();
        owned.sort_unstable();
        owned
    }

    fn rebalances(&self) -> usize {
        self.consumer
            .context()
            .0
            .lock()
            .expect("no other thread")
            .rebalances
    }

    fn revoked(&self) -> Vec<usize> {
        self.consumer
            .context()
            .0
            .lock()
            .expect("no other thread")
            .revoked
            .clone()
    }
}

fn own(each: usize, members: &mut [&mut Member]) {
    until(&format!("each owns {each}"), || {
        members.iter_mut().for_each(|member| member.poll());
        members.iter().all(|member| member.owned().len() == each)
    });
}

impl Broker {
    /// A topic of 4 partitions with 100 records in each.
    fn filled(&self, name: &str) -> String {
        let topic = self.topic(name);
        expect("created", self.create(&topic, 4, &[]), Ok(()));
        self.produce_numbers(&topic, 4, 400, &[]);
        topic
    }

    fn commit_all(&self, member: &Member, topic: &str) {
        let mut all = TopicPartitionList::new();
        for partition in 0..4 {
            all.add_partition_offset(topic, partition, Offset::Offset(100))
                .expect("a place");
        }
        member
            .consumer
            .commit(&all, CommitMode::Sync)
            .expect("a commit");
        let found = member
            .consumer
            .committed_offsets(all, PATIENCE)
            .expect("offsets");
        let is_100 = |offset| offset == Offset::Offset(100);
        expect(
            "committed",
            found.elements().iter().all(|part| is_100(part.offset())),
            true,
        );
    }

    fn group(&self) {
        let topic = self.filled("group");
        let mut first = Member::new(self, &topic, &[]);
        own(4, &mut [&mut first]);
        let mut second = Member::new(self, &topic, &[]);
        own(2, &mut [&mut first, &mut second]);
        until("all 400", || {
            first.poll();
            second.poll();
            first.seen.union(&second.seen).count() == 400
        });
        drop(second);
        own(4, &mut [&mut first]);
        self.commit_all(&first, &topic);
    }

    fn static_members(&self) {
        let topic = self.filled("static");
        let (a, b) = (self.topic("a"), self.topic("b"));
        let mut first = Member::new(self, &topic, &[("group.instance.id", &a)]);
        let mut second = Member::new(self, &topic, &[("group.instance.id", &b)]);
        own(2, &mut [&mut first, &mut second]);
        let (before, seen) = (second.owned(), first.rebalances());
        drop(second);
        let mut second = Member::new(self, &topic, &[("group.instance.id", &b)]);
        own(2, &mut [&mut first, &mut second]);
        expect("its partitions", second.owned(), before);
        expect("rebalances of the first", first.rebalances(), seen);
    }

    fn cooperative(&self) -> Remark {
        let topic = self.filled("cooperative");
        let strategy = [("partition.assignment.strategy", "cooperative-sticky")];
        let mut first = Member::new(self, &topic, &strategy);
        own(4, &mut [&mut first]);
        let mut second = Member::new(self, &topic, &strategy);
        own(2, &mut [&mut first, &mut second]);
        let revoked = first.revoked();
        expect("given up at a time", revoked.iter().max(), Some(&2));
        // A member that closes while it has not been told its assignment, even an empty one, may
        // hang (librdkafka's issue 4884).
        for mut member in [first, second] {
            member.consumer.unsubscribe();
            own(0, &mut [&mut member]);
        }
        if revoked.len() == 1 {
            ""
        } else {
            "the client gives up 2 more than once"
        }
    }

    fn regex(&self) {
        let send = |topic: &str, value| {
            expect("created", self.create(topic, 1, &[]), Ok(()));
            self.produce(
                topic,
                &[Sent {
                    value: Some(value),
                    ..Sent::default()
                }],
                &[],
            );
        };
        send(&self.topic("re-a"), b"a");
        send(&self.topic("re-b"), b"b");
        let settings = [
            ("topic.metadata.refresh.interval.ms", "500"),
            ("metadata.max.age.ms", "1000"),
        ];
        let consumer = self.consumer(&self.topic("regex"), &settings);
        consumer
            .subscribe(&[&format!("^{}", self.topic("re-.*"))])
            .expect("a subscription");
        let mut both = read(&consumer, 2, value);
        both.sort();
        expect("both", both, vec!["a".to_owned(), "b".to_owned()]);
        // The rebalance to come begins where the last commit ends.
        consumer
            .commit_consumer_state(CommitMode::Sync)
            .expect("a commit");
        send(&self.topic("re-c"), b"c");
        expect(
            "the new one",
            read(&consumer, 1, value),
            vec!["c".to_owned()],
        );
    }

    fn group_admin(&self) -> Remark {
        let topic = self.filled("admin");
        let mut member = Member::new(self, &topic, &[]);
        own(4, &mut [&mut member]);
        self.commit_all(&member, &topic);
        let admin = self.admin();
        let described = || {
            let groups = admin
                .inner()
                .fetch_group_list(Some(&topic), PATIENCE)
                .expect("groups");
            let found = groups.groups().first();
            found.map(|group| (group.state().to_owned(), group.members().len()))
        };
        expect(
            "state and members",
            described(),
            Some(("Stable".to_owned(), 1)),
        );
        drop(member);
        until("empty", || described() == Some(("Empty".to_owned(), 0)));
        let deleted = block_on(admin.delete_groups(&[&topic], &AdminOptions::new()));
        expect("deleted", deleted.expect("an answer")[0].is_ok(), true);
        until("it is gone", || {
            described().is_none_or(|(state, _)| state == "Dead")
        });
        "without altering offsets: no such call in this client"
    }
}
