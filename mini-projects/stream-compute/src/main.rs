//! `ip-count`: requests per IP in windows of event time, through the queue.

mod arguments;

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use stream_compute::{Report, Settings, Summary, View, plan, run};
use tokio::sync::watch;

use arguments::{Arguments, Command};

/// The rows are not what they should be.
const EXIT_WRONG: u8 = 1;
/// The job could not be done; the reason is on stderr.
const EXIT_ERROR: u8 = 2;

fn main() -> ExitCode {
    let command = match Command::read() {
        Ok(command) => command,
        Err(error) => {
            say(&error);
            eprintln!("ip-count --help tells more");
            return ExitCode::from(EXIT_ERROR);
        }
    };
    let done = match command {
        Command::Help => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Command::Run(arguments) => start(arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_WRONG),
        Err(error) => {
            say(&error);
            ExitCode::from(EXIT_ERROR)
        }
    }
}

/// Says what is wrong and why; some errors tell the reason themselves, so it is not told twice.
fn say(error: &anyhow::Error) {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    eprintln!("ip-count{text}");
}

fn start(arguments: Box<Arguments>) -> anyhow::Result<bool> {
    let Arguments {
        settings,
        rows,
        side,
        page,
        plain,
        explain,
    } = *arguments;
    let side = side.map(|path| -> anyhow::Result<_> {
        // A job that is resumed writes behind what it has written before.
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Box::new(file) as Box<dyn Write + Send>)
    });
    let side = side.transpose()?;
    let has_view = !plain && !explain && can_redraw();
    let mut report = match has_view {
        true => Report::for_view(side, &settings),
        false => Report::new(Box::new(std::io::stdout()), side, rows),
    };
    if explain {
        println!("{}", plan(&settings, report)?);
        return Ok(true);
    }
    if let Some(path) = page {
        let report_with = report.with_page(path.clone());
        report = report_with.with_context(|| format!("cannot write {}", path.display()))?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let summary = runtime.block_on(run_shown(settings, Arc::new(report), has_view));
    // A read of standard input cannot be called off: do not wait for it.
    runtime.shutdown_background();
    Ok(summary?.verdict.is_ok())
}

/// Runs the job, and shows it if there is a view.
async fn run_shown(
    settings: Settings,
    report: Arc<Report>,
    has_view: bool,
) -> anyhow::Result<Summary> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(stop_at_ctrl_c(stop));
    let view = has_view.then(|| View::start(Arc::clone(&report), has_colour()));
    let summary = run(settings, report, stopped).await;
    if let Some(view) = view {
        view.end().await.context("cannot write to the terminal")?;
    }
    Ok(summary?)
}

/// Whether standard output is a terminal on which the cursor can go up.
fn can_redraw() -> bool {
    let kind = std::env::var_os("TERM");
    std::io::stdout().is_terminal() && kind.is_some_and(|kind| kind != "dumb" && !kind.is_empty())
}

/// See <https://no-color.org>.
fn has_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The first Ctrl-C ends the input, the second one the process.
async fn stop_at_ctrl_c(stop: watch::Sender<bool>) {
    let _ = tokio::signal::ctrl_c().await;
    stop.send_replace(true);
    let _ = tokio::signal::ctrl_c().await;
    std::process::exit(130);
}
