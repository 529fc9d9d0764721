//! Much of everything: see `interop/scale`.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use interop::scale::{Size, connections, crowd, partitions, produce_for, rebalances};
use wire_protocol::ErrorCode;

const USAGE: &str = "\
interop/scale [--mqd PATH] [--count N] [--seconds N] [partitions|connections|group|rebalance]...

Runs the scenarios (or those named), each on a broker of its own, and prints one line of each:

  partitions    10,000 partitions under a limit of 20,000 descriptors: a record into each; stopped,
                started, killed, started
  connections   1,000 connections that produce at once, and a second client's latency beside them
  group         a group of 1,000 members beside a small group and a producer
  rebalance     50 members that share 200 partitions again and again beside a producer at full
                rate in another process; at last a member stalls

A scenario fails when a call fails, a connection gets nothing, or a member is expired that
beats its heart. Durations fail nothing.

  --count N     how many of them, instead of the above
  --seconds N   how long a steady part lasts [20]
";

fn main() -> Result<()> {
    let mut size = (
        PathBuf::from("target/release/mqd"),
        None,
        Duration::from_secs(20),
    );
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context("a value behind the flag");
        match argument.as_str() {
            "--mqd" => size.0 = PathBuf::from(value()?),
            "--count" => size.1 = Some(value()?.parse()?),
            "--seconds" => size.2 = Duration::from_secs(value()?.parse()?),
            "produce" => return runtime()?.block_on(produce_for(&value()?)),
            "--help" => {
                print!("{USAGE}");
                return Ok(());
            }
            name => names.push(name.to_owned()),
        }
    }
    if names.is_empty() {
        names = ["partitions", "connections", "group", "rebalance"]
            .map(str::to_owned)
            .into();
    }
    for name in names {
        let default = match name.as_str() {
            "partitions" => 10_000,
            "connections" | "group" => 1_000,
            "rebalance" => 50,
            _ => bail!("there is no scenario {name}; see --help"),
        };
        let size = Size {
            mqd: size.0.clone(),
            count: size.1.unwrap_or(default),
            lasts: size.2,
        };
        runtime()?.block_on(one(&name, &size))?;
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

async fn one(name: &str, size: &Size) -> Result<()> {
    match name {
        "partitions" => {
            let seen = partitions(size, 20_000).await?;
            println!("{name}: {seen}");
        }
        "connections" => {
            let seen = connections(size).await?;
            println!("{name}: {seen}");
            ensure!(
                seen.acknowledged.iter().all(|count| *count > 0),
                "a connection starves"
            );
        }
        "group" => {
            let seen = crowd(size).await?;
            println!("{name}: {seen}");
            ensure!(
                seen.expired == 0,
                "members were expired that beat their hearts"
            );
        }
        _ => {
            let mut producer = Command::new(std::env::current_exe()?);
            producer.arg("produce");
            let seen = rebalances(size, producer).await?;
            println!("{name}: {seen}");
            ensure!(
                seen.expired == 0,
                "members were expired that beat their hearts"
            );
            let fenced = ErrorCode::UNKNOWN_MEMBER_ID;
            ensure!(seen.stalled == fenced, "the stalled member is not fenced");
            ensure!(seen.produced > 0, "nothing was produced");
        }
    }
    Ok(())
}
