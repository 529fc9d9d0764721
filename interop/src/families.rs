//! Families of Kafka clients, and what each of them can do with a broker.
//!
//! A family is a client in a version; it has a program (`interop/clients/features`)
//! that tries one feature and exits with 0, or with 3 when the client has no such
//! feature, or with 1. The features are described in that folder's README.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_model::Clock;
use mqd_guard::Mqd;
use serde::{Deserialize, Serialize};

use crate::clients::{here, installed, java};
use crate::kafka::Kafka;

/// All features, in the order of the table.
pub const FEATURES: [&str; 21] = [
    "topics",
    "configs",
    "partitions",
    "acks",
    "records",
    "codecs",
    "idempotent",
    "large",
    "many-partitions",
    "seek-time",
    "delete-records",
    "commit",
    "group",
    "static",
    "cooperative",
    "regex",
    "group-admin",
    "transaction",
    "fencing",
    "transactional-offsets",
    "transaction-timeout",
];

/// How long one feature may take.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What a program exits with when its client has no such feature.
const LACKING: i32 = 3;

/// A Kafka client in a version.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name, as in the table.
    pub name: &'static str,
    /// Its program.
    program: Program,
}

#[derive(Debug, Clone, Copy)]
enum Program {
    /// The packages of a file in `clients/requirements`, and a script.
    Python(&'static str, &'static str),
    /// A client of `interop-go`.
    Go(&'static str),
    Java,
    Node,
    /// A program of its own.
    Binary(&'static str),
}

/// All families, in the order of the table.
pub const FAMILIES: &[Family] = &[
    family("Java client 4.3", Program::Java),
    family(
        "confluent-kafka 2.16",
        Program::Python("confluent-kafka-2.16.1", "confluent.py"),
    ),
    family(
        "confluent-kafka 2.3",
        Program::Python("confluent-kafka-2.3.0", "confluent.py"),
    ),
    family(
        "rdkafka (Rust) 0.39",
        Program::Binary("rust/interop-rdkafka"),
    ),
    family("franz-go 1.22", Program::Go("franz-go")),
    family("sarama 1.61", Program::Go("sarama")),
    family("kafka-go 0.4", Program::Go("kafka-go")),
    family(
        "kafka-python 3.0",
        Program::Python("kafka-python-3.0.12", "kafka_python.py"),
    ),
    family(
        "kafka-python 2.2",
        Program::Python("kafka-python-2.2.15", "kafka_python.py"),
    ),
    family(
        "aiokafka 0.14",
        Program::Python("aiokafka-0.14.0", "aiokafka_client.py"),
    ),
    family("kafkajs 2.2", Program::Node),
];

const fn family(name: &'static str, program: Program) -> Family {
    Family { name, program }
}

/// What became of trying a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It works; the remark says with what exception.
    Works {
        /// Empty, or what the client cannot do of it.
        remark: String,
    },
    /// The client has no such feature; why.
    Lacking(String),
    /// It does not work; the end of what the program printed.
    Fails(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Works { remark } if remark.is_empty() => f.write_str("works"),
            Outcome::Works { remark } => write!(f, "works: {remark}"),
            Outcome::Lacking(why) => write!(f, "lacking: {why}"),
            Outcome::Fails(end) => write!(f, "FAILS: {end}"),
        }
    }
}

impl Family {
    fn command(&self) -> Command {
        let features = here().join("clients/features");
        match self.program {
            Program::Python(packages, script) => {
                let mut command = Command::new(installed(&format!("python/{packages}/bin/python")));
                command.arg(features.join(script));
                command
            }
            Program::Go(client) => {
                let mut command = Command::new(installed("go/interop-go"));
                command.arg(client);
                command
            }
            Program::Java => java("Features"),
            Program::Node => {
                let mut command = Command::new("node");
                command.arg(installed("node/kafkajs.js"));
                command
            }
            Program::Binary(path) => Command::new(installed(path)),
        }
    }

    /// Tries `feature` on the broker at `address`.
    ///
    /// # Errors
    /// When the program cannot be started.
    ///
    /// # Panics
    /// When it is not installed.
    pub fn try_feature(&self, feature: &str, address: SocketAddr) -> Result<Outcome> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("f{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir()?;
        let (out, error) = (folder.path().join("out"), folder.path().join("error"));
        let mut child = self
            .command()
            .args([&address.to_string(), feature, &prefix])
            .stdout(fs::File::create(&out)?)
            .stderr(fs::File::create(&error)?)
            .spawn()
            .with_context(|| format!("cannot start the program of {}", self.name))?;
        let clock = Clock::start();
        let start = clock.now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if clock.now().since(start) > PATIENCE {
                child.kill()?;
                child.wait()?;
                let end = last_lines(&fs::read_to_string(&error)?);
                return Ok(Outcome::Fails(format!("no end within {PATIENCE:?}\n{end}")));
            }
            thread::sleep(LOOK_EVERY);
        };
        let printed = fs::read_to_string(&out)?.trim().to_owned();
        Ok(match status.code() {
            Some(0) => Outcome::Works { remark: printed },
            Some(LACKING) => Outcome::Lacking(printed),
            _ => Outcome::Fails(last_lines(&fs::read_to_string(&error)?)),
        })
    }
}

impl Family {
    fn try_features(
        &self,
        start: impl Fn() -> Result<Broker>,
        features: &[&'static str],
    ) -> Result<BTreeMap<String, String>> {
        let broker = start()?;
        let mut outcomes = BTreeMap::new();
        for feature in features {
            let clock = Clock::start();
            let begun = clock.now();
            let mut outcome = self.try_feature(feature, broker.address())?;
            if matches!(outcome, Outcome::Fails(_)) {
                println!("{}, {feature}, first of two attempts: {outcome}", self.name);
                // What the first one left behind is no matter of the second one.
                outcome = self.try_feature(feature, start()?.address())?;
            }
            let seconds = clock.now().since(begun).as_secs_f32();
            println!("{:22} {feature:16} {seconds:5.1} s  {outcome}", self.name);
            // What a failure prints differs from run to run.
            let shown = match outcome {
                Outcome::Fails(_) => "FAILS".to_owned(),
                other => other.to_string(),
            };
            outcomes.insert((*feature).to_owned(), shown);
        }
        Ok(outcomes)
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// What is known of all families; `interop/families.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Known {
    /// When all of it was tried last, as `2026-11-28`.
    pub date: String,
    /// By family and feature: `works`, `works: …` or `lacking: …`.
    pub families: BTreeMap<String, BTreeMap<String, String>>,
}

impl Known {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not there, or not readable.
    pub fn read() -> Result<Known> {
        let path = Known::path();
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// As the disk says.
    pub fn write(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(fs::write(Known::path(), text)?)
    }

    fn path() -> PathBuf {
        here().join("families.json")
    }

    /// Returns what was seen and is not known, a line for each; empty if there is nothing.
    #[must_use]
    pub fn differences(&self, seen: &BTreeMap<String, BTreeMap<String, String>>) -> String {
        let mut lines = String::new();
        for (family, outcomes) in seen {
            for (feature, outcome) in outcomes {
                let known = self.families.get(family).and_then(|all| all.get(feature));
                if known != Some(outcome) {
                    let known = known.map_or("nothing", String::as_str);
                    let _ = writeln!(lines, "{family}, {feature}: {outcome}; known is: {known}");
                }
            }
        }
        lines
    }

    /// Returns the table of the README: a row per feature, a column per family, and the
    /// remarks below it.
    #[must_use]
    pub fn table(&self) -> String {
        let mut remarks: Vec<&str> = Vec::new();
        let mut text = format!("Tried on {}, with `interop/all`:\n\n| |", self.date);
        for family in FAMILIES {
            let _ = write!(text, " {} |", family.name);
        }
        text.push_str("\n|---|");
        text.push_str(&":-:|".repeat(FAMILIES.len()));
        for feature in FEATURES {
            let _ = write!(text, "\n| {feature} |");
            for family in FAMILIES {
                let outcome = self.families.get(family.name);
                let outcome = outcome.and_then(|all| all.get(feature));
                let outcome = outcome.map_or("FAILS", String::as_str);
                let (mark, remark) = match outcome.split_once(": ") {
                    Some(("works", remark)) => ("✓", Some(remark)),
                    Some((_, why)) => ("–", Some(why)),
                    None if outcome == "works" => ("✓", None),
                    None => ("✗", None),
                };
                let number = remark.map(|remark| {
                    let known = remarks.iter().position(|known| *known == remark);
                    known.unwrap_or_else(|| {
                        remarks.push(remark);
                        remarks.len() - 1
                    }) + 1
                });
                let number = number.map_or(String::new(), |number| format!(" {number}"));
                let _ = write!(text, " {mark}{number} |");
            }
        }
        text.push_str("\n\n✓ works, – the client has no such feature. The numbers:\n\n");
        for (index, remark) in remarks.iter().enumerate() {
            let _ = writeln!(text, "{}. {remark}", index + 1);
        }
        text
    }
}

/// A broker to try on.
#[derive(Debug)]
pub enum Broker {
    /// Ours.
    Mqd(Mqd),
    /// Apache Kafka, to see that the programs are right.
    Kafka(Kafka),
}

/// So that a rebalance takes as long as it takes, and not three seconds more.
const SETTINGS: [(&str, &str); 1] = [("group.initial.rebalance.delay.ms", "100")];

impl Broker {
    /// Starts `mqd`, the binary at this path.
    ///
    /// # Errors
    /// When it does not start.
    pub fn mqd(binary: &Path) -> Result<Broker> {
        let mut options = Mqd::options(binary.to_owned());
        for (name, value) in SETTINGS {
            options = options.set(name, value);
        }
        Ok(Broker::Mqd(options.start()?))
    }

    /// Starts a node of Kafka.
    ///
    /// # Errors
    /// When it does not start.
    pub fn kafka() -> Result<Broker> {
        Ok(Broker::Kafka(Kafka::start(&SETTINGS)?))
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match self {
            Broker::Mqd(mqd) => mqd.address(),
            Broker::Kafka(kafka) => kafka.address(),
        }
    }
}

/// How many families are tried at a time; their programs wait more than they work.
const AT_A_TIME: usize = 3;

/// Tries each of the features with each of the families, each on a broker of its own, and
/// prints a line for each. What fails is tried a second time, on another broker: clients
/// have time limits of their own, and a busy machine may exceed them.
///
/// # Errors
/// When a broker or a program does not start.
///
/// # Panics
/// When something is not installed.
pub fn try_all(
    start: impl Fn() -> Result<Broker> + Sync,
    families: &[Family],
    features: &[&'static str],
) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let next = AtomicUsize::new(0);
    let seen = Mutex::new(BTreeMap::new());
    let work = || -> Result<()> {
        while let Some(family) = families.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcomes = family.try_features(&start, features)?;
            let mut seen = seen.lock().expect("no thread panics with it");
            seen.insert(family.name.to_owned(), outcomes);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("what failed has been printed"))
    })?;
    Ok(seen.into_inner().expect("all threads have ended"))
}
