//! One service over the queue and over TCP: what a call costs, and a reply that is there after
//! its caller has died.
//!
//! ```text
//! mqd --listen 127.0.0.1:9092 --data-dir /var/tmp/queue &
//! cargo run --release -p rpc-queue --example p2-queue -- --bootstrap 127.0.0.1:9092
//! ```
//!
//! It can also be run on Apache Kafka.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_model::Clock;
use lexopt::prelude::*;
use message_model::{PartitionIndex, Timestamp, TopicName, TopicPartition};
use rpc::{Client, ClientSettings, Server, ServerSettings, Transport};
use rpc_queue::{CallerSettings, OverQueue, TopicSettings, serve_topic};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How long each row of the table is measured.
const TURN: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(10);

// ANCHOR: service
#[rpc::service]
trait Greeter {
    /// Greets.
    async fn greet(&self, name: String) -> String;
    /// Greets when it is let go on.
    async fn greet_later(&self, name: String) -> String;
}
// ANCHOR_END: service

/// When each is notified: a late greeting has begun, and may go on.
#[derive(Clone, Default)]
struct Polite(Arc<Notify>, Arc<Notify>);

// ANCHOR: implementation
impl Greeter for Polite {
    async fn greet(&self, name: String) -> String {
        format!("hello, {name}")
    }

    async fn greet_later(&self, name: String) -> String {
        self.0.notify_one();
        self.1.notified().await;
        format!("good evening, {name}")
    }
}
// ANCHOR_END: implementation

/// Makes calls for a while, so many at a time, and prints a row.
async fn measure<T: Transport>(way: &str, client: &Client<T>, in_flight: usize) -> Result<()> {
    let clock = Clock::start();
    let end = clock.now().plus(TURN);
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        let greeter = GreeterClient::new(client.clone());
        callers.spawn(async move {
            let mut took = Vec::new();
            while clock.now() < end {
                let began = clock.now();
                greeter.greet("Mei".to_owned()).await?;
                took.push(clock.now().since(began));
            }
            Ok::<_, rpc::Error>(took)
        });
    }
    let mut took = Vec::new();
    while let Some(caller) = callers.join_next().await {
        took.extend(caller??);
    }
    took.sort_unstable();
    let part = |percent: usize| took[took.len() * percent / 100].as_secs_f64() * 1e3;
    println!(
        "{way:<6} {in_flight:>9} {:>9.0} {:>8.2} {:>8.2}",
        took.len() as f64 / TURN.as_secs_f64(),
        part(50),
        part(99)
    );
    Ok(())
}

/// A topic of its own for each run.
async fn new_topic(bootstrap: &str, name: &str) -> Result<TopicName> {
    let name = TopicName::new(&format!("{name}-{:08x}", fastrand::u32(..)))?;
    let client = client::Client::connect(bootstrap, client::Settings::default()).await?;
    client.create_topic(&name, 1, &[]).await?;
    Ok(name)
}

fn serve(server: &Arc<Server>, bootstrap: &str, requests: &TopicName) {
    let (server, bootstrap) = (Arc::clone(server), bootstrap.to_owned());
    let settings = TopicSettings {
        requests: requests.clone(),
        group: format!("greeters of {requests}"),
        running_max: 256,
        patience_max: Duration::from_secs(60),
        session_timeout: Duration::from_secs(10),
        remembered_bytes_max: 1 << 20,
    };
    tokio::spawn(async move {
        let served = serve_topic(server, &bootstrap, settings, pending()).await;
        eprintln!("the server has ended: {served:?}");
    });
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut bootstrap = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("bootstrap") => bootstrap = Some(arguments.value()?.string()?),
            other => bail!(other.unexpected()),
        }
    }
    let bootstrap = bootstrap.context("give --bootstrap HOST:PORT")?;
    let polite = Polite::default();
    let server = Server::new(ServerSettings::default());
    let server = server.with_service(GreeterServer::new(polite.clone()))?;
    let over_queue = Arc::new(server);
    let requests = new_topic(&bootstrap, "requests").await?;
    let replies = new_topic(&bootstrap, "replies").await?;
    serve(&over_queue, &bootstrap, &requests);
    let settings = CallerSettings {
        requests,
        replies: TopicPartition {
            topic: replies,
            partition: PartitionIndex(0),
        },
        name: "gateway-1".to_owned(),
        in_flight_max: 1024,
    };
    let queue = OverQueue::connect(&bootstrap, settings.clone()).await?;
    let greeter = GreeterClient::new(Client::over(queue.clone(), PATIENCE));
    println!("{}, over the queue", greeter.greet("Mei".to_owned()).await?);

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let server = Server::new(ServerSettings::default());
    let server = server.with_service(GreeterServer::new(polite.clone()))?;
    tokio::spawn(server.serve(listener, pending()));
    let tcp = Client::tcp(address, ClientSettings::default());
    let client = Client::over(queue.clone(), PATIENCE);
    println!("\nover   in flight   calls/s   p50 ms   p99 ms");
    for in_flight in [1, 64, 512] {
        measure("queue", &client, in_flight).await?;
        measure("TCP", &tcp, in_flight).await?;
    }

    let since = Timestamp(Clock::start().wall().0 - 1);
    let dies = GreeterClient::new(Client::over(queue.named("order-17"), PATIENCE));
    let call = tokio::spawn(async move { dies.greet_later("Mei".to_owned()).await });
    polite.0.notified().await;
    call.abort();
    drop((queue, client, greeter));
    println!("\nthe caller dies; the method ends");
    polite.1.notify_one();
    let queue = OverQueue::connect(&bootstrap, settings).await?;
    let resumed = GreeterClient::new(Client::over(queue.resume("order-17", since), PATIENCE));
    println!(
        "the caller is back: {}",
        resumed.greet_later(String::new()).await?
    );
    Ok(())
}
