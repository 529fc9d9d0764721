//! Whatever servers and the name service do, every call ends in time. Time is paused, and seeds
//! are fixed.

use std::time::Duration;

use fastrand::Rng;
use rpc::{Client, Error, Policy, Postcard};
use rpc_names::{Balanced, Names};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::file::Place;
use crate::link::{Does, Link, WHERE, World};

const CALLERS: u64 = 20;
const CALLS: u64 = 50;

/// Servers come and go, until the test is over.
async fn come_and_go(names: Names, world: World, mut rng: Rng) {
    let mut registered = std::collections::BTreeMap::new();
    loop {
        let address = format!("server.example:{}", rng.u16(1..6));
        if registered.remove(&address).is_none() {
            world.set(&address, Does::Anything(rng.fork()));
            let registration = names.register("Greeter", &address).await.unwrap();
            registered.insert(address, registration);
        }
        sleep(Duration::from_millis(rng.u64(0..1000))).await;
    }
}

/// Returns how many of its calls were answered.
async fn one_of_many(
    client: Client<Balanced<Link>>,
    world: World,
    mut rng: Rng,
    name: u64,
) -> usize {
    let mut answered = 0;
    for number in 0..CALLS {
        let patience = Duration::from_millis(rng.u64(1..2000));
        let client = client.with_patience(patience).with_key(rng.u64(..));
        let call = name * CALLS + number;
        let is_idempotent = rng.bool();
        let method = if is_idempotent {
            WHERE.idempotent()
        } else {
            WHERE
        };
        let gives_up = Duration::from_millis(rng.u64(1..4000));
        let began = Instant::now();
        let calling = client.call::<Postcard, _, String>(method, (call,));
        let outcome = timeout(gives_up, calling).await;
        let took = began.elapsed();
        assert!(
            took <= patience.min(gives_up),
            "{took:?} of {patience:?} and {gives_up:?}"
        );
        match outcome {
            Ok(Ok(_)) => answered += 1,
            Ok(Err(Error::DeadlinePassed)) => assert_eq!(took, patience),
            _ => {}
        }
        let begun = world.with(|seen| seen.begun.get(&call).copied().unwrap_or(0));
        assert!(
            is_idempotent || begun <= 1,
            "call {call} was begun {begun} times"
        );
    }
    answered
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_every_call_ends_in_time_and_none_runs_twice_that_must_not() {
    let (mut answered, mut again) = (0, 0);
    let policies = [
        Policy::RoundRobin,
        Policy::LeastInFlight,
        Policy::ConsistentHash,
    ];
    for (seed, policy) in (0..30).zip(policies.into_iter().cycle()) {
        let mut rng = Rng::with_seed(seed);
        let (place, world) = (Place::new(), World::default());
        let names = place.open().await;
        let changes = come_and_go(names.clone(), world.clone(), rng.fork());
        let changes = tokio::spawn(changes);
        let balanced = Balanced::new(names, "Greeter", policy, world.connect());
        let client = Client::over(balanced, Duration::ZERO);
        let mut callers = JoinSet::new();
        for name in 0..CALLERS {
            callers.spawn(one_of_many(client.clone(), world.clone(), rng.fork(), name));
        }
        answered += callers.join_all().await.iter().sum::<usize>();
        again += world.with(|seen| seen.begun.values().filter(|begun| **begun > 1).count());
        assert_eq!(world.with(|seen| seen.in_flight), 0, "seed {seed}");
        changes.abort();
    }

    assert!(
        answered > 15_000,
        "{answered} of 30,000 calls were answered"
    );
    assert!(again > 500, "{again} calls were made again");
}
