//! Windows without allowed lateness: one row for each key and window.

use spec_harness::case;

use super::part::Windows;
use super::world::{World, ms};

#[test]
fn a_window_has_a_row_when_it_has_ended() {
    case!(
        "A window's row comes with the watermark that reaches its end, and has all its records.",
        || {
            let mut world = World::tumbling(10, 0);
            world.record('a', 3);
            world.record('a', 7);
            world.reach(9, &[]);
            world.reach(10, &["a, 0..10, revision 0: [3, 7]"]);
        }
    );
}

#[test]
fn a_row_comes_once() {
    case!(
        "A window has one row: the watermarks behind it emit nothing.",
        || {
            let mut world = World::tumbling(10, 0);
            world.record('a', 3);
            world.reach(12, &["a, 0..10, revision 0: [3]"]);
            world.reach(13, &[]);
            world.reach(1_000, &[]);
        }
    );
}

#[test]
fn each_key_has_its_own_windows() {
    case!(
        "Each key has windows of its own, and a row for each that has records.",
        || {
            let mut world = World::tumbling(10, 0);
            for (key, time) in [('a', 3), ('b', 14), ('a', 5), ('c', 22)] {
                world.record(key, time);
            }
            world.reach(10, &["a, 0..10, revision 0: [3, 5]"]);
            world.reach(29, &["b, 10..20, revision 0: [14]"]);
            world.reach(30, &["c, 20..30, revision 0: [22]"]);
        }
    );
}

#[test]
fn windows_that_end_earlier_emit_earlier() {
    case!(
        "A watermark that passes several windows emits them by their ends.",
        || {
            let mut world = World::tumbling(10, 0);
            for (key, time) in [('a', 25), ('b', 14), ('a', 3), ('c', 33), ('b', 41)] {
                world.record(key, time);
            }
            world.reach(
                45,
                &[
                    "a, 0..10, revision 0: [3]",
                    "b, 10..20, revision 0: [14]",
                    "a, 20..30, revision 0: [25]",
                    "c, 30..40, revision 0: [33]",
                ],
            );
            world.expect_open(&["b, 40..50"]);
        }
    );
}

#[test]
fn a_record_behind_the_watermark() {
    case!(
        "A record whose window is open is counted, also if the watermark has passed the record.",
        || {
            let mut world = World::tumbling(10, 0);
            world.record('a', 7);
            world.reach(9, &[]);
            world.record('a', 2);
            world.record('b', 4);
            let mut rows = world.advance(10);
            rows.sort_by_key(|row| row.key.0);
            let rows: Vec<_> = rows.iter().map(super::world::text).collect();
            let expected = ["a, 0..10, revision 0: [2, 7]", "b, 0..10, revision 0: [4]"];
            super::shown::expect_list("the rows", &rows, &expected.map(str::to_owned));
        }
    );
}

#[test]
fn a_closed_window_takes_nothing() {
    case!(
        "A record whose window has ended is late: it is counted nowhere, and opens nothing.",
        || {
            let mut world = World::tumbling(10, 0);
            world.record('a', 7);
            world.reach(10, &["a, 0..10, revision 0: [7]"]);
            world.add_to('a', 9, (0, 1));
            world.add_to('b', 9, (0, 1));
            world.expect_open(&[]);
            world.reach(20, &[]);
        }
    );
}

#[test]
fn a_key_that_comes_back() {
    case!(
        "A key whose windows have all had their rows begins again like a new one.",
        || {
            let mut world = World::tumbling(10, 0);
            world.record('a', 7);
            world.reach(15, &["a, 0..10, revision 0: [7]"]);
            world.record('a', 16);
            world.record('a', 21);
            world.reach(20, &["a, 10..20, revision 0: [16]"]);
            world.reach(30, &["a, 20..30, revision 0: [21]"]);
        }
    );
}

#[test]
fn a_record_in_several_windows() {
    case!(
        "A record of sliding windows is counted in each of them, and each has its row in time.",
        || {
            let mut world = World::new(Windows::sliding(ms(10), ms(5)), 0);
            world.add_to('a', 7, (2, 0));
            world.add_to('a', 12, (2, 0));
            world.expect_open(&["a, 0..10", "a, 5..15", "a, 10..20"]);
            world.reach(10, &["a, 0..10, revision 0: [7]"]);
            world.reach(15, &["a, 5..15, revision 0: [7, 12]"]);
            world.reach(20, &["a, 10..20, revision 0: [12]"]);
        }
    );
}

#[test]
fn a_record_that_misses_a_window() {
    case!(
        "A record may miss one of its windows and be in another: then it is not late.",
        || {
            let mut world = World::new(Windows::sliding(ms(10), ms(5)), 0);
            world.reach(10, &[]);
            world.add_to('a', 7, (1, 1));
            world.reach(15, &["a, 5..15, revision 0: [7]"]);
            world.add_to('a', 8, (0, 2));
        }
    );
}

#[test]
fn older_windows_of_a_key() {
    case!(
        "Records may come in any order: an older window is opened beside a newer one.",
        || {
            let mut world = World::tumbling(10, 0);
            for time in [25, 5, 15, 6, 26, 16] {
                world.record('a', time);
            }
            world.expect_open(&["a, 0..10", "a, 10..20", "a, 20..30"]);
            world.reach(10, &["a, 0..10, revision 0: [5, 6]"]);
            world.reach(20, &["a, 10..20, revision 0: [15, 16]"]);
            world.reach(30, &["a, 20..30, revision 0: [25, 26]"]);
        }
    );
}

#[test]
fn the_end_of_the_stream() {
    case!(
        "At the end of the stream the watermark is the end of time: every window has its row.",
        || {
            let mut world = World::tumbling(10, 1_000);
            world.record('a', 3);
            world.record('b', 55);
            let expected = ["a, 0..10, revision 0: [3]", "b, 50..60, revision 0: [55]"];
            world.reach(i64::MAX, &expected);
            world.expect_open(&[]);
        }
    );
}
