//! The chain from its start to the verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_model::Clock;
use client::Client;
use message_model::{Moment, TopicName};
use mqd_guard::{Mqd, Port};
use producer::{Producer, Record};
use tokio::runtime::{Builder, Runtime};

use super::audit::{Evidence, Outage, Verdict, audit};
use super::observer::Observer;
use super::plan::{Act, FIRST, Plan};
use super::running::{Killed, Running};
use super::{Chain, TOPICS};
use crate::log_ends::log_ends;

/// Of each topic.
pub(crate) const PARTITIONS: u32 = 6;
/// Of the numbers.
pub(crate) const KEYS: u64 = 500;
/// How often the producer goes on with its share of the numbers.
const SLICE: Duration = Duration::from_millis(20);
/// How long the chain may go without progress once nobody is killed any more.
const STALL: Duration = Duration::from_secs(60);

/// Runs the chain, and holds what happened against the topics. Prints the plan as it goes.
///
/// # Errors
/// When the chain cannot run, stands still, or a member ends by itself. What broke a law is in the verdict.
pub fn run(chain: &Chain) -> Result<Verdict> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let mut broker = Mqd::options(&chain.mqd)
        .stable_port()
        .set("group.initial.rebalance.delay.ms", "200")
        .set("group.min.session.timeout.ms", "1000")
        .variable("RUST_LOG", "warn")
        .start()?;
    let client = Arc::new(connect(&runtime, &broker)?);
    for topic in TOPICS {
        let name = TopicName::new(topic)?;
        runtime.block_on(client.create_topic(&name, PARTITIONS.cast_signed(), &[]))?;
    }
    println!(
        "seed {}, {} records in {} s, assignor {}, commits {}",
        chain.seed,
        chain.records,
        chain.seconds,
        chain.assignor,
        chain.mode.word()
    );
    let observer = Observer::default();
    let watching = runtime.spawn(observer.clone().watch(Arc::clone(&client)));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let producing = runtime.spawn(produce(
        Arc::clone(&client),
        chain.clone(),
        Arc::clone(&acknowledged),
    ));
    let mut living = Living {
        clock: Clock::start(),
        evidence: Evidence::default(),
        running: Running::new(chain, broker.address().to_string()),
    };
    for group in 0..2 {
        for slot in 0..FIRST {
            living.running.join(group, slot)?;
        }
    }
    for (pause, act) in Plan::new(chain.seed) {
        thread::sleep(Duration::from_millis(pause));
        if producing.is_finished() {
            break;
        }
        living.act(&mut broker, act)?;
    }
    runtime.block_on(producing)??;
    living.drain(&broker, &observer)?;
    watching.abort();
    let mut evidence = living.end(&observer);
    evidence.acknowledged = acknowledged.load(Ordering::Relaxed);
    runtime.block_on(audit(&client, chain, evidence))
}

fn connect(runtime: &Runtime, broker: &Mqd) -> Result<Client> {
    let settings = client::Settings::default();
    let address = broker.address().to_string();
    Ok(runtime.block_on(Client::connect(&address, settings))?)
}

/// Produces all numbers at an even pace; each must be acknowledged.
async fn produce(client: Arc<Client>, chain: Chain, acknowledged: Arc<AtomicU64>) -> Result<()> {
    let clock = client.clock();
    let producer = Producer::new(client, producer::Settings::default());
    let topic = TopicName::new(TOPICS[0])?;
    let began = clock.now();
    let mut sent = 0;
    let (outcomes, mut waiting) = tokio::sync::mpsc::unbounded_channel::<producer::Delivery>();
    let counted = tokio::spawn(async move {
        while let Some(delivery) = waiting.recv().await {
            delivery.await.context("a number was not acknowledged")?;
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        Ok::<(), anyhow::Error>(())
    });
    while sent < chain.records {
        let elapsed = clock.now().since(began).as_millis();
        let due = u128::from(chain.records) * elapsed / (u128::from(chain.seconds) * 1000);
        let due = u64::try_from(due)?.min(chain.records);
        for number in sent..due {
            let (key, value) = ((number % KEYS).to_string(), number.to_string());
            let record = Record::of_key(key.as_bytes(), value.as_bytes());
            outcomes.send(producer.send(&topic, record).await)?;
        }
        sent = due;
        tokio::time::sleep(SLICE).await;
    }
    drop(outcomes);
    counted.await?
}

struct Living {
    clock: Clock,
    evidence: Evidence,
    running: Running,
}

impl Living {
    /// Kills the members, and returns all that was seen.
    fn end(self, observer: &Observer) -> Evidence {
        let mut evidence = self.evidence;
        evidence.said = self.running.said.try_iter().collect();
        observer.with(|observed| {
            evidence.observed = observed.answers;
            evidence.went_back = std::mem::take(&mut observed.went_back);
        });
        evidence
    }

    fn now(&self) -> i64 {
        self.clock.wall().0
    }

    fn act(&mut self, broker: &mut Mqd, act: Act) -> Result<()> {
        let at = self.clock.now().since(Moment::START).as_millis();
        println!("{at:7} ms  {act:?}");
        self.running.check()?;
        match act {
            Act::KillBroker => {
                let killed = self.now();
                broker.kill_9()?;
                let mut ends = BTreeMap::new();
                for (index, topic) in TOPICS.iter().enumerate() {
                    let found = log_ends(broker.data_dir(), topic, PARTITIONS)?;
                    ends.extend(
                        found
                            .into_iter()
                            .map(|(partition, end)| ((index, partition), end)),
                    );
                }
                broker.restart(Port::Same)?;
                let ready = self.now();
                self.evidence.outages.push(Outage {
                    killed,
                    ready,
                    ends,
                });
            }
            Act::KillMember(group, slot) => {
                let at = self.now();
                if let Some(member) = self.running.kill(group, slot)? {
                    self.evidence.killed.push(Killed { group, member, at });
                }
            }
            Act::Leave(group, slot) => {
                self.running.leave(group, slot);
                self.evidence.left += 1;
            }
            Act::Join(group, slot) => {
                self.running.join(group, slot)?;
                self.evidence.joined += 1;
            }
        }
        Ok(())
    }

    /// Waits until both groups have committed everything that there is.
    fn drain(&mut self, broker: &Mqd, observer: &Observer) -> Result<()> {
        let mut latest = BTreeMap::new();
        let mut progress = self.clock.now();
        loop {
            self.running.check()?;
            let now = observer.with(|observed| observed.latest.clone());
            let mut ends = BTreeMap::new();
            for (group, topic) in TOPICS[..2].iter().enumerate() {
                let found = log_ends(broker.data_dir(), topic, PARTITIONS)?;
                let some = found.into_iter().filter(|(_, end)| *end > 0);
                ends.extend(some.map(|(partition, end)| ((group, partition), end)));
            }
            // A verdict that is known already need not be waited for.
            let went_back = observer.with(|observed| !observed.went_back.is_empty());
            if now == ends || went_back {
                return Ok(());
            }
            if now != latest {
                latest = now;
                progress = self.clock.now();
            } else if self.clock.now().since(progress) > STALL {
                bail!("the chain stands still: committed {latest:?} of {ends:?}");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}
