//! The inbox on SQLite.

use std::path::Path;
use std::thread;

use idempotence::{Database, Inbox, MessageId, Outcome};
use tempfile::TempDir;

use crate::three_ways::sqlite::{Sqlite, Transaction};

fn messages(numbers: std::ops::Range<i64>) -> Vec<(MessageId, i64)> {
    let message = |number| {
        let id = MessageId {
            producer: "shop".to_owned(),
            number,
        };
        (id, number)
    };
    numbers.map(message).collect()
}

fn bank(path: &Path) -> Sqlite {
    let settings = "PRAGMA synchronous = OFF;
        CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, deposits INTEGER)";
    Sqlite::open(path, settings).unwrap()
}

fn deposit(transaction: &mut Transaction<'_>, number: &i64) -> rusqlite::Result<()> {
    let add = "INSERT INTO account VALUES (?1, 1)
        ON CONFLICT (id) DO UPDATE SET deposits = deposits + 1";
    transaction.0.execute(add, [number]).map(|_| ())
}

/// The number of accounts, and the fewest and the most deposits that one had.
fn deposits(sqlite: &Sqlite) -> (i64, i64, i64) {
    let sum = "SELECT count(*), min(deposits), max(deposits) FROM account";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    sqlite.connection().query_row(sum, [], row).unwrap()
}

#[test]
fn four_consumers_that_all_get_everything() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bank.db");
    drop(bank(&path));
    thread::scope(|scope| {
        for consumer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let mut sqlite = bank(path);
                for start in (0..200).step_by(5 + consumer) {
                    let messages = messages(start..(start + 5 + consumer as i64).min(200));
                    loop {
                        match Inbox::new("bank").process(&mut sqlite, &messages, deposit) {
                            Ok(_) => break,
                            // Another one was in the way more often than the inbox tries.
                            Err(error) => assert!(Sqlite::is_conflict(&error), "{error}"),
                        }
                    }
                }
            });
        }
    });
    assert_eq!(deposits(&bank(&path)), (200, 1, 1));
}

#[test]
fn an_effect_that_fails_undoes_the_note() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bank.db");
    let mut sqlite = bank(&path);
    let inbox = Inbox::new("bank");
    let failed = inbox.process(&mut sqlite, &messages(0..3), |transaction, number| {
        deposit(transaction, number)?;
        match number {
            2 => Err(rusqlite::Error::InvalidQuery),
            _ => Ok(()),
        }
    });
    assert_eq!(failed, Err(rusqlite::Error::InvalidQuery));
    drop(sqlite);
    let mut sqlite = bank(&path);
    let again = inbox.process(&mut sqlite, &messages(0..3), deposit);
    assert_eq!(again, Ok(vec![Outcome::Done; 3]));
    assert_eq!(deposits(&sqlite), (3, 1, 1));
}

/// SQLite lets one transaction write at a time: while one is open, others are in its way.
#[test]
fn a_transaction_in_the_way_for_ever() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bank.db");
    let mut sqlite = bank(&path);
    let other = bank(&path);
    other.connection().execute_batch("BEGIN IMMEDIATE").unwrap();
    let inbox = Inbox::new("bank");
    let failed = inbox.process(&mut sqlite, &messages(0..1), deposit);
    assert!(failed.is_err(), "{failed:?}");
    drop(other);
    let done = inbox.process(&mut sqlite, &messages(0..1), deposit);
    assert_eq!(done, Ok(vec![Outcome::Done]));
}
