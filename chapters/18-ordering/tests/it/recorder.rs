//! A processor that notes what it does, and does what a test wants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use client::ConsumedRecord;
use message_model::TopicPartition;
use ordering::{Failed, Processor};
use tokio::sync::watch;

/// What happened, from whichever consumer.
#[derive(Default)]
struct Seen {
    /// Values, in the order in which their processing ended.
    processed: Vec<String>,
    /// Those that were given up.
    kept: Vec<String>,
    in_hand: BTreeSet<String>,
    /// How often each record was begun.
    tries: BTreeMap<String, usize>,
}

#[derive(Clone)]
pub(crate) struct Recorder {
    seen: Arc<Mutex<Seen>>,
    changes: watch::Sender<()>,
    /// Records of this key wait until the gate is open.
    gated: Option<&'static str>,
    gate: watch::Sender<bool>,
    /// Records with this value fail.
    fails: Option<&'static str>,
}

impl Recorder {
    pub(crate) fn new() -> Recorder {
        Recorder {
            seen: Arc::default(),
            changes: watch::Sender::new(()),
            gated: None,
            gate: watch::Sender::new(false),
            fails: None,
        }
    }

    pub(crate) fn with_gate(gated: &'static str) -> Recorder {
        Recorder {
            gated: Some(gated),
            ..Recorder::new()
        }
    }

    pub(crate) fn failing(fails: &'static str) -> Recorder {
        Recorder {
            fails: Some(fails),
            ..Recorder::new()
        }
    }

    pub(crate) fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// Waits until so many records are processed or kept.
    pub(crate) async fn settled(self, count: usize) {
        self.wait(|seen| seen.processed.len() + seen.kept.len() >= count)
            .await;
    }

    /// Waits until this record is processed.
    pub(crate) async fn done(&self, value: &str) {
        self.wait(|seen| seen.processed.iter().any(|done| done == value))
            .await;
    }

    /// Waits until so many records were begun.
    pub(crate) async fn begun(&self, count: usize) {
        self.wait(|seen| seen.tries.len() >= count).await;
    }

    async fn wait(&self, is_enough: impl Fn(&Seen) -> bool) {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            if is_enough(&self.seen.lock().unwrap()) {
                return;
            }
            changes.changed().await.unwrap();
        }
    }

    pub(crate) fn processed(&self) -> Vec<String> {
        self.seen.lock().unwrap().processed.clone()
    }

    pub(crate) fn kept(&self) -> Vec<String> {
        self.seen.lock().unwrap().kept.clone()
    }

    pub(crate) fn tries(&self, value: &str) -> usize {
        self.seen.lock().unwrap().tries[value]
    }

    /// The numbers of a key, in the order in which they were processed.
    pub(crate) fn numbers(&self, key: &str) -> Vec<usize> {
        let processed = self.processed();
        let of_key = processed.iter().filter_map(|value| {
            let (of, number) = value.split_once(' ').unwrap();
            (of == key).then(|| number.parse().unwrap())
        });
        of_key.collect()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let changed = change(&mut self.seen.lock().unwrap());
        self.changes.send_replace(());
        changed
    }
}

fn value(record: &ConsumedRecord) -> String {
    String::from_utf8(record.value.as_deref().unwrap().to_vec()).unwrap()
}

impl Processor for Recorder {
    async fn process(&self, _: &TopicPartition, record: &ConsumedRecord) -> Result<(), Failed> {
        let value = value(record);
        let key = value.split(' ').next().unwrap();
        self.change(|seen| {
            let prefix = format!("{key} ");
            let together = seen.in_hand.iter().find(|other| other.starts_with(&prefix));
            assert_eq!(together, None, "{value}: another one of its key is in hand");
            seen.in_hand.insert(value.clone());
            *seen.tries.entry(value.clone()).or_default() += 1;
        });
        if self.gated == Some(key) {
            self.gate
                .subscribe()
                .wait_for(|is_open| *is_open)
                .await
                .unwrap();
        }
        // Some take longer than others.
        for _ in 0..value.len() * 7 % 5 {
            tokio::task::yield_now().await;
        }
        let fails = self.fails == Some(&value);
        self.change(|seen| {
            seen.in_hand.remove(&value);
            if !fails {
                seen.processed.push(value.clone());
            }
        });
        if fails { Err(Failed) } else { Ok(()) }
    }

    async fn give_up(&self, _: &TopicPartition, record: &ConsumedRecord) -> Result<(), Failed> {
        self.change(|seen| seen.kept.push(value(record)));
        Ok(())
    }
}
