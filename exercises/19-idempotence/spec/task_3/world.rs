//! A partition's log, its snapshot file, and producers that send again what they have no
//! answer to; all of it crashes.

use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use spec_harness::expect_eq;

use super::model::{Model, expect_same};
use super::open::{Producers, pieces, read, table};
use super::part::Remembered;

/// A batch in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    producer: i64,
    epoch: i16,
    batch: Remembered,
}

/// A producer: it numbers its batches, has up to five in flight, and sends each until it is
/// answered.
#[derive(Debug, Clone)]
struct Client {
    epoch: i16,
    /// The numbers that it has given, in their order, and whether each was answered.
    sent: Vec<(i32, i32, bool)>,
}

/// What is left of the snapshot file after a crash while it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Torn {
    /// The file as it was before.
    Old,
    /// The new one.
    New,
    /// Half of the new one.
    Half,
    /// The new one's length, and the old one's bytes.
    Mixed,
    /// No file.
    Gone,
}

pub(super) const TORN: [Torn; 5] = [Torn::Old, Torn::New, Torn::Half, Torn::Mixed, Torn::Gone];

#[derive(Debug, Clone)]
pub(super) struct World {
    log: Vec<Written>,
    /// How many batches of the log are on disk.
    durable: usize,
    /// The snapshot file before and after it was written last.
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
    table: Producers,
    /// The first number of the first epoch.
    first: i32,
    clients: Vec<Client>,
    pub(super) story: Vec<String>,
}

impl World {
    /// With `clients` producers, which begin with the number `first`.
    pub(super) fn new(clients: usize, first: i32) -> World {
        World {
            log: Vec::new(),
            durable: 0,
            old: None,
            new: None,
            table: table(),
            first,
            clients: vec![
                Client {
                    epoch: 0,
                    sent: Vec::new(),
                };
                clients
            ],
            story: Vec::new(),
        }
    }

    fn end(&self) -> i64 {
        self.log.last().map_or(0, |last| last.batch.range().end.0)
    }

    /// A producer sends its next batch, of two records.
    pub(super) fn send(&mut self, client: usize) {
        let sent = &self.clients[client].sent;
        let first = match sent.last() {
            Some((_, last, _)) => last.wrapping_add(1) & i32::MAX,
            None if self.clients[client].epoch == 0 => self.first,
            None => 0,
        };
        let last = first.wrapping_add(1) & i32::MAX;
        self.clients[client].sent.push((first, last, false));
        self.story
            .push(format!("producer {client} sends {first} to {last}"));
        self.arrive(client, first, last);
    }

    /// A batch arrives: it is a duplicate, or it is appended.
    fn arrive(&mut self, client: usize, first: i32, last: i32) {
        let producer = i64::try_from(client).unwrap_or(0);
        let epoch = self.clients[client].epoch;
        let entry = self.table.get(ProducerId(producer));
        let found = entry.and_then(|entry| entry.window.find(ProducerEpoch(epoch), first, last));
        if let Some(found) = found {
            let is_it = |one: &&Written| {
                (one.producer, one.epoch) == (producer, epoch) && one.batch.first == first
            };
            let original = self.log.iter().find(is_it).map(|one| one.batch);
            expect_eq(
                &self.what("the original of a duplicate"),
                Some(found),
                original,
            );
            return;
        }
        let written = Written {
            producer,
            epoch,
            batch: Remembered {
                first,
                last,
                base_offset: Offset(self.end()),
                timestamp: Timestamp(self.end()),
            },
        };
        self.log.push(written);
        note(&mut self.table, &written);
    }

    /// All of the log is on disk, and each producer hears of it.
    pub(super) fn sync(&mut self) {
        self.story.push("sync".to_owned());
        self.durable = self.log.len();
        for client in &mut self.clients {
            for sent in &mut client.sent {
                sent.2 = true;
            }
        }
    }

    /// All of the log is on disk, but the answers are lost.
    pub(super) fn sync_unheard(&mut self) {
        self.story.push("sync, and all answers are lost".to_owned());
        self.durable = self.log.len();
    }

    /// The table is stored, with the offset up to which it was told of the log.
    pub(super) fn save(&mut self) {
        self.story.push("snapshot".to_owned());
        // What is not on disk may not be in it: a power failure would take the log back.
        self.durable = self.log.len();
        let mut body = Vec::new();
        for piece in pieces(&self.table) {
            let length = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            body.extend(length.to_be_bytes());
            body.extend(piece);
        }
        let mut file = self.end().to_be_bytes().to_vec();
        file.extend(checksum(&body).to_be_bytes());
        file.extend(body);
        self.old = self.new.replace(file);
    }

    /// A producer is started again, with a new epoch: what was on its way is not sent again.
    pub(super) fn renew(&mut self, client: usize) {
        self.story
            .push(format!("producer {client} gets a new epoch"));
        self.clients[client].epoch += 1;
        self.clients[client].sent.clear();
    }

    /// The broker loses power: of what is not on disk `kept` batches are left, and of the
    /// snapshot file what `torn` says. Then it starts, and each producer sends again.
    pub(super) fn crash(&mut self, kept: usize, torn: Torn) {
        self.story
            .push(format!("crash: {kept} more batches, file {torn:?}"));
        self.log.truncate(self.durable + kept);
        self.new = match torn {
            Torn::Old => self.old.clone(),
            Torn::New => self.new.clone(),
            Torn::Half => self.new.clone().map(|mut file| {
                file.truncate(file.len() / 2);
                file
            }),
            Torn::Mixed => self.new.clone().map(|mut file| {
                let old = self.old.clone().unwrap_or_default();
                let size = (file.len() / 2).min(old.len());
                file[..size].copy_from_slice(&old[..size]);
                file
            }),
            Torn::Gone => None,
        };
        self.durable = self.log.len();
        self.start();
        self.check();
        self.send_again();
    }

    fn start(&mut self) {
        let file = self.new.as_deref().and_then(read_file);
        let file = file.filter(|(end, _)| *end <= self.end());
        let restored =
            file.and_then(|(end, body)| Some((end, read(&read_body(body)?, self.end()).ok()?)));
        let (from, mut restored) = restored.unwrap_or_else(|| (0, table()));
        let behind = self
            .log
            .iter()
            .filter(|one| one.batch.base_offset.0 >= from);
        behind.for_each(|written| note(&mut restored, written));
        self.table = restored;
    }

    /// The table is what it would be if it had been told all of the log.
    fn check(&self) {
        let mut model = Model::default();
        for one in &self.log {
            let at = one.batch.timestamp.0;
            model.note(at, one.producer, one.epoch, Some(one.batch));
        }
        expect_same(&self.what("as the table knows it"), &self.table, &model);
    }

    /// Producers send again, in order, from their first batch without an answer on; each
    /// record of this epoch is in the log once then.
    fn send_again(&mut self) {
        for client in 0..self.clients.len() {
            let sent = self.clients[client].sent.clone();
            let waiting = sent.iter().filter(|sent| !sent.2);
            waiting.for_each(|(first, last, _)| self.arrive(client, *first, *last));
            let producer = i64::try_from(client).unwrap_or(0);
            let epoch = self.clients[client].epoch;
            let own = self
                .log
                .iter()
                .filter(|one| (one.producer, one.epoch) == (producer, epoch));
            let firsts: Vec<_> = own.map(|one| one.batch.first).collect();
            let expected: Vec<_> = sent.iter().map(|sent| sent.0).collect();
            let what = self.what(&format!(
                "the first numbers of producer {client} in the log"
            ));
            expect_eq(&what, firsts, expected);
        }
    }

    /// How many batches a power failure may take.
    pub(super) fn at_risk(&self) -> usize {
        self.log.len() - self.durable
    }

    fn what(&self, what: &str) -> String {
        format!("{what}, after: {}", self.story.join("; "))
    }
}

fn note(table: &mut Producers, written: &Written) {
    let (producer, epoch) = (ProducerId(written.producer), ProducerEpoch(written.epoch));
    table.note(
        written.batch.timestamp,
        producer,
        epoch,
        Some(written.batch),
    );
}

/// The offset and the pieces of a file; `None` if the checksum says that it is torn.
fn read_file(file: &[u8]) -> Option<(i64, &[u8])> {
    let (end, rest) = file.split_first_chunk::<8>()?;
    let (sum, body) = rest.split_first_chunk::<8>()?;
    let is_whole = checksum(body) == u64::from_be_bytes(*sum);
    is_whole.then_some((i64::from_be_bytes(*end), body))
}

/// The pieces of a table, each behind its length.
fn read_body(mut body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = body.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (piece, rest) = rest.split_at_checked(length)?;
        pieces.push(piece.to_vec());
        body = rest;
    }
    Some(pieces)
}

/// Any checksum will do here: this is FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
