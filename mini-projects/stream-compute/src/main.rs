//! `ip-count`: requests per IP in windows of event time, through the queue.

mod arguments;

use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use stream_compute::{Report, run};
use tokio::sync::watch;

use arguments::{Arguments, Command};

/// The rows are not what they should be.
const EXIT_WRONG: u8 = 1;
/// The job could not be done.
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

fn start(arguments: Arguments) -> anyhow::Result<bool> {
    let side = arguments.side.map(|path| -> anyhow::Result<_> {
        // A job that is resumed writes behind what it has written before.
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Box::new(file) as Box<dyn Write + Send>)
    });
    let report = Report::new(
        Box::new(std::io::stdout()),
        side.transpose()?,
        arguments.rows,
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let summary = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(stop_at_ctrl_c(stop));
        run(arguments.settings, &report, stopped).await
    });
    // A read of standard input cannot be called off: do not wait for it.
    runtime.shutdown_background();
    Ok(summary?.verdict.is_ok())
}

/// The first Ctrl-C ends the input, the second one the process.
async fn stop_at_ctrl_c(stop: watch::Sender<bool>) {
    let _ = tokio::signal::ctrl_c().await;
    stop.send_replace(true);
    let _ = tokio::signal::ctrl_c().await;
    std::process::exit(130);
}
