//! `mqd` is killed and started again while clients are in the middle of a session.

use std::collections::HashSet;

use interop::{KAFKA_PYTHON, Session, kcat, mqd_binary, python, run};
use mqd_guard::{Mqd, Port};

/// A broker whose port stays its own while it is down.
fn start_mqd_to_restart() -> Mqd {
    Mqd::options(mqd_binary()).stable_port().start().unwrap()
}

/// Lines that kcat is fed at a time: more than it buffers before it sends.
const ROUND: usize = 5_000;

#[test]
fn kcat_goes_on_after_mqd_was_killed() {
    let mut mqd = start_mqd_to_restart();
    let mut topics = kcat(mqd.address());
    topics.args(["-P", "-t", "news"]);
    run(topics, b"line 0\n").unwrap();

    // -E: losing the broker for a while is no reason to give up. One request at
    // a time, because a resend must not overtake.
    let mut command = kcat(mqd.address());
    command.args(["-P", "-E", "-t", "news"]);
    command.args(["-X", "acks=all", "-X", "max.in.flight=1"]);
    command.args(["-X", "batch.num.messages=100"]);
    let mut producer = Session::start(command).unwrap();
    let mut command = kcat(mqd.address());
    command.args(["-C", "-E", "-u", "-q", "-t", "news", "-o", "beginning"]);
    let mut consumer = Session::start(command).unwrap();

    let sent: Vec<String> = (0..=3 * ROUND).map(|i| format!("line {i}")).collect();
    let mut received = Vec::new();
    for round in sent[1..].chunks(ROUND) {
        producer.say((round.join("\n") + "\n").as_bytes()).unwrap();
        // In the middle: some lines are acknowledged, some are on their way,
        // and some have not been read yet.
        while received.last() != Some(&round[ROUND / 10]) {
            received.push(consumer.line().unwrap());
        }
        mqd.kill_9().unwrap();
        mqd.restart(Port::Same).unwrap();
    }
    producer.finish().unwrap();
    while received.last() != sent.last() {
        received.push(consumer.line().unwrap());
    }
    // A kill may cut off an acknowledgement; then the batch is there twice.
    let mut seen = HashSet::new();
    received.retain(|line| seen.insert(line.clone()));
    assert!(
        received == sent,
        "{} of {} lines",
        received.len(),
        sent.len()
    );
}

#[test]
fn kafka_python_goes_on_after_mqd_was_killed() {
    let mut mqd = start_mqd_to_restart();
    let mut session = Session::start(python(KAFKA_PYTHON, "session.py", mqd.address())).unwrap();
    for round in 0..3 {
        session.say(format!("send {round}\n").as_bytes()).unwrap();
        assert_eq!(
            session.line().unwrap(),
            format!("acknowledged {round} at {round}")
        );
        session.say(b"read\n").unwrap();
        assert_eq!(session.line().unwrap(), format!("read {round} at {round}"));
        mqd.kill_9().unwrap();
        mqd.restart(Port::Same).unwrap();
    }
    session.finish().unwrap();
}
