//! `keeper`: keeps the half messages of a group of producers, over any queue with Kafka's
//! protocol. It may be killed at any moment, and started again.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::Client;
use lexopt::prelude::*;
use transactions::{Group, Keeper, Settings};

const HELP: &str = "\
keeper: keeps half messages until their outcome is known

usage: keeper --bootstrap HOST:PORT --group NAME [options]

  --bootstrap HOST:PORT    where the queue is
  --group NAME             the producers; their topics are NAME.half, NAME.outcomes and so on
  --first-ms MS            how long an outcome may take before the first check (6000)
  --longest-ms MS          the longest wait between two checks (60000)
  --checks N               how many checks there are (15)
";

struct Arguments {
    bootstrap: String,
    group: String,
    settings: Settings,
}

fn main() -> ExitCode {
    let done = match arguments() {
        Ok(Some(arguments)) => keep(arguments),
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("keeper: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<Option<Arguments>> {
    let (mut bootstrap, mut group, mut settings) = (None, None, Settings::default());
    let mut parser = lexopt::Parser::from_env();
    let millis = |value: std::ffi::OsString| -> Result<Duration> {
        let millis: u64 = value.parse()?;
        if millis == 0 {
            bail!("a wait takes at least a millisecond");
        }
        Ok(Duration::from_millis(millis))
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("bootstrap") => bootstrap = Some(parser.value()?.string()?),
            Long("group") => group = Some(parser.value()?.string()?),
            Long("first-ms") => settings.schedule.first = millis(parser.value()?)?,
            Long("longest-ms") => settings.schedule.longest = millis(parser.value()?)?,
            Long("checks") => settings.schedule.checks_max = parser.value()?.parse()?,
            Long("help") => return Ok(None),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(Arguments {
        bootstrap: bootstrap.context("--bootstrap HOST:PORT is missing")?,
        group: group.context("--group NAME is missing")?,
        settings,
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn keep(arguments: Arguments) -> Result<std::convert::Infallible> {
    let Arguments {
        bootstrap,
        group,
        mut settings,
    } = arguments;
    "keeper".clone_into(&mut settings.client.client_id);
    let group = Group::new(&group)?;
    let client = Client::connect(&bootstrap, settings.client.clone()).await?;
    group.create_topics(&client).await?;
    let mut keeper = Keeper::start(&bootstrap, group, settings).await?;
    println!("keeper ready, {} half messages are open", keeper.open());
    let report = |half, decision, ruling| {
        eprintln!("keeper: half message {half}: {decision:?} is no good any more ({ruling:?})");
    };
    Ok(keeper.run(report).await?)
}
