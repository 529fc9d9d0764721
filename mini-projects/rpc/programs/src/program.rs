//! What every program does first and last.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow};
use tokio::runtime;

use crate::print::{begin_to_print, complain, end_printing, is_enough, printable};

/// The program could not do what it was asked for.
const EXIT_ERROR: u8 = 2;

/// Runs a program to its end. What went wrong is said on stderr, and the exit status is 2.
pub fn program(name: &str, main: impl Future<Output = Result<ExitCode>>) -> ExitCode {
    let printing = begin_to_print();
    let mut runtime = runtime::Builder::new_current_thread();
    // To decode a large call takes its time. The runtime looks after each step what has come from
    // others, and not after 61.
    let runtime = runtime.enable_all().event_interval(1).build();
    let ended = match runtime.context("cannot start the runtime") {
        Ok(runtime) => {
            let ended = runtime.block_on(main);
            // A look at a disk that hangs is not waited for.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(error),
    };
    end_printing(printing);
    match ended {
        Ok(code) => code,
        Err(error) if is_enough(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("{name}: {}", printable(&whole(&error))));
            ExitCode::from(EXIT_ERROR)
        }
    }
}

/// Returns what went wrong, and why; some errors have their cause in their own text already.
fn whole(error: &Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
    }
    text
}

/// Returns a time that a command line gives in seconds, such as `0.5`.
///
/// # Errors
/// If it is no such number, or more than a duration can be.
pub fn seconds(value: &OsString) -> Result<Duration> {
    let seconds = value.to_str().and_then(|value| value.parse().ok());
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| anyhow!("{} is no number of seconds", value.display()))
}
