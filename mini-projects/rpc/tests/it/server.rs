//! What a server does with calls that take long, with too many of them, and at its stop.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rpc::{
    CallId, Client, ClientSettings, Error, Hello, Server, ServerSettings, ToClient, ToServer, put,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::fixture::{Doer, KindsClient, KindsServer, Place};
use crate::peer::{Peer, encoded};

#[tokio::test(start_paused = true)]
async fn ten_callers_of_a_method_that_takes_100_ms_make_100_calls_a_second() {
    let kinds = Place::new(ServerSettings::default()).kinds();
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..10 {
        let kinds = kinds.clone();
        callers.spawn(async move {
            for _ in 0..10 {
                kinds.sleep(100).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let took = began.elapsed();
    assert!(took < Duration::from_millis(1100), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_stops_its_method() {
    let place = Place::new(ServerSettings::default());
    let kinds = place.kinds();
    let began = Instant::now();
    tokio::select! {
        _ = kinds.never() => unreachable!("it never returns"),
        () = place.seen.until(|seen| seen.begun() == 1) => {}
    }
    place.seen.until(|seen| seen.dropped() == 1).await;
    assert_eq!(kinds.nothing().await, Ok(()));
    assert_eq!(began.elapsed(), Duration::ZERO, "it was its deadline");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_begins_at_the_call_and_stops_the_method() {
    let place = Place::new(ServerSettings::default());
    let client = place.client(ClientSettings::default());
    let patience = Duration::from_millis(500);
    let kinds = KindsClient::new(client.clone()).with_patience(patience);
    let left = kinds.left().await.unwrap();
    assert!((400..=500).contains(&left), "{left}");
    let began = Instant::now();
    assert_eq!(kinds.never().await, Err(Error::DeadlinePassed));
    assert_eq!(began.elapsed(), patience);
    place.seen.until(|seen| seen.dropped() == 1).await;
    assert_eq!(client.transport().in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_stops_a_method_at_the_deadline_though_its_client_says_nothing() {
    let place = Place::new(ServerSettings::default());
    let mut peer = Peer::new(&place);
    peer.greet().await;
    peer.call(1, "never", Duration::from_millis(300)).await;
    let began = Instant::now();
    let reply = peer.reply().await;
    assert_eq!(reply, Some((CallId(1), Err(Error::DeadlinePassed))));
    let took = began.elapsed();
    assert!((300..305).contains(&took.as_millis()), "{took:?}");
    assert_eq!(place.seen.dropped(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_stops_its_methods() {
    let place = Place::new(ServerSettings::default());
    let mut peer = Peer::new(&place);
    peer.greet().await;
    peer.call(1, "never", Duration::from_secs(60)).await;
    place.seen.until(|seen| seen.begun() == 1).await;
    let began = Instant::now();
    drop(peer);
    place.seen.until(|seen| seen.dropped() == 1).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "it was its deadline");
}

/// Calls another service while it is called.
#[rpc::service]
trait Relay {
    /// Returns what the other service says.
    async fn left(&self) -> u64;
}

struct Relaying(KindsClient);

impl Relay for Relaying {
    async fn left(&self) -> u64 {
        // Once before and once after the method has moved to a task of its own.
        self.0.left().await.unwrap();
        self.0.left().await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_method_makes_has_the_methods_deadline() {
    let other = Place::new(ServerSettings::default());
    let server = Server::new(ServerSettings::default());
    let server = server
        .with_service(RelayServer::new(Relaying(other.kinds())))
        .unwrap();
    let relay = Place {
        server: std::sync::Arc::new(server),
        ..Place::new(ServerSettings::default())
    };
    let client = relay.client(ClientSettings::default());
    let relay = RelayClient::new(client).with_patience(Duration::from_millis(700));
    let left = relay.left().await.unwrap();
    assert!((600..=700).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn one_call_too_many_is_refused_at_once() {
    let place = Place::new(ServerSettings {
        running_max: 2,
        ..ServerSettings::default()
    });
    let kinds = place.kinds();
    let (first, second) = (kinds.never(), kinds.never());
    let refused = async {
        place.seen.until(|seen| seen.begun() == 2).await;
        let began = Instant::now();
        for _ in 0..10 {
            assert_eq!(kinds.nothing().await, Err(Error::Overloaded));
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    };
    tokio::select! {
        _ = first => unreachable!("it never returns"),
        _ = second => unreachable!("it never returns"),
        () = refused => {}
    }
    place.seen.until(|seen| seen.dropped() == 2).await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(kinds.nothing().await, Ok(()));
}

#[tokio::test]
async fn a_method_that_blocks_holds_up_no_other_call() {
    let place = Place::new(ServerSettings::default());
    let kinds = place.kinds();
    let others = async {
        place.seen.until(|seen| seen.begun() == 1).await;
        assert_eq!(kinds.echo("text".to_owned()).await, Ok("text".to_owned()));
        assert_eq!(place.seen.dropped(), 0);
        place.seen.release.store(true, Ordering::SeqCst);
    };
    let (blocked, ()) = tokio::join!(kinds.block(), others);
    assert_eq!(blocked, Ok(()));
}

#[tokio::test]
async fn what_is_too_large_is_an_error_of_its_own_call() {
    let max = 64 * 1024;
    let place = Place::new(ServerSettings {
        frame_bytes_max: max,
        ..ServerSettings::default()
    });
    let client = place.client(ClientSettings {
        frame_bytes_max: max,
        ..ClientSettings::default()
    });
    let kinds = KindsClient::new(client);
    let fits = max - 100;
    assert_eq!(kinds.echo("x".repeat(fits)).await, Ok("x".repeat(fits)));
    assert_eq!(kinds.echo("x".repeat(max)).await, Err(Error::TooLarge));
    assert_eq!(kinds.bytes(fits).await, Ok(vec![7; fits]));
    assert_eq!(kinds.bytes(max).await, Err(Error::TooLarge));
    assert_eq!(kinds.nothing().await, Ok(()));
}

#[tokio::test]
async fn a_stop_lets_calls_end_and_begins_no_further_ones() {
    let doer = Doer::default();
    let seen = std::sync::Arc::clone(&doer.0);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = Server::new(ServerSettings::default());
    let server = server.with_service(KindsServer::new(doer)).unwrap();
    let (stop, stopping) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(listener, async { drop(stopping.await) }));
    let kinds = KindsClient::new(Client::tcp(address, ClientSettings::default()));
    let stopped = async {
        seen.until(|seen| seen.begun() == 1).await;
        stop.send(()).unwrap();
    };
    let (slept, ()) = tokio::join!(kinds.sleep(50), stopped);
    assert_eq!(slept, Ok(()));
    // The client has closed its connection, for which the server has waited.
    serving.await.unwrap();
    assert_eq!(kinds.nothing().await, Err(Error::Unreachable));
}

#[tokio::test(start_paused = true)]
async fn a_call_on_a_connection_that_stops_is_refused_and_its_client_connects_again() {
    let place = Place::new(ServerSettings::default());
    let mut peer = Peer::new(&place);
    peer.greet().await;
    place.stop.notify_waiters();
    peer.call(1, "nothing", Duration::from_secs(1)).await;
    assert_eq!(peer.message().await, Some(ToClient::GoAway));
    assert_eq!(peer.reply().await, Some((CallId(1), Err(Error::Stopping))));

    let kinds = place.kinds();
    assert_eq!(kinds.nothing().await, Ok(()));
    place.stop.notify_waiters();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(kinds.nothing().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_an_idle_connection() {
    let place = Place::new(ServerSettings::default());
    let kinds = place.kinds();
    assert_eq!(kinds.nothing().await, Ok(()));
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(kinds.nothing().await, Ok(()));
    assert_eq!(place.connected(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_silent_is_closed() {
    let place = Place::new(ServerSettings::default());
    let mut peer = Peer::new(&place);
    peer.greet().await;
    let began = Instant::now();
    assert_eq!(peer.message().await, None);
    assert_eq!(began.elapsed(), ServerSettings::default().idle);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_breaks_the_protocol_is_closed() {
    let place = Place::new(ServerSettings::default());
    let hello = ToServer::Hello(Hello::OURS);
    let next_version = ToServer::Hello(Hello {
        version: 2,
        ..Hello::OURS
    });
    let call = |id| Peer::call_of(id, "never", Duration::from_secs(10));
    let breaches: [&[ToServer]; 5] = [
        &[ToServer::Ping],
        &[call(1)],
        &[next_version],
        &[hello, hello],
        &[hello, call(1), call(1)],
    ];
    for messages in breaches {
        let mut peer = Peer::new(&place);
        for message in messages {
            peer.send(message, b"").await;
        }
        assert_eq!(peer.message().await, Some(ToClient::Hello(Hello::OURS)));
        assert_eq!(peer.message().await, None, "{messages:?}");
    }
    let mut peer = Peer::new(&place);
    peer.outgoing
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(peer.message().await, Some(ToClient::Hello(Hello::OURS)));
    assert_eq!(peer.message().await, None);
}

#[tokio::test(start_paused = true)]
async fn of_a_client_that_reads_nothing_few_calls_are_begun_and_it_is_closed() {
    let place = Place::new(ServerSettings::default());
    let mut peer = Peer::new(&place);
    peer.greet().await;
    let began = Instant::now();
    let sending = async {
        for id in 1..1000 {
            let call = Peer::call_of(id, "bytes", Duration::from_secs(60));
            peer.send(&call, &encoded((60_000,))).await;
        }
    };
    sending.await;
    // The server has closed the connection: else it would not have taken all of this.
    assert_eq!(began.elapsed(), ServerSettings::default().progress);
    let begun = place.seen.begun();
    assert!((4..=12).contains(&begun), "{begun} calls are begun");
}

#[tokio::test(start_paused = true)]
async fn any_frames_are_answered_or_close_their_connection_and_harm_no_other_one() {
    let place = Place::new(ServerSettings::default());
    let kinds = place.kinds();
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..300 {
        let mut peer = Peer::new(&place);
        peer.greet().await;
        for _ in 0..rng.usize(1..5) {
            let call = Peer::call_of(rng.u32(0..3), "divide", Duration::from_secs(1));
            let mut frame = Vec::new();
            put(&call, &encoded((7, 2)), &mut frame);
            for _ in 0..rng.usize(0..4) {
                // Not the length: then the frame would only be half there.
                let index = rng.usize(4..frame.len());
                frame[index] = rng.u8(..);
            }
            let _ = peer.outgoing.write_all(&frame).await;
        }
        assert_eq!(kinds.divide(7, 2).await, Ok(3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_to_a_client_that_reads_nothing_is_stopped() {
    let place = Place::new(ServerSettings::default());
    let mut peer = Peer::new(&place);
    peer.greet().await;
    let call = Peer::stream_of(1, "count", u32::MAX);
    peer.send(&call, &encoded((1_000_000_u64,))).await;
    // Longer than a write may stand still.
    sleep(ServerSettings::default().progress * 2).await;
    let produced = place.seen.produced();
    assert!(
        (1000..100_000).contains(&produced),
        "{produced} items are made"
    );
    while peer.message().await.is_some() {}
    assert_eq!(place.seen.produced(), produced);
}

#[tokio::test(start_paused = true)]
async fn a_method_goes_on_when_a_one_way_client_is_gone_and_stops_for_any_other() {
    let place = Place::new(ServerSettings::default());
    let kinds = place.kinds();
    let never = tokio::spawn({
        let kinds = kinds.clone();
        async move { kinds.never().await }
    });
    place.seen.until(|seen| seen.begun() == 1).await;
    let began = Instant::now();
    kinds.note_later("late".to_owned()).await.unwrap();
    place.seen.until(|seen| seen.begun() == 2).await;
    never.abort();
    drop(kinds);
    place.seen.until(|seen| seen.dropped() == 1).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "it was its deadline");
    place.seen.until(|seen| seen.dropped() == 2).await;
    assert_eq!(*place.seen.lines.lock().unwrap(), ["late"]);
}
