//! `mqd`: see the library.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use mqd::settings;
use mqd::{Command, USAGE, end_on_panic, parse, run_tool, serve};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// The command line or the settings are wrong.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let command = match parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("mqd: {error:#}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mqd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Help => print(USAGE),
        Command::HelpSettings => print(&settings::help()),
        Command::SettingsPage => print(&settings::page()),
        Command::Version => print(concat!("mqd ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Tool(tool) => {
            end_on_panic();
            run_tool(tool)
        }
        Command::Serve(options) => {
            let _guard = log_to_stderr();
            end_on_panic();
            serve(*options)
        }
    }
}

/// Does not mind a reader that has read enough (`mqd --help | head`).
fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// `RUST_LOG` says how much; without it, what an operator wants to know.
///
/// Lines are written by a thread of their own, and dropped while nobody reads
/// stderr: a full pipe stops no request. What the returned guard still has is
/// written when it is dropped.
fn log_to_stderr() -> WorkerGuard {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let (stderr, guard) = tracing_appender::non_blocking(std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .log_internal_errors(false)
        .with_ansi(false)
        .init();
    guard
}
