//! The table once more, the slow way: a list of what was noted.

use std::fmt;

use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use spec_harness::expect_eq;

use super::open::{IDLE_MAX, Producers, ids};
use super::part::Remembered;

/// A producer; those noted last come last.
#[derive(Clone, PartialEq, Eq)]
struct Known {
    producer: i64,
    epoch: i16,
    batches: Vec<Remembered>,
    since: Option<i64>,
    seen: i64,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}, batches [", self.epoch)?;
        for (index, batch) in self.batches.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let (first, last) = (batch.first, batch.last);
            write!(f, "{comma}{first} to {last} at {}", batch.base_offset)?;
        }
        write!(f, "], seen at {}", self.seen)?;
        match self.since {
            Some(since) => write!(f, ", in a transaction since {since}"),
            None => Ok(()),
        }
    }
}

/// What a table must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    known: Vec<Known>,
    producers_max: usize,
}

impl Model {
    pub(super) fn new(producers_max: usize) -> Model {
        Model {
            known: Vec::new(),
            producers_max,
        }
    }

    pub(super) fn note(&mut self, at: i64, producer: i64, epoch: i16, batch: Option<Remembered>) {
        let place = self.known.iter().position(|one| one.producer == producer);
        let mut one = match place {
            Some(place) => self.known.remove(place),
            None => {
                if self.known.len() >= self.producers_max {
                    self.forget_idlest();
                }
                Known {
                    producer,
                    epoch,
                    batches: Vec::new(),
                    since: None,
                    seen: at,
                }
            }
        };
        if epoch > one.epoch {
            one.epoch = epoch;
            one.batches.clear();
        }
        if epoch == one.epoch {
            one.batches.extend(batch);
            let too_many = one.batches.len().saturating_sub(5);
            one.batches.drain(..too_many);
        }
        one.seen = at;
        self.known.push(one);
    }

    pub(super) fn hold(&mut self, producer: i64, since: Option<i64>) {
        for one in &mut self.known {
            if one.producer == producer {
                one.since = since;
            }
        }
    }

    pub(super) fn forget_idlest(&mut self) -> Option<i64> {
        let place = self.known.iter().position(|one| one.since.is_none())?;
        Some(self.known.remove(place).producer)
    }

    pub(super) fn expire(&mut self, now: i64) {
        let day = i64::try_from(IDLE_MAX.as_millis()).unwrap_or(i64::MAX);
        loop {
            let idlest = self.known.iter_mut().find(|one| one.since.is_none());
            let Some(one) = idlest else { return };
            one.seen = one.seen.min(now);
            if now - one.seen < day {
                return;
            }
            self.forget_idlest();
        }
    }

    /// What a restart leaves of it.
    pub(super) fn restart(&mut self, now: i64) {
        while self.known.len() > self.producers_max && self.forget_idlest().is_some() {}
        self.expire(now);
    }
}

/// What a table knows of a producer.
fn known(table: &Producers, producer: i64) -> Option<Known> {
    let entry = table.get(ProducerId(producer))?;
    Some(Known {
        producer,
        epoch: entry.window.epoch().0,
        batches: entry.window.batches().copied().collect(),
        since: entry.kept.since.map(|Offset(offset)| offset),
        seen: entry.seen.0,
    })
}

/// Checks that a table knows what the model knows: the same of the same producers.
pub(super) fn expect_same(what: &str, table: &Producers, model: &Model) {
    let of_model = model.known.iter().map(|one| one.producer);
    let mut all: Vec<_> = ids(table).into_iter().chain(of_model).collect();
    all.sort_unstable();
    all.dedup();
    for producer in all {
        let expected = model.known.iter().find(|one| one.producer == producer);
        let what = format!("producer {producer}, {what}");
        expect_eq(&what, known(table, producer), expected.cloned());
    }
}

/// Tells both the same.
pub(super) fn note_both(
    (table, model): (&mut Producers, &mut Model),
    at: i64,
    (producer, epoch): (i64, i16),
    batch: Option<Remembered>,
) {
    model.note(at, producer, epoch, batch);
    let (producer, epoch) = (ProducerId(producer), ProducerEpoch(epoch));
    table.note(Timestamp(at), producer, epoch, batch);
}
