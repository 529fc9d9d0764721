//! Consistent hashing.

use std::collections::BTreeSet;

use spec_harness::{case, expect, expect_eq, fail};

use super::part::Policy;
use super::world::{CANCELLED, World, addresses, world};

const KEYS: u64 = 2_000;
const TENTH: usize = 200;

/// The servers of all keys, in the order of the keys.
fn homes(world: &mut World) -> Vec<String> {
    let mut homes = Vec::new();
    for key in 0..KEYS {
        homes.push(home(world, key));
    }
    homes
}

fn home(world: &mut World, key: u64) -> String {
    let picked = world.begin_with(Some(key));
    let address = world.address(&picked);
    world.end(picked, CANCELLED);
    address
}

/// Checks that each key is where it was before.
fn expect_same(what: &str, after: &[String], before: &[String]) {
    let differs = before.iter().zip(after).position(|(old, new)| old != new);
    if let Some(key) = differs {
        expect_eq(
            &format!("server of key {key}, {what}"),
            &after[key],
            &before[key],
        );
    }
}

/// Checks that a number of keys is what it should be, give or take six tenths. (With a
/// hundred places on a ring for each server the shares differ by three tenths.)
fn expect_about(what: &str, got: usize, expected: usize) {
    if got < expected * 4 / 10 || got > expected * 16 / 10 {
        fail(what, &format!("about {expected}"), &got.to_string());
    }
}

#[test]
fn a_key_has_one_server() {
    case!(
        "Calls with one key go to one server, whatever was called in between.",
        || {
            let mut world = world(Policy::ConsistentHash, "abcde");
            let before = homes(&mut world);
            world.share(3);
            let held = [world.begin_with(Some(1)), world.begin_with(Some(2))];
            let what = "with two calls in flight, and three without a key behind them";
            expect_same(what, &homes(&mut world), &before);
            drop(held);
        }
    );
}

#[test]
fn every_server_has_its_share() {
    case!(
        "Each of ten servers has about a tenth of the keys, also if the keys are 0, 1, 2 and so on.",
        || {
            let mut world = world(Policy::ConsistentHash, "abcdefghij");
            let homes = homes(&mut world);
            for address in addresses("abcdefghij") {
                let count = homes.iter().filter(|home| **home == address).count();
                expect_about(&format!("keys of {address}, of {KEYS}"), count, TENTH);
            }
        }
    );
}

#[test]
fn all_balancers_agree() {
    case!(
        "Every client has a balancer of its own; all send a key to the same server.",
        || {
            let before = homes(&mut world(Policy::ConsistentHash, "abcde"));
            let mut reversed = world(Policy::ConsistentHash, "edcba");
            let what = "for a client that knows the servers in another order";
            expect_same(what, &homes(&mut reversed), &before);
            let mut other = world(Policy::ConsistentHash, "xay");
            other.balancer.set_servers(&addresses("cb"));
            other.balancer.set_servers(&addresses("bcdae"));
            let what = "for a client that has seen servers come and leave";
            expect_same(what, &homes(&mut other), &before);
        }
    );
}

#[test]
fn a_server_that_comes() {
    case!(
        "A tenth server takes a tenth of the keys from the nine others; no other key moves.",
        || {
            let mut world = world(Policy::ConsistentHash, "abcdfghij");
            let before = homes(&mut world);
            world.balancer.set_servers(&addresses("fghijabcde"));
            let after = homes(&mut world);
            let moved = before.iter().zip(&after).filter(|(old, new)| old != new);
            let elsewhere = moved.clone().filter(|(_, new)| *new != "e:1");
            expect_eq("keys that moved between the others", elsewhere.count(), 0);
            expect_about(
                "keys that moved to the tenth server",
                moved.clone().count(),
                TENTH,
            );
            let from: BTreeSet<_> = moved.map(|(old, _)| old).collect();
            expect_eq("servers that gave keys away", from.len(), 9);
        }
    );
}

#[test]
fn a_server_that_leaves() {
    case!(
        "Of a server that leaves, the keys are shared out to the others; no other key moves.",
        || {
            let mut world = world(Policy::ConsistentHash, "abcdefghij");
            let before = homes(&mut world);
            world.balancer.set_servers(&addresses("abcdfghij"));
            let after = homes(&mut world);
            let moved = before.iter().zip(&after).filter(|(old, new)| old != new);
            let others = moved.clone().filter(|(old, _)| *old != "e:1");
            expect_eq("keys of other servers that moved", others.count(), 0);
            let to: BTreeSet<_> = moved.map(|(_, new)| new).collect();
            if to.len() < 6 {
                fail(
                    "servers that the keys of the one that left went to",
                    "most of the nine others: else one of them has twice as much to do",
                    &format!("{to:?}"),
                );
            }
            world.balancer.set_servers(&addresses("abcdefghij"));
            expect_same(
                "when the one that left is back",
                &homes(&mut world),
                &before,
            );
        }
    );
}

#[test]
fn keys_of_an_ejected_server() {
    case!(
        "While a server is ejected, its keys go to others; no other key moves. Then they are back.",
        || {
            let mut world = world(Policy::ConsistentHash, "abcdef");
            let before = homes(&mut world);
            world.eject("c:1");
            let during = homes(&mut world);
            let moved = before.iter().zip(&during).filter(|(old, new)| old != new);
            let others = moved.clone().filter(|(old, _)| *old != "c:1");
            expect_eq("keys of other servers that moved", others.count(), 0);
            let stayed = during.iter().filter(|home| *home == "c:1");
            expect_eq("keys that still go to it", stayed.count(), 0);
            let to: BTreeSet<_> = moved.map(|(_, new)| new).collect();
            if to.len() < 3 {
                fail(
                    "servers that got its keys",
                    "most of five",
                    &format!("{to:?}"),
                );
            }
            world.later(super::world::ejection().pause);
            world.call("c:1", super::world::WORKED);
            expect_same(
                "when the ejected one works again",
                &homes(&mut world),
                &before,
            );
        }
    );
}

#[test]
fn a_key_whose_server_was_tried() {
    case!(
        "A retry of a call with a key goes to another server, to the same one each time.",
        || {
            let mut world = world(Policy::ConsistentHash, "abcde");
            for key in 0..100 {
                let first = world.begin_with(Some(key));
                let retry = |world: &mut World| {
                    let now = world.now;
                    let picked = world.balancer.pick(Some(key), &[first.server], now);
                    let picked = picked.unwrap_or_else(|| fail("the retry", "Some", "None"));
                    let address = world.address(&picked);
                    world.end(picked, CANCELLED);
                    address
                };
                let again = [retry(&mut world), retry(&mut world)];
                let what = format!("key {key}: the second server of two retries");
                expect_eq(&what, &again[1], &again[0]);
                let is_elsewhere = again[0] != world.address(&first);
                expect(
                    "a retry goes to another server than the first attempt",
                    is_elsewhere,
                );
                world.end(first, CANCELLED);
            }
        }
    );
}
