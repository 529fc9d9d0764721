//! How to start it.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::process::{DataDir, Mqd, Started};

/// Ports that a guard chooses from: below those that systems hand out for
/// outgoing connections (from 32,768 or higher on). A client that keeps
/// dialling a port of *those* while nobody listens can end up connected to
/// itself, and then the port is taken when `mqd` wants it back.
const STABLE_PORTS: std::ops::Range<u16> = 12_000..32_000;

/// How `mqd` is to be started; [`Mqd::options`] makes it.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) binary: PathBuf,
    pub(crate) through: Vec<OsString>,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) variables: Vec<(OsString, OsString)>,
    pub(crate) patience: Duration,
    pub(crate) own_process_group: bool,
    data_dir: Option<PathBuf>,
    stable_port: bool,
}

impl Options {
    pub(crate) fn new(binary: PathBuf) -> Options {
        Options {
            binary,
            through: Vec::new(),
            arguments: Vec::new(),
            variables: Vec::new(),
            patience: Duration::from_secs(30),
            own_process_group: false,
            data_dir: None,
            stable_port: false,
        }
    }

    /// Uses this data directory, and leaves it there. Without it there is a
    /// temporary one, which goes when the [`Mqd`] is dropped.
    #[must_use]
    pub fn data_dir(mut self, data_dir: impl Into<PathBuf>) -> Options {
        self.data_dir = Some(data_dir.into());
        self
    }

    /// Adds `--set NAME=VALUE`.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Options {
        self.argument("--set").argument(format!("{name}={value}"))
    }

    /// Adds an argument of the command line as it is.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Options {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of the environment, such as `RUST_LOG`.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Options {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Starts it through another program, which must replace itself by it; for
    /// limits: `["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]`.
    #[must_use]
    pub fn through<A: Into<OsString>>(mut self, command: impl IntoIterator<Item = A>) -> Options {
        self.through = command.into_iter().map(Into::into).collect();
        self
    }

    /// How long it may take to get ready, and to end. 30 s if not set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Options {
        self.patience = patience;
        self
    }

    /// Listens on a port that stays its own while it is down. Ask for it when
    /// clients keep dialling through a [`Mqd::restart`] with [`Port::Same`](crate::Port::Same).
    #[must_use]
    pub fn stable_port(mut self) -> Options {
        self.stable_port = true;
        self
    }

    /// Starts it in a process group of its own, so that a Ctrl-C in the terminal does
    /// not reach it. Only for a program that lives through Ctrl-C itself: one that
    /// dies of it leaves `mqd` behind.
    #[must_use]
    pub fn own_process_group(mut self) -> Options {
        self.own_process_group = true;
        self
    }

    /// Starts it, and waits until it serves.
    ///
    /// # Errors
    /// When it cannot be started, or does not say in time that it is ready. The
    /// message holds what it said on stderr.
    pub fn start(self) -> Result<Mqd> {
        let data_dir = match self.data_dir.clone() {
            Some(path) => DataDir::Given(path),
            None => DataDir::Temporary(
                tempfile::Builder::new()
                    .prefix("mqd-")
                    .tempdir()
                    .context("cannot create a temporary directory")?,
            ),
        };
        let port = if self.stable_port { free_port()? } else { 0 };
        let started = Started::new(&self, data_dir.path(), port)?;
        Ok(Mqd::new(self, data_dir, started))
    }
}

/// A port that is free now. Guards of one process never choose the same one,
/// and guards of other processes begin elsewhere.
fn free_port() -> Result<u16> {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let count = STABLE_PORTS.end - STABLE_PORTS.start;
    let first = process::id().wrapping_mul(97) % u32::from(count);
    for _ in 0..count {
        let step = u32::from(TAKEN.fetch_add(1, Ordering::Relaxed));
        let index = (first + step) % u32::from(count);
        let port = STABLE_PORTS.start + u16::try_from(index).context("a port is 16 bits")?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port between {STABLE_PORTS:?} is free")
}
