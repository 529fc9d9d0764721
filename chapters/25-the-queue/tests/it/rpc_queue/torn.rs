//! Calls while anything dies at moments that a seed chooses.

use std::time::Duration;

use fastrand::Rng;
use rpc::{Client, Error};
use rpc_queue::OverQueue;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::rpc_queue::fixture::{Bed, Serving, WorkClient, over};
use crate::support::PATIENCE;

const SEEDS: u64 = 8;
const ROUNDS: usize = 6;
const CALLS: u64 = 40;
const IN_FLIGHT_MAX: usize = 16;

/// One call, which has the right end; whether that is a reply.
async fn call(queue: OverQueue, text: String, patience: Duration) -> bool {
    let name = text.clone();
    let queue = match text.len() % 2 {
        0 => queue.named(&name),
        _ => queue,
    };
    let work = WorkClient::new(Client::over(queue, patience));
    match work.echo(text.clone()).await {
        Ok(echoed) => {
            assert_eq!(echoed, text);
            true
        }
        Err(Error::DeadlinePassed | Error::Unreachable | Error::Closed) => false,
        Err(other) => panic!("{text}: {other:?}"),
    }
}

/// Something dies, and another one takes its place.
async fn blow(bed: &mut Bed, server: Serving, random: &mut Rng) -> Serving {
    match random.u8(..4) {
        0 => {
            bed.mqd.kill_9().unwrap();
            bed.restart();
            server
        }
        1 => {
            server.kill().await;
            bed.serve()
        }
        2 => {
            server.stop().await;
            bed.serve()
        }
        _ => server,
    }
}

/// Returns how many calls had no reply, and how many had one.
async fn storm(seed: u64) -> [usize; 2] {
    let mut random = Rng::with_seed(seed);
    let mut bed = Bed::start().await;
    let mut server = bed.serve();
    let queue = bed.caller_of(0, IN_FLIGHT_MAX).await;
    let mut calls = JoinSet::new();
    let mut notes = JoinSet::new();
    for round in 0..ROUNDS {
        for number in 0..random.u64(1..=CALLS) {
            let patience = Duration::from_millis(random.u64(0..3_000));
            let text = format!("{round} {number}");
            let call = calls.spawn(call(queue.clone(), text, patience));
            if random.u8(..8) == 0 {
                call.abort();
            }
            if random.u8(..4) == 0 {
                tokio::task::yield_now().await;
            }
        }
        // These have time, and so none may be lost.
        for number in 0..random.u64(0..4) {
            let client = Client::over(queue.clone(), Duration::from_secs(3_600));
            let work = WorkClient::new(client);
            let line = format!("note {round} {number}");
            notes.spawn(async move { work.note(line.clone()).await.map(|()| line) });
        }
        server = blow(&mut bed, server, &mut random).await;
    }
    while let Some(noted) = notes.join_next().await {
        // It is in the log, so it is run.
        if let Ok(line) = noted.unwrap() {
            bed.seen.until(|begun| begun.contains(&line)).await;
        }
    }
    let mut ends = [0, 0];
    while let Some(ended) = calls.join_next().await {
        match ended {
            Ok(has_reply) => ends[usize::from(has_reply)] += 1,
            Err(ended) => assert!(ended.is_cancelled(), "seed {seed}: {ended}"),
        }
    }
    assert_eq!(queue.in_flight(), 0, "seed {seed}");
    // All permits are there again.
    let waiting = (0..IN_FLIGHT_MAX).map(|number| {
        let work = over(queue.clone());
        async move { work.gated(number.to_string()).await }
    });
    let opening = async {
        while queue.in_flight() < IN_FLIGHT_MAX {
            tokio::task::yield_now().await;
        }
        bed.seen.gate.add_permits(4 * IN_FLIGHT_MAX);
    };
    let (ended, ()) = tokio::join!(futures_util::future::join_all(waiting), opening);
    assert!(ended.iter().all(Result::is_ok), "seed {seed}: {ended:?}");
    assert_eq!(queue.in_flight(), 0, "seed {seed}");
    server.stop().await;
    ends
}

// Calls go on while this thread waits for a broker that starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_ends_rightly_and_leaves_nothing_behind() {
    let mut all = [0, 0];
    for seed in 0..SEEDS {
        let ended = timeout(4 * PATIENCE, storm(seed)).await;
        let ends = ended.unwrap_or_else(|_| panic!("seed {seed} hangs"));
        all = [all[0] + ends[0], all[1] + ends[1]];
    }
    assert!(
        all[0] > 0 && all[1] > 0,
        "{all:?}: nothing was torn, or everything"
    );
}
