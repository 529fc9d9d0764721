//! Sends the stored exchanges to `mqd` and compares its answers with Kafka's.
//! Needs no Kafka: `interop/judge` has asked it.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself does"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use interop::mqd_binary;
use interop::parity::{
    Course, Exchange, Judged, MQD_SETTINGS, compare, corpus, deliberate, files, read, replay,
};
use mqd_guard::Mqd;
use serde_json::{Value, json};
use wire_protocol::ApiKey;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("parity")
}

fn start_mqd() -> Mqd {
    let mut options = Mqd::options(mqd_binary());
    for (name, value) in MQD_SETTINGS {
        options = options.set(name, value);
    }
    options.start().unwrap()
}

/// Every difference of `exchanges` that has no reason.
fn unexplained(mqd: &Mqd, path: &Path, exchanges: &[Judged]) -> Vec<String> {
    let meant = deliberate(&folder()).unwrap();
    let found = replay(mqd.address(), path, exchanges, &meant).unwrap();
    let found = found.into_iter().filter(|one| one.because.is_none());
    found
        .map(|one| {
            format!(
                "{} [{}] {}: Kafka {}, mqd {}",
                one.exchange,
                one.step,
                one.difference.path,
                one.difference.kafka,
                one.difference.mqd
            )
        })
        .collect()
}

macro_rules! parts {
    ($($test:ident: $file:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                let path = folder().join(concat!($file, ".exchanges.json"));
                let found = unexplained(&start_mqd(), &path, &read(&path).unwrap());
                assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
            }
        )*

        #[test]
        fn every_file_is_replayed() {
            let expected: Vec<PathBuf> = [$(concat!($file, ".exchanges.json")),*]
                .map(|name| folder().join(name))
                .into();
            assert_eq!(files(&folder()).unwrap(), expected);
        }
    };
}

parts! {
    alter_configs: "alter-configs",
    configs: "configs",
    create_topics: "create-topics",
    delete_topics: "delete-topics",
    fetch: "fetch",
    framing: "framing",
    group_admin: "group-admin",
    group_joins: "group-joins",
    group_members: "group-members",
    group_offsets: "group-offsets",
    group_rebalances: "group-rebalances",
    group_refusals: "group-refusals",
    group_timeouts: "group-timeouts",
    later_versions: "later-versions",
    list_offsets: "list-offsets",
    log_dirs: "log-dirs",
    metadata: "metadata",
    null_lists: "null-lists",
    one_broker: "one-broker",
    operations: "operations",
    produce_batches: "produce-batches",
    produce: "produce",
    refusals: "refusals",
    transaction_offsets: "transaction-offsets",
    transaction_records: "transaction-records",
    transaction_refusals: "transaction-refusals",
    transactions: "transactions",
    versions: "versions",
}

fn all_stored() -> Vec<(PathBuf, Vec<Judged>)> {
    let files = files(&folder()).unwrap().into_iter();
    files
        .map(|path| {
            let judged = read(&path).unwrap();
            (path, judged)
        })
        .collect()
}

#[test]
fn the_stored_requests_are_those_of_the_corpus() {
    for (part, exchanges) in corpus::all() {
        let stored = read(&folder().join(format!("{part}.exchanges.json"))).unwrap();
        let frames = |judged: &Judged| -> Vec<(Vec<u8>, Course)> {
            let steps = judged.requests().unwrap();
            steps
                .into_iter()
                .map(|step| (step.frame, step.course))
                .collect()
        };
        let stored: Vec<_> = stored
            .iter()
            .map(|judged| (judged.name.clone(), frames(judged)))
            .collect();
        let made = |exchange: &Exchange| -> Vec<(Vec<u8>, Course)> {
            let steps = exchange.steps.iter();
            steps
                .map(|step| (step.frame.clone(), step.course.clone()))
                .collect()
        };
        let made: Vec<_> = exchanges
            .iter()
            .map(|exchange| (exchange.name.to_owned(), made(exchange)))
            .collect();
        assert!(stored == made, "{part} has changed: run `interop/judge`");
    }
}

#[test]
fn every_deliberate_difference_is_of_an_exchange() {
    let mut names = Vec::new();
    for (path, all) in all_stored() {
        names.extend(all.iter().map(|judged| judged.full_name(&path)));
    }
    for meant in deliberate(&folder()).unwrap() {
        assert!(
            meant.exchange == "*" || names.contains(&meant.exchange),
            "{} is no exchange",
            meant.exchange
        );
        assert!(!meant.because.is_empty(), "{}", meant.exchange);
    }
}

#[test]
fn the_book_names_exchanges_and_counts_them() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src/differences.md");
    let book = fs::read_to_string(book).unwrap();
    let stored = all_stored();
    let exchanges: usize = stored.iter().map(|(_, all)| all.len()).sum();
    let all = stored.iter().flat_map(|(_, all)| all);
    let requests: usize = all.map(|judged| judged.steps.len()).sum();
    let thousands = format!("{},{:03}", requests / 1_000, requests % 1_000);
    let counted = format!("{exchanges} short *exchanges* with {thousands} requests");
    assert!(book.contains(&counted), "the book does not say: {counted}");
    for meant in deliberate(&folder()).unwrap() {
        let named = format!("`{}`", meant.exchange);
        assert!(book.contains(&named), "the book has no row with {named}");
    }
}

#[test]
fn every_version_that_is_served_is_asked_for() {
    let mut asked = BTreeSet::new();
    for (_, exchanges) in all_stored() {
        let steps = exchanges.iter().flat_map(|judged| &judged.steps);
        asked.extend(steps.map(|step| (step.api, step.version)));
    }
    for api in ApiKey::ALL {
        for version in api.versions() {
            let is_asked = asked.contains(&(*api as i16, version));
            assert!(is_asked, "no exchange has {api:?} {version}");
        }
    }
}

/// The fields of `value`, each as the way to it.
fn leaves(value: &Value, path: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(entries) => entries
            .iter()
            .map(|(name, one)| (name.clone(), one))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(number, one)| (number.to_string(), one))
            .collect(),
        _ => return vec![path.to_owned()],
    };
    let below = below.into_iter();
    below
        .flat_map(|(name, one)| leaves(one, &format!("{path}/{name}")))
        .collect()
}

/// `value` with another value at `path`.
fn spoiled(value: &Value, path: &str) -> Value {
    let mut spoiled = value.clone();
    *spoiled.pointer_mut(path).unwrap() = json!("spoiled");
    spoiled
}

#[test]
fn every_stored_field_is_compared() {
    let mut fields = 0;
    for (path, exchanges) in all_stored() {
        for judged in exchanges {
            for (step, stored) in judged.steps.iter().enumerate() {
                for leaf in leaves(&stored.kafka, "") {
                    let other = spoiled(&stored.kafka, &leaf);
                    let found = compare(&other, &stored.kafka);
                    let name = judged.full_name(&path);
                    assert_eq!(found.len(), 1, "{name} [{step}] {leaf}");
                    fields += 1;
                }
            }
        }
    }
    assert!(fields > 10_000, "{fields} fields");
}

#[test]
fn a_spoiled_field_of_a_group_is_found() {
    let path = folder().join("group-rebalances.exchanges.json");
    let mut judged = read(&path).unwrap();
    judged.retain(|one| one.name == "two-members");
    let mqd = start_mqd();
    assert_eq!(unexplained(&mqd, &path, &judged), Vec::<String>::new());
    // The answer to the parked join of the second member.
    let parked = judged[0].steps.iter().position(|one| one.course.parked);
    let parked = parked.unwrap();
    let answer = judged[0].steps[parked].kafka.clone();
    for field in ["generation_id", "leader", "member_id", "protocol_name"] {
        judged[0].steps[parked].kafka = spoiled(&answer, &format!("/{field}"));
        let found = unexplained(&start_mqd(), &path, &judged);
        let expected = format!("group-rebalances/two-members [{parked}] {field}: ");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&expected), "{found:?}");
    }
}
