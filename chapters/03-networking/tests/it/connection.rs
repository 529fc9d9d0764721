//! Calls over a connection: each ends, once, in time.

use std::time::Duration;

use bytes::Bytes;
use networking::{CallError, CallId, Connection, ConnectionLimits, FrameReader, ReadError, frame};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;

use crate::{LIMIT, socket_pair, soon};

const LIMITS: ConnectionLimits = ConnectionLimits {
    frame_bytes_max: 1 << 20,
    in_flight_max: 20_000,
};

/// A connection, and its peer as the test plays it.
async fn connection(limits: ConnectionLimits) -> (Connection, Peer) {
    let (here, there) = socket_pair().await;
    (Connection::new(here, limits), Peer::new(there))
}

struct Peer {
    requests: FrameReader<OwnedReadHalf>,
    socket: OwnedWriteHalf,
}

impl Peer {
    fn new(stream: TcpStream) -> Peer {
        let (reader, socket) = stream.into_split();
        Peer {
            requests: FrameReader::new(reader, 1 << 20),
            socket,
        }
    }

    /// The next request; `None` once the other side has closed.
    async fn request(&mut self) -> Result<Option<Bytes>, ReadError> {
        soon("a request", self.requests.next(LIMIT)).await
    }

    async fn reply(&mut self, payload: &[u8]) {
        soon("a reply", self.socket.write_all(&frame(payload)))
            .await
            .unwrap();
    }
}

/// The payload that the tests send: the id, and what is asked.
fn ask(text: &str) -> impl FnOnce(CallId) -> Vec<u8> {
    move |id| [&id.0.to_be_bytes(), text.as_bytes()].concat()
}

/// What is behind the id.
fn text(payload: &[u8]) -> &str {
    std::str::from_utf8(&payload[4..]).unwrap()
}

#[tokio::test]
async fn replies_out_of_order_find_their_callers() {
    let (connection, mut peer) = connection(LIMITS).await;
    let mut callers = JoinSet::new();
    for number in 0..100 {
        let connection = connection.clone();
        callers.spawn(async move {
            let asked = format!("question {number}");
            let reply = connection.call(LIMIT, ask(&asked)).await.unwrap();
            assert_eq!(text(&reply), asked);
        });
    }
    let mut requests = Vec::new();
    for _ in 0..100 {
        requests.push(peer.request().await.unwrap().unwrap());
    }
    for request in requests.iter().rev() {
        peer.reply(request).await;
    }
    while let Some(ended) = soon("a caller", callers.join_next()).await {
        ended.unwrap();
    }
    assert_eq!(connection.in_flight(), 0);
}

#[tokio::test]
async fn a_call_ends_at_its_deadline_and_its_late_reply_is_dropped() {
    let (connection, mut peer) = connection(LIMITS).await;
    let patience = Duration::from_millis(20);
    let ended = soon("the call", connection.call(patience, ask("late"))).await;
    assert_eq!(ended, Err(CallError::DeadlinePassed));
    assert_eq!(connection.in_flight(), 0);
    let late = peer.request().await.unwrap().unwrap();
    peer.reply(&late).await;
    let next = async {
        let request = peer.request().await.unwrap().unwrap();
        peer.reply(&request).await;
    };
    let (reply, ()) = tokio::join!(connection.call(LIMIT, ask("next")), next);
    assert_eq!(text(&reply.unwrap()), "next");
}

#[tokio::test]
async fn a_deadline_that_comes_in_later_but_ends_earlier_is_kept() {
    let (connection, _peer) = connection(LIMITS).await;
    let patient = {
        let connection = connection.clone();
        tokio::spawn(async move { connection.call(LIMIT * 10, ask("patient")).await })
    };
    while connection.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    let hasty = connection.call(Duration::from_millis(5), ask("hasty"));
    assert_eq!(
        soon("the hasty call", hasty).await,
        Err(CallError::DeadlinePassed)
    );
    assert_eq!(connection.in_flight(), 1);
    patient.abort();
    assert!(patient.await.unwrap_err().is_cancelled());
    assert_eq!(connection.in_flight(), 0, "a dropped caller leaves nothing");
}

#[tokio::test]
async fn every_call_ends_when_the_peer_closes() {
    let (connection, mut peer) = connection(LIMITS).await;
    let waiting = {
        let connection = connection.clone();
        tokio::spawn(async move { connection.call(LIMIT * 10, ask("hello?")).await })
    };
    peer.request().await.unwrap();
    drop(peer);
    let ended = soon("the call", waiting).await.unwrap();
    assert_eq!(ended, Err(CallError::Closed));
    assert!(connection.is_closed());
    let further = soon("a further call", connection.call(LIMIT, ask("?"))).await;
    assert_eq!(further, Err(CallError::Closed));
}

#[tokio::test]
async fn garbage_closes_the_connection() {
    for garbage in [
        &b"HTTP/1.1 400 Bad Request"[..],
        &[0xff; 4],
        &[0, 0, 0, 2, 1, 1],
    ] {
        let (connection, mut peer) = connection(LIMITS).await;
        peer.socket.write_all(garbage).await.unwrap();
        let ended = soon("the call", connection.call(LIMIT * 10, ask("?"))).await;
        assert_eq!(ended, Err(CallError::Closed), "{garbage:?}");
    }
}

#[tokio::test]
async fn a_call_above_the_limit_is_refused_and_does_not_wait() {
    let limits = ConnectionLimits {
        in_flight_max: 1,
        ..LIMITS
    };
    let (connection, mut peer) = connection(limits).await;
    let first = {
        let connection = connection.clone();
        tokio::spawn(async move { connection.call(LIMIT, ask("first")).await })
    };
    let request = peer.request().await.unwrap().unwrap();
    let second = soon("the second call", connection.call(LIMIT, ask("second"))).await;
    assert_eq!(second, Err(CallError::Refused));
    peer.reply(&request).await;
    assert_eq!(text(&first.await.unwrap().unwrap()), "first");
}

#[tokio::test]
async fn a_peer_that_reads_nothing_holds_no_caller_up_beyond_its_patience() {
    let (connection, _peer) = connection(LIMITS).await;
    let mut callers = JoinSet::new();
    for _ in 0..2_000 {
        let connection = connection.clone();
        callers.spawn(async move {
            connection
                .call(Duration::from_millis(200), |id| {
                    let mut payload = vec![0; 16 * 1024];
                    payload[..4].copy_from_slice(&id.0.to_be_bytes());
                    payload
                })
                .await
        });
    }
    while let Some(ended) = soon("a caller", callers.join_next()).await {
        assert_eq!(ended.unwrap(), Err(CallError::DeadlinePassed));
    }
    assert_eq!(connection.in_flight(), 0);
}

#[tokio::test]
async fn what_is_queued_is_written_when_the_last_clone_goes() {
    let (connection, mut peer) = connection(LIMITS).await;
    for number in 0..10 {
        connection
            .send(LIMIT, ask(&format!("note {number}")))
            .await
            .unwrap();
    }
    assert_eq!(connection.in_flight(), 0, "no answer is waited for");
    drop(connection);
    for number in 0..10 {
        let note = peer.request().await.unwrap().unwrap();
        assert_eq!(text(&note), format!("note {number}"));
    }
    assert!(peer.request().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_does_not_keep_a_dropped_connection_open() {
    let (connection, mut peer) = connection(LIMITS).await;
    let (count, size) = (400, 128 * 1024);
    for _ in 0..count {
        let sent = connection.send(LIMIT, |_| vec![0; size]).await;
        sent.unwrap();
    }
    drop(connection);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut arrived = 0;
    while let Ok(Some(_)) = peer.requests.next(Duration::MAX).await {
        arrived += 1;
    }
    assert!(arrived < count, "{arrived} were read after a minute");
}

#[tokio::test]
async fn half_of_ten_thousand_calls_time_out_and_nothing_is_left() {
    let (connection, mut peer) = connection(LIMITS).await;
    let mut callers = JoinSet::new();
    for number in 0..10_000 {
        let connection = connection.clone();
        let patience = if number % 2 == 0 {
            Duration::from_millis(500)
        } else {
            LIMIT
        };
        callers.spawn(async move { connection.call(patience, ask(&number.to_string())).await });
    }
    // On a slow machine some of the even ones time out before they are sent.
    let (mut even, mut odd) = (Vec::new(), 0);
    while odd < 5_000 {
        let request = peer.request().await.unwrap().unwrap();
        if text(&request).parse::<u32>().unwrap() % 2 == 0 {
            even.push(request);
        } else {
            peer.reply(&request).await;
            odd += 1;
        }
    }
    let (mut replied, mut timed_out) = (0, 0);
    while let Some(ended) = soon("a caller", callers.join_next()).await {
        match ended.unwrap() {
            Ok(reply) => {
                assert_eq!(text(&reply).parse::<u32>().unwrap() % 2, 1);
                replied += 1;
            }
            Err(error) => {
                assert_eq!(error, CallError::DeadlinePassed);
                timed_out += 1;
            }
        }
    }
    assert_eq!((replied, timed_out), (5_000, 5_000));
    assert_eq!(connection.in_flight(), 0);
    for late in &even {
        peer.reply(late).await;
    }
    assert!(!connection.is_closed(), "late replies are dropped");
}
