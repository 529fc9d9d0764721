//! The second client: an honest one on a partition of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use async_model::Clock;
use interop::parity::Step;
use interop::parity::answer::answer;
use interop::parity::batch::Batch;
use interop::requests::{create_plain, fetch_partition, fetching, produce};
use interop::{Connection, Latencies};

use message_model::Moment;

use crate::target::PATIENCE;

const TOPIC: &str = "probe";
/// From here on a request is stalled.
const STALL: Duration = Duration::from_millis(20);
/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(1);

/// What the second client saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) produce: Latencies,
    pub(crate) fetch: Latencies,
    pub(crate) rounds: usize,
    /// Requests without an answer in time, or at all.
    pub(crate) lost: usize,
    pub(crate) elapsed: Duration,
}

impl Seen {
    /// How much of its time it spent in requests that took more than 20 ms. A loop
    /// asks less often while it is stalled, which percentiles do not show.
    pub(crate) fn stalled_percent(&self) -> f64 {
        let stalled = self.produce.sum_above(STALL) + self.fetch.sum_above(STALL);
        stalled / 10.0 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

/// The second client at work.
pub(crate) struct Probe {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Seen>>,
}

impl Probe {
    pub(crate) fn start(address: SocketAddr) -> Result<Probe> {
        let mut connection = Connection::open(address, PATIENCE)?;
        connection.exchange(&create_plain(&[TOPIC]))?;
        let over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&over);
        let thread = thread::spawn(move || watch(connection, address, &flag));
        Ok(Probe { over, thread })
    }

    /// Ends it when its round is over.
    pub(crate) fn finish(self) -> Result<Seen> {
        self.over.store(true, Ordering::Relaxed);
        let seen = self.thread.join();
        seen.map_err(|_| anyhow!("the second client panicked"))?
    }
}

fn watch(mut connection: Connection, address: SocketAddr, over: &AtomicBool) -> Result<Seen> {
    let clock = Clock::start();
    let partition = fetch_partition(0, 0).with_partition_max_bytes(1);
    let fetch = Step::new(11, &fetching(TOPIC, vec![partition]));
    let produce = produce(TOPIC, &Batch::of(&["one record"]));
    let mut seen = Seen::default();
    while !over.load(Ordering::Relaxed) {
        for (step, samples) in [(&produce, &mut seen.produce), (&fetch, &mut seen.fetch)] {
            let started = clock.now();
            let answered = connection.exchange(step);
            samples.add(clock.now().since(started));
            match answered {
                Ok(frame) => accepted(step, &frame)?,
                Err(_) => {
                    seen.lost += 1;
                    connection = Connection::open(address, PATIENCE)?;
                }
            }
        }
        seen.rounds += 1;
        thread::sleep(PAUSE);
    }
    seen.elapsed = clock.now().since(Moment::START);
    Ok(seen)
}

fn accepted(step: &Step, frame: &[u8]) -> Result<()> {
    let text = answer(step.api, step.version, frame)?.to_string();
    let mut codes = text.split("\"error_code\":").skip(1);
    let refused = codes.any(|code| !code.starts_with('0'));
    ensure!(!refused, "the second client was refused: {text}");
    Ok(())
}
