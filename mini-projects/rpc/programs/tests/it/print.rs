//! Output that takes nothing more, and warnings.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::hello::{names, serve};
use crate::process::{CALL, HELLO, SALE, run};

/// A disk without room.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// Runs a program whose output goes there; returns its exit status, and what it says.
fn print_to(out: Stdio, program: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(program);
    let ended = command.args(arguments).stdout(out).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    (ended.status.code().unwrap(), said)
}

/// A pipe whose reader has gone.
fn without_reader() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_that_has_gone_ends_a_caller_and_a_full_disk_is_an_error() {
    let dir = TempDir::new().unwrap();
    let names = names(&dir);
    let _server = serve(&names);
    let (hello, all) = ("HelloService.hello", "HelloService.hello_all");
    let calls: [(&str, &[&str]); 6] = [
        (CALL, &[&names, hello, r#"["Mei"]"#]),
        (CALL, &[&names, hello, r#"[""]"#]),
        (CALL, &[&names, all, r#"[["Mei"]]"#, "--stream"]),
        (CALL, &["--help"]),
        (SALE, &["--help"]),
        (HELLO, &["greet", "Mei", "--names", &names]),
    ];
    for (program, arguments) in calls {
        let (status, said) = print_to(full().into(), program, arguments);
        assert_eq!(status, 2, "{said}");
        assert!(
            said.contains(": cannot write to standard output: "),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        let ended = print_to(without_reader(), program, arguments);
        assert_eq!(ended, (0, String::new()));
    }
}

/// A server whose output goes there. Returns when it is registered.
fn server(names: &str, out: Stdio) -> Child {
    let mut command = Command::new(HELLO);
    command.args(["serve", "--names", names]).stdout(out);
    let server = command.stderr(full()).spawn().unwrap();
    let path = names.strip_prefix("file:").unwrap();
    let is_there = || fs::read_to_string(path).is_ok_and(|text| text.contains("HelloService "));
    while !is_there() {}
    server
}

#[test]
fn a_server_that_cannot_print_serves_and_stops_as_any_other() {
    let unread = std::io::pipe().unwrap();
    for out in [full().into(), without_reader(), unread.1.into()] {
        let dir = TempDir::new().unwrap();
        let names = names(&dir);
        let mut server = server(&names, out);
        // More lines than may wait, and together more than a pipe holds.
        let name = "x".repeat(1000);
        let greet = ["greet", &name, "--times", "1200", "--names", &names];
        let (status, _, said) = run(HELLO, &greet);
        assert_eq!(status, 0, "{said}");
        kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
        assert!(server.wait().unwrap().success());
        let left = fs::read_to_string(dir.path().join("names")).unwrap();
        assert!(!left.contains("HelloService"), "{left}");
    }
}

#[test]
fn a_heartbeat_that_is_lost_is_a_warning() {
    let dir = TempDir::new().unwrap();
    let names = names(&dir);
    // A server that says nothing is stopped.
    let mut command = Command::new("timeout");
    command.args(["30", HELLO, "serve", "--names", &names]);
    let mut server = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    fs::write(dir.path().join("names"), "of another program").unwrap();
    let said = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut said = said.map(Result::unwrap);
    assert!(said.any(|line| line.contains(" WARN ") && line.contains("a heartbeat is lost")));
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    server.wait().unwrap();
}
