//! Random histories of partitions, beside a model that looks at all that has happened.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use message_model::{Moment, Timestamp};
use spec_harness::case;

use super::part::PartitionWatermarks;
use super::{IDLE_AFTER, text, watermarks};
use spec_harness::steps::{Both, Difference, check, differ};

const BOUND: i64 = 5;

#[derive(Debug, Clone)]
enum Step {
    Open(u32, Option<i64>),
    Record(u32, i64),
    End(u32),
    Later(u64),
    Look,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Open(partition, None) => write!(f, "open {partition}"),
            Step::Open(partition, Some(latest)) => {
                write!(f, "open {partition}, resumed at {latest}")
            }
            Step::Record(partition, time) => write!(f, "a record of {time} from {partition}"),
            Step::End(partition) => write!(f, "{partition} ends"),
            Step::Later(seconds) => write!(f, "{seconds}s later"),
            Step::Look => write!(f, "look"),
        }
    }
}

/// Everything that has come from a partition.
struct Known {
    number: u32,
    times: Vec<i64>,
    /// The second at which it was opened, and at which each record came.
    heard: Vec<u64>,
    ended: bool,
}

struct Partitions {
    watermarks: PartitionWatermarks,
    known: Vec<Known>,
    /// All that was ever returned.
    returned: Vec<i64>,
    second: u64,
}

impl Partitions {
    fn new() -> Partitions {
        Partitions {
            watermarks: watermarks(BOUND.unsigned_abs()),
            known: Vec::new(),
            returned: Vec::new(),
            second: 0,
        }
    }

    fn now(&self) -> Moment {
        Moment::after_start(Duration::from_secs(self.second))
    }

    fn get(&mut self, partition: u32) -> Option<&mut Known> {
        self.known
            .iter_mut()
            .find(|known| known.number == partition)
    }

    fn look(&mut self) -> Option<Difference> {
        let got = self.watermarks.progress(self.now());
        let second = self.second;
        let open = self.known.iter().filter(|known| !known.ended);
        let is_idle = |known: &&Known| known.heard.iter().all(|heard| second - heard >= IDLE_AFTER);
        let awaited: Vec<_> = open.clone().filter(|known| !is_idle(known)).collect();
        let latest = awaited.iter().map(|known| known.times.iter().max());
        let all_over = !self.known.is_empty() && open.clone().count() == 0;
        if all_over {
            self.returned.push(i64::MAX);
        } else if latest.clone().all(|latest| latest.is_some()) {
            let lowest = latest.flatten().min();
            self.returned.extend(lowest.map(|latest| latest - BOUND));
        }
        let highest = self.returned.iter().max();
        let expected = super::Progress {
            watermark: highest.copied().map(Timestamp),
            idle: !all_over && awaited.is_empty(),
        };
        differ("the progress", text(got), text(expected))
    }
}

impl Both for Partitions {
    type Step = Step;

    fn step(&mut self, step: &Step) -> Option<Difference> {
        let (now, second) = (self.now(), self.second);
        match step {
            Step::Open(partition, latest) => {
                let latest = latest.map(Timestamp);
                self.watermarks.open(now, *partition, latest);
                self.known.retain(|known| known.number != *partition);
                self.known.push(Known {
                    number: *partition,
                    times: latest.iter().map(|latest| latest.0).collect(),
                    heard: vec![second],
                    ended: false,
                });
            }
            Step::Record(partition, time) => {
                self.watermarks.observe(now, *partition, Timestamp(*time));
                if let Some(known) = self.get(*partition) {
                    known.times.push(*time);
                    known.heard.push(second);
                }
            }
            Step::End(partition) => {
                self.watermarks.end(*partition);
                if let Some(known) = self.get(*partition) {
                    known.ended = true;
                }
            }
            Step::Later(seconds) => self.second += seconds,
            Step::Look => return self.look(),
        }
        None
    }
}

#[test]
fn five_hundred_histories() {
    case!(
        "Whatever happens, the watermark is what a list of all records says, and never goes back.",
        || {
            for seed in 0..500 {
                check(None, Partitions::new, steps(&mut Rng::with_seed(seed)));
            }
        }
    );
}

fn steps(random: &mut Rng) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut time = 0;
    for _ in 0..60 {
        time += random.i64(0..6);
        let partition = random.u32(0..4);
        steps.push(match random.u8(0..100) {
            0..12 => Step::Open(partition, random.bool().then_some(time - random.i64(0..20))),
            12..50 => Step::Record(partition, time - random.i64(0..15)),
            50..53 => Step::End(partition),
            53..70 => Step::Later(random.u64(1..12)),
            _ => Step::Look,
        });
    }
    steps
}
