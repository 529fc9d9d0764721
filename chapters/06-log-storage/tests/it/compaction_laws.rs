//! Random histories, random crashes, pass after pass.

use fastrand::Rng;
use log_storage::{Error, Log};
use message_model::{Offset, Timestamp};
use record_batch::Codec;
use sim_disk::SimDisk;

use crate::batches;
use crate::keyed::{History, Keyed, append_keyed, compact, compacted};

const DIR: &str = "/topic-0";
const KEYS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "a key that is rather long"];
const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::None,
    Codec::Gzip,
    Codec::Lz4,
    Codec::Zstd,
];

fn open(disk: &SimDisk) -> Result<Log, Error> {
    Ok(batches::open(disk.clone(), DIR, compacted())?.log)
}

fn batch(random: &mut Rng) -> Vec<Keyed> {
    let mut record = || {
        let key = KEYS[random.usize(..KEYS.len())];
        let value = random.u8(..4);
        (key, (value > 0).then(|| random.u32(..)))
    };
    let count = 1 + (record().0.len() * 3) % 11;
    (0..count).map(|_| record()).collect()
}

/// One life of the process: it ends by itself, or when the disk fails.
fn live(
    disk: &SimDisk,
    random: &mut Rng,
    now: &mut i64,
    history: &mut History,
) -> Result<(), Error> {
    let mut log = open(disk)?;
    for _ in 0..6 {
        for _ in 0..random.usize(1..8) {
            let codec = CODECS[random.usize(..CODECS.len())];
            let batch = batch(random);
            history
                .all
                .extend(append_keyed(&mut log, Timestamp(*now), &batch, codec)?);
        }
        *now += random.i64(0..900);
        let keys = random.usize(1..9);
        compact(&mut log, Timestamp(*now), keys)?;
        history.check(&log.view(), Timestamp(*now), "alive");
    }
    Ok(())
}

#[test]
fn a_consumer_sees_the_newest_value_of_each_key_from_any_offset() {
    for seed in 0..60 {
        let mut random = Rng::with_seed(seed);
        let mut disk = SimDisk::new(seed);
        let mut history = History::default();
        let mut now = 10_000;
        for life in 0..4 {
            if life < 3 {
                let operations = disk.operations();
                disk.power_off_at(operations + random.u64(..160));
            }
            let ended = live(&disk, &mut random, &mut now, &mut history);
            if random.bool() {
                disk = disk.crash();
            } else {
                disk.power_off_at(u64::MAX);
            }
            let what = format!("seed {seed}, life {life}: {ended:?}");
            let log = open(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
            // A batch that was being appended may be there without having been acknowledged.
            let end = log.log_end();
            let known = history
                .all
                .last()
                .map_or(Offset(0), |seen| seen.offset.plus(1));
            if end > known {
                let new = crate::keyed::try_records(&log.view(), known).unwrap();
                history.all.extend(new);
            }
            history.check(&log.view(), Timestamp(now), &what);
        }
    }
}
