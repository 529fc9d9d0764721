//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use exactly_once::Rules;
use lexopt::prelude::*;

use crate::serve::Serve;
use crate::settings::{Settings, Source};
use crate::tools::Tool;

/// What `mqd --help` says.
pub const USAGE: &str = "\
mqd is a message queue. It keeps records on disk and speaks the Kafka protocol:
kcat, librdkafka, kafka-python and other Kafka clients work with it as they are.

Serve:
  mqd --data-dir DIR [--listen HOST:PORT] [--config FILE] [--set NAME=VALUE]...

  --data-dir DIR       where the records are kept; made if it is not there
  --listen HOST:PORT   where clients connect [127.0.0.1:9092]; port 0 is any free one
  --config FILE        settings, one NAME=VALUE a line
  --set NAME=VALUE     one setting; wins over the file
  --help-settings      all settings, with what they are for
  --without-rule RULE  leave a rule for producers out, to see what it is for: ordering,
                       duplicates, fence or transactions

  When it serves, it prints one line: mqd ready on HOST:PORT
  It says what it does on stderr (RUST_LOG=debug: more). SIGTERM or Ctrl-C ends it.

Use a queue that runs (each command has a --help of its own):
  mqd topics list | create TOPIC | describe TOPIC | alter TOPIC | delete TOPIC
  mqd groups list | describe GROUP | reset GROUP | delete GROUP
  mqd produce TOPIC    records from the lines of stdin
  mqd consume TOPIC    records to stdout

Try it:
  mqd --data-dir /tmp/queue &
  printf 'one\\ntwo\\n' | mqd produce greetings
  mqd consume greetings --count 2
";

/// Where a broker listens, and clients look for it, if nobody says otherwise.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:9092";

/// What a command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Be a broker.
    Serve(Box<Serve>),
    /// Be a client of one.
    Tool(Tool),
    /// Say what the command line may be.
    Help,
    /// Say what the settings are.
    HelpSettings,
    /// The same as the page of the book.
    SettingsPage,
    /// Say the version.
    Version,
}

/// Reads a command line, without the program's name.
///
/// # Errors
/// What is wrong with it, and what to give instead.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut listen = DEFAULT_ADDRESS.to_owned();
    let mut data_dir: Option<PathBuf> = None;
    let mut config: Option<PathBuf> = None;
    let mut set: Vec<String> = Vec::new();
    let mut rules = Rules::ALL;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("help-settings") => return Ok(Command::HelpSettings),
            Long("settings-page") => return Ok(Command::SettingsPage),
            Long("version") | Short('V') => return Ok(Command::Version),
            Long("listen") => listen = parser.value()?.string()?,
            Long("data-dir") => data_dir = Some(parser.value()?.into()),
            Long("config") => config = Some(parser.value()?.into()),
            Long("set") => set.push(parser.value()?.string()?),
            Long("without-rule") => {
                let name = parser.value()?.string()?;
                let rule = name
                    .parse()
                    .with_context(|| format!("--without-rule {name}"))?;
                rules = rules.without(rule);
            }
            Value(name) => {
                return match name
                    .to_str()
                    .and_then(|name| Tool::parse(name, &mut parser))
                {
                    Some(command) => command,
                    None => bail!("there is no command {}; see mqd --help", name.display()),
                };
            }
            other => return Err(other.unexpected()).context("see mqd --help"),
        }
    }
    let Some(data_dir) = data_dir else {
        bail!("say where the records are to be kept: mqd --data-dir DIR (see mqd --help)");
    };
    let mut settings = Settings::default();
    if let Some(path) = config {
        settings.read_file(&path)?;
    }
    for assignment in set {
        settings
            .assign(&assignment, Source::Flag)
            .with_context(|| format!("--set {assignment}"))?;
    }
    Ok(Command::Serve(Box::new(Serve {
        listen,
        data_dir,
        settings,
        rules,
    })))
}
