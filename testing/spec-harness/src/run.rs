//! Running one case.

use std::cell::RefCell;
use std::fmt::Debug;
use std::io::Write;
use std::panic::{self, PanicHookInfo};
use std::sync::{Once, mpsc};
use std::thread;
use std::time::Duration;

use crate::limits::{describe_hang, is_starved, limit_memory, this_thread};
use crate::place::Place;
use crate::variant::{entered, read_variant};

/// How long a case may take. Cases take milliseconds; one that takes this long hangs.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How many times that long a case may take that computes and shares its processor.
const PATIENCE: u32 = 5;

/// The name of the threads that cases run on; tells their panics from others'.
const THREAD_NAME: &str = "case";

/// When this variable is set, a case says on standard error what its goal is, before it
/// begins, and which holes it has entered, when it has passed.
const ANNOUNCE: &str = "SPEC_ANNOUNCE";

/// The most characters of a value in a message: what is longer hides what matters.
const SHOWN_MAX: usize = 1500;

/// What a case's check found, as lines `label   text`.
struct Failure(String);

thread_local! {
    /// The message and the place of the last panic on this case's thread.
    static PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Runs `body` on a thread of its own, and fails the test with a message that
/// teaches when it fails, panics, or does not end in time.
///
/// # Panics
/// When the case fails: that is how a test says so.
pub fn run(place: Place, goal: &str, body: impl FnOnce() + Send + 'static) {
    run_within(TIME_LIMIT, place, goal, body);
}

/// As [`run`], with another time limit. A body that does not end goes on until
/// the process ends: there is no way to end a thread.
///
/// # Panics
/// As [`run`].
pub fn run_within(limit: Duration, place: Place, goal: &str, body: impl FnOnce() + Send + 'static) {
    read_variant();
    limit_memory();
    hide_panics_of_cases();
    announce(&format!("task {} · {goal}", place.task_id()));
    let (done, finished) = mpsc::channel();
    let (begun, case) = mpsc::channel();
    let thread = thread::Builder::new()
        .name(THREAD_NAME.to_owned())
        .spawn(move || {
            let _ = begun.send(this_thread());
            let result = panic::catch_unwind(panic::AssertUnwindSafe(body));
            let _ = done.send(result.err().map(|payload| describe(&*payload)));
        })
        .expect("a thread can be started");
    let case = case.recv().ok().flatten();
    let mut result = finished.recv_timeout(limit);
    for _ in 1..PATIENCE {
        if result.is_err() && is_starved(limit, case) {
            result = finished.recv_timeout(limit);
        }
    }
    let problem = match result {
        Ok(None) => {
            let _ = thread.join();
            announce(&format!("holes {:x}", entered()));
            return;
        }
        Ok(Some(problem)) => problem,
        Err(_) => describe_hang(limit, case),
    };
    let message = format!(
        "\ntask {} · {goal}\n{problem}  read       {}\n  stuck?     cargo workbook hint {}\n",
        place.task_id(),
        place.page(),
        place.task_id(),
    );
    eprint!("{message}");
    // The message is all there is to say: no "thread panicked at", no backtrace.
    panic::resume_unwind(Box::new(message));
}

/// Says something to the process that runs this one, past libtest, which keeps what is
/// printed in memory: a process that aborts takes that with it.
fn announce(line: &str) {
    if std::env::var_os(ANNOUNCE).is_some() {
        let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    }
}

/// Ends the case: `what` should be `expected` and is `got`, both as text.
///
/// # Panics
/// Always.
pub fn fail(what: &str, expected: &str, got: &str) -> ! {
    let text = format!(
        "  what       {what}\n  expected   {}\n  got        {}\n",
        indent(&shown(expected)),
        indent(&shown(got))
    );
    panic::panic_any(Failure(text))
}

/// Checks that `got` is `expected`.
///
/// # Panics
/// When it is not.
pub fn expect_eq<T: Debug + PartialEq>(what: &str, got: T, expected: T) {
    if got != expected {
        fail(what, &format!("{expected:?}"), &format!("{got:?}"));
    }
}

/// Checks that something holds; `what` says it as a sentence.
///
/// # Panics
/// When it does not.
pub fn expect(what: &str, holds: bool) {
    if !holds {
        let text = format!(
            "  problem    this does not hold: {}\n",
            indent(&shown(what))
        );
        panic::panic_any(Failure(text))
    }
}

/// The text, or its start if it is long.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} … ({} bytes in all)", &text[..end], text.len()),
    }
}

/// Lines behind the first one line up with it.
fn indent(text: &str) -> String {
    text.replace('\n', "\n             ")
}

fn describe(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(Failure(text)) = payload.downcast_ref() {
        return text.clone();
    }
    let seen = PANIC.with_borrow_mut(Option::take);
    let (message, location) = seen.unwrap_or_default();
    match message.strip_prefix("not yet implemented: ") {
        Some(hole) => {
            format!("  problem    this is still a hole: {hole}\n  where      {location}\n")
        }
        None => format!(
            "  problem    your code panicked: {}\n  where      {location}\n",
            indent(&message)
        ),
    }
}

/// A case's panic is told by [`run`], in its own words; all others go on as before.
fn hide_panics_of_cases() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() == Some(THREAD_NAME) {
                remember(info);
            } else {
                previous(info);
            }
        }));
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("(no message)").to_owned();
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    PANIC.with_borrow_mut(|seen| *seen = Some((message, location)));
}
