//! Lines of files, wherever the pieces that are read end.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::Path;

use async_model::Clock;
use stream_engine::{
    CheckpointDir, Error, FileSource, Handle, Job, LINE_BYTES_MAX, Line, MemorySink, Settings,
};

use crate::{ms, parallel, run};

/// Number, length, first bytes, and whether it is too long.
type Seen = (u64, usize, String, bool);

fn seen(line: Line<'_>) -> Seen {
    let start = &line.text[..line.text.len().min(10)];
    let start = String::from_utf8_lossy(start).into_owned();
    (line.number, line.text.len(), start, line.too_long)
}

fn job(files: &[&Path], sink: &MemorySink<Seen>) -> Job {
    let job = Job::new("lines");
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    job.source("files", FileSource::new(files, seen))
        .sink("seen", sink.clone());
    job
}

async fn lines(text: &[u8]) -> Vec<Seen> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let sink = MemorySink::default();
    run(&job(&[file.path()], &sink), parallel(1)).await.unwrap();
    sink.committed()
}

fn short(number: u64, text: &str) -> Seen {
    (number, text.len(), text.to_owned(), false)
}

#[tokio::test]
async fn a_line_ends_with_its_line_end_or_the_file() {
    assert_eq!(lines(b"").await, []);
    assert_eq!(lines(b"\n").await, [short(1, "")]);
    let three = [short(1, "one"), short(2, ""), short(3, "three")];
    assert_eq!(lines(b"one\n\nthree").await, three);
    assert_eq!(lines(b"one\r\n\r\nthree\r\n").await, three);
}

#[tokio::test]
async fn of_a_line_that_is_too_long_the_beginning_is_seen() {
    let longest = "x".repeat(LINE_BYTES_MAX);
    for more in [0, 1, 2, 1_000_000] {
        for end in ["", "\n", "\r\n"] {
            let long = format!("{longest}{}{end}", "y".repeat(more));
            let text = format!(
                "before\n{long}{}",
                if end.is_empty() { "" } else { "after\n" }
            );
            let mut wanted = vec![
                short(1, "before"),
                (2, LINE_BYTES_MAX, "xxxxxxxxxx".to_owned(), more > 0),
            ];
            if !end.is_empty() {
                wanted.push(short(3, "after"));
            }
            assert_eq!(lines(text.as_bytes()).await, wanted, "{more} more, {end:?}");
        }
    }
}

/// Lines of many lengths, over several pieces of what is read.
fn many(seed: u64) -> (String, Vec<Seen>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut text, mut wanted) = (String::new(), Vec::new());
    for number in 1..=5_000u64 {
        let line = format!("{number:010}{}", "z".repeat(random.usize(0..400)));
        wanted.push((number, line.len(), line[..10].to_owned(), false));
        text.push_str(&line);
        text.push('\n');
    }
    (text, wanted)
}

#[tokio::test]
async fn pieces_may_end_anywhere() {
    for seed in 0..5 {
        let (text, wanted) = many(seed);
        assert_eq!(lines(text.as_bytes()).await, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_between_two_lines() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b", "c"].map(|name| folder.path().join(name));
    let mut wanted = Vec::new();
    for (seed, file) in (0..).zip(&files) {
        let (text, lines) = many(seed);
        fs::write(file, text).unwrap();
        wanted.extend(lines);
    }
    wanted.sort();
    let files: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    let sink = MemorySink::default();
    let job = job(&files, &sink);
    let dir = CheckpointDir::open(folder.path().join("checkpoints")).unwrap();
    for parallelism in [2, 1, 3] {
        let settings = Settings {
            store: Some(dir.clone()),
            resume: dir.newest().unwrap(),
            interval: Some(ms(10)),
            ..parallel(parallelism)
        };
        let (handle, requests) = Handle::new();
        let job = job.clone();
        let running = tokio::spawn(async move { job.run(settings, requests).await });
        while sink.written().len() < wanted.len() / 4 * parallelism {
            tokio::task::yield_now().await;
        }
        handle.stop();
        running.await.unwrap().unwrap();
    }
    let settings = Settings {
        resume: dir.newest().unwrap(),
        ..parallel(2)
    };
    run(&job, settings).await.unwrap();
    let mut lines = sink.committed();
    lines.sort();
    assert_eq!(lines.len(), wanted.len());
    assert!(lines == wanted);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_grows_is_followed_until_it_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut log = fs::File::create(&path).unwrap();
    let sink = MemorySink::default();
    let clock = Clock::start();
    let job = Job::new("follow");
    let source = FileSource::new(vec![path.clone()], seen).follow(clock);
    job.source("log", source).sink("seen", sink.clone());
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(parallel(1), requests).await });
    // Time passes by itself when nothing else can happen.
    let soon = || clock.sleep_until(clock.now().plus(ms(1_000)));
    log.write_all(b"one\ntw").unwrap();
    soon().await;
    assert_eq!(sink.written(), [short(1, "one")]);
    log.write_all(b"o\nthree").unwrap();
    soon().await;
    assert_eq!(sink.written(), [short(1, "one"), short(2, "two")]);
    handle.checkpoint().await.unwrap();
    fs::rename(&path, folder.path().join("log.1")).unwrap();
    fs::write(&path, "four\n").unwrap();
    soon().await;
    assert!(matches!(running.await.unwrap(), Err(Error::Source(..))));
}

#[tokio::test]
async fn a_pipe_that_has_the_same_lines_again_is_resumed() {
    let sink = MemorySink::default();
    let dir = tempfile::tempdir().unwrap();
    let dir = CheckpointDir::open(dir.path()).unwrap();
    for text in ["one\ntwo\n", "one\ntwo\nthree\n"] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        drop(writer);
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let settings = Settings {
            resume: dir.newest().unwrap(),
            store: Some(dir.clone()),
            ..parallel(1)
        };
        run(&job(&[path.as_ref()], &sink), settings).await.unwrap();
    }
    let lines = [short(1, "one"), short(2, "two"), short(3, "three")];
    assert_eq!(sink.committed(), lines);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_has_grown_is_read_on_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut log = fs::File::create(&path).unwrap();
    let sink = MemorySink::default();
    let dir = CheckpointDir::open(folder.path().join("checkpoints")).unwrap();
    let long = "x".repeat(1_000_000);
    for (number, line) in ["one", &long, "three"].iter().enumerate() {
        writeln!(log, "{line}").unwrap();
        let settings = Settings {
            resume: dir.newest().unwrap(),
            store: Some(dir.clone()),
            ..parallel(1)
        };
        run(&job(&[&path], &sink), settings).await.unwrap();
        assert_eq!(sink.committed().len(), number + 1);
    }
    assert_eq!(sink.committed()[2], short(3, "three"));
}
