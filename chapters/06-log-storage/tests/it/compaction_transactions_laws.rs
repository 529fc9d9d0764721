//! Laws of compaction with transactions: any history, any crash.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use record_batch::{Codec, Marker};
use sim_disk::SimDisk;

use crate::keyed::{Keyed, compacted};
use crate::transactional::{Partition, Snapshot};
use crate::transactional_model::Model;

const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];
const CODECS: [Codec; 3] = [Codec::None, Codec::None, Codec::Lz4];

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// Records, of a producer's transaction or of none.
    Data(Option<i64>, Vec<(usize, Option<u32>)>, usize),
    /// The end of a producer's transaction, with data or without.
    End(i64, bool),
    /// So much later, with room for so many keys.
    Compact(i64, usize),
    Snapshot,
    /// A new start: after a power failure, or a kill.
    Start(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let producer = prop_oneof![1 => Just(None), 3 => (0_i64..3).prop_map(Some)];
    let value = prop_oneof![1 => Just(None), 3 => any::<u32>().prop_map(Some)];
    let records = vec((0..KEYS.len(), value), 1..9);
    prop_oneof![
        10 => (producer, records, 0..CODECS.len()).prop_map(|(who, what, how)| Step::Data(who, what, how)),
        6 => (0_i64..3, any::<bool>()).prop_map(|(who, commits)| Step::End(who, commits)),
        3 => (0_i64..900, 1_usize..9).prop_map(|(later, keys)| Step::Compact(later, keys)),
        // A producer is forgotten after a day.
        1 => (86_400_000_i64..90_000_000, 1_usize..9).prop_map(|(later, keys)| Step::Compact(later, keys)),
        2 => Just(Step::Snapshot),
        1 => any::<bool>().prop_map(Step::Start),
    ]
}

/// The state between two steps.
struct Run {
    disk: SimDisk,
    partition: Partition,
    model: Model,
    saved: Snapshot,
    now: i64,
}

impl Run {
    fn new(seed: u64) -> Run {
        let disk = SimDisk::new(seed);
        Run {
            partition: Partition::open(&disk, compacted(), &Snapshot::default()).unwrap(),
            disk,
            model: Model::default(),
            saved: Snapshot::default(),
            now: 10_000,
        }
    }

    fn check(&mut self, what: &str) {
        self.model = self.model.check(&self.partition, self.now, what);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Data(producer, records, codec) => {
                let records = records.iter().map(|(key, value)| (KEYS[*key], *value));
                let records: Vec<Keyed> = records.collect();
                let data = (*producer, &records[..]);
                let appended = self
                    .model
                    .data(&mut self.partition, self.now, data, CODECS[*codec]);
                appended.unwrap();
            }
            Step::End(producer, commits) => {
                let marker = if *commits {
                    Marker::Commit
                } else {
                    Marker::Abort
                };
                let ended = self
                    .model
                    .end(&mut self.partition, self.now, *producer, marker);
                ended.unwrap();
            }
            Step::Compact(later, keys) => {
                self.check("before");
                self.now += later;
                self.partition.compact(self.now, *keys).unwrap();
                self.check("after");
                self.check_crash();
            }
            Step::Snapshot => self.saved = self.partition.snapshot().unwrap(),
            Step::Start(power_fails) => {
                if *power_fails {
                    self.disk = self.disk.crash();
                }
                self.partition = Partition::open(&self.disk, compacted(), &self.saved).unwrap();
                self.check("after a start");
            }
        }
    }

    /// What a power failure would leave, from the snapshot and from the start of the log.
    fn check_crash(&self) {
        for snapshot in [&self.saved, &Snapshot::default()] {
            let left = self.disk.crash();
            let partition = Partition::open(&left, compacted(), snapshot).unwrap();
            self.model
                .check(&partition, self.now, "after a power failure");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(6),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A consumer of committed records sees the newest committed value of each key from any
    /// offset, before a pass and behind it; no record of an aborted transaction comes to life; and
    /// what is in open transactions is not touched.
    #[test]
    fn committed_records_survive_and_aborted_ones_stay_dead(
        seed in any::<u64>(),
        steps in vec(step(), 1..120),
    ) {
        let mut run = Run::new(seed);
        for step in &steps {
            run.step(step);
        }
        run.step(&Step::Compact(0, 100));
    }
}
