//! A log that is rotated while the job runs, and while it does not; and several logs.

use std::fs;
use std::path::PathBuf;

use message_model::TopicName;
use mqd_guard::Mqd;
use stream_compute::{Error, Settings, Source, Verdict};
use tempfile::TempDir;

use super::{
    Running, append, expected_rows, made_log, resumed, settings, start, wait_until_acknowledged,
};
use crate::exactly_once::{committed, connect};

/// Lines that are written at a time. Windows close with each of these parts.
const PART: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The server writes lines to the file that it has open.
    Write,
    /// The job has all lines. Without it the job is killed, or the log rotated, somewhere.
    Fed,
    /// The log gets another name; the server still writes to it.
    Rename,
    /// The server begins a new file with the log's name.
    Begin,
    Kill,
    Resume,
}

use Step::{Begin, Fed, Kill, Rename, Resume, Write};

/// A followed log, its job, and the queue.
struct Scene {
    mqd: Mqd,
    folder: TempDir,
    /// The file that the server writes to.
    open: PathBuf,
    lines: Vec<Vec<u8>>,
    written: usize,
    job: Option<Running>,
}

impl Scene {
    fn begin(lines: usize) -> Scene {
        let (mqd, folder, open) = resumed::begin(b"");
        let log = made_log(u32::try_from(lines).unwrap());
        let lines = log.split_inclusive(|byte| *byte == b'\n');
        let mut scene = Scene {
            mqd,
            folder,
            open,
            lines: lines.map(<[u8]>::to_vec).collect(),
            written: 0,
            job: None,
        };
        scene.step(Resume);
        scene
    }

    fn settings(&self) -> Settings {
        let source = Source::Follow(self.file(0));
        settings(&self.mqd.address().to_string(), source, self.folder.path())
    }

    /// The log, or what it was so many rotations ago.
    fn file(&self, rotations: usize) -> PathBuf {
        self.folder.path().join(match rotations {
            0 => "log".to_owned(),
            more => format!("log.{more}"),
        })
    }

    fn step(&mut self, step: Step) {
        match step {
            Write => {
                let part = &self.lines[self.written..self.written + PART];
                append(&self.open, &part.concat());
                self.written += PART;
            }
            Fed => wait_until_acknowledged(&self.job.as_ref().unwrap().screen, self.written),
            Rename => {
                let count = (1..).find(|number| !self.file(*number).exists()).unwrap();
                for number in (0..count).rev() {
                    fs::rename(self.file(number), self.file(number + 1)).unwrap();
                }
                self.open = self.file(1);
            }
            Begin => {
                self.open = self.file(0);
                fs::write(&self.open, "").unwrap();
            }
            Kill => self.job.take().unwrap().kill(),
            Resume => self.job = Some(start(self.settings())),
        }
    }

    /// Waits until the job has all lines and ends it; compares the rows.
    async fn compare(mut self, verdict: Verdict) {
        self.step(Fed);
        let job = self.job.take().unwrap();
        job.stop.send_replace(true);
        let summary = job.outcome().unwrap();
        assert_eq!(summary.verdict, verdict, "{summary}");
        assert_eq!(summary.lines, self.written as u64);
        assert_eq!(summary.tally.late, 0, "the files are read in order");
        let client = connect(&self.mqd).await;
        let mut rows = committed(&client, &TopicName::new("rows").unwrap(), 0).await;
        rows.sort();
        assert_eq!(rows, expected_rows(&self.lines[..self.written].concat()));
    }
}

/// A job of which the queue has no line would begin with the file that has the log's name.
const BEGUN: [Step; 2] = [Write, Fed];

async fn counted(steps: &[Step]) {
    println!("{steps:?}");
    let steps = [&BEGUN, steps].concat();
    let writes = steps.iter().filter(|step| **step == Write).count();
    let mut scene = Scene::begin(writes * PART);
    for step in steps {
        scene.step(step);
    }
    scene.compare(Verdict::Equal).await;
}

#[tokio::test]
async fn a_log_that_is_rotated_while_the_job_runs_is_counted_once() {
    let steps = [
        Write, Rename, Write, Begin, Write, Fed, Rename, Begin, Write,
    ];
    counted(&steps).await;
}

#[tokio::test]
async fn a_log_that_is_rotated_before_the_kill_is_counted_once() {
    counted(&[Write, Fed, Rename, Begin, Write, Fed, Kill, Resume, Write]).await;
    // The job may not have come to the new file.
    counted(&[Write, Rename, Begin, Write, Kill, Resume, Write]).await;
}

#[tokio::test]
async fn a_log_that_is_rotated_between_kill_and_resume_is_counted_once() {
    counted(&[Write, Fed, Kill, Write, Rename, Write, Begin, Write, Resume]).await;
    counted(&[Write, Kill, Rename, Begin, Write, Resume, Write]).await;
}

#[tokio::test]
async fn a_log_that_is_rotated_during_the_kill_is_counted_once() {
    counted(&[Write, Fed, Rename, Kill, Write, Begin, Resume, Write]).await;
    // When it is resumed, the log has no file of its name.
    counted(&[Write, Fed, Kill, Rename, Resume, Fed, Write, Begin, Write]).await;
}

#[tokio::test]
async fn a_log_that_is_rotated_after_the_resume_is_counted_once() {
    counted(&[Write, Fed, Kill, Write, Resume, Rename, Write, Begin, Write]).await;
}

#[tokio::test]
async fn a_log_that_is_rotated_twice_is_counted_once() {
    let between = [
        Write, Fed, Kill, Write, Rename, Begin, Write, Rename, Begin, Write, Resume,
    ];
    counted(&between).await;
    let all = [
        Write, Rename, Begin, Write, Fed, Rename, Kill, Begin, Write, Rename, Begin, Resume, Write,
        Fed, Kill, Rename, Begin, Write, Resume, Write,
    ];
    counted(&all).await;
}

#[tokio::test]
async fn lines_that_are_gone_are_said_to_be_gone() {
    let mut scene = Scene::begin(3 * PART);
    for step in [Write, Fed, Kill, Write, Rename, Begin, Write] {
        scene.step(step);
    }
    let compressed = scene.file(1).with_extension("1.gz");
    let plain = fs::read(scene.file(1)).unwrap();
    fs::rename(scene.file(1), &compressed).unwrap();
    let refused = start(scene.settings()).outcome().unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, Error::Rotated { .. }), "{text}");
    assert!(text.contains("gunzip"), "{text}");
    // It is decompressed, into another file than it was: that line 1 is in it is not known.
    fs::write(scene.file(1), plain).unwrap();
    scene.step(Resume);
    scene.compare(Verdict::AddsUp).await;
}

/// What was counted before its file was removed cannot be counted again, but adds up.
#[tokio::test]
async fn without_the_oldest_file_the_rows_add_up() {
    let mut scene = Scene::begin(2 * PART);
    for step in [Write, Fed, Rename, Begin, Write, Fed, Kill, Resume] {
        scene.step(step);
    }
    fs::remove_file(scene.file(1)).unwrap();
    scene.step(Fed);
    let job = scene.job.take().unwrap();
    job.stop.send_replace(true);
    let summary = job.outcome().unwrap();
    assert_eq!(summary.verdict, Verdict::AddsUp, "{summary}");
    assert_eq!(summary.lines, 2 * PART as u64);
}

#[tokio::test]
async fn several_logs_are_counted_as_one() {
    let mut scene = Scene::begin(3 * PART);
    scene.step(Kill);
    for step in [Write, Rename, Begin, Write, Rename, Begin, Write] {
        scene.step(step);
    }
    let of = |count: usize| {
        let files = (0..3).rev().take(count).map(|number| scene.file(number));
        Settings {
            source: Source::oldest_first(files.collect()).unwrap(),
            checkpoint_dir: Some(scene.folder.path().join("of several")),
            topic: TopicName::new("other-lines").unwrap(),
            out: TopicName::new("other-rows").unwrap(),
            ..scene.settings()
        }
    };
    for count in [2, 3] {
        let summary = start(of(count)).outcome().unwrap();
        assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
        assert_eq!(summary.lines, (count * PART) as u64);
    }
}
