//! Two servers send a heartbeat every twenty seconds, and one of them falls silent. Two kinds
//! of windows and a process say what they know of it.
//!
//! ```text
//! cargo run -p stream-engine --example p1-watch
//! ```

use std::time::Duration;

use anyhow::Result;
use async_model::Clock;
use message_model::Timestamp;
use stream_engine::{
    Content, Count, Handle, Held, IteratorSource, Job, KeyedStream, OutOfOrder, Process, Record,
    Row, Settings, TextSink, Timer, Windows,
};

const MINUTE: Duration = Duration::from_secs(60);
const MINUTE_MS: i64 = 60_000;
/// Heartbeats come in order. A watermark follows each, so that a timer fires before the next.
const ORDER: OutOfOrder = OutOfOrder {
    bound: Duration::ZERO,
    idle_after: None,
    step: Some(Duration::from_secs(1)),
};

/// The server that sends it, and when in seconds.
type Heartbeat = (char, i64);

/// All of them, in order. Server b says nothing between 40 and 170.
fn heartbeats() -> Vec<Heartbeat> {
    let a = (0..=200).step_by(20).map(|time| ('a', time));
    let b = [0, 20, 40, 170, 190].map(|time| ('b', time));
    let mut heartbeats: Vec<Heartbeat> = a.chain(b).collect();
    heartbeats.sort_by_key(|(_, time)| *time);
    heartbeats
}

// ANCHOR: watch
/// Says when a server has been silent for a minute, and when it is back.
#[derive(Clone)]
struct Watch;

/// When a server counts as silent whose last heartbeat was then.
fn silence(last: i64) -> Timer {
    Timer::Event(Timestamp(last + MINUTE_MS))
}

impl Process<char, Heartbeat> for Watch {
    /// The time of the last heartbeat, and whether the server counts as silent.
    type State = (i64, bool);
    type Out = String;

    fn on_record(
        &self,
        Record { time, .. }: Record<Heartbeat>,
        held: &mut Held<'_, char, (i64, bool)>,
        emit: &mut impl FnMut(String),
    ) {
        let (last, is_silent) = held.state().unwrap_or((time.0, false));
        if time.0 < last {
            // It is out of order, and says nothing new.
            return;
        }
        if is_silent {
            emit(format!("{} is back at {}", held.key(), time.0 / 1000));
        }
        held.cancel(silence(last));
        held.set(silence(time.0));
        *held.state() = Some((time.0, false));
    }

    fn on_timer(
        &self,
        _: Timer,
        held: &mut Held<'_, char, (i64, bool)>,
        emit: &mut impl FnMut(String),
    ) {
        let (key, is_end) = (*held.key(), held.is_end());
        if let Some((last, is_silent)) = held.state()
            && !is_end
        {
            *is_silent = true;
            emit(format!("{key} is silent since {}", *last / 1000));
        }
    }
}
// ANCHOR_END: watch

#[tokio::main]
async fn main() -> Result<()> {
    println!("windows of a minute:");
    let job = Job::new("minutes");
    count(keyed(&job), Windows::tumbling(MINUTE));
    run(job).await?;
    println!("sessions with a gap of a minute:");
    let job = Job::new("sessions");
    count(keyed(&job), Windows::session(MINUTE));
    run(job).await?;
    println!("a process:");
    let job = Job::new("watch");
    let said = keyed(&job).process("watch", Watch);
    said.map("line", |said| format!("  {said}"))
        .sink("said", TextSink::new(std::io::stdout()));
    run(job).await
}

/// The heartbeats by server.
fn keyed(job: &Job) -> KeyedStream<char, Heartbeat> {
    job.source("heartbeats", IteratorSource::new(1, |_| heartbeats()))
        .event_time("time", ORDER, |(_, time)| Timestamp(*time * 1000))
        .key_by(|(server, _)| *server)
}

/// Shows how many there are in each window.
fn count(heartbeats: KeyedStream<char, Heartbeat>, windows: Windows) {
    let (rows, late) = heartbeats.window(windows).aggregate("count", Count);
    late.discard("none is late");
    rows.map("line", line)
        .sink("rows", TextSink::new(std::io::stdout()));
}

fn line(row: Row<char, u64>) -> String {
    let (start, end) = (row.window.start.0 / 1000, row.window.end.0 / 1000);
    match row.content {
        Content::Value(count) => format!("  {} {start:>3} to {end:>3}: {count:>2}", row.key),
        Content::Withdrawn => format!("  {} {start:>3} to {end:>3}: withdrawn", row.key),
    }
}

async fn run(job: Job) -> Result<()> {
    let (_handle, requests) = Handle::new();
    job.run(Settings::new(Clock::start()), requests).await?;
    Ok(())
}
