//! Which producers are forgotten, and when.

use message_model::{ProducerId, Timestamp};
use spec_harness::{case, expect, expect_eq};

use super::open::{EPOCH, IDLE_MAX, Open, Producers, hold, ids, limits, note, table, with};
use super::part::Table;

fn day() -> i64 {
    i64::try_from(IDLE_MAX.as_millis()).unwrap_or(i64::MAX)
}

#[test]
fn a_full_table_forgets_the_idlest() {
    case!(
        "A new producer takes the place of the one that is silent for the longest time.",
        || {
            let mut table = with(3, &[1, 2, 3, 1, 2]);
            note(&mut table, 9, 4, 9);
            expect_eq(
                "1, 2, 3, 1, 2, then 4, with room for three",
                ids(&table),
                vec![1, 2, 4],
            );
            note(&mut table, 9, 5, 9);
            expect_eq("then 5", ids(&table), vec![2, 4, 5]);
        }
    );
}

#[test]
fn a_known_producer_takes_no_place() {
    case!(
        "A producer that is known pushes nobody out, however full the table is.",
        || {
            let mut table = with(2, &[1, 2]);
            for number in 2..10 {
                note(&mut table, 9, i64::from(number % 2 + 1), number);
            }
            expect_eq("the producers", ids(&table), vec![1, 2]);
        }
    );
}

#[test]
fn a_table_for_one() {
    case!(
        "The producer that was just noted is known, also if there is room for one only.",
        || {
            let table = with(1, &[1, 2, 3]);
            expect_eq("the producers", ids(&table), vec![3]);
        }
    );
}

#[test]
fn the_clock_is_set_back() {
    case!(
        "Which producer is silent for the longest time is a matter of order, not of the clock.",
        || {
            let mut table = table(3);
            for (at, producer) in [(9_000, 1), (8_000, 2), (1_000, 3), (0, 4)] {
                note(&mut table, at, producer, 0);
            }
            expect_eq(
                "noted at 9, 8, 1 and 0 s, in this order",
                ids(&table),
                vec![2, 3, 4],
            );
        }
    );
}

#[test]
fn a_producer_that_is_held() {
    case!(
        "A producer with an open transaction is not forgotten; when it is let go, it can be.",
        || {
            let mut table = with(3, &[1, 2, 3]);
            hold(&mut table, 1, Some(0));
            note(&mut table, 9, 4, 9);
            expect_eq("1 is held, 4 comes", ids(&table), vec![1, 3, 4]);
            note(&mut table, 9, 1, 10);
            hold(&mut table, 1, None);
            for producer in [5, 6] {
                note(&mut table, 9, producer, 11);
            }
            expect_eq(
                "1 writes and is let go, 5 and 6 come",
                ids(&table),
                vec![1, 5, 6],
            );
            note(&mut table, 9, 7, 12);
            expect_eq("7 comes", ids(&table), vec![5, 6, 7]);
        }
    );
}

#[test]
fn let_go_where_it_was() {
    case!(
        "A producer that is let go without a note is as idle as it was before.",
        || {
            let mut table = with(3, &[1, 2, 3]);
            for since in [Some(0), Some(1), None, None] {
                hold(&mut table, 1, since);
            }
            expect_eq(
                "forgotten first",
                table.forget_idlest(),
                Some(ProducerId(1)),
            );
        }
    );
}

#[test]
fn all_are_held() {
    case!(
        "What is in the log is noted, also if all others are held: then there are more.",
        || {
            let mut table = with(2, &[1]);
            hold(&mut table, 1, Some(0));
            let room = table.has_room(ProducerId(2));
            expect_eq("room for a second while the first is held", room, true);
            note(&mut table, 1, 2, 1);
            let room = [1, 2, 3].map(|producer| table.has_room(ProducerId(producer)));
            expect_eq("room for 1, 2 and 3 while 1 is held", room, [true; 3]);
            hold(&mut table, 2, Some(1));
            let room = [1, 2, 3].map(|producer| table.has_room(ProducerId(producer)));
            expect_eq("while both are held", room, [true, true, false]);
            expect_eq("forgotten", table.forget_idlest(), None);
            note(&mut table, 9, 3, 9);
            expect_eq("the producers", ids(&table), vec![1, 2, 3]);
        }
    );
}

#[test]
fn nothing_else_is_kept() {
    case!("If other rules keep nothing, no producer is held.", || {
        let mut table: Table<()> = Table::new(limits(1));
        for producer in [1, 2] {
            table.note(Timestamp(0), ProducerId(producer), EPOCH, None);
        }
        table.expire(Timestamp(day() - 1));
        let mut ids: Vec<_> = table.iter().map(|(producer, _)| producer.0).collect();
        ids.sort_unstable();
        expect_eq("1, then 2, with room for one", ids, vec![2]);
        table.expire(Timestamp(day()));
        expect_eq("after a day", table.len(), 0);
    });
}

#[test]
fn forgotten_one_by_one() {
    case!(
        "Producers are forgotten in the order in which they were noted last.",
        || {
            let mut table = with(9, &[5, 1, 4, 2, 5, 3, 1]);
            let order: Vec<_> = std::iter::from_fn(|| table.forget_idlest()).collect();
            expect_eq("the order", order, [4, 2, 5, 3, 1].map(ProducerId).to_vec());
            expect_eq("left", table.len(), 0);
        }
    );
}

fn expired(mut table: Producers, now: i64) -> Vec<i64> {
    table.expire(Timestamp(now));
    ids(&table)
}

#[test]
fn silent_for_a_day() {
    case!(
        "A producer that is silent for a day is forgotten, and not a millisecond earlier.",
        || {
            let mut table = table(9);
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
fn held_for_a_week() {
    case!(
        "A producer with an open transaction does not expire, and the others do.",
        || {
            let mut table = with(9, &[1, 2, 3]);
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
        "If the clock was set back by a year, a silent producer still goes after a day.",
        || {
            let mut table = table(9);
            note(&mut table, 365 * day(), 1, 0);
            let seen = [0, day() - 1, day()].map(|now| {
                table.expire(Timestamp(now));
                table.len()
            });
            expect_eq("producers at 0, a day minus 1 ms, a day", seen, [1, 1, 0]);
        }
    );
}

#[test]
fn a_thousand_producers_expire() {
    case!(
        "What is done for a producer does not grow with the number of the others.",
        || {
            let mut table = table(1_000);
            for producer in 0..1_000 {
                note(&mut table, 0, producer, 0);
            }
            Open::asked();
            for producer in 1_000..1_100 {
                note(&mut table, 1, producer, 0);
                table.expire(Timestamp(2));
            }
            let asked = Open::asked();
            let what =
                format!("a hundred notes ask whether a producer is held {asked} times, not 1,000");
            expect(&what, asked < 1_000);
            expect_eq("producers", table.len(), 1_000);
        }
    );
}
