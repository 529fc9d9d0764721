//! The addresses with the most requests, in bounded memory.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;

/// How many addresses are counted at the same time.
const ADDRESSES_MAX: usize = 20_000;

/// Counts by address. When there are too many addresses, the half with the lower counts is
/// forgotten: counts are exact unless [`Tops::is_rough`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Tops {
    counts: HashMap<IpAddr, u64>,
    is_rough: bool,
}

impl Tops {
    pub(crate) fn add(&mut self, ip: IpAddr, count: u64) {
        *self.counts.entry(ip).or_default() += count;
        if self.counts.len() > ADDRESSES_MAX {
            let kept = self.top(ADDRESSES_MAX / 2);
            self.counts = kept.into_iter().collect();
            self.is_rough = true;
        }
    }

    pub(crate) fn merge(&mut self, other: Tops) {
        self.is_rough |= other.is_rough;
        for (ip, count) in other.counts {
            self.add(ip, count);
        }
    }

    /// Whether addresses were forgotten, so that counts may be too low.
    pub(crate) fn is_rough(&self) -> bool {
        self.is_rough
    }

    /// The highest counts, the highest first; of equal ones, the lowest address.
    pub(crate) fn top(&self, count: usize) -> Vec<(IpAddr, u64)> {
        let order = |(ip, count): &(IpAddr, u64)| (Reverse(*count), *ip);
        let mut all: Vec<_> = self
            .counts
            .iter()
            .map(|(ip, count)| (*ip, *count))
            .collect();
        if count < all.len() {
            all.select_nth_unstable_by_key(count, order);
            all.truncate(count);
        }
        all.sort_unstable_by_key(order);
        all
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn of_many_addresses_those_with_many_requests_stay() {
        let mut tops = Tops::default();
        let ip = |number: u32| IpAddr::V4(Ipv4Addr::from_bits(number));
        for number in 0..100_000 {
            tops.add(ip(number), 1);
            tops.add(ip(number % 3), 1 + u64::from(number % 3));
            assert!(tops.counts.len() <= ADDRESSES_MAX);
        }
        assert!(tops.is_rough());
        let top: Vec<_> = tops.top(3).into_iter().map(|(ip, _)| ip).collect();
        assert_eq!(top, [ip(2), ip(1), ip(0)]);
    }

    #[test]
    fn few_addresses_are_counted_exactly() {
        let (mut tops, mut other) = (Tops::default(), Tops::default());
        let ip = |last| IpAddr::from([192, 0, 2, last]);
        tops.add(ip(1), 2);
        other.add(ip(2), 3);
        other.add(ip(1), 1);
        other.add(ip(0), 1);
        tops.merge(other);
        assert_eq!(tops.top(2), [(ip(1), 3), (ip(2), 3)]);
        assert!(!tops.is_rough());
    }
}
