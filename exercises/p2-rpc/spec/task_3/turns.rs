//! By turns, and to the fewest in flight.

use spec_harness::{case, expect_eq, fail};

use super::part::{Balancer, Policy};
use super::world::{CANCELLED, FAILED, POLICIES, WORKED, at, ejection, world};

#[test]
fn no_server_to_pick() {
    case!("Without a server there is nothing to pick.", || {
        for policy in POLICIES {
            let mut balancer = Balancer::new(policy, ejection());
            let what = format!("pick without servers, {policy:?}");
            expect_eq(&what, balancer.pick(Some(7), &[], at(0)), None);
        }
    });
}

#[test]
fn servers_take_turns() {
    case!(
        "Round robin: servers take turns, and as many calls as servers go to each of them once.",
        || {
            let mut world = world(Policy::RoundRobin, "abcd");
            for round in 1..=3 {
                world.expect_share(&format!("round {round}"), 4, "a 1, b 1, c 1, d 1");
            }
        }
    );
}

#[test]
fn turns_whatever_is_in_flight() {
    case!("Round robin does not look at what is in flight.", || {
        let mut world = world(Policy::RoundRobin, "ab");
        let mut held = Vec::new();
        for _ in 0..10 {
            held.push(world.begin_at("a:1"));
        }
        world.expect_share("with ten calls in flight at a", 10, "a 5, b 5");
    });
}

#[test]
fn the_fewest_in_flight() {
    case!(
        "Least in flight: a call goes to the server with the fewest calls in flight.",
        || {
            let mut world = world(Policy::LeastInFlight, "abc");
            let [first, second] = [(); 2].map(|()| world.begin());
            let (slow, other) = (world.address(&first), world.address(&second));
            let third = world.begin();
            let picked = [&first, &second, &third].map(|picked| world.address(picked));
            let mut picked = picked.to_vec();
            picked.sort();
            expect_eq(
                "three calls at once",
                picked.join(" "),
                "a:1 b:1 c:1".to_owned(),
            );
            world.end(second, WORKED);
            for _ in 0..3 {
                let next = world.begin();
                let what = format!("the next call, with a call at all but {other}");
                expect_eq(&what, world.address(&next), other.clone());
                world.end(next, WORKED);
            }
            world.end(third, WORKED);
            let there = world.share(10).contains(&slow[..1]);
            expect_eq("one of ten calls goes to the slow server", there, false);
        }
    );
}

#[test]
fn equals_take_turns() {
    case!(
        "Least in flight: if calls come one by one, servers take turns, and the first is no busier.",
        || {
            let mut world = world(Policy::LeastInFlight, "abc");
            world.expect_share("one after the other", 30, "a 10, b 10, c 10");
        }
    );
}

#[test]
fn every_end_frees_its_place() {
    case!(
        "A call that failed or was cancelled is no longer in flight, as one that worked.",
        || {
            for outcome in [WORKED, FAILED, CANCELLED] {
                let mut world = world(Policy::LeastInFlight, "ab");
                let first = world.begin();
                let address = world.address(&first);
                world.end(first, outcome);
                let calls = [world.begin(), world.begin(), world.begin(), world.begin()];
                let there = calls
                    .iter()
                    .filter(|picked| world.address(picked) == address);
                let what = format!("of four calls at once, after one that {outcome:?}");
                expect_eq(&what, there.count(), 2);
            }
        }
    );
}

#[test]
fn keys_mean_nothing_to_turns() {
    case!(
        "A key is for consistent hashing. Under the other policies it changes nothing.",
        || {
            for policy in [Policy::RoundRobin, Policy::LeastInFlight] {
                let mut world = world(policy, "abc");
                let mut servers = Vec::new();
                for _ in 0..6 {
                    let picked = world.begin_with(Some(7));
                    servers.push(world.address(&picked));
                    world.end(picked, WORKED);
                }
                for three in servers.chunks_mut(3) {
                    three.sort();
                    let what = format!("{policy:?}, three calls with the key 7, one by one");
                    expect_eq(&what, three.join(" "), "a:1 b:1 c:1".to_owned());
                }
            }
        }
    );
}

#[test]
fn a_retry_is_a_turn() {
    case!(
        "A retry is a turn of the server that it goes to, as any other call.",
        || {
            for policy in [Policy::RoundRobin, Policy::LeastInFlight] {
                let mut world = world(policy, "abc");
                let first = world.begin();
                let tried = [first.server];
                let mut servers = vec![world.address(&first)];
                world.end(first, FAILED);
                for tried in [&tried[..], &[]] {
                    let picked = world.balancer.pick(None, tried, world.now);
                    let picked = picked.unwrap_or_else(|| fail("pick", "Some", "None"));
                    servers.push(world.address(&picked));
                    world.end(picked, WORKED);
                }
                servers.sort();
                let what = format!("{policy:?}, a call, its retry, and another call");
                expect_eq(&what, servers.join(" "), "a:1 b:1 c:1".to_owned());
            }
        }
    );
}

#[test]
fn calls_without_a_key() {
    case!("Consistent hash: calls without a key take turns.", || {
        let mut world = world(Policy::ConsistentHash, "abc");
        world.expect_share("without a key", 30, "a 10, b 10, c 10");
    });
}
