//! Consumers that are made with the same client: none waits for what another one waits for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client::Client;
use consumer::{Consumer, Settings};

use crate::fake::Fake;
use crate::{PATIENCE, named, partition, read, settings, settle, values};

async fn client(fake: &Fake) -> Arc<Client> {
    let client = Client::connect(&fake.address(), client::Settings::default()).await;
    Arc::new(client.unwrap())
}

/// The coordinator answers the JoinGroup of the second member when the first one has joined
/// again, and the SyncGroup of the one when the other has shared.
#[tokio::test]
async fn two_members_complete_a_rebalance() {
    let fake = Fake::start(&[("t", 2)]).await;
    fake.wait_for_all_members();
    let client = client(&fake).await;
    let mut first = Consumer::new(Arc::clone(&client), settings("g"));
    first.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut first], |owned| owned[0].len() == 2).await;
    let mut second = Consumer::new(client, settings("g"));
    second.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut first, &mut second], |owned| {
        owned.iter().all(|owned| owned.len() == 1)
    })
    .await;
}

#[tokio::test]
async fn a_fetch_that_waits_for_records_holds_up_no_other_consumer() {
    let fake = Fake::start(&[("t", 2)]).await;
    let client = client(&fake).await;
    let waits_long = Settings {
        fetch_max_wait: 10 * PATIENCE,
        ..settings("g")
    };
    let mut first = Consumer::new(Arc::clone(&client), waits_long.clone());
    let empty = BTreeSet::from([partition("t", 0)]);
    first.assign(empty).await.unwrap();
    let waits = async {
        while fake.fetches() == 0 {
            first.poll(Duration::from_millis(10)).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.unwrap();
    fake.append("t", 1, &values(0, 5));
    let mut second = Consumer::new(client, waits_long);
    second.assign([partition("t", 1)].into()).await.unwrap();
    assert_eq!(read(&mut second, 5).await, values(0, 5));
}

/// Whether it is closed, or dropped while its requests wait.
#[tokio::test]
async fn a_consumer_that_has_ended_leaves_no_connection() {
    let fake = Fake::start(&[("t", 2)]).await;
    let client = client(&fake).await;
    let mut first = Consumer::new(Arc::clone(&client), settings("g"));
    first.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut first], |owned| owned[0].len() == 2).await;
    let mut second = Consumer::new(Arc::clone(&client), settings("g"));
    second.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut first, &mut second], |owned| {
        owned.iter().all(|owned| owned.len() == 1)
    })
    .await;
    drop(second);
    first.close(PATIENCE).await.unwrap();
    let only_the_clients = fake.has_connections(1);
    tokio::time::timeout(PATIENCE, only_the_clients)
        .await
        .unwrap();
}
