//! The callers: so many calls in flight, for so long, and what came of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

/// What every call carries there and back: 64 bytes.
pub const TEXT: &str = "sixty-four bytes that go there and come back: abcdefghijklmnopqr";

/// Calls per second, and how long they took.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    pub calls_per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
}

/// How long each call took, in steps of a microsecond.
pub struct Times {
    counts: Vec<u32>,
    began: Instant,
    until: Instant,
    calls: u64,
}

/// The largest time that is told apart, in microseconds.
const MICROS_MAX: usize = 200_000;

impl Times {
    pub fn start(length: Duration) -> Times {
        let began = Instant::now();
        Times {
            counts: vec![0; MICROS_MAX + 1],
            began,
            until: began + length,
            calls: 0,
        }
    }

    /// Notes a call that began at `sent` and has ended; returns now, or `None` at the end
    /// of the measurement.
    pub fn note(&mut self, sent: Instant) -> Option<Instant> {
        let now = Instant::now();
        let micros = (now - sent).as_micros() as usize;
        self.counts[micros.min(MICROS_MAX)] += 1;
        self.calls += 1;
        (now < self.until).then_some(now)
    }

    pub fn figures(&self) -> Figures {
        Figures {
            calls_per_second: self.calls as f64 / self.began.elapsed().as_secs_f64(),
            p50: self.quantile(0.5),
            p99: self.quantile(0.99),
        }
    }

    fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.calls as f64 * share) as u64;
        let mut seen = 0;
        for (micros, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen > wanted {
                return Duration::from_micros(micros as u64);
            }
        }
        Duration::MAX
    }
}

/// Keeps `in_flight` calls running, each in a task of its own.
pub async fn call_all<F>(
    in_flight: usize,
    length: Duration,
    call: impl Fn() -> F + Clone + Send + 'static,
) -> Result<Figures>
where
    F: Future<Output = Result<String>> + Send + 'static,
{
    let times = Arc::new(Mutex::new(Times::start(length)));
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        let (call, times) = (call.clone(), Arc::clone(&times));
        callers.spawn(async move {
            let mut next = Some(Instant::now());
            while let Some(sent) = next {
                let text = call().await?;
                anyhow::ensure!(text.len() == TEXT.len(), "another text came back");
                next = times.lock().expect("nobody panics").note(sent);
            }
            Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    let times = times.lock().expect("nobody panics");
    Ok(times.figures())
}
