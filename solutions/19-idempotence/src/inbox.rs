//! A consumer's inbox: which messages have had their effect in a database.

/// A message, as its producer names it: the same each time that the message is sent or
/// delivered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The producer, by a name that stays the same when the producer is started again.
    pub producer: String,
    /// The number that the producer gave the message. Another producer has the same numbers.
    pub number: i64,
}

/// What is noted of a message in the database: a row, of which there is never a second one
/// with the same three values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What the message had its effect in. Another handler has an effect of its own, though it
    /// uses the same database.
    pub handler: String,
    /// The message.
    pub message: MessageId,
}

/// A database that has the inbox's rows, and whatever the handler changes.
pub trait Database {
    /// Why something failed.
    type Error;
    /// One of its transactions.
    type Transaction<'a>: Notes<Error = Self::Error>
    where
        Self: 'a;

    /// Runs `work` in a transaction of its own. If `work` returns an error, the transaction is
    /// undone as a whole, and the error is returned; otherwise all of it is on disk at the
    /// return. If the database itself fails, its error is returned, and the transaction may be
    /// there or not.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    fn transact<R>(
        &mut self,
        work: impl FnOnce(&mut Self::Transaction<'_>) -> Result<R, Self::Error>,
    ) -> Result<R, Self::Error>;

    /// Returns whether a transaction was undone only because another one was in its way, so
    /// that it is to be tried again.
    fn is_conflict(error: &Self::Error) -> bool;
}

/// The inbox's rows, within a transaction.
pub trait Notes {
    /// Why something failed.
    type Error;

    /// Returns whether the row is there.
    ///
    /// # Errors
    /// Those of the database.
    fn contains(&mut self, key: &Key) -> Result<bool, Self::Error>;

    /// Adds the row, and returns whether it was added: `false` if it was there already, since
    /// this transaction or another one has added it, perhaps after this one asked for it.
    ///
    /// # Errors
    /// Those of the database.
    fn insert(&mut self, key: &Key) -> Result<bool, Self::Error>;
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It had its effect now.
    Done,
    /// It had its effect before, and has had no other now.
    Duplicate,
}

/// How often a transaction is tried that others get in the way of.
pub const ATTEMPTS_MAX: u32 = 5;

/// Gives each message its effect once, however often it is delivered, to however many
/// consumers at a time, whenever they crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    handler: String,
}

impl Inbox {
    /// The inbox of a handler: a name for what it does with a message.
    #[must_use]
    pub fn new(handler: impl Into<String>) -> Inbox {
        Inbox {
            handler: handler.into(),
        }
    }

    /// Gives each of the messages its effect, unless it had it before, and returns what became
    /// of each. All of it is one transaction. A transaction that others get in the way of is
    /// tried again, [`ATTEMPTS_MAX`] times in all.
    ///
    /// When it returns, all messages have had their effect, so their offsets can be committed.
    ///
    /// # Errors
    /// That of the database or of an effect. The caller does not commit the offsets, so the
    /// messages are delivered again.
    pub fn process<D: Database, M>(
        &self,
        database: &mut D,
        messages: &[(MessageId, M)],
        mut effect: impl FnMut(&mut D::Transaction<'_>, &M) -> Result<(), D::Error>,
    ) -> Result<Vec<Outcome>, D::Error> {
        // task 19.2: note each message and give it its effect, in one transaction
        let mut attempts = 1;
        loop {
            let outcomes = database.transact(|transaction| {
                let mut outcomes = Vec::with_capacity(messages.len());
                for (id, message) in messages {
                    let key = self.key(id);
                    if transaction.insert(&key)? {
                        effect(transaction, message)?;
                        outcomes.push(Outcome::Done);
                    } else {
                        outcomes.push(Outcome::Duplicate);
                    }
                }
                Ok(outcomes)
            });
            match outcomes {
                Err(error) if D::is_conflict(&error) && attempts < ATTEMPTS_MAX => attempts += 1,
                outcomes => return outcomes,
            }
        }
        // end
    }

    /// What names this message in the database, and no other one, and no effect of another
    /// handler.
    fn key(&self, message: &MessageId) -> Key {
        // task 19.2: which row notes this message
        Key {
            handler: self.handler.clone(),
            message: message.clone(),
        }
        // end
    }
}
