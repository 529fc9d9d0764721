//! Panes that come back from a checkpoint.

use spec_harness::{case, expect};

use super::world::World;

#[test]
fn a_restored_window_has_its_row() {
    case!(
        "A restored window has its row when the watermark reaches its end, with the old records.",
        || {
            let mut world = World::tumbling(10, 0);
            world.record('a', 3);
            world.restart(false);
            world.record('a', 5);
            world.reach(9, &[]);
            world.reach(10, &["a, 0..10, revision 0: [3, 5]"]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn revisions_go_on() {
    case!(
        "The revisions of a restored window go on where they were: its reader has seen the others.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            world.restart(false);
            world.reach(11, &[]);
            world.record('a', 5);
            world.reach(12, &["a, 0..10, revision 1: [3, 5]"]);
        }
    );
}

#[test]
fn a_row_that_was_due() {
    case!(
        "A record that came behind the last row of a window, and before the checkpoint, has its row.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            world.record('a', 5);
            world.restart(false);
            world.reach(12, &["a, 0..10, revision 1: [3, 5]"]);
        }
    );
}

#[test]
fn a_restored_window_closes() {
    case!(
        "A restored window closes when its lateness is over, also if nothing more comes for it.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            world.restart(false);
            world.reach(29, &[]);
            world.expect_open(&["a, 0..10"]);
            world.reach(30, &[]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn several_windows_of_a_key() {
    case!(
        "The panes of a key may come back in any order: each gets its own records again.",
        || {
            for reversed in [false, true] {
                let mut world = World::tumbling(10, 0);
                for time in [3, 13, 23] {
                    world.record('a', time);
                }
                world.restart(reversed);
                for time in [14, 4, 24] {
                    world.record('a', time);
                }
                world.reach(10, &["a, 0..10, revision 0: [3, 4]"]);
                world.reach(25, &["a, 10..20, revision 0: [13, 14]"]);
                world.reach(30, &["a, 20..30, revision 0: [23, 24]"]);
            }
        }
    );
}

#[test]
fn restored_sessions_are_joined() {
    case!(
        "Restored sessions are lengthened and joined like others, in whatever order they came back.",
        || {
            for reversed in [false, true] {
                let mut world = World::session(10, 0);
                for time in [0, 40, 15] {
                    world.record('a', time);
                }
                world.restart(reversed);
                world.record('a', 7);
                world.record('a', 45);
                world.expect_open(&["a, 0..25", "a, 40..55"]);
                world.reach(25, &["a, 0..25, revision 0: [0, 7, 15]"]);
                world.reach(55, &["a, 40..55, revision 0: [40, 45]"]);
            }
        }
    );
}

#[test]
fn a_restored_window_has_a_timer() {
    case!(
        "Restored windows have timers: without one the engine would not look at them in time.",
        || {
            let mut world = World::tumbling(10, 0);
            for (key, time) in [('a', 33), ('b', 12), ('c', 57)] {
                world.record(key, time);
            }
            world.restart(false);
            let timer = world.windows.next_timer();
            expect(
                &format!("next_timer() is at or below 20, where a window ends; it is {timer:?}"),
                timer.is_some_and(|timer| timer.0 <= 20),
            );
            world.reach(20, &["b, 10..20, revision 0: [12]"]);
        }
    );
}
