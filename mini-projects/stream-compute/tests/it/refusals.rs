//! What is refused, and that nothing is created or sent before.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::queue::Queue;
use crate::{hit, line};

/// `ip-count` in a folder, with these words; `$Q` is the address of the queue.
fn run(folder: &Path, queue: &str, words: &str) -> Output {
    let words = words.replace("$Q", queue);
    Command::new(env!("CARGO_BIN_EXE_ip-count"))
        .args(words.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// So many requests, one a second.
fn requests(seconds: std::ops::Range<i64>) -> String {
    seconds.map(|second| line(hit(1, second)) + "\n").collect()
}

/// What there is in a folder, with the bytes of the files.
fn contents(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read = |path: PathBuf| {
        let bytes = match path.is_file() {
            true => fs::read(&path).unwrap(),
            false => Vec::new(),
        };
        (path, bytes)
    };
    entries.map(|entry| read(entry.path())).collect()
}

fn assert_refused(output: &Output, words: &str, wanted: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}: {output:?}");
    assert!(stderr.contains(wanted), "{words}: {stderr}");
    assert_eq!(stderr.matches("ip-count: ").count(), 1, "{words}: {stderr}");
}

const YEAR: &str = "a time is at most 8760h";

/// Words, and what the refusal says.
const REFUSED: &[(&str, &str)] = &[
    ("--log log --window 8761h", YEAR),
    ("--log log --window 100h --slide 1s", "is in 360000 windows"),
    ("--log log --window 10001s --slide 1s", "10000 are the most"),
    ("--log log --partitions 0", "--partitions is from 1 to 1000"),
    (
        "--log log --partitions -5",
        "--partitions is from 1 to 1000",
    ),
    (
        "--log log --partitions 1001",
        "--partitions is from 1 to 1000",
    ),
    (
        "--log log --parallelism 0",
        "--parallelism is from 1 to 128",
    ),
    (
        "--log log --parallelism 200",
        "--parallelism is from 1 to 128",
    ),
    ("--log log --patience 0", "--patience is at least 1s"),
    ("--log log --patience 10ms", "--patience is at least 1s"),
    ("--log log --checkpoint-every 0", "are at least 1ms"),
    ("--log log --idle 0", "are at least 1ms"),
    ("--log log --top 0", "--top is at least 1"),
    ("--log log --resume", "--resume needs --checkpoint-dir"),
    (
        "--log log --resume --topic l --out r --checkpoint-dir none",
        "no job has begun in none",
    ),
    (
        "--log log --resume --topic l --out r --checkpoint-dir empty",
        "no job has begun in empty",
    ),
    ("--log log.gz", "is compressed"),
    ("--follow log.gz", "is compressed"),
    ("--log log log.gz", "is compressed"),
    ("--log log hard", "hard and log are the same file"),
    ("--log log link", "link and log are the same file"),
    ("--log log empty", "empty: it is a directory"),
    ("--log empty", "empty: it is a directory"),
    ("--follow empty", "empty: it is a directory"),
    ("--follow pipe", "pipe: it is no regular file"),
    ("--log log pipe", "ip-count - <FILE"),
    (
        "--log log other --report log",
        "--report is log, which is the log",
    ),
    (
        "--log log --report hard",
        "--report is hard, which is the log",
    ),
    (
        "--log other log --side link",
        "--side is link, which is the log",
    ),
    (
        "--follow access.log --side access.log.1",
        "which is the log itself",
    ),
    (
        "--follow access.log --report access.log.1",
        "which is the log itself",
    ),
    ("--log log --side page --report page", "name two"),
    (
        "--log log --report pipe",
        "cannot write pipe: it is no regular file",
    ),
    ("--log log --report empty", "cannot write empty"),
];

#[test]
fn what_cannot_go_well_is_refused_before_the_queue_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("log"), requests(0..3)).unwrap();
    fs::write(at("other"), requests(3..6)).unwrap();
    fs::write(at("log.gz"), "").unwrap();
    fs::write(at("access.log"), requests(0..3)).unwrap();
    fs::write(at("access.log.1"), requests(0..3)).unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::hard_link(at("log"), at("hard")).unwrap();
    std::os::unix::fs::symlink("log", at("link")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(at("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let before = contents(folder.path());
    let times = "--window --slide --session --lateness --out-of-order --idle --idle-end --patience \
                 --checkpoint-every --transaction-timeout";
    let times = times.split(' ').filter(|name| !name.is_empty());
    let too_long = times.map(|name| (format!("--log log {name} 100000000h"), YEAR));
    let others = REFUSED
        .iter()
        .map(|&(words, wanted)| (words.to_owned(), wanted));
    for (words, wanted) in too_long.chain(others) {
        // No queue listens there, so a job that asks for one gives up.
        let words = match words.contains("--patience") {
            true => format!("{words} --bootstrap 127.0.0.1:9"),
            false => format!("{words} --bootstrap 127.0.0.1:9 --patience 1"),
        };
        assert_refused(&run(folder.path(), "", &words), &words, wanted);
        assert_eq!(contents(folder.path()), before, "{words}");
    }
}

#[test]
fn standard_output_is_not_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    fs::write(&log, requests(0..3)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ip-count"))
        .args(["--bootstrap", "127.0.0.1:9", "--patience", "1", "--follow"])
        .arg(&log)
        .stdout(fs::OpenOptions::new().append(true).open(&log).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = output.wait_with_output().unwrap();
    assert_refused(
        &output,
        ">>log",
        "standard output is /dev/stdout, which is the log",
    );
    assert_eq!(fs::read_to_string(&log).unwrap(), requests(0..3));
}

/// The lines that a refusal has left in a topic are seen by the next job, which says that the topic
/// is not empty.
#[test]
fn what_the_queue_does_not_allow_is_refused_before_anything_is_created_there() {
    let queue = Queue::start();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("log"), requests(0..200)).unwrap();
    let job = "--bootstrap $Q --log log --topic l --out r --checkpoint-dir dir";
    let too_long = format!("{job} --transaction-timeout 2h");
    let refused = run(folder.path(), &queue.address, &too_long);
    assert_refused(&refused, &too_long, "transaction.max.timeout.ms");
    assert!(!at("dir").exists());
    let begun = run(folder.path(), &queue.address, job);
    assert_eq!(begun.status.code(), Some(0), "{begun:?}");

    // Another job into one of these topics does not create the other one.
    for (topics, used) in [("--topic l --out r2", "l"), ("--topic l2 --out r", "r")] {
        let other = format!("--bootstrap $Q --log log {topics}");
        let refused = run(folder.path(), &queue.address, &other);
        assert_refused(&refused, &other, &format!("topic {used} is not empty"));
    }
    let left = "--bootstrap $Q --log log --topic l2 --out r2 --checkpoint-dir dir";
    let refused = run(folder.path(), &queue.address, left);
    assert_refused(
        &refused,
        left,
        "has the checkpoints of a job with lines in l,",
    );
    assert!(
        refused.stdout.is_empty(),
        "the topics are there: {refused:?}"
    );
}
