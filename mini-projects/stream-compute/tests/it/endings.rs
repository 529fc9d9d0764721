//! How a job ends when something is in its way.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use tempfile::TempDir;

use crate::queue::Queue;
use crate::{hit, line};

fn ip_count(words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ip-count"));
    command
        .args(words.split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A folder with a job's files, and a queue.
struct Place {
    queue: Queue,
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        Place {
            queue: Queue::start(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn append(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn command(&self, words: &str) -> Command {
        let mut command = ip_count(words);
        command
            .args(["--bootstrap", &self.queue.address])
            .current_dir(self.folder.path());
        command
    }

    /// The exit status, and the last line of what was shown, or of the error.
    fn run(&self, words: &str) -> (Option<i32>, String) {
        let output = self.command(words).output().unwrap();
        (output.status.code(), last_line(&output))
    }
}

fn last_line(output: &Output) -> String {
    let text = match output.stderr.is_empty() {
        true => &output.stdout,
        false => &output.stderr,
    };
    let text = String::from_utf8_lossy(text);
    text.lines().last().unwrap_or_default().to_owned()
}

/// So many requests, one a second.
fn requests(seconds: std::ops::Range<i64>) -> String {
    seconds.map(|second| line(hit(1, second)) + "\n").collect()
}

fn lines_of(process: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(process.stdout.take().unwrap()).lines()
}

/// Reads up to the line that begins so.
fn wait_for(lines: &mut Lines<BufReader<ChildStdout>>, wanted: &str) -> String {
    let mut lines = lines.map(|line| line.unwrap());
    let found = lines.find(|line| line.starts_with(wanted));
    found.unwrap_or_else(|| panic!("no {wanted:?}"))
}

#[test]
fn an_output_that_is_closed_or_full_is_no_panic() {
    let place = Place::new();
    place.append("log", &requests(0..9));
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let closed = || {
        let (_, write) = std::io::pipe().unwrap();
        write
    };
    for words in ["--help", "--explain --log log"] {
        let to_full = place.command(words).stdout(full()).output().unwrap();
        assert_eq!(to_full.status.code(), Some(2), "{words}: {to_full:?}");
        let wanted =
            "ip-count: cannot write to standard output: No space left on device (os error 28)";
        assert_eq!(last_line(&to_full), wanted, "{words}");
        let to_closed = place.command(words).stdout(closed()).output().unwrap();
        assert_eq!(to_closed.status.code(), Some(0), "{words}: {to_closed:?}");
        assert!(to_closed.stderr.is_empty(), "{words}: {to_closed:?}");
    }
    let wrong = place.command("--wrong").stderr(full()).status().unwrap();
    assert_eq!(wrong.code(), Some(2));

    let job = "--log log --side side";
    for (output, wanted) in [
        (
            Stdio::from(closed()),
            "cannot write: standard output: Broken pipe (os error 32)",
        ),
        (
            Stdio::from(full()),
            "cannot write: standard output: No space left on device (os error 28)",
        ),
    ] {
        let ended = place.command(job).stdout(output).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        assert!(last_line(&ended).contains(wanted), "{ended:?}");
    }
    place.append("log", "no line of a log\n");
    let (status, error) = place.run("--log log --side /dev/full");
    assert_eq!(status, Some(2), "{error}");
    assert!(error.contains("/dev/full: No space left"), "{error}");
}

#[test]
fn a_page_that_cannot_be_written_at_the_end_does_not_hide_the_verdict() {
    let place = Place::new();
    let pages = place.folder.path().join("pages");
    fs::create_dir(&pages).unwrap();
    let mut command = place.command("- --report pages/page.html");
    let mut process = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    let mut lines = lines_of(&mut process);
    wait_for(&mut lines, "topics ");
    // A job that is killed now leaves no file behind.
    assert_eq!(fs::read_dir(&pages).unwrap().count(), 0);
    fs::remove_dir(&pages).unwrap();
    input.write_all(requests(0..9).as_bytes()).unwrap();
    drop(input);
    let verdict = wait_for(&mut lines, "verdict: ");
    assert!(
        verdict.starts_with("verdict: OK, 2 committed rows"),
        "{verdict}"
    );
    let ended = process.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    let wanted = "ip-count: the verdict holds, but the page pages/page.html cannot be written: ";
    assert!(last_line(&ended).starts_with(wanted), "{ended:?}");
}

const JOB: &str = "--topic lines --out rows --checkpoint-dir dir --out-of-order 1h";

#[test]
fn half_a_line_of_a_followed_log_is_left_for_the_next_run() {
    let place = Place::new();
    let last = line(hit(1, 9));
    let (half, rest) = last.split_at(30);
    place.append("log", &(requests(0..9) + half));
    let follow = format!("--follow log --idle-end 200ms {JOB}");
    let (status, verdict) = place.run(&follow);
    assert_eq!(status, Some(0), "{verdict}");
    let wanted = "verdict: OK, all 2 committed rows equal the batch recount of 9 lines; side";
    assert!(verdict.starts_with(wanted), "{verdict}");
    place.append("log", &format!("{rest}\n{}", requests(20..21)));
    let (status, verdict) = place.run(&follow);
    assert_eq!(status, Some(0), "{verdict}");
    // All windows were closed when the first run ended.
    let wanted =
        "verdict: OK, all 3 committed rows equal the batch recount of 11 lines less 1 late";
    assert!(verdict.starts_with(wanted), "{verdict}");
}

#[test]
fn a_damaged_checkpoint_is_an_error_that_says_what_to_do() {
    let place = Place::new();
    place.append("log", &requests(0..9));
    let job = format!("--log log {JOB}");
    assert_eq!(place.run(&job).0, Some(0));
    let names = fs::read_dir(place.folder.path().join("dir")).unwrap();
    let paths = names.map(|entry| entry.unwrap().path());
    let is_checkpoint = |path: &Path| path.to_string_lossy().contains("checkpoint-");
    for path in paths.filter(|path| is_checkpoint(path)) {
        fs::write(path, "damaged").unwrap();
    }
    let (status, error) = place.run(&job);
    assert_eq!(status, Some(2), "{error}");
    for wanted in [
        "is no whole checkpoint",
        "Do not delete it",
        "from a copy",
        "other topics",
    ] {
        assert!(error.contains(wanted), "no {wanted:?} in {error}");
    }
}

#[test]
fn ctrl_c_is_answered_also_when_the_queue_is_away() {
    // No queue listens there.
    let mut process = ip_count("- --bootstrap 127.0.0.1:9");
    let mut process = process.stdin(Stdio::piped()).spawn().unwrap();
    let mut lines = lines_of(&mut process);
    wait_for(&mut lines, "queue client: no answer yet");
    let press = || {
        let id = process.id().to_string();
        let pressed = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(pressed.success());
    };
    press();
    let said = wait_for(&mut lines, "stopping: ");
    assert!(said.contains("Ctrl-C again ends the job at once"), "{said}");
    press();
    assert_eq!(process.wait().unwrap().code(), Some(130));
}

#[test]
fn a_line_of_the_last_year_is_in_the_side_output_and_the_job_can_be_finished() {
    let place = Place::new();
    let far = "192.0.2.1 - - [31/Dec/9999:23:59:59 +0000] \"GET / HTTP/1.1\" 200 17\n";
    place.append("log", &(requests(0..9) + far));
    let job = format!("--log log --window 5s {JOB}");
    for _ in 0..2 {
        let output = place.command(&job).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let wanted = "verdict: OK, all 2 committed rows equal the batch recount of 10 lines; side output: 1;";
        assert!(last_line(&output).starts_with(wanted), "{output:?}");
    }
    let shown = place.run("--log log --side side");
    assert_eq!(shown.0, Some(0), "{shown:?}");
    let side = fs::read_to_string(place.folder.path().join("side")).unwrap();
    assert_eq!(
        side,
        "side line 10: its time is not in the years 1 to 9998\n"
    );
}

#[test]
fn of_several_files_a_resumed_job_counts_new_ones_and_refuses_what_it_would_skip() {
    let place = Place::new();
    place.append("a", &requests(100..120));
    // The last line of a file may have no end.
    place.append("b", requests(130..150).trim_end());
    let job = |files: &str| place.run(&format!("--log {files} {JOB} --partitions 2"));
    assert_eq!(job("a b").0, Some(0));
    // A newer file is counted.
    place.append("c", &requests(160..170));
    let (status, verdict) = job("a b c");
    assert_eq!(status, Some(0), "{verdict}");
    assert!(verdict.contains("recount of 50 lines"), "{verdict}");
    // The last one grows.
    place.append("c", &requests(175..180));
    let (status, verdict) = job("c b a");
    assert_eq!(status, Some(0), "{verdict}");
    assert!(verdict.contains("recount of 55 lines"), "{verdict}");

    place.append("older", &requests(50..51));
    let (status, error) = job("a b c older");
    assert_eq!(status, Some(2), "{error}");
    assert!(
        error.contains("there are 54 lines, of which it has counted 53"),
        "{error}"
    );
    place.append("a", &requests(120..125));
    let (status, error) = job("a b c");
    assert_eq!(status, Some(2), "{error}");
    assert!(error.contains("only the last may have grown"), "{error}");
}
