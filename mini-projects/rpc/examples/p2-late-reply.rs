//! Writes the trace of the page's moving figure of a late reply: the reader carries the messages
//! of a connection, lets a method return, and lets deadlines pass.
//!
//! The client's side is the part's [`CallPath`]; the server's side is a whole [`Server`].

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_model::Clock;
use bytes::Bytes;
use figure_trace::{States, Story};
use futures_util::FutureExt as _;
use message_model::Moment;
use networking::FrameReader;
use rpc::{
    Call, CallId, CallPath, Codec as _, Hello, Postcard, Received, Server, ServerSettings, Side,
    Target, ToClient, ToServer, get, name_id, put, whole_millis,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::advance;

/// How long a caller waits.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the first call travels. So its deadline passes on the server a little later.
const TRIP: Duration = Duration::from_millis(20);
/// How many calls may be in flight. A path has twice as many slots.
const LIMIT: usize = 1;
/// Each of them calls once, in this order.
const CALLERS: [&str; 3] = ["Anna", "Ben", "Chen"];
/// After so many turns every task of the server waits.
const TURNS: usize = 20;
/// More than any message has.
const BYTES: usize = 1024;

#[rpc::service]
trait Shop {
    /// Returns when the reader of the figure wants.
    async fn slow(&self) -> u32;
    /// Returns at once.
    async fn quick(&self) -> u32;
}

/// Where the slow method is.
struct Slow {
    may_return: Notify,
    is: Mutex<&'static str>,
}

impl Slow {
    fn is(&self) -> MutexGuard<'_, &'static str> {
        self.is.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shop for Arc<Slow> {
    async fn slow(&self) -> u32 {
        let _runs = Runs(self);
        *self.is() = "runs";
        self.may_return.notified().await;
        *self.is() = "returned";
        1
    }

    async fn quick(&self) -> u32 {
        2
    }
}

/// Notes when the method is dropped before it returns.
struct Runs<'a>(&'a Slow);

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        let mut is = self.0.is();
        if *is == "runs" {
            *is = "stopped";
        }
    }
}

/// A server, and the client's end of its only connection.
struct Remote {
    runtime: Runtime,
    clock: Clock,
    slow: Arc<Slow>,
    outgoing: WriteHalf<DuplexStream>,
    incoming: FrameReader<ReadHalf<DuplexStream>>,
}

impl Remote {
    fn new() -> Remote {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let slow = Arc::new(Slow {
            may_return: Notify::new(),
            is: Mutex::new("not begun"),
        });
        let service = ShopServer::new(Arc::clone(&slow));
        let server = Server::new(ServerSettings::default()).with_service(service);
        let server = Arc::new(server.expect("one service"));
        let (ours, theirs) = duplex(BYTES);
        let (incoming, outgoing) = split(theirs);
        runtime.spawn(async { server.serve_connection(incoming, outgoing, pending()).await });
        let (incoming, outgoing) = split(ours);
        Remote {
            clock: runtime.block_on(async { Clock::start() }),
            runtime,
            slow,
            outgoing,
            incoming: FrameReader::new(incoming, BYTES),
        }
    }

    fn now(&self) -> Moment {
        self.runtime.block_on(async { self.clock.now() })
    }

    /// Lets time pass, and then lets the server do what it can; returns what it sends.
    fn run(&mut self, time: Duration) -> Vec<Bytes> {
        let incoming = &mut self.incoming;
        self.runtime.block_on(async {
            advance(time).await;
            for _ in 0..TURNS {
                yield_now().await;
            }
            let next = || incoming.next(PATIENCE).now_or_never();
            let payloads = std::iter::from_fn(next);
            payloads
                .map(|read| read.expect("whole frames").expect("an open connection"))
                .collect()
        })
    }

    fn receive(&mut self, frame: &[u8]) -> Vec<Bytes> {
        let written = self.outgoing.write_all(frame);
        self.runtime.block_on(written).expect("an open connection");
        self.run(Duration::ZERO)
    }
}

/// A frame with a message.
fn frame(message: &impl Serialize) -> Vec<u8> {
    let mut frame = Vec::new();
    put(message, &[], &mut frame);
    frame
}

/// One order of what happens, and what has come of it.
struct History {
    path: CallPath<&'static str>,
    server: Remote,
    /// Under way, with their names.
    to_server: VecDeque<(String, Vec<u8>)>,
    to_client: VecDeque<(String, ToClient)>,
    /// The calls in flight, as the path has said.
    in_flight: Vec<(CallId, &'static str)>,
    /// How each call has ended so far.
    ends: Vec<&'static str>,
    last: &'static str,
    /// The caller that the last step is about.
    who: &'static str,
    /// What the path has returned in the last step.
    says: String,
}

impl History {
    /// The first call has arrived at the server, where its method runs.
    fn new() -> History {
        let mut history = History {
            path: CallPath::new(CallId::ONE_WAY, LIMIT),
            server: Remote::new(),
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            in_flight: Vec::new(),
            ends: Vec::new(),
            last: "",
            who: "",
            says: String::new(),
        };
        let greeting = history
            .server
            .receive(&frame(&ToServer::Hello(Hello::OURS)));
        history.came(greeting);
        history.receive();
        history.call("slow");
        let replies = history.server.run(TRIP);
        history.came(replies);
        history.arrive();
        history.last = "begins";
        history.says.clear();
        history
    }

    /// The next caller calls a method.
    fn call(&mut self, method: &str) {
        let caller = CALLERS[self.ends.len()];
        let deadline = self.server.now().plus(PATIENCE);
        let called = self.path.call(deadline, 0, caller);
        self.says = format!("{called:?}");
        let (id, _) = called.expect("there is room");
        let message = ToServer::Call(Call {
            id,
            patience_ms: whole_millis(PATIENCE),
            credit: 0,
            target: Target {
                service: name_id("Shop"),
                method: name_id(method),
                codec: Postcard::ID,
            },
            trace: 0,
        });
        self.send(format!("Call {}", id.0), &message);
        self.in_flight.push((id, caller));
        self.ends.push("waits");
        (self.last, self.who) = ("called", caller);
    }

    fn send(&mut self, name: String, message: &ToServer) {
        self.to_server.push_back((name, frame(message)));
    }

    /// The server has sent this.
    fn came(&mut self, payloads: Vec<Bytes>) {
        for payload in payloads {
            let (message, _) = get(payload).expect("a message");
            let name = match message {
                ToClient::Reply(id, Ok(Side::Value)) => format!("Reply {}", id.0),
                ToClient::Reply(id, Err(error)) => format!("Reply {} {error:?}", id.0),
                _ => String::new(),
            };
            self.to_client.push_back((name, message));
        }
    }

    /// The oldest message under way arrives at the server.
    fn arrive(&mut self) {
        let (name, frame) = self.to_server.pop_front().expect("one is under way");
        let before = *self.server.slow.is();
        let replies = self.server.receive(&frame);
        self.last = match (name.starts_with("Call"), before, *self.server.slow.is()) {
            (true, ..) => "answered",
            (_, "runs", "stopped") => "stopped",
            _ => "nothing to stop",
        };
        self.who = "";
        self.says.clear();
        self.came(replies);
    }

    /// The oldest message under way arrives at the client.
    fn receive(&mut self) {
        let (_, message) = self.to_client.pop_front().expect("one is under way");
        let received = self.path.receive(message);
        self.says = format!("{received:?}");
        match received {
            Received::Reply(caller, Ok(Side::Value)) => {
                self.ended(caller, "value");
                (self.last, self.who) = ("replied", caller);
            }
            Received::Nothing => {
                let slot = match message {
                    ToClient::Reply(id, _) => self.slot(slot_of(id)),
                    _ => None,
                };
                self.last = match slot {
                    Some(_) => "late, slot taken",
                    None => "late, slot empty",
                };
                self.who = slot.map_or("", |(_, caller)| caller);
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// Time passes until a call ends.
    fn wait(&mut self) {
        let before = *self.server.slow.is();
        loop {
            let due = self.path.next_deadline().expect("a call is in flight");
            let replies = self.server.run(due.since(self.server.now()));
            self.came(replies);
            let overdue = self.path.expire(due);
            self.says = format!("{overdue:?}");
            for &(id, caller) in &overdue {
                self.send(format!("Cancel {}", id.0), &ToServer::Cancel(id));
                self.ended(caller, "DeadlinePassed");
                self.who = caller;
            }
            if !overdue.is_empty() {
                break;
            }
        }
        self.last = match (before, *self.server.slow.is()) {
            ("runs", "stopped") => "both deadlines",
            _ => "deadline",
        };
    }

    fn ended(&mut self, caller: &str, end: &'static str) {
        self.in_flight.retain(|(_, there)| *there != caller);
        let index = CALLERS.iter().position(|there| *there == caller);
        self.ends[index.expect("one of them")] = end;
    }

    /// The call in a slot.
    fn slot(&self, index: u32) -> Option<(CallId, &'static str)> {
        let mut calls = self.in_flight.iter();
        calls.find(|(id, _)| slot_of(*id) == index).copied()
    }
}

/// The lowest bit of the id is the index of the slot: a path for one call has two.
fn slot_of(id: CallId) -> u32 {
    id.0 & 1
}

/// Whether a message answers the call that the figure is about.
fn is_first_reply((_, message): &(String, ToClient)) -> bool {
    matches!(message, ToClient::Reply(CallId(1), _))
}

impl Story for History {
    type Step = &'static str;

    fn moves(&self) -> Vec<&'static str> {
        let has_room = self.path.in_flight() < LIMIT;
        let runs = *self.server.slow.is() == "runs";
        let may_call = self.ends.len() < CALLERS.len();
        let is_open = runs || self.to_client.iter().any(is_first_reply);
        [
            ("return", runs),
            ("deadline", is_open && !has_room && may_call),
            ("to server", !self.to_server.is_empty()),
            ("to client", !self.to_client.is_empty()),
            ("call", is_open && has_room && may_call),
        ]
        .into_iter()
        .filter_map(|(step, can_be)| can_be.then_some(step))
        .collect()
    }

    fn make(&mut self, step: &str) {
        match step {
            "return" => {
                self.server.slow.may_return.notify_one();
                let replies = self.server.run(Duration::ZERO);
                self.came(replies);
                (self.last, self.who) = ("returned", "");
                self.says.clear();
            }
            "deadline" => self.wait(),
            "to server" => self.arrive(),
            "to client" => self.receive(),
            _ => self.call("quick"),
        }
    }

    fn is(&self) -> Value {
        assert_eq!(self.path.in_flight(), self.in_flight.len());
        let up: Vec<_> = self.to_server.iter().map(|(name, _)| name).collect();
        let down: Vec<_> = self.to_client.iter().map(|(name, _)| name).collect();
        let [slot0, slot1] = [0, 1].map(|index| {
            let call = self.slot(index);
            call.map_or(String::new(), |(id, caller)| format!("{} {caller}", id.0))
        });
        let [anna, ben, chen] = [0, 1, 2].map(|index| self.ends.get(index).unwrap_or(&""));
        let millis = |moment: Moment| moment.since(Moment::START).as_millis().to_string();
        json!({
            "now": millis(self.server.now()),
            "rings": self.path.next_deadline().map_or(String::new(), millis),
            "last": self.last, "who": self.who, "says": self.says,
            "slot0": slot0, "slot1": slot1, "taken": self.path.in_flight(),
            "up": up, "down": down, "method": *self.server.slow.is(),
            "anna": anna, "ben": ben, "chen": chen,
        })
    }
}

/// Returns the trace: all that can follow on a call whose method runs.
pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let start = states.of(History::new);
    json!({"starts": {"": start}, "states": states.by_name()})
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("{}", trace());
}
