//! Consistent hashing.

use std::collections::BTreeSet;
use std::process::Command;

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
fn keys_of_all_sizes() {
    case!(
        "Each server has its share also of large keys, and with addresses that differ in one digit.",
        || {
            let ports = (9001..9010).map(|port| format!("127.0.0.1:{port}"));
            let hosts = (11..20).map(|host| format!("10.0.0.{host}:9092"));
            for addresses in [Vec::from_iter(ports), Vec::from_iter(hosts)] {
                let mut world = world(Policy::ConsistentHash, "");
                world.balancer.set_servers(&addresses);
                for shift in [0, 16, 32, 48] {
                    let keys = (0..3600).map(|number| number << shift);
                    let homes: Vec<_> = keys.map(|key| home(&mut world, key)).collect();
                    for address in &addresses {
                        let count = homes.iter().filter(|home| *home == address).count();
                        let what = format!("keys of {address}, of 3600: 0, 1, 2 … times 2^{shift}");
                        expect_about(&what, count, 400);
                    }
                }
            }
        }
    );
}

/// Two addresses with one [`name_id`](super::part::name_id), or with the same characters.
const TWINS: [[&str; 2]; 4] = [
    ["10.0.0.12:80", "10.0.0.21:80"],
    ["10.0.147.80:9092", "10.0.117.21:80"],
    ["costarring:9092", "liquid:9092"],
    ["declinate:9092", "macallums:9092"],
];

#[test]
fn two_addresses_with_one_number() {
    case!(
        "Two addresses may have one name_id, or the same characters. A key has one server all the same.",
        || {
            for [one, other] in TWINS {
                let homes_of = |addresses: [&str; 2]| {
                    let mut world = world(Policy::ConsistentHash, "");
                    world.balancer.set_servers(&addresses.map(str::to_owned));
                    [homes(&mut world), homes(&mut world)]
                };
                let [before, after] = homes_of([one, other]);
                let what = format!("the second time, with {one} and {other}");
                expect_same(&what, &after, &before);
                let [reversed, _] = homes_of([other, one]);
                let what = format!("for a client that knows {other} before {one}");
                expect_same(&what, &reversed, &before);
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

/// Set for the process that [`another_process_agrees`] starts.
const ELSEWHERE: &str = "SPEC_ELSEWHERE";

#[test]
fn another_process_agrees() {
    case!(
        "Every client is a process of its own, and begins anew; all send a key to the same server.",
        || {
            let here = homes(&mut world(Policy::ConsistentHash, "abcde"));
            if std::env::var_os(ELSEWHERE).is_none() {
                let there = homes_elsewhere();
                let what = "keys whose server the other process says";
                expect_eq(what, there.len(), here.len());
                // Without the values: those of a hash with a seed are others each time.
                let what = "each key has the server in a second process that it has in this one";
                expect(what, there == here);
            } else {
                let homes = here.iter().map(|home| format!("\n{HOME}{home}"));
                println!("{}", String::from_iter(homes));
            }
        }
    );
}

/// How a line begins that says a home.
const HOME: &str = "home ";

/// What [`homes`] are in a process that runs the same case, and nothing else.
fn homes_elsewhere() -> Vec<String> {
    let case = concat!(module_path!(), "::another_process_agrees");
    let (_, case) = case.split_once("::").expect("a case is in a crate");
    let program = std::env::current_exe().expect("a program is a file");
    let output = Command::new(program)
        .args(["--exact", case, "--nocapture"])
        .env(ELSEWHERE, "1")
        .output();
    let output = output.expect("the program runs a second time").stdout;
    let text = String::from_utf8_lossy(&output);
    let homes = text.lines().filter_map(|line| line.strip_prefix(HOME));
    homes.map(str::to_owned).collect()
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
