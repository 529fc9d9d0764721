//! A series of any length as a few hundred points.

use std::collections::BTreeMap;

/// How many points there are at most, with those that have no value.
const POINTS_MAX: i64 = 300;

/// Values at places. Places that are near each other share a point, so that there are never more
/// than [`POINTS_MAX`].
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    /// How many places share a point. It doubles when there would be too many points.
    width: i64,
    /// Makes one value of two that share a point.
    join: fn(u64, u64) -> u64,
    values: BTreeMap<i64, u64>,
}

impl Buckets {
    pub(crate) fn new(width: i64, join: fn(u64, u64) -> u64) -> Buckets {
        Buckets {
            width: width.max(1),
            join,
            values: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, place: i64, value: u64) {
        self.put(place.div_euclid(self.width), value);
        while let Some((first, last)) = self.ends()
            && last - first >= POINTS_MAX
            && let Some(width) = self.width.checked_mul(2)
        {
            self.width = width;
            for (point, value) in std::mem::take(&mut self.values) {
                self.put(point.div_euclid(2), value);
            }
        }
    }

    fn put(&mut self, point: i64, value: u64) {
        let join = self.join;
        let joined = self.values.entry(point);
        joined
            .and_modify(|before| *before = join(*before, value))
            .or_insert(value);
    }

    fn ends(&self) -> Option<(i64, i64)> {
        let (first, _) = self.values.first_key_value()?;
        let (last, _) = self.values.last_key_value()?;
        Some((*first, *last))
    }

    /// Returns how many places share a point.
    pub(crate) fn width(&self) -> i64 {
        self.width
    }

    /// The first place of each point that has a value, which point that is, and the value.
    pub(crate) fn points(&self) -> impl Iterator<Item = (i64, i64, u64)> {
        let first = self.ends().map_or(0, |(first, _)| first);
        let values = self.values.iter();
        values.map(move |(point, value)| (point * self.width, point - first, *value))
    }

    /// How many points there are, with those that have no value.
    pub(crate) fn count(&self) -> i64 {
        self.ends().map_or(0, |(first, last)| last - first + 1)
    }

    pub(crate) fn highest(&self) -> u64 {
        self.values.values().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_has_few_points_and_loses_nothing() {
        let mut sums = Buckets::new(5_000, |one, other| one + other);
        let mut highest = Buckets::new(1, u64::max);
        for number in 0..20_000 {
            // Backwards too, and before 1970.
            let place = if number % 2 == 0 { number } else { -number };
            sums.add(place * 5_000, 1);
            highest.add(number, number.unsigned_abs() % 1_000);
            assert!(sums.count() <= POINTS_MAX && highest.count() <= POINTS_MAX);
        }
        assert_eq!(sums.points().map(|(.., value)| value).sum::<u64>(), 20_000);
        assert!(sums.count() > POINTS_MAX / 3 && highest.count() > POINTS_MAX / 3);
        assert_eq!(highest.highest(), 999);
        let mut apart = Buckets::new(1, u64::max);
        apart.add(i64::MIN / 4, 1);
        apart.add(i64::MAX / 4, 2);
        assert_eq!(
            apart.points().map(|(.., value)| value).collect::<Vec<_>>(),
            [1, 2]
        );
    }

    #[test]
    fn a_short_series_is_kept_as_it_is() {
        let mut buckets = Buckets::new(10, |one, other| one + other);
        for (place, value) in [(20, 1), (25, 2), (40, 4)] {
            buckets.add(place, value);
        }
        assert_eq!(
            buckets.points().collect::<Vec<_>>(),
            [(20, 0, 3), (40, 2, 4)]
        );
        assert_eq!((buckets.count(), buckets.width()), (3, 10));
    }
}
