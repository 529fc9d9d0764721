//! What a copied record says of itself, and what members say on stdout.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Error, Result, bail};

/// The value of a copied record: `number;member;sent;at;partition;offset`. In the first topic
/// it is the number alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// What is carried through the chain.
    pub number: u64,
    /// Which process made the copy.
    pub member: String,
    /// How many that process had made before.
    pub sent: u64,
    /// When, in milliseconds of the wall clock.
    pub at: i64,
    /// From which partition, and at which offset there.
    pub source: (i32, i64),
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Copied {
            number,
            member,
            sent,
            at,
            source,
        } = self;
        write!(f, "{number};{member};{sent};{at};{};{}", source.0, source.1)
    }
}

impl FromStr for Copied {
    type Err = Error;

    fn from_str(text: &str) -> Result<Copied> {
        let mut fields = text.split(';');
        let mut next = || fields.next().context("a field is missing");
        Ok(Copied {
            number: next()?.parse()?,
            member: next()?.to_owned(),
            sent: next()?.parse()?,
            at: next()?.parse()?,
            source: (next()?.parse()?, next()?.parse()?),
        })
    }
}

/// The number that a value carries, a copy's or not.
pub(crate) fn number(value: &[u8]) -> Result<u64> {
    let text = std::str::from_utf8(value)?;
    let number = text.split(';').next().unwrap_or_default();
    number.parse().with_context(|| format!("{text:?}"))
}

/// A line on a member's stdout; times are milliseconds of the wall clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A commit was answered.
    Commit {
        /// Of which partition.
        partition: i32,
        /// The offset.
        offset: i64,
        /// When it was known.
        at: i64,
    },
    /// The first record of a partition that was given to the member.
    Start {
        /// Of which partition.
        partition: i32,
        /// Its offset.
        offset: i64,
        /// Before the committed offset was asked for.
        at: i64,
    },
    /// A commit, or a poll, was refused.
    Refused(String),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Commit {
                partition,
                offset,
                at,
            } => write!(f, "commit {partition} {offset} {at}"),
            Said::Start {
                partition,
                offset,
                at,
            } => write!(f, "start {partition} {offset} {at}"),
            Said::Refused(why) => write!(f, "refused {why}"),
        }
    }
}

impl FromStr for Said {
    type Err = Error;

    fn from_str(line: &str) -> Result<Said> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "refused" {
            return Ok(Said::Refused(rest.to_owned()));
        }
        let numbers: Result<Vec<i64>, _> = rest.split(' ').map(str::parse).collect();
        let numbers = numbers.with_context(|| format!("{line:?}"))?;
        let [partition, offset, at] = numbers[..] else {
            bail!("{line:?} is nothing that a member says");
        };
        let partition = i32::try_from(partition)?;
        match word {
            "commit" => Ok(Said::Commit {
                partition,
                offset,
                at,
            }),
            "start" => Ok(Said::Start {
                partition,
                offset,
                at,
            }),
            _ => bail!("{line:?} is nothing that a member says"),
        }
    }
}
