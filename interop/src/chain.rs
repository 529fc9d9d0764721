//! A chain of consumer groups that loses members, and its broker, again and again.
//!
//! `first → group-a → second → group-b → third`: a producer writes numbers, each group copies
//! what it reads into the next topic. Members are processes that are killed, leave and come
//! back, and the broker is killed every few seconds and started again on its data.
//!
//! A copy says which record it was made from, by whom and when ([`Copied`]). Members say what
//! they have committed and where they began to read ([`Said`]). The audit holds all of
//! that against the three topics.
//!
//! # What holds
//! - Every acknowledged number is in all three topics: at least once.
//! - A record that is there again was sent again by its producer, which had no answer because
//!   the broker was killed, or was read again by the group, which has a crash behind it.
//! - In each topic the *first* copies of a key's numbers are in order. A group that goes on from
//!   a committed offset repeats a run of records, and the run begins at or below what
//!   had been copied before it; so repeats stay behind first copies.
//! - Committed offsets never go back, and a member begins where its group had committed.
//!
//! Start reading at [`run`].

mod audit;
mod copies;
mod member;
mod observer;
mod plan;
mod run;
mod running;

use std::path::PathBuf;

pub use audit::Verdict;
pub use copies::{Copied, Said};
pub use member::{Member, be_member};
pub use run::run;

/// The topics, in the order of the chain.
pub const TOPICS: [&str; 3] = ["first", "second", "third"];
/// The groups between them.
pub const GROUPS: [&str; 2] = ["group-a", "group-b"];

/// How the chain runs.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The broker's binary.
    pub mqd: PathBuf,
    /// What starts a member: a program and its first arguments.
    pub member: Vec<PathBuf>,
    /// How many numbers are produced.
    pub records: u64,
    /// For how long, in seconds: kills go on meanwhile.
    pub seconds: u64,
    /// What is killed when follows from it.
    pub seed: u64,
    /// The assignor's name.
    pub assignor: String,
    /// What the members do.
    pub mode: Mode,
}

/// What a member does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Commits what was copied and acknowledged.
    CommitAfter,
    /// Commits what it is about to copy: a kill loses records.
    CommitBefore,
    /// Commits an offset below what is committed, now and then.
    Rewind,
}

impl Mode {
    /// Returns its word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Mode::CommitAfter => "after",
            Mode::CommitBefore => "before",
            Mode::Rewind => "rewind",
        }
    }

    /// Returns the mode that `word` names.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Mode> {
        let all = [Mode::CommitAfter, Mode::CommitBefore, Mode::Rewind];
        all.into_iter().find(|mode| mode.word() == word)
    }
}
