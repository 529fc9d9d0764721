//! Frameworks beside each other: one connection, an echo of 64 bytes, server and callers in
//! processes of their own, each on one thread.
//!
//! ```text
//! cargo run --release -- [--rounds N] [--seconds S] [--only NAME]…
//! ```
//!
//! Each round measures every framework at 1, 64 and 512 calls in flight, one after the other, so that
//! what else the machine does meets all of them. The table has the median of the rounds.
//! `bare` is a loop without any framework and without callers: frames in, frames out. In `callers` each call
//! in flight is a task's that waits for its own frame, which is what a framework has to do at least.

mod bare;
mod grpc;
mod load;
mod ours;
mod with_tarpc;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use tokio::net::TcpListener;

use crate::load::Figures;

const NAMES: [&str; 5] = ["bare", "callers", "rpc", "tarpc", "tonic"];
const IN_FLIGHT: [usize; 3] = [1, 64, 512];

fn main() -> Result<()> {
    let mut arguments = lexopt::Parser::from_env();
    let mut plan = Plan {
        rounds: 5,
        length: Duration::from_secs(1),
        names: Vec::new(),
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(word) if word == "serve" => return serve(&arguments.value()?.string()?),
            Value(word) if word == "load" => {
                let name = arguments.value()?.string()?;
                let address = arguments.value()?.string()?;
                let in_flight = arguments.value()?.parse()?;
                let length = Duration::from_secs_f64(arguments.value()?.parse()?);
                return load(&name, &address, in_flight, length);
            }
            Long("rounds") => plan.rounds = arguments.value()?.parse()?,
            Long("seconds") => plan.length = Duration::from_secs_f64(arguments.value()?.parse()?),
            Long("only") => plan.names.push(arguments.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    plan.run()
}

fn one_thread() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

fn serve(name: &str) -> Result<()> {
    one_thread()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        match name {
            "bare" | "callers" => bare::serve(listener).await,
            "rpc" => ours::serve(listener).await,
            "tarpc" => with_tarpc::serve(listener).await,
            "tonic" => grpc::serve(listener).await,
            _ => bail!("no framework is called `{name}`"),
        }
    })
}

fn load(name: &str, address: &str, in_flight: usize, length: Duration) -> Result<()> {
    let figures = one_thread()?.block_on(async {
        match name {
            "bare" => bare::load(address, in_flight, length).await,
            "callers" => bare::load_callers(address, in_flight, length).await,
            "rpc" => ours::load(address, in_flight, length).await,
            "tarpc" => with_tarpc::load(address, in_flight, length).await,
            "tonic" => grpc::load(address, in_flight, length).await,
            _ => bail!("no framework is called `{name}`"),
        }
    })?;
    let Figures {
        calls_per_second,
        p50,
        p99,
    } = figures;
    println!("{calls_per_second} {} {}", p50.as_micros(), p99.as_micros());
    Ok(())
}

struct Plan {
    rounds: usize,
    length: Duration,
    names: Vec<String>,
}

impl Plan {
    fn run(&self) -> Result<()> {
        let is_wanted = |name: &&str| self.names.is_empty() || self.names.iter().any(|n| n == name);
        let servers: Vec<Process> = NAMES
            .into_iter()
            .filter(is_wanted)
            .map(Process::start)
            .collect::<Result<_>>()?;
        println!(
            "{:>9} {:>7} {:>10} {:>7} {:>8} {:>8}",
            "in flight", "", "calls/s", "of bare", "p50 µs", "p99 µs"
        );
        for in_flight in IN_FLIGHT {
            let mut rows: Vec<Vec<[f64; 3]>> = vec![Vec::new(); servers.len()];
            for _ in 0..self.rounds {
                for (server, row) in servers.iter().zip(&mut rows) {
                    row.push(server.measure(in_flight, self.length)?);
                }
            }
            let mut bare = None;
            for (server, row) in servers.iter().zip(&rows) {
                let [calls, p50, p99] = [0, 1, 2].map(|index| median(row, index));
                let limit = *bare.get_or_insert(calls);
                let share = calls / limit * 100.0;
                println!(
                    "{in_flight:>9} {:>7} {calls:>10.0} {share:>6.0}% {p50:>8.0} {p99:>8.0}",
                    server.name
                );
            }
        }
        Ok(())
    }
}

fn median(rows: &[[f64; 3]], index: usize) -> f64 {
    let mut values: Vec<f64> = rows.iter().map(|row| row[index]).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A server in a process of its own, which ends with this.
struct Process {
    name: &'static str,
    child: Child,
    address: String,
}

impl Process {
    fn start(name: &'static str) -> Result<Process> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", name])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("it is piped")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address)?;
        let address = address.trim().to_owned();
        Ok(Process {
            name,
            child,
            address,
        })
    }

    fn measure(&self, in_flight: usize, length: Duration) -> Result<[f64; 3]> {
        let output = Command::new(std::env::current_exe()?)
            .args(["load", self.name, &self.address])
            .args([in_flight.to_string(), length.as_secs_f64().to_string()])
            .stderr(Stdio::inherit())
            .output()?;
        let line = String::from_utf8(output.stdout)?;
        let numbers: Vec<f64> = line
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let numbers: [f64; 3] = numbers[..]
            .try_into()
            .with_context(|| format!("{} failed", self.name))?;
        Ok(numbers)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
