//! What it costs a consumer to have each effect once: deposits a second into SQLite on this
//! machine's disk, with and without an inbox, one and a hundred messages a transaction.
//!
//! The rows take turns, and of each the best turn counts, because other programs use the disk
//! too. Run it with `--release`.

mod sqlite;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use async_model::Clock;
use idempotence::{Database, Inbox, MessageId};
use tempfile::TempDir;

use sqlite::{Sqlite, Transaction};

const ROUNDS: usize = 10;
/// How long a row runs in one round.
const TURN: Duration = Duration::from_millis(100);

/// How the consumer handles some messages that were delivered together.
type Handle = fn(&mut Sqlite, &[(MessageId, i64)]) -> rusqlite::Result<()>;

struct Row {
    name: &'static str,
    handle: Handle,
    /// How many messages are handled together.
    together: usize,
    sqlite: Sqlite,
    next: i64,
    /// Messages a second, in the best turn.
    rate: f64,
    /// What is written goes there first.
    wal: PathBuf,
    /// Its size before the first message.
    empty: u64,
}

fn main() -> Result<()> {
    // Not in /tmp, which may be in memory.
    let folder = TempDir::new_in("target")?;
    let mut rows = Vec::new();
    for together in [1, 100] {
        for (name, handle) in [
            ("no care", no_care as Handle),
            ("unique key", unique_key),
            ("version", version),
            ("inbox", inbox),
        ] {
            let file = format!("{name}-{together}.db");
            let sqlite = open(&folder.path().join(&file))?;
            let wal = folder.path().join(file + "-wal");
            rows.push(Row {
                name,
                handle,
                together,
                empty: fs::metadata(&wal)?.len(),
                wal,
                sqlite,
                next: 0,
                rate: 0.0,
            });
        }
    }
    let clock = Clock::start();
    for _ in 0..ROUNDS {
        for row in &mut rows {
            row.turn(&clock)?;
        }
    }
    println!("together  way          written bytes/message  messages/s  of no care");
    for chunk in rows.chunks(4) {
        for row in chunk {
            let of_no_care = row.rate / chunk[0].rate * 100.0;
            println!(
                "{:>8}  {:<11} {:>22.0} {:>11.0} {of_no_care:>9.0} %",
                row.together,
                row.name,
                row.bytes()?,
                row.rate
            );
        }
    }
    Ok(())
}

const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL; -- what is committed survives a power failure
    PRAGMA wal_autocheckpoint = 0; -- all that was written stays in the -wal file
    CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER, version INTEGER);
    CREATE TABLE deposit (number INTEGER PRIMARY KEY, account INTEGER, amount INTEGER);";

fn open(path: &Path) -> Result<Sqlite> {
    let sqlite = Sqlite::open(path, SETTINGS)?;
    for id in 0..ACCOUNTS {
        let insert = "INSERT INTO account VALUES (?1, 0, 0)";
        sqlite.connection().execute(insert, [id])?;
    }
    Ok(sqlite)
}

const ACCOUNTS: i64 = 100;

impl Row {
    /// Handles messages for some time.
    fn turn(&mut self, clock: &Clock) -> Result<()> {
        let (begun, first) = (clock.now(), self.next);
        while clock.now().since(begun) < TURN {
            let messages: Vec<_> = (self.next..).take(self.together).map(message).collect();
            (self.handle)(&mut self.sqlite, &messages)?;
            self.next += i64::try_from(self.together)?;
        }
        let took = clock.now().since(begun);
        let rate = f64::from(i32::try_from(self.next - first)?) / took.as_secs_f64();
        self.rate = self.rate.max(rate);
        Ok(())
    }

    /// How many bytes were written for each message.
    fn bytes(&self) -> Result<f64> {
        let written = fs::metadata(&self.wal)?.len() - self.empty;
        Ok(f64::from(u32::try_from(written)?) / f64::from(i32::try_from(self.next)?))
    }
}

fn message(number: i64) -> (MessageId, i64) {
    let id = MessageId {
        producer: "shop".to_owned(),
        number,
    };
    (id, number)
}

fn add(transaction: &mut Transaction<'_>, number: i64) -> rusqlite::Result<()> {
    let add = "UPDATE account SET balance = balance + 100 WHERE id = ?1";
    let mut add = transaction.0.prepare_cached(add)?;
    add.execute([number % ACCOUNTS]).map(|_| ())
}

fn no_care(sqlite: &mut Sqlite, messages: &[(MessageId, i64)]) -> rusqlite::Result<()> {
    sqlite.transact(|transaction| {
        let mut numbers = messages.iter().map(|(_, number)| *number);
        numbers.try_for_each(|number| add(transaction, number))
    })
}

fn unique_key(sqlite: &mut Sqlite, messages: &[(MessageId, i64)]) -> rusqlite::Result<()> {
    sqlite.transact(|transaction| {
        let insert = "INSERT OR IGNORE INTO deposit VALUES (?1, ?2, 100)";
        let mut insert = transaction.0.prepare_cached(insert)?;
        for (_, number) in messages {
            insert.execute([*number, number % ACCOUNTS])?;
        }
        Ok(())
    })
}

fn version(sqlite: &mut Sqlite, messages: &[(MessageId, i64)]) -> rusqlite::Result<()> {
    sqlite.transact(|transaction| {
        let update = "UPDATE account SET balance = ?2, version = version + 1
             WHERE id = ?1 AND version = ?3";
        let mut update = transaction.0.prepare_cached(update)?;
        for (_, number) in messages {
            // How many deposits the account has had before this one.
            let version = number / ACCOUNTS;
            update.execute([number % ACCOUNTS, (version + 1) * 100, version])?;
        }
        Ok(())
    })
}

fn inbox(sqlite: &mut Sqlite, messages: &[(MessageId, i64)]) -> rusqlite::Result<()> {
    let inbox = Inbox::new("bank");
    let done = inbox.process(sqlite, messages, |transaction, number| {
        add(transaction, *number)
    });
    done.map(|_| ())
}
