//! Lines of files, wherever the pieces that are read end.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::Path;

use async_model::Clock;
use stream_engine::{
    Checkpoint, CheckpointDir, Error, FileSource, Handle, Job, LINE_BYTES_MAX, Line, MemorySink,
    Settings, Summary,
};

use crate::{ms, parallel, run};

/// Offset, length, first bytes, and whether it is too long.
type Seen = (u64, usize, String, bool);

fn seen(line: Line<'_>) -> Seen {
    let start = &line.text[..line.text.len().min(10)];
    let start = String::from_utf8_lossy(start).into_owned();
    (line.offset, line.text.len(), start, line.too_long)
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

fn short(offset: u64, text: &str) -> Seen {
    (offset, text.len(), text.to_owned(), false)
}

#[tokio::test]
async fn a_line_ends_with_its_line_end_or_the_file() {
    assert_eq!(lines(b"").await, []);
    assert_eq!(lines(b"\n").await, [short(0, "")]);
    let three = [short(0, "one"), short(4, ""), short(5, "three")];
    assert_eq!(lines(b"one\n\nthree").await, three);
    let three = [short(0, "one"), short(5, ""), short(7, "three")];
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
                short(0, "before"),
                (7, LINE_BYTES_MAX, "xxxxxxxxxx".to_owned(), more > 0),
            ];
            if !end.is_empty() {
                wanted.push(short(7 + long.len() as u64, "after"));
            }
            assert_eq!(lines(text.as_bytes()).await, wanted, "{more} more, {end:?}");
        }
    }
}

/// So many lines of many lengths.
fn many(seed: u64, count: usize) -> (String, Vec<Seen>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut text, mut wanted) = (String::new(), Vec::new());
    for number in 0..count {
        let line = format!("{number:010}{}", "z".repeat(random.usize(0..400)));
        let offset = text.len() as u64;
        wanted.push((offset, line.len(), line[..10].to_owned(), false));
        text.push_str(&line);
        text.push('\n');
    }
    (text, wanted)
}

#[tokio::test]
async fn pieces_may_end_anywhere() {
    for seed in 0..5 {
        let (text, wanted) = many(seed, 5_000);
        assert_eq!(lines(text.as_bytes()).await, wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_between_two_lines() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b", "c"].map(|name| folder.path().join(name));
    let mut wanted = Vec::new();
    // The last one is large enough to be divided.
    for ((seed, count), file) in [(0, 500), (1, 1_000), (2, 20_000)].into_iter().zip(&files) {
        let (text, lines) = many(seed, count);
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

#[tokio::test]
async fn a_large_file_is_read_by_several_subtasks() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let (mut text, mut wanted) = many(7, 20_000);
    // One line goes over several chunks.
    let offset = text.len() as u64;
    text.push_str(&"x".repeat(1_000_000));
    wanted.push((offset, LINE_BYTES_MAX, "xxxxxxxxxx".to_owned(), true));
    let (more, lines) = many(8, 10_000);
    let offset = text.len() as u64 + 1;
    text = format!("{text}\n{more}");
    wanted.extend(
        lines
            .into_iter()
            .map(|line| (offset + line.0, line.1, line.2, line.3)),
    );
    fs::write(file.path(), text).unwrap();
    for parallelism in [1, 2, 3] {
        let sink = MemorySink::default();
        let job = job(&[file.path()], &sink);
        let plan = job.plan(parallelism).unwrap().to_string();
        assert!(plan.contains(&format!("×{parallelism}  files")), "{plan}");
        run(&job, parallel(parallelism)).await.unwrap();
        let mut lines = sink.committed();
        if parallelism > 1 {
            lines.sort();
        }
        assert!(lines == wanted, "{parallelism} subtasks");
    }
}

/// A job that follows files.
struct Following {
    handle: Handle,
    running: tokio::task::JoinHandle<Result<Summary, Error>>,
    clock: Clock,
}

impl Following {
    fn start(
        source: FileSource<fn(Line<'_>) -> Seen>,
        sink: &MemorySink<Seen>,
        settings: Settings,
    ) -> Following {
        let clock = settings.clock;
        let job = Job::new("follow");
        job.source("log", source.follow(clock))
            .sink("seen", sink.clone());
        let (handle, requests) = Handle::new();
        let running = tokio::spawn(async move { job.run(settings, requests).await });
        Following {
            handle,
            running,
            clock,
        }
    }

    async fn soon(&self) {
        self.after(1_000).await;
    }

    /// Time passes by itself when nothing else can happen.
    async fn after(&self, millis: u64) {
        let then = self.clock.now().plus(ms(millis));
        self.clock.sleep_until(then).await;
    }

    async fn stop(self) -> Option<Checkpoint> {
        self.handle.stop();
        let summary = self.running.await.unwrap().unwrap();
        summary.checkpoint.map(|checkpoint| (*checkpoint).clone())
    }
}

fn named(path: &Path) -> FileSource<fn(Line<'_>) -> Seen> {
    FileSource::new(vec![path.to_owned()], seen)
}

fn matching(folder: &Path, pattern: &str) -> FileSource<fn(Line<'_>) -> Seen> {
    FileSource::matching(format!("{}/{pattern}", folder.display()), seen)
}

fn texts(sink: &MemorySink<Seen>) -> Vec<String> {
    sink.committed().into_iter().map(|seen| seen.2).collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_grows_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut log = fs::File::create(&path).unwrap();
    let sink = MemorySink::default();
    let job = Following::start(named(&path), &sink, parallel(1));
    log.write_all(b"one\ntw").unwrap();
    job.soon().await;
    assert_eq!(sink.written(), [short(0, "one")]);
    log.write_all(b"o\nthree").unwrap();
    job.soon().await;
    assert_eq!(sink.written(), [short(0, "one"), short(4, "two")]);
    log.set_len(3).unwrap();
    job.soon().await;
    assert!(matches!(job.running.await.unwrap(), Err(Error::Source(..))));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_rotated_is_read_to_its_end_and_then_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let [path, first, second] = ["log", "log.1", "log.2"].map(|name| folder.path().join(name));
    // The rotated ones match the pattern too, and are read once nevertheless.
    for source in [named(&path), matching(folder.path(), "log*")] {
        let sink = MemorySink::default();
        let mut log = fs::File::create(&path).unwrap();
        log.write_all(b"one\n").unwrap();
        let job = Following::start(source, &sink, parallel(1));
        job.soon().await;
        fs::rename(&path, &first).unwrap();
        log.write_all(b"two\n").unwrap();
        job.soon().await;
        fs::write(&path, "four\n").unwrap();
        // A web server writes to the old file until it has opened the new one. Until then the
        // reader has looked at it not more than once.
        job.after(99).await;
        log.write_all(b"three").unwrap();
        job.soon().await;
        fs::rename(&first, &second).unwrap();
        fs::rename(&path, &first).unwrap();
        fs::write(&path, "five\n").unwrap();
        job.soon().await;
        job.stop().await;
        assert_eq!(texts(&sink), ["one", "two", "three", "four", "five"]);
        for path in [&path, &first, &second] {
            fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_a_link_to_another_file_every_day_is_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let [log, first, second, other] = ["a.log", "a-20261128.log", "a-20261129.log", "a.log-443"]
        .map(|name| folder.path().join(name));
    let sink = MemorySink::default();
    fs::write(&first, "one\n").unwrap();
    symlink(&first, &log).unwrap();
    symlink("loop", folder.path().join("loop")).unwrap();
    let job = Following::start(named(&log), &sink, parallel(1));
    job.soon().await;
    fs::write(&other, "of another log\n").unwrap();
    fs::write(&second, "two\n").unwrap();
    fs::remove_file(&log).unwrap();
    symlink(&second, &log).unwrap();
    job.soon().await;
    job.stop().await;
    assert_eq!(texts(&sink), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_rotated_twice_between_two_runs_is_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let [path, first, second] = ["log", "log.1", "log.2"].map(|name| folder.path().join(name));
    for source in [
        |path: &Path| named(&path.join("log")),
        |path: &Path| matching(path, "lo*[g0-9]"),
    ] {
        let sink = MemorySink::default();
        fs::write(&path, "one\n").unwrap();
        fs::write(folder.path().join("log.old"), "another log\n").unwrap();
        let go_on = |resume| {
            let settings = Settings {
                resume,
                ..parallel(1)
            };
            Following::start(source(folder.path()), &sink, settings)
        };
        let job = go_on(None);
        job.soon().await;
        let resume = job.stop().await;
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"two\n")
            .unwrap();
        fs::rename(&path, &second).unwrap();
        fs::write(&first, "three\n").unwrap();
        fs::write(&path, "four\n").unwrap();
        let job = go_on(resume);
        job.soon().await;
        let resume = job.stop().await;
        let mut lines = texts(&sink);
        lines.sort();
        assert_eq!(lines, ["four", "one", "three", "two"]);
        // All of them are known, whatever their names are.
        let job = go_on(resume);
        job.soon().await;
        job.stop().await;
        assert_eq!(texts(&sink).len(), 4);
        for path in [&path, &first, &second] {
            fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_match_later_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("b.log", "one\n");
    write("c.txt", "not this\n");
    let sink = MemorySink::default();
    let source = || matching(folder.path(), "*.log");
    let job = Following::start(source(), &sink, parallel(2));
    job.soon().await;
    write("a.log", "two\n");
    write("c.log", "three\n");
    job.soon().await;
    assert_eq!(sink.written().len(), 3);
    let resume = job.stop().await;
    write("0.log", "four\n");
    let settings = Settings {
        resume,
        ..parallel(3)
    };
    let job = Following::start(source(), &sink, settings);
    job.soon().await;
    job.stop().await;
    let mut lines = texts(&sink);
    lines.sort();
    assert_eq!(lines, ["four", "one", "three", "two"]);
}

#[tokio::test]
async fn a_file_that_was_read_may_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let sink = MemorySink::default();
    let job = Job::new("lines");
    job.source("files", matching(folder.path(), "*.log"))
        .sink("seen", sink.clone());
    assert!(matches!(
        run(&job, parallel(1)).await,
        Err(Error::Source(..))
    ));
    write("a.log", "one\n");
    write("b.log", "two\n");
    let summary = run(&job, parallel(2)).await.unwrap();
    fs::remove_file(folder.path().join("a.log")).unwrap();
    write("c.log", "three\n");
    let resume = summary.checkpoint.map(|checkpoint| (*checkpoint).clone());
    run(
        &job,
        Settings {
            resume,
            ..parallel(1)
        },
    )
    .await
    .unwrap();
    let mut lines = texts(&sink);
    lines.sort();
    assert_eq!(lines, ["one", "three", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_not_read_to_its_end_may_not_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::write(&path, many(3, 20_000).0).unwrap();
    let sink = MemorySink::default();
    let job = Job::new("lines");
    job.source("files", matching(folder.path(), "*.log"))
        .sink("seen", sink.clone());
    let (handle, requests) = Handle::new();
    handle.stop();
    let summary = job.run(parallel(1), requests).await.unwrap();
    assert!(sink.committed().len() < 20_000);
    fs::remove_file(&path).unwrap();
    let resume = summary.checkpoint.map(|checkpoint| (*checkpoint).clone());
    let Err(Error::Source(_, cause)) = run(
        &job,
        Settings {
            resume,
            ..parallel(1)
        },
    )
    .await
    else {
        panic!("the job has gone on without the file");
    };
    assert!(
        cause.to_string().contains("a.log: the file of which"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_pipe_that_has_the_same_lines_again_is_resumed() {
    let sink = MemorySink::default();
    let dir = tempfile::tempdir().unwrap();
    let dir = CheckpointDir::open(dir.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    for text in ["one\ntwo\n", "one\ntwo\nthree\n"] {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        drop(writer);
        let _ = fs::remove_file(&path);
        symlink(format!("/dev/fd/{}", reader.as_raw_fd()), &path).unwrap();
        let settings = Settings {
            resume: dir.newest().unwrap(),
            store: Some(dir.clone()),
            ..parallel(1)
        };
        run(&job(&[&path], &sink), settings).await.unwrap();
    }
    let lines = [short(0, "one"), short(4, "two"), short(8, "three")];
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
    assert_eq!(sink.committed()[2], short(1_000_005, "three"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_read_in_stripes_is_not_followed_afterwards() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), many(3, 20_000).0).unwrap();
    let sink = MemorySink::default();
    let job = Job::new("lines");
    job.source("log", named(file.path()))
        .sink("seen", sink.clone());
    let summary = run(&job, parallel(2)).await.unwrap();
    let resume = summary.checkpoint.map(|checkpoint| (*checkpoint).clone());
    let settings = Settings {
        resume,
        ..parallel(1)
    };
    let job = Following::start(named(file.path()), &sink, settings);
    assert!(matches!(job.running.await.unwrap(), Err(Error::Source(..))));
}
