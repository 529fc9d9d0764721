//! The set of servers changes.

use spec_harness::{case, expect, expect_eq};

use super::part::{Policy, ServerId};
use super::world::{CANCELLED, FAILED, POLICIES, WORKED, World, addresses, world};

/// Where a call goes that has tried these servers.
fn retried(world: &mut World, tried: &[ServerId]) -> String {
    let picked = world.balancer.pick(Some(7), tried, world.now);
    picked.map_or("nowhere".to_owned(), |picked| {
        let address = world.address(&picked);
        world.end(picked, CANCELLED);
        address
    })
}

#[test]
fn a_retry_goes_elsewhere() {
    case!(
        "A retry goes to a server that was not tried, as long as there is one.",
        || {
            for policy in POLICIES {
                let mut world = world(policy, "abc");
                let ids = ["a:1", "b:1", "c:1"].map(|address| {
                    let picked = world.begin_at(address);
                    let id = picked.server;
                    world.end(picked, CANCELLED);
                    id
                });
                for (index, left) in ["a:1", "b:1", "c:1"].into_iter().enumerate() {
                    let mut tried = ids.to_vec();
                    tried.remove(index);
                    let what = format!("{policy:?}: the server of a retry, all but {left} tried");
                    for _ in 0..4 {
                        expect_eq(&what, retried(&mut world, &tried), left.to_owned());
                    }
                }
                let anywhere = retried(&mut world, &ids);
                expect(
                    "with all servers tried it goes to one of them",
                    anywhere != "nowhere",
                );
            }
        }
    );
}

#[test]
fn a_new_server_gets_calls() {
    case!(
        "A server that comes gets its turns, and no more than these.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.share(100);
            world.balancer.set_servers(&addresses("abc"));
            world.share(3);
            world.expect_share("after c came", 9, "a 3, b 3, c 3");
        }
    );
}

#[test]
fn a_server_that_left_gets_none() {
    case!(
        "A server that is no longer in the set gets no call, and has no address.",
        || {
            let mut world = world(Policy::RoundRobin, "abc");
            let picked = world.begin_at("b:1");
            world.balancer.set_servers(&addresses("ac"));
            expect_eq("its address", world.balancer.address(picked.server), None);
            world.expect_share("after b left", 10, "a 5, c 5");
            world.balancer.set_servers(&[]);
            let got = world.balancer.pick(None, &[], world.now);
            expect_eq("pick, when all have left", got, None);
        }
    );
}

#[test]
fn an_address_twice() {
    case!(
        "An address that is named twice is one server, with one share of the calls.",
        || {
            let mut world = world(Policy::RoundRobin, "aba");
            world.expect_share("of a, b, a", 10, "a 5, b 5");
            world.balancer.set_servers(&addresses("bbab"));
            world.expect_share("of b, b, a, b", 10, "a 5, b 5");
        }
    );
}

#[test]
fn one_address_twice_for_two() {
    case!(
        "A set of as many names may be another set: with a, a in place of a, b there is no b.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.balancer.set_servers(&addresses("aa"));
            world.expect_share("of a, a, before that a, b", 10, "a 10");
        }
    );
}

#[test]
fn turns_are_kept() {
    case!(
        "The set may be replaced between any two calls. Servers that stay still take turns.",
        || {
            let mut world = world(Policy::RoundRobin, "abc");
            for letters in ["abc", "cab", "bca"] {
                let mut servers = Vec::new();
                for _ in 0..3 {
                    world.balancer.set_servers(&addresses(letters));
                    let picked = world.begin();
                    servers.push(world.address(&picked));
                    world.end(picked, WORKED);
                }
                servers.sort();
                let what = format!("three calls, with set_servers({letters}) before each");
                expect_eq(&what, servers.join(" "), "a:1 b:1 c:1".to_owned());
            }
        }
    );
}

#[test]
fn what_stays_is_known() {
    case!(
        "Of servers that stay it is still known what is in flight, and what is ejected.",
        || {
            let mut world = world(Policy::LeastInFlight, "abc");
            world.eject("a:1");
            let held = world.begin_at("b:1");
            for letters in ["cba", "abcd", "bac"] {
                world.balancer.set_servers(&addresses(letters));
                let address = world.balancer.address(held.server).map(str::to_owned);
                expect_eq("b's address by its id", address, Some("b:1".to_owned()));
            }
            let what = "a ejected, a call in flight at b, and the set was replaced";
            world.expect_share(what, 10, "c 10");
        }
    );
}

#[test]
fn failures_are_kept() {
    case!(
        "A server that failed twice, and once more after the set was replaced, is ejected.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.call("a:1", FAILED);
            world.call("a:1", FAILED);
            world.balancer.set_servers(&addresses("cab"));
            world.call("a:1", FAILED);
            world.expect_share("after its third failure", 10, "b 5, c 5");
        }
    );
}

#[test]
fn a_server_that_comes_back() {
    case!(
        "A server that left and comes back is a new one: it has nothing in flight, is not ejected.",
        || {
            let mut busy = world(Policy::LeastInFlight, "ab");
            let held = busy.begin_at("a:1");
            busy.balancer.set_servers(&addresses("b"));
            busy.balancer.set_servers(&addresses("ab"));
            busy.expect_share("a had a call in flight, left, and came", 10, "a 5, b 5");
            let again = busy.begin_at("a:1");
            expect("it has another id than before", again.server != held.server);
            let mut failing = world(Policy::RoundRobin, "ab");
            failing.eject("a:1");
            failing.balancer.set_servers(&addresses("b"));
            failing.balancer.set_servers(&addresses("ab"));
            failing.expect_share("a was ejected, left, and came", 10, "a 5, b 5");
        }
    );
}

#[test]
fn a_late_end() {
    case!(
        "A call that ends after its server left changes nothing, also not for a server that came.",
        || {
            let mut world = world(Policy::LeastInFlight, "ab");
            let held = [(); 4].map(|()| world.begin());
            world.balancer.set_servers(&addresses("ca"));
            world.balancer.set_servers(&addresses("cb"));
            for picked in held {
                let address = world.balancer.address(picked.server).map(str::to_owned);
                expect_eq("the address of a server that left", address, None);
                world.end(picked, FAILED);
            }
            world.expect_share(
                "after c and b came, and four old calls failed",
                10,
                "b 5, c 5",
            );
        }
    );
}

#[test]
fn ids_are_never_used_again() {
    case!(
        "An id names one server for ever: what has left gives its id to no other one.",
        || {
            let mut world = world(Policy::RoundRobin, "a");
            let mut seen = Vec::new();
            for letters in ["a", "b", "c", "a", "ab", "c", "abc", "b", "a"] {
                world.balancer.set_servers(&addresses(letters));
                for _ in 0..letters.len() {
                    let picked = world.begin();
                    let address = world.address(&picked);
                    seen.push((picked.server, address));
                    world.end(picked, CANCELLED);
                }
            }
            for (id, address) in &seen {
                let other = seen
                    .iter()
                    .find(|(known, other)| known == id && other != address);
                let other = other.map(|(_, other)| other);
                expect_eq(
                    &format!("another server with the id of {address}"),
                    other,
                    None,
                );
            }
        }
    );
}
