//! What a server holds for clients that mean harm or have left, over real sockets where no clock matters.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rpc::{Call, CallId, Client, ClientSettings, Codec as _, Error, Json, Server, ServerSettings};
use rpc::{Tcp, ToClient, ToServer};
use tokio::io::{AsyncRead, DuplexStream, ReadBuf, ReadHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};

use crate::fixture::{Doer, KindsClient, KindsServer, Place, Seen, whole};
use crate::peer::{Peer, encoded};

/// What the operating system takes of what is not read, at most twice each.
const SOCKET_BUFFER: u32 = 16 * 1024;
const LONG: Duration = Duration::from_secs(3600);

/// A server of `Kinds` behind a socket.
struct Listening {
    address: SocketAddr,
    seen: Arc<Seen>,
}

impl Listening {
    async fn new(settings: ServerSettings) -> Listening {
        let doer = Doer::default();
        let seen = Arc::clone(&doer.0);
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(SOCKET_BUFFER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(128).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(settings).with_service(KindsServer::new(doer));
        tokio::spawn(server.unwrap().serve(listener, std::future::pending()));
        Listening { address, seen }
    }

    async fn peer(&self) -> Peer<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SOCKET_BUFFER).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        let mut peer = Peer::over(stream);
        peer.greet().await;
        peer
    }

    fn kinds(&self) -> KindsClient {
        let settings = ClientSettings::default();
        KindsClient::new(Client::tcp(self.address.to_string(), settings))
    }
}

#[tokio::test]
async fn a_one_way_call_of_a_stream_is_not_begun() {
    let listening = Listening::new(ServerSettings::default()).await;
    let mut peer = listening.peer().await;
    peer.send(&Peer::stream_of(0, "stall", 1), b"").await;
    assert_eq!(peer.taken_in().await, [], "nothing answers it");
    assert_eq!(listening.seen.begun(), 0);
    assert_eq!(listening.kinds().nothing().await, Ok(()));
}

#[tokio::test]
async fn one_way_calls_of_clients_that_have_left_are_bounded_and_hold_up_no_other_call() {
    let listening = Listening::new(ServerSettings {
        one_way_max: 3,
        ..ServerSettings::default()
    })
    .await;
    for _ in 0..4 {
        let mut peer = listening.peer().await;
        for method in ["never", "nothing", "never"] {
            peer.send(&Peer::call_of(0, method, LONG), b"").await;
        }
        assert_eq!(peer.taken_in().await, []);
    }
    assert_eq!(listening.seen.begun(), 3);
    assert_eq!(listening.seen.dropped(), 0);
    let kinds = listening.kinds();
    assert_eq!(kinds.echo("text".to_owned()).await, Ok("text".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_by_the_patience_of_the_server_whatever_its_caller_says() {
    let patience_max = Duration::from_secs(20);
    let place = Place::new(ServerSettings {
        patience_max,
        one_way_max: 1,
        ..ServerSettings::default()
    });
    let mut peer = Peer::new(&place);
    peer.greet().await;
    let began = Instant::now();
    peer.call(1, "never", LONG).await;
    peer.call(0, "never", LONG).await;
    let reply = peer.reply().await;
    assert_eq!(reply, Some((CallId(1), Err(Error::DeadlinePassed))));
    place.seen.until(|seen| seen.dropped() == 2).await;
    assert_eq!(began.elapsed().as_secs(), patience_max.as_secs());
    // The permit is there again.
    peer.call(0, "never", LONG).await;
    peer.taken_in().await;
    assert_eq!(place.seen.begun(), 3);
}

#[tokio::test]
async fn a_server_that_stops_waits_for_one_way_calls_as_long_as_it_drains() {
    let later = ("note_later", encoded(("a line",)), LONG, 1);
    let never = ("never", encoded(()), Duration::from_millis(50), 0);
    for (method, body, drain, ended) in [later, never] {
        let doer = Doer::default();
        let seen = Arc::clone(&doer.0);
        let settings = ServerSettings {
            drain,
            ..ServerSettings::default()
        };
        let server = Server::new(settings).with_service(KindsServer::new(doer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopped = async { stopped.await.unwrap() };
        let serving = tokio::spawn(server.unwrap().serve(listener, stopped));
        let mut peer = Peer::over(TcpStream::connect(address).await.unwrap());
        peer.greet().await;
        peer.send(&Peer::call_of(0, method, LONG), &body).await;
        peer.taken_in().await;
        drop(peer);
        stop.send(()).unwrap();
        serving.await.unwrap();
        assert_eq!((seen.begun(), seen.dropped()), (1, ended));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_credit_locks_nobody_out() {
    let place = Place::new(ServerSettings {
        calls_bytes_max: 400_000,
        progress: Duration::from_secs(3),
        ..ServerSettings::default()
    });
    let (mut peer, mut other) = (Peer::new(&place), Peer::new(&place));
    peer.greet().await;
    other.greet().await;
    peer.call(1, "never", LONG).await;
    for text in ["small".to_owned(), "?".repeat(210_000)] {
        let id = u32::try_from(text.len()).unwrap();
        let stream = Peer::stream_of(id, "letters", 1);
        peer.send(&stream, &encoded((&text,))).await;
        assert_eq!(peer.message().await, Some(ToClient::Item(CallId(id))));
    }
    assert_eq!(place.seen.begun(), 3);
    let began = Instant::now();
    // A modest connection finds room, also for a call that goes on.
    let modest = Peer::stream_of(1, "letters", 1);
    other.send(&modest, &encoded(("?".repeat(16_000),))).await;
    assert_eq!(other.message().await, Some(ToClient::Item(CallId(1))));
    let large = encoded(("?".repeat(30_000),));
    other.send(&Peer::stream_of(2, "letters", 1), &large).await;
    let reply = other.reply().await;
    assert_eq!(reply, Some((CallId(2), Err(Error::Overloaded))));
    assert_eq!((place.seen.begun(), began.elapsed()), (4, Duration::ZERO));
    let reply = peer.reply().await;
    assert_eq!(reply, Some((CallId(210_000), Err(Error::DeadlinePassed))));
    assert_eq!(began.elapsed().as_secs(), 3);
    // The others held no more than their part.
    assert_eq!(place.seen.dropped(), 1);
    // And while there is room, a stream waits for its credit as long as its caller says.
    other.send(&Peer::stream_of(3, "letters", 1), &large).await;
    assert_eq!(other.message().await, Some(ToClient::Item(CallId(3))));
    sleep(Duration::from_secs(300)).await;
    other.send(&ToServer::Credit(CallId(3), 1), b"").await;
    assert_eq!(other.message().await, Some(ToClient::Item(CallId(3))));
}

#[tokio::test]
async fn arguments_count_with_the_memory_that_they_take() {
    let texts = vec![String::new(); 10_000];
    let memory = texts.len() * size_of::<String>();
    let ToServer::Call(call) = Peer::call_of(2, "keep", LONG) else {
        unreachable!("it is a call");
    };
    let mut json = call.target;
    json.codec = Json::ID;
    let mut in_json = Vec::new();
    Json::encode(&(&texts,), &mut in_json).unwrap();
    let target = call.target;
    for (target, body) in [(target, encoded((&texts,))), (json, in_json)] {
        // There is room for one such call, and for none that takes as much again.
        let place = Place::new(ServerSettings {
            calls_bytes_max: 2 * memory,
            ..ServerSettings::default()
        });
        let mut peer = Peer::new(&place);
        peer.greet().await;
        let call = |id| {
            let id = CallId(id);
            ToServer::Call(Call { id, target, ..call })
        };
        peer.send(&call(2), &body).await;
        peer.send(&call(3), &body).await;
        let reply = peer.reply().await;
        assert_eq!(reply, Some((CallId(3), Err(Error::Overloaded))));
        assert_eq!(place.seen.begun(), 1);
        peer.send(&ToServer::Cancel(CallId(2)), b"").await;
        place.seen.until(|seen| seen.dropped() == 1).await;
        peer.send(&call(4), &body).await;
        place.seen.until(|seen| seen.begun() == 2).await;
    }
}

const REPLY: usize = 400_000;

/// What waits may be five replies, and some more.
fn few_replies() -> ServerSettings {
    ServerSettings {
        replies_bytes_max: 6 * REPLY,
        progress: LONG,
        ..ServerSettings::default()
    }
}

/// Connects so many clients that make three calls each, and read nothing for now. Of each one's
/// replies two wait: the third call is not begun.
async fn slow_readers(listening: &Listening, count: usize) -> Vec<Peer<TcpStream>> {
    let mut peers = Vec::new();
    for _ in 0..count {
        let (mut peer, begun) = (listening.peer().await, listening.seen.begun());
        for id in 1..=3 {
            let call = Peer::call_of(id, "bytes", LONG);
            peer.send(&call, &encoded((REPLY,))).await;
        }
        let two = |seen: &Seen| seen.begun() == begun + 2;
        listening.seen.until(two).await;
        peers.push(peer);
    }
    peers
}

#[tokio::test]
async fn of_clients_that_read_nothing_the_slowest_is_closed_and_others_are_answered() {
    let listening = Listening::new(few_replies()).await;
    let kinds = listening.kinds();
    assert_eq!(kinds.bytes(REPLY / 2).await, Ok(vec![7; REPLY / 2]));
    let mut modest = listening.peer().await;
    let (call, begun) = (Peer::call_of(1, "bytes", LONG), listening.seen.begun());
    modest.send(&call, &encoded((REPLY,))).await;
    listening.seen.until(|seen| seen.begun() > begun).await;
    let mut slow = slow_readers(&listening, 3).await;
    for _ in 0..3 {
        assert_eq!(kinds.bytes(REPLY / 2).await, Ok(vec![7; REPLY / 2]));
    }
    let mut cut_off = 0;
    for peer in &mut slow {
        cut_off += usize::from(peer.messages(3).await < 3);
    }
    assert_eq!((cut_off, modest.messages(1).await), (1, 1));
    // What was read counts no more, nor does what was thrown away.
    for mut peer in slow_readers(&listening, 2).await {
        assert_eq!(peer.messages(3).await, 3);
    }
}

#[tokio::test]
async fn replies_of_methods_that_wait_are_bounded_too() {
    let listening = Listening::new(few_replies()).await;
    let mut peer = listening.peer().await;
    for id in 1..=50 {
        let call = Peer::call_of(id, "bytes_later", LONG);
        peer.send(&call, &encoded((REPLY,))).await;
    }
    listening.seen.until(|seen| seen.begun() >= 7).await;
    assert!(peer.messages(50).await < 50);
    let kinds = listening.kinds();
    assert_eq!(kinds.bytes(4 * REPLY).await, Ok(vec![7; 4 * REPLY]));
}

/// What a server sends. Once it floods there is always more, so many times.
struct Flood {
    incoming: ReadHalf<DuplexStream>,
    floods: Arc<AtomicBool>,
    times: usize,
}

impl AsyncRead for Flood {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.floods.load(Ordering::SeqCst) {
            return Pin::new(&mut self.incoming).poll_read(context, buffer);
        }
        // As a socket does, which lets other tasks run now and then.
        let turn = ready!(tokio::task::coop::poll_proceed(context));
        turn.made_progress();
        if let Some(times) = self.times.checked_sub(1) {
            self.times = times;
            buffer.put_slice(&whole(ToClient::Pong));
        }
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_call_ends_by_its_deadline_though_its_server_floods() {
    let floods = Arc::new(AtomicBool::new(false));
    let flooding = Arc::clone(&floods);
    let (ours, theirs) = tokio::io::duplex(4096);
    let ours = Mutex::new(Some(ours));
    let transport = Tcp::over(ClientSettings::default(), move || {
        let (incoming, outgoing) = tokio::io::split(ours.lock().unwrap().take().unwrap());
        let incoming = Flood {
            incoming,
            floods: Arc::clone(&flooding),
            times: 100_000,
        };
        async { Ok((incoming, outgoing)) }
    });
    let place = Place::new(ServerSettings::default());
    place.serve(theirs);
    let kinds = KindsClient::new(Client::over(transport, LONG));
    assert_eq!(kinds.nothing().await, Ok(()));
    // The next call wakes the connection, and then there is no end of what comes.
    floods.store(true, Ordering::SeqCst);
    let late = kinds.with_patience(Duration::ZERO).never().await;
    assert_eq!(late, Err(Error::DeadlinePassed));
}
