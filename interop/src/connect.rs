//! Workers of Kafka Connect, and its file connectors.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use async_model::Clock;
use serde_json::{Value, json};

use crate::clients::java_with;
use crate::session::PATIENCE;

/// Between two looks at a worker's state.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The log says the address of the REST server after these words.
const LISTENING: &str = "REST server listening at http://";
const GENERATION: &str = "Generation{generationId=";

/// What all workers need. Class names come from the jars' own lists, because looking
/// through the class path takes seconds. A member that was killed is
/// expelled as early as the protocol allows.
const COMMON: &str = "\
listeners=http://127.0.0.1:0
plugin.discovery=service_load
offset.flush.interval.ms=1000
consumer.session.timeout.ms=6000
consumer.heartbeat.interval.ms=2000
";

/// The topics of distributed workers are compacted while the workers use them.
const DISTRIBUTED: &str = "\
group.id=connect-cluster
session.timeout.ms=6000
heartbeat.interval.ms=2000
scheduled.rebalance.max.delay.ms=2000
config.storage.topic=connect-configs
config.storage.replication.factor=1
offset.storage.topic=connect-offsets
offset.storage.replication.factor=-1
offset.storage.partitions=1
offset.storage.segment.ms=2000
offset.storage.min.cleanable.dirty.ratio=0.01
status.storage.topic=connect-status
status.storage.replication.factor=1
";

/// A connector with its name and its settings.
#[derive(Debug, Clone)]
pub struct Connector {
    name: &'static str,
    config: BTreeMap<&'static str, String>,
}

impl Connector {
    /// A connector that sends the lines of `file` to `topic`.
    #[must_use]
    pub fn file_source(name: &'static str, file: &Path, topic: &str) -> Connector {
        Connector::file(name, "FileStreamSource", file, ("topic", topic))
    }

    /// A connector that appends the values of `topic` to `file`, a line each.
    #[must_use]
    pub fn file_sink(name: &'static str, file: &Path, topic: &str) -> Connector {
        Connector::file(name, "FileStreamSink", file, ("topics", topic))
    }

    fn file(
        name: &'static str,
        class: &str,
        file: &Path,
        (key, topic): (&'static str, &str),
    ) -> Connector {
        let config = BTreeMap::from([
            ("connector.class", class.to_owned()),
            ("tasks.max", "1".to_owned()),
            ("file", file.display().to_string()),
            (key, topic.to_owned()),
        ]);
        Connector { name, config }
    }
}

/// How the values of records are encoded in the topic.
#[derive(Debug, Clone, Copy)]
pub enum Converter {
    /// JSON with its schema in each record, as in the properties that Kafka comes with.
    Json,
    /// The lines as they are.
    String,
}

/// A worker process. Dropping it kills it.
#[derive(Debug)]
pub struct Worker {
    folder: PathBuf,
    main_class: &'static str,
    arguments: Vec<PathBuf>,
    child: Child,
    rest: SocketAddr,
    runs: u32,
}

impl Worker {
    /// Starts a standalone worker that runs `connectors`, and keeps its files in `folder`.
    ///
    /// # Errors
    /// When it does not start; the message holds its log.
    ///
    /// # Panics
    /// When Kafka Connect is not installed.
    pub fn standalone(
        folder: &Path,
        broker: SocketAddr,
        converter: Converter,
        connectors: &[Connector],
    ) -> Result<Worker> {
        let offsets = folder.join("offsets").display().to_string();
        let offsets = format!("offset.storage.file.filename={offsets}\n");
        let mut arguments = vec![properties(folder, broker, converter, &offsets)?];
        for connector in connectors {
            let path = folder.join(format!("{}.json", connector.name));
            let text = json!({"name": connector.name, "config": connector.config});
            fs::write(&path, text.to_string())?;
            arguments.push(path);
        }
        Worker::new(folder, "ConnectStandalone", arguments)
    }

    /// Starts a worker that shares connectors with all others of the same broker, and
    /// keeps its log in `folder`.
    ///
    /// # Errors
    /// As [`standalone`](Worker::standalone).
    ///
    /// # Panics
    /// As [`standalone`](Worker::standalone).
    pub fn distributed(folder: &Path, broker: SocketAddr, converter: Converter) -> Result<Worker> {
        let arguments = vec![properties(folder, broker, converter, DISTRIBUTED)?];
        Worker::new(folder, "ConnectDistributed", arguments)
    }

    fn new(folder: &Path, main_class: &'static str, arguments: Vec<PathBuf>) -> Result<Worker> {
        let mut worker = Worker {
            folder: folder.to_owned(),
            main_class,
            child: start(main_class, &arguments, &log_path(folder, 0))?,
            arguments,
            rest: SocketAddr::from(([127, 0, 0, 1], 0)),
            runs: 1,
        };
        worker.rest = worker.wait_for_address()?;
        Ok(worker)
    }

    /// Where its REST server listens, which is its id in the group.
    #[must_use]
    pub fn rest(&self) -> SocketAddr {
        self.rest
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill_9(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again with the files that it has; kills it first, as a crash would, if it
    /// still runs.
    ///
    /// # Errors
    /// When it does not start; the message holds its log.
    pub fn restart(&mut self) -> Result<()> {
        self.kill_9()?;
        let log = log_path(&self.folder, self.runs);
        self.child = start(self.main_class, &self.arguments, &log)?;
        self.runs += 1;
        self.rest = self.wait_for_address()?;
        Ok(())
    }

    /// Ends the tasks of `connector` in order: they commit what they have done. The worker
    /// then waits to be killed. (SIGTERM would end the tasks too, but about one in
    /// fifty workers waits forever for its own REST server then.)
    ///
    /// # Errors
    /// When the tasks do not end within [`PATIENCE`].
    pub fn stop(&self, connector: &Connector) -> Result<()> {
        let path = format!("/connectors/{}", connector.name);
        self.put_until_taken(&format!("{path}/stop"), "")?;
        wait("a connector stops", || {
            let (_, status) = request(self.rest, "GET", &format!("{path}/status"), "")?;
            let stopped = status["connector"]["state"] == "STOPPED";
            let ended = status["tasks"].as_array().is_some_and(Vec::is_empty);
            Ok((stopped && ended).then_some(()))
        })
        .with_context(|| self.log())
    }

    /// Creates `connector`, or changes it.
    ///
    /// # Errors
    /// When the workers do not take it within [`PATIENCE`].
    pub fn put(&self, connector: &Connector) -> Result<()> {
        let path = format!("/connectors/{}/config", connector.name);
        self.put_until_taken(&path, &json!(connector.config).to_string())
    }

    fn put_until_taken(&self, path: &str, body: &str) -> Result<()> {
        // 409 while the workers rebalance, 404 and 5xx before they are all there.
        wait(&format!("PUT {path}"), || {
            let answer = request(self.rest, "PUT", path, body);
            Ok(answer
                .ok()
                .filter(|(status, _)| (200..300).contains(status)))
        })
        .with_context(|| self.log())?;
        Ok(())
    }

    /// Waits until the task of `connector` runs on one of the workers with these
    /// addresses, and returns which.
    ///
    /// # Errors
    /// When it does not within [`PATIENCE`].
    pub fn task_of(&self, connector: &Connector, workers: &[SocketAddr]) -> Result<usize> {
        let path = format!("/connectors/{}/status", connector.name);
        let what = format!("the task of {} runs", connector.name);
        wait(&what, || {
            let Ok((200, status)) = request(self.rest, "GET", &path, "") else {
                return Ok(None);
            };
            let task = &status["tasks"][0];
            ensure!(task["state"] != "FAILED", "the task failed: {status}");
            let runs_on = |worker: &SocketAddr| task["worker_id"] == worker.to_string();
            let worker = workers.iter().position(runs_on);
            Ok(worker.filter(|_| task["state"] == "RUNNING"))
        })
        .with_context(|| self.log())
    }

    /// The latest generation of the workers' group that this worker has been in.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn generation(&self) -> Result<Option<u32>> {
        let mut latest = None;
        for run in 0..self.runs {
            let log = fs::read_to_string(log_path(&self.folder, run))?;
            for (at, _) in log.match_indices(GENERATION) {
                let digits = log[at + GENERATION.len()..].split(',').next();
                latest = latest.max(digits.and_then(|digits| digits.parse().ok()));
            }
        }
        Ok(latest)
    }

    /// The log of its last run.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(log_path(&self.folder, self.runs - 1)).unwrap_or_default()
    }

    fn wait_for_address(&mut self) -> Result<SocketAddr> {
        let log = log_path(&self.folder, self.runs - 1);
        wait("a worker listens", || {
            let log = fs::read_to_string(&log)?;
            if let Some(status) = self.child.try_wait()? {
                bail!("the worker ended with {status}: {log}");
            }
            let address = log.split_once(LISTENING).map(|(_, rest)| rest);
            let address = address.and_then(|rest| rest.split_once('/'));
            Ok(address.and_then(|(address, _)| address.parse().ok()))
        })
        .with_context(|| self.log())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.kill_9();
    }
}

fn log_path(folder: &Path, run: u32) -> PathBuf {
    folder.join(format!("log-{run}.txt"))
}

fn properties(
    folder: &Path,
    broker: SocketAddr,
    converter: Converter,
    more: &str,
) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let class = match converter {
        Converter::Json => "json.JsonConverter",
        Converter::String => "storage.StringConverter",
    };
    let path = folder.join("worker.properties");
    let mut text = format!("bootstrap.servers={broker}\n{COMMON}{more}");
    for what in ["key", "value"] {
        text.push_str(&format!(
            "{what}.converter=org.apache.kafka.connect.{class}\n"
        ));
    }
    fs::write(&path, text)?;
    Ok(path)
}

fn start(main_class: &str, arguments: &[PathBuf], log: &Path) -> Result<Child> {
    let output = File::create(log)?;
    let level = "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.connect.runtime";
    let address = format!("{level}.rest.RestServer=info");
    let generation = format!("{level}.distributed.WorkerCoordinator=info");
    let main_class = format!("org.apache.kafka.connect.cli.{main_class}");
    java_with(&["-Xmx256m", &address, &generation], &main_class)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("cannot start java")
}

/// Calls `look` until it returns something, or [`PATIENCE`] is over.
fn wait<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let clock = Clock::start();
    let start = clock.now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        let waited = clock.now().since(start);
        ensure!(waited < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(LOOK_EVERY);
    }
}

/// Status and body of the answer to one request; null for an empty body. HTTP/1.0, so that
/// the body ends with the connection.
fn request(server: SocketAddr, method: &str, path: &str, body: &str) -> Result<(u16, Value)> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nContent-Type: application/json");
    write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("no end of the head")?;
    let status = head.split(' ').nth(1).context("no status")?;
    let body = match body {
        "" => Value::Null,
        json => serde_json::from_str(json)?,
    };
    Ok((status.parse()?, body))
}
