//! What a rebalance does to a transform.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use consumer::{Draining, RebalanceListener};
use message_model::TopicPartition;

use crate::progress::Progress;

/// What has been heard since it was asked for.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Partitions that were given or taken: what is known of their positions is not true any
    /// more.
    pub(crate) changed: BTreeSet<TopicPartition>,
    /// Some were taken without notice.
    pub(crate) is_lost: bool,
}

/// Listens to a transform's consumer.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    news: Arc<Mutex<News>>,
    /// Free while the consumer polls.
    progress: Arc<tokio::sync::Mutex<Progress>>,
}

impl Listener {
    pub(crate) fn new(progress: Arc<tokio::sync::Mutex<Progress>>) -> Listener {
        Listener {
            news: Arc::default(),
            progress,
        }
    }

    /// Returns what has been heard since the last call.
    pub(crate) fn take(&self) -> News {
        std::mem::take(&mut *self.news())
    }

    fn note(&self, partitions: &BTreeSet<TopicPartition>) {
        self.news().changed.extend(partitions.iter().cloned());
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RebalanceListener for Listener {
    fn assigned(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.note(partitions);
    }

    /// Commits the transaction, with its offsets: there is nothing left for the consumer to
    /// commit.
    fn drain<'a>(&'a mut self, _: &'a BTreeSet<TopicPartition>) -> Draining<'a> {
        Box::pin(async {
            let mut progress = self.progress.lock().await;
            let committed = progress.commit().await;
            progress.note(committed);
            BTreeMap::new()
        })
    }

    fn revoked(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.note(partitions);
    }

    fn lost(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.note(partitions);
        self.news().is_lost = true;
    }
}
