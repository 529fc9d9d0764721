//! Streams: what a job is defined with.

use std::hash::Hash;

use message_model::Timestamp;

use crate::chain::{Begin, Chain, FlatMap};
use crate::counter::{Counted, Counter};
use crate::deploy::{FromEdges, Head, Outlet, ToSink};
use crate::event_time::{EventTime, OutOfOrder};
use crate::exchange::{Edge, Route};
use crate::job::{Job, Ship};
use crate::key::{Grouped, KeyBy};
use crate::keyed_stream::KeyedStream;
use crate::memory_sink::Nowhere;
use crate::operator_id::OperatorId;
use crate::side::{SidePort, Split};
use crate::sink::Sink;

/// Records on their way, as they are defined: from the head of a task through its operators
/// so far. Whatever takes a stream decides where it goes.
#[must_use = "a stream that nothing takes goes nowhere"]
#[derive(Debug)]
pub struct Stream<H, C> {
    job: Job,
    head: H,
    chain: C,
    operators: Vec<OperatorId>,
    inputs: Vec<usize>,
    /// The edges of side outputs.
    sides: Vec<usize>,
}

/// A stream, and the side output of its last operator.
pub type WithSide<H, C, E> = (Stream<H, C>, EdgeStream<E>);

/// The records of an edge.
pub type EdgeStream<T> = Stream<FromEdges<T>, Begin<T>>;

impl<H: Head> Stream<H, Begin<H::Item>> {
    pub(crate) fn begin(
        job: Job,
        head: H,
        (operators, inputs): (Vec<OperatorId>, Vec<usize>),
    ) -> Stream<H, Begin<H::Item>> {
        Stream {
            job,
            head,
            chain: Begin::default(),
            operators,
            inputs,
            sides: Vec::new(),
        }
    }
}

impl<T: Send + 'static> EdgeStream<T> {
    /// What comes from edges, which are connected to the tasks that send on them already.
    pub(crate) fn of_edges(job: Job, edges: Vec<Edge<T>>) -> EdgeStream<T> {
        let inputs = edges.iter().map(|edge| edge.number).collect();
        Stream::begin(job, FromEdges { edges }, (Vec::new(), inputs))
    }
}

impl<H: Head, C: Chain<In = H::Item>> Stream<H, C> {
    /// Each record becomes another.
    pub fn map<U: Send + 'static>(
        self,
        id: impl Into<OperatorId>,
        make: impl Fn(C::Out) -> U + Clone + Send + 'static,
    ) -> Stream<H, impl Chain<In = H::Item, Out = U>> {
        self.flat_map(id, move |value| Some(make(value)))
    }

    /// Only the records that are wanted go on.
    pub fn filter(
        self,
        id: impl Into<OperatorId>,
        wanted: impl Fn(&C::Out) -> bool + Clone + Send + 'static,
    ) -> Stream<H, impl Chain<In = H::Item, Out = C::Out>> {
        self.flat_map(id, move |value| wanted(&value).then_some(value))
    }

    /// Each record becomes any number of others.
    pub fn flat_map<F, I>(self, id: impl Into<OperatorId>, make: F) -> Stream<H, FlatMap<C, F>>
    where
        F: Fn(C::Out) -> I + Clone + Send + 'static,
        I: IntoIterator<Item: Send + 'static>,
    {
        let id = self.job.name(id);
        self.then(id, |before| FlatMap { before, make })
    }

    /// The good results go on, the bad ones go to a side output.
    pub fn split<F, T, E>(
        mut self,
        id: impl Into<OperatorId>,
        sort: F,
    ) -> WithSide<H, Split<C, F, E>, E>
    where
        F: Fn(C::Out) -> Result<T, E> + Clone + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let id = self.job.name(id);
        let (port, bad) = self.side(&id);
        let side = port;
        let good = self.then(id, |before| Split { before, sort, side });
        (good, bad)
    }

    /// Counts the records that pass.
    pub fn counted(self, id: impl Into<OperatorId>, counter: Counter) -> Stream<H, Counted<C>> {
        let id = self.job.name(id);
        let name = id.clone();
        self.then(id, |before| Counted::new(before, name, counter))
    }

    /// Says when each record happened, and makes the watermarks: how far event time has come.
    pub fn event_time<F>(
        self,
        id: impl Into<OperatorId>,
        order: OutOfOrder,
        time_of: F,
    ) -> Stream<H, EventTime<C, F>>
    where
        F: Fn(&C::Out) -> Timestamp + Clone + Send + 'static,
    {
        let id = self.job.name(id);
        let name = id.clone();
        self.then(id, |before| EventTime::new(before, name, time_of, order))
    }

    /// Divides the records by key: those of a key go to the same subtask, in their order.
    pub fn key_by<F, K>(self, key: F) -> KeyedStream<K, C::Out>
    where
        F: Fn(&C::Out) -> K + Clone + Send + 'static,
        K: Hash + Send + 'static,
    {
        let keyed = Stream {
            chain: KeyBy {
                before: self.chain,
                key,
                groups: 1,
            },
            job: self.job,
            head: self.head,
            operators: self.operators,
            inputs: self.inputs,
            sides: self.sides,
        };
        KeyedStream::new(keyed.exchange(Ship::ByKey, Route::ByGroup(Grouped::group)))
    }

    /// Divides the records among all subtasks, in no order. What keeps a source busy can then be
    /// done by several.
    pub fn rebalance(self) -> EdgeStream<C::Out> {
        self.exchange(Ship::InTurn, Route::InTurn)
    }

    /// The records of both, each in its own order.
    pub fn union<G, D>(self, other: Stream<G, D>) -> EdgeStream<C::Out>
    where
        G: Head,
        D: Chain<In = G::Item, Out = C::Out>,
    {
        let job = self.job.clone();
        let edges = vec![self.straight(), other.straight()];
        EdgeStream::of_edges(job, edges)
    }

    /// Every record twice.
    pub fn fork(self) -> (EdgeStream<C::Out>, EdgeStream<C::Out>)
    where
        C::Out: Clone,
    {
        let job = self.job.clone();
        let edge = || job.edge(self.last(), Ship::Straight, Route::Straight);
        let (one, two) = (edge(), edge());
        let numbers = vec![one.number, two.number];
        self.finish((one.clone(), two.clone()), numbers);
        let stream = |edge| EdgeStream::of_edges(job.clone(), vec![edge]);
        (stream(one), stream(two))
    }

    /// The records go to a sink.
    pub fn sink<S: Sink<Item = C::Out>>(mut self, id: impl Into<OperatorId>, sink: S) {
        let id = self.job.name(id);
        self.operators.push(id.clone());
        self.finish(ToSink { id, sink }, Vec::new());
    }

    /// Drops the records.
    pub fn discard(self, id: impl Into<OperatorId>) {
        self.sink(id, Nowhere::default());
    }

    /// The same stream with an operator more.
    pub(crate) fn then<D>(mut self, id: OperatorId, add: impl FnOnce(C) -> D) -> Stream<H, D> {
        self.operators.push(id);
        Stream {
            job: self.job,
            head: self.head,
            chain: add(self.chain),
            operators: self.operators,
            inputs: self.inputs,
            sides: self.sides,
        }
    }

    /// A side output of the operator that comes next.
    pub(crate) fn side<T: Send + 'static>(
        &mut self,
        id: &OperatorId,
    ) -> (SidePort<T>, EdgeStream<T>) {
        let edge = self.job.edge(id.clone(), Ship::Side, Route::Straight);
        self.sides.push(edge.number);
        let stream = EdgeStream::of_edges(self.job.clone(), vec![edge.clone()]);
        (SidePort::new(edge), stream)
    }

    /// The last operator so far.
    fn last(&self) -> OperatorId {
        let last = self.operators.last().cloned();
        last.unwrap_or_else(|| OperatorId::from("union"))
    }

    fn straight(self) -> Edge<C::Out> {
        let edge = self.job.edge(self.last(), Ship::Straight, Route::Straight);
        let number = edge.number;
        self.finish(edge.clone(), vec![number]);
        edge
    }

    fn exchange(self, ship: Ship, route: Route<C::Out>) -> EdgeStream<C::Out> {
        let job = self.job.clone();
        let edge = job.edge(self.last(), ship, route);
        let number = edge.number;
        self.finish(edge.clone(), vec![number]);
        EdgeStream::of_edges(job, vec![edge])
    }

    /// The task ends here.
    fn finish<O: Outlet<In = C::Out>>(self, outlet: O, mut outputs: Vec<usize>) {
        outputs.extend(self.sides);
        let (edges, parts) = ((self.inputs, outputs), (self.head, self.chain, outlet));
        self.job.task(self.operators, edges, parts);
    }
}

impl<H, C> Stream<H, C> {
    pub(crate) fn job(&self) -> &Job {
        &self.job
    }
}
