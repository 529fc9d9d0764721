//! Calls over servers that do as a test says. Time is paused.

use std::fs;
use std::time::Duration;

use rpc::{Client, Error, MethodName, Policy, Postcard, Request, Target, Transport as _};
use rpc_names::{Balanced, LEASE, Names, open};
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, sleep};

use crate::file::Place;
use crate::link::{Does, Link, WHERE, World};
use crate::until;

const PATIENCE: Duration = Duration::from_secs(10);
const A: &str = "a.example:1";
const B: &str = "b.example:1";
const C: &str = "c.example:1";

type Caller = Client<Balanced<Link>>;

async fn static_names() -> Names {
    open(&format!("static:{A},{B},{C}"), LEASE).await.unwrap()
}

fn caller(names: &Names, policy: Policy, world: &World) -> Caller {
    let balanced = Balanced::new(names.clone(), "Greeter", policy, world.connect());
    Client::over(balanced, PATIENCE)
}

/// Calls once; returns the server that has answered, or why none has, and how long that took.
async fn call(caller: &Caller, method: MethodName) -> (Result<String, Error>, Duration) {
    let began = Instant::now();
    let outcome = caller.call::<Postcard, _, String>(method, (0_u64,)).await;
    (outcome, began.elapsed())
}

/// Calls so many times; returns how many calls each server has answered.
async fn call_all(caller: &Caller, count: usize) -> [usize; 3] {
    let mut counts = [0; 3];
    for _ in 0..count {
        let (outcome, _) = call(caller, WHERE).await;
        let server = [A, B, C]
            .iter()
            .position(|server| *server == outcome.as_deref().unwrap());
        counts[server.unwrap()] += 1;
    }
    counts
}

#[tokio::test(start_paused = true)]
async fn calls_take_turns() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::RoundRobin, &world);
    assert_eq!(call_all(&caller, 1).await.iter().sum::<usize>(), 1);
    assert_eq!(
        world.with(|seen| seen.connected.len()),
        1,
        "a link is made when it is needed"
    );
    call_all(&caller, 2).await;
    assert_eq!(call_all(&caller, 30).await, [10, 10, 10]);
    assert_eq!(
        world.with(|seen| seen.connected.len()),
        3,
        "a link is made once"
    );
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_call_decides() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::ConsistentHash, &world);
    let mut servers = std::collections::BTreeSet::new();
    for key in 0..50 {
        let caller = caller.with_key(key);
        let (server, _) = call(&caller, WHERE).await;
        servers.insert(server.clone().unwrap());
        assert_eq!(call(&caller, WHERE).await.0, server);
    }
    assert_eq!(servers.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_holds_its_calls_gets_fewer_and_given_up_calls_do_not_count() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::LeastInFlight, &world);
    world.set(A, Does::Nothing);
    let mut waiting = JoinSet::new();
    for _ in 0..3 {
        let caller = caller.clone();
        waiting.spawn(async move { call(&caller, WHERE).await });
        tokio::task::yield_now().await;
    }
    // One of them waits for A. While it does, no other call goes there.
    advance(Duration::from_millis(1)).await;
    while waiting.len() > 1 {
        waiting.join_next().await;
    }
    world.set(A, Does::Answer);
    assert_eq!(call_all(&caller, 30).await, [0, 15, 15]);
    waiting.shutdown().await;
    assert_eq!(call_all(&caller, 30).await, [10, 10, 10]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_begun_goes_to_another_server_at_once() {
    for error in [Error::Unreachable, Error::Overloaded, Error::Stopping] {
        let world = World::default();
        let caller = caller(&static_names().await, Policy::RoundRobin, &world);
        world.set(A, Does::Fail(error));
        for _ in 0..10 {
            let (outcome, took) = call(&caller, WHERE).await;
            assert!(
                outcome.is_ok() && took.is_zero(),
                "{outcome:?} after {took:?}"
            );
            caller.send::<Postcard, _>(WHERE, (0_u64,)).await.unwrap();
        }
        let to_a = world.attempts().iter().filter(|to| *to == A).count();
        assert_eq!(to_a, 3, "{error:?}: then it is left alone");
        let begun = world.with(|seen| seen.begun[&0]);
        assert_eq!(begun, 20, "{error:?}: each call was begun once");
        let streaming = caller.stream::<Postcard, _, String>(WHERE, (0_u64,)).await;
        assert!(matches!(streaming, Err(Error::NoStreams)), "{streaming:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_fate_is_unknown_is_made_again_only_if_it_is_idempotent() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::RoundRobin, &world);
    for server in [A, B, C] {
        world.set(server, Does::Fail(Error::Closed));
    }
    assert_eq!(
        call(&caller, WHERE).await,
        (Err(Error::Closed), Duration::ZERO)
    );
    assert_eq!(world.attempts().len(), 1);
    let [dead, next] = [A, B];
    for server in [next, C] {
        world.set(server, Does::Answer);
    }
    for _ in 0..3 {
        let (outcome, took) = call(&caller, WHERE.idempotent()).await;
        assert!(outcome.is_ok_and(|server| server != dead) && took.is_zero());
    }
    assert_eq!(world.attempts().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn each_try_has_the_trace_of_its_call() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::RoundRobin, &world);
    for server in [A, B, C] {
        world.set(server, Does::Fail(Error::Overloaded));
    }
    let request = Request {
        target: Target {
            service: 1,
            method: 2,
            codec: 3,
        },
        deadline: Instant::now() + PATIENCE,
        patience: PATIENCE,
        trace: 7,
        is_idempotent: false,
        is_one_way: false,
        key: None,
        arguments: &[0],
    };
    assert_eq!(
        caller.transport().call(request).await.err(),
        Some(Error::Overloaded)
    );
    let traces = world.with(|seen| std::mem::take(&mut seen.traces));
    assert!(
        traces.len() > 3 && traces.iter().all(|trace| *trace == 7),
        "{traces:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_server_says_about_a_call_is_the_end_of_it() {
    let errors = [
        Error::Panicked,
        Error::NoMethod,
        Error::BadRequest,
        Error::TooLarge,
    ];
    let world = World::default();
    let caller = caller(&static_names().await, Policy::RoundRobin, &world);
    for error in errors
        .into_iter()
        .chain([Error::DeadlinePassed, Error::NoProvider])
    {
        for server in [A, B, C] {
            world.set(server, Does::Fail(error));
        }
        let ended = (Err(error), Duration::ZERO);
        assert_eq!(call(&caller, WHERE.idempotent()).await, ended);
        assert_eq!(world.attempts().len(), 1, "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_left_alone_and_tried_again_later() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::RoundRobin, &world);
    world.set(B, Does::Fail(Error::Unreachable));
    let [_, none, _] = call_all(&caller, 100).await;
    let to_b = |attempts: Vec<String>| attempts.iter().filter(|to| *to == B).count();
    assert_eq!((none, to_b(world.attempts())), (0, 3));
    advance(Duration::from_millis(500)).await;
    call_all(&caller, 100).await;
    assert_eq!(to_b(world.attempts()), 1, "the probe");
    world.set(B, Does::Answer);
    advance(Duration::from_millis(999)).await;
    call_all(&caller, 100).await;
    assert_eq!(to_b(world.attempts()), 0, "the pause is twice as long");
    advance(Duration::from_millis(1)).await;
    let [_, some, _] = call_all(&caller, 30).await;
    assert!(some >= 10, "{some}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nothing_answers_does_not_show_that_a_server_works() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::RoundRobin, &world);
    world.set(A, Does::Fail(Error::Unreachable));
    call_all(&caller, 30).await;
    world.attempts();
    advance(Duration::from_millis(500)).await;
    world.set(A, Does::Answer);
    caller.send::<Postcard, _>(WHERE, (0_u64,)).await.unwrap();
    assert_eq!(world.attempts(), [A]);
    world.set(A, Does::Fail(Error::Unreachable));
    call_all(&caller, 30).await;
    let attempts = world.attempts();
    assert_eq!(attempts.iter().filter(|to| *to == A).count(), 1, "a probe");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_is_left_alone_too() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::RoundRobin, &world);
    world.set(C, Does::Nothing);
    let brief = caller.with_patience(Duration::from_millis(10));
    let mut silent = 0;
    for _ in 0..30 {
        let (outcome, took) = call(&brief, WHERE).await;
        if outcome == Err(Error::DeadlinePassed) {
            assert_eq!(took, Duration::from_millis(10));
            silent += 1;
        }
    }
    assert_eq!(silent, 3);
}

#[tokio::test(start_paused = true)]
async fn when_all_servers_fail_a_call_goes_on_until_its_deadline() {
    let world = World::default();
    let caller = caller(&static_names().await, Policy::RoundRobin, &world);
    for server in [A, B, C] {
        world.set(server, Does::Fail(Error::Overloaded));
    }
    let (outcome, took) = call(&caller, WHERE).await;
    assert_eq!(outcome, Err(Error::Overloaded));
    assert!(
        took <= PATIENCE && took > PATIENCE - Duration::from_secs(2),
        "{took:?}"
    );
    let attempts = world.attempts();
    assert!(
        attempts.len() >= 20 && attempts.len() < 60,
        "{}",
        attempts.len()
    );
    let [a, b, c] = [A, B, C].map(|server| attempts.iter().filter(|to| *to == server).count());
    assert_eq!((a, b), (b, c), "before a pause each is tried once");
    let recovers = async {
        sleep(PATIENCE / 2).await;
        world.set(B, Does::Answer);
    };
    let ((outcome, _), ()) = tokio::join!(call(&caller, WHERE), recovers);
    assert_eq!(outcome, Ok(B.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn without_a_server_a_call_waits_for_one_until_its_deadline() {
    let place = Place::new();
    let (names, world) = (place.open().await, World::default());
    let caller = caller(&names, Policy::RoundRobin, &world);
    let _other = names.register("Other", B).await.unwrap();
    assert_eq!(
        call(&caller, WHERE).await,
        (Err(Error::Unreachable), PATIENCE)
    );
    let comes = async {
        sleep(PATIENCE / 2).await;
        names.register("Greeter", A).await.unwrap()
    };
    let ((outcome, took), _kept) = tokio::join!(call(&caller, WHERE), comes);
    assert_eq!(outcome, Ok(A.to_owned()));
    assert!(took >= PATIENCE / 2 && took < PATIENCE, "{took:?}");
    assert_eq!(world.attempts(), [A]);
}

#[tokio::test(start_paused = true)]
async fn servers_that_leave_are_not_called_and_the_last_ones_are() {
    let place = Place::new();
    let (mut names, world) = (place.open().await, World::default());
    let caller = caller(&names, Policy::RoundRobin, &world);
    let a = names.register("Greeter", A).await.unwrap();
    let b = names.register("Greeter", B).await.unwrap();
    until(&mut names, "Greeter", &[A, B]).await;
    assert_eq!(call_all(&caller, 10).await, [5, 5, 0]);
    a.close().await.unwrap();
    until(&mut names, "Greeter", &[B]).await;
    assert_eq!(call_all(&caller, 10).await, [0, 10, 0]);
    assert_eq!(world.with(|seen| seen.disconnected.clone()), [A]);
    b.close().await.unwrap();
    until(&mut names, "Greeter", &[]).await;
    assert_eq!(
        call_all(&caller, 10).await,
        [0, 10, 0],
        "it is stopping, and may answer"
    );
    let _c = names.register("Greeter", C).await.unwrap();
    until(&mut names, "Greeter", &[C]).await;
    assert_eq!(call_all(&caller, 10).await, [0, 0, 10]);
    assert_eq!(world.with(|seen| seen.disconnected.clone()), [A, B]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_pauses_takes_a_server_that_comes() {
    let place = Place::new();
    let (mut names, world) = (place.open().await, World::default());
    let caller = caller(&names, Policy::RoundRobin, &world);
    let _a = names.register("Greeter", A).await.unwrap();
    until(&mut names, "Greeter", &[A]).await;
    world.set(A, Does::Fail(Error::Unreachable));
    let comes = async {
        sleep(PATIENCE / 2).await;
        let b = names.register("Greeter", B).await.unwrap();
        (b, Instant::now())
    };
    let calls = async { (call(&caller, WHERE).await.0, Instant::now()) };
    let ((outcome, ended), (_b, came)) = tokio::join!(calls, comes);
    assert_eq!(outcome, Ok(B.to_owned()));
    // The file is read ten times a second.
    assert!(
        ended <= came + Duration::from_millis(150),
        "{:?}",
        ended - came
    );
}

#[tokio::test(start_paused = true)]
async fn calls_go_on_while_the_name_service_is_gone() {
    let place = Place::new();
    let names = open(&place.uri(), LEASE).await;
    let (mut names, world) = (names.unwrap(), World::default());
    let caller = caller(&names, Policy::RoundRobin, &world);
    let a = names.register("Greeter", A).await.unwrap();
    let b = names.register("Greeter", B).await.unwrap();
    until(&mut names, "Greeter", &[A, B]).await;
    fs::remove_dir_all(place.path().parent().unwrap()).unwrap();
    fs::write(place.path().parent().unwrap(), "no directory").unwrap();
    for _ in 0..10 {
        sleep(LEASE).await;
        assert_eq!(call_all(&caller, 10).await, [5, 5, 0]);
    }
    assert!(a.close().await.is_err() && b.close().await.is_err());
    fs::remove_file(place.path().parent().unwrap()).unwrap();
    fs::create_dir(place.path().parent().unwrap()).unwrap();
}
