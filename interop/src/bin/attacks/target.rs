//! The broker that is attacked.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_model::Clock;
use interop::parity::answer::answer;
use interop::parity::{Step, batch::Batch};
use interop::requests::{creation, set, topic};
use interop::{Connection, requests};
use message_model::Moment;
use mqd_guard::Mqd;
use serde_json::Value;
use tempfile::TempDir;

/// How long any one answer is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Something that a peer does to the broker.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// How long a sync takes while it runs, in milliseconds.
    pub(crate) sync_ms: u64,
    /// Settings of mqd.
    pub(crate) settings: &'static [(&'static str, &'static str)],
    /// What must be there first; syncs are quick meanwhile.
    pub(crate) prepare: fn(&Target) -> Result<()>,
    /// The attack; returns what it measured of itself.
    pub(crate) run: fn(&Target) -> Result<String>,
}

/// An mqd with a slow disk.
pub(crate) struct Target {
    pub(crate) mqd: Mqd,
    pub(crate) seconds: u64,
    clock: Clock,
    delay: TempDir,
}

impl Target {
    pub(crate) fn start(
        attack: &Attack,
        binary: &Path,
        library: &Path,
        seconds: u64,
    ) -> Result<Target> {
        let delay = tempfile::tempdir()?;
        let file = delay.path().join("ms");
        fs::write(&file, "0")?;
        let library = library.canonicalize()?;
        let mut options = Mqd::options(binary)
            .variable("LD_PRELOAD", library)
            .variable("SYNC_DELAY_FILE", &file)
            .variable("RUST_LOG", "warn");
        for (name, value) in attack.settings {
            options = options.set(name, value);
        }
        Ok(Target {
            mqd: options.start()?,
            seconds,
            clock: Clock::start(),
            delay,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.mqd.address()
    }

    pub(crate) fn slow_syncs(&self, ms: u64) -> Result<()> {
        let path = self.delay.path().join("ms");
        fs::write(path, ms.to_string()).context("setting the delay")
    }

    pub(crate) fn connect(&self) -> Result<Connection> {
        Connection::open(self.address(), PATIENCE)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The moment at which the attack is over.
    pub(crate) fn end(&self) -> Moment {
        self.now().plus(Duration::from_secs(self.seconds))
    }

    /// Waits, so that the second client can measure.
    pub(crate) fn rest(&self, at_least: Duration) {
        thread::sleep(at_least.max(Duration::from_secs(self.seconds)));
    }

    /// The fields of the answer.
    pub(crate) fn ask(&self, connection: &mut Connection, step: &Step) -> Result<Value> {
        let frame = connection.exchange(step)?;
        answer(step.api, step.version, &frame)
    }

    /// Creates a topic.
    pub(crate) fn create(
        &self,
        name: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> Result<()> {
        let settings: Vec<_> = settings.iter().map(|(n, v)| (*n, Some(*v))).collect();
        let wanted = set(topic(name, partitions, 1), &settings);
        let request = creation(vec![wanted]).with_timeout_ms(60_000);
        let answer = self.ask(&mut self.connect()?, &Step::new(3, &request))?;
        let code = &answer["topics"][0]["error_code"];
        ensure!(*code == 0, "creating {name}: {code}");
        Ok(())
    }

    /// Produces `count` times `batch` to partition 0.
    pub(crate) fn fill(&self, topic: &str, batch: &Batch, count: usize) -> Result<()> {
        let mut connection = self.connect()?;
        let step = requests::produce(topic, batch);
        for _ in 0..count {
            let answer = self.ask(&mut connection, &step)?;
            let code = &answer["responses"][0]["partition_responses"][0]["error_code"];
            ensure!(*code == 0, "producing to {topic}: {code}");
        }
        Ok(())
    }
}

/// A record of `size` bytes.
pub(crate) fn one_record(size: usize) -> Batch {
    Batch::of(&[&"x".repeat(size)])
}
