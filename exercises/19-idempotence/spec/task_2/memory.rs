//! A database in memory, which crashes, and in which another consumer may be faster.
//!
//! Its isolation is *read committed*, as many databases have it unless they are asked for more:
//! a transaction sees at once what another one has committed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use super::super::part::{Database, Inbox, Key, MessageId, Notes, Outcome};

/// Why something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// The process is gone.
    Crash,
    /// Another transaction was in the way.
    Conflict,
    /// The handler could not do it.
    Handler,
}

/// What is committed.
#[derive(Debug, Default)]
struct Rows {
    notes: BTreeSet<Key>,
    effects: Vec<String>,
}

type Rival = Box<dyn FnOnce()>;

/// One consumer's connection to the database.
pub(crate) struct Memory {
    rows: Rc<RefCell<Rows>>,
    /// How many operations there were, each of them a moment at which something may happen.
    pub(crate) operations: usize,
    /// How many transactions were begun.
    pub(crate) transactions: usize,
    crash_at: Option<usize>,
    is_down: bool,
    rival: Option<(usize, Rival)>,
    /// So many of the next transactions meet another one.
    pub(crate) conflicts: u32,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.fmt(f)
    }
}

impl Memory {
    pub(crate) fn new() -> Memory {
        Memory::on(Rc::default())
    }

    fn on(rows: Rc<RefCell<Rows>>) -> Memory {
        Memory {
            rows,
            operations: 0,
            transactions: 0,
            crash_at: None,
            is_down: false,
            rival: None,
            conflicts: 0,
        }
    }

    /// Another process's connection to the same database: it lives, and has seen nothing.
    pub(crate) fn another(&self) -> Memory {
        Memory::on(Rc::clone(&self.rows))
    }

    /// The process is gone at this operation, counted from 1.
    pub(crate) fn crash_at(&mut self, operation: usize) {
        self.crash_at = Some(operation);
    }

    /// Before this operation, counted from 1, `rival` happens.
    pub(crate) fn before(&mut self, operation: usize, rival: impl FnOnce() + 'static) {
        self.rival = Some((operation, Box::new(rival)));
    }

    /// Whether what was to happen has happened.
    pub(crate) fn has_happened(&self) -> bool {
        self.is_down || (self.crash_at.is_none() && self.rival.is_none())
    }

    /// The effects that are committed, in their order.
    pub(crate) fn effects(&self) -> Vec<String> {
        self.rows.borrow().effects.clone()
    }

    fn step(&mut self) -> Result<(), Failed> {
        self.operations += 1;
        if let Some((_, rival)) = self.rival.take_if(|(at, _)| *at == self.operations) {
            rival();
        }
        self.is_down |= self.crash_at == Some(self.operations);
        if self.is_down {
            Err(Failed::Crash)
        } else {
            Ok(())
        }
    }
}

impl Database for Memory {
    type Error = Failed;
    type Transaction<'a> = Transaction<'a>;

    fn transact<R>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<R, Failed>,
    ) -> Result<R, Failed> {
        self.transactions += 1;
        self.step()?;
        let mut transaction = Transaction {
            notes: Vec::new(),
            effects: Vec::new(),
            memory: self,
        };
        let returned = work(&mut transaction)?;
        let Transaction { notes, effects, .. } = transaction;
        // The process may be gone before the commit.
        self.step()?;
        let has_conflict = self.conflicts > 0;
        self.conflicts = self.conflicts.saturating_sub(1);
        let mut rows = self.rows.borrow_mut();
        // A row is there once; the later one of two transactions cannot add it.
        if has_conflict || notes.iter().any(|key| rows.notes.contains(key)) {
            return Err(Failed::Conflict);
        }
        rows.notes.extend(notes);
        rows.effects.extend(effects);
        drop(rows);
        // Or behind it, before the caller is told.
        self.step()?;
        Ok(returned)
    }

    fn is_conflict(error: &Failed) -> bool {
        *error == Failed::Conflict
    }
}

/// What a transaction has done so far.
pub(crate) struct Transaction<'a> {
    memory: &'a mut Memory,
    notes: Vec<Key>,
    effects: Vec<String>,
}

impl Transaction<'_> {
    /// The effect of a message: money that is booked, for example.
    pub(crate) fn book(&mut self, text: &str) -> Result<(), Failed> {
        self.memory.step()?;
        self.effects.push(text.to_owned());
        Ok(())
    }
}

impl Notes for Transaction<'_> {
    type Error = Failed;

    fn contains(&mut self, key: &Key) -> Result<bool, Failed> {
        self.memory.step()?;
        let is_committed = self.memory.rows.borrow().notes.contains(key);
        Ok(is_committed || self.notes.contains(key))
    }

    fn insert(&mut self, key: &Key) -> Result<bool, Failed> {
        let is_there = self.contains(key)?;
        if !is_there {
            self.notes.push(key.clone());
        }
        Ok(!is_there)
    }
}

/// The message with this number, of the producer `shop`. What it says is its number.
pub(crate) fn message(number: i64) -> (MessageId, String) {
    message_of("shop", number)
}

/// A message of another producer.
pub(crate) fn message_of(producer: &str, number: i64) -> (MessageId, String) {
    let id = MessageId {
        producer: producer.to_owned(),
        number,
    };
    (id, format!("{producer} {number}"))
}

/// Gives the messages to a consumer whose effect is to book what they say.
pub(crate) fn deliver(
    inbox: &Inbox,
    memory: &mut Memory,
    messages: &[(MessageId, String)],
) -> Result<Vec<Outcome>, Failed> {
    inbox.process(memory, messages, |transaction, text| transaction.book(text))
}

/// The inbox of most cases.
pub(crate) fn inbox() -> Inbox {
    Inbox::new("accounts")
}
