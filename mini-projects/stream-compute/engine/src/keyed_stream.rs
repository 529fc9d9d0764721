//! Streams that are divided by key.

use std::hash::Hash;
use std::time::Duration;

use crate::deploy::FromEdges;
use crate::key::Grouped;
use crate::operator_id::OperatorId;
use crate::part::{Aggregate, WindowRule, Windows};
use crate::process::{Process, Processed};
use crate::stream::{EdgeStream, Stream};
use crate::windowed::{Stored, Windowed};

/// Records with keys.
#[must_use = "a stream that nothing takes goes nowhere"]
#[derive(Debug)]
pub struct KeyedStream<K, V> {
    stream: EdgeStream<Grouped<K, V>>,
}

/// Records with keys, in windows.
#[must_use = "windows that nothing takes go nowhere"]
#[derive(Debug)]
pub struct WindowedStream<K, V> {
    stream: EdgeStream<Grouped<K, V>>,
    windows: Windows,
    lateness: Duration,
}

impl<K, V> KeyedStream<K, V> {
    pub(crate) fn new(stream: EdgeStream<Grouped<K, V>>) -> KeyedStream<K, V> {
        KeyedStream { stream }
    }

    /// Cuts the time of each key into windows.
    pub fn window(self, windows: Windows) -> WindowedStream<K, V> {
        WindowedStream {
            stream: self.stream,
            windows,
            lateness: Duration::ZERO,
        }
    }
}

/// What a process emits.
pub type ProcessedStream<K, V, P> = Stream<FromEdges<Grouped<K, V>>, Processed<K, V, P>>;

impl<K, V> KeyedStream<K, V>
where
    K: Stored + Eq + Hash,
    V: Send + 'static,
{
    /// Gives each record to `process`, with the state and the timers of its key.
    pub fn process<P>(self, id: impl Into<OperatorId>, process: P) -> ProcessedStream<K, V, P>
    where
        P: Process<K, V> + Clone + Send + 'static,
    {
        let id = self.stream.job().name(id);
        let name = id.clone();
        self.stream.then(id, |_| Processed::new(name, process))
    }
}

/// The rows of windows.
pub type RowStream<K, V, A> = Stream<FromEdges<Grouped<K, V>>, Windowed<K, V, A>>;

impl<K, V> WindowedStream<K, V>
where
    K: Stored + Eq + Hash,
    V: Send + 'static,
{
    /// A window takes records until the watermark is so far behind its end. Records that come
    /// when it has had a row make the next revision of the row.
    pub fn allowed_lateness(self, lateness: Duration) -> WindowedStream<K, V> {
        WindowedStream { lateness, ..self }
    }

    /// One row for each key and window, when the watermark has passed it; and the records
    /// that came too late for any window.
    pub fn aggregate<A>(
        mut self,
        id: impl Into<OperatorId>,
        aggregate: A,
    ) -> (RowStream<K, V, A>, EdgeStream<V>)
    where
        A: Aggregate<V, State: Stored, Value: Send + 'static> + Clone + Send + 'static,
    {
        let id = self.stream.job().name(id);
        let (port, late) = self.stream.side(&id);
        let rule = WindowRule {
            windows: self.windows,
            lateness: self.lateness,
            aggregate,
        };
        let name = id.clone();
        let rows = self.stream.then(id, |_| Windowed::new(name, rule, port));
        (rows, late)
    }
}
