//! `ip-count`: requests per IP in windows of event time, through the queue.

mod arguments;
mod given;

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IsTerminal, Write};
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
            say_line("ip-count --help tells more");
            return ExitCode::from(EXIT_ERROR);
        }
    };
    let done = match command {
        Command::Help => print(arguments::HELP).map(|()| true),
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
    say_line(&format!("ip-count{text}"));
}

/// Writes a line to standard error. If that cannot be written, there is no place left to say so.
fn say_line(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes to standard output. A reader that has gone, such as `head`, has seen what it wanted.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// A place to write to, whose errors say which place it is.
struct Named<W> {
    name: String,
    to: W,
}

impl<W> Named<W> {
    fn at<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.name)))
    }
}

impl<W: Write> Write for Named<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes);
        self.at(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.flush();
        self.at(flushed)
    }
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
    if explain {
        let report = Report::new(Box::new(io::sink()), None, rows);
        return print(&format!("{}\n", plan(&settings, report)?)).map(|()| true);
    }
    let side = side.map(|path| -> anyhow::Result<_> {
        // A job that is resumed writes behind what it has written before.
        let file = OpenOptions::new().append(true).create(true).open(&path);
        let name = path.display().to_string();
        let to = file.with_context(|| format!("cannot write {name}"))?;
        Ok(Box::new(Named { name, to }) as Box<dyn Write + Send>)
    });
    let side = side.transpose()?;
    let screen = Named {
        name: "standard output".to_owned(),
        to: io::stdout(),
    };
    let has_view = !plain && can_redraw();
    let mut report = match has_view {
        true => Report::for_view(side, &settings),
        false => Report::new(Box::new(screen), side, rows),
    };
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
    tokio::spawn(stop_at_ctrl_c(stop, Arc::clone(&report)));
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
    io::stdout().is_terminal() && kind.is_some_and(|kind| kind != "dumb" && !kind.is_empty())
}

/// See <https://no-color.org>.
fn has_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The first Ctrl-C ends the input, the second one the process.
async fn stop_at_ctrl_c(stop: watch::Sender<bool>, report: Arc<Report>) {
    let _ = tokio::signal::ctrl_c().await;
    stop.send_replace(true);
    // If it cannot be written, the job ends anyway.
    let _ = report.stopping();
    let _ = tokio::signal::ctrl_c().await;
    std::process::exit(130);
}
