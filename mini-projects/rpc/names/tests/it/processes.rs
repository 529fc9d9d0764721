//! Servers that are processes of their own, and are killed.

use std::fs;
use std::future::pending;
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rpc_names::open;

use crate::broker::Served;
use crate::file::Place;
use crate::{LONG, until};

const SHORT: Duration = Duration::from_secs(1);

/// Set for a process that is this test binary, in the part of a server.
const PART: &str = "RPC_NAMES_PART";

/// A process that registers; killed when it is dropped.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this binary to do what `part` says with a name service, through a shell.
    fn start(part: &str, uri: &str, shell: &str) -> Process {
        let this = std::env::current_exe().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell} exec \"$@\""), "sh"]);
        command
            .arg(this)
            .args(["--exact", "processes::part", "--ignored", "--nocapture"]);
        command
            .env(PART, format!("{part} {uri}"))
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, lines }
    }

    /// Returns the next line with `wanted` in it.
    fn line(&mut self, wanted: &str) -> String {
        let mut lines = (&mut self.lines).map(Result::unwrap);
        let found = lines.find(|line| line.contains(wanted));
        found.unwrap_or_else(|| panic!("it ended without {wanted:?}"))
    }

    fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process does.
#[tokio::test]
#[ignore = "other tests start it as a process of its own"]
async fn part() {
    let Ok(part) = std::env::var(PART) else {
        return;
    };
    let (part, uri) = part.rsplit_once(' ').unwrap();
    match part {
        "lives" => {
            let names = open(uri, SHORT).await.unwrap();
            let _kept = names.register("Greeter", "127.0.0.1:1").await.unwrap();
            println!("it is registered");
            pending().await
        }
        "comes and goes" => loop {
            let names = open(uri, LONG).await.unwrap();
            let kept = names.register("Greeter", "127.0.0.1:1").await.unwrap();
            println!("it came");
            kept.close().await.unwrap();
        },
        "fails" => {
            let names = open(uri, LONG).await.unwrap();
            let refused = names.register("Greeter", "127.0.0.1:1").await.unwrap_err();
            println!("it failed: {refused}");
        }
        other => panic!("no part {other}"),
    }
}

#[tokio::test]
async fn a_killed_server_in_a_file_is_forgotten_when_its_lease_ends() {
    let place = Place::new();
    let names = open(&place.uri(), SHORT).await.unwrap();
    a_killed_server_is_forgotten(names, &place.uri()).await;
}

#[tokio::test]
async fn a_killed_server_in_a_topic_is_forgotten_when_its_lease_ends() {
    let served = Served::start();
    let names = open(&served.names(), SHORT).await.unwrap();
    a_killed_server_is_forgotten(names, &served.names()).await;
}

async fn a_killed_server_is_forgotten(mut names: rpc_names::Names, uri: &str) {
    let _other = names.register("Greeter", "127.0.0.1:2").await.unwrap();
    let mut server = Process::start("lives", uri, "");
    server.line("it is registered");
    until(&mut names, "Greeter", &["127.0.0.1:1", "127.0.0.1:2"]).await;
    server.kill_9();
    until(&mut names, "Greeter", &["127.0.0.1:2"]).await;
}

#[tokio::test]
async fn whenever_a_server_is_killed_the_file_is_whole_and_not_locked() {
    let place = Place::new();
    let names = place.open().await;
    let _other = names.register("Greeter", "127.0.0.1:2").await.unwrap();
    let mut was_registered = 0;
    for round in 0..40 {
        let mut server = Process::start("comes and goes", &place.uri(), "");
        for _ in 0..1 + round % 3 {
            server.line("it came");
        }
        server.kill_9();
        let mut living = place.open().await.living("Greeter");
        assert_eq!(living.pop().as_deref(), Some("127.0.0.1:2"));
        was_registered += living.len();
        names
            .register("Other", "127.0.0.1:3")
            .await
            .unwrap()
            .close()
            .await
            .unwrap();
    }
    assert!(was_registered > 0, "it was always killed while it was gone");
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_leaves_the_file() {
    let place = Place::new();
    let names = place.open().await;
    let _kept = names.register("Greeter", "127.0.0.1:2").await.unwrap();
    let before = fs::read(place.path()).unwrap();
    let mut server = Process::start("fails", &place.uri(), "trap '' XFSZ; ulimit -f 0;");
    let said = server.line("it failed");
    assert!(said.contains("the file of names: "), "{said}");
    assert_eq!(fs::read(place.path()).unwrap(), before);
    // With room again the next one writes it.
    let _more = names.register("Greeter", "127.0.0.1:3").await.unwrap();
    assert_eq!(
        place.open().await.living("Greeter"),
        ["127.0.0.1:2", "127.0.0.1:3"]
    );
}
