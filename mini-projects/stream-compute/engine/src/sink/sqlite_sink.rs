//! Rows in a table of an SQLite database.
//!
//! # Once
//! The rows between two checkpoints are in the second one, until it is stored. Then they are
//! written, in one transaction of the database together with a mark that was drawn for them. If
//! the mark is there already, nothing is written: so a commit may be repeated, by any process.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Params, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::{Sink, Writer};
use crate::element::Record;
use crate::error::Cause;
use crate::snapshot::Subtask;
use crate::windowed::Stored;

/// The marks of what is written. A commit is repeated when a job goes on from its last
/// checkpoint, so old marks are of no use.
const MARKS: &str = "CREATE TABLE IF NOT EXISTS stream_engine_commits (
    number INTEGER PRIMARY KEY,
    mark BLOB NOT NULL UNIQUE,
    checkpoint INTEGER NOT NULL
)";
const MARK: &str = "INSERT OR IGNORE INTO stream_engine_commits (mark, checkpoint) VALUES (?1, ?2)";
const FORGET: &str = "DELETE FROM stream_engine_commits WHERE number <= ?1";
/// How many marks are kept: those of the last checkpoint of all subtasks and more.
const MARKS_KEPT: i64 = 10_000;
/// How long a subtask waits for others, which write to the same file.
const BUSY: Duration = Duration::from_secs(60);

/// A table of an SQLite database, in which each row is once.
///
/// The rows between two checkpoints are in memory until they are committed.
pub struct SqliteSink<T, F> {
    file: PathBuf,
    table: String,
    insert: Arc<Insert<F>>,
    rows: PhantomData<fn(T)>,
}

/// How a row is written.
struct Insert<F> {
    statement: String,
    parameters: F,
}

impl<T, F> fmt::Debug for SqliteSink<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteSink({})", self.file.display())
    }
}

impl<T, F, P> SqliteSink<T, F>
where
    T: Stored,
    F: Fn(&T) -> P + Send + Sync + 'static,
    P: Params,
{
    /// Rows in a database file. `table` is a statement that makes the table if it is not there;
    /// `insert` writes a row of which `parameters` makes the values, such as a tuple.
    pub fn new(file: impl Into<PathBuf>, table: &str, insert: &str, parameters: F) -> Self {
        SqliteSink {
            file: file.into(),
            table: table.to_owned(),
            insert: Arc::new(Insert {
                statement: insert.to_owned(),
                parameters,
            }),
            rows: PhantomData,
        }
    }
}

impl<T, F, P> Sink for SqliteSink<T, F>
where
    T: Stored,
    F: Fn(&T) -> P + Send + Sync + 'static,
    P: Params,
{
    type Item = T;
    type Writer = SqliteWriter<T, F>;

    fn open(&self, _: Subtask) -> Result<SqliteWriter<T, F>, Cause> {
        Ok(SqliteWriter {
            database: Arc::new(Mutex::new(connect(&self.file, &self.table)?)),
            insert: Arc::clone(&self.insert),
            rows: Vec::new(),
        })
    }
}

fn connect(file: &Path, table: &str) -> rusqlite::Result<Connection> {
    let database = Connection::open(file)?;
    database.busy_timeout(BUSY)?;
    database.execute_batch(MARKS)?;
    database.execute_batch(table)?;
    Ok(database)
}

/// Writes the rows of a subtask.
pub struct SqliteWriter<T, F> {
    database: Arc<Mutex<Connection>>,
    insert: Arc<Insert<F>>,
    /// Since the last checkpoint.
    rows: Vec<T>,
}

impl<T, F> fmt::Debug for SqliteWriter<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteWriter")
    }
}

/// The rows of a subtask before a checkpoint, and what marks them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreparedRows<T> {
    mark: [u8; 16],
    checkpoint: i64,
    rows: Vec<T>,
}

impl<T, F, P> Writer for SqliteWriter<T, F>
where
    T: Stored,
    F: Fn(&T) -> P + Send + Sync + 'static,
    P: Params,
{
    type Item = T;
    type Prepared = PreparedRows<T>;

    async fn write(&mut self, records: &mut Vec<Record<T>>) -> Result<(), Cause> {
        self.rows
            .extend(records.drain(..).map(|record| record.value));
        Ok(())
    }

    async fn prepare(&mut self, checkpoint: u64) -> Result<PreparedRows<T>, Cause> {
        let rows = std::mem::take(&mut self.rows);
        let mark = self.blocking(|database, _| draw(database)).await?;
        Ok(PreparedRows {
            mark,
            checkpoint: i64::try_from(checkpoint)?,
            rows,
        })
    }

    async fn commit(&mut self, prepared: PreparedRows<T>) -> Result<(), Cause> {
        if prepared.rows.is_empty() {
            return Ok(());
        }
        self.blocking(move |database, insert| commit(database, insert, &prepared))
            .await
    }
}

impl<T, F: Send + Sync + 'static> SqliteWriter<T, F> {
    /// Works with the database where others do not wait for it.
    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &Insert<F>) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, Cause> {
        let (database, insert) = (Arc::clone(&self.database), Arc::clone(&self.insert));
        let done = tokio::task::spawn_blocking(move || {
            let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut database, &insert)
        });
        Ok(done.await??)
    }
}

/// A mark that was never drawn before, by whatever job.
fn draw(database: &mut Connection) -> rusqlite::Result<[u8; 16]> {
    database.query_row("SELECT randomblob(16)", (), |row| row.get(0))
}

// ANCHOR: commit
/// Writes the rows, if they are not there.
fn commit<T, F: Fn(&T) -> P, P: Params>(
    database: &mut Connection,
    insert: &Insert<F>,
    prepared: &PreparedRows<T>,
) -> rusqlite::Result<()> {
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let marked = transaction.execute(MARK, (prepared.mark, prepared.checkpoint))?;
    if marked == 0 {
        return Ok(());
    }
    let number = transaction.last_insert_rowid();
    transaction.execute(FORGET, [number - MARKS_KEPT])?;
    let mut statement = transaction.prepare(&insert.statement)?;
    for row in &prepared.rows {
        statement.execute((insert.parameters)(row))?;
    }
    drop(statement);
    transaction.commit()
}
// ANCHOR_END: commit
