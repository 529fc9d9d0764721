//! Callers and servers that die, and others that go on for them.

use std::process::{Child, Command, Stdio};

use message_model::Timestamp;
use rpc::{Client, Error};
use rpc_queue::OverQueue;

use crate::rpc_queue::fixture::{Bed, MOMENT, WorkClient, over};
use crate::support::PATIENCE;

/// The life of a process is a life of this test that finds the variable.
const CALLER: &str = "MQD_TEST_CALLER";
const NAME: &str = "rpc_queue::restarts::a_reply_is_there_for_a_caller_whose_process_was_killed";

/// Replies from the beginning on.
const EVER: Timestamp = Timestamp(0);

fn caller_process(bed: &Bed) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(CALLER, bed.bootstrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn call_and_wait(bootstrap: &str) {
    let settings = Bed::settings(0, 10);
    let queue = OverQueue::connect(bootstrap, settings).await.unwrap();
    let _killed = over(queue.named("order-17")).gated("paid".to_owned()).await;
}

#[tokio::test]
async fn a_reply_is_there_for_a_caller_whose_process_was_killed() {
    if let Ok(bootstrap) = std::env::var(CALLER) {
        return call_and_wait(&bootstrap).await;
    }
    let bed = Bed::start().await;
    let server = bed.serve();
    let mut process = caller_process(&bed);
    bed.seen.until(|begun| begun == ["paid"]).await;
    process.kill().unwrap();
    process.wait().unwrap();
    // The reply is written while there is no caller.
    bed.seen.gate.add_permits(1);
    server.stop().await;
    let queue = bed.caller(0).await;
    for _ in 0..2 {
        let resumed = over(queue.resume("order-17", EVER));
        // The arguments do not matter.
        assert_eq!(resumed.gated(String::new()).await, Ok("paid".to_owned()));
    }
    assert_eq!(queue.in_flight(), 0);
    assert_eq!(bed.seen.begun(), ["paid"]);
}

#[tokio::test]
async fn a_reply_that_comes_after_the_restart_is_there_too() {
    let bed = Bed::start().await;
    let server = bed.serve();
    let first = bed.caller(0).await;
    let order = over(first.named("order-17"));
    let dropped = tokio::time::timeout(MOMENT, order.gated("paid".to_owned()));
    assert!(dropped.await.is_err());
    drop((first, order));
    bed.seen.until(|begun| begun == ["paid"]).await;
    let second = bed.caller(0).await;
    let resumed = over(second.resume("order-17", EVER));
    let opening = async {
        // It waits already.
        while second.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        bed.seen.gate.add_permits(1);
    };
    let (ended, ()) = tokio::join!(resumed.gated(String::new()), opening);
    assert_eq!(ended, Ok("paid".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn a_call_of_a_name_that_was_answered_is_not_run_again() {
    let bed = Bed::start().await;
    let server = bed.serve();
    let first = bed.caller(0).await;
    let order = over(first.named("order-17"));
    assert_eq!(order.echo("paid".to_owned()).await, Ok("paid".to_owned()));
    drop((first, order));
    let again = over(bed.caller(0).await.named("order-17"));
    assert_eq!(again.echo("other".to_owned()).await, Ok("paid".to_owned()));
    // Names are the caller's own.
    let other = over(bed.caller(1).await.named("order-17"));
    assert_eq!(other.echo("other".to_owned()).await, Ok("other".to_owned()));
    server.stop().await;
    assert_eq!(bed.seen.begun(), ["paid", "other"]);
}

#[tokio::test]
async fn only_what_came_since_is_looked_at_and_what_never_was_has_no_reply() {
    let bed = Bed::start().await;
    let server = bed.serve();
    let queue = bed.caller(0).await;
    let early = over(queue.named("early"));
    assert_eq!(early.echo("early".to_owned()).await, Ok("early".to_owned()));
    let since = Timestamp(i64::MAX);
    for (name, since) in [("early", since), ("never", EVER), ("never", since)] {
        // Long enough to read all of it again.
        let client = Client::over(queue.resume(name, since), 10 * MOMENT);
        let ended = WorkClient::new(client).echo(String::new()).await;
        assert_eq!(ended, Err(Error::DeadlinePassed), "{name}");
    }
    let resumed = over(queue.resume("early", EVER));
    assert_eq!(resumed.note(String::new()).await, Err(Error::Unreachable));
    assert_eq!(resumed.echo(String::new()).await, Ok("early".to_owned()));
    let next = over(queue.clone());
    assert_eq!(next.echo("next".to_owned()).await, Ok("next".to_owned()));
    assert_eq!(queue.in_flight(), 0);
    server.stop().await;
}

#[tokio::test]
async fn a_request_waits_for_a_server() {
    let bed = Bed::start().await;
    let work = over(bed.caller(0).await);
    let serving = async {
        // It is in the log then.
        work.note("noted".to_owned()).await.unwrap();
        bed.serve()
    };
    let (ended, server) = tokio::join!(work.echo("early".to_owned()), serving);
    assert_eq!(ended, Ok("early".to_owned()));
    bed.seen.until(|begun| begun.len() == 2).await;
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_ends_what_it_runs_and_leaves_the_rest_to_others() {
    let bed = Bed::start().await;
    let first = bed.serve();
    let client = Client::over(bed.caller(0).await, PATIENCE);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..20 {
        let work = WorkClient::new(client.with_key(number));
        calls.spawn(async move { work.gated(number.to_string()).await.unwrap() });
    }
    bed.seen.until(|begun| begun.len() == 8).await;
    bed.seen.gate.add_permits(20);
    first.stop().await;
    let second = bed.serve();
    while let Some(ended) = calls.join_next().await {
        ended.unwrap();
    }
    second.stop().await;
    assert_eq!(bed.seen.begun().len(), 20, "none was run twice");
}

#[tokio::test]
async fn what_a_server_that_dies_has_not_answered_is_run_again() {
    let bed = Bed::start().await;
    let first = bed.serve();
    let work = over(bed.caller(0).await);
    let killing = async {
        bed.seen.until(|begun| begun.len() == 1).await;
        first.kill().await;
        let second = bed.serve();
        bed.seen.until(|begun| begun.len() == 2).await;
        bed.seen.gate.add_permits(2);
        second
    };
    let (ended, second) = tokio::join!(work.gated("again".to_owned()), killing);
    assert_eq!(ended, Ok("again".to_owned()));
    second.stop().await;
    assert_eq!(bed.seen.times("again"), 2);
}
