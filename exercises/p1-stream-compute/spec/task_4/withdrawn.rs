//! Sessions that had a row and become a part of a longer one.

use spec_harness::case;

use super::world::World;

#[test]
fn a_session_inside_which_a_late_record_is() {
    case!(
        "A late record inside of a session that had a row makes its next revision.",
        || {
            let mut world = World::session(10, 100);
            world.record('a', 0);
            world.record('a', 8);
            world.reach(20, &["a, 0..18, revision 0: [0, 8]"]);
            world.record('a', 5);
            world.reach(21, &["a, 0..18, revision 1: [0, 5, 8]"]);
        }
    );
}

#[test]
fn a_session_that_gets_longer() {
    case!(
        "A session that had a row and gets longer is withdrawn: the longer one is another window.",
        || {
            let mut world = World::session(10, 100);
            world.record('a', 0);
            world.reach(12, &["a, 0..10, revision 0: [0]"]);
            world.withdraws('a', 7, &["a, 0..10, revision 1: withdrawn"]);
            world.expect_open(&["a, 0..17"]);
            world.reach(16, &[]);
            world.reach(17, &["a, 0..17, revision 0: [0, 7]"]);
        }
    );
}

#[test]
fn a_session_that_gets_longer_at_its_start() {
    case!(
        "Its start may move as well: then the longer one has its row at the next watermark.",
        || {
            let mut world = World::session(10, 100);
            world.record('a', 0);
            world.reach(12, &["a, 0..10, revision 0: [0]"]);
            world.withdraws('a', -6, &["a, 0..10, revision 1: withdrawn"]);
            world.reach(13, &["a, -6..10, revision 0: [-6, 0]"]);
            world.reach(109, &[]);
            world.expect_open(&["a, -6..10"]);
            world.reach(110, &[]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn two_sessions_that_become_one() {
    case!(
        "Two sessions with rows that become one are both withdrawn, the earlier one first.",
        || {
            let mut world = World::session(10, 100);
            world.record('a', 0);
            world.record('a', 15);
            let rows = ["a, 0..10, revision 0: [0]", "a, 15..25, revision 0: [15]"];
            world.reach(30, &rows);
            let withdrawn = [
                "a, 0..10, revision 1: withdrawn",
                "a, 15..25, revision 1: withdrawn",
            ];
            world.withdraws('a', 7, &withdrawn);
            world.reach(31, &["a, 0..25, revision 0: [0, 7, 15]"]);
        }
    );
}

#[test]
fn only_one_had_a_row() {
    case!(
        "A session without a row is not withdrawn: its reader has never heard of it.",
        || {
            let mut world = World::session(10, 100);
            world.record('a', 0);
            world.reach(12, &["a, 0..10, revision 0: [0]"]);
            world.record('a', 15);
            world.withdraws('a', 7, &["a, 0..10, revision 1: withdrawn"]);
            world.withdraws('a', 22, &[]);
            world.reach(32, &["a, 0..32, revision 0: [0, 7, 15, 22]"]);
        }
    );
}

#[test]
fn withdrawn_after_a_revision() {
    case!(
        "The revision of a withdrawn session is the one behind its last row.",
        || {
            let mut world = World::session(10, 100);
            world.record('a', 0);
            world.record('a', 8);
            world.reach(20, &["a, 0..18, revision 0: [0, 8]"]);
            world.record('a', 5);
            world.reach(21, &["a, 0..18, revision 1: [0, 5, 8]"]);
            world.record('a', 6);
            world.withdraws('a', 12, &["a, 0..18, revision 2: withdrawn"]);
            world.reach(22, &["a, 0..22, revision 0: [0, 5, 6, 8, 12]"]);
        }
    );
}

#[test]
fn withdrawn_again_and_again() {
    case!(
        "A session that has a row each time before it gets longer is withdrawn each time.",
        || {
            let mut world = World::session(10, 1_000);
            world.record('a', 0);
            world.reach(200, &["a, 0..10, revision 0: [0]"]);
            let mut times = vec![0];
            for n in 1..20 {
                let old = format!("a, 0..{}, revision 1: withdrawn", (n - 1) * 5 + 10);
                world.withdraws('a', n * 5, &[&old]);
                times.push(n * 5);
                let new = format!("a, 0..{}, revision 0: {times:?}", n * 5 + 10);
                world.reach(200 + n, &[&new]);
            }
        }
    );
}

#[test]
fn a_longer_session_closes_later() {
    case!(
        "A session that has got longer behind its row closes as late as its new end allows.",
        || {
            let mut world = World::session(10, 20);
            world.record('a', 0);
            world.reach(12, &["a, 0..10, revision 0: [0]"]);
            world.withdraws('a', 9, &["a, 0..10, revision 1: withdrawn"]);
            world.reach(25, &["a, 0..19, revision 0: [0, 9]"]);
            world.reach(38, &[]);
            world.record('a', 4);
            world.reach(39, &["a, 0..19, revision 1: [0, 4, 9]"]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn a_restored_session_is_withdrawn() {
    case!(
        "A restored session that had a row is withdrawn as if there had been no restart.",
        || {
            let mut world = World::session(10, 100);
            world.record('a', 0);
            world.reach(12, &["a, 0..10, revision 0: [0]"]);
            world.restart(false);
            world.withdraws('a', 7, &["a, 0..10, revision 1: withdrawn"]);
            world.reach(17, &["a, 0..17, revision 0: [0, 7]"]);
        }
    );
}

#[test]
fn the_example_of_the_page() {
    case!(
        "The example on the page: rows, open windows, and no timer too late or below the watermark.",
        || {
            let mut world = World::session(10, 20);
            let after = |world: &World, open: &str, due: i64| {
                world.expect_open(&[open]);
                world.expect_timer(Some(due));
            };
            world.record('a', 0);
            after(&world, "a, 0..10", 10);
            world.record('a', 8);
            after(&world, "a, 0..18", 18);
            world.reach(12, &[]);
            after(&world, "a, 0..18", 18);
            world.reach(18, &["a, 0..18, revision 0: [0, 8]"]);
            after(&world, "a, 0..18", 38);
            world.record('a', 5);
            after(&world, "a, 0..18", 19);
            world.reach(20, &["a, 0..18, revision 1: [0, 5, 8]"]);
            after(&world, "a, 0..18", 38);
            world.withdraws('a', 14, &["a, 0..18, revision 2: withdrawn"]);
            after(&world, "a, 0..24", 24);
            world.reach(24, &["a, 0..24, revision 0: [0, 5, 8, 14]"]);
            after(&world, "a, 0..24", 44);
            world.reach(44, &[]);
            world.expect_open(&[]);
            world.expect_timer(None);
        }
    );
}
