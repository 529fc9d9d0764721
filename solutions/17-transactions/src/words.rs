//! The words in which the machine and what is around it speak.
//!
//! A half message is named by its offset in the topic of half messages.

use message_model::{Offset, Timestamp};

/// What a producer says of a local transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It was committed: consumers must see the message.
    Commit,
    /// It was rolled back, and cannot be committed any more: no consumer may see the message.
    RollBack,
    /// The producer cannot say, for example because the local transaction still runs.
    Unknown,
}

/// How a half message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its copy is in the topic that it was meant for.
    Committed,
    /// Nothing came of it.
    RolledBack,
    /// No check was answered. It is in the topic for what was set aside, where people look.
    SetAside,
}

/// What an op record says about a half message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// This check is about to be sent; the first one has the number 1.
    Checked(u32),
    /// Nothing more will be done about it.
    Done(End),
}

/// A half message whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// When it was sent, or the last check was noted.
    pub since: Timestamp,
    /// How many checks were noted.
    pub checks: u32,
}

/// What is known about a half message when a producer speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its outcome is waited for.
    Open,
    /// It ended so.
    Ended(End),
    /// It ended so long ago that how is forgotten, or it has not been read yet.
    Unknown,
}

/// What a producer's decision does to a half message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It is copied to its topic, and ends as committed.
    Commit,
    /// It ends as rolled back.
    RollBack,
    /// Nothing changes, and nothing is wrong.
    Nothing,
    /// It has ended the other way. Nothing changes; a producer has contradicted itself.
    Contradiction,
    /// It was set aside. Nothing changes; what to do is for people to decide, and this word
    /// helps them.
    TooLate,
}

/// What the machine is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The next half message was read; it was sent at this time.
    Half {
        /// Its offset. They come in order, with gaps.
        half: Offset,
        /// The timestamp of its record.
        sent: Timestamp,
    },
    /// A producer has said what became of a local transaction, by itself or because it was
    /// asked.
    Outcome {
        /// The half message that it speaks of.
        half: Offset,
        /// What it says.
        decision: Decision,
    },
    /// Time has passed.
    Tick,
}

/// What is to be done, in this order: each is done, and on disk, before the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Copy the half message to its topic.
    Copy(Offset),
    /// Copy the half message to the topic for what was set aside.
    SetAside(Offset),
    /// Write an op record.
    Mark(Offset, Op),
    /// Ask the producers of the group what became of the local transaction.
    Ask(Offset),
    /// Log that a producer contradicted itself, or came too late.
    Report(Offset, Decision, Ruling),
}
