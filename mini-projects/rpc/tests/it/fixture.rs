//! A service of all kinds of methods, a server in memory, and a server that does as a test says.

use std::future::pending;
use std::io::{self, Write as _};
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use networking::FrameReader;
use rpc::{
    CallId, Client, ClientSettings, Hello, Server, ServerSettings, Side, Stream, Tcp, ToClient,
    ToServer, get, put,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::Notify;

/// Why a division has no result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DivideError {
    /// The divisor is 0.
    ByZero {
        /// What was to be divided.
        dividend: i64,
    },
}

/// Methods of all kinds.
#[rpc::service]
pub(crate) trait Kinds {
    /// Returns `text`.
    async fn echo(&self, text: String) -> String;
    /// Divides, rounded towards zero.
    async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError>;
    /// Returns after `millis`.
    async fn sleep(&self, millis: u64);
    /// Never returns.
    async fn never(&self);
    /// Keeps what it gets, and never returns.
    async fn keep(&self, texts: Vec<String>);
    /// Panics, at once or after a wait.
    async fn panic(&self, at_once: bool) -> u8;
    /// Returns how long the caller still waits, in milliseconds.
    async fn left(&self) -> u64;
    /// Returns so many bytes.
    async fn bytes(&self, count: usize) -> Vec<u8>;
    /// Returns so many bytes, after a wait.
    async fn bytes_later(&self, count: usize) -> Vec<u8>;
    /// Counts up from 0, to `to`.
    fn count(&self, to: u64) -> impl Stream<Item = u64>;
    /// Sends one item, and then no other one.
    fn stall(&self) -> impl Stream<Item = u64>;
    /// Sends the letters of a text.
    fn letters(&self, text: String) -> impl Stream<Item = char>;
    /// Adds up, on a thread of its own.
    #[rpc(blocking)]
    fn sum(&self, numbers: Vec<u64>) -> u64;
    /// Divides, on a thread of its own.
    #[rpc(blocking)]
    fn divide_slowly(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError>;
    /// Blocks its thread until it is released.
    #[rpc(blocking)]
    fn block(&self);
    /// Keeps a line.
    #[rpc(one_way)]
    async fn note(&self, line: String);
    /// Keeps a line after a while.
    #[rpc(one_way)]
    async fn note_later(&self, line: String);
    /// Nothing in, nothing out.
    async fn nothing(&self);
}

/// What a [`Kinds`] has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) begun: AtomicUsize,
    pub(crate) dropped: AtomicUsize,
    pub(crate) produced: AtomicU64,
    pub(crate) release: AtomicBool,
    pub(crate) lines: Mutex<Vec<String>>,
    /// Notified whenever something above has changed.
    pub(crate) changed: Notify,
}

impl Seen {
    /// Returns when `condition` holds.
    pub(crate) async fn until(&self, condition: impl Fn(&Seen) -> bool) {
        loop {
            let changed = self.changed.notified();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    pub(crate) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub(crate) fn produced(&self) -> u64 {
        self.produced.load(Ordering::SeqCst)
    }
}

/// Counts when it is made and dropped.
struct Watched<'a>(&'a Seen);

impl Watched<'_> {
    fn new(seen: &Seen) -> Watched<'_> {
        seen.begun.fetch_add(1, Ordering::SeqCst);
        seen.changed.notify_waiters();
        Watched(seen)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

/// The implementation.
#[derive(Debug, Clone)]
pub(crate) struct Doer(pub(crate) Arc<Seen>);

impl Default for Doer {
    fn default() -> Doer {
        end_at_a_hole();
        Doer(Arc::default())
    }
}

/// From now on a hole of the part ends the process, which says which task it is. A call that
/// comes to a hole does nothing, and a test would wait for what it does for ever.
fn end_at_a_hole() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let message = info.payload_as_str().unwrap_or_default();
            let Some(hole) = message.strip_prefix("not yet implemented: ") else {
                return previous(info);
            };
            // `eprintln!` would go to the test, which keeps what it prints until its end.
            let _ = writeln!(io::stderr(), "this is still a hole: {hole}");
            std::process::exit(1);
        }));
    });
}

impl Kinds for Doer {
    async fn echo(&self, text: String) -> String {
        text
    }

    async fn divide(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError> {
        let result = dividend.checked_div(divisor);
        result.ok_or(DivideError::ByZero { dividend })
    }

    async fn sleep(&self, millis: u64) {
        let _watched = Watched::new(&self.0);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    async fn never(&self) {
        let _watched = Watched::new(&self.0);
        pending().await
    }

    async fn keep(&self, texts: Vec<String>) {
        let _watched = Watched::new(&self.0);
        pending::<()>().await;
        drop(texts);
    }

    async fn panic(&self, at_once: bool) -> u8 {
        if !at_once {
            tokio::task::yield_now().await;
        }
        panic!("as it was asked to")
    }

    async fn left(&self) -> u64 {
        let left = rpc::left().expect("a method runs");
        u64::try_from(left.as_millis()).unwrap()
    }

    async fn bytes(&self, count: usize) -> Vec<u8> {
        let _watched = Watched::new(&self.0);
        vec![7; count]
    }

    async fn bytes_later(&self, count: usize) -> Vec<u8> {
        tokio::task::yield_now().await;
        self.bytes(count).await
    }

    fn count(&self, to: u64) -> impl Stream<Item = u64> {
        let seen = &self.0;
        futures_util::stream::iter((0..to).inspect(|_| {
            seen.produced.fetch_add(1, Ordering::SeqCst);
            seen.changed.notify_waiters();
        }))
    }

    fn stall(&self) -> impl Stream<Item = u64> {
        let watched = Watched::new(&self.0);
        futures_util::stream::unfold(Some(watched), |first| async {
            let watched = first?;
            if watched.0.produced.fetch_add(1, Ordering::SeqCst) == 0 {
                return Some((0, Some(watched)));
            }
            pending().await
        })
    }

    fn letters(&self, text: String) -> impl Stream<Item = char> {
        let watched = Watched::new(&self.0);
        let letters: Vec<_> = text.chars().collect();
        futures_util::stream::iter(letters).inspect(move |_| {
            let _ = &watched;
        })
    }

    fn sum(&self, numbers: Vec<u64>) -> u64 {
        numbers.iter().sum()
    }

    fn divide_slowly(&self, dividend: i64, divisor: i64) -> Result<i64, DivideError> {
        let result = dividend.checked_div(divisor);
        result.ok_or(DivideError::ByZero { dividend })
    }

    fn block(&self) {
        let _watched = Watched::new(&self.0);
        while !self.0.release.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }

    async fn note_later(&self, line: String) {
        let _watched = Watched::new(&self.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.note(line).await;
    }

    async fn note(&self, line: String) {
        self.0.lines.lock().unwrap().push(line);
        self.0.changed.notify_waiters();
    }

    async fn nothing(&self) {}
}

/// A server of [`Kinds`], to which clients connect in memory.
pub(crate) struct Place {
    pub(crate) server: Arc<Server>,
    pub(crate) seen: Arc<Seen>,
    /// Completes when the server shall stop.
    pub(crate) stop: Arc<Notify>,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Place {
    pub(crate) fn new(settings: ServerSettings) -> Place {
        let doer = Doer::default();
        let seen = Arc::clone(&doer.0);
        let server = Server::new(settings)
            .with_service(KindsServer::new(doer))
            .unwrap();
        Place {
            server: Arc::new(server),
            seen,
            stop: Arc::new(Notify::new()),
            connections: Arc::default(),
        }
    }

    /// Serves a connection whose other end is the test's.
    pub(crate) fn serve(&self, theirs: DuplexStream) {
        let (server, stop) = (Arc::clone(&self.server), Arc::clone(&self.stop));
        tokio::spawn(serve(server, stop, theirs));
    }

    /// Returns how many connections its clients have made.
    pub(crate) fn connected(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns a client, which connects as often as it likes.
    pub(crate) fn client(&self, settings: ClientSettings) -> Client {
        let (server, stop) = (Arc::clone(&self.server), Arc::clone(&self.stop));
        let connections = Arc::clone(&self.connections);
        client_over(settings, move || {
            connections.fetch_add(1, Ordering::SeqCst);
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            tokio::spawn(serve(Arc::clone(&server), Arc::clone(&stop), theirs));
            async { Ok(tokio::io::split(ours)) }
        })
    }

    pub(crate) fn kinds(&self) -> KindsClient {
        KindsClient::new(self.client(ClientSettings::default()))
    }
}

/// Returns a client over what `connect` returns.
pub(crate) fn client_over<F>(
    settings: ClientSettings,
    connect: impl Fn() -> F + Send + 'static,
) -> Client
where
    F: Future<Output = io::Result<(ReadHalf<DuplexStream>, WriteHalf<DuplexStream>)>>
        + Send
        + 'static,
{
    end_at_a_hole();
    Client::over(Tcp::over(settings, connect), settings.patience)
}

async fn serve(server: Arc<Server>, stop: Arc<Notify>, theirs: DuplexStream) {
    let (incoming, outgoing) = tokio::io::split(theirs);
    let stop = async { stop.notified().await };
    server.serve_connection(incoming, outgoing, stop).await;
}

/// The server's end of a connection, for a test that decides about every byte.
pub(crate) struct Scripted {
    frames: FrameReader<ReadHalf<DuplexStream>>,
    pub(crate) outgoing: WriteHalf<DuplexStream>,
}

impl Scripted {
    /// Returns the next message; `None` when the client has closed the connection.
    pub(crate) async fn message(&mut self) -> Option<(ToServer, Bytes)> {
        let frame = self.frames.next(Duration::MAX).await.unwrap()?;
        Some(get(frame).unwrap())
    }

    /// Returns the next call; what else comes is dropped.
    pub(crate) async fn call(&mut self) -> Option<Called> {
        loop {
            let (message, body) = self.message().await?;
            match message {
                ToServer::Call(call) => {
                    return Some(Called {
                        id: call.id,
                        credit: call.credit,
                        patience: Duration::from_millis(call.patience_ms.into()),
                        trace: call.trace,
                        body,
                    });
                }
                ToServer::Ping => self.send(&whole(ToClient::Pong)).await,
                _ => {}
            }
        }
    }

    pub(crate) async fn send(&mut self, frame: &[u8]) {
        // A client that is gone is the test's own matter.
        let _ = self.outgoing.write_all(frame).await;
    }
}

/// A call, as a [`Scripted`] server gets it.
pub(crate) struct Called {
    pub(crate) id: CallId,
    pub(crate) credit: u32,
    pub(crate) patience: Duration,
    pub(crate) trace: u64,
    pub(crate) body: Bytes,
}

/// Returns the frame of a message without a body.
pub(crate) fn whole(message: ToClient) -> Vec<u8> {
    with_body(message, b"")
}

/// Returns the frame of a message.
pub(crate) fn with_body(message: ToClient, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    put(&message, body, &mut frame);
    frame
}

/// Returns the frame of a reply whose method has returned.
pub(crate) fn value(id: CallId, body: &[u8]) -> Vec<u8> {
    with_body(ToClient::Reply(id, Ok(Side::Value)), body)
}

/// Returns a client; each of its connections is served by what `script` returns.
pub(crate) fn scripted<F>(
    settings: ClientSettings,
    script: impl Fn(Scripted) -> F + Send + Sync + 'static,
) -> Client
where
    F: Future<Output = ()> + Send + 'static,
{
    let script = Arc::new(script);
    client_over(settings, move || {
        let script = Arc::clone(&script);
        let (ours, theirs) = tokio::io::duplex(4096);
        let (incoming, outgoing) = tokio::io::split(theirs);
        let mut scripted = Scripted {
            frames: FrameReader::new(incoming, 1 << 20),
            outgoing,
        };
        tokio::spawn(async move {
            scripted.send(&whole(ToClient::Hello(Hello::OURS))).await;
            script(scripted).await;
        });
        async { io::Result::Ok(tokio::io::split(ours)) }
    })
}
