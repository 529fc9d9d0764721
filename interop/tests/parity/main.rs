//! Sends the stored exchanges to `mqd` and compares its answers with Kafka's.
//! Needs no Kafka: `interop/judge` has asked it.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself does"
)]

use std::path::{Path, PathBuf};

use interop::mqd_binary;
use interop::parity::{
    Exchange, Judged, MQD_SETTINGS, ask, compare, corpus, deliberate, files, read,
};
use mqd_guard::Mqd;

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

/// Every difference of one file that has no reason.
fn unexplained(path: &Path) -> Vec<String> {
    let mqd = start_mqd();
    let meant = deliberate(&folder()).unwrap();
    let mut found = Vec::new();
    for judged in read(path).unwrap() {
        let name = judged.full_name(path);
        let answers = ask(mqd.address(), &judged.requests().unwrap()).unwrap();
        for (step, (stored, answer)) in judged.steps.iter().zip(&answers).enumerate() {
            for difference in compare(&stored.kafka, answer) {
                if !meant
                    .iter()
                    .any(|meant| meant.covers(&name, step, &difference))
                {
                    found.push(format!(
                        "{name} [{step}] {}: Kafka {}, mqd {}",
                        difference.path, difference.kafka, difference.mqd
                    ));
                }
            }
        }
    }
    found
}

macro_rules! parts {
    ($($test:ident: $file:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                let found = unexplained(&folder().join(concat!($file, ".exchanges.json")));
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
    later_versions: "later-versions",
    list_offsets: "list-offsets",
    metadata: "metadata",
    one_broker: "one-broker",
    operations: "operations",
    produce_batches: "produce-batches",
    produce: "produce",
    versions: "versions",
}

#[test]
fn the_stored_requests_are_those_of_the_corpus() {
    for (part, exchanges) in corpus::all() {
        let stored = read(&folder().join(format!("{part}.exchanges.json"))).unwrap();
        let frames = |judged: &Judged| -> Vec<Vec<u8>> {
            let steps = judged.requests().unwrap();
            steps.into_iter().map(|step| step.frame).collect()
        };
        let stored: Vec<_> = stored
            .iter()
            .map(|judged| (judged.name.clone(), frames(judged)))
            .collect();
        let made = |exchange: &Exchange| -> Vec<Vec<u8>> {
            let steps = exchange.steps.iter();
            steps.map(|step| step.frame.clone()).collect()
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
    for path in files(&folder()).unwrap() {
        let all = read(&path).unwrap();
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
