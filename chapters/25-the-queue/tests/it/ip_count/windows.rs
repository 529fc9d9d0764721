//! Windows of all kinds, and rows that are replaced.

use std::fs;
use std::time::Duration;

use message_model::TopicName;
use stream_compute::{Cut, Settings, Source, Summary, Verdict};
use tempfile::TempDir;

use super::{made_log, settings, start};
use crate::exactly_once::{committed, connect};
use crate::support::mqd;

const LINES: u32 = 1_000;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Counts a log in this way; returns the rows, too.
async fn counted(change: impl FnOnce(Settings) -> Settings) -> (Summary, Vec<String>) {
    let mqd = mqd().start().unwrap();
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    fs::write(&log, made_log(LINES)).unwrap();
    let address = mqd.address().to_string();
    let settings = settings(&address, Source::Files(vec![log]), folder.path());
    let summary = start(change(settings)).outcome().unwrap();
    println!("{summary}");
    let client = connect(&mqd).await;
    let rows = committed(&client, &TopicName::new("rows").unwrap(), 0).await;
    (summary, rows)
}

#[tokio::test]
async fn windows_that_overlap_and_sessions_equal_the_recount() {
    for windows in [
        Cut::Sliding(seconds(10), seconds(5)),
        Cut::Sliding(seconds(7), seconds(3)),
        Cut::Sessions(seconds(4)),
    ] {
        let (summary, rows) = counted(|settings| Settings {
            windows,
            ..settings
        })
        .await;
        assert_eq!(summary.verdict, Verdict::Equal, "{windows}: {summary}");
        assert_eq!(rows.len() as u64, summary.rows);
    }
}

#[tokio::test]
async fn within_the_lateness_the_last_revisions_equal_the_recount() {
    for windows in [Cut::Tumbling(seconds(5)), Cut::Sessions(seconds(4))] {
        let (summary, rows) = counted(|settings| Settings {
            windows,
            out_of_order: seconds(5),
            lateness: seconds(60),
            ..settings
        })
        .await;
        assert_eq!(summary.verdict, Verdict::Equal, "{windows}: {summary}");
        assert_eq!(summary.tally.late, 0);
        // Revisions are rows too, and sessions are withdrawn.
        assert!(rows.len() as u64 > summary.rows);
        let withdrawn = rows.iter().any(|row| row.split(' ').nth(3) == Some("0"));
        assert_eq!(withdrawn, matches!(windows, Cut::Sessions(_)));
    }
}

#[tokio::test]
async fn without_lateness_late_lines_are_in_no_row() {
    let (summary, rows) = counted(|settings| Settings {
        out_of_order: seconds(5),
        ..settings
    })
    .await;
    assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
    assert!(summary.tally.late > 0);
    assert_eq!(rows.len() as u64, summary.rows);
}

#[tokio::test]
async fn the_top_of_each_window_equals_that_of_the_recount() {
    for windows in [
        Cut::Tumbling(seconds(5)),
        Cut::Sliding(seconds(10), seconds(5)),
    ] {
        let (summary, rows) = counted(|settings| Settings {
            windows,
            top: Some(3),
            ..settings
        })
        .await;
        assert_eq!(summary.verdict, Verdict::Equal, "{windows}: {summary}");
        let mut starts: Vec<&str> = rows
            .iter()
            .filter_map(|row| row.split(' ').next())
            .collect();
        starts.sort_unstable();
        starts.dedup();
        assert!(rows.len() <= starts.len() * 3);
        assert!(rows.len() > starts.len() * 2);
    }
}
