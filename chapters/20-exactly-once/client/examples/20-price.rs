//! The price of each promise: how many records a second, and how long until a record is safe,
//! with `acks=1`, with `acks=all`, with numbers (idempotent), and in transactions.
//!
//! ```text
//! mqd --listen 127.0.0.1:9092 --data-dir /var/tmp/queue &
//! cargo run --release -p exactly-once-client --example 20-price -- 127.0.0.1:9092
//! ```
//!
//! It can also be run on Apache Kafka. A second argument is the number of rounds.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::Client;
use exactly_once_client::TransactionalProducer;
use message_model::{Moment, TopicName};
use producer::{Acks, Delivery, Order, Producer, Record, Settings};
use tokio::sync::mpsc::{self, UnboundedReceiver};

const VALUE: [u8; 100] = [b'x'; 100];
const ROUNDS: usize = 11;
/// How many records are sent at full speed in a turn: 44 MB.
const MANY: u32 = 400_000;
/// One of so many of them is timed.
const SAMPLED: u32 = 50;
/// How long a turn takes in which some records are sent together, and how many there are at
/// most: a disk with a limited rate is not what is measured.
const TURN: Duration = Duration::from_millis(300);
const TOGETHER_MAX: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Leader,
    All,
    Idempotent,
    Transactions,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Leader => "acks=1",
            Way::All => "acks=all",
            Way::Idempotent => "idempotent",
            Way::Transactions => "transaction",
        }
    }

    /// All have five batches in flight; only those with numbers are kept in order by it.
    fn settings(self) -> Settings {
        let plain = |acks| Settings {
            acks,
            order: Order::Nothing,
            ..Settings::default()
        };
        match self {
            Way::Leader => plain(Acks::Leader),
            Way::All => plain(Acks::All),
            Way::Idempotent | Way::Transactions => Settings::idempotent(),
        }
    }
}

/// A row of the table.
struct Row {
    /// How many records are sent before their sender waits; `None`: it never waits.
    together: Option<usize>,
    way: Way,
    /// Records a second, one figure for each round.
    rates: Vec<f64>,
    /// How long records took.
    times: Vec<Duration>,
}

/// What a turn has found.
struct Turn {
    rate: f64,
    times: Vec<Duration>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let bootstrap = words.next().context("give HOST:PORT")?;
    let rounds = words.next().map_or(Ok(ROUNDS), |word| word.parse())?;
    let client = Client::connect(&bootstrap, client::Settings::default()).await?;
    let client = Arc::new(client);
    let mut rows = rows();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        let mut turns: Vec<&mut Row> = rows.iter_mut().collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for row in turns {
            let turn = row.turn(&client).await?;
            row.rates.push(turn.rate);
            row.times.extend(turn.times);
        }
    }
    print(&rows);
    Ok(())
}

fn rows() -> Vec<Row> {
    let ways = [Way::Leader, Way::All, Way::Idempotent, Way::Transactions];
    let full_speed = ways.iter().filter(|way| **way != Way::Transactions);
    let full_speed = full_speed.map(|way| (None, *way));
    let together = [1, 10, 100, 1_000].map(Some);
    let together = together
        .iter()
        .flat_map(|count| ways.map(|way| (*count, way)));
    let row = |(together, way)| Row {
        together,
        way,
        rates: Vec::new(),
        times: Vec::new(),
    };
    full_speed.chain(together).map(row).collect()
}

impl Row {
    async fn turn(&self, client: &Arc<Client>) -> Result<Turn> {
        let topic = TopicName::new(&format!("price-{}", self.way.name().replace('=', "-")))?;
        // It may be there from an earlier turn.
        let _ = client.create_topic(&topic, 1, &[]).await;
        // What the turn before has left for the disk to write is not this one's.
        if !Command::new("sync").status()?.success() {
            bail!("sync failed");
        }
        match (self.together, self.way) {
            (Some(count), Way::Transactions) => transactions(client, &topic, count).await,
            (Some(count), way) => together(client, way, &topic, count).await,
            (None, way) => full_speed(client, way, &topic).await,
        }
    }
}

/// A producer that knows its topic, and that the broker knows.
async fn producer(client: &Arc<Client>, way: Way, topic: &TopicName) -> Result<Producer> {
    let producer = Producer::new(Arc::clone(client), way.settings());
    let first = producer.send(topic, Record::of_value(&VALUE)).await;
    first.await?;
    Ok(producer)
}

/// Sends as fast as it goes. A time is that from the call of `send` to the record's outcome.
async fn full_speed(client: &Arc<Client>, way: Way, topic: &TopicName) -> Result<Turn> {
    let producer = producer(client, way, topic).await?;
    let clock = client.clock();
    let (sampled, samples) = mpsc::unbounded_channel();
    let timing = tokio::spawn(time(Arc::clone(client), samples));
    let begun = clock.now();
    for number in 0..MANY {
        let is_sampled = number % SAMPLED == 0;
        let sent = is_sampled.then(|| clock.now());
        let delivery = producer.send(topic, Record::of_value(&VALUE)).await;
        if let Some(sent) = sent {
            sampled.send((sent, delivery))?;
        }
    }
    let last = producer.send(topic, Record::of_value(&VALUE)).await;
    producer.flush().await;
    let took = clock.now().since(begun);
    last.await?;
    drop(sampled);
    let times = timing.await??;
    producer.close(PATIENCE).await;
    let rate = f64::from(MANY) / took.as_secs_f64();
    Ok(Turn { rate, times })
}

/// How long the records took, which come in the order in which they were sent.
async fn time(
    client: Arc<Client>,
    mut samples: UnboundedReceiver<(Moment, Delivery)>,
) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    while let Some((sent, delivery)) = samples.recv().await {
        delivery.await?;
        times.push(client.clock().now().since(sent));
    }
    Ok(times)
}

/// Sends so many records, waits until all are safe, and begins again. A time is that from the
/// first `send` to the end of the wait.
async fn together(client: &Arc<Client>, way: Way, topic: &TopicName, count: usize) -> Result<Turn> {
    let producer = producer(client, way, topic).await?;
    let clock = client.clock();
    let (begun, mut times) = (clock.now(), Vec::new());
    while clock.now().since(begun) < TURN && times.len() * count < TOGETHER_MAX {
        let first = clock.now();
        let mut deliveries = Vec::new();
        for _ in 0..count {
            deliveries.push(producer.send(topic, Record::of_value(&VALUE)).await);
        }
        producer.flush().await;
        for delivery in deliveries {
            delivery.await?;
        }
        times.push(clock.now().since(first));
    }
    producer.close(PATIENCE).await;
    Ok(Turn::of(count, times))
}

/// The same, each time as a transaction.
async fn transactions(client: &Arc<Client>, topic: &TopicName, count: usize) -> Result<Turn> {
    let mut settings = exactly_once_client::Settings::new("price");
    settings.producer = Way::Transactions.settings();
    let mut producer = TransactionalProducer::init(Arc::clone(client), settings).await?;
    let clock = client.clock();
    // The first one finds the topic.
    commit(&mut producer, topic, count).await?;
    let (begun, mut times) = (clock.now(), Vec::new());
    while clock.now().since(begun) < TURN && times.len() * count < TOGETHER_MAX {
        let first = clock.now();
        commit(&mut producer, topic, count).await?;
        times.push(clock.now().since(first));
    }
    Ok(Turn::of(count, times))
}

async fn commit(
    producer: &mut TransactionalProducer,
    topic: &TopicName,
    count: usize,
) -> Result<()> {
    producer.begin()?;
    for _ in 0..count {
        producer.send(topic, Record::of_value(&VALUE)).await?;
    }
    Ok(producer.commit().await?)
}

impl Turn {
    /// One after the other took as long, with so many records each.
    fn of(count: usize, times: Vec<Duration>) -> Turn {
        let took: Duration = times.iter().sum();
        let records = u32::try_from(count * times.len()).unwrap_or(u32::MAX);
        let rate = f64::from(records) / took.as_secs_f64();
        Turn { rate, times }
    }
}

fn print(rows: &[Row]) {
    println!("together    way          records/s  of acks=all    p99 ms  of acks=all");
    for row in rows {
        let all = |one: &&Row| one.together == row.together && one.way == Way::All;
        let all = rows.iter().find(all).expect("there is one for each");
        // Round by round, because the disk is not the same in all of them.
        let ratios = row.rates.iter().zip(&all.rates);
        let ratio = median(ratios.map(|(rate, all)| rate / all).collect());
        let together = row
            .together
            .map_or("full speed".to_owned(), |count| count.to_string());
        println!(
            "{together:<11} {:<12} {:>9.0} {:>10.0} % {:>9.2} {:>10.0} %",
            row.way.name(),
            median(row.rates.clone()),
            ratio * 100.0,
            p99(row),
            p99(row) / p99(all) * 100.0,
        );
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// In milliseconds.
fn p99(row: &Row) -> f64 {
    let mut times = row.times.clone();
    times.sort();
    let at = times.len() * 99 / 100;
    times
        .get(at)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
