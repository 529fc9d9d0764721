//! A connection that is served, over real sockets: what the spec of the request
//! loop shows in memory, with the chapter's reader, writer and budget.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use networking::{
    Answer, ByteBudget, Chunk, ChunkWriter, Closing, FileRange, Frame, FrameReader, Order,
    ReadError, RequestLimits, RequestReader, Requests, Terms, frame, serve_requests,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::{LIMIT, socket_pair, soon};

const TERMS: Terms = Terms {
    order: Order::AsRequested,
    pending_max: 16,
    idle: LIMIT,
};

pub(crate) fn limits(budget: &ByteBudget) -> RequestLimits {
    RequestLimits {
        frame_bytes_max: 1 << 20,
        progress: LIMIT,
        budget: budget.clone(),
    }
}

pub(crate) async fn cold(_: FileRange) -> io::Result<Bytes> {
    unreachable!("nothing here is in a file")
}

fn framed(payload: &[u8]) -> Vec<Chunk> {
    vec![Chunk::Bytes(frame(payload).into())]
}

/// What the tests serve with: `later` requests wait for the notice.
#[derive(Default)]
struct Server {
    notice: Notify,
    /// How many requests wait for it.
    waiting: AtomicUsize,
}

/// Counts itself out when it is dropped.
struct Waiting(Arc<Server>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Server {
    /// An answer to one request: its payload, at once or later.
    async fn begin(self: Arc<Self>, frame: Frame) -> Answer<Vec<Chunk>> {
        if frame.payload.is_empty() {
            return Answer::Close;
        }
        if !frame.payload.starts_with(b"later") {
            return Answer::Now(framed(&frame.payload));
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waiting = Waiting(self);
        Answer::Later(Box::pin(async move {
            let Frame { payload, share, .. } = frame;
            waiting.0.notice.notified().await;
            drop(share);
            framed(&payload)
        }))
    }

    fn serve(
        self: &Arc<Self>,
        stream: TcpStream,
        budget: &ByteBudget,
        stop: oneshot::Receiver<()>,
    ) -> JoinHandle<Closing<ReadError>> {
        let (reader, writer) = stream.into_split();
        let requests = RequestReader::new(reader, limits(budget));
        let answers = ChunkWriter::new(writer, LIMIT, budget.clone(), cold);
        let server = Arc::clone(self);
        let begin = move |frame| Arc::clone(&server).begin(frame);
        let stop = async move { drop(stop.await) };
        tokio::spawn(serve_requests(requests, answers, TERMS, begin, stop))
    }

    async fn until_waiting(&self, count: usize) {
        let wait = async {
            while self.waiting.load(Ordering::SeqCst) != count {
                tokio::task::yield_now().await;
            }
        };
        soon("the requests to wait", wait).await;
    }
}

#[tokio::test]
async fn requests_are_answered_in_their_order_and_the_budget_is_whole_again() {
    let (here, there) = socket_pair().await;
    let (server, budget) = (Arc::new(Server::default()), ByteBudget::new(1 << 20));
    let (_stop, stopped) = oneshot::channel();
    let served = server.serve(here, &budget, stopped);
    let (reader, mut writer) = there.into_split();
    let mut answers = FrameReader::new(reader, 1 << 20);
    for request in [&b"later 1"[..], b"now 2", b"now 3"] {
        writer.write_all(&frame(request)).await.unwrap();
    }
    server.until_waiting(1).await;
    server.notice.notify_one();
    for expected in [&b"later 1"[..], b"now 2", b"now 3"] {
        let answer = soon("an answer", answers.next(LIMIT)).await.unwrap();
        assert_eq!(answer.as_deref(), Some(expected));
    }
    drop((writer, answers));
    let closing = soon("the end", served).await.unwrap();
    assert!(matches!(closing, Closing::Peer), "{closing}");
    assert_eq!(budget.taken(), 0);
}

#[tokio::test]
async fn a_peer_that_is_gone_takes_its_waits_along() {
    let (here, mut there) = socket_pair().await;
    let (server, budget) = (Arc::new(Server::default()), ByteBudget::new(1 << 20));
    let (_stop, stopped) = oneshot::channel();
    let served = server.serve(here, &budget, stopped);
    for _ in 0..TERMS.pending_max {
        there.write_all(&frame(b"later")).await.unwrap();
    }
    server.until_waiting(TERMS.pending_max).await;
    assert!(budget.taken() > 0);
    drop(there);
    let closing = soon("the end", served).await.unwrap();
    assert!(matches!(closing, Closing::Peer), "{closing}");
    server.until_waiting(0).await;
    assert_eq!(budget.taken(), 0);
}

/// Requests that wait hold all the room; their peers are noticed to be gone all the same.
#[tokio::test]
async fn a_peer_that_is_gone_gives_its_room_back() {
    let (server, budget) = (Arc::new(Server::default()), ByteBudget::new(1_000));
    let (here, mut there) = socket_pair().await;
    let (_stop, stopped) = oneshot::channel();
    let served = server.serve(here, &budget, stopped);
    let mut request = b"later".to_vec();
    request.resize(2_000, b' ');
    there.write_all(&frame(&request)).await.unwrap();
    server.until_waiting(1).await;
    assert!(budget.taken() > 1_000);

    let (here, mut other) = socket_pair().await;
    let (_stop, stopped) = oneshot::channel();
    let other_served = server.serve(here, &budget, stopped);
    other.write_all(&frame(b"now")).await.unwrap();
    drop(there);
    soon("the end", served).await.unwrap();
    let (reader, writer) = other.into_split();
    let mut answers = FrameReader::new(reader, 1 << 20);
    let answer = soon("an answer", answers.next(LIMIT)).await.unwrap();
    assert_eq!(answer.as_deref(), Some(&b"now"[..]));
    drop((answers, writer));
    soon("the end", other_served).await.unwrap();
    assert_eq!(budget.taken(), 0);
}

/// Work that only its client wants can find out that the client is gone.
#[tokio::test]
async fn a_request_that_has_begun_knows_that_its_peer_is_gone() {
    let (here, mut there) = socket_pair().await;
    let (reader, writer) = here.into_split();
    let (began, begun) = oneshot::channel();
    let mut began = Some(began);
    let begin = move |frame: Frame| {
        let was_gone = frame.peer.is_gone();
        let _ = began.take().map(|began| began.send(was_gone));
        async move {
            while !frame.peer.is_gone() {
                tokio::task::yield_now().await;
            }
            Answer::Silence
        }
    };
    let budget = ByteBudget::new(1 << 20);
    let served = tokio::spawn(serve_requests(
        RequestReader::new(reader, limits(&budget)),
        ChunkWriter::new(writer, LIMIT, budget.clone(), cold),
        TERMS,
        begin,
        std::future::pending(),
    ));
    there.write_all(&frame(b"long work")).await.unwrap();
    assert!(!begun.await.unwrap(), "the peer is there at the beginning");
    drop(there);
    let closing = soon("the end of the connection", served).await.unwrap();
    assert!(matches!(closing, Closing::Peer), "{closing}");
}

#[tokio::test]
async fn a_stop_answers_what_was_begun() {
    let (here, mut there) = socket_pair().await;
    let (server, budget) = (Arc::new(Server::default()), ByteBudget::new(1 << 20));
    let (stop, stopped) = oneshot::channel();
    let served = server.serve(here, &budget, stopped);
    there.write_all(&frame(b"later")).await.unwrap();
    server.until_waiting(1).await;
    stop.send(()).unwrap();
    server.notice.notify_one();
    let mut answers = FrameReader::new(&mut there, 1 << 20);
    let answer = soon("the answer", answers.next(LIMIT)).await.unwrap();
    assert_eq!(answer.as_deref(), Some(&b"later"[..]));
    let closing = soon("the end", served).await.unwrap();
    assert!(matches!(closing, Closing::Stop), "{closing}");
}

#[tokio::test]
async fn half_a_frame_at_the_end_is_told() {
    let (here, mut there) = socket_pair().await;
    let (server, budget) = (Arc::new(Server::default()), ByteBudget::new(1 << 20));
    let (_stop, stopped) = oneshot::channel();
    let served = server.serve(here, &budget, stopped);
    there.write_all(&frame(b"half")[..5]).await.unwrap();
    drop(there);
    let closing = soon("the end", served).await.unwrap();
    let is_cut_off = matches!(closing, Closing::Read(ReadError::CutOff));
    assert!(is_cut_off, "{closing}");
    assert_eq!(budget.taken(), 0);
}

/// Six peers that announce large frames and send a little of them hold up no other peer.
#[tokio::test(start_paused = true)]
async fn announcements_take_no_room() {
    let budget = ByteBudget::new(100_000);
    let mut sockets = Vec::new();
    for _ in 0..6 {
        let (here, mut there) = tokio::io::duplex(1 << 20);
        there.write_all(&90_000_i32.to_be_bytes()).await.unwrap();
        there.write_all(b"x").await.unwrap();
        let mut requests = RequestReader::new(here, limits(&budget));
        let half = requests.next(LIMIT);
        tokio::time::timeout(Duration::ZERO, half)
            .await
            .unwrap_err();
        sockets.push((requests, there));
    }
    assert_eq!(budget.taken(), 6 * 5);
    let (here, mut there) = tokio::io::duplex(1 << 20);
    there.write_all(&frame(&[7; 95_000])).await.unwrap();
    let mut requests = RequestReader::new(here, limits(&budget));
    let request = requests.next(LIMIT).await;
    let request = request.unwrap().unwrap();
    assert_eq!(request.payload.len(), 95_000);
    assert_eq!(request.share.held(), 95_004);
}

/// Twenty peers send the first half of a frame each, more than the budget allows
/// in all; then the other halves. Each frame arrives, when those before it are answered.
#[tokio::test(start_paused = true)]
async fn halves_do_not_hold_each_other_up() {
    let budget = ByteBudget::new(100_000);
    let payload = [7; 60_000];
    let mut reading = JoinSet::new();
    let mut peers = Vec::new();
    for _ in 0..20 {
        let (here, mut there) = tokio::io::duplex(1 << 20);
        there.write_all(&frame(&payload)[..30_000]).await.unwrap();
        let mut requests = RequestReader::new(here, limits(&budget));
        reading.spawn(async move {
            let request = requests.next(LIMIT).await.unwrap().unwrap();
            assert_eq!(request.payload.len(), 60_000);
            // Some time to serve it.
            tokio::time::sleep(Duration::from_millis(10)).await;
        });
        peers.push(there);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let taken = budget.taken();
    assert!((100_000..=120_000).contains(&taken), "{taken}");
    for there in peers.iter_mut().rev() {
        there.write_all(&frame(&payload)[30_000..]).await.unwrap();
    }
    while let Some(done) = reading.join_next().await {
        done.unwrap();
        assert!(budget.taken() <= 220_000, "{}", budget.taken());
    }
    assert_eq!(budget.taken(), 0);
}

/// Ten peers fill the budget with halves, and then send a byte now and then or nothing.
/// Each has [`LIMIT`] for the next byte, but the oldest one, which may always read on, has
/// less while others wait for room.
#[tokio::test(start_paused = true)]
async fn halves_that_hardly_move_make_room_for_others() {
    let budget = ByteBudget::new(100_000);
    let mut reading = JoinSet::new();
    let mut peers = Vec::new();
    for number in 0..10 {
        let (here, mut there) = tokio::io::duplex(1 << 20);
        there
            .write_all(&frame(&[7; 60_000])[..12_000])
            .await
            .unwrap();
        let mut requests = RequestReader::new(here, limits(&budget));
        reading.spawn(async move { requests.next(LIMIT).await.map(drop) });
        peers.push(tokio::spawn(async move {
            while number % 2 == 0 && there.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            tokio::time::sleep(LIMIT).await;
        }));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(budget.taken() >= 100_000, "{}", budget.taken());
    let (here, mut there) = tokio::io::duplex(1 << 20);
    there.write_all(&frame(&[7; 20_000])).await.unwrap();
    let mut requests = RequestReader::new(here, limits(&budget));
    let honest = requests.next(LIMIT);
    let request = tokio::time::timeout(LIMIT / 3, honest).await;
    assert_eq!(request.unwrap().unwrap().unwrap().payload.len(), 20_000);
    let closed = reading.join_next().await.unwrap().unwrap();
    assert!(
        matches!(closed, Err(ReadError::Stalled { .. })),
        "{closed:?}"
    );
}

/// A whole frame may grow without room; what arrives later waits until it is given back.
#[tokio::test(start_paused = true)]
async fn what_decoding_takes_is_waited_for_by_others() {
    let budget = ByteBudget::new(10_000);
    let (here, mut there) = tokio::io::duplex(1 << 20);
    there.write_all(&frame(&[7; 5_000])).await.unwrap();
    let mut requests = RequestReader::new(here, limits(&budget));
    let mut request = requests.next(LIMIT).await.unwrap().unwrap();
    request.share.grow(20_000);
    assert_eq!(budget.taken(), 25_004);
    there.write_all(&frame(b"next")).await.unwrap();
    let next = tokio::time::timeout(LIMIT / 2, requests.next(LIMIT)).await;
    assert!(next.is_err(), "there is no room");
    request.share.shrink_to(100);
    assert_eq!(budget.taken(), 104, "the next length was read");
    let next = requests.next(LIMIT).await.unwrap().unwrap();
    assert_eq!(next.payload, b"next"[..]);
    drop((request, next));
    assert_eq!(budget.taken(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_stops_half_way_is_given_up_and_a_slow_one_is_not() {
    let budget = ByteBudget::new(1 << 20);
    let (here, mut there) = tokio::io::duplex(100);
    let mut requests = RequestReader::new(here, limits(&budget));
    let slow = tokio::spawn(async move {
        for byte in frame(b"slow") {
            tokio::time::sleep(LIMIT * 9 / 10).await;
            there.write_all(&[byte]).await.unwrap();
        }
        there.write_all(&frame(b"half")[..6]).await.unwrap();
        there
    });
    let request = requests.next(LIMIT).await.unwrap().unwrap();
    assert_eq!(request.payload, b"slow"[..]);
    let _there = slow.await.unwrap();
    let error = requests.next(LIMIT * 100).await.unwrap_err();
    assert!(
        matches!(error, ReadError::Stalled { arrived: 6 }),
        "{error}"
    );
}

#[tokio::test]
async fn requests_that_have_arrived_together_come_together() {
    let budget = ByteBudget::new(1 << 20);
    let together = [frame(b"one"), frame(b"three"), b"\0\0\0\x04ha".to_vec()].concat();
    let mut requests = RequestReader::new(&together[..], limits(&budget));
    let (payloads, mut share) = requests.next_batch(LIMIT).await.unwrap().unwrap();
    assert_eq!(payloads, [&b"one"[..], b"three"]);
    assert_eq!(share.held(), 4 + 3 + 4 + 5);
    share.shrink_to(7);
    // The half is there, too.
    assert_eq!(budget.taken(), 7 + 6);
    drop(share);
    assert_eq!(budget.taken(), 6);
    let ended = requests.next_batch(LIMIT).await;
    assert!(matches!(ended, Err(ReadError::CutOff)), "{ended:?}");
    drop(requests);
    assert_eq!(budget.taken(), 0);
}
