//! The first case study on `mqd`, killed while lines flow through it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use message_model::TopicName;
use mqd_guard::{Mqd, Port};
use stream_compute::{Report, RowsShown, Settings, Source, Tumbling, Verdict};
use tokio::sync::watch;

use crate::support::{PATIENCE, mqd};

const KILLS: usize = 3;

/// The job's screen: each line goes to the test.
struct Screen(SyncSender<String>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The test may have ended before the job.
        drop(self.0.try_send(String::from_utf8_lossy(bytes).into_owned()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until the job says that so many lines are in the queue.
fn wait_until_acknowledged(screen: &Receiver<String>, wanted: usize) {
    let mut shown = String::new();
    loop {
        let piece = screen.recv_timeout(PATIENCE * 2);
        shown += &piece.unwrap_or_else(|_| panic!("{wanted} lines are not acknowledged: {shown}"));
        let acknowledged = shown
            .lines()
            .filter_map(|line| line.strip_prefix("acknowledged ")?.split(' ').next())
            .filter_map(|count| count.parse::<usize>().ok())
            .max();
        if acknowledged >= Some(wanted) {
            return;
        }
    }
}

fn settings(mqd: &Mqd, log: &Path) -> Settings {
    Settings {
        bootstrap: mqd.address().to_string(),
        source: Source::Follow(log.to_owned()),
        topic: TopicName::new("lines").unwrap(),
        out: TopicName::new("rows").unwrap(),
        windows: Tumbling::of_seconds(NonZeroU32::new(5).unwrap()),
        out_of_order: Duration::from_secs(60),
        rate: None,
        idle_end: None,
        patience: PATIENCE * 2,
    }
}

#[test]
fn every_row_is_right_although_the_queue_was_killed() {
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../mini-projects/stream-compute/sample/access.log"
    );
    // Not all of it is UTF-8: it is what strangers sent to a real server.
    let text = fs::read(sample).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut mqd = mqd().stable_port().start().unwrap();
    let log = mqd.data_dir().with_extension("log");
    fs::write(&log, "").unwrap();
    let (screen, shown) = mpsc::sync_channel(100_000);
    let (stop, stopped) = watch::channel(false);
    let settings = settings(&mqd, &log);
    let job = thread::spawn(move || {
        let report = Report::new(Box::new(Screen(screen)), None, RowsShown::AtMost(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(stream_compute::run(settings, &report, stopped))
    });

    // The file grows while the queue dies: the job cannot have ended before.
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    let part = lines.len() / (KILLS + 1);
    for (index, part) in lines.chunks(part).enumerate() {
        file.write_all(&part.concat()).unwrap();
        if index < KILLS {
            mqd.kill_9().unwrap();
            mqd.restart(Port::Same).unwrap();
            wait_until_acknowledged(&shown, index * part.len() + 1);
        }
    }
    wait_until_acknowledged(&shown, lines.len());
    stop.send_replace(true);
    let summary = job.join().unwrap().unwrap();
    fs::remove_file(&log).unwrap();
    assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
    assert_eq!(summary.lines, u64::try_from(lines.len()).unwrap());
    assert!(summary.rows > 0);
    println!("{KILLS} kills: {summary}");
}
