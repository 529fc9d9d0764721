//! Outputs in the middle of a chain: what does not go on to the next operator.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::chain::Chain;
use crate::element::{Barrier, Element, Record, Step};
use crate::error::Error;
use crate::exchange::{Edge, Exchange};
use crate::output::Output;
use crate::snapshot::{Opening, Snapshot};

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// A side output, as its task sees it.
pub(crate) trait SideOutput: fmt::Debug + Send {
    /// Gives away what is full, or everything.
    fn flush(&mut self, everything: bool) -> Waiting<'_>;
    /// A barrier has come behind everything so far.
    fn barrier(&mut self, barrier: Barrier) -> Waiting<'_>;
}

/// Steps from the operator to its side output.
type Buffer<T> = Arc<Mutex<Vec<Step<T>>>>;

/// A side output, as its operator sees it.
pub(crate) struct SidePort<T> {
    edge: Edge<T>,
    buffer: Buffer<T>,
}

impl<T> fmt::Debug for SidePort<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SidePort({:?})", self.edge)
    }
}

impl<T> Clone for SidePort<T> {
    fn clone(&self) -> SidePort<T> {
        SidePort::new(self.edge.clone())
    }
}

impl<T> SidePort<T> {
    pub(crate) fn new(edge: Edge<T>) -> SidePort<T> {
        SidePort {
            edge,
            buffer: Arc::default(),
        }
    }

    pub(crate) fn push(&self, step: Step<T>) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.push(step);
    }
}

impl<T: Send + 'static> SidePort<T> {
    pub(crate) fn open(&self, opening: &mut Opening<'_>) {
        opening.sides.push(Box::new(Side {
            buffer: Arc::clone(&self.buffer),
            exchange: self.edge.connect(opening.subtask, opening.key_groups),
        }));
    }
}

struct Side<T> {
    buffer: Buffer<T>,
    exchange: Exchange<T>,
}

impl<T> fmt::Debug for Side<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Side")
    }
}

impl<T: Send> Side<T> {
    fn collect(&mut self) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        for step in buffer.drain(..) {
            self.exchange.collect(step);
        }
    }
}

impl<T: Send> SideOutput for Side<T> {
    fn flush(&mut self, everything: bool) -> Waiting<'_> {
        self.collect();
        Box::pin(self.exchange.send(everything))
    }

    fn barrier(&mut self, barrier: Barrier) -> Waiting<'_> {
        self.collect();
        self.exchange.broadcast(|| Element::Barrier(barrier));
        Box::pin(self.exchange.send(true))
    }
}

/// Sends the good results on, and the bad ones to a side output.
#[derive(Debug)]
pub struct Split<C, F, E> {
    pub(crate) before: C,
    pub(crate) sort: F,
    pub(crate) side: SidePort<E>,
}

impl<C: Clone, F: Clone, E> Clone for Split<C, F, E> {
    fn clone(&self) -> Split<C, F, E> {
        Split {
            before: self.before.clone(),
            sort: self.sort.clone(),
            side: self.side.clone(),
        }
    }
}

impl<C, F, T, E> Chain for Split<C, F, E>
where
    C: Chain,
    F: FnMut(C::Out) -> Result<T, E> + Clone + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    type In = C::In;
    type Out = T;

    fn push(&mut self, step: Step<C::In>, out: &mut impl FnMut(Step<T>)) {
        let (sort, side) = (&mut self.sort, &self.side);
        self.before.push(step, &mut |step| match step {
            Step::Record(Record { time, value }) => match sort(value) {
                Ok(value) => out(Step::Record(Record { time, value })),
                Err(value) => side.push(Step::Record(Record { time, value })),
            },
            Step::Signal(signal) => {
                side.push(Step::Signal(signal));
                out(Step::Signal(signal));
            }
        });
    }

    fn open(&mut self, opening: &mut Opening<'_>) -> Result<(), Error> {
        self.side.open(opening);
        self.before.open(opening)
    }

    fn snapshot(&self, snapshot: &mut Snapshot) {
        self.before.snapshot(snapshot);
    }
}
