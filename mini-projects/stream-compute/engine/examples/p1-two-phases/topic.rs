//! Where the job reads from and writes to: both wait before each step until the figure's reader
//! makes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use stream_engine::{Cause, Read, Reader, Record, Sink, Source, Subtask, Writer};
use tokio::sync::{Notify, watch};

/// What has become of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Debug)]
struct Transaction {
    records: Vec<u64>,
    standing: Standing,
}

/// A topic, which outlives the job. Transactions are in its log one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Topic(Arc<Mutex<Vec<Transaction>>>);

impl Topic {
    fn transactions(&self) -> MutexGuard<'_, Vec<Transaction>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many transactions have come to this.
    pub(crate) fn count(&self, standing: Standing) -> usize {
        let log = self.transactions();
        log.iter().filter(|one| one.standing == standing).count()
    }

    /// The transactions, as the figure shows them.
    pub(crate) fn shown(&self) -> Vec<Value> {
        self.transactions().iter().enumerate().map(shown).collect()
    }

    /// What a reader of uncommitted records has got.
    pub(crate) fn uncommitted(&self) -> Vec<u64> {
        let log = self.transactions();
        log.iter().flat_map(|one| one.records.clone()).collect()
    }

    /// What a reader of committed records has got: it waits at a transaction that is undecided.
    pub(crate) fn committed(&self) -> Vec<u64> {
        let log = self.transactions();
        let decided = log
            .iter()
            .take_while(|one| matches!(one.standing, Standing::Committed | Standing::Aborted));
        let committed = decided.filter(|one| one.standing == Standing::Committed);
        committed.flat_map(|one| one.records.clone()).collect()
    }
}

/// What the job has done last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Nothing,
    Written,
    Prepared,
    /// The checkpoint is stored: the engine asks for the commit.
    Stored,
    Committed,
}

/// Where the source and the sink wait.
#[derive(Debug, Clone)]
pub(crate) struct Gates {
    /// So many records may be read.
    pub(crate) readable: watch::Sender<u64>,
    /// The sink goes on.
    pub(crate) go: Arc<Notify>,
    pub(crate) done: watch::Sender<Done>,
}

/// The numbers from 1, in one partition.
pub(crate) struct Numbers(pub(crate) Gates);

impl Source for Numbers {
    type Item = u64;
    type Reader = NumbersReader;

    fn parallelism(&self, _: usize) -> usize {
        1
    }

    fn open(&self, _: Subtask, positions: Vec<(u32, u64)>) -> Result<NumbersReader, Cause> {
        Ok(NumbersReader {
            readable: self.0.readable.subscribe(),
            is_open: false,
            position: positions.first().map_or(0, |(_, position)| *position),
        })
    }
}

pub(crate) struct NumbersReader {
    readable: watch::Receiver<u64>,
    /// Whether it has said that there is a partition.
    is_open: bool,
    position: u64,
}

impl Reader for NumbersReader {
    type Item = u64;
    type Position = u64;

    async fn read(&mut self, values: &mut Vec<u64>) -> Result<Read, Cause> {
        if !self.is_open {
            self.is_open = true;
            return Ok(Read::Opened(0));
        }
        let position = self.position;
        let readable = *self.readable.wait_for(|count| *count > position).await?;
        values.extend(position + 1..=readable);
        self.position = readable;
        Ok(Read::From(0))
    }

    fn positions(&self) -> Vec<(u32, u64)> {
        vec![(0, self.position)]
    }
}

/// When the sink commits: in its second phase, or already in its first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    InTime,
    Early,
}

/// The topic as a sink.
pub(crate) struct TopicSink {
    pub(crate) topic: Topic,
    pub(crate) commits: Commits,
    pub(crate) gates: Gates,
}

impl Sink for TopicSink {
    type Item = u64;
    type Writer = TopicWriter;

    fn open(&self, _: Subtask) -> Result<TopicWriter, Cause> {
        Ok(TopicWriter {
            topic: self.topic.clone(),
            commits: self.commits,
            gates: self.gates.clone(),
            has_begun: false,
            open: None,
        })
    }
}

pub(crate) struct TopicWriter {
    topic: Topic,
    commits: Commits,
    gates: Gates,
    has_begun: bool,
    /// The index of the transaction that it writes to.
    open: Option<usize>,
}

impl TopicWriter {
    /// The transaction that is open. Before the first one of a process, what an earlier process
    /// has left undecided is aborted: the engine has committed by then what its checkpoint has.
    fn open(&mut self) -> usize {
        let mut log = self.topic.transactions();
        if !self.has_begun {
            for one in log.iter_mut() {
                if matches!(one.standing, Standing::Open | Standing::Prepared) {
                    one.standing = Standing::Aborted;
                }
            }
        }
        self.has_begun = true;
        *self.open.get_or_insert_with(|| {
            log.push(Transaction {
                records: Vec::new(),
                standing: Standing::Open,
            });
            log.len() - 1
        })
    }
}

impl Writer for TopicWriter {
    type Item = u64;
    type Prepared = usize;

    async fn write(&mut self, records: &mut Vec<Record<u64>>) -> Result<(), Cause> {
        let open = self.open();
        let values = records.drain(..).map(|record| record.value);
        self.topic.transactions()[open].records.extend(values);
        self.gates.done.send_replace(Done::Written);
        Ok(())
    }

    async fn prepare(&mut self, _: u64) -> Result<usize, Cause> {
        let open = self.open.take().ok_or("nothing is written")?;
        self.topic.transactions()[open].standing = match self.commits {
            Commits::InTime => Standing::Prepared,
            Commits::Early => Standing::Committed,
        };
        self.gates.done.send_replace(Done::Prepared);
        self.gates.go.notified().await;
        Ok(open)
    }

    async fn commit(&mut self, prepared: usize) -> Result<(), Cause> {
        self.gates.done.send_replace(Done::Stored);
        self.gates.go.notified().await;
        let standing = &mut self.topic.transactions()[prepared].standing;
        if *standing == Standing::Aborted {
            return Err("a prepared transaction was aborted".into());
        }
        *standing = Standing::Committed;
        self.gates.done.send_replace(Done::Committed);
        Ok(())
    }
}

/// A transaction in the log, with its name.
fn shown((index, transaction): (usize, &Transaction)) -> Value {
    let standing = match transaction.standing {
        Standing::Open => "open",
        Standing::Prepared => "prepared",
        Standing::Committed => "committed",
        Standing::Aborted => "aborted",
    };
    let records: Vec<_> = transaction.records.iter().map(u64::to_string).collect();
    json!({"name": format!("T{}", index + 1), "records": records.join(" "), "is": standing})
}
