//! The loops that fetch in the background, one for each broker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use client::{Client, Target};
use message_model::{BrokerId, Offset, TopicPartition};
use record_batch::Batches;
use tokio::task::JoinSet;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    AbortedTransaction, FetchPartition, FetchPartitionResponse, FetchRequest, FetchTopic,
};

use crate::part::{FetchBuffer, Fetched, Want, fetch_loop};
use crate::settings::Settings;

/// What a fetch of a partition brought.
#[derive(Debug, Clone)]
pub(crate) enum Brought {
    /// Whole batches, and where the partition ends.
    Batches {
        batches: Bytes,
        /// Where the next fetch begins.
        next: Offset,
        high_watermark: Offset,
        /// The transactions here whose records are left out.
        aborted: Vec<AbortedTransaction>,
    },
    /// The offset is not in the partition (any more).
    OutOfRange,
    /// The partition cannot be read, for a reason that does not pass.
    Refused(ErrorCode),
}

pub(crate) type Buffer = FetchBuffer<TopicPartition, Brought>;

/// How much longer than the broker waits for records its answer may take.
const SLACK: Duration = Duration::from_secs(30);

/// The fetches of a consumer.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Arc<Client>,
    settings: Settings,
    pub(crate) buffer: Arc<Buffer>,
    /// The nodes that have a loop.
    loops: Mutex<(BTreeSet<i32>, JoinSet<()>)>,
}

impl Fetcher {
    pub(crate) fn new(client: Arc<Client>, settings: Settings) -> Arc<Fetcher> {
        Arc::new(Fetcher {
            buffer: Arc::new(Buffer::new(settings.buffer_bytes)),
            client,
            settings,
            loops: Mutex::default(),
        })
    }

    /// Begins to fetch `partition` from `position` on.
    pub(crate) async fn add(
        self: &Arc<Self>,
        partition: TopicPartition,
        position: Offset,
    ) -> Result<(), client::Error> {
        let target = Target::Leader(partition.clone());
        let deadline = self.client.clock().now().plus(self.settings.patience);
        let attempt = || self.leader(&partition);
        let node = self.client.retry(&target, deadline, attempt).await?;
        self.serve(node);
        self.buffer.add(partition, node, position);
        Ok(())
    }

    /// Ends the loops.
    pub(crate) fn close(&self) {
        self.buffer.close();
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops.1.abort_all();
    }

    async fn leader(&self, partition: &TopicPartition) -> Result<i32, client::Error> {
        let topic = self
            .client
            .topic(&partition.topic, self.client.deadline())
            .await?;
        let index = usize::try_from(partition.partition.0).unwrap_or(usize::MAX);
        let known = topic.partitions.get(index);
        let unknown = client::Error::Broker(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        let leader = known.ok_or(unknown)?.leader;
        leader
            .map(|node| node.0)
            .ok_or_else(|| client::Error::NoLeader(partition.clone()))
    }

    /// Makes sure that there is a loop for `node`.
    fn serve(self: &Arc<Self>, node: i32) {
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        if !loops.0.insert(node) {
            return;
        }
        let fetcher = Arc::clone(self);
        loops.1.spawn(async move {
            let buffer = Arc::clone(&fetcher.buffer);
            let pause = fetcher.settings.retry_backoff;
            let fetch = |wants| {
                let fetcher = Arc::clone(&fetcher);
                async move { fetcher.fetch(node, wants).await }
            };
            fetch_loop(&buffer, node, pause, fetch).await;
        });
    }

    /// One request. `None` if the node could not be asked, or leads something no more.
    async fn fetch(
        self: &Arc<Self>,
        node: i32,
        wants: Vec<Want<TopicPartition>>,
    ) -> Option<Vec<Fetched<TopicPartition, Brought>>> {
        let request = self.request(&wants);
        let patience = self.settings.fetch_max_wait + SLACK;
        let deadline = self.client.clock().now().plus(patience);
        let target = Target::Node(BrokerId(node));
        let answer = match self.client.call(&target, &request, deadline).await {
            Ok(answer) if answer.error_code == ErrorCode::NONE => answer,
            Ok(_) => return None,
            Err(_) => {
                self.find_leaders(wants).await;
                return None;
            }
        };
        let mut answers: BTreeMap<(String, i32), FetchPartitionResponse> = BTreeMap::new();
        for topic in answer.responses {
            for partition in topic.partitions {
                let key = (topic.topic.clone(), partition.partition_index);
                answers.insert(key, partition);
            }
        }
        // ANCHOR: answers
        let (mut fetched, mut stale) = (Vec::new(), Vec::new());
        for want in wants {
            let name = want.partition.topic.as_str().to_owned();
            let Some(answer) = answers.remove(&(name, want.partition.partition.0)) else {
                continue;
            };
            match brought(&want, answer) {
                Some(Brought::Refused(code)) if is_passing(code) => stale.push(want),
                Some(brought) => fetched.push(entry(want, brought)),
                None => {}
            }
        }
        if !stale.is_empty() {
            self.buffer.put(fetched);
            self.find_leaders(stale).await;
            return None;
        }
        Some(fetched)
        // ANCHOR_END: answers
    }

    fn request(&self, wants: &[Want<TopicPartition>]) -> FetchRequest {
        let settings = &self.settings;
        let partition_max_bytes = as_i32(settings.partition_fetch_max_bytes);
        let mut topics: Vec<FetchTopic> = Vec::new();
        for want in wants {
            let name = want.partition.topic.as_str();
            if topics.last().is_none_or(|topic| topic.topic != name) {
                topics.push(FetchTopic {
                    topic: name.to_owned(),
                    partitions: Vec::new(),
                });
            }
            if let Some(topic) = topics.last_mut() {
                topic.partitions.push(FetchPartition {
                    partition: want.partition.partition.0,
                    fetch_offset: want.from.0,
                    partition_max_bytes,
                    ..FetchPartition::default()
                });
            }
        }
        FetchRequest {
            max_wait_ms: i32::try_from(settings.fetch_max_wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: as_i32(settings.fetch_min_bytes),
            max_bytes: as_i32(settings.fetch_max_bytes),
            isolation_level: i8::from(settings.read_committed),
            topics,
            ..FetchRequest::default()
        }
    }

    /// Looks up who leads these partitions now.
    async fn find_leaders(self: &Arc<Self>, wants: Vec<Want<TopicPartition>>) {
        for want in wants {
            self.client.forget(&Target::Leader(want.partition.clone()));
            // A partition without a leader stays where it is, and is asked for there.
            if let Ok(node) = self.leader(&want.partition).await {
                self.serve(node);
                self.buffer.set_node(&want.partition, node);
            }
        }
    }
}

/// What the answer for a partition says; `None`: there is nothing new.
fn brought(want: &Want<TopicPartition>, answer: FetchPartitionResponse) -> Option<Brought> {
    match answer.error_code {
        ErrorCode::NONE => {}
        ErrorCode::OFFSET_OUT_OF_RANGE => return Some(Brought::OutOfRange),
        code => return Some(Brought::Refused(code)),
    }
    let batches = answer.records.into_bytes();
    let mut next = want.from;
    for (header, _) in Batches::new(&batches).map_while(Result::ok) {
        next = next.max(header.range().end);
    }
    (!batches.is_empty()).then_some(Brought::Batches {
        batches,
        next,
        high_watermark: Offset(answer.high_watermark),
        // The broker names some only if committed records alone are asked for.
        aborted: answer.aborted_transactions.unwrap_or_default(),
    })
}

fn entry(want: Want<TopicPartition>, brought: Brought) -> Fetched<TopicPartition, Brought> {
    let (bytes, next) = match &brought {
        // Without a whole batch there is nothing to go on from: the application is told.
        Brought::Batches { batches, next, .. } => {
            (batches.len(), Some(*next).filter(|next| *next > want.from))
        }
        Brought::OutOfRange | Brought::Refused(_) => (0, None),
    };
    Fetched {
        want,
        records: brought,
        bytes,
        next,
    }
}

/// Whether another try may bring records: the leader has moved, or is on its way.
fn is_passing(code: ErrorCode) -> bool {
    client::Error::Broker(code).is_retriable() || client::Error::Broker(code).is_stale_route()
}

fn as_i32(bytes: u32) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
