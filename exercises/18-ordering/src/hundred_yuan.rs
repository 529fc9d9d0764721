//! Where did my 100 yuan go? An account that hears of cash that was paid in and out.
//!
//! A till has taken cash in, or given it out, and reports it in a message. The ledger adds
//! up the reports. Two clerks work on them at the same time, a report can come twice, and
//! two reports can change places. Each of the three loses money, and each has a cure of its
//! own, which can be switched on alone.

use std::collections::{BTreeMap, BTreeSet};

/// Cash that went into the account (above 0) or out of it (below 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Report {
    /// The reports of the till are numbered: 0, 1, 2 …
    pub number: u64,
    /// In yuan.
    pub amount: i64,
}

/// The balance of an account, which several clerks read and write.
pub trait Balance {
    /// Returns the balance, which may be another one when this returns.
    fn get(&self) -> i64;
    /// Makes it `new`, whatever it is.
    fn set(&self, new: i64);
    /// Makes it `new` if it is `expected`; whether it was.
    fn replace(&self, expected: i64, new: i64) -> bool;
}

/// Books an amount, and returns whether it did: a balance is never below 0, so a report
/// that would make it so is refused. Nothing that another clerk books at the same time is
/// lost.
pub fn add<B: Balance>(balance: &B, amount: i64) -> bool {
    // task 18.4: whatever another clerk does in between
    todo!("18.4: whatever another clerk does in between")
    // end
}

/// What is lost without [`add`]: reads, computes, and writes.
pub fn add_alone<B: Balance>(balance: &B, amount: i64) -> bool {
    let after = balance.get() + amount;
    let is_enough = after >= 0;
    if is_enough {
        balance.set(after);
    }
    is_enough
}

/// The numbers of the reports that have come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Every number below this one has come.
    below: u64,
    /// Those that have come above it; `below` itself has not.
    above: BTreeSet<u64>,
}

impl Seen {
    /// Returns whether `number` comes for the first time. What is remembered does not grow
    /// with the reports, only with the gaps between them.
    pub fn is_first(&mut self, number: u64) -> bool {
        // task 18.4: the first time, and what need not be remembered
        todo!("18.4: the first time, and what need not be remembered")
        // end
    }

    /// Returns how many numbers are remembered one by one.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.above.len()
    }
}

/// Puts reports back into their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    next: u64,
    /// Those that have come too early.
    early: BTreeMap<u64, Report>,
    ahead_max: u64,
}

impl Line {
    /// Returns a line that has let nothing through. A report is held if its number is at
    /// most `ahead_max` above the next one.
    #[must_use]
    pub fn new(ahead_max: u64) -> Line {
        Line {
            next: 0,
            early: BTreeMap::new(),
            ahead_max,
        }
    }

    /// Takes a report, and adds to `out` what may be booked now, in the order of the
    /// numbers. Returns whether the report was taken: one that is too far ahead is not, and
    /// its sender sends it again.
    ///
    /// A report below the next number goes to `out` as it is. Whether it was booked before
    /// is not asked here, and if the same early report comes twice, one is held.
    pub fn take(&mut self, report: Report, out: &mut Vec<Report>) -> bool {
        // task 18.4: let through what is next, and hold what is early
        todo!("18.4: let through what is next, and hold what is early")
        // end
    }

    /// Returns how many reports are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.early.len()
    }
}
