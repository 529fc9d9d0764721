//! The two databases of a shop.

use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, Transaction, params};
use transactions::Decision;

/// The database of the order system. Its table `outcomes` says what became of each local
/// transaction; a row of it is never changed.
pub(crate) struct Orders(Connection);

/// A local transaction that is neither committed nor rolled back.
pub(crate) struct Local<'a> {
    transaction: Transaction<'a>,
    id: String,
}

const COMMITTED: &str = "committed";
const ROLLED_BACK: &str = "rolled back";

impl Orders {
    pub(crate) fn open(path: &Path) -> Result<Orders> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, who TEXT, what TEXT);
             CREATE TABLE IF NOT EXISTS outcomes (id TEXT PRIMARY KEY, outcome TEXT);",
        )?;
        Ok(Orders(connection))
    }

    // ANCHOR: local
    /// Stores an order, and that its transaction is committed: both or neither.
    pub(crate) fn begin(&mut self, id: &str, who: &str, what: &str) -> Result<Local<'_>> {
        let transaction = self.0.transaction()?;
        transaction.execute(
            "INSERT INTO orders VALUES (?, ?, ?)",
            params![id, who, what],
        )?;
        // This fails if a check was answered with "rolled back" before.
        transaction.execute("INSERT INTO outcomes VALUES (?, ?)", params![id, COMMITTED])?;
        let id = id.to_owned();
        Ok(Local { transaction, id })
    }
    // ANCHOR_END: local

    // ANCHOR: decide
    /// Says what became of a local transaction. If nothing became of it so far, nothing ever
    /// will: the row makes sure that it cannot be committed any more.
    pub(crate) fn decide(&mut self, id: &str) -> Result<Decision> {
        let insert = "INSERT OR IGNORE INTO outcomes VALUES (?, ?)";
        self.0.execute(insert, params![id, ROLLED_BACK])?;
        let select = "SELECT outcome FROM outcomes WHERE id = ?";
        let outcome: String = self.0.query_row(select, [id], |row| row.get(0))?;
        Ok(match outcome.as_str() {
            COMMITTED => Decision::Commit,
            _ => Decision::RollBack,
        })
    }
    // ANCHOR_END: decide

    /// How many orders there are.
    pub(crate) fn count(&self) -> Result<i64> {
        Ok(self
            .0
            .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))?)
    }
}

impl Local<'_> {
    pub(crate) fn commit(self) -> Result<Decision> {
        self.transaction.commit()?;
        Ok(Decision::Commit)
    }

    /// There is no tea left. The refusal is on disk, so that a check finds it.
    pub(crate) fn refuse(self) -> Result<Decision> {
        let Local { transaction, id } = self;
        transaction.execute("DELETE FROM orders WHERE id = ?", [&id])?;
        let update = "UPDATE outcomes SET outcome = ? WHERE id = ?";
        transaction.execute(update, params![ROLLED_BACK, id])?;
        transaction.commit()?;
        Ok(Decision::RollBack)
    }
}

/// The database of the cart system.
pub(crate) struct Carts(Connection);

impl Carts {
    /// Ann has five packets of tea in her cart.
    pub(crate) fn open(path: &Path) -> Result<Carts> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "CREATE TABLE carts (who TEXT, what TEXT, count INTEGER, PRIMARY KEY (who, what));
             CREATE TABLE seen (id BLOB PRIMARY KEY);
             INSERT INTO carts VALUES ('ann', 'tea', 5);",
        )?;
        Ok(Carts(connection))
    }

    // ANCHOR: take
    /// Takes one thing out of a cart, once for each id.
    pub(crate) fn take(&mut self, id: &[u8], who: &str, what: &str) -> Result<()> {
        let transaction = self.0.transaction()?;
        let seen = "INSERT OR IGNORE INTO seen VALUES (?)";
        let is_new = transaction.execute(seen, [id])? == 1;
        if is_new {
            let update = "UPDATE carts SET count = count - 1 WHERE who = ? AND what = ?";
            transaction.execute(update, params![who, what])?;
        }
        Ok(transaction.commit()?)
    }
    // ANCHOR_END: take

    /// How many packets of tea were taken out of Ann's cart.
    pub(crate) fn taken(&self) -> Result<i64> {
        let select = "SELECT 5 - count FROM carts";
        Ok(self.0.query_row(select, [], |row| row.get(0))?)
    }
}
