//! Creations and deletions of topics that stand still, one call of the disk after the other,
//! on a runtime with one thread: producers and consumers go on, and so do other topics.

use std::path::Path;
use std::sync::Arc;

use broker::{Error, api};
use sim_disk::Call;
use tokio::task::JoinHandle;
use wire_protocol::ErrorCode;
use wire_protocol::message::InitProducerIdRequest;

use crate::admin::{self, metadata, topics};
use crate::stalls::{
    its_own_partition_is_served, others_are_served, others_are_served_by_the_disk, soon, spawn,
    two_topics, until_parked,
};
use crate::support::{Broker, name, until};

fn create(broker: &Arc<Broker>, topic: &'static str) -> JoinHandle<()> {
    let broker = Arc::clone(broker);
    spawn(async move {
        broker.create(topic, 2).await;
    })
}

fn delete(broker: &Arc<Broker>, topic: &'static str) -> JoinHandle<()> {
    let topics = Arc::clone(&broker.topics);
    spawn(async move { topics.delete(&name(topic)).await.unwrap() })
}

/// Another topic is created and deleted, from beginning to end.
async fn another_topic_comes_and_goes(broker: &Broker) {
    soon("a creation of another", broker.create("short", 3)).await;
    let short = name("short");
    let deleted = soon("a deletion of another", broker.topics.delete(&short)).await;
    deleted.unwrap();
}

/// Every call of making a topic's directories and logs.
#[tokio::test]
async fn the_creation_of_a_topic() {
    for call in [Call::List, Call::CreateDir, Call::Create] {
        let broker = two_topics().await;
        let parking = broker.disk.park_next(call, Path::new("/data/slow-1"));
        let created = create(&broker, "slow");
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served_by_the_disk(&broker).await;
        its_own_partition_is_served(&broker).await;
        another_topic_comes_and_goes(&broker).await;
        let asked = soon("metadata of it", metadata(&broker, Some(&["slow"]))).await;
        let soon_there = ("slow", ErrorCode::LEADER_NOT_AVAILABLE, 0);
        assert_eq!(topics(&asked), [soon_there]);
        let slow = name("slow");
        let deleted = soon("its deletion", broker.topics.delete(&slow)).await;
        assert!(matches!(deleted, Err(Error::Unknown)), "{deleted:?}");
        let found = broker.topics.get(&slow);
        assert!(found.is_none(), "it exists as a whole or not at all");
        assert!(!created.is_finished(), "{call:?}");
        parking.release();
        created.await.unwrap();
        assert!(broker.topics.get(&slow).is_some());
    }
}

/// Every call of removing a topic's directories: by then it is gone for everybody.
#[tokio::test]
async fn the_deletion_of_a_topics_directories() {
    for (call, path) in [(Call::RemoveDir, "/data/gone-1"), (Call::SyncDir, "/data")] {
        let broker = two_topics().await;
        broker.create("gone", 2).await;
        let rename = broker
            .disk
            .park_next(Call::Rename, Path::new("/data/topics.json"));
        let deleted = delete(&broker, "gone");
        until_parked(&rename, "the list of topics").await;
        // The list of topics syncs the same directory, before any of the topic's is removed.
        let listed = broker.disk.park_next(Call::SyncDir, Path::new("/data"));
        rename.release();
        until_parked(&listed, "the list of topics").await;
        let parking = broker.disk.park_next(call, Path::new(path));
        listed.release();
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served_by_the_disk(&broker).await;
        its_own_partition_is_served(&broker).await;
        another_topic_comes_and_goes(&broker).await;
        let asked = soon("metadata of all", metadata(&broker, None)).await;
        assert!(topics(&asked).iter().all(|(topic, ..)| *topic != "gone"));
        let gone = name("gone");
        let again = soon(
            "its creation",
            broker.topics.create(&gone, 1, broker.topics.new_config()),
        )
        .await;
        assert!(matches!(again, Err(Error::Exists)), "{again:?}");
        assert!(!deleted.is_finished(), "{call:?}");
        parking.release();
        deleted.await.unwrap();
        broker.create("gone", 1).await;
    }
}

/// Even if all threads of the lane for administration stand still: then, and only then,
/// other topics wait for one of them.
#[tokio::test]
async fn all_directories() {
    type Change = fn(&Arc<Broker>, &'static str) -> JoinHandle<()>;
    let kinds: [(Call, Change); 2] = [(Call::CreateDir, create), (Call::RemoveDir, delete)];
    for (call, change) in kinds {
        let broker = two_topics().await;
        broker.create("w", 2).await;
        if call == Call::RemoveDir {
            broker.create("u", 2).await;
            broker.create("v", 2).await;
        }
        let parking = broker.disk.park_every(call, Path::new("/data"));
        let mut stalled = vec![change(&broker, "u"), change(&broker, "v")];
        let both = || parking.count() == 2;
        until(&format!("two of {call:?} stand still"), both).await;
        stalled.extend([create(&broker, "new"), delete(&broker, "w")]);
        others_are_served(&broker).await;
        its_own_partition_is_served(&broker).await;
        soon("a sync", broker.write(-1, "other", &["safe"])).await;
        for topic in &stalled {
            assert!(!topic.is_finished(), "{call:?}");
        }
        parking.release();
        for topic in stalled {
            soon("what waited", topic).await.unwrap();
        }
        assert!(broker.topics.get(&name("new")).is_some());
        assert!(broker.topics.get(&name("w")).is_none());
    }
}

/// While `topics.json` is replaced, other changes of it wait; what exists is served.
#[tokio::test]
async fn the_list_of_topics() {
    for (call, path) in [
        (Call::List, "/data"),
        (Call::Create, "/data/topics.json.next"),
        (Call::Write, "/data/topics.json.next"),
        (Call::Sync, "/data/topics.json.next"),
        (Call::Rename, "/data/topics.json"),
    ] {
        let broker = two_topics().await;
        let parking = broker.disk.park_next(call, Path::new(path));
        let creating = Arc::clone(&broker);
        let created = spawn(async move { creating.create("slow", 1).await });
        until_parked(&parking, &format!("{call:?}")).await;
        others_are_served(&broker).await;
        its_own_partition_is_served(&broker).await;
        soon("a sync", broker.write(-1, "other", &["safe"])).await;
        let unknown = soon(
            "what is not there",
            admin::delete(&broker, &["u", "slow"], 1_000),
        )
        .await;
        let code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        assert!(unknown.iter().all(|(_, found)| *found == code));
        let ids = api::init_producer_id(&broker, InitProducerIdRequest::default());
        assert_eq!(soon("an id", ids).await.producer_id, 0);
        parking.release();
        created.await.unwrap();
    }
}
