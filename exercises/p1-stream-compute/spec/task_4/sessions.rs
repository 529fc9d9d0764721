//! Sessions.

use spec_harness::case;

use super::world::World;

#[test]
fn a_pause_ends_a_session() {
    case!(
        "A session ends when no record has come for the gap after its last one.",
        || {
            let mut world = World::session(10, 0);
            world.record('a', 0);
            world.record('a', 5);
            world.expect_open(&["a, 0..15"]);
            world.reach(14, &[]);
            world.reach(15, &["a, 0..15, revision 0: [0, 5]"]);
            world.expect_open(&[]);
        }
    );
}

#[test]
fn two_sessions() {
    case!(
        "Two records that are the gap apart, or more, are in two sessions.",
        || {
            let mut world = World::session(10, 0);
            for time in [0, 10, 35] {
                world.record('a', time);
            }
            let expected = [
                "a, 0..10, revision 0: [0]",
                "a, 10..20, revision 0: [10]",
                "a, 35..45, revision 0: [35]",
            ];
            world.reach(50, &expected);
        }
    );
}

#[test]
fn a_record_between_two_sessions() {
    case!(
        "A record that is less than the gap from two sessions makes one of them.",
        || {
            let mut world = World::session(10, 0);
            world.record('a', 0);
            world.record('a', 15);
            world.expect_open(&["a, 0..10", "a, 15..25"]);
            world.record('a', 7);
            world.expect_open(&["a, 0..25"]);
            world.reach(24, &[]);
            world.reach(25, &["a, 0..25, revision 0: [0, 7, 15]"]);
        }
    );
}

#[test]
fn a_record_before_a_session() {
    case!(
        "A record before a session moves its start, one in the middle moves nothing.",
        || {
            let mut world = World::session(10, 0);
            world.record('a', 20);
            world.record('a', 14);
            world.expect_open(&["a, 14..30"]);
            world.record('a', 17);
            world.record('a', 20);
            world.expect_open(&["a, 14..30"]);
            world.reach(30, &["a, 14..30, revision 0: [14, 17, 20, 20]"]);
        }
    );
}

#[test]
fn sessions_of_two_keys() {
    case!(
        "Sessions of two keys have nothing to do with each other.",
        || {
            let mut world = World::session(10, 0);
            for (key, time) in [('a', 0), ('b', 8), ('a', 16), ('b', 3)] {
                world.record(key, time);
            }
            world.expect_open(&["a, 0..10", "a, 16..26", "b, 3..18"]);
        }
    );
}

#[test]
fn a_session_that_goes_on() {
    case!(
        "A session that goes on while the watermark moves has its row at its last end, and one.",
        || {
            let mut world = World::session(10, 0);
            let mut times = Vec::new();
            for time in (0..100).step_by(4) {
                world.record('a', time);
                times.push(time);
                world.reach(time - 1, &[]);
            }
            world.reach(105, &[]);
            let row = format!("a, 0..106, revision 0: {times:?}");
            world.reach(106, &[&row]);
        }
    );
}

#[test]
fn every_order_of_seven_records() {
    case!(
        "In whatever order the records of sessions come, the sessions are the same.",
        || {
            let mut times = [0, 8, 15, 24, 40, 47, 70];
            every_order(&mut times, 0, &|times| {
                let mut world = World::session(10, 0);
                for time in times {
                    world.record('a', *time);
                }
                let expected = [
                    "a, 0..34, revision 0: [0, 8, 15, 24]",
                    "a, 40..57, revision 0: [40, 47]",
                    "a, 70..80, revision 0: [70]",
                ];
                world.reach(100, &expected);
                world.expect_open(&[]);
            });
        }
    );
}

/// Calls `then` with every order of the times from `at` on.
fn every_order(times: &mut [i64; 7], at: usize, then: &impl Fn(&[i64])) {
    if at == times.len() {
        then(times);
        return;
    }
    for other in at..times.len() {
        times.swap(at, other);
        every_order(times, at + 1, then);
        times.swap(at, other);
    }
}

#[test]
fn a_late_record_alone() {
    case!(
        "A record is late if its own window has ended, and it belongs to no open session.",
        || {
            let mut world = World::session(10, 0);
            world.record('a', 30);
            world.reach(25, &[]);
            world.add_to('a', 15, (0, 1));
            world.expect_open(&["a, 30..40"]);
            world.record('a', 16);
            world.expect_open(&["a, 16..26", "a, 30..40"]);
        }
    );
}

#[test]
fn a_late_record_of_an_open_session() {
    case!(
        "A record is not late if it belongs to a session that is open, however old the record is.",
        || {
            let mut world = World::session(10, 0);
            for time in [0, 8, 16, 24] {
                world.record('a', time);
            }
            world.reach(30, &[]);
            world.record('a', 2);
            world.record('a', -5);
            world.add_to('a', -15, (0, 1));
            world.add_to('b', 2, (0, 1));
            world.reach(34, &["a, -5..34, revision 0: [-5, 0, 2, 8, 16, 24]"]);
        }
    );
}
