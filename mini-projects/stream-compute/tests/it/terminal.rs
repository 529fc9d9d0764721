//! What a person sees of a job.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;

use crate::process::{PATIENCE, Seat, ip_count, output};
use crate::queue::Queue;
use crate::{hit, line};

/// Lines of a minute from 20 addresses, the last address with half of them, and three that are no
/// such lines.
fn log(count: i64) -> String {
    let mut log = String::new();
    for number in 0..count {
        let host = if number % 2 == 0 { 19 } else { number % 19 };
        let host = u8::try_from(host).unwrap();
        log += &line(hit(host, number * 60 / count));
        log += "\n";
    }
    log + "one\ntwo\n\n"
}

/// What a terminal has on its screen when it was sent this. Of the sequences it knows those that
/// `ip-count` sends.
fn screen(sent: &str) -> Vec<String> {
    let (mut rows, mut row) = (vec![String::new()], 0);
    let mut pieces = sent.split('\x1b');
    let write = |rows: &mut Vec<String>, row: &mut usize, text: &str| {
        for character in text.chars() {
            match character {
                '\r' => {}
                '\n' => {
                    *row += 1;
                    if *row == rows.len() {
                        rows.push(String::new());
                    }
                }
                character => rows[*row].push(character),
            }
        }
    };
    write(&mut rows, &mut row, pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|character: char| character.is_ascii_alphabetic());
        let (sequence, text) = piece.split_at(end.expect("a letter ends it") + 1);
        match sequence {
            "[K" | "[0m" | "[1m" | "[2m" | "[33m" => {}
            "[J" => rows.truncate(row + 1),
            up => {
                let count = up.strip_prefix('[').and_then(|up| up.strip_suffix('A'));
                let count: usize = count.expect("up").parse().unwrap();
                row -= count;
                // All lines from here on are written anew.
                rows.truncate(row);
                rows.push(String::new());
            }
        }
        write(&mut rows, &mut row, text);
    }
    rows
}

#[test]
fn on_a_terminal_a_view_is_drawn_in_place_and_ends_with_the_verdict() {
    let queue = Queue::start();
    let (mut seat, mut input) = Seat::take(ip_count(&queue), (80, 30));
    input.write_all(log(1_000).as_bytes()).unwrap();
    // Frames follow each other while nothing comes.
    seat.wait_for("counted     1,003 lines");
    seat.wait_for("counted     1,003 lines");
    drop(input);
    assert_eq!(seat.end(), Some(0), "{}", seat.shown);
    let screen = screen(&seat.shown);
    let place = |wanted: &str| {
        let mut lines = screen.iter();
        let place = lines.position(|line| line.starts_with(wanted));
        let place = place.unwrap_or_else(|| panic!("no {wanted:?} in {screen:#?}"));
        assert!(lines.all(|line| !line.starts_with(wanted)), "{screen:#?}");
        place
    };
    let places = [
        place("ip-count"),
        place("counted     1,003 lines, "),
        place("lag         0 lines"),
        place("watermark   at the end of the input"),
        place("not counted 0 late, 3 bad"),
        place("rows        240 committed"),
        place("checkpoint  "),
        place("       500  192.0.2.19  ########################"),
        place("topics access-log-"),
        place("verdict: OK, 240 committed rows and the side output add up to 1,003 lines"),
    ];
    assert!(places.is_sorted(), "{screen:#?}");
    assert_eq!(screen[places[9] + 1..], [""]);
    assert!(seat.shown.contains("\x1b[1mip-count\x1b[0m"));
}

#[test]
fn the_view_fits_a_terminal_that_becomes_small_and_has_no_colours_if_none_are_wanted() {
    let queue = Queue::start();
    let mut command = ip_count(&queue);
    command.env("NO_COLOR", "1");
    let (mut seat, mut input) = Seat::take(command, (80, 30));
    input.write_all(log(1_000).as_bytes()).unwrap();
    seat.wait_for("counted     1,003 lines");
    seat.resize((20, 8));
    let small = "counted     1,003 l\x1b";
    seat.wait_for(small);
    drop(input);
    assert_eq!(seat.end(), Some(0), "{}", seat.shown);
    let from = seat.shown.find(small).unwrap();
    let end = seat.shown.rfind("\x1b[J").unwrap();
    let mut frames: Vec<_> = seat.shown[from..end].split("\x1b[J").skip(1).collect();
    frames.retain(|frame| !frame.is_empty());
    assert!(!frames.is_empty());
    for frame in frames {
        let (_, frame) = frame.split_once('A').expect("up");
        let lines: Vec<_> = frame.split("\r\n").collect();
        assert_eq!(lines.len(), 8, "7 lines and the cursor: {frame:?}");
        let is_short = |line: &&str| line.strip_suffix("\x1b[K").unwrap_or(line).len() < 20;
        assert!(lines.iter().all(is_short), "{frame:?}");
    }
    assert!(!seat.shown.contains("\x1b[0m"));
    // What stays is whole.
    assert!(seat.shown.contains("add up to 1,003 lines (the input"));
}

/// What a view says, if lines that go on below their first one are joined.
fn joined(view: &[String]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for line in view {
        match (line.strip_prefix("            "), joined.last_mut()) {
            (Some(more), Some(last)) => *last += &format!(" {more}"),
            _ => joined.push(line.clone()),
        }
    }
    joined
}

fn has(view: &[String], line: &str) -> bool {
    joined(view).iter().any(|other| other.starts_with(line))
}

#[test]
fn on_forty_columns_every_line_is_whole_and_addresses_keep_their_ends() {
    let queue = Queue::start();
    let mut command = ip_count(&queue);
    let (lines, rows) = ("lines-of-the-log", "requests-per-address");
    command.args(["--topic", lines, "--out", rows]);
    let (mut seat, mut input) = Seat::take(command, (40, 40));
    let log = log(1_000);
    let of_v6 = log.lines().take(400);
    let of_v6 = of_v6.map(|line| line.replace("192.0.2.", "2001:db8:85a3:1234:5678:8a2e:370:7"));
    let of_v6: Vec<_> = of_v6.collect();
    input.write_all(log.as_bytes()).unwrap();
    input.write_all(of_v6.join("\n").as_bytes()).unwrap();
    input.write_all(b"\n").unwrap();
    let topics = format!("topics {lines} for lines, {rows} for rows");
    let view = seat.wait_for_view("all lines", |view| has(view, "counted     1,403 lines, "));
    assert!(has(&view, &topics), "{view:#?}");
    assert!(view.iter().all(|line| line.len() < 40), "{view:#?}");
    drop(input);
    assert_eq!(seat.end(), Some(0), "{}", seat.shown);
    let screen = screen(&seat.shown);
    // There is no room for bars beside such addresses.
    for row in [
        "       500  192.0.2.19",
        "       200  2001:db8:85a3..8a2e:370:719",
    ] {
        assert!(screen.iter().any(|line| line == row), "{screen:#?}");
    }
}

#[test]
fn while_the_queue_is_away_the_lag_is_unknown_and_the_wait_is_shown() {
    let queue = Queue::start();
    let (mut seat, mut input) = Seat::take(ip_count(&queue), (46, 30));
    input.write_all(log(1_000).as_bytes()).unwrap();
    let is_read = |view: &[String]| has(view, "counted     1,003 lines");
    let is_there = |view: &[String]| has(view, "lag         0 lines") && !has(view, "queue");
    seat.wait_for_view("all lines", |view| is_read(view) && is_there(view));
    // Nothing more is fed, so it may be only the question for the lag that has no answer.
    queue.stop();
    let view = seat.wait_for_view("a wait", |view| has(view, "queue"));
    let (queue_line, lag) = (
        "queue       no answer for ",
        "lag         unknown; 0 lines ",
    );
    assert!(has(&view, queue_line) && has(&view, lag), "{view:#?}");
    let said = joined(&view).concat();
    assert!(said.contains(" s; waiting for up to 60 s"), "{view:#?}");
    queue.go_on();
    seat.wait_for_view("an answer", is_there);
    drop(input);
    assert_eq!(seat.end(), Some(0), "{}", seat.shown);
}

#[test]
fn a_terminal_that_is_stopped_does_not_hold_up_the_job() {
    const CTRL_S: u8 = 0x13;
    const CTRL_Q: u8 = 0x11;
    let queue = Queue::start();
    let mut command = ip_count(&queue);
    // A view that waits holds up all tasks.
    command.env("TOKIO_WORKER_THREADS", "1");
    let (mut seat, mut input) = Seat::take(command, (80, 30));
    seat.wait_for("ip-count");
    seat.press(CTRL_S);
    // Far more than all buffers on the way hold, and more than a terminal takes of lines.
    let (fed, told) = channel();
    thread::spawn(move || {
        let written = input.write_all(log(60_000).as_bytes());
        drop(input);
        fed.send(written)
    });
    let written = told.recv_timeout(PATIENCE * 2);
    written.expect("the job goes on").unwrap();
    seat.press(CTRL_Q);
    assert_eq!(seat.end(), Some(0), "{}", seat.shown);
    assert!(
        seat.shown.contains("add up to 60,003 lines"),
        "{}",
        seat.shown
    );
}

/// The lines that programs read.
fn assert_plain(shown: &str) {
    let mut lines = shown.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("topics access-log-") && first.ends_with(" for rows"));
    let last = lines.next_back().unwrap();
    assert!(
        last.starts_with("verdict: OK, 240 committed rows"),
        "{shown}"
    );
    let words = ["acknowledged", "row", "rows", "side", "queue"];
    for line in lines {
        assert!(words.contains(&line.split(' ').next().unwrap()), "{line}");
    }
    assert!(shown.contains("side line 1001: it does not begin with an IP address"));
    assert!(!shown.contains('\x1b'));
}

#[test]
fn without_a_terminal_or_with_plain_there_are_lines() {
    let queue = Queue::start();
    let mut piped = ip_count(&queue);
    let mut piped = piped.stdout(Stdio::piped()).spawn().unwrap();
    let mut input = piped.stdin.take().unwrap();
    input.write_all(log(1_000).as_bytes()).unwrap();
    drop(input);
    let output = output(piped);
    assert!(output.status.success());
    assert_plain(&String::from_utf8(output.stdout).unwrap());

    let mut dumb = ip_count(&queue);
    dumb.env("TERM", "dumb");
    let mut plain = ip_count(&queue);
    plain.arg("--plain");
    for (command, topics) in [(dumb, ["a", "b"]), (plain, ["access-log-c", "d"])] {
        let mut command = command;
        command.args(["--topic", topics[0], "--out", topics[1]]);
        let (mut seat, mut input) = Seat::take(command, (80, 30));
        input.write_all(log(1_000).as_bytes()).unwrap();
        drop(input);
        assert_eq!(seat.end(), Some(0), "{}", seat.shown);
        assert_plain(&seat.shown.replace("topics a ", "topics access-log-a "));
    }
}

#[test]
fn the_view_says_that_the_log_was_cut_while_the_job_runs_and_at_its_end() {
    let queue = Queue::start();
    let folder = tempfile::tempdir().unwrap();
    // A name may have any characters.
    let path = folder.path().join("log\u{1b}[2J");
    std::fs::write(&path, log(1_000)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ip-count"));
    command
        .args(["--bootstrap", &queue.address, "--follow"])
        .arg(&path)
        .env("TERM", "xterm")
        .stdin(Stdio::piped());
    let (mut seat, _input) = Seat::take(command, (300, 30));
    seat.wait_for_view("lines", |view| has(view, "counted     1,003 lines"));
    std::fs::write(&path, log(10)).unwrap();
    let is_cut =
        |line: &String| line.starts_with("input ") && line.contains("log?[2J was cut: lines");
    seat.wait_for_view("the cut", |view| view.iter().any(is_cut));
    seat.wait_for_view("lines", |view| has(view, "counted     1,016 lines"));
    seat.interrupt();
    assert_eq!(seat.end(), Some(0), "{}", seat.shown);
    let (_, last) = seat.shown.rsplit_once("topics ").unwrap();
    let cut = last.find("log?[2J was cut: lines").expect("the cut");
    assert!(cut < last.find("verdict: OK").unwrap(), "{last}");
}

#[test]
fn the_view_answers_ctrl_c_when_the_queue_is_away() {
    // No queue listens there.
    let mut command = Command::new(env!("CARGO_BIN_EXE_ip-count"));
    command
        .args(["--bootstrap", "127.0.0.1:9", "-"])
        .env("TERM", "xterm")
        .stdin(Stdio::piped());
    let (mut seat, _input) = Seat::take(command, (80, 30));
    seat.wait_for_view("silence", |view| has(view, "queue       no answer"));
    seat.interrupt();
    seat.wait_for_view("an answer", |view| has(view, "stopping: "));
    seat.interrupt();
    assert_eq!(seat.end(), Some(130), "{}", seat.shown);
}
