//! Which servers offer a service, as far as their heartbeats say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use message_model::Moment;

/// The addresses that offer each service. A server takes a *lease* and renews it again and again; a server
/// that is silent for the length of a lease is no longer living. Pure: no clock.
///
/// # Invariants
/// - A lease ends its length after it was renewed last, at that very moment.
/// - Each address of each service has a lease of its own.
/// - What [`living`](Leases::living) returns changes only when `renew`, `release` or `expire`
///   says so.
#[derive(Debug)]
pub struct Leases {
    length: Duration,
    /// When each lease ends, by service and address. No service is without an address, so
    /// services that come and go leave nothing behind.
    ends: BTreeMap<String, BTreeMap<String, Moment>>,
    /// The same leases, the first to end first: end, service, address.
    by_end: BTreeSet<(Moment, String, String)>,
}

impl Leases {
    /// Returns a table without leases. A lease ends `length` after it was last renewed.
    #[must_use]
    pub fn new(length: Duration) -> Leases {
        Leases {
            length,
            ends: BTreeMap::new(),
            by_end: BTreeSet::new(),
        }
    }

    /// Takes a lease, or renews it. Returns whether the address is new among the living ones. An
    /// address is living until `release` or `expire` has ended its lease, also behind its end.
    ///
    /// A lease never gets shorter, also if `now` is before an earlier one.
    pub fn renew(&mut self, service: &str, address: &str, now: Moment) -> bool {
        // task p2.2: a lease is taken, or lasts longer
        let addresses = self.ends.entry(service.to_owned()).or_default();
        let end = now.plus(self.length);
        let old = addresses.get(address).copied();
        if old.is_some_and(|old| old >= end) {
            return false;
        }
        addresses.insert(address.to_owned(), end);
        let lease = |end| (end, service.to_owned(), address.to_owned());
        if let Some(old) = old {
            self.by_end.remove(&lease(old));
        }
        self.by_end.insert(lease(end));
        old.is_none()
        // end
    }

    /// Ends a lease before its time: the server stops. Returns whether there was one.
    pub fn release(&mut self, service: &str, address: &str) -> bool {
        // task p2.2: a lease ends before its time
        let Some(end) = self.take_out(service, address) else {
            return false;
        };
        self.by_end
            .remove(&(end, service.to_owned(), address.to_owned()))
        // end
    }

    /// Ends the leases whose end is at or before `now`. Returns the services that have lost an
    /// address, each once, sorted.
    pub fn expire(&mut self, now: Moment) -> Vec<String> {
        // task p2.2: the leases that are over
        let mut changed = BTreeSet::new();
        while self.next_expiry().is_some_and(|end| end <= now)
            && let Some((_, service, address)) = self.by_end.pop_first()
        {
            self.take_out(&service, &address);
            changed.insert(service);
        }
        changed.into_iter().collect()
        // end
    }

    /// Takes an address out of `ends`, and returns when its lease would have ended; `None`: it
    /// has no lease. The entry in `by_end` is left to the caller. (To remove it here is right,
    /// too.)
    fn take_out(&mut self, service: &str, address: &str) -> Option<Moment> {
        // task p2.2: an address is no longer living
        let addresses = self.ends.get_mut(service)?;
        let end = addresses.remove(address)?;
        if addresses.is_empty() {
            self.ends.remove(service);
        }
        Some(end)
        // end
    }

    /// Returns when [`expire`](Leases::expire) is due; `None`: there is no lease.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Moment> {
        self.by_end.first().map(|(end, ..)| *end)
    }

    /// Returns the addresses of a service, sorted: those that have a lease.
    #[must_use]
    pub fn living(&self, service: &str) -> Vec<String> {
        let addresses = self.ends.get(service);
        addresses.map_or(Vec::new(), |addresses| addresses.keys().cloned().collect())
    }
}
