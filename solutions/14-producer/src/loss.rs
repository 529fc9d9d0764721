//! Finding out that messages were lost, without trusting the queue.

use std::collections::VecDeque;
use std::ops::Range;

/// What a number is that a consumer has seen, among those of its producer and partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is the one that was due.
    Next,
    /// It came too early: these numbers before it are missing so far.
    Ahead(Range<u64>),
    /// It was missing and has come now, behind a larger one: records changed places.
    Late,
    /// It has been seen before.
    Duplicate,
    /// It is in a range that was [given up](Detector::given_up), so it is late or a
    /// duplicate.
    Unknown,
}

/// Watches the numbers that one producer gave its records of one partition: 0, 1, 2 …
///
/// The producer's interceptor writes the number into each record when it is sent; the
/// consumer passes each number that arrives to [`seen`](Detector::seen).
///
/// # Invariants
/// - Every number below the one that is due was seen, or is in a range of
///   [`missing`](Detector::missing) or [`given_up`](Detector::given_up), so no loss is
///   ever forgotten.
/// - The numbers in the ranges of `missing` have not been seen.
/// - Each of the two has at most `ranges_max` ranges. If one more is missing, the lowest
///   is given up. If one more is given up, the lowest two become one, from the start of
///   the first to the end of the second.
#[derive(Debug, Clone)]
pub struct Detector {
    ranges_max: usize,
    /// The lowest number above all that have arrived.
    next: u64,
    /// In order, none empty, none next to another.
    missing: VecDeque<Range<u64>>,
    given_up: VecDeque<Range<u64>>,
    duplicates: u64,
    late: u64,
}

impl Detector {
    /// Nothing was seen, and number 0 is due.
    ///
    /// # Panics
    /// If `ranges_max` is 0.
    #[must_use]
    pub fn new(ranges_max: usize) -> Detector {
        assert!(ranges_max > 0, "at least one range is remembered");
        Detector {
            ranges_max,
            next: 0,
            missing: VecDeque::new(),
            given_up: VecDeque::new(),
            duplicates: 0,
            late: 0,
        }
    }

    /// Notes that a record with `number` arrived, and returns what that means.
    pub fn seen(&mut self, number: u64) -> Seen {
        // task 14.2: next, ahead, late, or a duplicate
        if number >= self.next {
            let gap = self.next..number;
            self.next = number.saturating_add(1);
            if gap.is_empty() {
                return Seen::Next;
            }
            self.miss(gap.clone());
            return Seen::Ahead(gap);
        }
        let place = self.missing.partition_point(|range| range.end <= number);
        match self.missing.get_mut(place) {
            Some(range) if range.contains(&number) => {
                let behind = number + 1..range.end;
                range.end = number;
                let is_empty = range.is_empty();
                if !behind.is_empty() {
                    self.missing.insert(place + 1, behind);
                }
                if is_empty {
                    self.missing.remove(place);
                }
                self.late += 1;
                self.give_up_too_many();
                Seen::Late
            }
            _ if self.given_up.iter().any(|range| range.contains(&number)) => Seen::Unknown,
            _ => {
                self.duplicates += 1;
                Seen::Duplicate
            }
        }
        // end
    }

    /// The producer says that it has sent the numbers below `count`, and no more. Those
    /// behind the last one that arrived are missing too: without this call the loss of
    /// the last records is never noticed.
    pub fn sent(&mut self, count: u64) {
        // task 14.2: what nothing came after is missing too
        if count > self.next {
            self.miss(self.next..count);
            self.next = count;
        }
        // end
    }

    /// These numbers, above all that were missing before, are missing. If they follow
    /// the last missing range without a gap, they become a part of it.
    fn miss(&mut self, numbers: Range<u64>) {
        // task 14.2: one more range, or a longer one
        match self.missing.back_mut() {
            Some(last) if last.end == numbers.start => last.end = numbers.end,
            _ => self.missing.push_back(numbers),
        }
        self.give_up_too_many();
        // end
    }

    /// Makes both lists as short as they must be.
    fn give_up_too_many(&mut self) {
        // task 14.2: as many ranges as there is room for
        while self.missing.len() > self.ranges_max {
            // It is above all that were given up before: they too were the lowest.
            self.given_up.extend(self.missing.pop_front());
        }
        while self.given_up.len() > self.ranges_max {
            let first = self.given_up.pop_front();
            if let (Some(first), Some(second)) = (first, self.given_up.front_mut()) {
                second.start = first.start;
            }
        }
        // end
    }

    /// Returns the ranges of numbers that have not arrived, in order.
    pub fn missing(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.missing.iter().cloned()
    }

    /// Returns the ranges whose numbers are not followed any more, in order. Most of
    /// their numbers had not arrived when the range was given up.
    pub fn given_up(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.given_up.iter().cloned()
    }

    /// Returns how many records came more than once; those in ranges that were given up
    /// are not counted.
    #[must_use]
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Returns how many records came behind one with a larger number.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late
    }
}
