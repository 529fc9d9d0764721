//! One node of Apache Kafka.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kafka_protocol::messages::InitProducerIdRequest;
use tempfile::TempDir;

use crate::clients::java;
use crate::parity::{Step, ask};

/// Between two looks at whether it serves yet.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A minute of looks.
const LOOKS_MAX: u32 = 600;
/// Files in its directory: its settings, and what it says.
const PROPERTIES: &str = "server.properties";
const LOG: &str = "log.txt";

/// A broker that is its own controller, on a temporary directory. Dropping it kills it.
#[derive(Debug)]
pub struct Kafka {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Kafka {
    /// Starts it with these settings beside those that it needs, and waits until
    /// it gives out producer ids, which is when all of it is there.
    ///
    /// # Errors
    /// When it cannot be started; the message holds the end of its log.
    ///
    /// # Panics
    /// When its jars are not installed.
    pub fn start(settings: &[(&str, &str)]) -> Result<Kafka> {
        let folder = tempfile::Builder::new().prefix("kafka-").tempdir()?;
        let (port, controller_port) = (free_port()?, free_port()?);
        let properties = folder.path().join(PROPERTIES);
        fs::write(
            &properties,
            server_properties(folder.path(), port, controller_port, settings),
        )?;
        let formatted = java("kafka.tools.StorageTool")
            .args(["format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c"])
            .arg(&properties)
            .output()
            .context("cannot run java")?;
        ensure!(formatted.status.success(), "format: {formatted:?}");

        let mut kafka = Kafka {
            child: node(folder.path())?,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            folder,
        };
        kafka.wait_until_it_serves()?;
        Ok(kafka)
    }

    /// Ends it as a crash would, starts it again on the same directory and port, and waits as
    /// [`start`](Kafka::start) does.
    ///
    /// # Errors
    /// As [`start`](Kafka::start).
    pub fn kill_and_restart(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = node(self.folder.path())?;
        self.wait_until_it_serves()
    }

    fn wait_until_it_serves(&mut self) -> Result<()> {
        let log = self.folder.path().join(LOG);
        let log = || fs::read_to_string(&log).unwrap_or_default();
        let mut looks = 0;
        while !self.gives_out_producer_ids() {
            ensure!(self.child.try_wait()?.is_none(), "Kafka ended: {}", log());
            ensure!(looks < LOOKS_MAX, "Kafka does not serve: {}", log());
            looks += 1;
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn gives_out_producer_ids(&self) -> bool {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(60_000);
        TcpStream::connect(self.address).is_ok()
            && ask(self.address, "", &[Step::new(0, &request)])
                .is_ok_and(|answers| answers[0]["error_code"] == 0)
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the process.
fn node(folder: &Path) -> Result<Child> {
    let mut output = fs::File::options();
    let output = output.create(true).append(true).open(folder.join(LOG))?;
    Command::new("java")
        .arg("-Xmx1g")
        .args(
            java("kafka.Kafka")
                .get_args()
                .filter(|argument| !argument.to_string_lossy().starts_with("-XX:")),
        )
        .arg(folder.join(PROPERTIES))
        .stdout(output.try_clone()?)
        .stderr(output)
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start Kafka")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn server_properties(
    folder: &Path,
    port: u16,
    controller_port: u16,
    settings: &[(&str, &str)],
) -> String {
    let mut text = format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
",
        folder.join("data").display()
    );
    for (name, value) in settings {
        text.push_str(&format!("{name}={value}\n"));
    }
    text
}
