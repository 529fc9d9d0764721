//! Runs seeds, or looks for planted bugs: see `--help`.

mod bugs;
mod seeds;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use lexopt::prelude::*;

const USAGE: &str = "\
simulation [--seeds N] [--first N] [--jobs N]
simulation --seed N [--trace]
simulation --bugs [--only NAME]

Runs the queue with clients, a network and a disk that are simulated; what happens follows from
the seed. Ends with 0 if all laws hold.

  --seeds       how many seeds [10000]; the first is --first [1], the next one more
  --jobs        how many threads; each seed has one of them for itself [2]
  --seed        one seed; with --trace all that happens in it, a line each
  --bugs        plants the bugs of testing/simulation/bugs.toml in a copy of the workspace, and
                looks for each: ends with 0 if each is found within its number of seeds
";

fn main() -> Result<ExitCode> {
    let mut parser = lexopt::Parser::from_env();
    let (mut first, mut count, mut jobs) = (1, 10_000, 2);
    let (mut one, mut traced, mut plants, mut only) = (None, false, false, None);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("seeds") => count = parser.value()?.parse()?,
            Long("first") => first = parser.value()?.parse()?,
            Long("jobs") => jobs = parser.value()?.parse()?,
            Long("seed") => one = Some(parser.value()?.parse()?),
            Long("trace") => traced = true,
            Long("bugs") => plants = true,
            Long("only") => only = Some(parser.value()?.string()?),
            Long("help") | Short('h') => {
                print!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if jobs == 0 {
        bail!("--jobs is at least 1");
    }
    let holds = match one {
        _ if plants => bugs::find_all(only.as_deref(), jobs).context("the bugs")?,
        Some(seed) => seeds::run_one(seed, traced),
        None => seeds::run_many(first, count, jobs),
    };
    Ok(match holds {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
