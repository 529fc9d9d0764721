//! How much may happen in how long.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::Moment;

/// A token in billionths. A second brings `rate` tokens, so a nanosecond brings
/// exactly `rate` billionths: nothing is ever rounded.
const TOKEN: u128 = 1_000_000_000;

/// A limit on a rate: fills with `rate` tokens a second up to `capacity`, and what is
/// granted is taken out.
///
/// # Invariants
/// - In any span of time at most `rate` × its seconds + `capacity` tokens are granted.
/// - Nothing is rounded away: a caller that always asks gets `rate` tokens a second, to
///   the nanosecond.
// ANCHOR: state
#[derive(Debug, Clone)]
pub struct TokenBucket {
    /// Tokens a second.
    rate: NonZeroU32,
    /// In billionths of a token.
    capacity: u128,
    /// What the bucket held at `filled_at`, in billionths of a token; at most `capacity`.
    level: u128,
    /// The latest `now` so far.
    filled_at: Moment,
}
// ANCHOR_END: state

impl TokenBucket {
    /// Returns a full bucket.
    #[must_use]
    pub fn new(now: Moment, rate: NonZeroU32, capacity: u32) -> TokenBucket {
        let capacity = u128::from(capacity) * TOKEN;
        TokenBucket {
            rate,
            capacity,
            level: capacity,
            filled_at: now,
        }
    }

    /// Returns whether `tokens` were granted: then all of them are taken out, else none.
    /// 0 tokens are always granted.
    ///
    /// `now` may be before the last one: two threads read the clock in one order, and
    /// may call in the other. Then no time has passed.
    pub fn try_take(&mut self, now: Moment, tokens: u32) -> bool {
        // task 1.2: grant what the time that has passed allows, to the nanosecond
        let passed = now.since(self.filled_at).as_nanos();
        let gained = passed * u128::from(self.rate.get());
        self.level = (self.level + gained).min(self.capacity);
        self.filled_at = self.filled_at.max(now);
        let wanted = u128::from(tokens) * TOKEN;
        let is_granted = wanted <= self.level;
        if is_granted {
            self.level -= wanted;
        }
        is_granted
        // end
    }

    /// Returns from when on `tokens` are granted if none are taken before; `None` if
    /// never, because they are more than `capacity`.
    #[must_use]
    pub fn ready_at(&self, tokens: u32) -> Option<Moment> {
        let wanted = u128::from(tokens) * TOKEN;
        if wanted > self.capacity {
            return None;
        }
        let missing = wanted.saturating_sub(self.level);
        let nanos = missing.div_ceil(u128::from(self.rate.get()));
        let wait = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Some(self.filled_at.plus(wait))
    }
}
