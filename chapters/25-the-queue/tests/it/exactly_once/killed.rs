//! Transforms that are killed, and whose broker is.

use std::collections::BTreeSet;
use std::env;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use client::Client;
use consumer::{OffsetReset, Topics};
use exactly_once_client::{Settings, Transform, TransformSettings};
use message_model::TopicName;
use mqd_guard::{Mqd, Port};

use super::transforms::{doubled, fill, wanted};
use super::{committed, connect, create, partition, start};
use crate::support::PATIENCE;

const PARTITIONS: i32 = 4;
/// Where a client finds the broker, and which one it is.
const BROKER: &str = "MQD_TEST_BROKER";
const NAME: &str = "MQD_TEST_CLIENT";
/// The path of the client below, among the tests of this binary.
const CLIENT: &str = "exactly_once::killed::client";

/// A process that transforms what is in `in`. It ends with an error when its broker is gone
/// for too long.
#[test]
#[ignore = "the process that the tests below kill"]
fn client() {
    let (broker, name) = (env::var(BROKER).unwrap(), env::var(NAME).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(&broker, client::Settings::default());
        let source = consumer::Settings {
            group: Some("g".to_owned()),
            // So that the group need not wait for the death of the one that was killed.
            instance: Some(name.clone()),
            reset: OffsetReset::Earliest,
            heartbeat_interval: Duration::from_millis(100),
            partition_fetch_max_bytes: 2_000,
            ..consumer::Settings::default()
        };
        let topics = Topics::Named(BTreeSet::from([TopicName::new("in").unwrap()]));
        let limits = TransformSettings {
            records_max: 20,
            time_max: Duration::from_millis(20),
        };
        let client = Arc::new(client.await.unwrap());
        let sink = Settings::new(&name);
        let transform = Transform::start(client, source, topics, sink, limits);
        let function = doubled(&TopicName::new("out").unwrap());
        let forever = std::future::pending();
        transform
            .await
            .unwrap()
            .run(function, forever)
            .await
            .unwrap();
    });
}

/// Clients, and who they are. They end with the test.
struct Clients(Vec<(&'static str, Child)>);

impl Clients {
    fn begin(mqd: &Mqd) -> Clients {
        Clients(["a", "b"].map(|name| (name, spawn(mqd, name))).into())
    }

    /// Kills one of them, and begins it anew.
    fn kill(&mut self, mqd: &Mqd, which: usize) {
        let (name, child) = &mut self.0[which];
        child.kill().unwrap();
        child.wait().unwrap();
        *child = spawn(mqd, name);
    }

    /// Begins those anew that have given up.
    fn look_after(&mut self, mqd: &Mqd) {
        for which in 0..self.0.len() {
            if self.0[which].1.try_wait().unwrap().is_some() {
                self.kill(mqd, which);
            }
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn spawn(mqd: &Mqd, name: &str) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([CLIENT, "--exact", "--ignored", "--nocapture"]);
    command
        .env(BROKER, mqd.address().to_string())
        .env(NAME, name);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// How many records the group has done with, as far as the broker says so.
async fn done(client: &Arc<Client>) -> Option<i64> {
    let topic = TopicName::new("in").unwrap();
    let all = (0..PARTITIONS).map(|index| partition(&topic, index));
    let lag = consumer::group_lag(client, "g", all.collect()).await.ok()?;
    let committed = lag.iter().filter_map(|one| one.committed);
    Some(committed.map(|committed| committed.0).sum())
}

/// Waits until so many records are done.
async fn until_done(client: &Arc<Client>, (mqd, clients): (&Mqd, &mut Clients), count: i64) {
    let deadline = client.clock().now().plus(PATIENCE * 4);
    while done(client).await.is_none_or(|done| done < count) {
        clients.look_after(mqd);
        let now = client.clock().now();
        assert!(now < deadline, "{count} are not done: {}", mqd.stderr());
        client
            .clock()
            .sleep_until(now.plus(Duration::from_millis(5)))
            .await;
    }
}

/// Transforms so many records, and returns what is committed of each partition. It is killed
/// so often, at places that follow from `seed`.
async fn outcome(count: i32, kills: u32, seed: u64) -> Vec<Vec<String>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut mqd = start();
    let observer = connect(&mqd).await;
    let from = create(&observer, "in", PARTITIONS).await;
    let to = create(&observer, "out", PARTITIONS).await;
    fill(&observer, &from, PARTITIONS, 0..count).await;
    let mut clients = Clients::begin(&mqd);
    for kill in 1..=kills {
        let even = i64::from(count) * i64::from(kill) / i64::from(kills + 1);
        let jitter = random.i64(0..i64::from(count) / i64::from(kills + 1));
        until_done(&observer, (&mqd, &mut clients), even - jitter).await;
        match random.u8(0..5) {
            0..2 => clients.kill(&mqd, random.usize(0..2)),
            2..4 => {
                mqd.kill_9().unwrap();
                mqd.restart(Port::Same).unwrap();
            }
            _ => {
                mqd.kill_9().unwrap();
                clients.kill(&mqd, random.usize(0..2));
                mqd.restart(Port::Same).unwrap();
            }
        }
    }
    until_done(&observer, (&mqd, &mut clients), i64::from(count)).await;
    drop(clients);
    let mut all = Vec::new();
    for index in 0..PARTITIONS {
        all.push(committed(&observer, &to, index).await);
    }
    all
}

async fn killed_or_not_it_is_the_same(count: i32, kills: u32) {
    let seed = fastrand::u64(..);
    println!("the seed of the kills: {seed}");
    let undisturbed = outcome(count, 0, seed).await;
    for (index, values) in (0..).zip(&undisturbed) {
        assert_eq!(*values, wanted(index, PARTITIONS, (1, count)));
    }
    let killed = outcome(count, kills, seed).await;
    for (killed, undisturbed) in killed.iter().zip(&undisturbed) {
        let first = killed.iter().zip(undisturbed).position(|(a, b)| a != b);
        let counts = (killed.len(), undisturbed.len());
        assert!(killed == undisturbed, "{counts:?}, first at {first:?}");
    }
}

#[tokio::test]
async fn whatever_is_killed_each_result_is_there_once_and_in_order() {
    killed_or_not_it_is_the_same(5_000, 12).await;
}

/// `cargo test --release -p mqd --test it -- --ignored a_hundred_thousand`
#[tokio::test]
#[ignore = "takes minutes"]
async fn a_hundred_thousand_records_and_fifty_kills() {
    killed_or_not_it_is_the_same(100_000, 50).await;
}
