//! The two laws of a token bucket: not too many, and not too few.

use std::num::NonZeroU32;
use std::time::Duration;

use message_model::{Moment, TokenBucket};
use proptest::prelude::*;

const SECOND: u128 = 1_000_000_000;

fn at(nanos: u64) -> Moment {
    Moment::after_start(Duration::from_nanos(nanos))
}

proptest! {
    /// Over any window, grants ≤ rate × window + capacity; and what is refused
    /// would have been too many in some window that ends now.
    #[test]
    fn as_many_as_the_law_allows_and_no_more(
        rate in 1..2_000_u32,
        capacity in 0..50_u32,
        calls in prop::collection::vec((0..900_000_000_u64, 0..30_u32), 1..120),
    ) {
        let mut bucket = TokenBucket::new(Moment::START, NonZeroU32::new(rate).unwrap(), capacity);
        let mut grants: Vec<(u64, u128)> = Vec::new();
        let mut now = 0;
        for (wait, tokens) in calls {
            now += wait;
            // By hand: the most that may be granted now is what every window leaves,
            // those that begin at a grant and the one that begins at the start.
            let room = |start: u64, in_it: u128| {
                let brought = u128::from(now - start) * u128::from(rate);
                brought + u128::from(capacity) * SECOND - in_it * SECOND
            };
            let mut in_window = 0;
            let mut least = u128::from(capacity) * SECOND;
            for (start, tokens) in grants.iter().rev() {
                in_window += tokens;
                least = least.min(room(*start, in_window));
            }
            let should = u128::from(tokens) * SECOND <= least;
            let ready = bucket.ready_at(tokens);
            let granted = bucket.try_take(at(now), tokens);
            prop_assert_eq!(granted, should, "{} tokens at {} ns", tokens, now);
            prop_assert_eq!(granted, ready.is_some_and(|ready| ready <= at(now)));
            if granted {
                grants.push((now, u128::from(tokens)));
            }
        }
    }

    /// However the calls lie in time, a caller that always asks gets rate × time, exactly.
    #[test]
    fn nothing_is_rounded_away(
        rate in 1..1_000_000_u32,
        waits in prop::collection::vec(1..2_000_000_u64, 1..200),
    ) {
        // Large enough not to run over between two calls.
        let capacity = 4_000;
        let mut bucket = TokenBucket::new(Moment::START, NonZeroU32::new(rate).unwrap(), capacity);
        prop_assert!(bucket.try_take(Moment::START, capacity));
        let mut granted = 0_u128;
        let mut now = 0;
        for wait in waits {
            now += wait;
            while bucket.try_take(at(now), 1) {
                granted += 1;
            }
            prop_assert_eq!(granted, u128::from(now) * u128::from(rate) / SECOND);
        }
    }
}

#[test]
fn what_can_never_be_granted_is_said() {
    let rate = NonZeroU32::new(5).unwrap();
    let mut bucket = TokenBucket::new(at(7), rate, 2);
    assert_eq!(bucket.ready_at(2), Some(at(7)));
    assert_eq!(bucket.ready_at(3), None);
    assert!(bucket.try_take(at(7), 2));
    assert_eq!(bucket.ready_at(1), Some(at(200_000_007)));
    let slow = NonZeroU32::new(1).unwrap();
    let mut bucket = TokenBucket::new(Moment::START, slow, u32::MAX);
    assert!(bucket.try_take(Moment::START, u32::MAX));
    let full_again = Moment::after_start(Duration::from_secs(u64::from(u32::MAX)));
    assert_eq!(bucket.ready_at(u32::MAX), Some(full_again));
}
