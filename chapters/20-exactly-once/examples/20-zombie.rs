//! Writes the trace of the page's moving figure of a zombie: a process is replaced, and its last
//! batch arrives when the reader wants.
//!
//! The coordinator is this chapter's. Each partition asks the rules that `mqd` asks, either all
//! of them or all but the fence.

#[expect(dead_code, reason = "four examples share it")]
#[path = "machine/mod.rs"]
mod machine;

use broker::{Check, ProducerRules, Producers};
use exactly_once::{
    AllProducers, Instance, Outcome, ProducerSettings, Rule, Rules, TransactionMetadata,
};
use figure_trace::{States, Story};
use machine::{Done, Machine};
use message_model::{LeaderEpoch, Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
use record_batch::{BatchHeader, EndTransaction, Marker};
use serde_json::{Value, json};

/// What a transfer adds to each account. The partition of an account has its number.
const TRANSFER: [i32; 2] = [-100, 100];
/// The attribute of a batch that belongs to a transaction.
const TRANSACTIONAL: i16 = 1 << 4;
/// How many steps the successor takes.
const STEPS: usize = 8;

/// What is in a partition's log.
#[derive(Clone, Copy)]
enum Entry {
    Record(i32),
    Marker(Outcome),
}

/// A partition: its log, with the epoch of each entry, and its rules.
struct Partition {
    producers: Box<dyn Producers>,
    log: Vec<(Entry, i16)>,
    /// First record and marker of each transaction that was aborted.
    aborted: Vec<(Offset, Offset)>,
}

impl Partition {
    fn new(rules: Rules) -> Partition {
        let settings = ProducerSettings {
            rules,
            ..ProducerSettings::default()
        };
        let partition = TopicPartition {
            topic: TopicName::new("accounts").expect("a name"),
            partition: PartitionIndex(0),
        };
        Partition {
            producers: AllProducers::new(settings).of_partition(&partition),
            log: Vec::new(),
            aborted: Vec::new(),
        }
    }

    /// The answer to a batch or a marker: 0, or the code with which it is refused.
    fn append(&mut self, producer: Instance, entry: Entry) -> i16 {
        let batch = header(producer, self.end());
        let end = match entry {
            Entry::Record(_) => None,
            Entry::Marker(outcome) => Some(EndTransaction {
                marker: match outcome {
                    Outcome::Commit => Marker::Commit,
                    Outcome::Abort => Marker::Abort,
                },
                coordinator_epoch: 0,
            }),
        };
        match self.producers.check(NOW, &batch, end) {
            Check::Append => {}
            Check::Refuse(code) => return code.0,
            Check::Duplicate { .. } => unreachable!("no batch comes twice"),
        }
        self.log.push((entry, producer.epoch.0));
        if let Some(ended) = self.producers.note(NOW, &batch, end) {
            self.aborted.push((ended.first, batch.base_offset));
        }
        0
    }

    fn end(&self) -> Offset {
        Offset::ZERO.plus(self.log.len() as i64)
    }

    /// What a reader of committed records adds up.
    fn committed(&self) -> i32 {
        let stable = self.producers.first_unstable().unwrap_or(self.end());
        let mut sum = 0;
        for (offset, (entry, _)) in (0..stable.0).map(Offset).zip(&self.log) {
            let counts = |(first, marker): &(Offset, Offset)| offset < *first || *marker < offset;
            if let (Entry::Record(amount), true) = (entry, self.aborted.iter().all(counts)) {
                sum += amount;
            }
        }
        sum
    }

    /// Such as `−100₀`, with the epoch.
    fn in_words(&self) -> Vec<String> {
        let word = |(entry, epoch): &(Entry, i16)| {
            let word = match entry {
                Entry::Record(amount) => signed(*amount),
                Entry::Marker(Outcome::Commit) => "COMMIT".to_owned(),
                Entry::Marker(Outcome::Abort) => "ABORT".to_owned(),
            };
            let epoch = ["₀", "₁", "₂"].get(usize::try_from(*epoch).unwrap_or(usize::MAX));
            format!("{word}{}", epoch.expect("there are three epochs"))
        };
        self.log.iter().map(word).collect()
    }
}

const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// The header of the producer's first batch in a partition. (A marker's is not much different.)
fn header(producer: Instance, base_offset: Offset) -> BatchHeader {
    BatchHeader {
        base_offset,
        batch_length: 100,
        leader_epoch: LeaderEpoch(0),
        magic: 2,
        crc: 0,
        attributes: TRANSACTIONAL,
        last_offset_delta: 0,
        base_timestamp: NOW,
        max_timestamp: NOW,
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        base_sequence: 0,
        record_count: 1,
    }
}

/// One order of what happens, and what has come of it.
struct History {
    machine: Machine,
    partitions: [Partition; 2],
    zombie: Instance,
    /// How many steps the successor has taken.
    steps: usize,
    last: &'static str,
    /// What the late batch was answered.
    late: Option<i16>,
}

impl History {
    /// The old process has written to the first partition. Its batch for the second is on its way.
    fn new(rules: Rules) -> History {
        let mut machine = Machine::new();
        machine.init();
        machine.settle();
        let mut history = History {
            zombie: machine.producer(),
            machine,
            partitions: [Partition::new(rules), Partition::new(rules)],
            steps: 0,
            last: "begins",
            late: None,
        };
        history.machine.add_both();
        history.settle();
        history.write(0);
        history
    }

    /// The process that counts writes its record to a partition.
    fn write(&mut self, index: usize) -> &'static str {
        let producer = self.machine.producer();
        let code = self.partitions[index].append(producer, Entry::Record(TRANSFER[index]));
        assert_eq!(code, 0, "no rule is against it");
        ["wrote A", "wrote B"][index]
    }

    /// The oldest work of the coordinator is done, in the partitions too.
    fn work(&mut self) -> bool {
        let producer = self.machine.producer();
        match self.machine.work() {
            None => return false,
            Some(Done::Stored) => {}
            Some(Done::Begun) => {
                for partition in &mut self.partitions {
                    let begun = partition.producers.begin(NOW, producer.id, producer.epoch);
                    assert_eq!(begun, Ok(()), "the newest epoch");
                }
            }
            Some(Done::Marked(index)) => {
                let Some(machine::Entry::Marker(outcome)) = self.machine.logs[index].last() else {
                    unreachable!("it was just marked");
                };
                let code = self.partitions[index].append(producer, Entry::Marker(*outcome));
                assert_eq!(code, 0, "a marker is always taken");
            }
        }
        true
    }

    fn settle(&mut self) {
        while self.work() {}
    }
}

impl Story for History {
    type Step = &'static str;

    fn moves(&self) -> Vec<&'static str> {
        let next = (self.steps < STEPS).then_some("next");
        let late = self.late.is_none().then_some("late");
        next.into_iter().chain(late).collect()
    }

    fn make(&mut self, step: &str) {
        if step == "late" {
            let code = self.partitions[1].append(self.zombie, Entry::Record(TRANSFER[1]));
            self.late = Some(code);
            self.last = match code {
                0 => "stored",
                _ => "refused",
            };
            return;
        }
        self.last = match self.steps {
            0 => {
                self.machine.init();
                self.work();
                "decided"
            }
            1 => {
                self.work();
                "marked A"
            }
            2 => {
                self.settle();
                "marked B"
            }
            3 => {
                self.machine.init();
                self.settle();
                "epoch"
            }
            4 => {
                self.machine.add_both();
                self.settle();
                "added"
            }
            5 => self.write(0),
            6 => self.write(1),
            _ => {
                self.machine.commit();
                self.settle();
                "committed"
            }
        };
        self.steps += 1;
    }

    fn is(&self) -> Value {
        let TransactionMetadata {
            producer, state, ..
        } = self.machine.id.metadata();
        let [log0, log1] = [0, 1].map(|index| self.partitions[index].in_words());
        let sums = [0, 1].map(|index| self.partitions[index].committed());
        let late = match self.late {
            None => "way".to_owned(),
            Some(code) => code.to_string(),
        };
        let verdict = match self.steps < STEPS {
            true => "open",
            false if sums == TRANSFER => "right",
            false => "wrong",
        };
        json!({
            "last": self.last, "late": late, "verdict": verdict,
            "state": state.name(), "epoch": producer.epoch.0,
            "log0": log0, "log1": log1, "sum0": signed(sums[0]), "sum1": signed(sums[1]),
        })
    }
}

/// `−100`, `0` or `+100`.
fn signed(amount: i32) -> String {
    match amount {
        ..0 => format!("−{}", -amount),
        0 => "0".to_owned(),
        1.. => format!("+{amount}"),
    }
}

/// Returns the trace: the late batch at each place, with the fence and without it.
pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let with = states.of(|| History::new(Rules::ALL));
    let without = states.of(|| History::new(Rules::ALL.without(Rule::Fence)));
    json!({"starts": {"with": with, "without": without}, "states": states.by_name()})
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("{}", trace());
}
