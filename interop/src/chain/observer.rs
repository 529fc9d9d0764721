//! A client that asks for committed offsets all the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client::Client;
use consumer::group_offsets;
use message_model::{Offset, TopicPartition};

use super::GROUPS;

/// Committed offsets of both groups, by group and partition.
pub(crate) type Offsets = BTreeMap<(usize, i32), i64>;

/// What the observer has seen.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// How many answers.
    pub(crate) answers: u64,
    pub(crate) latest: Offsets,
    /// Each time that an offset was lower than before, or gone.
    pub(crate) went_back: Vec<String>,
}

/// Shared by the observer and the chain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observer(Arc<Mutex<Observed>>);

impl Observer {
    /// Watches until the task is aborted. A broker that is down is asked again.
    pub(crate) async fn watch(self, client: Arc<Client>) {
        loop {
            for (group, name) in GROUPS.iter().enumerate() {
                if let Ok(offsets) = group_offsets(&client, name).await {
                    self.with(|observed| observed.note(group, &by_partition(offsets)));
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Observed) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observed {
    fn note(&mut self, group: usize, offsets: &BTreeMap<i32, i64>) {
        self.answers += 1;
        for ((_, partition), before) in self.latest.range((group, 0)..(group + 1, 0)) {
            let now = offsets.get(partition).copied().unwrap_or(-1);
            if now < *before {
                let group = GROUPS[group];
                let back = format!("{group}, partition {partition}: {before}, then {now}");
                self.went_back.push(back);
            }
        }
        let offsets = offsets.iter();
        self.latest
            .extend(offsets.map(|(partition, offset)| ((group, *partition), *offset)));
    }
}

/// A group of the chain reads one topic.
fn by_partition(offsets: BTreeMap<TopicPartition, Offset>) -> BTreeMap<i32, i64> {
    let of_topic = offsets.into_iter();
    of_topic
        .map(|(of, offset)| (of.partition.0, offset.0))
        .collect()
}
