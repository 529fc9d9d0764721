//! Each visit to a web server, as soon as its client has been silent for long enough: an operator
//! with its own state and timers.
//!
//! ```text
//! cargo run -p stream-compute --example p1-silence -- [SECONDS] [ACCESS_LOG]
//! ```

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use async_model::Clock;
use message_model::Timestamp;
use stream_compute::{Hit, Utc, parse};
use stream_engine::{
    FileSource, Handle, Held, Job, OutOfOrder, Process, Record, Settings, TextSink, Timer,
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample/access.log");
const ORDER: OutOfOrder = OutOfOrder {
    bound: Duration::from_secs(5),
    idle_after: None,
    step: None,
};

/// A client that sends nothing for so many milliseconds has left.
#[derive(Clone)]
struct Silence(i64);

/// From the first to the last request of a client, with no silence between.
struct Visit {
    ip: IpAddr,
    first: i64,
    last: i64,
    requests: u64,
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (Utc(Timestamp(self.first)), Utc(Timestamp(self.last)));
        write!(f, "{} {first} {last} {}", self.ip, self.requests)
    }
}

impl Silence {
    /// The timer of a client whose last request was then.
    fn timer(&self, last: i64) -> Timer {
        Timer::Event(Timestamp(last + self.0))
    }
}

impl Process<IpAddr, Hit> for Silence {
    /// First and last time and number of the requests of each visit that may go on. Requests are
    /// out of order, so there may be several.
    type State = Vec<(i64, i64, u64)>;
    type Out = Visit;

    fn on_record(
        &self,
        Record { time, .. }: Record<Hit>,
        held: &mut Held<'_, IpAddr, Self::State>,
        _: &mut impl FnMut(Visit),
    ) {
        let mut visits = held.state().take().unwrap_or_default();
        let mut joined = (time.0, time.0, 1);
        visits.retain(|(first, last, requests)| {
            let apart = first - time.0 >= self.0 || time.0 - last >= self.0;
            if !apart {
                held.cancel(self.timer(*last));
                let (from, to, count) = joined;
                joined = (from.min(*first), to.max(*last), count + requests);
            }
            apart
        });
        visits.push(joined);
        held.set(self.timer(joined.1));
        *held.state() = Some(visits);
    }

    fn on_timer(
        &self,
        timer: Timer,
        held: &mut Held<'_, IpAddr, Self::State>,
        emit: &mut impl FnMut(Visit),
    ) {
        let ip = *held.key();
        let mut visits = held.state().take().unwrap_or_default();
        for (first, last, requests) in
            visits.extract_if(.., |(_, last, _)| self.timer(*last) == timer)
        {
            emit(Visit {
                ip,
                first,
                last,
                requests,
            });
        }
        *held.state() = Some(visits).filter(|visits| !visits.is_empty());
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u32 = arguments.next().map_or(Ok(30), |seconds| seconds.parse())?;
    let log = arguments.next().unwrap_or_else(|| SAMPLE.to_owned());
    let job = Job::new("silence");
    let file = FileSource::new(vec![PathBuf::from(log)], |line| parse(line.text));
    let (hits, bad) = job.source("log", file).split("parsed", |hit| hit);
    bad.discard("bad");
    hits.event_time("time", ORDER, |hit| hit.time)
        .key_by(|hit| hit.ip)
        .process("silence", Silence(i64::from(seconds) * 1000))
        .sink("visits", TextSink::new(std::io::stdout()));
    let (_handle, requests) = Handle::new();
    job.run(Settings::new(Clock::start()), requests).await?;
    Ok(())
}
