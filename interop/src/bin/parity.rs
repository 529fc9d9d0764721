//! Judges the corpus by a Kafka node, and shows how mqd's answers differ.
//!
//! See `interop/judge`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use interop::kafka::Kafka;
use interop::parity::{self, Judged, Replayed};
use interop::parity::{ask, corpus, replay};
use interop::transactions_command;
use mqd_guard::Mqd;

/// The part of the judgement that is a tool's and not an exchange's.
const TRANSACTIONS_COMMAND: &str = "kafka-transactions";

const USAGE: &str = "parity judge [PART ...] | compare MQD | table MQD";

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("parity");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["judge", parts @ ..] => judge(&folder, parts),
        ["compare", mqd] => {
            let rows = differences(&folder, mqd)?;
            print!("{}{}", listing(&rows), unused(&folder, &rows)?);
            println!("compared: {}", count(&all_stored(&folder)?));
            Ok(())
        }
        ["table", mqd] => {
            let text = table(&differences(&folder, mqd)?);
            fs::write("target/interop/differences.md", text).context("writing the table")
        }
        _ => bail!("{USAGE}"),
    }
}

/// Stores what Kafka answers to the corpus, or to some parts of it.
fn judge(folder: &Path, parts: &[&str]) -> Result<()> {
    let is_wanted = |part: &str| parts.is_empty() || parts.contains(&part);
    judge_exchanges(folder, is_wanted)?;
    if is_wanted(TRANSACTIONS_COMMAND) {
        // Another node: it lists the transactions of all ids, and deletes the coordinator's log.
        let kafka = Kafka::start(&parity::KAFKA_SETTINGS)?;
        let said = transactions_command::transcript(kafka.address())?;
        fs::write(transactions_command::stored(), said)?;
    }
    println!("all: {}", count(&all_stored(folder)?));
    Ok(())
}

fn judge_exchanges(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<()> {
    let kafka = Kafka::start(&parity::KAFKA_SETTINGS)?;
    for (part, exchanges) in corpus::all() {
        if !is_wanted(part) {
            continue;
        }
        let mut judged = Vec::new();
        for exchange in &exchanges {
            let answers = ask(kafka.address(), exchange.name, &exchange.steps)
                .with_context(|| format!("{part}/{}", exchange.name))?;
            judged.push(Judged::new(exchange, answers));
        }
        parity::write(&folder.join(format!("{part}.exchanges.json")), &judged)?;
        println!("{part}: {}", count(&judged));
    }
    Ok(())
}

fn count(judged: &[Judged]) -> String {
    let requests: usize = judged.iter().map(|one| one.steps.len()).sum();
    format!("{} exchanges, {requests} requests", judged.len())
}

fn all_stored(folder: &Path) -> Result<Vec<Judged>> {
    let mut all = Vec::new();
    for path in parity::files(folder)? {
        all.extend(parity::read(&path)?);
    }
    Ok(all)
}

fn differences(folder: &Path, mqd: &str) -> Result<Vec<Replayed>> {
    let mqd = start(mqd)?;
    let meant = parity::deliberate(folder)?;
    let mut rows = Vec::new();
    for path in parity::files(folder)? {
        let judged = parity::read(&path)?;
        rows.extend(replay(mqd.address(), &path, &judged, &meant)?);
    }
    Ok(rows)
}

fn start(binary: &str) -> Result<Mqd> {
    let mut options = Mqd::options(PathBuf::from(binary));
    for (name, value) in parity::MQD_SETTINGS {
        options = options.set(name, value);
    }
    options.start()
}

/// What is not meant, a line each.
fn listing(rows: &[Replayed]) -> String {
    let mut text = String::new();
    let open: Vec<&Replayed> = rows.iter().filter(|row| row.because.is_none()).collect();
    for row in &open {
        let difference = &row.difference;
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{} [{}] {}: Kafka {}, mqd {}",
            row.exchange, row.step, difference.path, difference.kafka, difference.mqd
        );
    }
    let _ = writeln!(
        text,
        "{} differences, {} of them deliberate",
        rows.len(),
        rows.len() - open.len()
    );
    text
}

/// Reasons for differences that are gone, a line each.
fn unused(folder: &Path, rows: &[Replayed]) -> Result<String> {
    let mut text = String::new();
    for meant in parity::deliberate(folder)? {
        let used = |row: &Replayed| meant.covers(&row.exchange, row.step, &row.difference);
        if !rows.iter().any(used) {
            let _ = writeln!(
                text,
                "no longer differs: {} {:?}",
                meant.exchange, meant.paths
            );
        }
    }
    Ok(text)
}

fn table(rows: &[Replayed]) -> String {
    let mut text = String::from(
        "# Where mqd's answers are not Kafka's\n\n\
         Generated by `interop/judge table`. A row without a reason is a bug.\n\n\
         | exchange | step | field | Kafka | mqd | reason |\n|---|--:|---|---|---|---|\n",
    );
    for row in rows {
        let short = |value: &serde_json::Value| {
            let text = value.to_string().replace('|', "\\|");
            match text.char_indices().nth(60) {
                Some((cut, _)) => format!("`{}`…", &text[..cut]),
                None => format!("`{text}`"),
            }
        };
        let difference = &row.difference;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            row.exchange,
            row.step,
            difference.path,
            short(&difference.kafka),
            short(&difference.mqd),
            row.because.as_deref().unwrap_or("**none**")
        );
    }
    let mut seen = std::collections::BTreeMap::new();
    for row in rows {
        seen.entry(&row.exchange).or_insert(&row.about);
    }
    text.push_str("\nWhat these exchanges ask:\n\n");
    for (exchange, about) in seen {
        let _ = writeln!(text, "- `{exchange}`: {about}");
    }
    text
}
