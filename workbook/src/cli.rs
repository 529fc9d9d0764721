//! What the words on the command line mean.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;

use crate::holes::TaskId;
use crate::mine::Take;

/// What `cargo workbook help` prints.
pub const HELP: &str = "\
cargo workbook             where you are, and what comes next; builds nothing

Learn
  check [N | N.K [CASE]]   run the spec of a chapter, or of a task, on your part;
                           with a CASE, say what came of this one
  watch [N | N.K [CASE]]   check again at every save
  hint [N.K [STEP]]        one hint; each further one tells more
  diff N.K                 compare your text of a task with the solution's
  solve N.K                fill a task from the solution; keeps a copy of your file
  reset N.K                make a task a hole again; keeps a copy of your file

See it run
  demo [--mine]            send an access log through the queue, which is killed
                           in the middle
       [--log FILE]        your own log instead of the sample
       [--follow FILE]     a log that is being written; Ctrl-C ends the demo
  serve [--mine [--red]] [-- ARGS]
                           start mqd on 127.0.0.1:9092; ARGS go to mqd
  book [--open]            build the book

Write
  stubs [N …] [--force]    make exercises/ from solutions/
  verify [N …] [--all] [--bless]
                           prove stubs, specs and wrong answers of the chapters that
                           have changed; --bless pins messages
  figures                  the largest files and functions of this tree

  N                        a chapter: 6, 06 or log-storage
  N.K                      a task: 6.1
  CASE                     a case of the task: an_empty_index
                           (without N or N.K: the chapter or task that you are at)
  --mine                   run your code for green tasks, the solution for the rest;
                           prints which tasks are whose
  --red                    run your code for red tasks too, to see what breaks
";

/// A subcommand with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// No subcommand.
    Map,
    /// `help`.
    Help,
    /// `check [N | N.K [CASE]]`.
    Check(Option<Aim>),
    /// `watch [N | N.K [CASE]]`.
    Watch(Option<Aim>),
    /// `hint [N.K [STEP]]`.
    Hint(Option<TaskId>, Option<usize>),
    /// `diff N.K`.
    Diff(TaskId),
    /// `solve N.K`.
    Solve(TaskId),
    /// `reset N.K`.
    Reset(TaskId),
    /// `demo [--mine] [--log FILE | --follow FILE]`.
    Demo(Demo),
    /// `serve [--mine [--red]] [-- ARGS]`.
    Serve {
        /// What is taken of the learner's text.
        mine: Option<Take>,
        /// For mqd.
        arguments: Vec<OsString>,
    },
    /// `book [--open]`.
    Book {
        /// In a browser.
        open: bool,
    },
    /// `stubs [N …] [--force]`.
    Stubs {
        /// Which; all if empty.
        chapters: Vec<String>,
        /// Overwrite what differs from git.
        force: bool,
    },
    /// `verify [N …] [--all] [--bless]`.
    Verify {
        /// Which; those that have changed if empty.
        chapters: Vec<String>,
        /// All, changed or not.
        all: bool,
        /// Take the messages as they are now.
        bless: bool,
    },
    /// `figures`.
    Figures,
}

/// What to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// As the learner called it.
    Chapter(String),
    /// One task.
    Task(TaskId),
    /// The cases of a task that have this name.
    Case(TaskId, String),
}

/// How to run the demo.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demo {
    /// On the learner's green tasks.
    pub mine: bool,
    /// Instead of the sample.
    pub log: Option<OsString>,
    /// A file that grows.
    pub follow: Option<OsString>,
}

/// The words behind the subcommand, sorted into kinds.
#[derive(Default)]
struct Words {
    plain: Vec<String>,
    flags: Vec<String>,
    log: Option<OsString>,
    follow: Option<OsString>,
    rest: Vec<OsString>,
}

/// Reads the arguments, the program's name left out.
///
/// # Errors
/// When there is no such subcommand, or it takes no such argument.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Action> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let rest = match arguments.iter().position(|word| word == "--") {
        Some(at) => arguments.split_off(at).split_off(1),
        None => Vec::new(),
    };
    let mut words = words(arguments)?;
    words.rest = rest;
    let mut plain = words.plain.drain(..);
    let command = plain.next();
    let names: Vec<String> = plain.collect();
    let command = match command.as_deref() {
        Some(_) if words.flags.iter().any(|flag| flag == "help") => "help",
        None if !words.flags.is_empty() => "help",
        Some(command) => command,
        None => "",
    };
    allow(command, &words, names.len())?;
    let has = |flag: &str| words.flags.iter().any(|given| given == flag);
    Ok(match command {
        "" => Action::Map,
        "check" => Action::Check(aim(&names)?),
        "watch" => Action::Watch(aim(&names)?),
        "hint" if names.is_empty() => Action::Hint(None, None),
        "hint" => Action::Hint(Some(task(&names)?), step(&names)?),
        "diff" => Action::Diff(task(&names)?),
        "solve" => Action::Solve(task(&names)?),
        "reset" => Action::Reset(task(&names)?),
        "demo" => Action::Demo(Demo {
            mine: has("mine"),
            log: words.log,
            follow: words.follow,
        }),
        "serve" => Action::Serve {
            mine: match (has("mine"), has("red")) {
                (false, false) => None,
                (true, false) => Some(Take::Green),
                (true, true) => Some(Take::Written),
                (false, true) => bail!("--red needs --mine; see `cargo workbook help`"),
            },
            arguments: words.rest,
        },
        "book" => Action::Book { open: has("open") },
        "stubs" => Action::Stubs {
            chapters: names,
            force: has("force"),
        },
        "verify" => Action::Verify {
            chapters: names,
            all: has("all"),
            bless: has("bless"),
        },
        "figures" => Action::Figures,
        _ => Action::Help,
    })
}

fn words(arguments: Vec<OsString>) -> Result<Words> {
    let mut words = Words::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') => words.flags.push("help".to_owned()),
            Long("log") => words.log = Some(parser.value()?),
            Long("follow") => words.follow = Some(parser.value()?),
            Long(flag) => words.flags.push(flag.to_owned()),
            Short(flag) => bail!("there is no flag -{flag}; see `cargo workbook help`"),
            Value(word) => words.plain.push(word.string()?),
        }
    }
    Ok(words)
}

/// Refuses what the subcommand does not take: a mistyped flag must not be passed over.
fn allow(command: &str, words: &Words, names: usize) -> Result<()> {
    let (flags, most): (&[&str], usize) = match command {
        "" | "figures" => (&[], 0),
        "help" => return Ok(()),
        "diff" | "solve" | "reset" => (&[], 1),
        "check" | "watch" | "hint" => (&[], 2),
        "demo" => (&["mine"], 0),
        "serve" => (&["mine", "red"], 0),
        "book" => (&["open"], 0),
        "stubs" => (&["force"], usize::MAX),
        "verify" => (&["all", "bless"], usize::MAX),
        other => bail!("there is no command `{other}`; see `cargo workbook help`"),
    };
    if let Some(flag) = words.flags.iter().find(|flag| !flags.contains(&&***flag)) {
        bail!("`{command}` has no flag --{flag}; see `cargo workbook help`");
    }
    if names > most {
        let most = match most {
            0 => "no argument",
            1 => "one argument at most",
            _ => "two arguments at most",
        };
        bail!("`{command}` takes {most}; see `cargo workbook help`");
    }
    if command != "demo" && (words.log.is_some() || words.follow.is_some()) {
        bail!("only `demo` takes --log and --follow");
    }
    if words.log.is_some() && words.follow.is_some() {
        bail!("give --log, whose file ends, or --follow, whose file grows, but not both");
    }
    if command != "serve" && !words.rest.is_empty() {
        bail!("only `serve` takes arguments after --");
    }
    Ok(())
}

fn aim(names: &[String]) -> Result<Option<Aim>> {
    Ok(match names {
        [] => None,
        [_, case, ..] => Some(Aim::Case(task(names)?, case.clone())),
        [name] => Some(match TaskId::parse(name) {
            Some(task) => Aim::Task(task),
            None => Aim::Chapter(name.clone()),
        }),
    })
}

fn task(names: &[String]) -> Result<TaskId> {
    let name = names.first().context("name a task, such as 6.1")?;
    TaskId::parse(name)
        .with_context(|| format!("`{name}` is no task; the name of a task looks like 6.1"))
}

fn step(names: &[String]) -> Result<Option<usize>> {
    let Some(name) = names.get(1) else {
        return Ok(None);
    };
    let step = name.parse().ok().filter(|step| (1..=3).contains(step));
    Ok(Some(step.with_context(|| {
        format!("there is no hint `{name}`; the hints are 1, 2 and 3")
    })?))
}
