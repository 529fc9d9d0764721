//! Six ways to handle a deposit in a database.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use idempotence::{Inbox, MessageId};
use rusqlite::OptionalExtension;

use super::sqlite::Sqlite;

/// A message of the shop: its number, and how much is to be added to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deposit {
    pub(crate) number: i64,
    pub(crate) amount: i64,
}

/// Called between two statements; `false` if the process is gone.
pub(crate) type Point<'a> = &'a mut dyn FnMut() -> bool;

/// One way.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    handle: fn(&mut Sqlite, Deposit, Point<'_>) -> Result<()>,
}

pub(crate) const WAYS: &[Way] = &[
    Way {
        name: "no care",
        handle: no_care,
    },
    Way {
        name: "check, act, note",
        handle: check_then_act,
    },
    Way {
        name: "note, act",
        handle: note_first,
    },
    Way {
        name: "unique key",
        handle: unique_key,
    },
    Way {
        name: "version",
        handle: version,
    },
    Way {
        name: "one transaction",
        handle: one_transaction,
    },
];

/// One account, in a database on disk.
#[derive(Debug)]
pub(crate) struct Bank<'a> {
    way: &'a Way,
    path: PathBuf,
}

const SCHEMA: &str = "
    CREATE TABLE account (balance INTEGER NOT NULL, version INTEGER NOT NULL);
    INSERT INTO account VALUES (1000, 7);
    CREATE TABLE done (number INTEGER NOT NULL);
    CREATE TABLE noted (number INTEGER PRIMARY KEY);
    CREATE TABLE deposit (number INTEGER PRIMARY KEY, amount INTEGER NOT NULL);";

impl Bank<'_> {
    pub(crate) fn new<'a>(way: &'a Way, folder: &Path) -> Result<Bank<'a>> {
        let bank = Bank {
            way,
            path: folder.join("bank.db"),
        };
        bank.open()?.connection().execute_batch(SCHEMA)?;
        Ok(bank)
    }

    fn open(&self) -> Result<Sqlite> {
        // Processes crash here, the machine does not.
        Ok(Sqlite::open(&self.path, "PRAGMA synchronous = OFF")?)
    }

    /// A consumer of its own handles a deposit. It has crashed if `point` says so.
    pub(crate) fn handle(&self, deposit: Deposit, point: Point<'_>) -> Result<()> {
        (self.way.handle)(&mut self.open()?, deposit, point)
    }

    /// What the account has: its balance, and the deposits that are rows of their own.
    pub(crate) fn balance(&self) -> Result<i64> {
        let sum = "SELECT balance + (SELECT coalesce(sum(amount), 0) FROM deposit) FROM account";
        let sqlite = self.open()?;
        Ok(sqlite.connection().query_row(sum, [], |row| row.get(0))?)
    }
}

/// Goes on, unless the process is gone.
fn pass(point: Point<'_>) -> Result<()> {
    if !point() {
        bail!("the process is gone");
    }
    Ok(())
}

const ADD: &str = "UPDATE account SET balance = balance + ?1";

fn no_care(sqlite: &mut Sqlite, deposit: Deposit, point: Point<'_>) -> Result<()> {
    pass(point)?;
    sqlite.connection().execute(ADD, [deposit.amount])?;
    pass(point)
}

// ANCHOR: check-then-act
fn check_then_act(sqlite: &mut Sqlite, deposit: Deposit, point: Point<'_>) -> Result<()> {
    let connection = sqlite.connection();
    pass(point)?;
    let done = "SELECT 1 FROM done WHERE number = ?1";
    let done = connection.query_row(done, [deposit.number], |_| Ok(()));
    if done.optional()?.is_some() {
        return Ok(());
    }
    pass(point)?;
    connection.execute(ADD, [deposit.amount])?;
    pass(point)?;
    connection.execute("INSERT INTO done VALUES (?1)", [deposit.number])?;
    pass(point)
}
// ANCHOR_END: check-then-act

fn note_first(sqlite: &mut Sqlite, deposit: Deposit, point: Point<'_>) -> Result<()> {
    let connection = sqlite.connection();
    pass(point)?;
    let note = "INSERT OR IGNORE INTO noted VALUES (?1)";
    if connection.execute(note, [deposit.number])? == 0 {
        return Ok(());
    }
    pass(point)?;
    connection.execute(ADD, [deposit.amount])?;
    pass(point)
}

// ANCHOR: unique-key
fn unique_key(sqlite: &mut Sqlite, deposit: Deposit, point: Point<'_>) -> Result<()> {
    pass(point)?;
    let insert = "INSERT OR IGNORE INTO deposit VALUES (?1, ?2)";
    let row = (deposit.number, deposit.amount);
    sqlite.connection().execute(insert, row)?;
    pass(point)
}
// ANCHOR_END: unique-key

// ANCHOR: version
fn version(sqlite: &mut Sqlite, deposit: Deposit, point: Point<'_>) -> Result<()> {
    // The shop has seen version 7 of the account, with a balance of 1000, and says so.
    let (seen, balance) = (7, 1000 + deposit.amount);
    pass(point)?;
    let update = "UPDATE account SET balance = ?1, version = version + 1 WHERE version = ?2";
    sqlite.connection().execute(update, (balance, seen))?;
    pass(point)
}
// ANCHOR_END: version

// ANCHOR: one-transaction
fn one_transaction(sqlite: &mut Sqlite, deposit: Deposit, point: Point<'_>) -> Result<()> {
    let message = MessageId {
        producer: "shop".to_owned(),
        number: deposit.number,
    };
    let gone = |_| rusqlite::Error::QueryReturnedNoRows;
    pass(point)?;
    Inbox::new("bank").process(sqlite, &[(message, deposit)], |transaction, deposit| {
        pass(point).map_err(gone)?;
        transaction.0.execute(ADD, [deposit.amount])?;
        pass(point).map_err(gone)
    })?;
    pass(point)
}
// ANCHOR_END: one-transaction
