//! Calls over request and reply topics, while callers, servers and `mqd` come and go.

mod fixture;
mod records;
mod restarts;
mod torn;

use std::time::Duration;

use rpc::{CallError, Client, Error};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::rpc_queue::fixture::{Bed, ByZero, MOMENT, WorkClient, over};
use crate::support::PATIENCE;

#[tokio::test]
async fn a_call_ends_as_its_method_does() {
    let bed = Bed::start().await;
    let server = bed.serve();
    let queue = bed.caller(0).await;
    let work = over(queue.clone());
    assert_eq!(work.echo("Mei".to_owned()).await, Ok("Mei".to_owned()));
    assert_eq!(work.divide(7, 2).await, Ok(3));
    assert_eq!(work.divide(7, 0).await, Err(CallError::Service(ByZero)));
    assert_eq!(work.panic().await, Err(Error::Panicked));
    // More than a record may have.
    assert_eq!(work.bytes(2_000_000).await, Err(Error::TooLarge));
    let long = "x".repeat(2_000_000);
    assert_eq!(work.echo(long).await, Err(Error::TooLarge));
    assert_eq!(work.count().await.err(), Some(Error::NoStreams));
    assert_eq!(work.note("noted".to_owned()).await, Ok(()));
    bed.seen
        .until(|begun| begun.contains(&"noted".to_owned()))
        .await;
    assert_eq!(queue.in_flight(), 0);
    server.stop().await;
}

#[tokio::test]
async fn many_calls_share_the_topics() {
    let bed = Bed::start().await;
    let server = bed.serve();
    let callers = [bed.caller(0).await, bed.caller(1).await];
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..600 {
        let work = WorkClient::new(Client::over(callers[number % 2].clone(), PATIENCE));
        calls.spawn(async move { (work.echo(number.to_string()).await, number.to_string()) });
    }
    while let Some(ended) = calls.join_next().await {
        let (outcome, text) = ended.unwrap();
        assert_eq!(outcome, Ok(text));
    }
    assert_eq!(callers.map(|caller| caller.in_flight()), [0, 0]);
    server.stop().await;
}

#[tokio::test]
async fn calls_that_are_given_up_leave_nothing_behind() {
    let bed = Bed::start().await;
    let server = bed.serve();
    // One permit, so that a permit that is lost ends everything.
    let queue = bed.caller_of(0, 1).await;
    let work = over(queue.clone());
    let hasty = WorkClient::new(Client::over(queue.clone(), MOMENT));
    assert_eq!(
        hasty.gated("late".to_owned()).await,
        Err(Error::DeadlinePassed)
    );
    assert_eq!(queue.in_flight(), 0);
    let dropped = tokio::time::timeout(MOMENT, work.gated("dropped".to_owned()));
    assert!(dropped.await.is_err());
    assert_eq!(queue.in_flight(), 0);
    // The replies of both come now.
    bed.seen.gate.add_permits(2);
    assert_eq!(work.echo("Mei".to_owned()).await, Ok("Mei".to_owned()));
    assert_eq!(queue.in_flight(), 0);
    server.stop().await;
}

#[tokio::test]
async fn no_more_calls_run_than_may_and_the_others_wait_in_the_topic() {
    let bed = Bed::start().await;
    let server = bed.serve();
    let client = Client::over(bed.caller(0).await, PATIENCE);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..20 {
        // Each with a key of its own, so that both partitions get some.
        let work = WorkClient::new(client.with_key(number));
        calls.spawn(async move { work.gated(number.to_string()).await });
    }
    // Two partitions with four calls of each.
    bed.seen.until(|begun| begun.len() == 8).await;
    for ended in 1..=20 {
        bed.seen.gate.add_permits(1);
        calls.join_next().await.unwrap().unwrap().unwrap();
        let running = bed.seen.begun().len() - ended;
        assert!(running <= 8, "{running} run");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_call_ends_when_the_broker_is_gone() {
    let mut bed = Bed::start().await;
    let server = bed.serve();
    let queue = bed.caller(0).await;
    let work = over(queue.clone());
    assert_eq!(work.echo("Mei".to_owned()).await, Ok("Mei".to_owned()));
    bed.mqd.kill_9().unwrap();
    let hasty = WorkClient::new(Client::over(queue.clone(), MOMENT));
    for _ in 0..3 {
        let ended = hasty.echo("gone".to_owned()).await;
        assert!(
            matches!(ended, Err(Error::DeadlinePassed | Error::Unreachable)),
            "{ended:?}"
        );
        assert!(hasty.note("gone".to_owned()).await.is_err());
    }
    assert_eq!(queue.in_flight(), 0);
    bed.restart();
    assert_eq!(work.echo("back".to_owned()).await, Ok("back".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_is_an_error_in_time() {
    let bed = Bed::start().await;
    let settings = Bed::settings(0, 10);
    let nowhere = rpc_queue::CallerSettings {
        requests: message_model::TopicName::new("nowhere").unwrap(),
        ..settings
    };
    let queue = rpc_queue::OverQueue::connect(&bed.bootstrap(), nowhere)
        .await
        .unwrap();
    let patient = WorkClient::new(Client::over(queue.clone(), Duration::from_secs(3600)));
    assert_eq!(patient.echo("x".to_owned()).await, Err(Error::Unreachable));
    assert_eq!(queue.in_flight(), 0);
}

#[tokio::test]
async fn a_caller_that_is_dropped_leaves_no_task_behind() {
    let bed = Bed::start().await;
    let queue = bed.caller(0).await;
    drop((queue.named("order-17"), queue));
    let are_gone = async {
        while Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, are_gone).await.unwrap();
}

#[tokio::test]
async fn a_server_waits_for_a_broker_that_is_away() {
    let mut bed = Bed::start().await;
    let queue = bed.caller(0).await;
    bed.mqd.kill_9().unwrap();
    let server = bed.serve();
    let hasty = WorkClient::new(Client::over(queue.clone(), MOMENT));
    assert!(hasty.echo("gone".to_owned()).await.is_err());
    bed.restart();
    let back = over(queue).echo("back".to_owned()).await;
    assert_eq!(back, Ok("back".to_owned()));
    server.stop().await;
}
