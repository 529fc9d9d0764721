//! How much may happen in how long.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::Moment;

/// A token in billionths. A second brings `rate` tokens, so a nanosecond brings
/// exactly `rate` billionths: nothing is ever rounded.
const TOKEN: u128 = 1_000_000_000;

/// Fills with `rate` tokens a second up to `capacity`; what is granted is taken out.
///
/// # Invariants
/// - In any span of time at most `rate` × its seconds + `capacity` tokens are granted.
/// - No token is lost either: who always asks, gets that many, to the nanosecond.
// ANCHOR: state
#[derive(Debug, Clone)]
pub struct TokenBucket {
    /// Tokens a second.
    rate: NonZeroU32,
    /// In billionths of a token.
    capacity: u128,
    /// What is in it at `filled_at`, in billionths of a token; at most `capacity`.
    level: u128,
    /// The latest time that we know of.
    filled_at: Moment,
}
// ANCHOR_END: state

impl TokenBucket {
    /// A full bucket.
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

    /// Takes `tokens` out, all of them or none; says whether it did.
    ///
    /// `now` may lie before an earlier `now`: threads that read the clock one
    /// after the other may come here the other way round. No time has passed then.
    pub fn try_take(&mut self, now: Moment, tokens: u32) -> bool {
        // task 1.2: grant what the time that has passed allows, and not a token more
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

    /// From when on `tokens` are granted, if nobody takes any before; `None` if
    /// that is never, because they are more than fit into the bucket.
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
