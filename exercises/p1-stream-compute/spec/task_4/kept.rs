//! What is left in memory, and what is not copied.

use message_model::Timestamp;
use spec_harness::{case, expect_eq};

use super::counted::{Counted, KEYS, STATES, count, expect_at_most};
use super::part::Windows;
use super::world::ms;

#[test]
fn late_records_leave_nothing() {
    case!(
        "A record that is late leaves nothing behind, also not an entry for its key.",
        || {
            for windows in [Windows::tumbling(ms(10)), Windows::session(ms(10))] {
                let mut counted = Counted::new(windows, 0);
                counted.advance(20);
                for key in 0..1_000 {
                    let added = counted.add(key, 3);
                    expect_eq("windows of a late record", added.counted, 0);
                }
                let what = "keys and timers, after late records of 1,000 keys";
                expect_eq(what, counted.kept(), 0);
            }
        }
    );
}

#[test]
fn windows_that_wait_for_their_end() {
    case!(
        "A window that has had its row is looked at when it closes, and not before.",
        || {
            let mut counted = Counted::new(Windows::tumbling(ms(10)), 1_000_000);
            for key in 0..1_000 {
                counted.add(key, 3);
            }
            expect_eq("rows at 10", counted.advance(10).len(), 1_000);
            let next = Some(Timestamp(1_000_010));
            let what = "next_timer(), if all windows close at 1,000,010";
            expect_eq(what, counted.windows.next_timer(), next);
            for watermark in [11, 20, 1_000, 1_000_009] {
                let touched = count(&KEYS, || counted.advance(watermark));
                let what = format!("what the watermark {watermark} does with keys");
                expect_eq(&what, touched, 0);
            }
            counted.advance(1_000_010);
            expect_eq("keys and timers at the end", counted.kept(), 0);
        }
    );
}

#[test]
fn late_rows_of_a_window() {
    case!(
        "However many late rows a window has, it keeps a few timers, not one more for each row.",
        || {
            let mut counted = Counted::new(Windows::tumbling(ms(10)), 1_000_000);
            for (late, watermark) in (1..=1_000).zip(11..) {
                counted.add(1, 3);
                let rows = counted.advance(watermark);
                expect_eq("rows at the next watermark", rows, vec![late]);
            }
            let what = "keys and timers, of a window with 1,000 rows";
            expect_at_most(what, counted.kept(), 4);
        }
    );
}

#[test]
fn late_rows_of_a_session() {
    case!(
        "A session that grows behind its row keeps a few timers too, wherever it closes by now.",
        || {
            let mut counted = Counted::new(Windows::session(ms(10)), 1_000_000);
            counted.advance(5_000);
            for (late, time) in (1..=1_000).zip(1..) {
                counted.add(1, time);
                let rows = counted.advance(5_000 + time);
                expect_eq("rows at the next watermark", rows, vec![late]);
            }
            let what = "keys and timers, of a session that has grown behind 1,000 rows";
            expect_at_most(what, counted.kept(), 4);
            counted.advance(1_001_010);
            expect_eq("keys and timers at the end", counted.kept(), 0);
        }
    );
}

#[test]
fn states_are_not_copied() {
    case!(
        "A record is added to the state where that is: a copy each time would cost all of it.",
        || {
            for windows in [Windows::tumbling(ms(10_000)), Windows::session(ms(10))] {
                let mut counted = Counted::new(windows, 0);
                let mut rows = Vec::new();
                let copied = count(&STATES, || {
                    for time in 0..10_000 {
                        counted.add(1, time);
                    }
                    rows = counted.advance(20_000);
                });
                expect_eq("rows", rows, vec![10_000]);
                let what = "clones of states, for 10,000 records of one window";
                expect_eq(what, copied, 0);
            }
        }
    );
}
