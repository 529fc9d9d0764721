//! The 100 yuan.

use std::cell::{Cell, RefCell};

use spec_harness::{case, expect_eq};

use super::part::hundred_yuan::{Balance, Line, Report, Seen, add};
use super::part::{Cures, Faults, missing};

/// A balance to which other clerks add amounts: one each time that it is read.
struct Contended {
    value: Cell<i64>,
    others: RefCell<Vec<i64>>,
    /// How often it was written.
    written: Cell<u32>,
}

impl Contended {
    /// The last one of `others` comes first.
    fn new(value: i64, others: &[i64]) -> Contended {
        Contended {
            value: Cell::new(value),
            others: RefCell::new(others.to_vec()),
            written: Cell::new(0),
        }
    }

    fn write(&self, new: i64) {
        self.value.set(new);
        self.written.set(self.written.get() + 1);
    }
}

impl Balance for Contended {
    fn get(&self) -> i64 {
        let read = self.value.get();
        let other = self.others.borrow_mut().pop();
        self.value.set(read + other.unwrap_or(0));
        read
    }

    fn set(&self, new: i64) {
        self.write(new);
    }

    fn replace(&self, expected: i64, new: i64) -> bool {
        let is_equal = self.value.get() == expected;
        if is_equal {
            self.write(new);
        }
        is_equal
    }
}

/// What `add` returns, and the balance afterwards.
fn added(balance: &Contended, amount: i64) -> (bool, i64) {
    (add(balance, amount), balance.value.get())
}

#[test]
fn a_clerk_alone() {
    case!(
        "An amount is added, if the balance is not below 0 then.",
        || {
            for (before, amount, expected) in [
                (0, 100, (true, 100)),
                (100, -30, (true, 70)),
                (100, -100, (true, 0)),
                (100, -101, (false, 100)),
                (0, 0, (true, 0)),
            ] {
                let balance = Contended::new(before, &[]);
                expect_eq(
                    &format!("{before} and {amount}"),
                    added(&balance, amount),
                    expected,
                );
            }
        }
    );
}

#[test]
fn another_clerk_in_between() {
    case!("What another clerk adds in between is not lost.", || {
        let balance = Contended::new(0, &[50]);
        expect_eq("100, and 50 in between", added(&balance, 100), (true, 150));
        expect_eq("how often it was written", balance.written.get(), 1);
    });
}

#[test]
fn again_and_again() {
    case!("Others may come in between again and again.", || {
        let balance = Contended::new(0, &[1, 2, 3, 4, 5]);
        expect_eq(
            "100, and five in between",
            added(&balance, 100),
            (true, 115),
        );
    });
}

#[test]
fn it_is_not_enough_any_more() {
    case!(
        "If another clerk has taken the money in between, the amount is refused.",
        || {
            let balance = Contended::new(100, &[-80]);
            expect_eq("-50, and -80 in between", added(&balance, -50), (false, 20));
        }
    );
}

#[test]
fn it_is_enough_now() {
    case!(
        "Whether there is enough is decided by the balance that was read, not by an older one.",
        || {
            let balance = Contended::new(60, &[30, -20]);
            expect_eq("-50, and others", added(&balance, -50), (false, 70));
            let balance = Contended::new(60, &[30, -5]);
            expect_eq("-50, and others", added(&balance, -50), (true, 35));
        }
    );
}

#[test]
fn each_number_once() {
    case!(
        "A number is the first one once, whatever comes in between.",
        || {
            let mut seen = Seen::default();
            for (number, expected) in [
                (0, true),
                (0, false),
                (2, true),
                (1, true),
                (2, false),
                (0, false),
                (7, true),
                (7, false),
                (3, true),
                (1, false),
            ] {
                expect_eq(&number.to_string(), seen.is_first(number), expected);
            }
        }
    );
}

#[test]
fn in_any_order() {
    case!(
        "Of all orders of four numbers, twice each, each is the first once.",
        || {
            let numbers = [0, 1, 2, 3, 0, 1, 2, 3];
            for shift in 0..8 {
                for step in [1, 3, 5, 7] {
                    let mut seen = Seen::default();
                    let order = (0..8).map(|at| numbers[(shift + step * at) % 8]);
                    let order: Vec<u64> = order.collect();
                    let first = order.iter().filter(|number| seen.is_first(**number));
                    expect_eq(&format!("of {order:?}, the first"), first.count(), 4);
                    expect_eq(&format!("{order:?}: remembered"), seen.remembered(), 0);
                }
            }
        }
    );
}

#[test]
fn memory_that_does_not_grow() {
    case!("Only what is above a gap is remembered one by one.", || {
        let mut seen = Seen::default();
        let all_first = (0..10_000).all(|number| seen.is_first(number));
        expect_eq("each of 10,000 is the first", all_first, true);
        expect_eq("remembered", seen.remembered(), 0);
        seen.is_first(10_003);
        seen.is_first(10_001);
        expect_eq("remembered above a gap", seen.remembered(), 2);
        seen.is_first(10_000);
        expect_eq("remembered when 10000 has come", seen.remembered(), 1);
        seen.is_first(10_002);
        expect_eq("remembered without gaps", seen.remembered(), 0);
    });
}

/// What a line says of a number, and the numbers that it lets through.
fn taken(line: &mut Line, number: u64) -> (bool, Vec<u64>) {
    let mut out = Vec::new();
    let amount = 100;
    let is_taken = line.take(Report { number, amount }, &mut out);
    (is_taken, out.iter().map(|report| report.number).collect())
}

#[test]
fn in_order_it_goes_through() {
    case!("A report that is next goes through at once.", || {
        let mut line = Line::new(3);
        for number in 0..4 {
            let through = taken(&mut line, number);
            expect_eq(&number.to_string(), through, (true, vec![number]));
        }
        expect_eq("held", line.held(), 0);
    });
}

#[test]
fn early_ones_wait() {
    case!(
        "A report that is early waits, and goes through behind those before it.",
        || {
            let mut line = Line::new(3);
            expect_eq("2", taken(&mut line, 2), (true, vec![]));
            expect_eq("1", taken(&mut line, 1), (true, vec![]));
            expect_eq("held", line.held(), 2);
            expect_eq("0", taken(&mut line, 0), (true, vec![0, 1, 2]));
            expect_eq("4", taken(&mut line, 4), (true, vec![]));
            expect_eq("3", taken(&mut line, 3), (true, vec![3, 4]));
            expect_eq("held at the end", line.held(), 0);
        }
    );
}

#[test]
fn too_early_to_hold() {
    case!(
        "A report that is too far ahead is not taken, and can come again.",
        || {
            let mut line = Line::new(2);
            expect_eq("3", taken(&mut line, 3), (false, vec![]));
            expect_eq("held", line.held(), 0);
            expect_eq("2", taken(&mut line, 2), (true, vec![]));
            expect_eq("0", taken(&mut line, 0), (true, vec![0]));
            expect_eq("3 again", taken(&mut line, 3), (true, vec![]));
            expect_eq("1", taken(&mut line, 1), (true, vec![1, 2, 3]));
            expect_eq(
                "the largest number",
                taken(&mut line, u64::MAX),
                (false, vec![]),
            );
        }
    );
}

#[test]
fn a_copy_is_passed_on() {
    case!(
        "A report that was let through before goes through again: duplicates are not the line's.",
        || {
            let mut line = Line::new(3);
            taken(&mut line, 0);
            taken(&mut line, 2);
            expect_eq(
                "2 again, while it is held",
                taken(&mut line, 2),
                (true, vec![]),
            );
            expect_eq("1", taken(&mut line, 1), (true, vec![1, 2]));
            expect_eq("0 again", taken(&mut line, 0), (true, vec![0]));
            expect_eq("2 again", taken(&mut line, 2), (true, vec![2]));
            expect_eq("3", taken(&mut line, 3), (true, vec![3]));
        }
    );
}

/// 100 yuan come in and go out again, among smaller amounts.
const AMOUNTS: [i64; 7] = [20, 100, -100, 50, -10, 20, 50];

const RACE: Faults = Faults {
    race: true,
    duplicates: false,
    reorder: false,
};
const DUPLICATES: Faults = Faults {
    race: false,
    duplicates: true,
    reorder: false,
};
const REORDER: Faults = Faults {
    race: false,
    duplicates: false,
    reorder: true,
};
const NO_CURE: Cures = Cures {
    swap: false,
    once: false,
    line: false,
};

#[test]
fn compare_and_swap_cures_the_race() {
    case!("With compare and swap, two clerks lose nothing.", || {
        let cures = Cures {
            swap: true,
            ..NO_CURE
        };
        expect_eq("missing", missing(&AMOUNTS, RACE, cures), 0);
        let others = Cures {
            swap: false,
            once: true,
            line: true,
        };
        expect_eq("missing without it", missing(&AMOUNTS, RACE, others), 20);
    });
}

#[test]
fn once_cures_the_duplicates() {
    case!(
        "If each number is booked once, a report that comes twice does no harm.",
        || {
            let cures = Cures {
                once: true,
                ..NO_CURE
            };
            expect_eq("missing", missing(&AMOUNTS, DUPLICATES, cures), 0);
            let others = Cures {
                swap: true,
                once: false,
                line: true,
            };
            expect_eq(
                "missing without it",
                missing(&AMOUNTS, DUPLICATES, others),
                -90,
            );
        }
    );
}

#[test]
fn the_line_cures_the_order() {
    case!(
        "If reports are booked in their order, no 100 yuan are lost.",
        || {
            let cures = Cures {
                line: true,
                ..NO_CURE
            };
            expect_eq("missing", missing(&AMOUNTS, REORDER, cures), 0);
            let others = Cures {
                swap: true,
                once: true,
                line: false,
            };
            expect_eq(
                "missing without it",
                missing(&AMOUNTS, REORDER, others),
                -100,
            );
        }
    );
}

#[test]
fn all_three_at_once() {
    case!(
        "Three faults need three cures, and with them the law holds.",
        || {
            let faults = Faults {
                race: true,
                duplicates: true,
                reorder: true,
            };
            let cures = Cures {
                swap: true,
                once: true,
                line: true,
            };
            expect_eq("missing", missing(&AMOUNTS, faults, cures), 0);
        }
    );
}
