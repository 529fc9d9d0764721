//! The web page about a job.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::output;
use crate::queue::Queue;
use crate::{hit, line};

/// `ip-count --report` with a file as its input, and so many seconds out of order.
fn run(queue: &Queue, (log, page): (&Path, &Path), more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ip-count"));
    command
        .args(["--bootstrap", &queue.address, "--out-of-order", "10s"])
        .arg("--log")
        .arg(log)
        .arg("--report")
        .arg(page)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = output(command.spawn().unwrap());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The number behind these words.
fn number_behind(text: &str, words: &str) -> u64 {
    let (_, rest) = text
        .split_once(words)
        .unwrap_or_else(|| panic!("no {words:?} in {text}"));
    let end = rest.find(|character: char| !character.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().unwrap()
}

/// The numbers and names of a table, or of all.
fn rows(html: &str) -> Vec<(u64, &str)> {
    let rows = html.split("<tr><td class=\"number\">").skip(1);
    rows.map(|row| {
        let (number, rest) = row.split_once("<td>").unwrap();
        let name = rest.split('<').next().unwrap();
        (number.replace(',', "").parse().unwrap(), name)
    })
    .collect()
}

/// The part of the page with this heading.
fn part<'a>(html: &'a str, heading: &str) -> &'a str {
    let (_, part) = html.split_once(&format!("<h2>{heading}</h2>")).unwrap();
    part.split("<h2>").next().unwrap()
}

fn sum(rows: &[(u64, &str)]) -> u64 {
    rows.iter().map(|(number, _)| number).sum()
}

/// What the points of a plot say.
fn points(part: &str) -> Vec<u64> {
    let titles = part.split("<title>").skip(1);
    let value = |title: &str| {
        let (title, _) = title.split_once("</title>").unwrap();
        let (_, value) = title.rsplit_once(": ").unwrap();
        let digits = value.chars().filter(char::is_ascii_digit);
        digits.collect::<String>().parse().unwrap()
    };
    titles.map(value).collect()
}

/// The numbers are those of the verdict, and add up.
fn assert_adds_up(html: &str, printed: &str) {
    let verdict = printed.lines().last().unwrap();
    assert!(html.contains(verdict), "{verdict} is not in {html}");
    let aside = number_behind(verdict, "side output: ");
    let lines = number_behind(verdict, "batch recount of ");
    let totals = rows(part(html, "Totals"));
    let total = |name| {
        let mut totals = totals.iter();
        totals.find(|(_, other)| *other == name).unwrap().0
    };
    assert_eq!(total("lines of the input"), lines);
    assert_eq!(total("committed rows"), number_behind(verdict, "all "));
    assert_eq!(total("lines in the side output"), aside);
    assert_eq!(total("requests in them"), lines - aside);
    let addresses = rows(part(html, "Top addresses"));
    assert_eq!(total("addresses in them"), addresses.len() as u64);
    assert_eq!(sum(&addresses), lines - aside);
    assert_eq!(sum(&rows(part(html, "Late and bad lines"))), aside);
    let over_time = points(part(html, "Requests over time"));
    assert_eq!(over_time.iter().sum::<u64>(), lines - aside);
}

const HOSTILE: &str = "<script>alert(1)</script> - - [x] \"<img src=x onerror=alert(2)>\" 200 1
192.0.2.1</td><script> - - [01/Jan/2024:00:00:00 +0000] \"GET /\" 200 5
192.0.2.1 - - [01/Jan/2024:00:00:00 +0000] \"\\\"><script>alert(3)</script>\" <b> 5
192.0.2.1 - - [01/Jan/2024:<i>00 +0000] \"GET /\" 200 5
192.0.2.1 - - [01/Jan/2024:00:00:00 +0000] GET</style> 200 5

";

/// So many requests, one a second, from five addresses.
fn requests(seconds: std::ops::Range<i64>) -> String {
    let host = |second: i64| u8::try_from(second % 5).unwrap();
    let line = |second| line(hit(host(second), second)) + "\n";
    seconds.map(line).collect()
}

#[test]
fn hostile_lines_leave_no_markup_and_the_totals_are_those_of_the_verdict() {
    let queue = Queue::start();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("<img src=x onerror=alert(4)>&\"'.log");
    let too_long = "<b>".repeat(30_000);
    let late = requests(0..7);
    let all = [&requests(0..300), HOSTILE, &late, &too_long, "\n<u>\n"].concat();
    fs::write(&log, all).unwrap();
    let file = folder.path().join("report.html");
    fs::write(&file, "an older one").unwrap();
    // A reader that has the older one open keeps it.
    let older = folder.path().join("older");
    fs::hard_link(&file, &older).unwrap();
    let printed = run(&queue, (&log, &file), &[]);
    assert_eq!(fs::read_to_string(&older).unwrap(), "an older one");
    let html = fs::read_to_string(&file).unwrap();
    assert_adds_up(&html, &printed);
    let mut reasons = rows(part(&html, "Late and bad lines"));
    reasons.sort_unstable();
    let wanted = [
        (1, "it has no time like [17/May/2015:10:05:03 +0000]"),
        (1, "request, referer or user agent is not in quotes"),
        (1, "the line is empty"),
        (1, "the line is longer than 64 KiB"),
        (1, "the status is not three digits"),
        (3, "it does not begin with an IP address"),
        (7, "late: the window was closed"),
    ];
    assert_eq!(reasons, wanted);

    let known = "!doctype html meta title style h1 h2 p table tr th td svg rect span";
    for tag in html.split('<').skip(1) {
        let end = tag.find([' ', '>']).unwrap();
        let name = tag[..end].trim_start_matches('/');
        assert!(known.split(' ').any(|known| known == name), "<{tag}");
    }
    assert!(html.contains("/&lt;img src=x onerror=alert(4)&gt;&amp;&quot;&#39;.log</p>"));
    for outside in ["http:", "https:", "url(", "@import", "href", "script>"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let entries = fs::read_dir(folder.path()).unwrap();
    assert_eq!(entries.count(), 3, "the log and the two pages");
}

#[test]
fn a_resumed_job_has_the_totals_of_all_its_runs() {
    let queue = Queue::start();
    let folder = tempfile::tempdir().unwrap();
    let (log, file) = (folder.path().join("log"), folder.path().join("page"));
    let checkpoints = folder.path().join("checkpoints");
    let more = [
        "--checkpoint-dir",
        checkpoints.to_str().unwrap(),
        "--topic",
        "lines",
        "--out",
        "rows",
    ];
    let first = [&requests(0..100), HOSTILE].concat();
    fs::write(&log, &first).unwrap();
    let printed = run(&queue, (&log, &file), &more);
    assert_adds_up(&fs::read_to_string(&file).unwrap(), &printed);
    fs::write(&log, [&first, &*requests(90..200), "\n"].concat()).unwrap();
    let printed = run(&queue, (&log, &file), &more);
    let html = fs::read_to_string(&file).unwrap();
    assert_adds_up(&html, &printed);
    let reasons = rows(part(&html, "Late and bad lines"));
    let before = (6, "no line of an access log, before the job was resumed");
    let (empty, late) = ((1, "the line is empty"), "late: the window was closed");
    let late = (10, late);
    assert_eq!(reasons, [late, before, empty]);
}

#[test]
fn a_request_in_windows_that_overlap_counts_once() {
    let queue = Queue::start();
    let folder = tempfile::tempdir().unwrap();
    let (log, file) = (folder.path().join("log"), folder.path().join("page"));
    fs::write(&log, requests(0..300)).unwrap();
    let printed = run(&queue, (&log, &file), &["--window", "20s", "--slide", "5s"]);
    let html = fs::read_to_string(&file).unwrap();
    assert_adds_up(&html, &printed);
    assert_eq!(points(part(&html, "Requests over time")), [20; 15]);
    assert!(!html.contains("counts in each of its windows"));
    let printed = run(&queue, (&log, &file), &["--window", "10s", "--slide", "4s"]);
    let html = fs::read_to_string(&file).unwrap();
    assert!(html.contains(printed.lines().last().unwrap()));
    assert!(html.contains("counts in each of its windows"));
}

#[test]
fn the_verdict_has_commas_in_its_numbers_as_the_other_numbers_have() {
    let queue = Queue::start();
    let folder = tempfile::tempdir().unwrap();
    let (log, file) = (folder.path().join("log"), folder.path().join("page"));
    fs::write(&log, requests(0..5_000) + &"bad\n".repeat(1_000)).unwrap();
    let printed = run(&queue, (&log, &file), &["--rows", "0"]);
    let html = fs::read_to_string(&file).unwrap();
    let verdict = "verdict: OK, all 5,000 committed rows equal the batch recount of 6,000 lines; \
                   side output: 1,000; repeated lines skipped: 0";
    assert!(html.contains(verdict), "{html}");
    assert_eq!(rows(part(&html, "Totals"))[1], (5_000, "committed rows"));
    // Programs read this one.
    let digits = |number: &str| number.replace(',', "");
    let plain = ["5,000", "6,000", "1,000"];
    let plain = plain.iter().fold(verdict.to_owned(), |plain, number| {
        plain.replace(number, &digits(number))
    });
    assert_eq!(printed.lines().last(), Some(&*plain));
}

#[test]
fn a_job_that_cannot_be_done_leaves_the_page_before_and_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page");
    fs::write(&file, "an older one").unwrap();
    for (log, page) in [("missing", &*file), ("missing", folder.path())] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ip-count"));
        command.args(["--bootstrap", "127.0.0.1:9", "--log"]);
        command.arg(folder.path().join(log)).arg("--report");
        command.arg(page);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = output(command.spawn().unwrap());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        let is_page = stderr.contains("cannot write");
        assert_eq!(is_page, page == folder.path(), "{stderr}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "an older one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
