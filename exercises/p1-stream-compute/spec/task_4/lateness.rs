//! Allowed lateness: revisions.

use spec_harness::case;

use super::world::World;

#[test]
fn a_record_behind_its_row() {
    case!(
        "A record that comes behind its window's row makes the next row, which replaces the first.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            world.record('a', 7);
            world.reach(11, &["a, 0..10, revision 1: [3, 7]"]);
            world.record('a', 5);
            world.reach(15, &["a, 0..10, revision 2: [3, 5, 7]"]);
        }
    );
}

#[test]
fn several_records_make_one_row() {
    case!(
        "Records that come between two watermarks make one row, not one each.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            for time in [7, 4, 9] {
                world.record('a', time);
            }
            world.reach(12, &["a, 0..10, revision 1: [3, 4, 7, 9]"]);
        }
    );
}

#[test]
fn no_row_without_a_record() {
    case!(
        "A window to which nothing has come since its row has no other row, also not when it closes.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            for watermark in [11, 29, 30, 100] {
                world.reach(watermark, &[]);
            }
            world.expect_open(&[]);
        }
    );
}

#[test]
fn it_closes_at_the_end_of_its_lateness() {
    case!(
        "A window 0..10 with a lateness of 20 closes at watermark 30: at 29 it still takes records.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            world.reach(29, &[]);
            world.record('a', 4);
            world.expect_open(&["a, 0..10"]);
            world.reach(30, &["a, 0..10, revision 1: [3, 4]"]);
            world.expect_open(&[]);
            world.add_to('a', 5, (0, 1));
            world.reach(100, &[]);
        }
    );
}

#[test]
fn the_last_records_are_not_lost() {
    case!(
        "If the watermark goes far beyond the lateness at once, what has come before has its row.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            world.record('a', 4);
            world.reach(1_000, &["a, 0..10, revision 1: [3, 4]"]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn a_watermark_that_passes_end_and_lateness() {
    case!(
        "If one watermark passes the end and the lateness, the window has one row, and is gone.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(500, &["a, 0..10, revision 0: [3]"]);
            world.expect_open(&[]);
            world.reach(501, &[]);
        }
    );
}

#[test]
fn a_window_that_is_opened_late() {
    case!(
        "A window whose first record comes behind its end has its first row at the next watermark.",
        || {
            let mut world = World::tumbling(10, 20);
            world.reach(15, &[]);
            world.record('a', 3);
            world.reach(16, &["a, 0..10, revision 0: [3]"]);
            world.reach(30, &[]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn a_late_window_beside_an_open_one() {
    case!(
        "A window with a row may be revised while the next one of its key waits for its end.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.record('a', 14);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            world.record('a', 5);
            world.record('a', 15);
            world.reach(12, &["a, 0..10, revision 1: [3, 5]"]);
            world.reach(20, &["a, 10..20, revision 0: [14, 15]"]);
            world.record('a', 16);
            world.reach(22, &["a, 10..20, revision 1: [14, 15, 16]"]);
            world.record('a', 6);
            world.reach(29, &["a, 0..10, revision 2: [3, 5, 6]"]);
            world.reach(30, &[]);
            world.expect_open(&["a, 10..20"]);
            world.reach(40, &[]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn other_keys_are_not_revised() {
    case!(
        "A late record revises the row of its own key alone.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(10, &["a, 0..10, revision 0: [3]"]);
            world.record('b', 4);
            world.reach(11, &["b, 0..10, revision 0: [4]"]);
            world.record('a', 5);
            world.reach(12, &["a, 0..10, revision 1: [3, 5]"]);
        }
    );
}

#[test]
fn revised_until_it_closes() {
    case!(
        "However often a window was revised, it closes at the end of its lateness.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            let mut times = vec![3];
            for (revision, watermark) in (10..30).enumerate() {
                let row = format!("a, 0..10, revision {revision}: {times:?}");
                world.reach(watermark, &[&row]);
                world.record('a', 4);
                times.push(4);
            }
            let row = format!("a, 0..10, revision 20: {times:?}");
            world.reach(30, &[&row]);
            world.add_to('a', 4, (0, 1));
            world.expect_open(&[]);
        }
    );
}

#[test]
fn the_timer_of_a_late_record() {
    case!(
        "The row of a late record is due at the next watermark: its timer is above the last one.",
        || {
            let mut world = World::tumbling(10, 20);
            world.record('a', 3);
            world.reach(12, &["a, 0..10, revision 0: [3]"]);
            world.record('a', 4);
            world.expect_timer(Some(13));
            world.reach(13, &["a, 0..10, revision 1: [3, 4]"]);
            world.record('b', 5);
            world.expect_timer(Some(14));
            world.reach(14, &["b, 0..10, revision 0: [5]"]);
            world.expect_timer(Some(30));
        }
    );
}
