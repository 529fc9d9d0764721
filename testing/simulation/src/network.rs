//! Connections between clients and the broker: messages take time, and connections break.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::oneshot;

use crate::exchange::Exchange;
use crate::node::{ConnectionId, Leaving, Node};
use crate::record::Recorder;
use crate::request::{Request, Response};
use crate::sim::Sim;

/// How long a client waits for an answer, in milliseconds.
const PATIENCE: u64 = 400;
/// How often a client tries to connect, in milliseconds.
const RETRY: u64 = 7;

/// The network. Clones are the same network.
#[derive(Clone)]
pub(crate) struct Network(Rc<Shared>);

struct Shared {
    sim: Sim,
    recorder: Recorder,
    delay_max: u64,
    cut_once_in: Cell<u64>,
    /// The broker, while it listens or is about to.
    node: RefCell<Option<Node>>,
    connections: RefCell<BTreeMap<ConnectionId, Connection>>,
}

/// A connection as the network sees it. The broker's end of it closes later than the client's.
#[derive(Default)]
struct Connection {
    is_up: bool,
    /// When the last request arrives that was sent.
    arrives: u64,
    /// When the last answer arrives that was sent.
    answered: u64,
    /// What was sent on it and arrives no more.
    is_lost: bool,
    waiting: BTreeMap<u64, oneshot::Sender<Response>>,
    /// Requests that the broker has, and the number of the moment when each arrived.
    at_broker: BTreeMap<u64, (u64, Request)>,
}

/// No answer came, or the request could not be sent. It may have been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost;

/// An answer that is awaited.
pub(crate) type Awaited = oneshot::Receiver<Response>;

impl Network {
    pub(crate) fn new(sim: &Sim, recorder: &Recorder, delay_max: u64, cut_once_in: u64) -> Network {
        Network(Rc::new(Shared {
            sim: sim.clone(),
            recorder: recorder.clone(),
            delay_max,
            cut_once_in: Cell::new(cut_once_in),
            node: RefCell::new(None),
            connections: RefCell::default(),
        }))
    }

    /// From now on no connection breaks by itself.
    pub(crate) fn calm(&self) {
        self.0.cut_once_in.set(u64::MAX);
    }

    /// The broker is there.
    pub(crate) fn attach(&self, node: Node) {
        *self.0.node.borrow_mut() = Some(node);
    }

    /// Returns what `act` makes of the broker; `None` if there is none.
    pub(crate) fn with_node<T>(&self, act: impl FnOnce(&mut Node) -> T) -> Option<T> {
        self.0.node.borrow_mut().as_mut().map(act)
    }

    /// The broker is gone, and all connections break.
    pub(crate) fn detach(&self) -> Option<Node> {
        let node = self.0.node.borrow_mut().take();
        let all: Vec<_> = self.0.connections.borrow().keys().copied().collect();
        for connection in all {
            self.break_off(connection);
        }
        self.0.connections.borrow_mut().clear();
        node
    }

    fn delay(&self) -> u64 {
        self.0.sim.pick(0..self.0.delay_max + 1)
    }

    fn breaks(&self) -> bool {
        self.0.sim.once_in(self.0.cut_once_in.get())
    }

    fn with<T>(
        &self,
        connection: ConnectionId,
        act: impl FnOnce(&mut Connection) -> T,
    ) -> Option<T> {
        self.0
            .connections
            .borrow_mut()
            .get_mut(&connection)
            .map(act)
    }

    fn connect(&self) -> Option<ConnectionId> {
        self.with_node(|node| node.is_ready())
            .filter(|is_ready| *is_ready)?;
        let id = self.0.sim.number();
        let connection = Connection {
            is_up: true,
            ..Connection::default()
        };
        self.0.connections.borrow_mut().insert(id, connection);
        Some(id)
    }

    fn send(&self, connection: ConnectionId, request: Request) -> Result<Awaited, Lost> {
        let (number, now) = (self.0.sim.number(), self.0.sim.now());
        let delay = self.delay();
        let sent = self.with(connection, |one| {
            let (sender, awaited) = oneshot::channel();
            one.arrives = one.arrives.max(now + delay);
            one.waiting.insert(number, sender);
            one.is_up.then_some((awaited, one.arrives))
        });
        let (awaited, arrives) = sent.flatten().ok_or(Lost)?;
        let network = self.clone();
        self.0
            .sim
            .at(arrives, move || network.arrive(connection, number, request));
        if self.breaks() {
            let (network, delay) = (self.clone(), self.delay());
            self.0.sim.at(now + delay, move || {
                network.break_off(connection);
            });
        }
        Ok(awaited)
    }

    /// A request arrives at the broker.
    fn arrive(&self, connection: ConnectionId, number: u64, request: Request) {
        let sim = &self.0.sim;
        let is_taken = self.with(connection, |one| {
            let arrived = sim.number();
            one.at_broker.insert(number, (arrived, request.clone()));
            !one.is_lost
        });
        if is_taken == Some(true) {
            sim.note(|| format!("c{connection} -> {}", crate::show::request(&request)));
            self.with_node(|node| node.deliver(connection, number, request));
        }
    }

    /// Sends on what has left the broker.
    pub(crate) fn carry(&self, (connection, number, response): Leaving) {
        let (sim, delay) = (&self.0.sim, self.delay());
        let left = sim.number();
        sim.note(|| format!("c{connection} <- {}", crate::show::response(&response)));
        let sent = self.with(connection, |one| {
            one.answered = one.answered.max(sim.now() + delay);
            (one.at_broker.remove(&number), one.answered)
        });
        let Some((request, arrives)) = sent else {
            return;
        };
        if let Some((arrived, request)) = request {
            self.0
                .recorder
                .exchange(Exchange::new((arrived, left), request, &response));
        }
        let network = self.clone();
        sim.at(arrives, move || {
            let waiting = network.with(connection, |one| one.waiting.remove(&number));
            if let Some(waiting) = waiting.flatten() {
                // The client may have stopped waiting.
                let _ = waiting.send(response);
            }
        });
        if self.breaks() {
            self.break_off(connection);
        }
    }

    /// A connection ends at the client's end, and later at the broker's. What is on its way to
    /// the broker may still arrive.
    fn break_off(&self, connection: ConnectionId) -> u64 {
        let sim = &self.0.sim;
        let is_lost = sim.once_in(2);
        let delay = self.delay();
        let ends = self.with(connection, |one| {
            if !std::mem::replace(&mut one.is_up, false) {
                return None;
            }
            one.is_lost = is_lost;
            Some((
                std::mem::take(&mut one.waiting),
                one.arrives.max(sim.now()) + delay,
            ))
        });
        let Some((waiting, closes)) = ends.flatten() else {
            return sim.now();
        };
        sim.note(|| format!("c{connection} breaks"));
        drop(waiting);
        let network = self.clone();
        sim.at(closes, move || {
            network.with_node(|node| node.close(connection));
            network.0.connections.borrow_mut().remove(&connection);
        });
        closes
    }
}

/// A client's way to the broker: one connection after the other.
pub(crate) struct Link {
    network: Network,
    pub(crate) sim: Sim,
    connection: Option<ConnectionId>,
    /// When the broker has heard that the last connection has ended.
    closes: u64,
    /// A new connection begins when the broker has heard that the last one has ended.
    ///
    /// The protocol needs this for all but batches: an EndTxn that arrives late ends the next
    /// transaction. Real clients have a hole there, which is no fault of a broker.
    is_strict: bool,
}

impl Link {
    pub(crate) fn new(network: &Network, is_strict: bool) -> Link {
        Link {
            network: network.clone(),
            sim: network.0.sim.clone(),
            connection: None,
            closes: 0,
            is_strict,
        }
    }

    /// Completes when there is a connection.
    pub(crate) async fn connect(&mut self) {
        while self.connection.is_none() {
            if self.is_strict && self.closes > self.sim.now() {
                self.sim.sleep(self.closes - self.sim.now()).await;
            }
            self.connection = self.network.connect();
            if self.connection.is_none() {
                self.sim.sleep(RETRY).await;
            }
        }
    }

    /// Sends a request, on the connection that is there.
    pub(crate) fn send(&mut self, request: Request) -> Result<Awaited, Lost> {
        let connection = self.connection.ok_or(Lost)?;
        let sent = self.network.send(connection, request);
        if sent.is_err() {
            self.close();
        }
        sent
    }

    /// Waits for an answer. Without one the connection is closed.
    pub(crate) async fn answer(&mut self, awaited: Awaited) -> Result<Response, Lost> {
        let answer = self.sim.within(PATIENCE, awaited).await;
        let Some(Ok(answer)) = answer else {
            self.close();
            return Err(Lost);
        };
        Ok(answer)
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn call(&mut self, request: Request) -> Result<Response, Lost> {
        self.connect().await;
        let awaited = self.send(request)?;
        self.answer(awaited).await
    }

    /// Closes the connection. The next call opens another one.
    pub(crate) fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.closes = self.network.break_off(connection);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.close();
    }
}
