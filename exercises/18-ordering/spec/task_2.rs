//! The sequence.

use spec_harness::{case, expect_eq};

use super::numbers::{NUMBERS, batch, known};
use super::part::{Refusal, note, sequence};

const OUT_OF_ORDER: Result<(), Refusal> = Err(Refusal::OutOfOrder);

#[test]
fn the_next_one_passes() {
    case!("The batch behind the last record passes.", || {
        let passes = sequence(Some(&known(0, 9)), batch(0, 10, 5));
        expect_eq("10 to 14 behind 9", passes, Ok(()));
    });
}

#[test]
fn a_gap_is_refused() {
    case!(
        "A batch is refused if a number before it is missing, be it one.",
        || {
            for first in [11, 12, 20, i32::MAX] {
                let got = sequence(Some(&known(0, 9)), batch(0, first, 5));
                expect_eq(&format!("{first} behind 9"), got, OUT_OF_ORDER);
            }
        }
    );
}

#[test]
fn what_was_before_is_refused() {
    case!(
        "A batch that begins at or below the last number is refused.",
        || {
            for first in [9, 8, 1, 0, -1, i32::MIN] {
                let got = sequence(Some(&known(0, 9)), batch(0, first, 5));
                expect_eq(&format!("{first} behind 9"), got, OUT_OF_ORDER);
            }
        }
    );
}

#[test]
fn an_unknown_producer_may_begin_anywhere() {
    case!(
        "If nothing is known of a producer, any number may be its first one.",
        || {
            for first in NUMBERS {
                let passes = sequence(None, batch(3, first, 5));
                expect_eq(&format!("{first} first"), passes, Ok(()));
            }
        }
    );
}

#[test]
fn an_entry_without_an_epoch_is_no_entry() {
    case!(
        "An entry whose epoch is -1 says nothing: any number may come.",
        || {
            for epoch in [-1, 0, 3] {
                let passes = sequence(Some(&known(-1, 9)), batch(epoch, 500, 5));
                expect_eq(&format!("500 of epoch {epoch}"), passes, Ok(()));
            }
        }
    );
}

#[test]
fn a_new_epoch_begins_at_0() {
    case!("The first number of a newer epoch is 0, no other.", || {
        for last in [None, Some(0), Some(9), Some(i32::MAX)] {
            for epoch in [5, 6, i16::MAX] {
                let what = |first| format!("{first} of epoch {epoch}, behind {last:?} of epoch 4");
                let begins = |first| sequence(Some(&known(4, last)), batch(epoch, first, 5));
                expect_eq(&what(0), begins(0), Ok(()));
                for first in [1, 10, -1, i32::MAX] {
                    expect_eq(&what(first), begins(first), OUT_OF_ORDER);
                }
            }
        }
    });
}

#[test]
fn an_epoch_without_records_begins_at_0() {
    case!(
        "In an epoch that is known and in which no record has come, the first number is 0.",
        || {
            let begins = |first| sequence(Some(&known(4, None)), batch(4, first, 5));
            expect_eq("0", begins(0), Ok(()));
            for first in [1, 7, -1, i32::MAX] {
                expect_eq(&first.to_string(), begins(first), OUT_OF_ORDER);
            }
        }
    );
}

#[test]
fn an_older_epoch_is_the_fences() {
    case!(
        "The numbers of an older epoch are not judged: whether it passes is up to the fence.",
        || {
            for first in [0, 5, 10, 11] {
                let passes = sequence(Some(&known(4, 9)), batch(3, first, 5));
                expect_eq(&format!("{first} of epoch 3"), passes, Ok(()));
            }
        }
    );
}

#[test]
fn zero_follows_on_the_largest_number() {
    case!("Behind 2147483647 comes 0.", || {
        let behind_the_largest = known(0, i32::MAX);
        let next = |first| sequence(Some(&behind_the_largest), batch(0, first, 5));
        expect_eq("0", next(0), Ok(()));
        for first in [1, i32::MIN, -1, i32::MAX] {
            expect_eq(&first.to_string(), next(first), OUT_OF_ORDER);
        }
        let largest = sequence(Some(&known(0, i32::MAX - 1)), batch(0, i32::MAX, 1));
        expect_eq("2147483647 behind 2147483646", largest, Ok(()));
    });
}

#[test]
fn the_last_number_of_a_batch() {
    case!(
        "A batch of 5 that begins at 10 ends with 14; a batch of one ends where it begins.",
        || {
            expect_eq("10, and 5 of them", batch(0, 10, 5).last(), 14);
            for first in NUMBERS {
                let last = batch(0, first, 1).last();
                expect_eq(&format!("{first}, and one"), last, first);
            }
        }
    );
}

#[test]
fn a_batch_that_wraps_around() {
    case!("0 follows on 2147483647 within a batch too.", || {
        for (first, count, last) in [
            (i32::MAX - 1, 2, i32::MAX),
            (i32::MAX - 1, 3, 0),
            (i32::MAX, 2, 0),
            (i32::MAX - 1, 5, 2),
            (i32::MAX, 1 << 31, i32::MAX - 1),
            (i32::MAX, u32::MAX, i32::MAX - 2),
        ] {
            let what = format!("{first}, and {count} of them");
            expect_eq(&what, batch(0, first, count).last(), last);
        }
    });
}

#[test]
fn a_batch_without_numbers() {
    case!("Records without numbers have -1, the last one too.", || {
        expect_eq("-1, and 1", batch(0, -1, 1).last(), -1);
        expect_eq("-1, and 5", batch(0, -1, 5).last(), -1);
    });
}

#[test]
fn what_is_known_afterwards() {
    case!(
        "After a batch its epoch and its last number are known.",
        || {
            let after = note(None, batch(3, 10, 5));
            expect_eq("of an unknown producer", after, known(3, 14));
            let after = note(Some(&known(3, 14)), batch(3, 15, 1));
            expect_eq("of the same epoch", after, known(3, 15));
            let after = note(Some(&known(3, 14)), batch(4, 0, 2));
            expect_eq("of a newer epoch", after, known(4, 1));
            let after = note(Some(&known(3, None)), batch(3, 0, 1));
            expect_eq("the first of its epoch", after, known(3, 0));
            let after = note(Some(&known(3, None)), batch(4, 0, 2));
            expect_eq("of a newer epoch, behind none", after, known(4, 1));
        }
    );
}

#[test]
fn an_older_batch_is_forgotten() {
    case!(
        "A batch of an older epoch that came into the log changes nothing that is known.",
        || {
            for first in [0, 15, 99] {
                for epoch in [2, 0, -1] {
                    for last in [Some(14), None] {
                        let after = note(Some(&known(3, last)), batch(epoch, first, 5));
                        let what = format!("{first} of epoch {epoch}, behind {last:?} of epoch 3");
                        expect_eq(&what, after, known(3, last));
                    }
                }
            }
        }
    );
}

#[test]
fn what_came_past_the_rule() {
    case!(
        "A batch that came into the log out of order, because the rule was left out, is known.",
        || {
            let after = note(Some(&known(3, 14)), batch(3, 20, 5));
            expect_eq("20 to 24, behind 14", after, known(3, 24));
            let after = note(Some(&known(3, 14)), batch(3, 10, 2));
            expect_eq("10 and 11, behind 14", after, known(3, 11));
            let after = note(Some(&known(3, 14)), batch(4, 7, 2));
            expect_eq("7 and 8 of a newer epoch", after, known(4, 8));
            let after = note(Some(&known(3, None)), batch(3, 7, 2));
            expect_eq("7 and 8, the first of their epoch", after, known(3, 8));
        }
    );
}

#[test]
fn around_the_end() {
    case!(
        "Batch behind batch, over the largest number: each passes, and none that is beside it.",
        || {
            let mut standing = note(None, batch(0, i32::MAX - 20, 3));
            let mut expected = i32::MAX - 17;
            for count in [1, 2, 3, 4, 5, 6, 7, 8] {
                for beside in [-1, 1] {
                    let first = expected.wrapping_add(beside);
                    let got = sequence(Some(&standing), batch(0, first, count));
                    expect_eq(&format!("{first} for {expected}"), got, OUT_OF_ORDER);
                }
                let next = batch(0, expected, count);
                expect_eq(
                    &expected.to_string(),
                    sequence(Some(&standing), next),
                    Ok(()),
                );
                standing = note(Some(&standing), next);
                for _ in 0..count {
                    expected = if expected == i32::MAX {
                        0
                    } else {
                        expected + 1
                    };
                }
            }
            expect_eq("what is known at the end", standing, known(0, 17));
        }
    );
}
