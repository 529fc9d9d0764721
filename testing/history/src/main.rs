//! Records histories under faults and checks them: see `--help`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use history::{Promise, Run, Suite, check, read, write};
use lexopt::prelude::*;

const USAGE: &str = "\
history [--promise acks-all|idempotent|transactional] [--runs N] [--seed N] [--millis N]
        [--jobs N] [--mqd PATH] [--out DIR] [--sabotage] [-- ARGUMENT OF MQD …]
history --check FILE [--promise …]

Starts mqd, and clients that send, poll and record what they do and see, while mqd is killed and
paused and connections are cut. What happens follows from the seed. After the time of a run
(2000 ms) everything is read, and the history is checked. Ends with 0 if no run broke the promise.
A history that breaks the promise is kept as DIR/SEED.jsonl, an operation a line.

  --promise     how clients send, and which anomalies may not occur [acks-all]
  --runs        how many runs [300]; the first has the seed of --seed [1], the next one more
  --jobs        how many runs at the same time [2]
  --mqd         the broker's binary [target/release/mqd]
  --out         where histories are kept [target/history]
  --sabotage    cuts the ends of the logs off after each kill: the check must find it
  --check       checks a history that was kept

What a rule for producers is for shows a run without it:
  history --promise transactional -- --without-rule fence
";

fn main() -> Result<ExitCode> {
    let Some(told) = parse(lexopt::Parser::from_env())? else {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    let holds = match &told.file {
        Some(file) => check_file(file, told.run.promise)?,
        None => run_all(&told)?,
    };
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Told {
    run: Run,
    runs: u64,
    jobs: usize,
    out: PathBuf,
    file: Option<PathBuf>,
}

/// The command line; `None` if help is wanted.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Told>> {
    let mut told = Told {
        run: Run {
            mqd: PathBuf::from("target/release/mqd"),
            arguments: Vec::new(),
            promise: Promise::AcksAll,
            seed: 1,
            time: Duration::from_millis(2_000),
            sabotage: false,
        },
        runs: 300,
        jobs: 2,
        out: PathBuf::from("target/history"),
        file: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("promise") => told.run.promise = parser.value()?.parse()?,
            Long("runs") => told.runs = parser.value()?.parse()?,
            Long("seed") => told.run.seed = parser.value()?.parse()?,
            Long("millis") => told.run.time = Duration::from_millis(parser.value()?.parse()?),
            Long("jobs") => told.jobs = parser.value()?.parse()?,
            Long("mqd") => told.run.mqd = parser.value()?.into(),
            Long("out") => told.out = parser.value()?.into(),
            Long("sabotage") => told.run.sabotage = true,
            Long("check") => told.file = Some(parser.value()?.into()),
            Long("help") | Short('h') => return Ok(None),
            // Behind `--`.
            Value(argument) => {
                let rest: Vec<OsString> = parser.raw_args()?.collect();
                told.run.arguments.push(argument);
                told.run.arguments.extend(rest);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(told))
}

fn check_file(path: &Path, promise: Promise) -> Result<bool> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let operations = read(BufReader::new(file))?;
    let report = check(&operations)?;
    print!("{}", report.explain(&operations, promise));
    Ok(report.breaches(promise).next().is_none())
}

fn run_all(told: &Told) -> Result<bool> {
    let promise = told.run.promise;
    let mut suite = Suite::new(&told.run, told.runs, told.jobs);
    let mut first_error = Ok(());
    suite.each(|seed, ended| {
        let (recorded, report) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                println!("seed {seed}: no history: {error:#}");
                return;
            }
        };
        if report.breaches(promise).next().is_none() {
            println!(
                "seed {seed}: {}; {} events",
                report.summary(),
                recorded.events.len()
            );
            return;
        }
        println!(
            "seed {seed}: BROKEN\n{}",
            report.explain(&recorded.operations, promise)
        );
        println!("{:?}", recorded.events);
        let kept = keep(&told.out, seed, &recorded.operations);
        first_error = std::mem::replace(&mut first_error, Ok(())).and(kept);
    });
    first_error?;
    println!("{}", suite.verdict());
    Ok(suite.verdict().holds())
}

fn keep(out: &Path, seed: u64, operations: &[history::Operation]) -> Result<()> {
    fs::create_dir_all(out)?;
    let path = out.join(format!("{seed}.jsonl"));
    write(operations, BufWriter::new(File::create(&path)?))?;
    println!("the history is in {}", path.display());
    Ok(())
}
