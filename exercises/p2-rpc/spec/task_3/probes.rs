//! How a server that was ejected comes back.

use std::num::NonZeroU32;
use std::time::Duration;

use spec_harness::{case, expect_eq};

use super::part::{Balancer, Ejection, Policy};
use super::world::{CANCELLED, FAILED, POLICIES, WORKED, World, addresses, at, world};

const NANO: Duration = Duration::from_nanos(1);

#[test]
fn one_probe_after_the_pause() {
    case!(
        "When its pause is over, to the nanosecond, an ejected server gets one call, the probe.",
        || {
            for policy in POLICIES {
                let mut world = world(policy, "ab");
                world.eject("a:1");
                world.later(Duration::from_secs(10) - NANO);
                world.expect_share(&format!("{policy:?}, 10 s - 1 ns later"), 10, "b 10");
                world.later(NANO);
                let what = format!("{policy:?}, 10 s later");
                let _probe = world.expect_probe(&what, "a:1");
                world.later(Duration::from_secs(3600));
                let what = format!("{policy:?}, while the probe is in flight");
                world.expect_share(&what, 10, "b 10");
            }
        }
    );
}

#[test]
fn calls_are_no_probes() {
    case!(
        "A call to a server that is not ejected is no probe.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            for _ in 0..10 {
                let picked = world.begin();
                expect_eq("whether it is a probe", picked.is_probe, false);
                world.end(picked, WORKED);
            }
        }
    );
}

#[test]
fn a_probe_that_works() {
    case!(
        "If the probe worked, the server is back, and it takes three failures to eject it again.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.eject("a:1");
            world.later(Duration::from_secs(10));
            let probe = world.expect_probe("10 s later", "a:1");
            world.end(probe, WORKED);
            world.expect_share("the probe has worked", 10, "a 5, b 5");
            world.call("a:1", FAILED);
            world.call("a:1", FAILED);
            world.expect_share("and then a failed twice", 10, "a 5, b 5");
        }
    );
}

#[test]
fn a_probe_that_fails() {
    case!(
        "If the probe failed, the server is ejected from then on, for twice as long, up to 40 s.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.eject("a:1");
            let mut seconds = 10;
            for next in [20, 40, 40, 40, 40] {
                world.later(Duration::from_secs(seconds) - NANO);
                world.expect_share(&format!("1 ns before {seconds} s are over"), 10, "b 10");
                world.later(NANO);
                let probe = world.expect_probe(&format!("{seconds} s later"), "a:1");
                world.later(Duration::from_secs(2));
                world.end(probe, FAILED);
                seconds = next;
            }
        }
    );
}

#[test]
fn the_pause_begins_anew() {
    case!(
        "A server that worked again, and is ejected again, is so for the first pause.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.eject("a:1");
            for seconds in [10, 20] {
                world.later(Duration::from_secs(seconds));
                let probe = world.expect_probe(&format!("{seconds} s later"), "a:1");
                world.end(probe, if seconds == 20 { WORKED } else { FAILED });
            }
            world.eject("a:1");
            world.later(Duration::from_secs(10));
            let probe = world.expect_probe("10 s after it was ejected again", "a:1");
            world.end(probe, FAILED);
            world.later(Duration::from_secs(10));
            world.expect_share("10 s after the failure of that probe", 10, "b 10");
            world.later(Duration::from_secs(10));
            let _probe = world.expect_probe("20 s after the failure of that probe", "a:1");
        }
    );
}

#[test]
fn a_probe_that_is_cancelled() {
    case!(
        "If the probe was cancelled, nothing is known: the next call is the probe.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.eject("a:1");
            world.later(Duration::from_secs(10));
            for round in 1..=3 {
                let probe = world.expect_probe(&format!("{round} times at 10 s"), "a:1");
                world.end(probe, CANCELLED);
            }
            let probe = world.expect_probe("after three that were cancelled", "a:1");
            world.end(probe, FAILED);
            world.later(Duration::from_secs(20) - NANO);
            world.expect_share("the probe failed, 20 s - 1 ns later", 10, "b 10");
            world.later(NANO);
            let _probe = world.expect_probe("20 s later", "a:1");
        }
    );
}

#[test]
fn older_calls_that_fail() {
    case!(
        "Calls that fail when their server is ejected already do not make its pause longer.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            let held = [(); 6].map(|()| world.begin_at("a:1"));
            world.eject("a:1");
            world.later(Duration::from_secs(5));
            for picked in held {
                world.end(picked, FAILED);
            }
            world.later(Duration::from_secs(5));
            let what = "10 s after its ejection, six older calls have failed since";
            let probe = world.expect_probe(what, "a:1");
            world.end(probe, FAILED);
            world.later(Duration::from_secs(20));
            let what = "20 s after the probe, which failed";
            let _probe = world.expect_probe(what, "a:1");
        }
    );
}

#[test]
fn a_probe_that_fails_when_its_server_is_back() {
    case!(
        "If an older call has brought the server back, a probe that fails then is one failure of three.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            let held = world.begin_at("a:1");
            world.eject("a:1");
            world.later(Duration::from_secs(10));
            let probe = world.expect_probe("10 s later", "a:1");
            world.end(held, WORKED);
            world.end(probe, FAILED);
            world.expect_share(
                "an older call worked, and then the probe failed",
                10,
                "a 5, b 5",
            );
            world.call("a:1", FAILED);
            world.expect_share("and a second call to a failed", 10, "a 5, b 5");
            world.call("a:1", FAILED);
            world.expect_share("and a third one", 10, "b 10");
            world.later(Duration::from_secs(10));
            let _probe = world.expect_probe("10 s after the third one", "a:1");
        }
    );
}

#[test]
fn a_probe_is_a_turn() {
    case!(
        "A probe is a turn of its server, whether it works or is cancelled: then others are next.",
        || {
            for policy in [Policy::RoundRobin, Policy::LeastInFlight] {
                for outcome in [WORKED, CANCELLED] {
                    let mut world = world(policy, "abc");
                    world.eject("a:1");
                    world.expect_share("a is ejected", 2, "b 1, c 1");
                    world.later(Duration::from_secs(10));
                    let probe = world.begin();
                    let got = (world.address(&probe), probe.is_probe);
                    let what =
                        format!("{policy:?}, 10 s later: the next call, whether it is a probe");
                    expect_eq(&what, got, ("a:1".to_owned(), true));
                    world.end(probe, outcome);
                    let what = format!("{policy:?}, behind the probe, which {outcome:?}");
                    world.expect_share(&what, 2, "b 1, c 1");
                    world.expect_share(&format!("{what}, and so on"), 3, "a 1, b 1, c 1");
                }
            }
        }
    );
}

#[test]
fn an_older_call_is_not_the_probe() {
    case!(
        "While the probe is in flight, the end of an older call lets no second probe begin.",
        || {
            for outcome in [FAILED, CANCELLED] {
                let mut world = world(Policy::RoundRobin, "ab");
                let held = world.begin_at("a:1");
                world.eject("a:1");
                world.later(Duration::from_secs(10));
                let probe = world.expect_probe("10 s later", "a:1");
                world.end(held, outcome);
                let what = format!("the probe is in flight, an older call {outcome:?}");
                world.expect_share(&what, 10, "b 10");
                world.end(probe, WORKED);
                world.expect_share("the probe has worked", 10, "a 5, b 5");
            }
        }
    );
}

#[test]
fn a_late_failure_is_not_the_probes() {
    case!(
        "Before the probe has begun, an older call that fails does not begin a new pause.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            let held = world.begin_at("a:1");
            world.eject("a:1");
            world.later(Duration::from_secs(12));
            world.end(held, FAILED);
            let _probe = world.expect_probe("12 s after its ejection", "a:1");
        }
    );
}

#[test]
fn a_pause_for_ever() {
    case!(
        "The longest pause that there is ejects for ever, and twice that pause is no more.",
        || {
            let ejection = Ejection {
                failures: NonZeroU32::MIN,
                pause: Duration::MAX,
                max_pause: Duration::MAX,
            };
            let mut world = World {
                balancer: Balancer::new(Policy::RoundRobin, ejection),
                now: at(100),
            };
            world.balancer.set_servers(&addresses("ab"));
            world.call("a:1", FAILED);
            world.later(Duration::from_secs(1_000_000_000));
            let what = "a failed, with a limit of one and a pause of Duration::MAX";
            world.expect_share(what, 10, "b 10");
        }
    );
}

#[test]
fn a_probe_for_each() {
    case!(
        "Two servers that are ejected get a probe each, when the pause of each is over.",
        || {
            let mut world = world(Policy::RoundRobin, "abc");
            world.eject("a:1");
            world.later(Duration::from_secs(4));
            world.eject("b:1");
            world.later(Duration::from_secs(6));
            let of_a = world.expect_probe("10 s after a, and 6 s after b", "a:1");
            world.later(Duration::from_secs(4));
            let of_b = world.expect_probe("10 s after b", "b:1");
            world.end(of_a, WORKED);
            world.expect_share("the probe of a has worked", 10, "a 5, c 5");
            world.end(of_b, WORKED);
            world.expect_share("that of b too", 9, "a 3, b 3, c 3");
        }
    );
}

#[test]
fn all_but_the_one_that_is_due() {
    case!(
        "If all servers are ejected, and the pause of one is over, that one gets its probe.",
        || {
            let mut world = world(Policy::RoundRobin, "ab");
            world.eject("a:1");
            world.later(Duration::from_secs(4));
            world.eject("b:1");
            world.later(Duration::from_secs(6));
            let probe = world.begin();
            let got = (world.address(&probe), probe.is_probe);
            expect_eq(
                "the next call, and whether it is a probe",
                got,
                ("a:1".to_owned(), true),
            );
        }
    );
}
