//! What a call costs when the leader has moved: questions, connections, time.
//!
//! Two brokers in this process know who leads a partition, and take batches for it. The
//! client is the one of this chapter, with Kafka's pauses. Each row is one call, or 1,000
//! calls that begin together, each of which is repeated until it succeeds.
//!
//! `cargo run -p client --example 13-moved-leader`

#[path = "support/node.rs"]
mod node;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use client::{Acks, Client, Settings, Target};
use futures_util::future::join_all;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use node::Cluster;

const PATIENCE: Duration = Duration::from_secs(10);
const MANY: usize = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (cluster, addresses) = Cluster::start(2).await?;
    let scene = Scene {
        client: Client::connect(&addresses, Settings::default()).await?,
        cluster,
        to: TopicPartition {
            topic: TopicName::new("t")?,
            partition: PartitionIndex(0),
        },
    };
    println!(
        "{:<42}{:>9}{:>10}{:>13}{:>9}",
        "", "produce", "metadata", "connections", "ms"
    );
    scene.row("the first call", 1).await?;
    scene.row("the second", 1).await?;
    scene.move_leader(2);
    scene.row("the leader has moved", 1).await?;
    scene.row("the next one", 1).await?;
    scene.row("1,000 calls", MANY).await?;
    scene.move_leader(1);
    scene.row("1,000 calls, the leader has moved", MANY).await?;
    let stale = scene.client.staleness();
    println!(
        "\nroutes found wrong: {}; the oldest was {:.0} ms old",
        stale.found,
        stale.age_max.as_secs_f64() * 1e3
    );
    Ok(())
}

struct Scene {
    client: Client,
    cluster: Arc<Cluster>,
    to: TopicPartition,
}

impl Scene {
    /// Makes so many calls, and prints what came to the brokers in that time.
    async fn row(&self, what: &str, calls: usize) -> Result<()> {
        let before = self.counts();
        let began = self.client.clock().now();
        for call in join_all((0..calls).map(|_| self.call())).await {
            call?;
        }
        let took = self.client.clock().now().since(began);
        let after = self.counts();
        let [versions, metadata, produce] = [0, 1, 2].map(|kind| after[kind] - before[kind]);
        println!(
            "{what:<42}{produce:>9}{metadata:>10}{versions:>13}{:>9.1}",
            took.as_secs_f64() * 1e3
        );
        Ok(())
    }

    /// Another broker leads the partition now.
    fn move_leader(&self, to: i32) {
        self.cluster.epoch.fetch_add(1, Ordering::Relaxed);
        self.cluster.leader.store(to, Ordering::Relaxed);
    }

    async fn call(&self) -> Result<()> {
        let target = Target::Leader(self.to.clone());
        let attempt = || {
            let batch = b"a batch".to_vec();
            self.client.produce(&self.to, batch, Acks::All, PATIENCE)
        };
        let deadline = self.client.clock().now().plus(PATIENCE);
        self.client.retry(&target, deadline, attempt).await?;
        Ok(())
    }

    fn counts(&self) -> [u64; 3] {
        let Cluster {
            versions,
            metadata,
            produce,
            ..
        } = &*self.cluster;
        [versions, metadata, produce].map(|count| count.load(Ordering::Relaxed))
    }
}
