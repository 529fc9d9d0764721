//! Transforms whose partitions are taken away within a transaction.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use client::{Client, ConsumedRecord};
use consumer::{Assignor, Consumer, Topics};
use exactly_once_client::TransformSettings;
use message_model::TopicPartition;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::transforms::{doubled, fill, run, run_by, source, until_read, wanted};
use super::{committed, connect, create, start};
use crate::support::{PATIENCE, run as run_mqd, stdout};

const FIRST: Range<i32> = 0..100;
const SECOND: Range<i32> = 100..400;
/// The function gets stuck at this record.
const STUCK: i32 = 20;

fn number(record: &ConsumedRecord) -> i32 {
    let value = record.value.as_deref().unwrap();
    std::str::from_utf8(value).unwrap().parse().unwrap()
}

/// Waits until the group has so many members, each with its partitions.
async fn until_members(client: &Client, address: SocketAddr, count: usize) {
    let deadline = client.clock().now().plus(PATIENCE);
    let address = address.to_string();
    loop {
        let address = address.clone();
        let describe = move || {
            stdout(&run_mqd(&[
                "groups",
                "describe",
                "g",
                "--bootstrap",
                &address,
            ]))
        };
        let group = spawn_blocking(describe).await.unwrap();
        if group.starts_with(&format!("g has {count} members (Stable)")) {
            return;
        }
        assert!(client.clock().now() < deadline, "{group}");
    }
}

/// A member that is stuck within a transaction is put out of its group, and another one reads
/// its records. When it goes on, and is a member again, it commits none of what it had.
#[tokio::test]
async fn a_member_that_was_put_out_commits_nothing_of_what_it_had() {
    let mqd = start();
    let client = connect(&mqd).await;
    let (from, to) = (
        create(&client, "in", 4).await,
        create(&client, "out", 4).await,
    );
    fill(&client, &from, 4, FIRST).await;
    let (release, gate) = mpsc::channel();
    let (saw, mut seen) = unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let limits = TransformSettings {
        records_max: 1_000,
        time_max: PATIENCE,
    };
    // With a thread of its own for everything: heartbeats are stuck, too.
    let stuck = thread::spawn({
        let (address, from, to) = (mqd.address().to_string(), from.clone(), to.clone());
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(async {
                let client = client::Client::connect(&address, client::Settings::default());
                let client = Arc::new(client.await.unwrap());
                let mut inner = doubled(&to);
                let function = move |from: &TopicPartition, record: &ConsumedRecord| {
                    saw.send(number(record)).unwrap();
                    if number(record) == STUCK {
                        gate.recv().unwrap();
                    }
                    inner(from, record)
                };
                run_by(
                    (&client, "stuck"),
                    (source(), &from),
                    limits,
                    (function, stopped),
                )
                .await
            })
        }
    });
    while seen.recv().await.unwrap() != STUCK {}
    let other = run(&client, "other", (&from, &to));
    until_read(&client, &from, 4).await;
    release.send(()).unwrap();
    until_members(&client, mqd.address(), 2).await;
    fill(&client, &from, 4, SECOND).await;
    // It has a share of them again.
    while !SECOND.contains(&seen.recv().await.unwrap()) {}
    stop.send(()).unwrap();
    stuck.join().unwrap().unwrap();
    until_read(&client, &from, 4).await;
    other.end().await;
    for index in 0..4 {
        let wanted = wanted(index, 4, (1, SECOND.end));
        assert_eq!(committed(&client, &to, index).await, wanted);
    }
}

/// A member keeps partitions while others come and go. A commit that meets a new generation
/// is refused, and what was in it is read again.
#[tokio::test]
async fn a_member_that_keeps_its_partitions_reads_again_what_was_refused() {
    let mqd = start();
    let client = connect(&mqd).await;
    let (from, to) = (
        create(&client, "in", 4).await,
        create(&client, "out", 4).await,
    );
    let cooperative = || consumer::Settings {
        assignors: vec![Assignor::CooperativeSticky],
        ..source()
    };
    let limits = TransformSettings {
        records_max: 1,
        time_max: Duration::from_millis(50),
    };
    let (stop, stopped) = oneshot::channel();
    let staying = tokio::spawn({
        let (client, from, to) = (Arc::clone(&client), from.clone(), to.clone());
        async move {
            let function = doubled(&to);
            run_by(
                (&client, "x"),
                (cooperative(), &from),
                limits,
                (function, stopped),
            )
            .await
        }
    });
    for round in 0..15 {
        fill(&client, &from, 4, round * 40..(round + 1) * 40).await;
        let mut guest = Consumer::new(Arc::clone(&client), cooperative());
        guest
            .subscribe(Topics::Named([from.clone()].into()))
            .await
            .unwrap();
        // It reads some, and commits nothing.
        while guest.assignment().is_empty() {
            guest.poll(Duration::from_millis(20)).await.unwrap();
        }
        guest.close(PATIENCE).await.unwrap();
    }
    until_read(&client, &from, 4).await;
    stop.send(()).unwrap();
    staying.await.unwrap().unwrap();
    for index in 0..4 {
        let wanted = wanted(index, 4, (1, 600));
        assert_eq!(committed(&client, &to, index).await, wanted);
    }
}
