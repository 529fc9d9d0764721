//! Kafka Streams on `mqd`: two instances of an application (`interop/clients/streams`), of
//! which one is killed, and `mqd` too. What its committed output must be is computed from
//! the lines as they are stored.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself does"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use async_model::Clock;
use interop::{PATIENCE, Session, java, kcat, mqd_binary, run};
use mqd_guard::{Mqd, Port};
use tempfile::TempDir;

const PREFIX: &str = "shop";
const USERS: usize = 20;
const WORDS: usize = 50;
/// Lines and orders that are sent in each of three rounds; one kill comes in each of the
/// first two.
const ROUND: usize = 1_000;
const WINDOW_MS: i64 = 5_000;

/// An application that runs, and all that it reads and writes.
struct Application {
    mqd: Mqd,
    guarantee: &'static str,
    state: TempDir,
    instances: Vec<Session>,
    sent: usize,
}

impl Application {
    fn start(guarantee: &'static str) -> Application {
        let mqd = Mqd::options(mqd_binary())
            .set("log.cleaner.backoff.ms", "200")
            .set("group.initial.rebalance.delay.ms", "100")
            .stable_port()
            .start()
            .unwrap();
        let mut application = Application {
            mqd,
            guarantee,
            state: tempfile::Builder::new()
                .prefix("streams-")
                .tempdir()
                .unwrap(),
            instances: Vec::new(),
            sent: 0,
        };
        for name in ["lines", "orders", "names", "counts", "windows", "joined"] {
            let mut create = Command::new(mqd_binary());
            create.args(["topics", "create", &topic(name), "--partitions", "4"]);
            create.arg("--bootstrap");
            create.arg(application.mqd.address().to_string());
            run(create, b"").unwrap();
        }
        let names = (0..USERS).fold(String::new(), |mut names, user| {
            writeln!(names, "u{user}:name of u{user}").unwrap();
            names
        });
        application.send("names", &names);
        for _ in 0..2 {
            application.start_instance();
        }
        for instance in &mut application.instances {
            assert_eq!(instance.line().unwrap(), "running");
        }
        application
    }

    /// Each instance has a directory of its own, which is new: its state comes from the
    /// changelogs.
    fn start_instance(&mut self) {
        let number = self.state.path().read_dir().unwrap().count();
        let state = self.state.path().join(number.to_string());
        std::fs::create_dir(&state).unwrap();
        let mut command = java("Streams");
        command.arg(self.mqd.address().to_string());
        command.args([PREFIX, self.guarantee]).arg(state);
        self.instances.push(Session::start(command).unwrap());
    }

    fn send(&self, name: &str, text: &str) {
        let mut command = kcat(self.mqd.address());
        command.args(["-P", "-K:", "-t", &topic(name)]);
        command.args(["-X", "enable.idempotence=true"]);
        run(command, text.as_bytes()).unwrap();
    }

    /// Sends a line of five words and an order, many times.
    fn send_round(&mut self) {
        let (mut lines, mut orders) = (String::new(), String::new());
        for number in self.sent..self.sent + ROUND {
            let word = |factor: usize| (number * factor + number / 7) % WORDS;
            let [a, b, c, d, e] = [3, 5, 7, 11, 13].map(word);
            writeln!(lines, "k{number}:w{a} w{b} w{c} w{d} w{e}").unwrap();
            writeln!(orders, "u{}:o{number}", number % USERS).unwrap();
        }
        self.sent += ROUND;
        self.send("lines", &lines);
        self.send("orders", &orders);
    }

    /// Key and value of the committed records of a topic, as they are followed until there
    /// are `count`.
    fn read(&self, name: &str, count: usize) -> Vec<(String, String)> {
        let mut left = count;
        self.read_until(name, |_, _| {
            left -= 1;
            left == 0
        })
    }

    /// As [`Application::read`], until `is_last` says so of a key and its value.
    fn read_until(
        &self,
        name: &str,
        mut is_last: impl FnMut(&str, &str) -> bool,
    ) -> Vec<(String, String)> {
        let mut command = kcat(self.mqd.address());
        command.args(["-C", "-q", "-u", "-o", "beginning", "-f", "%k=%s\n"]);
        command.args(["-X", "isolation.level=read_committed", "-t", &topic(name)]);
        let mut session = Session::start(command).unwrap();
        let mut found = Vec::new();
        loop {
            let line = session.line().unwrap();
            let (key, value) = line.rsplit_once('=').unwrap();
            found.push((key.to_owned(), value.to_owned()));
            if is_last(key, value) {
                return found;
            }
        }
    }

    /// Everything that a topic holds for committed readers now.
    fn read_all(&self, name: &str, format: &str) -> Vec<String> {
        let mut command = kcat(self.mqd.address());
        command.args(["-C", "-q", "-e", "-o", "beginning", "-f", format]);
        command.args(["-X", "isolation.level=read_committed", "-t", &topic(name)]);
        let text = run(command, b"").unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Words of all lines, and words by window, counted from what is stored.
    fn truth(&self) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
        let (mut words, mut windows) = (BTreeMap::new(), BTreeMap::new());
        let lines = self.read_all("lines", "%T=%s\n");
        assert_eq!(lines.len(), self.sent, "lines that are stored");
        for line in lines {
            let (at, text) = line.split_once('=').unwrap();
            let at: i64 = at.parse().unwrap();
            let start = at - at.rem_euclid(WINDOW_MS);
            for word in text.split(' ') {
                *words.entry(word.to_owned()).or_default() += 1;
                *windows.entry(format!("{word}@{start}")).or_default() += 1;
            }
        }
        (words, windows)
    }

    fn send_and_kill(&mut self) {
        self.send_round();
        // In the middle of its work.
        self.read("counts", ROUND);
        self.until_compacted();
        drop(self.instances.remove(0));
        self.start_instance();
        self.send_round();
        self.read("counts", 5 * ROUND + ROUND);
        self.until_compacted();
        self.mqd.restart(Port::Same).unwrap();
        self.send_round();
    }

    /// Waits until the changelogs of both counts have lost most of their records: there was one
    /// for each count that has come out, and only the cleaner takes any away.
    fn until_compacted(&self) {
        for (counts, changelog) in [
            ("counts", "counts-changelog"),
            ("windows", "windows-changelog"),
        ] {
            let clock = Clock::start();
            let begun = clock.now();
            loop {
                let out = self.read_all(counts, "%k\n").len();
                let left = self.read_all(changelog, "%o\n").len();
                if left < out / 2 {
                    println!("{changelog}: {left} records are left of {out} or more");
                    break;
                }
                let waited = clock.now().since(begun);
                assert!(waited < PATIENCE, "{changelog} has {left} records");
            }
        }
    }
}

fn topic(name: &str) -> String {
    format!("{PREFIX}-{name}")
}

/// The values of each key, in their order.
fn by_key(records: Vec<(String, String)>) -> BTreeMap<String, Vec<usize>> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (key, value) in records {
        found.entry(key).or_default().push(value.parse().unwrap());
    }
    found
}

/// Each key was counted from 1 up to its number, and nothing came twice.
fn expect_exactly(truth: &BTreeMap<String, usize>, records: Vec<(String, String)>) {
    let expected: BTreeMap<String, Vec<usize>> = truth
        .iter()
        .map(|(key, count)| (key.clone(), (1..=*count).collect()))
        .collect();
    assert_eq!(by_key(records), expected);
}

#[test]
fn exactly_once_under_kills() {
    let mut application = Application::start("exactly_once_v2");
    application.send_and_kill();
    let (words, windows) = application.truth();
    let count = 5 * application.sent;
    expect_exactly(&words, application.read("counts", count));
    expect_exactly(&windows, application.read("windows", count));
    let joined = application.read("joined", application.sent);
    let expected: BTreeSet<String> = (0..application.sent)
        .map(|number| format!("o{number} name of u{}", number % USERS))
        .collect();
    let found: BTreeSet<String> = joined.into_iter().map(|(_, value)| value).collect();
    assert_eq!(found, expected);
    // Nothing came behind.
    for (name, count) in [
        ("counts", count),
        ("windows", count),
        ("joined", application.sent),
    ] {
        let found = application.read_all(name, "%k\n").len();
        assert_eq!(found, count, "records of {name}");
    }
}

#[test]
fn at_least_once_under_kills() {
    let mut application = Application::start("at_least_once");
    application.send_and_kill();
    let (words, _) = application.truth();
    // Every word has its number in the end, or more; what is missing would never come.
    let mut left = words;
    application.read_until("counts", |word, count| {
        let count: usize = count.parse().unwrap();
        if left.get(word).is_some_and(|wanted| count >= *wanted) {
            left.remove(word);
        }
        left.is_empty()
    });
    let mut joined = BTreeSet::new();
    let sent = application.sent;
    application.read_until("joined", |_, order| {
        joined.insert(order.to_owned());
        joined.len() == sent
    });
}
