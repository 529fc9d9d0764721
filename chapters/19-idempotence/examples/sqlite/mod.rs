//! The inbox's rows in SQLite.

use std::path::Path;
use std::time::Duration;

use idempotence::{Database, Key, Notes};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// One connection to a database with the table `inbox`.
pub(crate) struct Sqlite {
    connection: Connection,
}

// ANCHOR: schema
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS inbox (
        handler TEXT NOT NULL, producer TEXT NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (handler, producer, number)
    ) WITHOUT ROWID";
// ANCHOR_END: schema

impl Sqlite {
    /// Opens the database, makes the table if there is none, and runs `settings`.
    pub(crate) fn open(path: &Path, settings: &str) -> rusqlite::Result<Sqlite> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        connection.execute_batch(settings)?;
        // From now on a transaction that another one blocks fails at once, and the inbox
        // tries again.
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Sqlite { connection })
    }

    /// For what is not in a transaction of the inbox.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// A transaction of the inbox, in which the handler makes its changes.
pub(crate) struct Transaction<'a>(pub(crate) rusqlite::Transaction<'a>);

// ANCHOR: database
impl Database for Sqlite {
    type Error = rusqlite::Error;
    type Transaction<'a> = Transaction<'a>;

    fn transact<R>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> rusqlite::Result<R>,
    ) -> rusqlite::Result<R> {
        // One writer at a time, from the begin on.
        let immediate = TransactionBehavior::Immediate;
        let begun = self.connection.transaction_with_behavior(immediate)?;
        let mut transaction = Transaction(begun);
        // Without a commit it is rolled back when it is dropped.
        let returned = work(&mut transaction)?;
        transaction.0.commit()?;
        Ok(returned)
    }

    fn is_conflict(error: &rusqlite::Error) -> bool {
        error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
    }
}
// ANCHOR_END: database

impl Notes for Transaction<'_> {
    type Error = rusqlite::Error;

    fn contains(&mut self, key: &Key) -> rusqlite::Result<bool> {
        let mut select = self.0.prepare_cached(
            "SELECT 1 FROM inbox WHERE handler = ?1 AND producer = ?2 AND number = ?3",
        )?;
        select.exists((&key.handler, &key.message.producer, key.message.number))
    }

    fn insert(&mut self, key: &Key) -> rusqlite::Result<bool> {
        let mut insert = self
            .0
            .prepare_cached("INSERT OR IGNORE INTO inbox VALUES (?1, ?2, ?3)")?;
        let rows = insert.execute((&key.handler, &key.message.producer, key.message.number))?;
        Ok(rows == 1)
    }
}
