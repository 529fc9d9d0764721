//! Members of a group.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consumer::{
    Assignor, Committed, Draining, Pattern, RebalanceListener, Settings, Topics, group_lag,
};
use message_model::{Offset, TopicPartition};

use crate::fake::Fake;
use crate::{consumer, named, partition, read, settings, settle, values};

const CLOSE: Duration = Duration::from_secs(5);

/// Writes down what it hears.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn note(&self, what: &str, partitions: &BTreeSet<TopicPartition>) {
        let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        self.0
            .lock()
            .unwrap()
            .push(format!("{what} {}", names.join(",")));
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl RebalanceListener for Heard {
    fn assigned(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.note("assigned", partitions);
    }

    fn revoked(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.note("revoked", partitions);
    }

    fn lost(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.note("lost", partitions);
    }
}

fn with(assignor: Assignor) -> Settings {
    Settings {
        assignors: vec![assignor],
        auto_commit: Some(Duration::from_secs(3600)),
        ..settings("g")
    }
}

fn is_even(owned: &[BTreeSet<TopicPartition>]) -> bool {
    owned.iter().all(|owned| owned.len() == 2)
}

#[tokio::test]
async fn a_group_of_one_reads_everything_and_goes_on_after_a_close() {
    let fake = Fake::start(&[("t", 2)]).await;
    fake.append("t", 0, &values(0, 5));
    fake.append("t", 1, &values(5, 10));
    let mut first = consumer(&fake, with(Assignor::Range)).await;
    first.subscribe(named(&["t"])).await.unwrap();
    let mut seen = read(&mut first, 10).await;
    seen.sort();
    assert_eq!(seen, values(0, 10));
    first.close(CLOSE).await.unwrap();
    assert_eq!(fake.committed("g", "t", 1), Some(5));
    fake.append("t", 1, &values(10, 11));
    let mut second = consumer(&fake, with(Assignor::Range)).await;
    second.subscribe(named(&["t"])).await.unwrap();
    assert_eq!(read(&mut second, 1).await, values(10, 11));
}

#[tokio::test]
async fn two_members_share_with_every_assignor() {
    for assignor in [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::CooperativeSticky,
    ] {
        let fake = Fake::start(&[("t", 4)]).await;
        let mut first = consumer(&fake, with(assignor)).await;
        let heard = Heard::default();
        first.listen(heard.clone());
        first.subscribe(named(&["t"])).await.unwrap();
        settle(&mut [&mut first], |owned| owned[0].len() == 4).await;
        let mut second = consumer(&fake, with(assignor)).await;
        second.subscribe(named(&["t"])).await.unwrap();
        settle(&mut [&mut first, &mut second], is_even).await;
        let both = first.assignment().is_disjoint(&second.assignment());
        assert!(both, "{assignor:?}");
        let revoked = heard
            .all()
            .into_iter()
            .find(|text| text.starts_with("revoked"));
        let count = revoked.unwrap().split(',').count();
        let expected = if assignor.is_cooperative() { 2 } else { 4 };
        assert_eq!(count, expected, "{assignor:?} revokes what it must");
        second.close(CLOSE).await.unwrap();
        settle(&mut [&mut first], |owned| owned[0].len() == 4).await;
        first.close(CLOSE).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_read_is_committed_before_it_is_given_up() {
    let fake = Fake::start(&[("t", 4)]).await;
    for index in 0..4 {
        fake.append("t", index, &values(0, 10));
    }
    let mut first = consumer(&fake, with(Assignor::CooperativeSticky)).await;
    first.subscribe(named(&["t"])).await.unwrap();
    assert_eq!(read(&mut first, 40).await.len(), 40);
    let mut second = consumer(&fake, with(Assignor::CooperativeSticky)).await;
    second.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut first, &mut second], is_even).await;
    for given in second.assignment() {
        assert_eq!(
            second.position(&given).unwrap().0,
            10,
            "{given} is read once"
        );
    }
}

/// Says of each partition that it is given up at offset 3, and writes down when.
#[derive(Clone, Default)]
struct Drains(Heard);

impl RebalanceListener for Drains {
    fn assigned(&mut self, _: &BTreeSet<TopicPartition>) {}

    fn drain<'a>(&'a mut self, partitions: &'a BTreeSet<TopicPartition>) -> Draining<'a> {
        self.0.note("drain", partitions);
        Box::pin(async {
            // Others have their turn, and the consumer waits.
            tokio::task::yield_now().await;
            let offset = |partition: &TopicPartition| {
                let committed = Committed {
                    offset: Offset(3),
                    metadata: String::new(),
                };
                (partition.clone(), committed)
            };
            partitions.iter().map(offset).collect()
        })
    }

    fn revoked(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.0.note("revoked", partitions);
    }

    fn lost(&mut self, _: &BTreeSet<TopicPartition>) {}
}

#[tokio::test]
async fn what_a_drain_returns_is_committed_before_the_partition_goes() {
    let fake = Fake::start(&[("t", 2)]).await;
    let settings = Settings {
        auto_commit: None,
        ..with(Assignor::CooperativeSticky)
    };
    let mut first = consumer(&fake, settings.clone()).await;
    let drains = Drains::default();
    first.listen(drains.clone());
    first.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut first], |owned| owned[0].len() == 2).await;
    let mut second = consumer(&fake, settings).await;
    second.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut first, &mut second], |owned| {
        owned.iter().all(|owned| owned.len() == 1)
    })
    .await;
    let given: Vec<_> = second.assignment().into_iter().collect();
    let index = given[0].partition.0;
    assert_eq!(fake.committed("g", "t", index), Some(3));
    assert_eq!(fake.committed("g", "t", 1 - index), None);
    let heard = drains.0.all();
    let expected = ["drain", "revoked"].map(|what| format!("{what} {}", given[0]));
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_pattern_finds_topics_that_come_later() {
    let fake = Fake::start(&[("orders-1", 1), ("other", 1)]).await;
    let quick = Settings {
        topics_max_age: Duration::from_millis(50),
        ..with(Assignor::Range)
    };
    let mut consumer = consumer(&fake, quick).await;
    let pattern = Topics::Matching(Pattern::new("^orders-.*").unwrap());
    consumer.subscribe(pattern).await.unwrap();
    settle(&mut [&mut consumer], |owned| owned[0].len() == 1).await;
    fake.add_topic("orders-2", 1);
    settle(&mut [&mut consumer], |owned| owned[0].len() == 2).await;
    assert!(consumer.assignment().contains(&partition("orders-2", 0)));
}

#[tokio::test]
async fn a_topic_that_grows_is_shared_again() {
    let fake = Fake::start(&[("t", 1)]).await;
    let quick = Settings {
        topics_max_age: Duration::from_millis(50),
        ..with(Assignor::CooperativeSticky)
    };
    let mut consumer = consumer(&fake, quick).await;
    consumer.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut consumer], |owned| owned[0].len() == 1).await;
    fake.add_topic("t", 3);
    settle(&mut [&mut consumer], |owned| owned[0].len() == 3).await;
}

#[tokio::test]
async fn a_member_that_was_thrown_out_loses_and_comes_back() {
    let fake = Fake::start(&[("t", 2)]).await;
    let mut first = consumer(&fake, with(Assignor::Range)).await;
    let heard = Heard::default();
    first.listen(heard.clone());
    first.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut first], |owned| owned[0].len() == 2).await;
    // The second one joins while the first does not poll, so it cannot revoke; after its
    // patience the coordinator goes on without it.
    let mut second = consumer(&fake, with(Assignor::Range)).await;
    second.subscribe(named(&["t"])).await.unwrap();
    settle(&mut [&mut second], |owned| owned[0].len() == 2).await;
    settle(&mut [&mut first, &mut second], |owned| {
        owned.iter().all(|owned| owned.len() == 1)
    })
    .await;
    let heard = heard.all();
    let gone = heard.iter().filter(|text| !text.starts_with("assigned"));
    assert!(gone.count() >= 1, "{heard:?}");
}

#[tokio::test]
async fn the_lag_of_a_group() {
    let fake = Fake::start(&[("t", 2), ("u", 1)]).await;
    fake.append("t", 0, &values(0, 7));
    fake.append("t", 1, &values(0, 2));
    fake.append("u", 0, &values(0, 3));
    let mut reader = consumer(&fake, with(Assignor::Range)).await;
    reader.subscribe(named(&["t"])).await.unwrap();
    assert_eq!(read(&mut reader, 9).await.len(), 9);
    reader.commit_sync().await.unwrap();
    fake.append("t", 1, &values(0, 5));
    let client = client::Client::connect(&fake.address(), client::Settings::default()).await;
    let others = BTreeSet::from([partition("u", 0), partition("gone", 0)]);
    let lags = group_lag(&client.unwrap().into(), "g", others).await;
    let lags: Vec<_> = lags
        .unwrap()
        .iter()
        .map(|lag| (lag.partition.clone(), lag.committed, lag.offsets()))
        .collect();
    assert_eq!(
        lags,
        [
            (partition("gone", 0), None, None),
            (partition("t", 0), Some(Offset(7)), Some(0)),
            (partition("t", 1), Some(Offset(2)), Some(5)),
            (partition("u", 0), None, Some(3)),
        ]
    );
}

/// An application may poll in a task of its own.
#[tokio::test]
async fn a_consumer_can_be_spawned() {
    let fake = Fake::start(&[("t", 1)]).await;
    fake.append("t", 0, &values(0, 5));
    let mut consumer = consumer(&fake, with(Assignor::Range)).await;
    let reads = tokio::spawn(async move {
        consumer.subscribe(named(&["t"])).await.unwrap();
        let seen = read(&mut consumer, 5).await;
        consumer.commit_sync().await.unwrap();
        consumer.close(CLOSE).await.unwrap();
        seen
    });
    assert_eq!(reads.await.unwrap(), values(0, 5));
}
