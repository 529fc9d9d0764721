//! Which server the next call goes to.

use std::num::NonZeroU32;
use std::time::Duration;

use message_model::Moment;

/// How calls are spread over servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// To the server whose last call is the longest ago. Each pick is a call, also a retry or a
    /// probe, however it ends.
    RoundRobin,
    /// To the server with the fewest calls in flight; among equals by turns.
    LeastInFlight,
    /// Calls with one key to one server, as long as it is there; calls without a key by turns.
    /// For the other policies a key means nothing.
    ///
    /// A server that comes takes its share of the keys from all others, and of a server that
    /// leaves only its own keys move. Balancers with the same servers agree.
    ConsistentHash,
}

/// When a server is ejected, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ejection {
    /// So many failed calls in a row eject a server.
    pub failures: NonZeroU32,
    /// How long the first time. [`Duration::MAX`] is for ever.
    pub pause: Duration,
    /// How long at most, as the pause doubles with each probe that fails. At least `pause`.
    pub max_pause: Duration,
}

/// A server of a [`Balancer`], for as long as it is in the set. No other one gets this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerId(u64);

/// The place of one call on a server. It is taken until it is given to [`Balancer::ended`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the call counts as in flight until this is given to `ended`"]
pub struct Picked {
    /// Where the call goes.
    pub server: ServerId,
    /// Whether the server is ejected, and this call shows whether it works again.
    pub is_probe: bool,
}

/// How a call ended, as far as its server is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// The server has answered.
    Worked,
    /// The server has not answered in time, was not reached, or has too much to do.
    Failed,
    /// The caller has given up; nothing is known about the server.
    Cancelled,
}

/// Picks a server for each call. *Ejects* a server that fails: calls go to others, until a
/// pause is over and one call, the *probe*, shows that the server works again. Pure: no clock.
///
/// # Invariants
/// - A server that is ejected gets no call but its probe, and one probe at a time. There is one
///   exception: while all servers are ejected and none is due for a probe, all get calls, because
///   the fault is more likely on this side.
/// - Only failed calls in a row eject a server, and any call that worked brings it back.
/// - A call that ends after its server has left the set changes nothing.
#[derive(Debug)]
pub struct Balancer {
    policy: Policy,
    ejection: Ejection,
    servers: Vec<Server>,
    last_id: u64,
    /// How many picks there were.
    picks: u64,
}

#[derive(Debug)]
struct Server {
    id: ServerId,
    address: String,
    in_flight: u32,
    /// The number of the pick that it got last.
    last_pick: u64,
    /// How many calls in a row have failed; with [`Ejection::failures`] it is ejected.
    failures: u32,
    /// If it is ejected: when it gets a probe.
    until: Moment,
    /// For how long it is ejected the next time.
    pause: Duration,
    is_probed: bool,
}

impl Balancer {
    /// Returns a balancer without servers.
    #[must_use]
    pub fn new(policy: Policy, ejection: Ejection) -> Balancer {
        Balancer {
            policy,
            ejection,
            servers: Vec::new(),
            last_id: 0,
            picks: 0,
        }
    }

    /// Makes these addresses the set of servers. What is known of those that stay is kept, with
    /// their turns; one that has left and comes back is new. An address that is named twice
    /// counts once.
    pub fn set_servers(&mut self, addresses: &[String]) {
        // task p2.3: the set of servers, with what is known of those that stay
        let wanted: std::collections::BTreeSet<&String> = addresses.iter().collect();
        self.servers.retain(|old| wanted.contains(&old.address));
        let known = self.servers.iter().map(|old| old.address.clone());
        let mut known: std::collections::BTreeSet<String> = known.collect();
        for address in addresses {
            if !known.insert(address.clone()) {
                continue;
            }
            self.last_id += 1;
            self.servers.push(Server {
                id: ServerId(self.last_id),
                address: address.clone(),
                in_flight: 0,
                last_pick: 0,
                failures: 0,
                until: Moment::START,
                pause: self.ejection.pause,
                is_probed: false,
            });
        }
        // end
    }

    /// Picks the server for one call, which then is in flight there; `None`: there is no server.
    ///
    /// - A server that is ejected is picked only as its probe, or if all are ejected and none is
    ///   due for its probe.
    /// - Of the rest, one that was `tried` is picked only if all were.
    /// - Of the rest, the policy takes one.
    pub fn pick(&mut self, key: Option<u64>, tried: &[ServerId], now: Moment) -> Option<Picked> {
        // task p2.3: the server that the next call goes to
        let (policy, limit) = (self.policy, self.ejection.failures.get());
        let server = self.servers.iter_mut().min_by_key(|server| {
            let by_policy = match (policy, key) {
                (Policy::LeastInFlight, _) => u64::from(server.in_flight),
                (Policy::ConsistentHash, Some(key)) => distance(&server.address, key),
                (Policy::ConsistentHash | Policy::RoundRobin, _) => 0,
            };
            let is_out = server.is_ejected(limit) && !server.wants_probe(now);
            let is_tried = tried.contains(&server.id);
            (is_out, is_tried, by_policy, server.last_pick)
        })?;
        self.picks += 1;
        server.last_pick = self.picks;
        server.in_flight += 1;
        let is_probe = server.is_ejected(limit) && server.wants_probe(now);
        server.is_probed |= is_probe;
        Some(Picked {
            server: server.id,
            is_probe,
        })
        // end
    }

    /// Notes how a call ended.
    ///
    /// - If it worked, its server is not ejected, and no call in a row has failed.
    /// - If it failed, and was one in a row too many, its server is ejected.
    /// - If it failed, and was the probe, and its server is still ejected, the server is ejected
    ///   again, for twice as long. If the server is back already, the probe is a call as any other.
    /// - If any other call to an ejected server failed, nothing changes.
    /// - If it was cancelled, nothing is known; if it was the probe, another call can be it.
    pub fn ended(&mut self, picked: Picked, outcome: CallOutcome, now: Moment) {
        // task p2.3: what the end of a call says of its server
        let limit = self.ejection.failures.get();
        let mut servers = self.servers.iter_mut();
        let Some(server) = servers.find(|server| server.id == picked.server) else {
            return;
        };
        server.in_flight -= 1;
        server.is_probed &= !picked.is_probe;
        match outcome {
            CallOutcome::Worked => {
                server.failures = 0;
                server.pause = self.ejection.pause;
            }
            CallOutcome::Failed if picked.is_probe || !server.is_ejected(limit) => {
                server.failures = server.failures.saturating_add(1);
                if server.is_ejected(limit) {
                    server.until = now.plus(server.pause);
                    let twice = server.pause.saturating_mul(2);
                    server.pause = twice.min(self.ejection.max_pause);
                }
            }
            CallOutcome::Failed | CallOutcome::Cancelled => {}
        }
        // end
    }

    /// Returns the address of a server; `None`: it has left the set.
    #[must_use]
    pub fn address(&self, server: ServerId) -> Option<&str> {
        let server = self.servers.iter().find(|known| known.id == server);
        server.map(|server| server.address.as_str())
    }
}

impl Server {
    fn is_ejected(&self, limit: u32) -> bool {
        self.failures >= limit
    }

    /// Whether its pause is over, if it is ejected, and no probe is under way.
    fn wants_probe(&self, now: Moment) -> bool {
        self.until <= now && !self.is_probed
    }
}

/// Returns how far a server is from a key: a number that looks random, and is always the same.
///
/// The nearest server gets the key (*rendezvous hashing*). The distances of the others do not
/// change when a server comes or leaves, so no key moves from one of them to another.
///
/// The distance depends on all bits of the key and all bytes of the address, and on nothing else:
/// each process must come to the same one. [`name_id`](crate::name_id) has 32 bits, so two
/// addresses may have one. Both would be equally near to every key.
fn distance(address: &str, key: u64) -> u64 {
    // task p2.3: of each server and key as good as random, and for all balancers the same
    let bytes = address.bytes().map(u64::from);
    bytes.fold(key, |hash, byte| mixed(hash ^ byte))
    // end
}

/// Returns a number in which each bit depends on all bits of `number`: the last steps of
/// `SplitMix64`.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
