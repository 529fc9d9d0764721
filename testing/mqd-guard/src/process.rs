//! The process.

use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::options::Options;
use crate::output::{Lines, Stdout, Tail};

/// What its one line on stdout begins with.
const READY: &str = "mqd ready on ";

/// How long a killed process may take to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// Where it listens after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Where it listened before, so that clients can connect again.
    Same,
    /// Wherever there is room.
    Any,
}

/// A running (or killed) `mqd`. Dropping it kills it.
#[derive(Debug)]
pub struct Mqd {
    options: Options,
    data_dir: DataDir,
    started: Started,
}

/// Where it keeps its data.
#[derive(Debug)]
pub(crate) enum DataDir {
    Given(PathBuf),
    Temporary(TempDir),
}

impl DataDir {
    pub(crate) fn path(&self) -> &Path {
        match self {
            DataDir::Given(path) => path,
            DataDir::Temporary(dir) => dir.path(),
        }
    }
}

/// One run of the process.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
    address: SocketAddr,
    stdout: Lines,
    stderr: Tail,
    /// Whether it has been waited for.
    exit: Option<ExitStatus>,
}

impl Mqd {
    /// How the binary at `binary` is to be started: a test of `mqd`'s own crate
    /// passes `env!("CARGO_BIN_EXE_mqd")`.
    pub fn options(binary: impl Into<PathBuf>) -> Options {
        Options::new(binary.into())
    }

    pub(crate) fn new(options: Options, data_dir: DataDir, started: Started) -> Mqd {
        Mqd {
            options,
            data_dir,
            started,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.started.address
    }

    /// Where it keeps its data.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    /// Its process id.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.started.child.id()
    }

    /// What it said on stderr since it was started last; of much, the end.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.started.stderr.text()
    }

    /// Waits until it has said `wanted` on stderr; whether it did before `patience` was over.
    #[must_use]
    pub fn says(&self, wanted: &str, patience: Duration) -> bool {
        self.started.stderr.wait_for(wanted, patience)
    }

    /// How much memory it has in RAM now, in bytes.
    ///
    /// # Errors
    /// When it does not run, or the system cannot say.
    pub fn resident_bytes(&self) -> Result<u64> {
        resident_bytes(self.process_id())
    }

    /// Ends it as a crash would: SIGKILL. Fine if it has ended already.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill_9(&mut self) -> Result<()> {
        self.started.kill_9()
    }

    /// Starts it on the same data directory; kills it first if it still runs.
    ///
    /// # Errors
    /// As [`Options::start`].
    pub fn restart(&mut self, port: Port) -> Result<()> {
        self.restart_with(port, |options| options)
    }

    /// As [`Mqd::restart`], with other options from now on.
    ///
    /// # Errors
    /// As [`Options::start`].
    pub fn restart_with(
        &mut self,
        port: Port,
        change: impl FnOnce(Options) -> Options,
    ) -> Result<()> {
        self.kill_9()?;
        self.options = change(self.options.clone());
        let port = match port {
            Port::Same => self.address().port(),
            Port::Any => 0,
        };
        self.started = Started::new(&self.options, self.data_dir.path(), port)?;
        Ok(())
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time (then it is killed).
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal("TERM")?;
        self.wait_for_exit()
    }

    /// Sends it `INT` or `TERM`, and does not wait. Fine if it has ended already.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn signal(&self, name: &str) -> Result<()> {
        match self.started.exit {
            Some(_) => Ok(()),
            None => signal(&self.started.child, name),
        }
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// When it does not end in time (then it is killed).
    pub fn wait_for_exit(&mut self) -> Result<ExitStatus> {
        let patience = self.options.patience;
        self.started.wait_for_exit(patience)
    }
}

impl Drop for Mqd {
    fn drop(&mut self) {
        // Before the temporary directory goes.
        let _ = self.kill_9();
    }
}

impl Started {
    /// Starts the process and waits for its line.
    pub(crate) fn new(options: &Options, data_dir: &Path, port: u16) -> Result<Started> {
        let binary = options.binary.as_os_str();
        let mut words = options.through.iter().map(AsRef::as_ref).chain([binary]);
        let program: &OsStr = words.next().context("there is a program")?;
        let mut command = Command::new(program);
        if options.own_process_group {
            command.process_group(0);
        }
        let mut child = command
            .args(words)
            .args(["--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(data_dir)
            .args(&options.arguments)
            .envs(options.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stderr = Tail::default();
        stderr.read(child.stderr.take().context("stderr is a pipe")?);
        let stdout = Lines::of(child.stdout.take().context("stdout is a pipe")?);
        let mut started = Started {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            stdout,
            stderr,
            exit: None,
        };
        match started.wait_until_ready(options.patience) {
            Ok(address) => {
                started.address = address;
                Ok(started)
            }
            Err(error) => {
                started.kill_9()?;
                let said = started.stderr.text_at_end(KILL_PATIENCE);
                Err(error.context(format!("mqd did not get ready; it said:\n{said}")))
            }
        }
    }

    fn wait_until_ready(&self, patience: Duration) -> Result<SocketAddr> {
        match self.stdout.next(patience) {
            Some(Stdout::Line(line)) => match line.strip_prefix(READY) {
                Some(address) => address
                    .parse()
                    .with_context(|| format!("{line:?} does not end with an address")),
                None => bail!("expected {READY:?} on stdout, got {line:?}"),
            },
            Some(Stdout::Closed) => bail!("it ended"),
            None => bail!("nothing on stdout for {} s", patience.as_secs()),
        }
    }

    fn kill_9(&mut self) -> Result<()> {
        if self.exit.is_some() {
            return Ok(());
        }
        self.child.kill().context("cannot kill mqd")?;
        self.exit = Some(self.child.wait().context("cannot wait for mqd")?);
        Ok(())
    }

    /// The pipe of stdout closes when the process ends: that can be waited for
    /// with a deadline, and the process itself cannot.
    fn wait_for_exit(&mut self, patience: Duration) -> Result<ExitStatus> {
        if let Some(exit) = self.exit {
            return Ok(exit);
        }
        loop {
            match self.stdout.next(patience) {
                Some(Stdout::Line(_)) => {}
                Some(Stdout::Closed) => break,
                None => {
                    self.kill_9()?;
                    let said = self.stderr.text_at_end(KILL_PATIENCE);
                    bail!(
                        "mqd did not end within {} s; it said:\n{said}",
                        patience.as_secs()
                    );
                }
            }
        }
        let exit = self.child.wait().context("cannot wait for mqd")?;
        self.exit = Some(exit);
        // So that a reader of stderr now reads all of it.
        self.stderr.text_at_end(KILL_PATIENCE);
        Ok(exit)
    }
}

/// The standard library can only send SIGKILL.
fn signal(child: &Child, name: &str) -> Result<()> {
    let signal = match name {
        "INT" => Signal::INT,
        "TERM" => Signal::TERM,
        other => bail!("SIG{other} ends no mqd in order"),
    };
    kill_process(Pid::from_child(child), signal)
        .with_context(|| format!("cannot send SIG{name} to process {}", child.id()))
}

fn resident_bytes(process_id: u32) -> Result<u64> {
    let kib = match fs::read_to_string(format!("/proc/{process_id}/status")) {
        Ok(status) => status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next())
            .map(str::to_owned),
        // Not Linux: ask `ps`.
        Err(_) => {
            let output = Command::new("ps")
                .args(["-o", "rss=", "-p", &process_id.to_string()])
                .output()
                .context("cannot run ps")?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
    };
    let kib: u64 = kib
        .context("it does not run")?
        .parse()
        .context("its memory is not a number")?;
    Ok(kib * 1024)
}
