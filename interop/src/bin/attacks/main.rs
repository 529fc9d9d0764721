//! Attacks on `mqd`, and what a second client sees of them.

mod connections;
mod disk;
mod lanes;
mod probe;
mod target;
mod waits;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use probe::{Probe, Seen};
use target::{Attack, Target};

const USAGE: &str = "\
interop/attacks [--mqd PATH] [--seconds N] [NAME...]

Runs each attack (or those named) against an mqd of its own, for about N seconds
[10], while a second client produces one record (acks=1) and fetches one, again
and again, on another partition. Prints one table: what that client saw, and what
the attack has to say of itself. Syncs are as slow as the table says: a preloaded
library delays fsync and fdatasync. `stalled` is the share of that client's time
that it spent in requests of more than 20 ms; `lost` counts those without an answer.

What must hold: p99 within 20 ms, and no maximum above one sync.

  --mqd PATH     the binary to attack [a release build of this tree]
  --seconds N    how long each attack lasts [10]
  --list         the attacks
";

struct Options {
    mqd: PathBuf,
    library: PathBuf,
    seconds: u64,
    names: Vec<String>,
}

fn main() -> Result<()> {
    let mut options = Options {
        mqd: PathBuf::from("target/release/mqd"),
        library: PathBuf::from("target/interop/libdelay.so"),
        seconds: 10,
        names: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context("a value behind the flag");
        match argument.as_str() {
            "--mqd" => options.mqd = PathBuf::from(value()?),
            "--library" => options.library = PathBuf::from(value()?),
            "--seconds" => options.seconds = value()?.parse().context("seconds")?,
            "--help" => {
                print!("{USAGE}");
                return Ok(());
            }
            "--list" => {
                for attack in attacks() {
                    println!("{:22} {}", attack.name, attack.about);
                }
                return Ok(());
            }
            name => options.names.push(name.to_owned()),
        }
    }
    for name in &options.names {
        let known = attacks().iter().any(|attack| attack.name == name);
        ensure!(known, "there is no attack {name}; see --list");
    }
    run(&options)
}

fn attacks() -> Vec<Attack> {
    let mut all = vec![Attack {
        name: "nothing",
        about: "No attack: what the second client sees of an idle broker.",
        sync_ms: 100,
        settings: &[],
        prepare: |_| Ok(()),
        run: |target| {
            target.rest(Duration::from_secs(1));
            Ok(String::new())
        },
    }];
    all.extend(waits::attacks());
    all.extend(disk::attacks());
    all.extend(lanes::attacks());
    all.extend(connections::attacks());
    all
}

fn run(options: &Options) -> Result<()> {
    println!(
        "| attack | sync | produce p50 / p99 / max | fetch p50 / p99 / max | rounds | lost \
         | stalled | of itself |\n|---|--:|--:|--:|--:|--:|--:|---|"
    );
    for attack in attacks() {
        let wanted = options.names.is_empty() || options.names.iter().any(|n| n == attack.name);
        if !wanted {
            continue;
        }
        match one(&attack, options) {
            Ok((seen, said)) => println!(
                "| {} | {} ms | {} | {} | {} | {} | {:.1} % | {said} |",
                attack.name,
                attack.sync_ms,
                seen.produce,
                seen.fetch,
                seen.rounds,
                seen.lost,
                seen.stalled_percent()
            ),
            Err(error) => println!(
                "| {} | {} ms | | | | | | failed: {error:#} |",
                attack.name, attack.sync_ms
            ),
        }
    }
    Ok(())
}

fn one(attack: &Attack, options: &Options) -> Result<(Seen, String)> {
    let library = Path::new(&options.library);
    ensure!(library.is_file(), "{} is not built", library.display());
    let target = Target::start(attack, &options.mqd, library, options.seconds)?;
    (attack.prepare)(&target)
        .with_context(|| format!("preparing; mqd said: {}", target.mqd.stderr()))?;
    let probe = Probe::start(target.address())?;
    target.slow_syncs(attack.sync_ms)?;
    let said = (attack.run)(&target);
    let seen = probe.finish();
    target.slow_syncs(0)?;
    Ok((seen?, said?))
}
