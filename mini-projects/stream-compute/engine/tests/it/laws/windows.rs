//! Which windows a time is in.

use std::time::Duration;

use message_model::Timestamp;
use proptest::prelude::*;
use stream_engine::{Window, Windows};

fn window(start: i64, end: i64) -> Window {
    Window {
        start: Timestamp(start),
        end: Timestamp(end),
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn assigned(windows: Windows, time: i64) -> Vec<Window> {
    windows.assign(Timestamp(time)).collect()
}

#[test]
fn before_1970_windows_lie_as_after_it() {
    let windows = Windows::tumbling(ms(10));
    assert_eq!(assigned(windows, -1), [window(-10, 0)]);
    assert_eq!(assigned(windows, 0), [window(0, 10)]);
    assert_eq!(assigned(windows, -10), [window(-10, 0)]);
}

#[test]
fn at_the_ends_of_time_a_window_is_cut_off() {
    let windows = Windows::sliding(ms(10), ms(5));
    let last = assigned(windows, i64::MAX);
    assert!(last.iter().all(|window| window.end == Timestamp(i64::MAX)));
    assert_eq!(last.len(), 2);
    let first = assigned(windows, i64::MIN);
    assert!(first.iter().all(|window| window.start.0 <= i64::MIN + 10));
    let session = assigned(Windows::session(ms(10)), i64::MAX - 1);
    assert_eq!(session, [window(i64::MAX - 1, i64::MAX)]);
}

#[test]
#[should_panic(expected = "in no window")]
fn a_step_longer_than_the_window_is_refused() {
    let _ = Windows::sliding(ms(5), ms(6));
}

proptest! {
    #![proptest_config(crate::fixed(256))]

    /// The oracle tries all windows that there are near the time.
    #[test]
    fn a_time_is_in_all_windows_that_have_it(
        time in -10_000..10_000i64,
        step in 1..50i64,
        more in 0..120i64,
    ) {
        let size = step + more;
        let every = (-15_000 / step..15_000 / step).map(|n| window(n * step, n * step + size));
        let having = every.filter(|w| w.start.0 <= time && time < w.end.0);
        let windows = Windows::sliding(ms(size.unsigned_abs()), ms(step.unsigned_abs()));
        prop_assert_eq!(assigned(windows, time), having.collect::<Vec<_>>());
    }

    #[test]
    fn a_session_begins_with_its_record(time in any::<i32>(), gap in 1..100i64) {
        let windows = Windows::session(ms(gap.unsigned_abs()));
        let time = i64::from(time);
        prop_assert_eq!(assigned(windows, time), [window(time, time + gap)]);
    }
}
