//! When a server is ejected.

use spec_harness::{case, expect_eq};

use super::part::Policy;
use super::world::{CANCELLED, FAILED, POLICIES, WORKED, world};

#[test]
fn three_failures_in_a_row() {
    case!(
        "With a limit of three, the third failed call in a row ejects its server, not the second.",
        || {
            for policy in POLICIES {
                let mut world = world(policy, "ab");
                world.call("a:1", FAILED);
                world.call("a:1", FAILED);
                world.expect_share(&format!("{policy:?}, a failed twice"), 10, "a 5, b 5");
                world.call("a:1", FAILED);
                world.expect_share(&format!("{policy:?}, a failed three times"), 10, "b 10");
            }
        }
    );
}

#[test]
fn a_success_in_between() {
    case!(
        "A call that worked ends the row of failures: a server that fails now and then stays.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            for outcome in [FAILED, FAILED, WORKED, FAILED, FAILED, WORKED, FAILED] {
                world.call("a:1", outcome);
            }
            world.expect_share("a failed five times, twice in a row", 10, "a 5, b 5");
        }
    );
}

#[test]
fn cancelled_says_nothing() {
    case!(
        "A cancelled call is no failure, and no success: it says nothing about the server.",
        || {
            let mut first = world(Policy::RoundRobin, "ab");
            for _ in 0..10 {
                first.call("a:1", CANCELLED);
            }
            first.expect_share("ten calls to a were cancelled", 10, "a 5, b 5");
            let mut second = world(Policy::RoundRobin, "ab");
            for outcome in [FAILED, CANCELLED, FAILED, CANCELLED, FAILED] {
                second.call("a:1", outcome);
            }
            let what = "calls to a failed, and some in between were cancelled";
            second.expect_share(what, 10, "b 10");
        }
    );
}

#[test]
fn each_server_for_itself() {
    case!(
        "Failures are counted for each server: three servers that fail once each are not ejected.",
        || {
            let mut world = world(Policy::RoundRobin, "abc");
            for address in ["a:1", "b:1", "c:1", "b:1"] {
                world.call(address, FAILED);
            }
            world.expect_share("a, b, c and b failed", 12, "a 4, b 4, c 4");
            world.call("a:1", WORKED);
            world.call("b:1", FAILED);
            world.expect_share("then a worked, and b failed", 12, "a 6, c 6");
        }
    );
}

#[test]
fn at_once() {
    case!(
        "Three calls that were in flight together, and failed, eject as well.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            let held = [(); 3].map(|()| world.begin_at("a:1"));
            for picked in held {
                world.end(picked, FAILED);
            }
            world.expect_share("three calls at once to a failed", 10, "b 10");
        }
    );
}

#[test]
fn an_older_call_that_works() {
    case!(
        "An older call that worked shows that the server works: it is back at once.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            let held = world.begin_at("a:1");
            world.eject("a:1");
            world.expect_share("a is ejected", 10, "b 10");
            world.end(held, WORKED);
            world.expect_share("an older call to a worked", 10, "a 5, b 5");
            world.call("a:1", FAILED);
            world.call("a:1", FAILED);
            world.expect_share("and a failed twice then", 10, "a 5, b 5");
        }
    );
}

#[test]
fn back_in_its_turn() {
    case!(
        "A server that an older call brings back keeps its place among the turns: others waited longer.",
        || {
            let mut world = world(Policy::RoundRobin, "abc");
            let held = world.begin_at("a:1");
            world.eject("a:1");
            world.end(held, WORKED);
            world.expect_share("a is back, and had the last turn", 2, "b 1, c 1");
            world.expect_share("and then", 3, "a 1, b 1, c 1");
        }
    );
}

#[test]
fn all_are_ejected() {
    case!(
        "If all servers are ejected, all get calls: the fault is more likely at the client.",
        || {
            for policy in POLICIES {
                let mut world = world(policy, "abc");
                world.eject("a:1");
                world.eject("b:1");
                world.expect_share(&format!("{policy:?}, a and b ejected"), 9, "c 9");
                world.eject("c:1");
                let what = format!("{policy:?}, all ejected");
                world.expect_share(&what, 9, "a 3, b 3, c 3");
                let picked = world.begin();
                expect_eq("whether such a call is a probe", picked.is_probe, false);
            }
        }
    );
}

#[test]
fn the_first_that_works_again() {
    case!(
        "While all are ejected, the first server to which a call works is back, and gets all calls.",
        || {
            let mut world = world(Policy::RoundRobin, "abc");
            for address in ["a:1", "b:1", "c:1"] {
                world.eject(address);
            }
            world.call("a:1", FAILED);
            world.call("b:1", CANCELLED);
            world.expect_share("still all ejected", 9, "a 3, b 3, c 3");
            world.call("b:1", WORKED);
            world.expect_share("a call to b has worked", 9, "b 9");
        }
    );
}

#[test]
fn a_retry_and_an_ejected_server() {
    case!(
        "A retry goes to a server that was tried rather than to one that is ejected.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.eject("b:1");
            let first = world.begin();
            for _ in 0..4 {
                let retry = world.balancer.pick(None, &[first.server], world.now);
                let address = retry.as_ref().map(|picked| world.address(picked));
                let what = "the retry, a tried and b ejected";
                expect_eq(what, address, Some("a:1".to_owned()));
                retry
                    .into_iter()
                    .for_each(|picked| world.end(picked, CANCELLED));
            }
        }
    );
}
