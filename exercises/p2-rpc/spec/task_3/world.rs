//! Balancers as the cases use them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use message_model::Moment;
use spec_harness::{expect, expect_eq, fail};

use super::part::{Balancer, CallOutcome, Ejection, Picked, Policy};

pub(super) const WORKED: CallOutcome = CallOutcome::Worked;
pub(super) const FAILED: CallOutcome = CallOutcome::Failed;
pub(super) const CANCELLED: CallOutcome = CallOutcome::Cancelled;

pub(super) const POLICIES: [Policy; 3] = [
    Policy::RoundRobin,
    Policy::LeastInFlight,
    Policy::ConsistentHash,
];

/// The moment so many seconds after the start.
pub(super) fn at(seconds: u64) -> Moment {
    Moment::after_start(Duration::from_secs(seconds))
}

/// Three failures in a row eject for 10 s, then for 20 s, then for 40 s, and never longer.
pub(super) fn ejection() -> Ejection {
    Ejection {
        failures: NonZeroU32::new(3).expect("three is not zero"),
        pause: Duration::from_secs(10),
        max_pause: Duration::from_secs(40),
    }
}

/// A balancer and what time it is.
pub(super) struct World {
    pub(super) balancer: Balancer,
    pub(super) now: Moment,
}

/// The addresses `a:1`, `b:1`, `c:1` … of these letters.
pub(super) fn addresses(letters: &str) -> Vec<String> {
    letters
        .chars()
        .map(|letter| format!("{letter}:1"))
        .collect()
}

/// A balancer over the servers `a:1`, `b:1`, `c:1` … of these letters.
pub(super) fn world(policy: Policy, letters: &str) -> World {
    let mut balancer = Balancer::new(policy, ejection());
    balancer.set_servers(&addresses(letters));
    World {
        balancer,
        now: at(100),
    }
}

impl World {
    pub(super) fn address(&self, picked: &Picked) -> String {
        match self.balancer.address(picked.server) {
            Some(address) => address.to_owned(),
            None => fail("address of the server that was picked", "Some", "None"),
        }
    }

    /// The next call, which is then in flight.
    pub(super) fn begin(&mut self) -> Picked {
        self.begin_with(None)
    }

    pub(super) fn begin_with(&mut self, key: Option<u64>) -> Picked {
        let picked = self.balancer.pick(key, &[], self.now);
        picked.unwrap_or_else(|| fail("pick, while there are servers", "Some", "None"))
    }

    /// The next call that goes to this server; calls to others are cancelled at once.
    pub(super) fn begin_at(&mut self, address: &str) -> Picked {
        let mut others = BTreeSet::new();
        for _ in 0..100 {
            let picked = self.begin();
            let there = self.address(&picked);
            if there == address {
                return picked;
            }
            others.insert(there);
            self.end(picked, CANCELLED);
        }
        fail(
            "100 calls, each of which is cancelled before the next one begins",
            &format!("some go to {address}"),
            &format!("all go to {others:?}"),
        );
    }

    pub(super) fn end(&mut self, picked: Picked, outcome: CallOutcome) {
        self.balancer.ended(picked, outcome, self.now);
    }

    /// Makes a call to this server, which ends so.
    pub(super) fn call(&mut self, address: &str, outcome: CallOutcome) {
        let picked = self.begin_at(address);
        self.end(picked, outcome);
    }

    /// Has three calls to a server fail.
    pub(super) fn eject(&mut self, address: &str) {
        for _ in 0..3 {
            self.call(address, FAILED);
        }
    }

    pub(super) fn later(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    /// Makes calls one after the other, all of which are cancelled. Returns how many went
    /// where, such as `a 2, b 2`.
    pub(super) fn share(&mut self, calls: u32) -> String {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..calls {
            let picked = self.begin();
            *counts.entry(self.address(&picked)).or_default() += 1;
            self.end(picked, CANCELLED);
        }
        let counts = counts
            .iter()
            .map(|(address, count)| format!("{} {count}", address.trim_end_matches(":1")));
        counts.collect::<Vec<_>>().join(", ")
    }

    /// Checks that calls go there, as [`share`](World::share) says it.
    pub(super) fn expect_share(&mut self, what: &str, calls: u32, expected: &str) {
        let what = format!("where {calls} calls go, {what}");
        expect_eq(&what, self.share(calls), expected.to_owned());
    }

    /// Checks that of many calls the next one, and no other, is a probe and goes to this
    /// server. Returns the probe, which is in flight.
    pub(super) fn expect_probe(&mut self, what: &str, address: &str) -> Picked {
        let mut probe = None;
        for _ in 0..20 {
            let picked = self.begin();
            if self.address(&picked) != address {
                expect("a probe goes to an ejected server only", !picked.is_probe);
                self.end(picked, CANCELLED);
                continue;
            }
            if probe.is_some() {
                fail(&format!("20 calls, {what}"), "one probe", "two calls to it");
            }
            let what = format!("whether the call to {address} is a probe, {what}");
            expect_eq(&what, picked.is_probe, true);
            probe = Some(picked);
        }
        probe.unwrap_or_else(|| fail(&format!("20 calls, {what}"), "one probe", "none"))
    }
}
