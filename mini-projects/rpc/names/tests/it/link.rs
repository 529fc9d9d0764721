//! Servers that do as a test says, without sockets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use rpc::{Codec as _, Error, Items, MethodName, Outcome, Postcard, Request, Side, Transport};
use tokio::time::{Instant, sleep_until, timeout_at};

/// The method that all tests call: it returns the address of its server.
pub(crate) const WHERE: MethodName = MethodName::new::<Postcard>("Greeter", "where");

/// What a server does with a call.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    Answer,
    AnswerAfter(Duration),
    Fail(Error),
    FailAfter(Duration, Error),
    Nothing,
    /// Something else with each call.
    Anything(Rng),
}

/// What all servers have seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    does: BTreeMap<String, Does>,
    /// Where the attempts went.
    pub(crate) attempts: Vec<String>,
    /// The trace of each attempt.
    pub(crate) traces: Vec<u64>,
    /// How many attempts of each call may have begun.
    pub(crate) begun: BTreeMap<u64, usize>,
    pub(crate) connected: Vec<String>,
    pub(crate) disconnected: Vec<String>,
    pub(crate) in_flight: usize,
}

/// All servers.
#[derive(Debug, Clone, Default)]
pub(crate) struct World(Arc<Mutex<Seen>>);

impl World {
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Seen) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }

    /// From now on the server at `address` does this. Without it a server answers.
    pub(crate) fn set(&self, address: &str, does: Does) {
        self.with(|seen| seen.does.insert(address.to_owned(), does));
    }

    pub(crate) fn attempts(&self) -> Vec<String> {
        self.with(|seen| std::mem::take(&mut seen.attempts))
    }

    pub(crate) fn connect(&self) -> impl Fn(&str) -> Link + Send + Sync + 'static {
        let world = self.clone();
        move |address| {
            world.with(|seen| seen.connected.push(address.to_owned()));
            Link {
                world: world.clone(),
                address: address.to_owned(),
            }
        }
    }
}

/// To one server.
#[derive(Debug)]
pub(crate) struct Link {
    world: World,
    address: String,
}

impl Drop for Link {
    fn drop(&mut self) {
        let address = std::mem::take(&mut self.address);
        self.world.with(|seen| seen.disconnected.push(address));
    }
}

/// Counts a call while it is in flight.
struct InFlight<'a>(&'a World);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.with(|seen| seen.in_flight -= 1);
    }
}

impl Link {
    fn begin(&self, call: u64) -> Does {
        self.world.with(|seen| {
            seen.in_flight += 1;
            seen.attempts.push(self.address.clone());
            let does = match seen.does.get_mut(&self.address) {
                None => Does::Answer,
                Some(Does::Anything(rng)) => anything(rng),
                Some(does) => does.clone(),
            };
            let did_not_begin = [Error::Unreachable, Error::Overloaded, Error::Stopping];
            match &does {
                Does::Fail(error) | Does::FailAfter(_, error) if did_not_begin.contains(error) => {}
                _ => *seen.begun.entry(call).or_default() += 1,
            }
            does
        })
    }

    async fn result(&self, does: Does) -> Result<String, Error> {
        match does {
            Does::Answer => Ok(self.address.clone()),
            Does::Fail(error) => Err(error),
            Does::AnswerAfter(wait) => {
                tokio::time::sleep(wait).await;
                Ok(self.address.clone())
            }
            Does::FailAfter(wait, error) => {
                tokio::time::sleep(wait).await;
                Err(error)
            }
            Does::Nothing | Does::Anything(_) => std::future::pending().await,
        }
    }

    async fn attempt(&self, request: Request<'_>) -> Result<String, Error> {
        let (call,): (u64,) = Postcard::decode(request.arguments).unwrap();
        let left = request.deadline.duration_since(Instant::now());
        assert_eq!(request.patience, left);
        self.world.with(|seen| seen.traces.push(request.trace));
        let does = self.begin(call);
        let _in_flight = InFlight(&self.world);
        let ended = timeout_at(request.deadline, self.result(does)).await;
        if ended.is_err() {
            sleep_until(request.deadline).await;
        }
        ended.unwrap_or(Err(Error::DeadlinePassed))
    }
}

impl Transport for Link {
    async fn call(&self, request: Request<'_>) -> Outcome {
        let address = self.attempt(request).await?;
        let mut body = Vec::new();
        Postcard::encode(&address, &mut body).unwrap();
        Ok((Side::Value, body.into()))
    }

    async fn stream(&self, request: Request<'_>) -> Result<Items, Error> {
        self.attempt(request).await?;
        Err(Error::NoStreams)
    }
}

fn anything(rng: &mut Rng) -> Does {
    let wait = Duration::from_millis(rng.u64(0..1500));
    let errors = [
        Error::Unreachable,
        Error::Overloaded,
        Error::Stopping,
        Error::Closed,
        Error::Panicked,
    ];
    let error = errors[rng.usize(0..errors.len())];
    match rng.u8(0..10) {
        0..4 => Does::Answer,
        4 => Does::AnswerAfter(wait),
        5 | 6 => Does::Fail(error),
        7 | 8 => Does::FailAfter(wait, error),
        _ => Does::Nothing,
    }
}
