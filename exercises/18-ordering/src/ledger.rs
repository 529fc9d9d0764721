//! The harness of the 100 yuan: three things that go wrong, three cures, one law.

use std::cell::{Cell, RefCell};

use crate::hundred_yuan::{Balance, Line, Report, Seen, add, add_alone};

/// What goes wrong with the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Two clerks work at the same time: while one books a report, the other books the
    /// next one.
    pub race: bool,
    /// The second report that comes, and each third one from there on, comes twice.
    pub duplicates: bool,
    /// The reports 1 and 2 change places, and so do 3 and 4, and so on.
    pub reorder: bool,
}

/// What is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cures {
    /// Compare and swap: [`add`] instead of [`add_alone`].
    pub swap: bool,
    /// Each number once: [`Seen`].
    pub once: bool,
    /// In the order of the numbers: [`Line`].
    pub line: bool,
}

/// Returns how many yuan are missing in the ledger (below 0: how many it has too many)
/// after the reports of these amounts. The till never gave out more than it had, so what
/// came in and did not go out must be in the account. That is the law: 0.
#[must_use]
pub fn missing(amounts: &[i64], faults: Faults, cures: Cures) -> i64 {
    let delivered = deliver(amounts, faults);
    let mut seen = Seen::default();
    let mut line = Line::new(2);
    let mut to_book = Vec::new();
    for report in delivered {
        let mut in_order = vec![report];
        if cures.line {
            in_order.clear();
            let _is_taken = line.take(report, &mut in_order);
        }
        in_order.retain(|report| !cures.once || seen.is_first(report.number));
        to_book.extend(in_order);
    }
    amounts.iter().sum::<i64>() - book(&to_book, faults.race, cures.swap)
}

/// The reports as they come.
fn deliver(amounts: &[i64], faults: Faults) -> Vec<Report> {
    let reports = (0..).zip(amounts);
    let mut delivered: Vec<_> = reports
        .map(|(number, amount)| Report {
            number,
            amount: *amount,
        })
        .collect();
    if faults.reorder && !delivered.is_empty() {
        for pair in delivered[1..].chunks_exact_mut(2) {
            pair.swap(0, 1);
        }
    }
    let times = |at: usize| 1 + usize::from(faults.duplicates && at % 3 == 1);
    let repeated = delivered.iter().enumerate();
    repeated
        .flat_map(|(at, report)| std::iter::repeat_n(*report, times(at)))
        .collect()
}

/// Books the reports, and returns the balance. With two clerks every second report is
/// booked by the other one, while the first has read the balance and not written it.
fn book(reports: &[Report], two_clerks: bool, swap: bool) -> i64 {
    let amounts: Vec<i64> = reports.iter().map(|report| report.amount).collect();
    let book: Book = if swap { add } else { add_alone };
    let balance = Shared::default();
    let at_once = if two_clerks { 2 } else { 1 };
    for pair in amounts.chunks(at_once) {
        *balance.meanwhile.borrow_mut() = pair.get(1).map(|amount| (*amount, book));
        book(&balance, pair[0]);
        // The other clerk comes after all if the first one never looked at the balance.
        balance.let_the_other_in();
    }
    balance.value.get()
}

type Book = fn(&Shared, i64) -> bool;

/// A balance that the other clerk changes as soon as the first one has read it.
#[derive(Default)]
struct Shared {
    value: Cell<i64>,
    meanwhile: RefCell<Option<(i64, Book)>>,
}

impl Shared {
    fn let_the_other_in(&self) {
        let other = self.meanwhile.borrow_mut().take();
        if let Some((amount, book)) = other {
            book(self, amount);
        }
    }
}

impl Balance for Shared {
    fn get(&self) -> i64 {
        let value = self.value.get();
        self.let_the_other_in();
        value
    }

    fn set(&self, new: i64) {
        self.value.set(new);
    }

    fn replace(&self, expected: i64, new: i64) -> bool {
        let is_equal = self.value.get() == expected;
        if is_equal {
            self.value.set(new);
        }
        is_equal
    }
}
