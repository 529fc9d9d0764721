//! The rules that can be left out, each alone.

use std::fmt;
use std::str::FromStr;

/// A rule that holds for the batches of producers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Only the batch behind the last one is appended (chapter 18).
    Ordering,
    /// A batch that comes again is not appended again (chapter 19).
    Duplicates,
    /// An instance that has a successor writes nothing any more (chapter 18).
    Fence,
    /// A transaction writes only to partitions that belong to it, and consumers of committed
    /// records do not see what is open or aborted (chapter 20).
    Transactions,
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 4] = [
        Rule::Ordering,
        Rule::Duplicates,
        Rule::Fence,
        Rule::Transactions,
    ];

    /// Returns its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Rule::Ordering => "ordering",
            Rule::Duplicates => "duplicates",
            Rule::Fence => "fence",
            Rule::Transactions => "transactions",
        }
    }

    /// Returns what may happen without it.
    #[must_use]
    pub fn risk(self) -> &'static str {
        match self {
            Rule::Ordering => "batches of a producer may be lost or overtake each other",
            Rule::Duplicates => "a batch that is sent again is stored again",
            Rule::Fence => "a producer that was replaced may still write",
            Rule::Transactions => "consumers of committed records see what is open or aborted",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no rule has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the rules are ordering, duplicates, fence and transactions")]
pub struct UnknownRule;

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(name: &str) -> Result<Rule, UnknownRule> {
        let mut rules = Rule::ALL.into_iter();
        rules.find(|rule| rule.name() == name).ok_or(UnknownRule)
    }
}

/// The rules that hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    left_out: u8,
}

impl Rules {
    /// All rules hold.
    pub const ALL: Rules = Rules { left_out: 0 };

    /// Returns the same rules without one.
    #[must_use]
    pub fn without(self, rule: Rule) -> Rules {
        Rules {
            left_out: self.left_out | rule.bit(),
        }
    }

    /// Returns whether `rule` holds.
    #[must_use]
    pub fn has(self, rule: Rule) -> bool {
        self.left_out & rule.bit() == 0
    }

    /// Returns those that do not hold.
    pub fn left_out(self) -> impl Iterator<Item = Rule> {
        let rules = Rule::ALL.into_iter();
        rules.filter(move |rule| !self.has(*rule))
    }
}
