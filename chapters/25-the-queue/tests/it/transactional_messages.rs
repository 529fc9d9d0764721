//! Transactional messages over `mqd`, while keepers and `mqd` are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::Client;
use consumer::{Consumer, OffsetReset};
use message_model::{PartitionIndex, TopicName, TopicPartition};
use mqd_guard::{Mqd, Port};
use tokio::task::JoinHandle;
use transactions::{
    Check, Checks, Decision, Group, ID_HEADER, Keeper, Message, Schedule, Settings,
    TransactionProducer,
};

use crate::support::{PATIENCE, mqd};

const ORDERS: usize = 150;
/// After so many orders the keeper is killed, and after so many `mqd`.
const KEEPER_LIVES: usize = 3;
const MQD_LIVES: usize = 40;

/// The database: what became of each local transaction. A row is never changed.
type Database = Arc<Mutex<BTreeMap<String, Decision>>>;

#[derive(Clone)]
struct Shop {
    bootstrap: String,
    group: Group,
    orders: TopicName,
    database: Database,
}

fn schedule() -> Schedule {
    Schedule {
        first: Duration::from_millis(300),
        longest: Duration::from_secs(1),
        // Kills may use up checks; here nothing is to be set aside.
        checks_max: 1_000,
    }
}

impl Shop {
    async fn client(&self) -> Arc<Client> {
        loop {
            let settings = client::Settings {
                patience: Duration::from_secs(5),
                ..client::Settings::default()
            };
            if let Ok(client) = Client::connect(&self.bootstrap, settings).await {
                return Arc::new(client);
            }
        }
    }

    /// A keeper, and another one whenever `mqd` was gone for too long.
    fn keeper(&self) -> JoinHandle<()> {
        let shop = self.clone();
        tokio::spawn(async move {
            loop {
                let mut settings = Settings {
                    schedule: schedule(),
                    ..Settings::default()
                };
                settings.client.patience = Duration::from_secs(5);
                let keeper = Keeper::start(&shop.bootstrap, shop.group.clone(), settings).await;
                if let Ok(mut keeper) = keeper {
                    let report = |half, decision, ruling| panic!("{half} {decision:?} {ruling:?}");
                    let _ended = keeper.run(report).await;
                }
            }
        })
    }

    /// A producer that only answers checks.
    fn answers(&self) -> JoinHandle<()> {
        let shop = self.clone();
        tokio::spawn(async move {
            loop {
                let Ok(mut checks) = Checks::join(shop.client().await, &shop.group).await else {
                    continue;
                };
                let decide = |check: &Check| shop.decide(&check.id, Decision::RollBack);
                while checks.answer(Duration::from_secs(1), decide).await.is_ok() {}
            }
        })
    }

    /// What is in the database, and if nothing is, this is from now on.
    fn decide(&self, id: &str, decision: Decision) -> Decision {
        let mut database = self.database.lock().unwrap();
        *database.entry(id.to_owned()).or_insert(decision)
    }

    /// Every third order is rolled back, and every second outcome is never sent.
    async fn place(&self, producer: &TransactionProducer, number: usize) {
        let id = format!("order-{number}");
        let message = Message {
            id: &id,
            topic: &self.orders,
            key: None,
            value: Some(id.as_bytes()),
            headers: &[],
        };
        let Ok(half) = producer.prepare(&message).await else {
            return;
        };
        let wanted = match number % 3 {
            0 => Decision::RollBack,
            _ => Decision::Commit,
        };
        let decision = self.decide(&id, wanted);
        if number.is_multiple_of(2) {
            // What is lost is asked for.
            let _ = producer.decide(half, decision).await;
        }
    }

    /// Reads the ids that consumers see, until there are `wanted`.
    async fn seen(&self, wanted: &BTreeSet<String>) -> Vec<String> {
        let settings = consumer::Settings {
            reset: OffsetReset::Earliest,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(self.client().await, settings);
        let partition = TopicPartition {
            topic: self.orders.clone(),
            partition: PartitionIndex(0),
        };
        consumer.assign(BTreeSet::from([partition])).await.unwrap();
        let mut seen = Vec::new();
        let read = async {
            while !wanted.iter().all(|id| seen.contains(id)) {
                let polled = consumer.poll(Duration::from_millis(200)).await.unwrap();
                for record in polled.into_iter().flat_map(|polled| polled.records) {
                    let headers = record.unwrap().headers;
                    let id = headers.into_iter().find(|(name, _)| name == ID_HEADER);
                    let id = id.unwrap().1.unwrap();
                    seen.push(String::from_utf8(id.to_vec()).unwrap());
                }
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, read).await;
        let missing: Vec<_> = wanted.iter().filter(|id| !seen.contains(id)).collect();
        assert!(in_time.is_ok(), "never seen: {missing:?}");
        seen
    }
}

async fn shop(mqd: &Mqd) -> Shop {
    let shop = Shop {
        bootstrap: mqd.address().to_string(),
        group: Group::new("shop").unwrap(),
        orders: TopicName::new("orders").unwrap(),
        database: Database::default(),
    };
    let client = shop.client().await;
    shop.group.create_topics(&client).await.unwrap();
    client.create_topic(&shop.orders, 1, &[]).await.unwrap();
    shop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_is_seen_whatever_is_killed_and_nothing_else_is() {
    let options = mqd().stable_port();
    let options = options.set("group.initial.rebalance.delay.ms", "0");
    let mut mqd = options.start().unwrap();
    let shop = shop(&mqd).await;
    let (mut keeper, answers) = (shop.keeper(), shop.answers());
    let producer = TransactionProducer::new(shop.client().await, shop.group.clone());
    let mut kills = 0;
    for number in 0..ORDERS {
        if number % KEEPER_LIVES == KEEPER_LIVES - 1 {
            keeper.abort();
            keeper = shop.keeper();
            kills += 1;
        }
        if number % MQD_LIVES == MQD_LIVES - 1 {
            mqd.kill_9().unwrap();
            mqd.restart(Port::Same).unwrap();
            kills += 1;
        }
        shop.place(&producer, number).await;
    }
    let committed = shop.database.lock().unwrap().clone().into_iter();
    let committed = committed.filter(|(_, decision)| *decision == Decision::Commit);
    let committed: BTreeSet<String> = committed.map(|(id, _)| id).collect();
    // Most orders were placed although so much was killed.
    assert!(committed.len() > ORDERS / 3, "{committed:?}");
    let seen = shop.seen(&committed).await;
    assert!(seen.iter().all(|id| committed.contains(id)), "{seen:?}");
    let most = committed
        .iter()
        .map(|id| seen.iter().filter(|one| *one == id).count());
    assert!(most.max() <= Some(1 + kills), "{seen:?}");
    // What was rolled back is asked about as well, and in the end nothing is open.
    let end = async {
        loop {
            let settings = Settings {
                schedule: schedule(),
                ..Settings::default()
            };
            let fresh = Keeper::start(&shop.bootstrap, shop.group.clone(), settings).await;
            if fresh.unwrap().open() == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, end).await.unwrap();
    keeper.abort();
    answers.abort();
}
