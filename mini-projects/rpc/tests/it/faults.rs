//! A caller never hangs, whatever the server does. Time is paused, and seeds are fixed.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fastrand::Rng;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rpc::{CallId, Client, ClientSettings, Codec, Error, Postcard, ToClient};
use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::fixture::{Called, KindsClient, Scripted, client_over, scripted, value, whole};

const PATIENCE: Duration = Duration::from_secs(2);

fn settings() -> ClientSettings {
    ClientSettings {
        patience: PATIENCE,
        ..ClientSettings::default()
    }
}

/// Echoes what the call says.
fn echo(call: &Called) -> Vec<u8> {
    let (text,): (String,) = Postcard::decode(&call.body).unwrap();
    let mut body = Vec::new();
    Postcard::encode(&text, &mut body).unwrap();
    value(call.id, &body)
}

/// Calls once; returns the outcome, and how long it took.
async fn call_once(client: &Client) -> (Result<String, Error>, Duration) {
    let began = Instant::now();
    let outcome = KindsClient::new(client.clone())
        .echo("text".to_owned())
        .await;
    (outcome, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_about_calls() {
    let client = scripted(settings(), |mut server| async move {
        while let Some(call) = server.call().await {
            assert_eq!(call.trace, 0, "nobody wants spans");
        }
    });
    let failed = (Err(Error::DeadlinePassed), PATIENCE);
    assert_eq!(call_once(&client).await, failed);
    assert_eq!(client.transport().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_the_connection() {
    let client = scripted(settings(), |mut server| async move {
        server.call().await;
    });
    let failed = (Err(Error::Closed), Duration::ZERO);
    assert_eq!(call_once(&client).await, failed);
    assert_eq!(client.transport().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_within_a_reply() {
    let client = scripted(settings(), |mut server| async move {
        let call = server.call().await.unwrap();
        let reply = echo(&call);
        server.send(&reply[..reply.len() - 1]).await;
    });
    let failed = (Err(Error::Closed), Duration::ZERO);
    assert_eq!(call_once(&client).await, failed);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_ends_the_calls_that_wait_for_a_place() {
    let settings = ClientSettings {
        in_flight_max: 1,
        ..settings()
    };
    let client = scripted(settings, |mut server| async move {
        server.call().await;
        sleep(Duration::from_millis(1)).await;
    });
    let mut sent = 0;
    for (outcome, took) in call_all(&client, 10, |_| "text").await {
        match outcome {
            Err(Error::Closed) => sent += 1,
            // It was never sent, so it may be made again.
            outcome => assert_eq!(outcome, Err(Error::Unreachable)),
        }
        assert!(took < Duration::from_millis(10), "{took:?}");
    }
    assert_eq!(sent, 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_ends_the_calls_that_wait_for_a_place() {
    let settings = ClientSettings {
        in_flight_max: 1,
        ..settings()
    };
    let client = scripted(settings, |mut server| async move {
        let call = server.call().await.unwrap();
        server.send(&whole(ToClient::GoAway)).await;
        sleep(Duration::from_secs(1)).await;
        server.send(&echo(&call)).await;
        assert!(server.message().await.is_none());
    });
    let outcomes = call_all(&client, 10, |_| "text").await;
    let (first, others) = outcomes.split_first().unwrap();
    assert_eq!(*first, (Ok("text".to_owned()), Duration::from_secs(1)));
    let refused = (Err(Error::Stopping), Duration::ZERO);
    assert!(others.iter().all(|other| *other == refused), "{others:?}");
}

/// Nothing is read and nothing is written, and nobody says that the connection is gone.
fn half_open(settings: ClientSettings) -> (Client, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let client = client_over(settings, move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let (ours, theirs) = tokio::io::duplex(64);
        tokio::spawn(async move {
            let _kept: DuplexStream = theirs;
            pending::<()>().await;
        });
        async { io::Result::Ok(tokio::io::split(ours)) }
    });
    (client, connections)
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection() {
    let (client, _) = half_open(settings());
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let kinds = KindsClient::new(client.clone());
        callers.spawn(async move {
            let began = Instant::now();
            // All together more than may wait to be written.
            let outcome = kinds.echo("text".repeat(4096)).await;
            (outcome, began.elapsed())
        });
    }
    let failed = (Err(Error::DeadlinePassed), PATIENCE);
    for outcome in callers.join_all().await {
        assert_eq!(outcome, failed);
    }
    assert_eq!(client.transport().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_noticed_by_its_silence() {
    let (client, connections) = half_open(ClientSettings {
        patience: Duration::from_secs(60),
        heartbeat: Duration::from_secs(5),
        ..settings()
    });
    let failed = (Err(Error::Closed), Duration::from_secs(10));
    assert_eq!(call_once(&client).await, failed);
    assert_eq!(call_once(&client).await, failed);
    assert_eq!(
        connections.load(Ordering::SeqCst),
        2,
        "a dead connection is not kept"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached() {
    let client = client_over(settings(), || async {
        Err(io::ErrorKind::ConnectionRefused.into())
    });
    let failed = (Err(Error::Unreachable), Duration::ZERO);
    assert_eq!(call_once(&client).await, failed);
    // The next attempt waits a little.
    let (outcome, took) = call_once(&client).await;
    assert_eq!(outcome, Err(Error::Unreachable));
    let first = settings().backoff.first;
    assert!(
        took >= first / 2 && took <= first + Duration::from_millis(1),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_never_made() {
    let client = client_over(settings(), pending);
    let failed = (Err(Error::DeadlinePassed), PATIENCE);
    assert_eq!(call_once(&client).await, failed);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_speaks_another_protocol_or_version() {
    for hello in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\0\0\0\x06\0mqrp\x02",
    ] {
        let client = client_over(settings(), move || async move {
            let (ours, mut theirs) = tokio::io::duplex(4096);
            theirs.write_all(hello).await?;
            tokio::spawn(async move {
                let _kept = theirs;
                pending::<()>().await;
            });
            Ok(tokio::io::split(ours))
        });
        let failed = (Err(Error::Unreachable), Duration::ZERO);
        assert_eq!(call_once(&client).await, failed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_for_an_unknown_id_a_late_one_and_one_that_comes_twice() {
    let client = scripted(settings(), |mut server| async move {
        let late = server.call().await.unwrap();
        let call = server.call().await.unwrap();
        for id in [late.id.0, 0, call.id.0 + 1, call.id.0 | 1 << 31, u32::MAX] {
            server.send(&value(CallId(id), b"nonsense")).await;
        }
        server.send(&echo(&call)).await;
        server.send(&echo(&call)).await;
        while let Some(call) = server.call().await {
            server.send(&echo(&call)).await;
            server.send(&echo(&call)).await;
        }
    });
    assert_eq!(
        call_once(&client).await,
        (Err(Error::DeadlinePassed), PATIENCE)
    );
    for _ in 0..100 {
        let echoed = (Ok("text".to_owned()), Duration::ZERO);
        assert_eq!(call_once(&client).await, echoed);
    }
    assert_eq!(client.transport().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_calls_of_which_half_time_out() {
    const CALLS: usize = 10_000;
    let settings = ClientSettings {
        in_flight_max: CALLS,
        ..settings()
    };
    let client = scripted(settings, |mut server| async move {
        while let Some(call) = server.call().await {
            if text_of(&call) == "even" {
                server.send(&echo(&call)).await;
            }
        }
    });
    let outcomes = call_all(&client, CALLS, |number| ["even", "odd"][number % 2]).await;
    for (number, (outcome, took)) in outcomes.into_iter().enumerate() {
        let expected = match number % 2 {
            0 => Ok("even".to_owned()),
            _ => Err(Error::DeadlinePassed),
        };
        assert_eq!(outcome, expected);
        assert!(took <= PATIENCE, "call {number} took {took:?}");
    }
    assert_eq!(client.transport().in_flight(), 0);
    all_permits_are_there(&client, CALLS).await;
}

#[tokio::test(start_paused = true)]
async fn callers_behind_the_limit_take_every_place_that_is_freed() {
    let max = 4;
    let client = scripted(
        ClientSettings {
            in_flight_max: max,
            ..settings()
        },
        move |mut server| async move {
            // Several places are free before any caller runs.
            loop {
                let mut replies = Vec::new();
                for _ in 0..max {
                    let Some(call) = server.call().await else {
                        return;
                    };
                    replies.extend(echo(&call));
                }
                server.send(&replies).await;
            }
        },
    );
    let outcomes = call_all(&client, 100, |_| "text").await;
    let echoed = (Ok("text".to_owned()), Duration::ZERO);
    assert!(outcomes.iter().all(|outcome| *outcome == echoed));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_server_refuses_frees_its_place() {
    let settings = ClientSettings {
        in_flight_max: 1,
        ..settings()
    };
    let client = scripted(settings, |mut server| async move {
        while let Some(call) = server.call().await {
            let refused = ToClient::Reply(call.id, Err(Error::NoMethod));
            server.send(&whole(refused)).await;
        }
    });
    for _ in 0..3 {
        let refused = (Err(Error::NoMethod), Duration::ZERO);
        assert_eq!(call_once(&client).await, refused);
        assert_eq!(client.transport().in_flight(), 0);
    }
}

fn text_of(call: &Called) -> String {
    let (text,): (String,) = Postcard::decode(&call.body).unwrap();
    text
}

type Outcome = (Result<String, Error>, Duration);

/// Makes so many calls at a time; returns their outcomes in their order.
async fn call_all(
    client: &Client,
    count: usize,
    text: impl Fn(usize) -> &'static str,
) -> Vec<Outcome> {
    let mut callers = JoinSet::new();
    for number in 0..count {
        let kinds = KindsClient::new(client.clone());
        let text = text(number);
        callers.spawn(async move {
            let began = Instant::now();
            let outcome = kinds.echo(text.to_owned()).await;
            (number, (outcome, began.elapsed()))
        });
    }
    let mut outcomes = callers.join_all().await;
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Checks that as many calls as there are permits wait for a server that is silent, and
/// that a further one waits for a permit.
async fn all_permits_are_there(client: &Client, permits: usize) {
    let watching = client.clone();
    let watch = async {
        sleep(PATIENCE / 2).await;
        watching.transport().in_flight()
    };
    let calls = call_all(client, permits + 1, |_| "silence");
    let (in_flight, outcomes) = tokio::join!(watch, calls);
    assert_eq!(in_flight, permits);
    let failed = (Err(Error::DeadlinePassed), PATIENCE);
    assert!(outcomes.iter().all(|outcome| *outcome == failed));
    assert_eq!(client.transport().in_flight(), 0);
}

/// Does something else with every call, as the seed says, but for those about silence.
async fn misbehave(mut server: Scripted, mut rng: Rng) {
    let mut delayed = FuturesUnordered::new();
    loop {
        let call = tokio::select! {
            Some::<Vec<u8>>(frame) = delayed.next() => {
                server.send(&frame).await;
                continue;
            }
            call = server.call() => call,
        };
        let Some(call) = call else { return };
        if text_of(&call) == "silence" {
            continue;
        }
        match rng.u32(0..100) {
            0 => return,
            1 => return server.send(b"\0\0\0\x01\xff").await,
            2..10 => {}
            10..30 => {
                let pause = Duration::from_millis(rng.u64(0..3000));
                let reply = echo(&call);
                delayed.push(async move {
                    sleep(pause).await;
                    reply
                });
            }
            30..40 => {
                let id = CallId(rng.u32(..));
                // The one call that this could be for is the caller's own risk.
                if id != call.id {
                    server.send(&value(id, b"\x03???")).await;
                }
                server.send(&echo(&call)).await;
            }
            40..60 => {
                server.send(&echo(&call)).await;
                server.send(&echo(&call)).await;
            }
            _ => server.send(&echo(&call)).await,
        }
    }
}

/// Calls with its own texts until all is done; returns how many calls got their text.
async fn one_of_many(client: Client, mut rng: Rng, name: u64) -> usize {
    let mut replied = 0;
    for number in 0..50 {
        let patience = Duration::from_millis(rng.u64(1..2000));
        let kinds = KindsClient::new(client.clone()).with_patience(patience);
        let text = format!("{name} {number}");
        let began = Instant::now();
        match kinds.echo(text.clone()).await {
            Ok(echoed) => {
                assert_eq!(echoed, text);
                replied += 1;
            }
            Err(Error::DeadlinePassed) => assert_eq!(began.elapsed(), patience),
            Err(Error::Closed | Error::Unreachable) => {}
            Err(error) => panic!("{error}"),
        }
        assert!(began.elapsed() <= patience, "{:?}", began.elapsed());
    }
    replied
}

#[tokio::test(start_paused = true)]
async fn whatever_the_server_does_every_call_ends_in_time_with_its_own_reply() {
    let max = 16;
    let mut replied = 0;
    for seed in 0..15 {
        let mut rng = Rng::with_seed(seed);
        let servers = std::sync::Mutex::new(rng.fork());
        let settings = ClientSettings {
            in_flight_max: max,
            ..settings()
        };
        let client = scripted(settings, move |server| {
            let rng = servers.lock().unwrap().fork();
            misbehave(server, rng)
        });
        let mut callers = JoinSet::new();
        for name in 0..20 {
            callers.spawn(one_of_many(client.clone(), rng.fork(), name));
        }
        replied += callers.join_all().await.iter().sum::<usize>();
        assert_eq!(client.transport().in_flight(), 0, "seed {seed}");
        all_permits_are_there(&client, max).await;
    }
    assert!(replied > 5_000, "{replied} of 15,000 calls were replied to");
}

#[tokio::test(start_paused = true)]
async fn a_connection_to_a_server_that_stops_is_closed_with_its_last_call() {
    let (closed, mut is_closed) = mpsc::unbounded_channel();
    let client = scripted(settings(), move |mut server| {
        let closed = closed.clone();
        async move {
            let call = server.call().await.unwrap();
            server.send(&whole(ToClient::GoAway)).await;
            server.send(&echo(&call)).await;
            closed.send(server.message().await.is_none()).unwrap();
        }
    });
    let echoed = (Ok("text".to_owned()), Duration::ZERO);
    assert_eq!(call_once(&client).await, echoed);
    assert_eq!(is_closed.recv().await, Some(true));
}

#[tokio::test(start_paused = true)]
async fn the_patience_that_travels_is_what_is_left_after_a_wait_for_a_place() {
    let settings = ClientSettings {
        in_flight_max: 1,
        ..settings()
    };
    let (patience, mut travelled) = mpsc::unbounded_channel();
    let client = scripted(settings, move |mut server| {
        let patience = patience.clone();
        async move {
            while let Some(call) = server.call().await {
                patience.send(call.patience).unwrap();
                sleep(Duration::from_millis(500)).await;
                server.send(&echo(&call)).await;
            }
        }
    });
    call_all(&client, 2, |_| "text").await;
    assert_eq!(travelled.recv().await, Some(PATIENCE));
    let left = travelled.recv().await.unwrap();
    let expected = PATIENCE - Duration::from_millis(500);
    assert!(
        left <= expected && left >= expected - Duration::from_millis(5),
        "{left:?}"
    );
}
