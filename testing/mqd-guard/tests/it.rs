//! The guard, with shell scripts in the place of `mqd`.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use mqd_guard::{Mqd, Options, Port};
use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

/// A program that does what `body` says.
fn script(dir: &TempDir, body: &str) -> PathBuf {
    let path = dir.path().join("mqd");
    fs::write(&path, body).expect("a script can be written");
    path
}

/// Starts it by `sh FILE`: a file that was just written may be "busy" to execute it directly.
fn options(dir: &TempDir, body: &str) -> Options {
    Mqd::options(script(dir, body)).through(["sh"])
}

const READY: &str = "echo 'mqd ready on 127.0.0.1:4711'; exec sleep 60";

fn runs(process_id: u32) -> bool {
    let process = i32::try_from(process_id).ok().and_then(Pid::from_raw);
    process.is_some_and(|process| test_kill_process(process).is_ok())
}

#[test]
fn it_knows_the_address_once_the_process_is_ready() {
    let dir = TempDir::new().unwrap();
    let mqd = options(&dir, READY).start().unwrap();
    assert_eq!(mqd.address().to_string(), "127.0.0.1:4711");
    assert!(mqd.resident_bytes().unwrap() > 0);
}

#[test]
fn dropping_it_ends_the_process() {
    let dir = TempDir::new().unwrap();
    let mqd = options(&dir, READY).start().unwrap();
    let process_id = mqd.process_id();
    assert!(runs(process_id));
    drop(mqd);
    assert!(!runs(process_id));
}

#[test]
fn a_process_that_ends_at_once_is_an_error_with_what_it_said() {
    let dir = TempDir::new().unwrap();
    let error = options(&dir, "echo 'no room' >&2; exit 3").start();
    let message = format!("{:#}", error.unwrap_err());
    assert!(message.contains("no room"), "{message}");
}

#[test]
fn a_process_that_says_nothing_is_an_error_when_patience_is_over() {
    let dir = TempDir::new().unwrap();
    let error = options(&dir, "echo hm >&2; exec sleep 60")
        .patience(Duration::from_millis(200))
        .start();
    let message = format!("{:#}", error.unwrap_err());
    assert!(message.contains("nothing on stdout"), "{message}");
}

#[test]
fn a_restart_keeps_directory_and_port() {
    let dir = TempDir::new().unwrap();
    let body = "echo mqd ready on $2; echo \"$4\" >> \"$4/starts\"; exec sleep 60";
    let mut mqd = options(&dir, body).stable_port().start().unwrap();
    let (address, first) = (mqd.address(), mqd.process_id());
    mqd.restart(Port::Same).unwrap();
    assert_eq!(mqd.address(), address);
    assert!(!runs(first));
    mqd.restart(Port::Any).unwrap();
    assert_eq!(mqd.address().port(), 0);
}

#[test]
fn terminate_waits_for_the_exit_and_for_the_last_words() {
    let dir = TempDir::new().unwrap();
    let body = "trap 'echo bye >&2; exit 5' TERM\necho 'mqd ready on 127.0.0.1:1'\n\
                while :; do sleep 0.01; done";
    let mut mqd = options(&dir, body).start().unwrap();
    assert_eq!(mqd.terminate().unwrap().code(), Some(5));
    assert_eq!(mqd.stderr(), "bye\n");
    assert_eq!(mqd.terminate().unwrap().code(), Some(5));
}

#[test]
fn a_flood_on_both_outputs_does_not_stop_it() {
    let dir = TempDir::new().unwrap();
    let body = "echo 'mqd ready on 127.0.0.1:1'\n\
                i=0; while [ $i -lt 20000 ]; do echo 0123456789012345678901234567890 >&2; \
                i=$((i+1)); done; echo done >&2; exit 0";
    let mut mqd = options(&dir, body).start().unwrap();
    assert!(mqd.says("done", Duration::from_secs(30)));
    assert!(mqd.wait_for_exit().unwrap().success());
    assert!(mqd.stderr().len() <= 256 * 1024);
}
