//! What a panic says, and that it ends the process.
//!
//! A thread that panics leaves its clients without an answer and its locks
//! poisoned; a process that ends closes its connections, and clients go on when
//! it is started again. What was acknowledged survives: a panic is no worse than `kill -9`.

use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::sync::{Once, mpsc};
use std::thread;
use std::time::Duration;

/// The exit code after a panic: "internal software error" in `sysexits.h`.
const EXIT_PANIC: i32 = 70;

/// How long the last words may take to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// What [`todo!`] puts in front of its message.
const HOLE: &str = "not yet implemented: ";

/// From now on a panic, on whichever thread, says what was being served and ends the process.
pub fn end_on_panic() {
    panic::set_hook(Box::new(|info| {
        // A second panic, in here or on another thread, must not say it all again.
        static FIRST: Once = Once::new();
        FIRST.call_once(|| {
            let location = info.location().map(ToString::to_string);
            let last_words = last_words(
                info_message(info),
                location.as_deref().unwrap_or("(unknown)"),
                broker::serving().as_deref(),
            );
            write_in_time(last_words);
        });
        std::process::exit(EXIT_PANIC);
    }));
}

/// Writes to stderr, but waits no longer than [`PATIENCE`]: a pipe that nobody
/// reads must not keep the process.
fn write_in_time(last_words: String) {
    let (written, done) = mpsc::channel();
    thread::spawn(move || {
        // `eprintln!` would panic again if stderr is closed.
        let _ = writeln!(io::stderr(), "{last_words}");
        let _ = written.send(());
    });
    let _ = done.recv_timeout(PATIENCE);
}

fn info_message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload_as_str().unwrap_or("(no message)")
}

/// The text for a panic with `message` at `location` (`file:line:column`).
fn last_words(message: &str, location: &str, serving: Option<&str>) -> String {
    let chapter = exercise_chapter(location);
    // `6.1: what is to be done`
    let hole = message
        .strip_prefix(HOLE)
        .and_then(|hole| hole.split_once(": "));
    let what = match (hole, chapter) {
        (Some((task, title)), _) => format!("task {task} is still a hole: {title}"),
        (None, Some(chapter)) => format!("your part of chapter {chapter} panicked: {message}"),
        (None, None) => format!("a bug in mqd, or in a part of yours: {message}"),
    };
    let mut text = format!("\nmqd: {what}\n  where      {location}\n");
    if let Some(serving) = serving {
        text += &format!("  serving    {serving}\n");
    }
    let task_chapter = hole.and_then(|(task, _)| task.split('.').next());
    if let Some(chapter) = task_chapter.or(chapter) {
        text += &format!("  check it   cargo workbook check {chapter}\n");
    }
    text + "  mqd ends here, so that no client waits for ever; what it acknowledged is kept.\n"
}

/// The chapter, as in `cargo workbook check`, if `location` is in a learner's part.
fn exercise_chapter(location: &str) -> Option<&str> {
    let (_, path) = location.rsplit_once("exercises/")?;
    let (folder, rest) = path.split_once('/')?;
    let number = folder.split('-').next()?.trim_start_matches('0');
    rest.starts_with("src/").then_some(number)
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn a_hole_names_its_task_and_the_command() {
        let text = last_words(
            "not yet implemented: 6.1: find the batch at or below an offset",
            "exercises/06-log-storage/src/offset_index.rs:41:9",
            Some("Fetch v11 from 127.0.0.1:5000"),
        );
        assert!(
            text.contains("task 6.1 is still a hole: find the batch at or below an offset"),
            "{text}"
        );
        assert!(
            text.contains("exercises/06-log-storage/src/offset_index.rs:41:9"),
            "{text}"
        );
        assert!(
            text.contains("serving    Fetch v11 from 127.0.0.1:5000"),
            "{text}"
        );
        assert!(text.contains("cargo workbook check 6\n"), "{text}");
    }

    #[test]
    fn a_panic_in_a_learners_part_names_the_chapter() {
        let location = "/home/ada/queue/exercises/05-record-batch/src/record.rs:7:1";
        let text = last_words("index out of bounds", location, None);
        assert!(
            text.contains("your part of chapter 5 panicked: index out of bounds"),
            "{text}"
        );
        assert!(text.contains("cargo workbook check 5\n"), "{text}");
    }

    #[test]
    fn any_other_panic_is_a_bug_of_ours() {
        let text = last_words("oh", "chapters/07-broker/src/ends.rs:1:1", None);
        assert!(
            text.contains("a bug in mqd, or in a part of yours: oh"),
            "{text}"
        );
        assert!(!text.contains("workbook"), "{text}");
    }
}
