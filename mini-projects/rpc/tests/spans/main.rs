//! Spans of calls. This is a program of its own, since a test beside it without a subscriber
//! could say for all that nobody wants them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod log;

use std::sync::Arc;

use log::{Log, Span};
use rpc::{Call, CallId, Client, ClientSettings, Codec as _, Postcard, Server, ServerSettings};
use rpc::{Stream, Target, name_id};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Methods of all kinds.
#[rpc::service]
pub trait Waiting {
    /// Ends at once.
    async fn not_at_all(&self);
    /// Goes on in a task of its own.
    async fn a_while(&self);
    /// Ends at once, and nothing says so.
    #[rpc(one_way)]
    async fn unanswered(&self);
    /// Sends one item.
    fn one_item(&self) -> impl Stream<Item = u8>;
    /// Runs on a thread of its own.
    #[rpc(blocking)]
    fn on_a_thread(&self);
}

struct Waits(Arc<Notify>);

impl Waiting for Waits {
    async fn not_at_all(&self) {}

    async fn a_while(&self) {
        tokio::task::yield_now().await;
    }

    async fn unanswered(&self) {
        self.0.notify_one();
    }

    fn one_item(&self) -> impl Stream<Item = u8> {
        futures_util::stream::iter([7])
    }

    fn on_a_thread(&self) {}
}

/// A service that calls another one.
#[rpc::service]
pub trait Front {
    /// Calls at its first poll, and later.
    async fn pass_on(&self);
}

struct Passing(WaitingClient);

impl Front for Passing {
    async fn pass_on(&self) {
        self.0.not_at_all().await.unwrap();
        self.0.a_while().await.unwrap();
    }
}

/// Serves `server`, and returns a client of it.
async fn client_of(server: Server) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(server.serve(listener, std::future::pending()));
    Client::tcp(address, ClientSettings::default())
}

fn waits(ended: Arc<Notify>) -> Server {
    let server = Server::new(ServerSettings::default());
    let server = server.with_service(WaitingServer::new(Waits(ended)));
    server.unwrap()
}

/// The trace of the spans of `method`, which are one at either end.
fn trace(spans: &[Span], method: &str) -> String {
    let of_method: Vec<_> = spans.iter().filter(|span| span.method == method).collect();
    let mut ends: Vec<_> = of_method.iter().map(|span| &span.name[..]).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["call", "serve"], "{method}: {spans:?}");
    let [one, other] = of_method[..] else {
        unreachable!("they are two");
    };
    assert_eq!(one.trace, other.trace, "{method}");
    assert_eq!(one.trace.len(), 16, "{method}");
    assert_ne!(one.trace, "0000000000000000", "{method}");
    one.trace.clone()
}

#[tokio::test]
async fn both_ends_of_a_call_have_its_trace() {
    let (log, _guard) = Log::begin();
    let ended = Arc::new(Notify::new());
    let waiting = WaitingClient::new(client_of(waits(Arc::clone(&ended))).await);
    waiting.not_at_all().await.unwrap();
    waiting.a_while().await.unwrap();
    waiting.unanswered().await.unwrap();
    ended.notified().await;
    let mut items = waiting.one_item().await.unwrap();
    while let Some(item) = items.next().await {
        assert_eq!(item, Ok(7));
    }
    waiting.on_a_thread().await.unwrap();
    let spans = log.spans();
    let mut traces: Vec<_> = [
        "not_at_all",
        "a_while",
        "unanswered",
        "one_item",
        "on_a_thread",
    ]
    .iter()
    .map(|method| trace(&spans, method))
    .collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 5, "each call has a trace of its own");
}

#[tokio::test]
async fn calls_that_a_method_makes_have_its_trace() {
    let (log, _guard) = Log::begin();
    let waiting = WaitingClient::new(client_of(waits(Arc::default())).await);
    let front = Server::new(ServerSettings::default());
    let front = front.with_service(FrontServer::new(Passing(waiting)));
    let front = FrontClient::new(client_of(front.unwrap()).await);
    for _ in 0..2 {
        front.pass_on().await.unwrap();
        let spans = log.spans();
        let outer = trace(&spans, "pass_on");
        assert_eq!(trace(&spans, "not_at_all"), outer);
        assert_eq!(trace(&spans, "a_while"), outer);
    }
}

#[tokio::test]
async fn a_call_over_no_connection_has_the_trace_that_came_with_it_or_one_of_the_server() {
    let (log, _guard) = Log::begin();
    let waiting = WaitingClient::new(client_of(waits(Arc::default())).await);
    let front = Server::new(ServerSettings::default());
    let front = front.with_service(FrontServer::new(Passing(waiting)));
    let front = Arc::new(front.unwrap());
    let target = Target {
        service: name_id("Front"),
        method: name_id("pass_on"),
        codec: Postcard::ID,
    };
    for (came, written) in [(0xab, Some("00000000000000ab")), (0, None)] {
        let call = Call {
            id: CallId::ONE_WAY,
            patience_ms: 10_000,
            credit: 0,
            target,
            trace: came,
        };
        front.answer(&call, &[]).await.unwrap();
        let spans = log.spans();
        let serve = spans.iter().find(|span| span.method == "pass_on").unwrap();
        assert_eq!(serve.name, "serve");
        if let Some(written) = written {
            assert_eq!(serve.trace, written);
        }
        assert_eq!(trace(&spans, "not_at_all"), serve.trace);
        assert_eq!(trace(&spans, "a_while"), serve.trace);
    }
}
