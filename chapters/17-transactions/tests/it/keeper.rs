//! The keeper over topics: what it copies, whom it asks, and what survives it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, ConsumedRecord, OffsetSpec};
use consumer::{Consumer, OffsetReset};
use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
use producer::Producer;
use record_batch::Header;
use transactions::{
    Checks, Decision, Effect, Error, Group, ID_HEADER, Keeper, Message, Ruling, Schedule, Settings,
    TransactionProducer,
};

use crate::order_and_cart::example::fake::Fake;

/// Longer than anything takes that is to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Later than anything that is due.
const LATER: Timestamp = Timestamp(i64::MAX / 2);

pub(crate) struct World {
    pub(crate) fake: Fake,
    client: Arc<Client>,
    pub(crate) group: Group,
    orders: TopicName,
}

impl World {
    pub(crate) async fn new() -> World {
        let fake = Fake::start(&[
            ("shop.half", 1),
            ("shop.outcomes", 1),
            ("shop.op", 1),
            ("shop.checks", 2),
            ("shop.set-aside", 1),
            ("orders", 1),
        ])
        .await;
        let client = Client::connect(&fake.address(), client::Settings::default()).await;
        World {
            fake,
            client: Arc::new(client.unwrap()),
            group: Group::new("shop").unwrap(),
            orders: TopicName::new("orders").unwrap(),
        }
    }

    pub(crate) fn producer(&self) -> TransactionProducer {
        TransactionProducer::new(Arc::clone(&self.client), self.group.clone())
    }

    pub(crate) async fn keeper(&self) -> Keeper {
        self.keeper_with(Settings::default()).await
    }

    async fn keeper_with(&self, settings: Settings) -> Keeper {
        let bootstrap = self.fake.address();
        let keeper = Keeper::start(&bootstrap, self.group.clone(), settings);
        keeper.await.unwrap()
    }

    /// Another producer of the group, which answers checks.
    pub(crate) async fn checks(&self) -> Checks {
        let client = Client::connect(&self.fake.address(), client::Settings::default()).await;
        let checks = Checks::join(Arc::new(client.unwrap()), &self.group);
        checks.await.unwrap()
    }

    pub(crate) async fn prepare(&self, producer: &TransactionProducer, id: &str) -> Offset {
        let message = Message {
            id,
            topic: &self.orders,
            key: Some(b"ann"),
            value: Some(id.as_bytes()),
            headers: &[],
        };
        producer.prepare(&message).await.unwrap()
    }

    async fn records(&self, topic: &str) -> Vec<ConsumedRecord> {
        let settings = consumer::Settings {
            reset: OffsetReset::Earliest,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&self.client), settings);
        let partition = TopicPartition {
            topic: TopicName::new(topic).unwrap(),
            partition: PartitionIndex(0),
        };
        let deadline = self.client.deadline();
        let find = self
            .client
            .find_offset(&partition, OffsetSpec::Latest, deadline);
        let end = find.await.unwrap();
        consumer
            .assign(BTreeSet::from([partition.clone()]))
            .await
            .unwrap();
        let mut records = Vec::new();
        while consumer.position(&partition) < end {
            if let Some(polled) = consumer.poll(PATIENCE).await.unwrap() {
                records.extend(polled.records.map(Result::unwrap));
            }
        }
        records
    }

    /// How many records a topic has.
    async fn count(&self, topic: &str, partitions: i32) -> i64 {
        let mut count = 0;
        for index in 0..partitions {
            let partition = TopicPartition {
                topic: TopicName::new(topic).unwrap(),
                partition: PartitionIndex(index),
            };
            let end = self
                .client
                .list_offset(&partition, OffsetSpec::Latest)
                .await;
            count += end.unwrap().unwrap().0;
        }
        count
    }

    /// The ids of the messages that consumers of a topic see.
    pub(crate) async fn ids(&self, topic: &str) -> Vec<String> {
        let id = |record: ConsumedRecord| {
            let mut headers = record.headers.into_iter();
            let (_, id) = headers.find(|(name, _)| name == ID_HEADER).unwrap();
            String::from_utf8(id.unwrap().to_vec()).unwrap()
        };
        self.records(topic).await.into_iter().map(id).collect()
    }
}

/// Reads until there is enough.
async fn read_until(
    keeper: &mut Keeper,
    is_enough: impl Fn(&Keeper, &[Effect]) -> bool,
) -> Vec<Effect> {
    let read = async {
        let mut effects = Vec::new();
        while !is_enough(keeper, &effects) {
            let read = keeper.read(Timestamp(0), Duration::from_millis(50)).await;
            effects.extend(read.unwrap());
        }
        effects
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap()
}

async fn carry_out(keeper: &mut Keeper, effects: &[Effect]) {
    for effect in effects {
        keeper.carry_out(Timestamp(0), effect).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_is_visible_when_it_is_committed_and_not_before() {
    let world = World::new().await;
    let producer = world.producer();
    let mut keeper = world.keeper().await;
    let committed = world.prepare(&producer, "order-1").await;
    let rolled_back = world.prepare(&producer, "order-2").await;
    read_until(&mut keeper, |keeper, _| keeper.open() == 2).await;
    assert!(world.records("orders").await.is_empty());
    producer
        .decide(rolled_back, Decision::RollBack)
        .await
        .unwrap();
    producer.decide(committed, Decision::Commit).await.unwrap();
    let effects = read_until(&mut keeper, |_, effects| effects.len() == 3).await;
    carry_out(&mut keeper, &effects).await;
    assert_eq!(world.ids("orders").await, ["order-1"]);
    let copy = &world.records("orders").await[0];
    assert_eq!(copy.key.as_deref(), Some(b"ann".as_slice()));
    assert_eq!(copy.value.as_deref(), Some(b"order-1".as_slice()));
    assert_eq!(
        copy.headers.len(),
        1,
        "the topic is not a header of the copy"
    );
}

#[tokio::test]
async fn an_outcome_may_be_read_before_its_half_message() {
    let world = World::new().await;
    let producer = world.producer();
    let mut keeper = world.keeper().await;
    // Which of the two topics it reads first is by chance.
    for number in 0..10 {
        let half = world.prepare(&producer, &format!("order-{number}")).await;
        producer.decide(half, Decision::Commit).await.unwrap();
        let effects = read_until(&mut keeper, |_, effects| !effects.is_empty()).await;
        assert_eq!(effects[0], Effect::Copy(half));
    }
}

#[tokio::test]
async fn any_producer_of_the_group_answers_and_a_second_answer_changes_nothing() {
    let world = World::new().await;
    let half = world.prepare(&world.producer(), "order-1").await;
    let mut keeper = world.keeper().await;
    read_until(&mut keeper, |keeper, _| keeper.open() == 1).await;
    let check = keeper.tick(LATER);
    carry_out(&mut keeper, &check).await;
    // The producer of the message is gone; this one has joined since.
    let mut checks = world.checks().await;
    let mut asked = Vec::new();
    let answer = async {
        while asked.is_empty() {
            let decide = |check: &transactions::Check| {
                asked.push((check.half, check.id.clone(), check.message.value.clone()));
                Decision::Commit
            };
            checks
                .answer(Duration::from_millis(50), decide)
                .await
                .unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, answer).await.unwrap();
    let value = Some("order-1".into());
    assert_eq!(asked, [(half, "order-1".to_owned(), value)]);
    // A third producer answers too.
    world
        .producer()
        .decide(half, Decision::Commit)
        .await
        .unwrap();
    let effects = read_until(&mut keeper, |_, effects| !effects.is_empty()).await;
    carry_out(&mut keeper, &effects).await;
    let more = keeper.read(Timestamp(0), Duration::from_millis(200)).await;
    let more = more.unwrap();
    carry_out(&mut keeper, &more).await;
    assert_eq!(world.ids("orders").await, ["order-1"]);
}

#[tokio::test]
async fn a_keeper_that_dies_between_any_two_effects_loses_nothing() {
    for done in 0..=2 {
        let world = World::new().await;
        let producer = world.producer();
        let half = world.prepare(&producer, "order-1").await;
        producer.decide(half, Decision::Commit).await.unwrap();
        let mut keeper = world.keeper().await;
        let effects = read_until(&mut keeper, |_, effects| !effects.is_empty()).await;
        assert_eq!(effects.len(), 2);
        carry_out(&mut keeper, &effects[..done]).await;
        drop(keeper);
        let mut keeper = world.keeper().await;
        assert_eq!(keeper.open(), usize::from(done < 2));
        if done < 2 {
            let effects = read_until(&mut keeper, |_, effects| !effects.is_empty()).await;
            carry_out(&mut keeper, &effects).await;
        }
        // A crash behind the copy is the one way to a second copy, with the same id.
        let copies = if done == 1 { 2 } else { 1 };
        assert_eq!(world.ids("orders").await, vec!["order-1"; copies], "{done}");
    }
}

#[tokio::test]
async fn checks_are_counted_over_restarts_and_then_it_is_set_aside() {
    let world = World::new().await;
    world.prepare(&world.producer(), "order-1").await;
    let settings = Settings {
        schedule: Schedule {
            checks_max: 3,
            ..Settings::default().schedule
        },
        ..Settings::default()
    };
    let mut now = LATER;
    for asked in 0..3 {
        let mut keeper = world.keeper_with(settings.clone()).await;
        read_until(&mut keeper, |keeper, _| keeper.open() == 1).await;
        let effects = keeper.tick(now);
        assert_eq!(effects.len(), 2);
        for effect in &effects {
            keeper.carry_out(now, effect).await.unwrap();
        }
        assert_eq!(world.count("shop.checks", 2).await, asked + 1);
        now = keeper.next_due().unwrap();
    }
    let mut keeper = world.keeper_with(settings.clone()).await;
    for effect in keeper.tick(now) {
        keeper.carry_out(now, &effect).await.unwrap();
    }
    assert_eq!(world.ids("shop.set-aside").await, ["order-1"]);
    assert_eq!(world.keeper_with(settings.clone()).await.open(), 0);
    // A word that comes now is reported, and changes nothing.
    let half = Offset(0);
    world
        .producer()
        .decide(half, Decision::Commit)
        .await
        .unwrap();
    let effects = read_until(&mut keeper, |_, effects| !effects.is_empty()).await;
    let report = Effect::Report(half, Decision::Commit, Ruling::TooLate);
    assert_eq!(effects, [report]);
    assert!(world.records("orders").await.is_empty());
}

#[tokio::test]
async fn a_restart_reads_from_the_first_open_half_message_on() {
    let world = World::new().await;
    let producer = world.producer();
    let mut keeper = world.keeper().await;
    for number in 0..5 {
        let half = world.prepare(&producer, &format!("order-{number}")).await;
        if number != 3 {
            producer.decide(half, Decision::Commit).await.unwrap();
        }
    }
    let effects = read_until(&mut keeper, |_, effects| effects.len() == 8).await;
    carry_out(&mut keeper, &effects).await;
    keeper.commit().await.unwrap();
    assert_eq!(world.fake.committed("shop.keeper", "shop.half", 0), Some(3));
    drop(keeper);
    let mut keeper = world.keeper().await;
    assert_eq!(keeper.open(), 1);
    producer.decide(Offset(3), Decision::Commit).await.unwrap();
    let effects = read_until(&mut keeper, |_, effects| !effects.is_empty()).await;
    assert_eq!(effects[0], Effect::Copy(Offset(3)));
    carry_out(&mut keeper, &effects).await;
    keeper.commit().await.unwrap();
    assert_eq!(world.fake.committed("shop.keeper", "shop.half", 0), Some(5));
    assert_eq!(world.fake.committed("shop.keeper", "shop.op", 0), Some(5));
    assert_eq!(
        world.fake.committed("shop.keeper", "shop.outcomes", 0),
        Some(5)
    );
    assert_eq!(world.keeper().await.open(), 0);
}

#[tokio::test]
async fn without_room_an_outcome_is_lost_and_a_check_makes_up_for_it() {
    let world = World::new().await;
    let producer = world.producer();
    let first = world.prepare(&producer, "order-1").await;
    let settings = Settings {
        open_max: 1,
        ..Settings::default()
    };
    let mut keeper = world.keeper_with(settings.clone()).await;
    assert_eq!(keeper.open(), 1);
    let second = world.prepare(&producer, "order-2").await;
    producer.decide(second, Decision::Commit).await.unwrap();
    producer.decide(first, Decision::RollBack).await.unwrap();
    let effects = read_until(&mut keeper, |_, effects| !effects.is_empty()).await;
    assert_eq!(effects.len(), 1, "only the first one was read");
    carry_out(&mut keeper, &effects).await;
    read_until(&mut keeper, |keeper, _| keeper.open() == 1).await;
    let effects = keeper.tick(LATER);
    assert_eq!(effects[1], Effect::Ask(second));
}

/// The topic of a half message was deleted since.
#[tokio::test]
async fn what_has_no_topic_any_more_is_set_aside() {
    let world = World::new().await;
    let producer = Producer::new(Arc::clone(&world.client), producer::Settings::default());
    let header = |key, value: &'static str| Header {
        key,
        value: Some(value.as_bytes()),
    };
    let half = producer::Record {
        headers: &[
            header(ID_HEADER, "order-1"),
            header("transaction-topic", "gone"),
        ],
        ..producer::Record::of_value(b"order-1")
    };
    producer.send(&world.group.half, half).await.await.unwrap();
    // Neither is this a half message.
    let other = producer::Record::of_value(b"not one of ours");
    producer.send(&world.group.half, other).await.await.unwrap();
    let producer = world.producer();
    producer.decide(Offset(0), Decision::Commit).await.unwrap();
    let mut settings = Settings::default();
    settings.client.patience = Duration::from_secs(1);
    let mut keeper = world.keeper_with(settings.clone()).await;
    assert_eq!(keeper.open(), 1);
    let effects = read_until(&mut keeper, |_, effects| !effects.is_empty()).await;
    carry_out(&mut keeper, &effects).await;
    assert_eq!(world.ids("shop.set-aside").await, ["order-1"]);
    assert_eq!(world.keeper().await.open(), 0);
}

/// A check is a little larger than its half message.
#[tokio::test]
async fn the_largest_half_message_is_asked_about_and_set_aside() {
    let world = World::new().await;
    let producer = world.producer();
    let value = vec![0; 1024 * 1024];
    let mut size = value.len();
    loop {
        let message = Message {
            id: "order-1",
            topic: &world.orders,
            key: Some(b"ann"),
            value: Some(&value[..size]),
            headers: &[],
        };
        match producer.prepare(&message).await {
            Err(Error::Producer(producer::Error::TooLarge)) => size -= 1,
            prepared => break assert_eq!(prepared.unwrap(), Offset(0)),
        }
    }
    let mut keeper = world.keeper().await;
    let mut now = LATER;
    while keeper.open() > 0 {
        for effect in keeper.tick(now) {
            keeper.carry_out(now, &effect).await.unwrap();
        }
        now = keeper.next_due().unwrap_or(now);
    }
    assert_eq!(world.count("shop.checks", 2).await, 15);
    assert_eq!(world.ids("shop.set-aside").await, ["order-1"]);
}

#[tokio::test]
async fn a_message_to_a_topic_that_does_not_exist_is_refused() {
    let world = World::new().await;
    let nowhere = TopicName::new("nowhere").unwrap();
    let message = Message {
        id: "order-1",
        topic: &nowhere,
        key: None,
        value: None,
        headers: &[],
    };
    let impatient = client::Settings {
        patience: Duration::from_millis(300),
        ..client::Settings::default()
    };
    let client = Client::connect(&world.fake.address(), impatient).await;
    let producer = TransactionProducer::new(Arc::new(client.unwrap()), world.group.clone());
    let prepared = producer.prepare(&message).await;
    assert!(matches!(prepared, Err(Error::NoTopic(_))), "{prepared:?}");
    assert!(world.records("shop.half").await.is_empty());
}

/// The keeper as it runs: everything at once, and the clock is the machine's.
#[tokio::test]
async fn a_keeper_that_runs_carries_out_what_it_hears() {
    let world = World::new().await;
    let producer = world.producer();
    let settings = Settings {
        schedule: Schedule {
            first: Duration::from_millis(20),
            ..Settings::default().schedule
        },
        ..Settings::default()
    };
    let mut keeper = world.keeper_with(settings.clone()).await;
    let mut checks = world.checks().await;
    let answers = async {
        loop {
            let decide = |_: &transactions::Check| Decision::Commit;
            checks.answer(PATIENCE, decide).await.unwrap();
        }
    };
    let ids: Vec<String> = (0..20).map(|number| format!("order-{number:02}")).collect();
    let produce = async {
        for (number, id) in ids.iter().enumerate() {
            let half = world.prepare(&producer, id).await;
            if number % 2 == 0 {
                producer.decide(half, Decision::Commit).await.unwrap();
            }
        }
        while world.count("orders", 1).await < 20 {}
    };
    let all = async {
        tokio::select! {
            ended = keeper.run(|_, _, _| {}) => panic!("{ended:?}"),
            () = answers => {}
            () = produce => {}
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    let mut seen = world.ids("orders").await;
    seen.sort_unstable();
    assert_eq!(seen, ids);
}
