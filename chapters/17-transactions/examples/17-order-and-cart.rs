//! An order system stores orders in its database; a cart system takes what was ordered out of
//! the cart, in another database. A transactional message is between them. Something dies at
//! each point, once, and in the end both sides must agree.
//!
//! Both databases are SQLite files. The queue is a small broker in this process, or the one
//! at `--bootstrap HOST:PORT`.

#[path = "../../16-consumer/examples/fake/mod.rs"]
pub(crate) mod fake;
#[path = "support/shop.rs"]
pub(crate) mod shop;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::{Client, OffsetSpec};
use consumer::{Consumer, OffsetReset};
use message_model::{PartitionIndex, Timestamp, TopicName, TopicPartition};
use transactions::{
    Check, Checks, Decision, Effect, Group, ID_HEADER, Keeper, Message, Settings,
    TransactionProducer,
};

use fake::Fake;
use shop::{Carts, Orders};

/// What dies, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    Nothing,
    BeforeTheHalfMessage,
    BehindTheHalfMessage,
    InTheLocalTransaction,
    BehindTheLocalTransaction,
    /// The order system says what became of it, and the keeper dies after so many effects.
    Keeper(usize),
    /// The local transaction is refused, and nobody dies.
    Refused,
    /// It is refused, and the order system dies before it says so.
    RefusedInSilence,
}

const CRASHES: [(Crash, &str); 10] = [
    (Crash::Nothing, "nothing dies"),
    (
        Crash::BeforeTheHalfMessage,
        "orders, before the half message",
    ),
    (
        Crash::BehindTheHalfMessage,
        "orders, behind the half message",
    ),
    (
        Crash::InTheLocalTransaction,
        "orders, in the local transaction",
    ),
    (
        Crash::BehindTheLocalTransaction,
        "orders, before it says commit",
    ),
    (Crash::Keeper(0), "keeper, before the copy"),
    (Crash::Keeper(1), "keeper, behind the copy"),
    (Crash::Keeper(2), "keeper, behind the op record"),
    (Crash::Refused, "nothing; the order is refused"),
    (Crash::RefusedInSilence, "orders, before it says roll back"),
];

/// What a crash has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    what: &'static str,
    pub(crate) orders: i64,
    pub(crate) was_asked: bool,
    pub(crate) copies: usize,
    pub(crate) taken: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let bootstrap = match words.next().as_deref() {
        None => None,
        Some("--bootstrap") => Some(words.next().context("give HOST:PORT")?),
        Some(other) => bail!("no such option: {other}"),
    };
    println!("dies                             | orders | asked | copies | taken from the cart");
    println!("---------------------------------|--------|-------|--------|--------------------");
    let rows = rows(bootstrap.as_deref()).await?;
    for row in &rows {
        let yes = |is: bool| if is { "yes" } else { "no" };
        println!(
            "{:<32} | {:>6} | {:<5} | {:>6} | {:>19}",
            row.what,
            row.orders,
            yes(row.was_asked),
            row.copies,
            row.taken
        );
    }
    let agree = |row: &&Row| row.orders == row.taken;
    let agreed = rows.iter().filter(agree).count();
    println!("both sides agree in {agreed} of {} rows", rows.len());
    Ok(())
}

/// Each crash, in a shop of its own.
pub(crate) async fn rows(bootstrap: Option<&str>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (crash, what) in CRASHES {
        let world = World::new(bootstrap).await?;
        rows.push(world.play(crash, what).await?);
    }
    Ok(rows)
}

/// Longer than anything takes that is to happen.
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    bootstrap: String,
    client: Arc<Client>,
    group: Group,
    /// The topic that the cart system reads.
    orders: TopicName,
    folder: tempfile::TempDir,
    _fake: Option<Fake>,
}

impl World {
    async fn new(bootstrap: Option<&str>) -> Result<World> {
        let folder = tempfile::tempdir()?;
        // A queue that goes on must not have the topics of another run.
        let unique = folder.path().file_name().unwrap_or_default();
        let unique = unique.to_string_lossy().replace('.', "");
        let (name, orders) = (format!("shop-{unique}"), format!("orders-{unique}"));
        let topics = ["half", "outcomes", "op", "set-aside", "checks"];
        let topics = topics.map(|topic| (format!("{name}.{topic}"), 1));
        let mut topics: Vec<(&str, i32)> = topics.iter().map(|(t, n)| (t.as_str(), *n)).collect();
        topics.push((&orders, 1));
        let fake = match bootstrap {
            None => Some(Fake::start(&topics).await),
            Some(_) => None,
        };
        let address = fake.as_ref().map(Fake::address);
        let bootstrap = address.as_deref().or(bootstrap).unwrap_or_default();
        let client = Arc::new(Client::connect(bootstrap, client::Settings::default()).await?);
        let (group, orders) = (Group::new(&name)?, TopicName::new(&orders)?);
        if fake.is_none() {
            group.create_topics(&client).await?;
            client.create_topic(&orders, 1, &[]).await?;
        }
        Ok(World {
            bootstrap: bootstrap.to_owned(),
            client,
            group,
            orders,
            folder,
            _fake: fake,
        })
    }

    fn order_database(&self) -> Result<Orders> {
        Orders::open(&self.folder.path().join("orders.db"))
    }

    async fn keeper(&self) -> Result<Keeper> {
        let group = self.group.clone();
        Ok(Keeper::start(&self.bootstrap, group, Settings::default()).await?)
    }

    async fn play(self, crash: Crash, what: &'static str) -> Result<Row> {
        let said = self.place_order(crash).await?;
        let mut was_asked = false;
        let mut keeper = self.keeper().await?;
        match said {
            Said::Nothing => {}
            Said::HalfMessage => {
                // The order system is dead. Another instance of it, on the same database,
                // hears the check.
                self.read_until(&mut keeper, |keeper, _| keeper.open() == 1)
                    .await?;
                was_asked = true;
                let later = keeper.next_due().context("a check is due")?;
                for effect in keeper.tick(later) {
                    keeper.carry_out(later, &effect).await?;
                }
                self.answer().await?;
                self.keep(&mut keeper, usize::MAX).await?;
            }
            Said::Outcome => {
                let after = if let Crash::Keeper(after) = crash {
                    after
                } else {
                    usize::MAX
                };
                self.keep(&mut keeper, after).await?;
                if after < usize::MAX {
                    keeper = self.keeper().await?;
                    if keeper.open() > 0 {
                        self.keep(&mut keeper, usize::MAX).await?;
                    }
                }
            }
        }
        let (copies, taken) = self.take_from_cart().await?;
        Ok(Row {
            what,
            orders: self.order_database()?.count()?,
            was_asked,
            copies,
            taken,
        })
    }

    // ANCHOR: place
    /// The order system places an order, and may die.
    async fn place_order(&self, crash: Crash) -> Result<Said> {
        let mut database = self.order_database()?;
        let producer = TransactionProducer::new(Arc::clone(&self.client), self.group.clone());
        let message = Message {
            id: "order-7",
            topic: &self.orders,
            key: Some(b"ann"),
            value: Some(b"tea"),
            headers: &[],
        };
        if crash == Crash::BeforeTheHalfMessage {
            return Ok(Said::Nothing);
        }
        let half = producer.prepare(&message).await?;
        if crash == Crash::BehindTheHalfMessage {
            return Ok(Said::HalfMessage);
        }
        let is_refused = matches!(crash, Crash::Refused | Crash::RefusedInSilence);
        let local = database.begin("order-7", "ann", "tea")?;
        if crash == Crash::InTheLocalTransaction {
            // SQLite rolls back what nobody commits.
            return Ok(Said::HalfMessage);
        }
        let decision = match is_refused {
            true => local.refuse()?,
            false => local.commit()?,
        };
        if matches!(
            crash,
            Crash::BehindTheLocalTransaction | Crash::RefusedInSilence
        ) {
            return Ok(Said::HalfMessage);
        }
        producer.decide(half, decision).await?;
        Ok(Said::Outcome)
    }
    // ANCHOR_END: place

    /// Reads until there is something to do, and does so much of it. Then the keeper may die.
    async fn keep(&self, keeper: &mut Keeper, effects_max: usize) -> Result<()> {
        let effects = self
            .read_until(keeper, |_, effects| !effects.is_empty())
            .await?;
        let now = self.client.clock().wall();
        for effect in effects.iter().take(effects_max) {
            keeper.carry_out(now, effect).await?;
        }
        if effects_max == usize::MAX {
            keeper.commit().await?;
        }
        Ok(())
    }

    async fn read_until(
        &self,
        keeper: &mut Keeper,
        is_enough: impl Fn(&Keeper, &[Effect]) -> bool,
    ) -> Result<Vec<Effect>> {
        let deadline = self.client.clock().now().plus(PATIENCE);
        let mut effects = Vec::new();
        while !is_enough(keeper, &effects) {
            if self.client.clock().now() >= deadline {
                bail!("the keeper has read nothing in {PATIENCE:?}");
            }
            let now: Timestamp = self.client.clock().wall();
            effects.extend(keeper.read(now, Duration::from_millis(100)).await?);
        }
        Ok(effects)
    }

    /// Another instance of the order system answers one check.
    async fn answer(&self) -> Result<()> {
        let mut database = self.order_database()?;
        let client = Client::connect(&self.bootstrap, client::Settings::default()).await?;
        let mut checks = Checks::join(Arc::new(client), &self.group).await?;
        let mut decide = |check: &Check| {
            let decided = database.decide(&check.id);
            decided.unwrap_or(Decision::Unknown)
        };
        let deadline = self.client.clock().now().plus(PATIENCE);
        while checks
            .answer(Duration::from_millis(100), &mut decide)
            .await?
            == 0
        {
            if self.client.clock().now() >= deadline {
                bail!("no check came in {PATIENCE:?}");
            }
        }
        Ok(checks.leave(PATIENCE).await?)
    }

    /// The cart system reads all copies; how many there were, and how many things were taken
    /// out of the cart.
    async fn take_from_cart(&self) -> Result<(usize, i64)> {
        let mut carts = Carts::open(&self.folder.path().join("carts.db"))?;
        let settings = consumer::Settings {
            reset: OffsetReset::Earliest,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&self.client), settings);
        let partition = TopicPartition {
            topic: self.orders.clone(),
            partition: PartitionIndex(0),
        };
        let deadline = self.client.deadline();
        let find = self
            .client
            .find_offset(&partition, OffsetSpec::Latest, deadline);
        let end = find.await?.unwrap_or_default();
        consumer.assign(BTreeSet::from([partition.clone()])).await?;
        let mut copies = 0;
        while consumer.position(&partition) < Some(end) {
            let Some(polled) = consumer.poll(Duration::from_secs(1)).await? else {
                continue;
            };
            for record in polled.records {
                let record = record?;
                let id = record.headers.iter().find(|(name, _)| name == ID_HEADER);
                let id = id.and_then(|(_, id)| id.as_deref()).context("an id")?;
                copies += 1;
                carts.take(id, "ann", "tea")?;
            }
        }
        Ok((copies, carts.taken()?))
    }
}

/// What the order system has said before it died, or went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    HalfMessage,
    Outcome,
}
