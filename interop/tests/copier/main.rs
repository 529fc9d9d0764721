//! Kafka's own `TransactionalMessageCopier` on `mqd`: copiers move the messages of a topic into
//! another one, in transactions that hold the offsets too, while copiers and `mqd` are killed.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself does"
)]

use std::fmt::Write as _;
use std::process::Command;

use async_model::Clock;
use interop::{Session, java, kcat, mqd_binary, run};
use mqd_guard::{Mqd, Port};

const PARTITIONS: usize = 4;
const INPUT: &str = "input";
const OUTPUT: &str = "output";
/// How long a copier that was killed may keep its transaction open: a new copier reads the
/// group's offsets before it ends the old one's transaction.
const TRANSACTION_TIMEOUT_MS: &str = "6000";

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Copier,
    Mqd,
    Both,
}

const VICTIMS: [Victim; 4] = [Victim::Copier, Victim::Mqd, Victim::Copier, Victim::Both];

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
struct Plan {
    messages: usize,
    per_transaction: usize,
    kills: usize,
    /// Whether the copiers share the partitions as a group; or each has one of its own.
    group: bool,
    seed: u64,
}

/// Copiers at work.
struct Copying {
    plan: Plan,
    mqd: Mqd,
    /// `None` of a copier that has ended its work.
    copiers: Vec<Option<Session>>,
    /// Everything that is written to the output, aborted or not.
    observer: Session,
    observed: usize,
    /// The last message of those.
    last: String,
    /// Copiers that were killed at work.
    killed: usize,
    /// Copiers that have ended with an error.
    failures: usize,
}

impl Copying {
    fn start(plan: Plan) -> Copying {
        let mqd = Mqd::options(mqd_binary())
            .set("group.initial.rebalance.delay.ms", "100")
            .stable_port()
            .start()
            .unwrap();
        for topic in [INPUT, OUTPUT] {
            let mut create = Command::new(mqd_binary());
            create.args(["topics", "create", topic]);
            create.args(["--partitions", &PARTITIONS.to_string()]);
            create.args(["--bootstrap", &mqd.address().to_string()]);
            run(create, b"").unwrap();
        }
        for partition in 0..PARTITIONS {
            let sent = messages(partition, plan).fold(String::new(), |mut sent, message| {
                writeln!(sent, "{message}").unwrap();
                sent
            });
            let mut producer = kcat(mqd.address());
            producer.args(["-P", "-t", INPUT, "-p", &partition.to_string()]);
            run(producer, sent.as_bytes()).unwrap();
        }
        let mut observer = kcat(mqd.address());
        observer.args(["-C", "-E", "-u", "-q", "-t", OUTPUT, "-o", "beginning"]);
        observer.args(["-X", "isolation.level=read_uncommitted"]);
        // It is soon back when `mqd` is.
        observer.args(["-X", "reconnect.backoff.max.ms=100"]);
        let mut copying = Copying {
            plan,
            mqd,
            copiers: Vec::new(),
            observer: Session::start(observer).unwrap(),
            observed: 0,
            last: String::new(),
            killed: 0,
            failures: 0,
        };
        copying.copiers = (0..PARTITIONS)
            .map(|number| Some(copying.copier(number)))
            .collect();
        copying
    }

    fn copier(&self, number: usize) -> Session {
        let mut command = java("org.apache.kafka.tools.TransactionalMessageCopier");
        command.args(["--broker-list", &self.mqd.address().to_string()]);
        command.args(["--input-topic", INPUT, "--output-topic", OUTPUT]);
        command.args(["--input-partition", &number.to_string()]);
        command.args(["--transactional-id", &format!("copier-{number}")]);
        command.args(["--consumer-group", "copiers", "--enable-random-aborts"]);
        command.args(["--transaction-timeout", TRANSACTION_TIMEOUT_MS]);
        let size = self.plan.per_transaction.to_string();
        command.args(["--transaction-size", &size]);
        if self.plan.group {
            command.args(["--group-mode", "--use-group-metadata"]);
        }
        Session::start(command).unwrap()
    }

    /// Waits until so many messages were written, aborted or not.
    fn observe(&mut self, until: usize) {
        while self.observed < until {
            self.last = self.observer.line().unwrap();
            self.observed += 1;
            self.look_after_copiers();
        }
    }

    /// Starts copiers again that have ended with an error.
    fn look_after_copiers(&mut self) {
        for number in 0..self.copiers.len() {
            let runs = self.copiers[number].as_mut().map(Session::still_runs);
            if runs == Some(false) {
                self.await_end(number);
            }
        }
    }

    /// Waits until the copier ends; if it does with an error, another one does its work.
    fn await_end(&mut self, number: usize) {
        let Some(copier) = self.copiers[number].take() else {
            return;
        };
        if let Err(error) = copier.finish() {
            self.failures += 1;
            println!("copier {number} ended by itself: {error:#}");
            assert!(self.failures <= self.plan.kills, "too many copiers fail");
            self.copiers[number] = Some(self.copier(number));
        }
    }

    /// Kills the copier of the partition that was written last, or else one that is still at work,
    /// if there is any, and starts a new one. (Of a group, that is any of them.)
    fn kill_copier(&mut self) {
        let (partition, _) = self.last.split_once('-').unwrap();
        let first: usize = partition.parse().unwrap();
        let mut numbers = (first..first + PARTITIONS).map(|number| number % PARTITIONS);
        if let Some(number) = numbers.find(|number| self.copiers[*number].is_some()) {
            drop(self.copiers[number].take());
            self.copiers[number] = Some(self.copier(number));
            self.killed += 1;
        }
    }

    fn kill(&mut self, victim: Victim) {
        if victim != Victim::Copier {
            self.mqd.kill_9().unwrap();
        }
        if victim != Victim::Mqd {
            self.kill_copier();
        }
        if victim != Victim::Copier {
            self.mqd.restart(Port::Same).unwrap();
        }
    }

    /// What a reader of this level finds in a partition of the output.
    fn output(&self, partition: usize, level: &str) -> Vec<String> {
        let mut command = kcat(self.mqd.address());
        command.args(["-C", "-q", "-e", "-t", OUTPUT, "-o", "beginning"]);
        command.args(["-p", &partition.to_string()]);
        command.args(["-X", &format!("isolation.level={level}")]);
        let text = run(command, b"").unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// What the input holds in a partition.
fn messages(partition: usize, plan: Plan) -> impl Iterator<Item = String> {
    (0..plan.messages / PARTITIONS).map(move |number| format!("{partition}-{number}"))
}

/// Lets copiers move all messages while they and `mqd` are killed: each message is in the output
/// once, in the order of the input.
fn copies_exactly_once(plan: Plan) {
    println!("{plan:?}");
    let clock = Clock::start();
    let begun = clock.now();
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut copying = Copying::start(plan);
    let between = plan.messages / (plan.kills + 1);
    for kill in 0..plan.kills {
        copying.observe(kill * between + random.usize(between / 2..between));
        let victim = VICTIMS[kill % VICTIMS.len()];
        copying.kill(victim);
        let seconds = clock.now().since(begun).as_secs_f32();
        println!(
            "{seconds:5.1} s, behind message {}: {victim:?}",
            copying.observed
        );
    }
    while copying.copiers.iter().any(Option::is_some) {
        for number in 0..PARTITIONS {
            copying.await_end(number);
        }
    }
    let mut written = 0;
    for partition in 0..PARTITIONS {
        let expected: Vec<String> = messages(partition, plan).collect();
        let found = copying.output(partition, "read_committed");
        assert!(
            found == expected,
            "partition {partition}: {} messages of {}; the first other one is {:?}",
            found.len(),
            expected.len(),
            found.iter().zip(&expected).find(|(a, b)| a != b)
        );
        written += copying.output(partition, "read_uncommitted").len();
    }
    println!(
        "{} messages in {:.0} s, each once; {} kills, {} of them of copiers at work; {} messages \
         of aborted transactions; {} copiers ended with an error",
        plan.messages,
        clock.now().since(begun).as_secs_f32(),
        plan.kills,
        copying.killed,
        written - plan.messages,
        copying.failures
    );
    assert!(copying.killed > 0, "no copier was killed at work");
    assert!(written > plan.messages, "no transaction was aborted");
}

#[test]
fn each_message_is_copied_once_under_kills() {
    copies_exactly_once(Plan {
        messages: 5_000,
        per_transaction: 20,
        kills: 4,
        group: false,
        seed: 1,
    });
}

#[test]
#[ignore = "takes minutes; run it with interop/copier"]
fn a_hundred_thousand_messages_are_copied_once_each() {
    copies_exactly_once(Plan {
        messages: 100_000,
        per_transaction: 50,
        kills: 30,
        group: false,
        seed: 2,
    });
}

#[test]
#[ignore = "takes minutes; run it with interop/copier"]
fn a_group_of_copiers_copies_a_hundred_thousand_messages_once_each() {
    copies_exactly_once(Plan {
        messages: 100_000,
        per_transaction: 50,
        kills: 12,
        group: true,
        seed: 3,
    });
}
