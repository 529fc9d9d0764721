//! Requests per address in windows of 5 seconds, for `interop/beside-flink`: counted by a loop
//! written by hand, or by the stream engine.
//!
//! ```text
//! beside-flink loop LOG ROWS
//! beside-flink engine LOG ROWS THREADS PARALLELISM
//! ```

#[path = "../../../mini-projects/stream-compute/engine/examples/p1-throughput/per_address.rs"]
mod per_address;

use std::env;
use std::fs::File;
use std::io::BufWriter;

use anyhow::{Result, bail};
use async_model::Clock;
use per_address::{engine, loop_by_hand};
use stream_engine::Settings;

fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["loop", log, rows] => loop_by_hand(log.as_ref(), File::create(rows)?),
        ["engine", log, rows, threads, parallelism] => {
            let settings = Settings {
                parallelism: parallelism.parse()?,
                ..Settings::new(Clock::start())
            };
            let rows = BufWriter::new(File::create(rows)?);
            engine(log.as_ref(), rows, threads.parse()?, settings)
        }
        _ => bail!("beside-flink is run by interop/beside-flink"),
    }
}
