//! A client that asks for committed offsets all the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use client::{Client, Target};
use wire_protocol::ErrorCode;
use wire_protocol::message::OffsetFetchRequest;

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
                if let Some(offsets) = committed(&client, name).await {
                    self.with(|observed| observed.note(group, &offsets));
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

/// The committed offsets of a group; `None` without an answer.
async fn committed(client: &Client, group: &str) -> Option<BTreeMap<i32, i64>> {
    let request = OffsetFetchRequest {
        group_id: group.to_owned(),
        topics: None,
        ..OffsetFetchRequest::default()
    };
    let deadline = client.clock().now().plus(Duration::from_secs(5));
    let target = Target::Coordinator(group.into());
    let answer = client.call(&target, &request, deadline).await.ok()?;
    if answer.error_code != ErrorCode::NONE {
        return None;
    }
    let partitions = answer.topics.into_iter().flat_map(|topic| topic.partitions);
    let known = partitions.filter(|partition| partition.committed_offset >= 0);
    Some(
        known
            .map(|one| (one.partition_index, one.committed_offset))
            .collect(),
    )
}
