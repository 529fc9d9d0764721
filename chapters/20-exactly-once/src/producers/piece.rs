//! Producers in a snapshot.
//!
//! # Layout
//! version `i8`, 0 | number of producers `u32` | for each, by id: id `i64` | seen `i64` | last offset
//! noted `i64`, -1 if there is none | epoch of the coordinator `i32`, -1 if there is none | last
//! sequence number `i32`, -1 if there is none | first offset of the open transaction `i64`, -1 if
//! it has written nothing, -2 if none is open | its window, as chapter 19 writes it.

use std::collections::BTreeMap;

use broker::Unreadable;
use idempotence::Window;
use message_model::{Offset, ProducerId, Timestamp};
use ordering::Standing;
use wire_protocol::Reader;

use super::entry::Entry;
use super::known::Known;
use super::rules::{Rule, Rules};
use crate::part::OpenTransactions;

const VERSION: i8 = 0;
const NONE: i32 = -1;
/// A transaction that has written nothing.
const EMPTY: i64 = -1;
/// No transaction.
const NOT_OPEN: i64 = -2;

/// A producer from a snapshot.
pub(super) struct Restored {
    pub(super) producer: ProducerId,
    pub(super) entry: Entry,
    /// Its open transaction, with the first offset, if there is one.
    pub(super) transaction: Option<Option<Offset>>,
}

impl Restored {
    /// Puts it in the place of the entry that is there.
    pub(super) fn put_into(self, known: &mut Known, rules: Rules) {
        let Some(entry) = known.entries.get_mut(&self.producer) else {
            return;
        };
        let used = entry.used;
        *entry = Entry { used, ..self.entry };
        if !rules.has(Rule::Transactions) {
            return;
        }
        match self.transaction {
            Some(Some(first)) => known.open.wrote(self.producer, first),
            Some(None) => known.open.begin(self.producer),
            None => {}
        }
    }
}

/// Returns producers as bytes.
pub(super) fn encode(entries: &[(&ProducerId, &Entry)], open: &OpenTransactions) -> Vec<u8> {
    let firsts: BTreeMap<_, _> = open.iter().collect();
    let mut bytes = VERSION.to_be_bytes().to_vec();
    let count = u32::try_from(entries.len()).expect("a piece has few producers");
    bytes.extend(count.to_be_bytes());
    for (producer, entry) in entries {
        let transaction = match firsts.get(producer) {
            Some(Some(first)) => first.0,
            Some(None) => EMPTY,
            None => NOT_OPEN,
        };
        bytes.extend(producer.0.to_be_bytes());
        bytes.extend(entry.seen.0.to_be_bytes());
        bytes.extend(entry.noted.map_or(-1, |offset| offset.0).to_be_bytes());
        bytes.extend(entry.coordinator_epoch.unwrap_or(NONE).to_be_bytes());
        bytes.extend(entry.standing.last.unwrap_or(NONE).to_be_bytes());
        bytes.extend(transaction.to_be_bytes());
        entry.window.put(&mut bytes);
    }
    bytes
}

/// Reads what [`encode`] has made. Takes memory for what the bytes hold, whatever they say.
///
/// # Errors
/// When the bytes are something else.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Restored>, Unreadable> {
    let mut bytes = Reader::new(bytes);
    if bytes.i8().map_err(unreadable)? != VERSION {
        return Err(Unreadable);
    }
    let count = bytes.u32().map_err(unreadable)?;
    let mut all: Vec<Restored> = Vec::new();
    // The number is announced, not there yet: each turn of the loop needs bytes of its own.
    for _ in 0..count {
        let one = decode_one(&mut bytes)?;
        let before = all.last().map_or(ProducerId(-1), |last| last.producer);
        if one.producer <= before {
            return Err(Unreadable);
        }
        all.push(one);
    }
    match bytes.remaining() {
        0 => Ok(all),
        _ => Err(Unreadable),
    }
}

fn decode_one(bytes: &mut Reader<'_>) -> Result<Restored, Unreadable> {
    let producer = ProducerId(bytes.i64().map_err(unreadable)?);
    let seen = Timestamp(bytes.i64().map_err(unreadable)?);
    let noted = bytes.i64().map_err(unreadable)?;
    let coordinator_epoch = bytes.i32().map_err(unreadable)?;
    let last = bytes.i32().map_err(unreadable)?;
    let transaction = bytes.i64().map_err(unreadable)?;
    let window = Window::take(bytes).map_err(|_| Unreadable)?;
    if noted < -1 || coordinator_epoch < NONE || last < NONE || transaction < NOT_OPEN {
        return Err(Unreadable);
    }
    let epoch = window.epoch();
    let standing = Standing {
        epoch,
        last: Some(last).filter(|last| *last != NONE),
    };
    let entry = Entry {
        standing,
        window,
        coordinator_epoch: Some(coordinator_epoch).filter(|epoch| *epoch != NONE),
        noted: Some(Offset(noted)).filter(|offset| *offset >= Offset::ZERO),
        ..Entry::new(epoch, seen)
    };
    Ok(Restored {
        producer,
        entry,
        transaction: match transaction {
            NOT_OPEN => None,
            EMPTY => Some(None),
            first => Some(Some(Offset(first))),
        },
    })
}

fn unreadable(_: wire_protocol::Malformed) -> Unreadable {
    Unreadable
}
