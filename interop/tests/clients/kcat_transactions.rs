//! kcat with the idempotent producer, and in transactions as far as it has them: one for all
//! that it sends. It cannot commit offsets in a transaction.

use std::net::SocketAddr;
use std::process::Command;

use interop::{Session, kcat, mqd_binary, run};
use mqd_guard::{Mqd, Port};

use crate::{lines, start_mqd};

const TOPIC: &str = "orders";
/// Lines of 128 bytes that are sent at a time. kcat reads its input in pieces of 4,096 bytes, and
/// so has no part of them left while it waits for more.
const COUNT: usize = 64;

/// Sends all lines of its stdin in one transaction, which it commits when stdin ends.
fn transactional(address: SocketAddr, more: &[&str]) -> Command {
    let mut command = kcat(address);
    // -m: how long it waits for the coordinator, in seconds.
    command.args(["-P", "-t", TOPIC, "-p", "0", "-m", "50"]);
    command.args(["-X", "transactional.id=shop"]).args(more);
    command
}

/// [`COUNT`] lines.
fn pieces(name: &str) -> String {
    (0..COUNT)
        .map(|number| format!("{:-<127}\n", format!("{name} {number} ")))
        .collect()
}

fn reader(address: SocketAddr, level: &str) -> Command {
    let mut command = kcat(address);
    command.args(["-C", "-q", "-u", "-t", TOPIC, "-p", "0", "-o", "beginning"]);
    command.args(["-X", &format!("isolation.level={level}")]);
    command
}

/// Everything that a reader of this level finds now.
fn read(mqd: &Mqd, level: &str) -> String {
    let mut command = reader(mqd.address(), level);
    command.arg("-e");
    run(command, b"").unwrap()
}

fn create_topic(mqd: &Mqd) {
    let mut create = Command::new(mqd_binary());
    create.args(["topics", "create", TOPIC, "--bootstrap"]);
    create.arg(mqd.address().to_string());
    run(create, b"").unwrap();
}

/// A line that belongs to no transaction.
fn send_behind(mqd: &Mqd) {
    let mut command = kcat(mqd.address());
    command.args(["-P", "-t", TOPIC, "-p", "0"]);
    run(command, b"behind\n").unwrap();
}

/// A transaction that is open, whose [`COUNT`] lines are in the log.
fn open(mqd: &Mqd, more: &[&str]) -> Session {
    create_topic(mqd);
    let mut open = Session::start(transactional(mqd.address(), more)).unwrap();
    open.say(pieces("open").as_bytes()).unwrap();
    let mut seen = Session::start(reader(mqd.address(), "read_uncommitted")).unwrap();
    for line in pieces("open").lines() {
        assert_eq!(seen.line().unwrap(), line);
    }
    assert_eq!(read(mqd, "read_committed"), "");
    open
}

#[test]
fn idempotent_lines_are_stored_once_and_in_order_while_mqd_is_killed() {
    let mut mqd = Mqd::options(mqd_binary()).stable_port().start().unwrap();
    create_topic(&mqd);
    let mut command = kcat(mqd.address());
    command.args(["-P", "-E", "-t", TOPIC, "-p", "0"]);
    command.args(["-X", "enable.idempotence=true"]);
    command.args(["-X", "batch.num.messages=50"]);
    let mut producer = Session::start(command).unwrap();
    let sent = lines("line ", 20_000);
    let mut rounds = sent.as_bytes().chunks(sent.len() / 4);
    producer.say(rounds.next().unwrap()).unwrap();
    let mut command = reader(mqd.address(), "read_uncommitted");
    command.args(["-E", "-X", "reconnect.backoff.max.ms=100"]);
    let mut follower = Session::start(command).unwrap();
    let mut received = String::new();
    for round in rounds {
        producer.say(round).unwrap();
        for _ in 0..3_000 {
            received = received + &follower.line().unwrap() + "\n";
        }
        mqd.kill_9().unwrap();
        mqd.restart(Port::Same).unwrap();
    }
    producer.finish().unwrap();
    while received.len() < sent.len() {
        received = received + &follower.line().unwrap() + "\n";
    }
    assert!(
        received == sent,
        "{} of {} bytes",
        received.len(),
        sent.len()
    );
    assert!(read(&mqd, "read_committed") == sent, "nothing came behind");
}

#[test]
fn a_transaction_is_read_when_it_has_committed() {
    let mqd = start_mqd();
    let mut open = open(&mqd, &[]);
    open.say(pieces("more").as_bytes()).unwrap();
    open.finish().unwrap();
    let all = pieces("open") + &pieces("more");
    assert_eq!(read(&mqd, "read_committed"), all);
    run(transactional(mqd.address(), &[]), b"second\n").unwrap();
    assert_eq!(read(&mqd, "read_committed"), all + "second\n");
}

#[test]
fn a_transaction_is_aborted_when_kcat_is_asked_to_end() {
    let mqd = start_mqd();
    let open = open(&mqd, &[]);
    open.terminate().unwrap();
    let (_, _, said) = open.end().unwrap();
    assert!(said.contains("Aborting transaction"), "{said}");
    send_behind(&mqd);
    assert_eq!(read(&mqd, "read_committed"), "behind\n");
    let all = pieces("open") + "behind\n";
    assert_eq!(read(&mqd, "read_uncommitted"), all);
}

#[test]
fn a_transaction_of_a_killed_kcat_is_aborted_by_the_next_one() {
    let mqd = start_mqd();
    drop(open(&mqd, &[]));
    send_behind(&mqd);
    assert_eq!(read(&mqd, "read_committed"), "");
    run(transactional(mqd.address(), &[]), b"next\n").unwrap();
    assert_eq!(read(&mqd, "read_committed"), "behind\nnext\n");
}

#[test]
fn a_transaction_of_a_killed_kcat_is_aborted_when_its_time_is_over() {
    let mqd = start_mqd();
    drop(open(&mqd, &["-X", "transaction.timeout.ms=5000"]));
    send_behind(&mqd);
    let mut follower = Session::start(reader(mqd.address(), "read_committed")).unwrap();
    assert_eq!(follower.line().unwrap(), "behind");
    assert_eq!(read(&mqd, "read_committed"), "behind\n");
}

#[test]
fn a_zombie_is_fenced() {
    let mqd = start_mqd();
    let mut zombie = open(&mqd, &[]);
    run(transactional(mqd.address(), &[]), b"second\n").unwrap();
    zombie.say(pieces("late").as_bytes()).unwrap();
    let (status, _, said) = zombie.end().unwrap();
    assert!(!status.success());
    let epoch = "Producer attempted an operation with an old epoch";
    assert!(said.contains(epoch), "{said}");
    assert!(said.contains("fenced by newer producer instance"), "{said}");
    assert_eq!(read(&mqd, "read_committed"), "second\n");
}
