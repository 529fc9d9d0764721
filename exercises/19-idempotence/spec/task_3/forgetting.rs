//! Which producers are forgotten, and when.

use message_model::{ProducerId, Timestamp};
use spec_harness::{case, expect, expect_eq};

use super::open::{
    EPOCH, LIMITS, Open, PIECE_MAX, Producers, day, expire, hold, ids, note, order, restored,
    table, with,
};
use super::part::{Table, Turns};

#[test]
fn a_full_table_forgets_the_idlest() {
    case!(
        "The producer that is silent for the longest time is forgotten, and no other one.",
        || {
            let mut table = with(&[1, 2, 3, 1, 2]);
            let forgotten = table.forget_idlest();
            expect_eq("1, 2, 3, 1, 2: forgotten", forgotten, Some(ProducerId(3)));
            expect_eq("left", ids(&table), vec![1, 2]);
            note(&mut table, 9, 4, 9);
            let forgotten = table.forget_idlest();
            expect_eq("then 4: forgotten", forgotten, Some(ProducerId(1)));
            expect_eq("left", ids(&table), vec![2, 4]);
        }
    );
}

#[test]
fn how_silent_the_idlest_is() {
    case!(
        "The partitions of a broker share their turns, so the idlest of all can be found.",
        || {
            let turns = Turns::default();
            let mut tables = [(); 2].map(|()| Table::new(LIMITS, turns.clone()));
            expect_eq("of an empty table", tables[0].idlest(), None);
            for (at, producer) in [(0, 1), (0, 2), (0, 1), (0, 2), (1, 1), (1, 2)] {
                note(&mut tables[at], 0, producer, 0);
            }
            let first = usize::from(tables[0].idlest() > tables[1].idlest());
            expect_eq("the table that is silent for longer: the first", first, 0);
            note(&mut tables[0], 0, 1, 0);
            tables[0].forget_idlest();
            let first = usize::from(tables[0].idlest() > tables[1].idlest());
            let what = "when one producer there has written, and the other one is forgotten";
            expect_eq(what, first, 1);
            note(&mut tables[0], 0, 2, 0);
            hold(&mut tables[0], 2, Some(0));
            hold(&mut tables[0], 1, Some(0));
            expect_eq("when all are held", tables[0].idlest(), None);
        }
    );
}

#[test]
fn the_clock_is_set_back() {
    case!(
        "Which producer is silent for the longest time is a matter of order, not of the clock.",
        || {
            let mut table = table();
            for (at, producer) in [(9_000, 1), (8_000, 2), (1_000, 3), (0, 4)] {
                note(&mut table, at, producer, 0);
            }
            let what = "noted at 9, 8, 1 and 0 s, in this order: forgotten are";
            expect_eq(what, order(&table), vec![1, 2, 3, 4]);
        }
    );
}

#[test]
fn a_producer_that_is_held() {
    case!(
        "A producer with an open transaction is not forgotten; when it is let go, it can be.",
        || {
            let mut table = with(&[1, 2, 3]);
            hold(&mut table, 1, Some(0));
            expect_eq("while 1 is held", order(&table), vec![2, 3]);
            note(&mut table, 9, 1, 10);
            hold(&mut table, 1, None);
            expect_eq("1 writes and is let go", order(&table), vec![2, 3, 1]);
            note(&mut table, 9, 2, 11);
            expect_eq("2 writes", order(&table), vec![3, 1, 2]);
        }
    );
}

#[test]
fn held_and_noted() {
    case!(
        "A producer that writes within its transaction is still held.",
        || {
            let mut table = with(&[1, 2]);
            hold(&mut table, 1, Some(0));
            note(&mut table, 9, 1, 9);
            note(&mut table, 9, 2, 10);
            expect_eq(
                "forgotten first",
                table.forget_idlest(),
                Some(ProducerId(2)),
            );
            expect_eq("and then", table.forget_idlest(), None);
        }
    );
}

#[test]
fn let_go_where_it_was() {
    case!(
        "A producer that is let go without a note is as idle as it was before.",
        || {
            let mut table = with(&[1, 2, 3]);
            for since in [Some(0), Some(1), None, None] {
                hold(&mut table, 1, since);
            }
            expect_eq("forgotten are", order(&table), vec![1, 2, 3]);
        }
    );
}

#[test]
fn all_are_held() {
    case!(
        "What is in the log is noted, also if all others are held.",
        || {
            let mut table = with(&[1, 2]);
            for producer in [1, 2] {
                hold(&mut table, producer, Some(0));
            }
            expect_eq("forgotten", table.forget_idlest(), None);
            note(&mut table, 9, 3, 9);
            expect_eq("the producers", ids(&table), vec![1, 2, 3]);
            expect_eq("forgotten are", order(&table), vec![3]);
        }
    );
}

#[test]
fn let_go_when_there_are_many() {
    case!(
        "A change forgets nobody, also when it lets a producer go.",
        || {
            let mut table = with(&[1, 2, 3, 4, 5, 6, 7, 8]);
            for since in [Some(9), None] {
                for producer in 1..=8 {
                    hold(&mut table, producer, since);
                }
                let what = format!("all eight are held since {since:?}");
                expect_eq(&what, ids(&table), (1..=8).collect());
            }
        }
    );
}

#[test]
fn nothing_else_is_kept() {
    case!("If other rules keep nothing, no producer is held.", || {
        let mut table: Table<()> = Table::new(LIMITS, Turns::default());
        for producer in [1, 2] {
            table.note(Timestamp(0), ProducerId(producer), EPOCH, None);
        }
        expire(&mut table, day() - 1);
        expect_eq("after a day but 1 ms", ids(&table), vec![1, 2]);
        let forgotten = table.forget_idlest();
        expect_eq("forgotten", forgotten, Some(ProducerId(1)));
        expire(&mut table, day());
        expect_eq("after a day", table.len(), 0);
    });
}

#[test]
fn forgotten_one_by_one() {
    case!(
        "Producers are forgotten in the order in which they were noted last.",
        || {
            let mut table = with(&[5, 1, 4, 2, 5, 3, 1]);
            let order: Vec<_> = std::iter::from_fn(|| table.forget_idlest()).collect();
            expect_eq("the order", order, [4, 2, 5, 3, 1].map(ProducerId).to_vec());
            expect_eq("left", table.len(), 0);
        }
    );
}

fn expired(mut table: Producers, now: i64) -> Vec<i64> {
    expire(&mut table, now);
    ids(&table)
}

#[test]
fn silent_for_a_day() {
    case!(
        "A producer that is silent for a day is forgotten, and not a millisecond earlier.",
        || {
            let mut table = table();
            for (at, producer) in [(1_000, 1), (1_001, 2), (1_002, 3), (1_003, 1)] {
                note(&mut table, at, producer, 0);
            }
            let expected = [
                (0, vec![1, 2, 3]),
                (1, vec![1, 3]),
                (2, vec![1]),
                (3, vec![]),
            ];
            for (later, left) in expected {
                let now = 1_001 + day() - 1 + later;
                expect_eq(&format!("left at {now}"), expired(table.clone(), now), left);
            }
        }
    );
}

#[test]
fn expired_and_known_again() {
    case!(
        "A producer that has expired leaves nothing: when it comes again, it is a new one.",
        || {
            let mut table = with(&[1, 2]);
            expire(&mut table, day());
            expect_eq("after a day", ids(&table), vec![2]);
            expect_eq("forgotten are", order(&table), vec![2]);
            note(&mut table, day(), 1, 9);
            expect_eq("1 comes again: forgotten are", order(&table), vec![2, 1]);
        }
    );
}

#[test]
fn held_for_a_week() {
    case!(
        "A producer with an open transaction does not expire, and the others do.",
        || {
            let mut table = with(&[1, 2, 3]);
            hold(&mut table, 2, Some(0));
            expect_eq("after a week", expired(table.clone(), 7 * day()), vec![2]);
            hold(&mut table, 2, None);
            expect_eq("after it was let go", expired(table, 7 * day()), vec![]);
        }
    );
}

#[test]
fn noted_in_the_future() {
    case!(
        "If the clock was set back by a year, all silent producers still go after a day.",
        || {
            let mut table = table();
            for producer in [1, 2, 3, 4] {
                note(&mut table, 365 * day(), producer, 0);
            }
            let left = [0, day() - 1, day()].map(|now| {
                expire(&mut table, now);
                table.len()
            });
            expect_eq("producers at 0, a day minus 1 ms, a day", left, [4, 4, 0]);
        }
    );
}

#[test]
fn expired_piece_by_piece() {
    case!(
        "Appends wait for one piece, not for all: expire looks at so many and says where it is.",
        || {
            let mut table = with(&[7, 1, 6, 2, 5, 3, 4]);
            let mut after = None;
            for (last, left) in [(3, vec![4, 5, 6, 7]), (6, vec![7]), (7, vec![])] {
                let what = format!("{PIECE_MAX} in a piece; the last one behind {after:?}");
                after = table.expire(Timestamp(9 * day()), after);
                expect_eq(&what, after, Some(ProducerId(last)));
                expect_eq("left", ids(&table), left);
            }
            let at_end = table.expire(Timestamp(9 * day()), after);
            expect_eq("behind the last one", at_end, None);
            let mut busy = with(&[2, 1]);
            let last = busy.expire(Timestamp(0), None);
            expect_eq("if nobody is silent", last, Some(ProducerId(2)));
        }
    );
}

#[test]
fn a_thousand_producers() {
    case!(
        "What is done for a producer does not grow with the number of the others.",
        || {
            let mut table = table();
            for producer in 0..1_000 {
                note(&mut table, 0, producer, 0);
            }
            Open::asked();
            for producer in 1_000..1_100 {
                table.forget_idlest();
                note(&mut table, 1, producer, 0);
                table.expire(Timestamp(2), Some(ProducerId(1_090)));
            }
            let asked = Open::asked();
            let what =
                format!("a hundred notes ask whether a producer is held {asked} times, not 1,000");
            expect(&what, asked < 1_000);
            expect_eq("producers", table.len(), 1_000);
        }
    );
}

#[test]
fn who_writes_after_a_restart() {
    case!(
        "After a restart the turns go on: a producer that writes now is the last to go.",
        || {
            let mut table = restored(&with(&[1, 2, 3, 4]), 4);
            note(&mut table, 5, 2, 9);
            note(&mut table, 5, 5, 9);
            expect_eq(
                "2 and 5 write: forgotten are",
                order(&table),
                vec![1, 3, 4, 2, 5],
            );
        }
    );
}
