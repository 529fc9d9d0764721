//! The table once more, the slow way: a list of what was noted.

use std::fmt;

use message_model::{Offset, ProducerId};
use spec_harness::fail;

use super::open::{Producers, day, ids, order};
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Model {
    known: Vec<Known>,
}

impl Model {
    pub(super) fn note(&mut self, at: i64, producer: i64, epoch: i16, batch: Option<Remembered>) {
        let place = self.known.iter().position(|one| one.producer == producer);
        let mut one = match place {
            Some(place) => self.known.remove(place),
            None => Known {
                producer,
                epoch,
                batches: Vec::new(),
                since: None,
                seen: at,
            },
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
        for one in &mut self.known {
            one.seen = one.seen.min(now);
        }
        self.restart(now);
    }

    /// What a restart leaves of it.
    pub(super) fn restart(&mut self, now: i64) {
        let is_left = |one: &Known| one.since.is_some() || now - one.seen < day();
        self.known.retain(is_left);
    }

    /// The producers that are not held, the idlest one first.
    fn order(&self) -> Vec<i64> {
        let free = self.known.iter().filter(|one| one.since.is_none());
        free.map(|one| one.producer).collect()
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

/// What a table knows otherwise than the model.
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) got: String,
    pub(super) expected: String,
}

impl Difference {
    pub(super) fn new(what: &str, got: &dyn fmt::Debug, expected: &dyn fmt::Debug) -> Difference {
        Difference {
            what: what.to_owned(),
            got: format!("{got:?}"),
            expected: format!("{expected:?}"),
        }
    }
}

/// The first producer that the table knows otherwise than the model, or the order in which
/// they would be forgotten.
pub(super) fn difference(table: &Producers, model: &Model) -> Option<Difference> {
    let of_model = model.known.iter().map(|one| one.producer);
    let mut all: Vec<_> = ids(table).into_iter().chain(of_model).collect();
    all.sort_unstable();
    all.dedup();
    let of_producer = all.into_iter().find_map(|producer| {
        let expected = model.known.iter().find(|one| one.producer == producer);
        let (got, expected) = (known(table, producer), expected.cloned());
        let what = format!("producer {producer}");
        (got != expected).then(|| Difference::new(&what, &got, &expected))
    });
    let (got, expected) = (order(table), model.order());
    let of_order = (got != expected).then(|| {
        let what = "the order in which they would be forgotten";
        Difference::new(what, &got, &expected)
    });
    of_producer.or(of_order)
}

/// Checks that a table knows what the model knows: the same of the same producers.
pub(super) fn expect_same(what: &str, table: &Producers, model: &Model) {
    if let Some(found) = difference(table, model) {
        let what = format!("{}, {what}", found.what);
        fail(&what, &found.expected, &found.got);
    }
}
