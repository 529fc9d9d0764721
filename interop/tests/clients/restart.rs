//! `mqd` is killed and started again while clients are in the middle of a session.

use std::collections::BTreeSet;

use interop::{Session, kafka_python, kcat, mqd_binary, run};
use mqd_guard::{Mqd, Port};

/// A broker whose port stays its own while it is down.
fn start_mqd_to_restart() -> Mqd {
    Mqd::options(mqd_binary()).stable_port().start().unwrap()
}

#[test]
fn kcat_goes_on_after_mqd_was_killed() {
    let mut mqd = start_mqd_to_restart();
    // So that there is a topic to follow.
    let mut first = kcat(mqd.address());
    first.args(["-P", "-t", "news"]);
    run(first, b"0\n").unwrap();

    // -E: losing the broker for a while is no reason to give up.
    let mut command = kcat(mqd.address());
    command.args(["-P", "-E", "-t", "news", "-X", "acks=all"]);
    let mut producer = Session::start(command).unwrap();
    let mut command = kcat(mqd.address());
    command.args(["-C", "-E", "-u", "-q", "-t", "news", "-o", "beginning"]);
    let mut consumer = Session::start(command).unwrap();

    let mut received = Vec::new();
    for number in 1..30 {
        if number % 10 == 0 {
            mqd.kill_9().unwrap();
            mqd.restart(Port::Same).unwrap();
        }
        producer.say(&format!("{number}\n")).unwrap();
        while received.last() != Some(&number) {
            received.push(consumer.line().unwrap().parse::<u32>().unwrap());
        }
    }
    producer.finish().unwrap();
    let distinct: BTreeSet<u32> = received.iter().copied().collect();
    assert_eq!(distinct, (0..30).collect());
    assert!(received.is_sorted(), "{received:?}");
}

#[test]
fn kafka_python_goes_on_after_mqd_was_killed() {
    let mut mqd = start_mqd_to_restart();
    let mut session = Session::start(kafka_python("session.py", mqd.address())).unwrap();
    for round in 0..3 {
        session.say(&format!("send {round}\n")).unwrap();
        assert_eq!(
            session.line().unwrap(),
            format!("acknowledged {round} at {round}")
        );
        session.say("read\n").unwrap();
        assert_eq!(session.line().unwrap(), format!("read {round} at {round}"));
        mqd.kill_9().unwrap();
        mqd.restart(Port::Same).unwrap();
    }
    session.finish().unwrap();
}
