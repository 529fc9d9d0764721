//! What windows cost: keys that are looked at, timers, states that are merged.

use spec_harness::{case, expect, expect_eq};

use super::counted::{Counted, KEYS, MOVED, count, expect_at_most};
use super::part::Windows;
use super::world::{World, ms};

#[test]
fn a_timer_for_each_window() {
    case!(
        "A window needs one timer, however many records it has.",
        || {
            let mut counted = Counted::new(Windows::tumbling(ms(10)), 20);
            for _ in 0..10_000 {
                counted.add(1, 3);
            }
            expect_at_most(
                "keys and timers, after 10,000 records of one window",
                counted.kept(),
                3,
            );
            counted.advance(12);
            for _ in 0..10_000 {
                counted.add(1, 3);
            }
            expect_at_most("keys and timers, after 10,000 late ones", counted.kept(), 4);
        }
    );
}

#[test]
fn a_key_with_many_windows() {
    case!(
        "When a timer of a key fires, the windows whose timers are later get no other one.",
        || {
            let mut counted = Counted::new(Windows::tumbling(ms(10)), 1_000);
            for window in 0..50 {
                counted.add(1, window * 10);
            }
            let what = "keys and timers, of a key with 50 windows";
            expect_at_most(what, counted.kept(), 51);
            for window in 0..50 {
                expect_eq("rows", counted.advance(window * 10 + 10), vec![1]);
                expect_at_most(what, counted.kept(), 51);
            }
        }
    );
}

#[test]
fn a_session_that_grows() {
    case!(
        "A session that grows gets no timer more, and its state is not merged each time.",
        || {
            let mut counted = Counted::new(Windows::session(ms(10)), 0);
            let moved = count(&MOVED, || {
                for time in 0..10_000 {
                    counted.add(1, time);
                }
            });
            let kept = counted.kept();
            expect_at_most(
                "keys and timers, after 10,000 records of one session",
                kept,
                3,
            );
            let what = "records that merge() has moved, for 10,000 records of one session";
            expect_at_most(what, moved, 20_000);
            expect_eq("rows at its end", counted.advance(10_009), vec![10_000]);
        }
    );
}

#[test]
fn a_session_that_grows_under_the_watermark() {
    case!(
        "A session that grows while the watermark follows it keeps few timers, and fires rarely.",
        || {
            let mut counted = Counted::new(Windows::session(ms(100)), 0);
            let touched = count(&KEYS, || {
                for time in 0..10_000 {
                    counted.add(1, time);
                }
            });
            let mut counted = Counted::new(Windows::session(ms(100)), 0);
            let touched_too = count(&KEYS, || {
                for time in 0..10_000 {
                    counted.add(1, time);
                    counted.advance(time - 1);
                }
            });
            let more = touched_too.saturating_sub(touched);
            let what = "what 10,000 watermarks do with the key of one session with a gap of 100";
            expect_at_most(what, more, 3_000);
            expect_at_most("keys and timers at the end", counted.kept(), 4);
        }
    );
}

#[test]
fn a_watermark_that_passes_nothing() {
    case!(
        "A watermark that no window has waited for costs nothing, however many keys there are.",
        || {
            let mut counted = Counted::new(Windows::tumbling(ms(1_000_000)), 0);
            for key in 0..20_000 {
                counted.add(key, 3);
            }
            // If each of them looked at all keys, this would take minutes.
            let touched = count(&KEYS, || {
                for watermark in 0..100_000 {
                    counted.advance(watermark);
                }
            });
            expect_eq("what they do with keys", touched, 0);
            expect_eq("rows at the end", counted.advance(1_000_000).len(), 20_000);
        }
    );
}

#[test]
fn one_key_of_many() {
    case!(
        "A watermark that passes the window of one key looks at that key, and at no others.",
        || {
            let mut counted = Counted::new(Windows::tumbling(ms(10)), 0);
            for key in 0..1_000 {
                counted.add(key, i64::from(key) * 10);
            }
            for key in 0..1_000 {
                let mut rows = Vec::new();
                let touched = count(&KEYS, || rows = counted.advance(i64::from(key) * 10 + 10));
                expect_eq("rows of a window", rows, vec![1]);
                let what = "how often a watermark that passes one window hashes or clones a key";
                expect_at_most(what, touched, 12);
            }
        }
    );
}

#[test]
fn nothing_is_left_of_a_key() {
    case!(
        "When all windows of a key are closed, nothing is left of the key.",
        || {
            for windows in [Windows::tumbling(ms(10)), Windows::session(ms(10))] {
                let mut counted = Counted::new(windows, 5);
                for key in 0..1_000 {
                    let time = i64::from(key) * 20;
                    counted.advance(time);
                    counted.add(key, time + 3);
                    counted.add(key, time + 8);
                    expect_at_most("keys and timers, of two keys", counted.kept(), 6);
                }
                counted.advance(100_000);
                expect_eq("keys and timers at the end", counted.kept(), 0);
                expect_eq("next_timer()", counted.windows.next_timer(), None);
            }
        }
    );
}

#[test]
fn timers_that_have_fired() {
    case!(
        "When a watermark has been handed on, no timer at or below it is left.",
        || {
            let mut world = World::tumbling(10, 20);
            for watermark in 0..60 {
                if watermark < 20 {
                    world.record('a', watermark);
                    world.record('b', watermark / 2);
                }
                world.advance(watermark);
                let next = world.windows.next_timer();
                expect(
                    &format!("next_timer() is above the watermark {watermark}; it is {next:?}"),
                    next.is_none_or(|timer| timer.0 > watermark),
                );
            }
        }
    );
}
