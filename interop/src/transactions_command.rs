//! What Kafka's `kafka-transactions` says about transactions in every state, and about one that
//! hangs.
//!
//! [`transcript`] brings a broker's transactions into these states and runs the tool's commands.
//! `interop/judge` stores what a fresh Kafka node gives as `interop/parity/kafka-transactions.txt`,
//! and a test compares what `mqd` gives. These are normalised:
//!
//! - Producer ids are called after their transactional ids.
//! - Times, and how long a transaction is open, become a word.
//! - Rows are sorted: Kafka's order comes from hash maps.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use async_model::Clock;
use kafka_protocol::messages::ApiKey;

use crate::clients::{java, kcat};
use crate::parity::batch::Batch;
use crate::parity::{Step, ask};
use crate::requests::{create, delete, production, topic};
use crate::session::{Session, run};
use crate::transaction_requests::{
    Instance, adding, end, find_transaction, initialising, instance, numbered, transaction,
    transactional,
};

const TOPIC: &str = "orders";
const COORDINATOR_LOG: &str = "__transaction_state";
/// Longer than all commands take, in milliseconds: no transaction is aborted meanwhile.
const TIMEOUT: i32 = 900_000;
/// The transactional ids. Each has the producer of its place in this list.
const IDS: [&str; 5] = ["committed", "aborted", "open", "forced", "lost"];

/// Columns with times.
const TIMES: [&str; 4] = [
    "LastTimestamp",
    "CurrentTransactionStartTimeMs",
    "TransactionDurationMs",
    "Duration(min)",
];

/// The commands while the coordinator knows all transactions. `{open}` is the producer id.
const KNOWN: &[&str] = &[
    "list",
    "list --duration-filter 600000",
    "list --transactional-id-pattern .*ed",
    "describe --transactional-id open",
    "describe --transactional-id committed",
    "describe --transactional-id nobody",
    "describe-producers --topic orders --partition 0",
    "describe-producers --topic orders --partition 1 --broker-id 1",
    "find-hanging --topic orders",
    "find-hanging --broker-id 1 --max-transaction-timeout 0",
    "abort --topic orders --partition 0 --start-offset 77",
    "abort --topic orders --partition 0 --start-offset 6",
    "describe-producers --topic orders --partition 0",
    "abort --topic orders --partition 1 --producer-id {open} --producer-epoch 0 \
     --coordinator-epoch 0",
    "find-hanging --topic orders --max-transaction-timeout 0",
    "describe --transactional-id open",
    "forceTerminateTransaction --transactionalId forced",
    "describe --transactional-id forced",
];

/// The commands when it has lost its log, and with it the transaction `lost`, which is open.
const HANGING: &[&str] = &[
    "list",
    "find-hanging --topic orders --max-transaction-timeout 0",
    "abort --topic orders --partition 2 --start-offset 0",
    "find-hanging --topic orders --max-transaction-timeout 0",
    "describe-producers --topic orders --partition 2",
];

/// The file of what Kafka says.
#[must_use]
pub fn stored() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/kafka-transactions.txt")
}

/// Every command with what it prints on a fresh broker at `address`.
///
/// # Errors
/// When the broker refuses what the commands are about, or a command cannot be run.
///
/// # Panics
/// When the tools are not installed.
pub fn transcript(address: SocketAddr) -> Result<String> {
    carry_out(address, &begin())?;
    let mut tool = Tool {
        address,
        producers: Vec::new(),
        said: String::new(),
    };
    tool.learn_producers()?;
    tool.run_all(KNOWN)?;
    tool.read_committed()?;
    carry_out(address, &[delete(&[COORDINATOR_LOG])])?;
    tool.run_all(HANGING)?;
    tool.read_committed()?;
    Ok(tool.said)
}

/// A transaction of each kind, with a record behind all of them in each partition.
fn begin() -> Vec<Step> {
    let mut steps = vec![create(vec![topic(TOPIC, 3, 1)])];
    for (number, id) in (0..).zip(IDS) {
        let begins = Step::new(4, &initialising(Some(id), TIMEOUT, None));
        steps.extend([find_transaction(id), begins.numbers(number)]);
        let producer = instance(number, 0);
        let partitions: &[i32] = match id {
            "open" => &[0, 1],
            "lost" => &[2],
            _ => &[0],
        };
        steps.push(Step::new(3, &adding(id, producer, &[(TOPIC, partitions)])));
        let writes = partitions
            .iter()
            .map(|partition| write(id, producer, *partition));
        steps.extend(writes);
        match id {
            "committed" => steps.push(end(id, producer, true)),
            "aborted" => steps.push(end(id, producer, false)),
            _ => {}
        }
    }
    let behind = now(numbered((-1, -1), -1, &["behind"]));
    let all = [0, 1, 2].map(|partition| produce(None, partition, &behind));
    steps.extend(all);
    steps
}

/// Two records of a transaction.
fn write(id: &str, producer: Instance, partition: i32) -> Step {
    let batch = now(transactional(producer, 0, &["one", "two"]));
    produce(Some(id), partition, &batch)
}

fn produce(id: Option<&str>, partition: i32, batch: &Batch) -> Step {
    let bytes = batch.bytes();
    let request = production(TOPIC, -1, &[(partition, Some(&bytes))]);
    Step::new(7, &request.with_transactional_id(id.map(transaction)))
}

/// The batch as if it was made now: how long a producer is silent is counted from then.
fn now(batch: Batch) -> Batch {
    let now = Clock::start().wall().0;
    batch.but(|batch| {
        batch.base_timestamp = now;
        batch.max_timestamp = now;
    })
}

/// Sends the requests; each must be accepted.
fn carry_out(address: SocketAddr, steps: &[Step]) -> Result<()> {
    for (step, answer) in steps.iter().zip(ask(address, TOPIC, steps)?) {
        let text = answer.to_string();
        let mut codes = text.split("\"error_code\":").skip(1);
        let refused = codes.any(|rest| !rest.starts_with('0'));
        // Kafka says first that there is no coordinator, and then makes one.
        let is_find = step.api == ApiKey::FindCoordinator as i16;
        ensure!(is_find || !refused, "refused: {answer}");
    }
    Ok(())
}

/// The tool, and everything that it has said.
struct Tool {
    address: SocketAddr,
    /// Producer ids with their transactional ids.
    producers: Vec<(String, &'static str)>,
    said: String,
}

impl Tool {
    fn learn_producers(&mut self) -> Result<()> {
        let (_, listed) = self.call("list")?;
        for id in IDS {
            let mut rows = listed.lines().map(cells);
            let row = rows.find(|row| row[0] == id).context("it is not listed")?;
            self.producers.push((row[2].to_owned(), id));
        }
        Ok(())
    }

    fn run_all(&mut self, commands: &[&str]) -> Result<()> {
        for command in commands {
            let (status, text) = self.call(command)?;
            writeln!(self.said, "$ kafka-transactions {command}")?;
            self.said.push_str(&self.normalised(&text));
            if status != 0 {
                writeln!(self.said, "(status {status})")?;
            }
            self.said.push('\n');
        }
        Ok(())
    }

    /// The status of a command, and its stdout; or its stderr, if it fails.
    fn call(&self, command: &str) -> Result<(i32, String)> {
        let mut filled = command.to_owned();
        for (producer, id) in &self.producers {
            filled = filled.replace(&format!("{{{id}}}"), producer);
        }
        let mut tool = java("org.apache.kafka.tools.TransactionsCommand");
        tool.args(["--bootstrap-server", &self.address.to_string()]);
        tool.args(filled.split_whitespace());
        let (status, lines, errors) = Session::start(tool)?.end()?;
        let status = status.code().context("it was killed")?;
        Ok((status, if status == 0 { lines.concat() } else { errors }))
    }

    /// What a reader of committed records finds.
    fn read_committed(&mut self) -> Result<()> {
        let mut reader = kcat(self.address);
        reader.args(["-C", "-q", "-e", "-t", TOPIC, "-o", "beginning"]);
        reader.args(["-f", "%p/%o %s\\n", "-X", "isolation.level=read_committed"]);
        let text = run(reader, b"")?;
        writeln!(self.said, "$ kcat -X isolation.level=read_committed")?;
        writeln!(self.said, "{}", sorted(text.lines().map(str::to_owned)))?;
        Ok(())
    }

    /// A table, or a message; see the normalisation at the top.
    fn normalised(&self, text: &str) -> String {
        let mut lines = text.lines();
        let Some(first) = lines.next() else {
            return String::new();
        };
        let names = cells(first);
        let rows = lines.map(|line| {
            let cells = cells(line);
            let cells = names
                .iter()
                .zip(&cells)
                .map(|(name, cell)| self.cell(name, cell));
            cells.collect::<Vec<_>>().join(" | ")
        });
        format!("{}\n{}", names.join(" | "), sorted(rows))
    }

    fn cell(&self, column: &str, cell: &str) -> String {
        let producer = self.producers.iter().find(|(producer, _)| producer == cell);
        match producer {
            Some((_, id)) if column == "ProducerId" => format!("(producer of {id})"),
            _ if TIMES.contains(&column) && cell.parse::<u64>().is_ok() => "(a time)".to_owned(),
            _ => cell.to_owned(),
        }
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_end().split('\t').map(str::trim_end).collect()
}

fn sorted(lines: impl Iterator<Item = String>) -> String {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines.iter().map(|line| format!("{line}\n")).collect()
}
